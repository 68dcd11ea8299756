"""What `embedding`, `draw` and `pad` still draw with matplotlib: goes when they have moved."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from string import ascii_uppercase as LETTERS

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.font_manager import findfont
from matplotlib.lines import Line2D
from PIL import Image, ImageDraw, ImageFont

from metalearn_lite.widgets.picture import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
)

# A class has a colour, a shape and a letter: none of them has to tell it alone.
CLASS_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, GREY)
INK = 0.72  # the share of a colour that is left in its ink
CLASS_MARKERS = ("o", "s", (3, 0, 0), "D", (3, 0, 180), (6, 0, 0), (5, 0, 0))


class Drawings(Artist):
    """Drawings centred on points of ``axes``, all of one size whatever the zoom.

    matplotlib would resample each image anew at every refresh, 1 ms apiece; these are scaled once.

    Args:
        axes: whose data coordinates place them.
        size: side in points, 1/72 inch.
    """

    def __init__(self, axes: Axes, size: float):
        super().__init__()
        self.size = size
        self.points = np.zeros((0, 2))
        self._images: list[Image.Image] = []
        self._scaled: list[np.ndarray] = []
        axes.add_artist(self)
        self.set(clip_on=False, zorder=3)

    def set_images(self, images: np.ndarray, colours: Sequence[str] = (BLACK,)) -> None:
        """``images`` ``(N, H, W)`` in 0 … 1, ink 1; ``colours``: one each, or one for all."""
        colours = list(colours) * len(images) if len(colours) == 1 else colours
        self._images = [
            Image.fromarray(tinted(image, colour))
            for image, colour in zip(images, colours, strict=True)
        ]
        self._scaled = []

    def set_points(self, points: np.ndarray) -> None:
        """Where the middle of each drawing lies, ``(N, 2)``."""
        self.points = points

    def draw(self, renderer) -> None:
        if not self.get_visible():
            return
        if len(self.points) != len(self._images):
            count = len(self._images)
            raise ValueError(f"{count} drawings need {count} points, not {len(self.points)}")
        side = round(self.size * renderer.points_to_pixels(1))
        if not self._scaled or len(self._scaled[0]) != side:
            self._scaled = [
                np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))[::-1]
                for image in self._images
            ]
        context = renderer.new_gc()
        pixels = self.axes.transData.transform(self.points)
        for image, (x, y) in zip(self._scaled, pixels, strict=True):
            renderer.draw_image(context, round(x - side / 2), round(y - side / 2), image)
        context.restore()


class Captions(Artist):
    """Short texts under points of ``axes``, each centred, with its top at its point.

    matplotlib would lay each text out anew at every refresh, 0.3 ms apiece; these are kept.

    Args:
        axes: whose data coordinates place them.
        size: of the letters in points.
    """

    def __init__(self, axes: Axes, size: float):
        super().__init__()
        self.size = size
        self._texts: list[str] = []
        self._points = np.zeros((0, 2))
        axes.add_artist(self)
        self.set(clip_on=False, zorder=4)

    def set_texts(self, texts: Sequence[str], points: np.ndarray) -> None:
        """``texts`` of one line, and the point ``(N, 2)`` that each is under."""
        if len(texts) != len(points):
            raise ValueError(f"{len(texts)} texts need {len(texts)} points, not {len(points)}")
        self._texts, self._points = list(texts), points

    def draw(self, renderer) -> None:
        if not self.get_visible() or not self._texts:
            return
        size = round(self.size * renderer.points_to_pixels(1))
        context = renderer.new_gc()
        pixels = self.axes.transData.transform(self._points)
        for text, (x, y) in zip(self._texts, pixels, strict=True):
            image = _lettering(text, size)
            height, width = image.shape[:2]
            renderer.draw_image(context, round(x - width / 2), round(y - height), image)
        context.restore()


@lru_cache(maxsize=1000)
def _lettering(text: str, size: int) -> np.ndarray:
    """``text`` in black, ``size`` pixels high; upside down, as a renderer wants it."""
    font = ImageFont.truetype(findfont("DejaVu Sans"), size)
    width, height = round(font.getlength(text)), sum(font.getmetrics())
    image = Image.new("L", (max(1, width), height))
    ImageDraw.Draw(image).text((0, 0), text, fill=255, font=font)
    return tinted(np.asarray(image) / 255)[::-1]


def tinted(image: np.ndarray, colour: str = BLACK) -> np.ndarray:
    """``image`` ``(H, W)`` in 0 … 1 as ink on clear paper: ``(H, W, 4)`` uint8.

    Ink is darker than ``colour``: lines are thin, and are to stand out from their `pale` tint.
    """
    ink = np.empty((*image.shape, 4), np.uint8)
    ink[..., :3] = np.round(np.array(to_rgb(colour)) * 255 * INK)
    ink[..., 3] = np.round(np.clip(image, 0, 1) * 255)
    return ink


def pale(colour: str) -> tuple[float, float, float]:
    """A tint of ``colour`` that drawings are easy to see on."""
    return tuple(1 - 0.12 * (1 - channel) for channel in to_rgb(colour))


def class_mark(axes: Axes, way: int, size: float) -> Line2D:
    """The shape of class ``way``, about ``size`` points wide, for `set_data` to place."""
    marker = CLASS_MARKERS[way]
    grow = 1.0 if isinstance(marker, str) else {3: 1.5, 5: 1.15, 6: 1.15}[marker[0]]
    (mark,) = axes.plot([], [], color=CLASS_COLOURS[way], marker=marker, markersize=size * grow)
    mark.set(markeredgecolor=BLACK, markeredgewidth=1, linestyle="", clip_on=False, zorder=4)
    return mark


def class_letter(axes: Axes, way: int, size: float) -> Line2D:
    """The letter of class ``way``, on its `class_mark`: a marker too, as text is slower."""
    (letter,) = axes.plot([], [], marker=f"$\\mathbf{{{LETTERS[way]}}}$", markersize=size)
    letter.set(color=ink_on(CLASS_COLOURS[way]), linestyle="", clip_on=False, zorder=5)
    letter.set_markeredgewidth(0)
    return letter


def ink_on(colour: str) -> str:
    """Black or white, whichever is easier to read on ``colour``."""
    red, green, blue = (channel**2.2 for channel in to_rgb(colour))
    return BLACK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#ffffff"
