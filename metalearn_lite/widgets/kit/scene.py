"""The scene: what a figure looks like, said once, as plain data. `README.md` here shows it whole.

A widget's ``scene()`` says everything that is to be seen now: panels with marks, tables, pads,
controls, suggestions and a sentence. Nothing here draws. `look` and `data` part a scene into what
stays (axes, colours, dashes: sent once) and what moves (columns of numbers, by the key of their
mark: sent at each change).

Colours are names from `metalearn_lite.figures.COLORS`, or ``"ink"`` (as text), ``"paper"`` (as the
page) and ``"faint"`` (as the grid); so each page, light or dark, has its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cache
from typing import Any

import numpy as np

from metalearn_lite.figures import COLORS, chosen

TOKENS = ("ink", "paper", "faint", *COLORS)
MARKERS = "os^v<>DdXPp*h+x.|"
"""as matplotlib calls them"""

Numbers = Sequence[float] | np.ndarray


MOVES = {"moves": True}
"""marks a column: a field that moves, with one value for each element of its mark"""


@dataclass(frozen=True)
class Axis:
    """One axis of a panel."""

    low: float
    high: float
    label: str = ""
    _: KW_ONLY
    log: bool = False
    ticks: tuple[float, ...] | None = None
    """where ticks stand; ``None``: round numbers; ``()``: none"""
    names: tuple[str, ...] | None = None
    """what the ticks say; ``None``: their numbers"""


@dataclass(frozen=True)
class Drag:
    """A point that can be dragged, and moved with the arrow keys."""

    name: str
    """what it is, to be spoken: "θ", "a point" """
    _: KW_ONLY
    along: str = ""
    """the key of a line that it cannot leave: only its x is free"""
    carries: tuple[str, ...] = ()
    """keys of marks that the page takes along at once, until the kernel has answered"""
    removable: bool = False
    """whether Delete, or a double click, takes it away"""


@dataclass(frozen=True)
class Mark:
    """What all marks have. ``key`` is unique in the scene."""

    key: str
    _: KW_ONLY
    label: str = ""
    """its name in the legend and in what the pointer reads; without one it has neither"""
    listed: bool = True
    """whether it stands in the legend; a mark without columns may stand there alone"""
    color: str = "ink"
    opacity: float = 1.0
    link: str = ""
    """elements of the same number in marks of the same link light up together"""
    pick: str = ""
    """what a click on one of its elements does, to be spoken; without it a click does nothing"""
    fixed: tuple[str, ...] = ()
    """columns that seldom change: they travel apart, and only when they do"""


@dataclass(frozen=True)
class Placed(Mark):
    """A mark whose elements stand at ``x, y``."""

    x: Numbers = field(default=(), metadata=MOVES)
    y: Numbers = field(default=(), metadata=MOVES)


@dataclass(frozen=True)
class Line(Placed):
    """A line through ``x, y``; a gap where a value is no number."""

    _: KW_ONLY
    dash: str | tuple[float, ...] = "-"
    """``"-" "--" ":" "-."`` or lengths of ink and gap in units of the width"""
    width: float = 2.0
    marker: str = ""
    every: tuple[int, int] = (0, 1)
    """markers at every ``[1]``-th value, from ``[0]`` on"""
    fill: float = 0.0
    """opacity of the area within the line, taken as closed"""


@dataclass(frozen=True)
class Points(Placed):
    """Single points. ``colors``, ``markers`` and ``texts`` may say more of each."""

    _: KW_ONLY
    colors: Sequence[str] = field(default=(), metadata=MOVES)
    markers: Sequence[str] = field(default=(), metadata=MOVES)
    texts: Sequence[str] = field(default=(), metadata=MOVES)
    """what the pointer reads at each, in place of its numbers"""
    marker: str = "o"
    size: float = 8.0
    """diameter in CSS pixels"""
    hollow: bool = False
    edge: str = ""
    drag: Drag | None = None


@dataclass(frozen=True)
class Bars(Placed):
    """Bars from ``base`` to ``y`` at each ``x``; ``flat``: from ``base`` to ``x`` at each ``y``."""

    _: KW_ONLY
    colors: Sequence[str] = field(default=(), metadata=MOVES)
    texts: Sequence[str] = field(default=(), metadata=MOVES)
    """written at the end of each bar"""
    base: float = 0.0
    thick: float = 0.6
    flat: bool = False


@dataclass(frozen=True)
class Spans(Mark):
    """Intervals: a thin line with caps from ``low`` to ``high`` at each ``at``."""

    at: Numbers = field(default=(), metadata=MOVES)
    low: Numbers = field(default=(), metadata=MOVES)
    high: Numbers = field(default=(), metadata=MOVES)
    _: KW_ONLY
    colors: Sequence[str] = field(default=(), metadata=MOVES)
    flat: bool = False
    """``at`` is a y, and the intervals lie"""


@dataclass(frozen=True)
class Band(Mark):
    """The area between ``low`` and ``high`` over ``x``."""

    x: Numbers = field(default=(), metadata=MOVES)
    low: Numbers = field(default=(), metadata=MOVES)
    high: Numbers = field(default=(), metadata=MOVES)
    _: KW_ONLY
    opacity: float = 0.2


@dataclass(frozen=True)
class Arrows(Placed):
    """Arrows from ``x, y`` to ``x + dx, y + dy``."""

    dx: Numbers = field(default=(), metadata=MOVES)
    dy: Numbers = field(default=(), metadata=MOVES)
    _: KW_ONLY
    dash: str | tuple[float, ...] = "-"
    width: float = 2.0


@dataclass(frozen=True)
class Rules(Mark):
    """Lines across the whole panel: upright at each ``at``; ``flat``: lying."""

    at: Numbers = field(default=(), metadata=MOVES)
    _: KW_ONLY
    dash: str | tuple[float, ...] = "-"
    width: float = 1.0
    flat: bool = False


@dataclass(frozen=True)
class Heat(Mark):
    """Shades over the whole panel, from the page's colour (low) to ``color`` (high).

    ``values`` is ``(rows, columns)``, its first row at the axis' low end. With ``steps`` the shades
    are bands between these values, parted by thin lines; the legend shows ``label`` and the bands.
    """

    values: np.ndarray = field(default=None, metadata=MOVES)
    _: KW_ONLY
    low: float = 0.0
    high: float = 1.0
    steps: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    """of the first and the last of ``steps``, or of ``low`` and ``high`` where there are none"""
    opacity: float = 0.5
    smooth: bool = True


@dataclass(frozen=True)
class Images(Placed):
    """Drawings, each ``wide × tall`` in the axes' units and centred on its ``x, y``.

    ``pixels`` is ``(number, height, width)`` of uint8: 0 clear, 255 ink of the colour ``colors``.
    ``edges`` frames each in a colour (``""``: no frame), dashed where ``dashed`` says so.
    """

    pixels: np.ndarray = field(default=None, metadata=MOVES)
    _: KW_ONLY
    colors: Sequence[str] = field(default=(), metadata=MOVES)
    edges: Sequence[str] = field(default=(), metadata=MOVES)
    dashed: Sequence[bool] = field(default=(), metadata=MOVES)
    texts: Sequence[str] = field(default=(), metadata=MOVES)
    fades: Numbers = field(default=(), metadata=MOVES)
    """opacity of each one's ink, 0 … 1; without it all are as dark as their pixels"""
    wide: float = 1.0
    tall: float = 1.0


