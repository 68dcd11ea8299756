"""Still: a scene as a picture that stays in the notebook, drawn by matplotlib.

`strip` shows some scenes side by side, as a filmstrip; `draw` shows one scene. matplotlib is
imported when one of them is called, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from metalearn_lite.figures import COLORS, PAGE
from metalearn_lite.widgets.kit import scene as scenes
from metalearn_lite.widgets.kit.scene import Axis, Heat, Mark, Pad, Panel, Scene, Spans, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Part = Panel | Table | Pad

DPI = 100
WIDEST = 10.5
"""inches that fit a notebook's page"""
NARROWEST = 2.3
ROW = 0.22
"""inches of a row of the legend"""
POINT = 0.8
"""points for one CSS pixel: a strip is read smaller than it was made"""
FONT, SMALL = 11, 10


class Cell(NamedTuple):
    """One place of a figure: what stands there, and what is written above it."""

    part: Part
    title: str


def draw(scene: Scene, *keys: str) -> Figure:
    """One scene: its panels, or those of ``keys``, side by side, with one legend."""
    cells = [Cell(part, _title(part)) for part in _parts(scene, keys)]
    across = max(1, int(WIDEST // max(_inches(cell.part)[0] for cell in cells)))
    return _figure(_blocks(cells, across))


def strip(
    scenes: Sequence[Scene],
    titles: Sequence[str],
    panels: Sequence[str] = (),
    *,
    end: Sequence[str] = (),
    down: bool = False,
    columns: int = 0,
    size: tuple[float, float] | None = None,
) -> Figure:
    """A column for each scene, with its title above and ``panels`` below one another.

    Args:
        panels: their keys; by default all.
        end: keys of panels that stand at the right, of the last scene alone.
        down: a row for each scene instead, ``panels`` side by side.
        columns: begin a new row after so many scenes.
        size: inches of each panel; by default they follow from the panels.
    """
    films = [
        [Cell(part, "" if place else title) for place, part in enumerate(parts)]
        for scene, title in zip(scenes, titles, strict=True)
        for parts in [[part for part in _parts(scene, panels) if part.key not in end]]
    ]
    ends = [Cell(part, _title(part)) for part in _parts(scenes[-1], end)] if end else []
    if down:
        first = [Cell(part, title or _title(part)) for part, title in films[0]]
        return _figure([first, *films[1:]], ends, size)
    blocks = _blocks(films, columns or len(films))
    rows = [list(row) for block in blocks for row in zip(*block, strict=True)]
    return _figure(rows if len(rows) == len(blocks) else _named(rows), ends, size)


def paint(part: Part, axes: Axes, *, title: str = "", inner: Sequence[str] = ()) -> None:
    """Draws a panel, a table or a pad. On ``inner`` axes (``"x"``, ``"y"``) nothing is written."""
    axes.set_title(title, fontsize=FONT, color=_color("ink"))
    {Panel: _panel, Table: _table, Pad: _pad}[type(part)](part, axes)
    for name in inner:
        axes.set(**{f"{name}label": ""})
        axes.tick_params(axis=name, which="both", labelbottom=name == "y", labelleft=name == "x")


# --- where things stand -----------------------------------------------------------------------


def _parts(scene: Scene, keys: Sequence[str]) -> list[Part]:
    parts = {part.key: part for part in scene.panels}
    if missing := [key for key in keys if key not in parts]:
        raise ValueError(f"no panel {missing[0]!r}: there are {list(parts)}")
    return [parts[key] for key in keys or parts]


def _blocks(whole: list, number: int) -> list[list]:
    return [whole[first : first + number] for first in range(0, len(whole), number)]


def _title(part: Part) -> str:
    return getattr(part, {Panel: "title", Table: "caption", Pad: "heading"}[type(part)])


def _inches(part: Part) -> tuple[float, float]:
    if isinstance(part, Table):
        longest = max((len("   ".join(row)) for row in [part.head, *part.rows]), default=0)
        return 0.4 + 0.09 * longest, 0.3 + 0.25 * (len(part.rows) + bool(part.head))
    wide, tall = (part.size,) * 2 if isinstance(part, Pad) else (part.width, part.height)
    return wide / DPI, tall / DPI


def _named(rows: list[list[Cell]]) -> list[list[Cell]]:
    """A title that all panels of a row share stands at its left, if that is so in each row."""
    alike = all(len({_title(cell.part) for cell in row}) == 1 < len(row) for row in rows)
    return [[_left(row[0]), *row[1:]] if alike else [*map(_above, row)] for row in rows]


def _left(cell: Cell) -> Cell:
    part, title = cell
    if not isinstance(part, Panel):
        return _above(cell)
    y = replace(part.y, label=f"{part.title}\n{part.y.label}".strip())
    return Cell(replace(part, y=y), title)


def _above(cell: Cell) -> Cell:
    return Cell(cell.part, f"{cell.title}\n{_title(cell.part)}".strip())


def _figure(
    rows: list[list[Cell]], end: Sequence[Cell] = (), size: tuple[float, float] | None = None
) -> Figure:
    import matplotlib.pyplot as plt
    from matplotlib.legend import Legend

    number = max(map(len, rows))
    widths, heights = _sizes(rows, end)
    if size:
        widths[:number], heights = [size[0]] * number, [size[1]] * len(rows)
    cells = [cell for row in [*rows, end] for cell in row]
    legend = _legend([cell.part for cell in cells], sum(widths))
    below = ROW * len(legend) + 0.1
    tall = sum(heights) + 0.3 + below
    # Only a figure made by pyplot is shown by a notebook; it is closed, so that it is shown where
    # it is the result of a cell and not once more by itself.
    figure = plt.figure(figsize=(sum(widths), tall), dpi=DPI, facecolor=_color("paper"))
    plt.close(figure)
    room = {"rect": (0, below / tall, 1, 1 - below / tall), "w_pad": 0.07, "h_pad": 0.05}
    figure.set_layout_engine("constrained", **room)
    grid = figure.add_gridspec(len(rows), len(widths), width_ratios=widths, height_ratios=heights)
    for i, row in enumerate(rows):
        for j, (part, title) in enumerate(row):
            under = rows[i + 1][j].part if i + 1 < len(rows) and j < len(rows[i + 1]) else None
            others = {"x": under, "y": row[j - 1].part if j else None}
            inner = [name for name, other in others.items() if _share(part, other, name)]
            paint(part, figure.add_subplot(grid[i, j]), title=title, inner=inner)
    if end:
        for place, (part, title) in zip(grid[:, -1].subgridspec(len(end), 1), end, strict=True):
            paint(part, figure.add_subplot(place), title=title)
    look = {"fontsize": SMALL, "columnspacing": 1.5, "handlelength": 2, "frameon": False}
    for place, row in enumerate(legend):
        names = [handle.get_label() for handle in row]
        own = {handle: handle for handle in row if isinstance(handle, Shades)}
        at = {"loc": "upper center", "bbox_to_anchor": (0.5, ROW * (len(legend) - place) / tall)}
        at |= {"borderpad": 0, "borderaxespad": 0, "labelcolor": _color("ink")}
        figure.add_artist(Legend(figure, row, names, ncols=len(row), handler_map=own, **at, **look))
    return figure


def _sizes(rows: list[list[Cell]], end: Sequence[Cell]) -> tuple[list[float], list[float]]:
    """Inches of each column (that of ``end`` comes last) and of each row."""
    number = max(map(len, rows))
    full = [max(_inches(row[j].part)[0] for row in rows if j < len(row)) for j in range(number)]
    last = [max(min(_inches(cell.part)[0], 3.4) for cell in end)] if end else []
    shrink = min(1, (WIDEST - sum(last)) / sum(full))
    widths = [max(width * shrink, min(width, NARROWEST)) for width in full]
    heights = [
        max(_tall(cell.part, width, len(rows)) for cell, width in zip(row, widths, strict=False))
        for row in rows
    ]
    return widths + last, heights


def _tall(part: Part, width: float, number: int) -> float:
    """Inches of a row, of which there are ``number``, for a part that is as wide as this."""
    wide, tall = _inches(part)
    if isinstance(part, Table):
        return tall
    shrunk = min(1, width / wide)
    if isinstance(part, Pad) or part.bare:
        return tall * shrunk
    if part.square:
        rise, run = (abs(axis.high - axis.low) for axis in (part.y, part.x))
        return min(tall, (width - 0.35) * rise / run + 0.1 + 0.35 / number)
    # Numbers and labels need as much room as before.
    return tall * shrunk ** (0.5 if number == 1 else 0.8)


def _share(part: Part, other: Part | None, name: str) -> bool:
    """Whether two neighbours have the same axis, so that one of them can say what it is."""
    if not (isinstance(part, Panel) and isinstance(other, Panel)) or part.bare or other.bare:
        return False
    return replace(getattr(part, name), label="") == replace(getattr(other, name), label="")


# --- the legend -------------------------------------------------------------------------------


def _legend(parts: Sequence[Part], width: float) -> list[list[Any]]:
    """For each label, in each colour, how its first mark looks: in rows of about one length."""
    seen: dict[tuple[str, str], Any] = {}
    for part in parts:
        for mark in part.marks if isinstance(part, Panel) else ():
            if mark.label and mark.listed:
                seen.setdefault((mark.label, mark.color), _handle(mark))
    widths = [_room(handle) for handle in seen.values()]
    number = -(-sum(widths) // width)
    rows, used = [], 0.0
    for handle, needed in zip(seen.values(), widths, strict=True):
        if not rows or used + needed > min(width, sum(widths) / number + max(widths) / 2):
            rows, used = [*rows, []], 0.0
        rows[-1].append(handle)
        used += needed
    return rows


def _room(handle: Any) -> float:
    """Inches of an entry of the legend."""
    shades = len(handle.shades) if isinstance(handle, Shades) else 2
    return 0.35 + 0.16 * shades + 0.083 * len(handle.get_label())


def _handle(mark: Mark) -> Any:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    kind, color = type(mark), _color(mark.color)
    style: dict[str, Any] = {"color": color, "label": mark.label, "alpha": mark.opacity}
    if kind is Heat:
        return Shades(mark)
    if kind is scenes.Points:
        faces, edges = _faces(mark, mark.marker, [color])
        style |= {"markerfacecolor": faces[0], "markeredgecolor": edges[0]}
        style |= {"markersize": min(mark.size, 12) * POINT, "linestyle": ""}
        return Line2D([], [], marker=mark.marker, **style)
    if kind is Spans:
        dash = "-" if mark.flat else ""
        return Line2D([], [], linestyle=dash, linewidth=1.5, marker="|", **style)
    if kind in (scenes.Line, scenes.Rules, scenes.Arrows) and not getattr(mark, "fill", 0):
        marker = ">" if kind is scenes.Arrows else getattr(mark, "marker", "")
        size = 4 + mark.width * POINT
        return Line2D([], [], marker=marker, markersize=size, **style, **_stroke(mark))
    if kind is scenes.Boxes and not any(mark.fills):
        edge = _color(next(filter(None, mark.edges), mark.color))
        dash = "--" if any(mark.dashed) else "-"
        return Patch(facecolor="none", edgecolor=edge, linestyle=dash, label=mark.label)
    return Patch(**style | {"alpha": mark.opacity * (getattr(mark, "fill", 0) or 1)})


class Shades:
    """The shades of a heat map in a row. In matplotlib's legend it is its own handler."""

    def __init__(self, mark: Heat):
        number = len(mark.steps) + 1 if mark.steps else 6
        self.shades = [_shade(mark, place) for place in np.linspace(0, 1, number)]
        self._label = f"{mark.label} {' to '.join(mark.names)}".strip()

    def get_label(self) -> str:
        return self._label

    def legend_artist(self, legend: Any, handle: Any, fontsize: float, box: Any) -> None:
        from matplotlib.patches import Rectangle

        side, edge = 1.2 * fontsize, {"edgecolor": _color("gray"), "linewidth": 0.5}
        box.width = side * len(self.shades)
        for place, shade in enumerate(self.shades):
            corner = Rectangle((place * side, -1), side, box.height + 2, facecolor=shade, **edge)
            corner.set_transform(box.get_transform())
            box.add_artist(corner)


# --- panels, tables and pads ------------------------------------------------------------------


def _panel(panel: Panel, axes: Axes) -> None:
    axes.set_facecolor(_color("paper"))
    for name in ("x", "y"):
        _axis(getattr(panel, name), name, axes)
    axes.grid(visible=False)
    if panel.grid and not panel.bare:
        axes.grid(color=_color("faint"), linewidth=0.8, alpha=1)
    axes.set_axisbelow(True)
    axes.spines[:].set_color(_color("gray"))
    if panel.bare:
        axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(not panel.bare)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_aspect("equal" if panel.square else "auto")
    for order, mark in enumerate(panel.marks):
        if _count(mark):
            DRAWN[type(mark)](mark, axes, {"zorder": 3 + 0.01 * order, "alpha": mark.opacity})
            if isinstance(mark, scenes.Bars):
                _bar_texts(mark, axes, [one for one in panel.marks if isinstance(one, Spans)])


def _axis(axis: Axis, name: str, axes: Axes) -> None:
    from matplotlib.ticker import LogLocator

    getattr(axes, f"set_{name}label")(axis.label, fontsize=SMALL, color=_color("ink"))
    getattr(axes, f"set_{name}scale")("log" if axis.log else "linear")
    axes.set(**{f"{name}lim": (axis.low, axis.high)})
    axes.tick_params(axis=name, which="both", labelsize=SMALL, color=_color("faint"))
    axes.tick_params(axis=name, which="both", labelcolor=_color("ink"))
    if axis.ticks is not None:
        plain = [f"{tick:g}".replace("-", "−") for tick in axis.ticks]
        names = plain if axis.names is None else axis.names
        names = [fill(one, 16) for one in names]
        getattr(axes, f"set_{name}ticks")(axis.ticks, names)
        getattr(axes, f"set_{name}ticks")([], minor=True)
    elif not axis.log:
        axes.locator_params(axis=name, nbins=6, steps=[1, 2, 5, 10])
    else:
        ticks, (low, high) = getattr(axes, f"{name}axis"), sorted((axis.low, axis.high))
        ticks.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
        ticks.set_minor_formatter("")
        if low >= 1e-4 and high <= 1e5:
            ticks.set_major_formatter("{x:g}")


def _table(table: Table, axes: Axes) -> None:
    axes.axis("off")
    if not len(table.rows):
        return
    swatches, head = list(table.swatches), bool(table.head)
    rows = [[""] * bool(swatches) + list(row) for row in table.rows]
    names = [""] * bool(swatches) + list(table.head) if head else None
    place = {"cellLoc": "left", "loc": "upper center", "edges": "horizontal"}
    drawn = axes.table(cellText=rows, colLabels=names, **place)
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(SMALL)
    drawn.auto_set_column_width(range(len(rows[0])))
    for (row, column), cell in drawn.get_celld().items():
        cell.set_edgecolor(_color("faint"))
        cell.set_text_props(color=_color("ink"), weight="bold" if row < head else "normal")
        if swatches and column == 0 and row >= head:
            color = swatches[row - head]
            cell.get_text().set(text="■" if color else "", color=_color(color or "paper"))


def _pad(pad: Pad, axes: Axes) -> None:
    axes.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set(visible=True, color=_color("gray"))
    axes.grid(visible=False)
    color = _color(pad.color)
    if len(pad.strokes) == 0 and pad.example is not None:
        axes.imshow(_rgba(pad.example, color, 0.5), extent=(0, 1, 1, 0))
    for stroke in pad.strokes:
        x, y = np.asarray(stroke, float).T
        dot = "o" if len(x) == 1 else ""
        axes.plot(x, y, dot + "-", color=color, linewidth=3, solid_capstyle="round", markersize=3)
    ink = {"fontsize": SMALL, "color": _color("ink")}
    axes.text(0.04, 0.04, pad.letter, va="top", weight="bold", **ink)
    axes.set_xlabel("\n".join(pad.description), **ink)


# --- marks ------------------------------------------------------------------------------------


def _color(name: str) -> str:
    """``""``: none at all."""
    if not name:
        return "none"
    return PAGE[name][0] if name in PAGE else COLORS[name]


def _count(mark: Mark) -> int:
    values = getattr(mark, {Heat: "values", Spans: "at", scenes.Rules: "at"}.get(type(mark), "x"))
    return 0 if values is None else len(values)


def _colors(mark: Any) -> np.ndarray:
    """The colour of each element: its own, or that of its mark."""
    names = list(mark.colors) or [mark.color] * _count(mark)
    return np.array([_color(name) for name in names], object)


def _floats(mark: Any, *names: str) -> list[np.ndarray]:
    return [np.asarray(getattr(mark, name), float) for name in names]


def _inside(axes: Axes, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What lies outside of the axes is not drawn; what lies on their edge is, whole."""
    within = np.ones(np.shape(x), bool)
    for values, ends in ((x, axes.get_xlim()), (y, axes.get_ylim())):
        slack = 1e-6 * abs(ends[1] - ends[0])
        within &= (values >= min(ends) - slack) & (values <= max(ends) + slack)
    return within


def _stroke(mark: Any) -> dict[str, Any]:
    dash = mark.dash if isinstance(mark.dash, str) else (0, tuple(mark.dash))
    return {"linestyle": dash, "linewidth": mark.width * POINT}


def _faces(mark: Any, marker: str, colors: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Insides and edges of points."""
    if marker in "+x|":
        return colors, colors
    faces = [_color("paper")] * len(colors) if mark.hollow else colors
    return faces, [_color(mark.edge)] * len(colors) if mark.edge else colors


def _line(mark: scenes.Line, axes: Axes, style: dict) -> None:
    color, (x, y) = _color(mark.color), _floats(mark, "x", "y")
    if mark.fill:
        axes.fill(x, y, color=color, **style | {"alpha": mark.fill * mark.opacity})
    axes.plot(x, y, color=color, **_stroke(mark), **style)
    if mark.marker:
        x, y = (values[mark.every[0] :: mark.every[1]] for values in (x, y))
        at, size = _inside(axes, x, y), (4 + 2 * mark.width) * POINT
        style |= {"linestyle": "", "marker": mark.marker, "markersize": size, "clip_on": False}
        axes.plot(x[at], y[at], color=color, **style)


def _points(mark: scenes.Points, axes: Axes, style: dict) -> None:
    x, y = _floats(mark, "x", "y")
    markers = np.array(list(mark.markers) or [mark.marker] * len(x), object)
    style |= {"s": (mark.size * POINT) ** 2, "linewidths": 1.2, "clip_on": False}
    for marker in dict.fromkeys(markers):
        at = (markers == marker) & _inside(axes, x, y)
        faces, edges = _faces(mark, marker, _colors(mark)[at])
        ink = {} if marker in "+x|" else {"edgecolors": edges}
        axes.scatter(x[at], y[at], marker=marker, facecolors=faces, **ink, **style)


def _bars(mark: scenes.Bars, axes: Axes, style: dict) -> None:
    x, y = _floats(mark, "x", "y")
    if mark.flat:
        axes.barh(y, x - mark.base, mark.thick, left=mark.base, color=_colors(mark), **style)
    else:
        axes.bar(x, y - mark.base, mark.thick, bottom=mark.base, color=_colors(mark), **style)


def _bar_texts(mark: scenes.Bars, axes: Axes, spans: Sequence[Spans]) -> None:
    """At the end of each bar, or of the interval that stands there."""
    for x, y, text in zip(*_floats(mark, "x", "y"), mark.texts, strict=False):
        at, end = (y, x) if mark.flat else (x, y)
        back = end < mark.base
        for span in spans:
            here = np.asarray(span.at) == at if span.flat == mark.flat else np.zeros(0, bool)
            for stop in np.asarray(span.low if back else span.high)[here] if here.any() else ():
                end = min(end, stop) if back else max(end, stop)
        away, ink = (-4 if back else 4), {"fontsize": SMALL, "color": _color("ink")}
        ink |= {"textcoords": "offset points", "annotation_clip": False}
        if mark.flat:
            ink |= {"ha": "right" if back else "left", "va": "center"}
            axes.annotate(text, (end, at), (away, 0), **ink)
        else:
            ink |= {"ha": "center", "va": "top" if back else "bottom"}
            axes.annotate(text, (at, end), (0, away), **ink)


def _spans(mark: Spans, axes: Axes, style: dict) -> None:
    at, low, high = _floats(mark, "at", "low", "high")
    colors = _colors(mark)
    (axes.hlines if mark.flat else axes.vlines)(at, low, high, colors, linewidths=1.5, **style)
    for ends in (low, high):
        x, y = (ends, at) if mark.flat else (at, ends)
        axes.scatter(x, y, c=colors, marker="|" if mark.flat else "_", s=30, **style)


def _band(mark: scenes.Band, axes: Axes, style: dict) -> None:
    x, low, high = _floats(mark, "x", "low", "high")
    at = np.isfinite(low + high)
    axes.fill_between(x, low, high, where=at, color=_color(mark.color), linewidth=0, **style)


def _arrows(mark: scenes.Arrows, axes: Axes, style: dict) -> None:
    from matplotlib.patches import FancyArrowPatch

    head = 6 + 3 * mark.width * POINT
    style |= {"arrowstyle": "-|>", "mutation_scale": head, "shrinkA": 0, "shrinkB": 0}
    style |= {"joinstyle": "miter"}
    for x, y, dx, dy in zip(*_floats(mark, "x", "y", "dx", "dy"), strict=True):
        if dx or dy:
            ends = (x, y), (x + dx, y + dy)
            arrow = FancyArrowPatch(*ends, color=_color(mark.color), **_stroke(mark), **style)
            axes.add_patch(arrow)


def _rules(mark: scenes.Rules, axes: Axes, style: dict) -> None:
    for at in _floats(mark, "at")[0]:
        rule = axes.axhline if mark.flat else axes.axvline
        rule(at, color=_color(mark.color), **_stroke(mark), **style)


def _shade(mark: Heat, place: float) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return (*to_rgb(_color(mark.color)), place * mark.opacity)


def _heat(mark: Heat, axes: Axes, style: dict) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    rows, columns = mark.values.shape
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    order = {"zorder": style["zorder"]}
    if mark.steps:
        along = np.linspace(left, right, columns), np.linspace(low, high, rows)
        bands = [_shade(mark, place) for place in np.linspace(0, 1, len(mark.steps) + 1)]
        ends = mark.values.min() - 1, mark.values.max() + 1  # bands have two sides
        levels = [min(ends[0], mark.steps[0] - 1), *mark.steps, max(ends[1], mark.steps[-1] + 1)]
        axes.contourf(*along, mark.values, levels, colors=bands, **order)
        order |= {"linewidths": 0.6, "linestyles": "solid", "alpha": min(1, mark.opacity + 0.2)}
        axes.contour(*along, mark.values, levels[1:-1], colors=_color(mark.color), **order)
        return
    # Values that are blended lie on the edges of the panel; else their cells fill it.
    across, up = (right - left) / max(1, columns - 1) / 2, (high - low) / max(1, rows - 1) / 2
    if not mark.smooth:
        across = up = 0
    extent = (left - across, right + across, low - up, high + up)
    shades = LinearSegmentedColormap.from_list("", [_shade(mark, 0), _shade(mark, 1)])
    order |= {"interpolation": "bilinear" if mark.smooth else "nearest", "extent": extent}
    order |= {"cmap": shades, "vmin": mark.low, "vmax": mark.high, "aspect": axes.get_aspect()}
    axes.imshow(mark.values, origin="lower", **order)


def _rgba(pixels: np.ndarray, color: str, opacity: float | np.ndarray) -> np.ndarray:
    from matplotlib.colors import to_rgb

    drawn = np.empty((*pixels.shape, 4))
    drawn[..., :3], drawn[..., 3] = to_rgb(color), pixels / 255 * opacity
    return drawn


def _images(mark: scenes.Images, axes: Axes, style: dict) -> None:
    x, y = _floats(mark, "x", "y")
    fades = list(mark.fades) or [1.0] * len(x)
    right, up = (np.sign(np.diff(ends()))[0] for ends in (axes.get_xlim, axes.get_ylim))
    wide, tall = right * mark.wide / 2, up * mark.tall / 2
    order = {"zorder": style["zorder"], "aspect": axes.get_aspect(), "clip_on": False}
    for n in np.flatnonzero(_inside(axes, x, y)):
        drawn = _rgba(mark.pixels[n], _colors(mark)[n], mark.opacity * fades[n])
        extent = (x[n] - wide, x[n] + wide, y[n] - tall, y[n] + tall)
        axes.imshow(drawn, extent=extent, interpolation="antialiased", **order)
    _cards(mark, [""] * len(x), axes, style)


def _boxes(mark: scenes.Boxes, axes: Axes, style: dict) -> None:
    _cards(mark, list(mark.fills) or [""] * _count(mark), axes, style)


def _cards(mark: Any, fills: Sequence[str], axes: Axes, style: dict) -> None:
    from matplotlib.patches import Rectangle

    x, y = _floats(mark, "x", "y")
    edges, dashed = list(mark.edges) or [""] * len(x), list(mark.dashed) or [False] * len(x)
    for n in np.flatnonzero(_inside(axes, x, y)):
        corner = x[n] - mark.wide / 2, y[n] - mark.tall / 2
        look = {"facecolor": _color(fills[n]), "edgecolor": _color(edges[n]), "linewidth": 1.5}
        look |= {"linestyle": "--" if dashed[n] else "-", "clip_on": False}
        axes.add_patch(Rectangle(corner, mark.wide, mark.tall, **look, **style))


def _texts(mark: scenes.Texts, axes: Axes, style: dict) -> None:
    x, y = _floats(mark, "x", "y")
    style |= {"ha": {"start": "left", "middle": "center", "end": "right"}[mark.anchor]}
    style |= {"va": "center", "weight": "bold" if mark.bold else "normal"}
    for n in np.flatnonzero(_inside(axes, x, y)):
        ink = {"color": _colors(mark)[n], "fontsize": mark.size * POINT}
        axes.text(x[n], y[n], mark.texts[n], **ink, **style)


DRAWN = {
    scenes.Line: _line,
    scenes.Points: _points,
    scenes.Bars: _bars,
    scenes.Spans: _spans,
    scenes.Band: _band,
    scenes.Arrows: _arrows,
    scenes.Rules: _rules,
    scenes.Heat: _heat,
    scenes.Images: _images,
    scenes.Boxes: _boxes,
    scenes.Texts: _texts,
}
