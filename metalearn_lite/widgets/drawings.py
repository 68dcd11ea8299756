"""Characters in a scene: their drawings, and how a class looks everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase as LETTERS

import numpy as np

from metalearn_lite.figures import LINE_COLORS
from metalearn_lite.widgets.kit import Axis, Panel, Points, Texts
from metalearn_lite.widgets.kit.scene import Mark

# A class has a colour, a shape and a letter: none of them has to tell it alone.
CLASS_COLORS = (*LINE_COLORS, "ink")
CLASS_MARKERS = "os^Dvhp<P>"
TINT = 0.14
"""opacity of a class's colour below its drawings, that they are easy to see on"""
RIGHT, WRONG = "✔", "✘"


def pixels(images: np.ndarray) -> np.ndarray:
    """``images`` in 0 … 1, ink 1, as `Images` wants them."""
    return np.round(255 * np.clip(images, 0, 1)).astype(np.uint8)


def board(key: str, width: int, height: float, marks: Sequence[Mark], **said: str) -> Panel:
    """A panel without axes, whose coordinates are CSS pixels from the lower left."""
    axes = Axis(0, width), Axis(0, height)
    sizes = {"width": width, "height": round(height)}
    return Panel(key, *axes, tuple(marks), **sizes, square=True, bare=True, **said)


def class_marks(
    key: str,
    x: Sequence[float],
    y: Sequence[float],
    ways: Sequence[int],
    size: float = 18,
    link: str = "",
) -> tuple[Points, Texts]:
    """The colours and shapes of some classes at ``x, y``, and their letters on them."""
    points = Points(
        key,
        x,
        y,
        colors=[CLASS_COLORS[way % len(CLASS_COLORS)] for way in ways],
        markers=[CLASS_MARKERS[way % len(CLASS_MARKERS)] for way in ways],
        texts=[LETTERS[way] for way in ways],
        size=size,
        hollow=True,
        link=link,
    )
    return points, Texts(f"{key} letters", x, y, [LETTERS[way] for way in ways], bold=True)