@dataclass(frozen=True)
class Boxes(Placed):
    """Rectangles centred on ``x, y``: cells of a grid, cards, frames."""

    _: KW_ONLY
    fills: Sequence[str] = field(default=(), metadata=MOVES)
    """``""``: empty"""
    edges: Sequence[str] = field(default=(), metadata=MOVES)
    dashed: Sequence[bool] = field(default=(), metadata=MOVES)
    texts: Sequence[str] = field(default=(), metadata=MOVES)
    """what the pointer reads"""
    wide: float = 1.0
    tall: float = 1.0


@dataclass(frozen=True)
class Texts(Placed):
    """Words at ``x, y``."""

    texts: Sequence[str] = field(default=(), metadata=MOVES)
    _: KW_ONLY
    colors: Sequence[str] = field(default=(), metadata=MOVES)
    size: float = 12.0
    anchor: str = "middle"
    """``start``, ``middle`` or ``end``"""
    bold: bool = False


@dataclass(frozen=True)
class Panel:
    """A chart: two axes, and marks from the lowest to the topmost."""

    key: str
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    _: KW_ONLY
    title: str = ""
    alt: str = ""
    """what it shows, in a few words, for those who cannot see it"""
    width: int = 400
    """in CSS pixels, with axes; on a narrower page it shrinks, its height in proportion"""
    height: int = 320
    square: bool = False
    """one unit of x is as long as one of y"""
    grid: bool = True
    bare: bool = False
    """no axes at all: a board of drawings"""
    click: str = ""
    """what a click on empty ground does, to be spoken: "Add a point"; without it, nothing"""
    click_along: str = ""
    """the key of the line on which the clicked point will lie"""


@dataclass(frozen=True)
class Table:
    """A table beside the panels. Each row begins with a swatch in its colour of ``swatches``."""

    key: str
    head: tuple[str, ...] = ()
    rows: Sequence[Sequence[str]] = field(default=(), metadata=MOVES)
    _: KW_ONLY
    swatches: Sequence[str] = field(default=(), metadata=MOVES)
    caption: str = ""


@dataclass(frozen=True)
class Pad:
    """Paper to draw on, with Undo, Clear and Example below it."""

    key: str
    heading: str
    _: KW_ONLY
    letter: str = ""
    color: str = "ink"
    size: int = 150
    strokes: Sequence[Sequence[tuple[float, float]]] = field(default=(), metadata=MOVES)
    """points from 0 to 1, from the top left"""
    example: np.ndarray | None = field(default=None, metadata=MOVES)
    """``(height, width)`` uint8, shown while there are no strokes"""
    description: Sequence[str] = field(default=(), metadata=MOVES)
    """one sentence on what is drawn"""


@dataclass(frozen=True)
class Slider:
    """A number, or one of ``stops``."""

    name: str
    label: str
    value: float
    low: float = 0
    high: float = 1
    step: float = 1
    _: KW_ONLY
    log: bool = False
    """``low``, ``high`` and ``step`` are powers of ten of the value"""
    stops: tuple[float | str, ...] = ()
    """the only values; then the slider walks over their places"""
    texts: tuple[str, ...] = ()
    """what the read-out says at each stop, or at each step"""
    digits: int = 3
    """significant digits of the read-out"""
    unit: str = ""
    play: int = 0
    """milliseconds between two steps of its Play button; 0: it has none"""
    help: str = ""
    beside: str = ""
    """the key of a panel, table or pad that it stands below; ``""``: below all of them"""


@dataclass(frozen=True)
class Choice:
    """One of a few: buttons in a row, or a ``menu``."""

    name: str
    label: str
    value: str
    options: tuple[str, ...]
    _: KW_ONLY
    menu: bool = False
    help: str = ""
    beside: str = ""


@dataclass(frozen=True)
class Switch:
    """On or off."""

    name: str
    label: str
    value: bool
    _: KW_ONLY
    help: str = ""
    group: str = ""
    """switches of a group stand together under its name"""
    beside: str = ""


@dataclass(frozen=True)
class Button:
    """A press does something."""

    name: str
    label: str
    _: KW_ONLY
    enabled: bool = True
    primary: bool = False
    help: str = ""
    beside: str = ""


Control = Slider | Choice | Switch | Button


@dataclass(frozen=True)
class Try:
    """A suggestion: a state to set, and what to look at there."""

    label: str
    look: str
    _: KW_ONLY
    values: dict[str, Any] = field(default_factory=dict)
    """controls to set first"""
    press: str = ""
    """what to `press` after that: the name of a method of the widget or of its model"""


@dataclass(frozen=True)
class Scene:
    """All that is to be seen. The order of panels and controls is that of the page."""

    panels: tuple[Panel | Table | Pad, ...]
    controls: tuple[Control, ...] = ()
    tries: tuple[Try, ...] = ()
    _: KW_ONLY
    sentence: str = ""
    """what it shows now, in numbers; spoken when it changes"""
    note: str = ""
    """smaller, below the sentence"""
    code: str = ""
    """the line of Python that makes this state again"""

    def marks(self) -> Iterator[Mark | Table | Pad]:
        for panel in self.panels:
            yield from panel.marks if isinstance(panel, Panel) else (panel,)

    def __post_init__(self) -> None:
        keys = [part.key for part in self.marks()] + [panel.key for panel in self.panels
                if isinstance(panel, Panel)]  # fmt: skip
        names = [control.name for control in self.controls]
        for kind, given in (("key", keys), ("name", names)):
            double = sorted({one for one in given if given.count(one) > 1})
            if double:
                raise ValueError(f"the {kind} {double[0]!r} is used twice in a scene")


def top_down(names: Sequence[str], label: str = "") -> Axis:
    """An axis of lines of text, the first at the top: line ``n`` of ``N`` is at ``N - 1 - n``."""
    places = tuple(range(len(names) - 1, -1, -1))
    return Axis(-0.6, len(names) - 0.4, label, ticks=places, names=tuple(names))


def solid(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """``color`` and ``marker`` of learners' lines, where a dash tells something else."""
    return {name: {"color": one.color, "marker": one.marker} for name, one in chosen(names).items()}


def dashed(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """``color``, ``marker`` and ``dash`` of learners' lines."""
    return {
        name: {
            "color": one.color,
            "marker": one.marker,
            "dash": one.dash[1] if isinstance(one.dash, tuple) else one.dash,
        }
        for name, one in chosen(names).items()
    }


# --- on the way to the page -----------------------------------------------------------------


def look(scene: Scene) -> dict[str, Any]:
    """All that stays while only numbers move, as JSON: see `data` for the rest."""
    panels = [_look(panel) for panel in scene.panels]
    for panel, of in zip(panels, scene.panels, strict=True):
        if isinstance(of, Panel):
            panel["marks"] = [_look(mark) for mark in of.marks]
    return {
        "panels": panels,
        "controls": [_look(control, but=("value", "enabled")) for control in scene.controls],
        "tries": [_look(one) for one in scene.tries],
    }


def _look(part: Any, but: Sequence[str] = ()) -> dict[str, Any]:
    said = {"kind": type(part).__name__}
    for name in _names(type(part), moves=False):
        if name not in but and name != "marks":
            value = getattr(part, name)
            said[name] = dict(vars(value)) if isinstance(value, Axis | Drag) else value
    return said


@cache
def _names(kind: type, moves: bool) -> tuple[str, ...]:
    """The fields that are columns, or those that are not."""
    return tuple(
        one.name for one in dataclasses.fields(kind) if one.metadata.get("moves", False) == moves
    )


def data(scene: Scene) -> tuple[dict[str, dict], dict[str, dict]]:
    """What moves, and what seldom does: by mark the columns that are not empty."""
    moving: dict[str, dict] = {}
    fixed: dict[str, dict] = {}
    limits = {
        mark.key: panel
        for panel in scene.panels
        if isinstance(panel, Panel)
        for mark in panel.marks
    }
    for mark in scene.marks():
        for name in _names(type(mark), moves=True):
            value = getattr(mark, name)
            if value is None or len(value) == 0:
                continue
            at = fixed if name in getattr(mark, "fixed", ()) else moving
            at.setdefault(mark.key, {})[name] = _column(value, limits.get(mark.key))
    return moving, fixed


def _column(value: Any, panel: Panel | None) -> Any:
    if isinstance(value, np.ndarray) and value.ndim > 1:
        if value.dtype == np.uint8:
            return {"shape": list(value.shape), "bytes": value.tobytes()}
        bounded = np.nan_to_num(value.astype("<f4"), nan=0, posinf=3e38, neginf=-3e38)
        return {"shape": list(value.shape), "floats": bounded.tobytes()}
    if panel is None or isinstance(value[0], str | bool | np.bool_):
        return [_plain(one) for one in value]
    return numbers(value, panel)


def _plain(one: Any) -> Any:
    if isinstance(one, np.generic):
        return one.item()
    return [_plain(part) for part in one] if isinstance(one, list | tuple) else one


def numbers(values: Numbers, panel: Panel) -> list[float | None]:
    """Rounded to five digits, within ten times the panel's range; ``None`` where there is none."""
    values = np.asarray(values, float)
    far = 10 * max(abs(end) for axis in (panel.x, panel.y) for end in (axis.low, axis.high))
    values = np.clip(values, -far, far)
    scale = 10.0 ** (4 - np.floor(np.log10(np.maximum(np.abs(values), 1e-99))))
    rounded = np.round(values * scale) / scale
    return [None if one != one else one for one in rounded.tolist()]
