"""Still: a scene as a picture that stays in the notebook, drawn by matplotlib.

`strip` shows some scenes side by side, as a filmstrip; `draw` shows one scene. Only here, and only
when one of them is called, is matplotlib imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from metalearn_lite.figures import COLORS, PAGE
from metalearn_lite.widgets.kit.scene import (
    Arrows,
    Axis,
    Band,
    Bars,
    Boxes,
    Heat,
    Images,
    Line,
    Mark,
    Pad,
    Panel,
    Points,
    Rules,
    Scene,
    Spans,
    Table,
    Texts,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Part = Panel | Table | Pad

DPI = 100
WIDEST = 10.5
"""inches that fit a notebook's page"""
NARROWEST = 2.3
POINT = 0.8
"""points for one CSS pixel: a strip is read smaller than it was made"""
FONT, SMALL = 11, 10
ROW = 0.22
"""inches of a row of the legend"""
INK, PAPER, FAINT = (PAGE[name][0] for name in ("ink", "paper", "faint"))
EMPTY = "", "none"


class Cell(NamedTuple):
    """One place of a figure: what stands there, and what is written above it."""

    part: Part
    title: str


def draw(scene: Scene, *keys: str, size: tuple[float, float] | None = None) -> Figure:
    """One scene: its panels, or those of ``keys``, side by side, with one legend.

    Args:
        size: inches of each panel; by default they follow from the panels.
    """
    parts = [_part(scene, key) for key in keys] or list(scene.panels)
    across = max(1, int(WIDEST // max(_inches(part)[0] for part in parts)))
    cells = [Cell(part, _title(part)) for part in parts]
    return _figure(_blocks(cells, across), size=size)


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
    keys = list(panels) or [part.key for part in scenes[0].panels if part.key not in end]
    films = [
        [Cell(_part(scene, key), "" if place else title) for place, key in enumerate(keys)]
        for scene, title in zip(scenes, titles, strict=True)
    ]
    if down:
        above = [Cell(one.part, one.title or _title(one.part)) for one in films[0]]
        return _figure([above, *films[1:]], _ends(scenes[-1], end), size)
    blocks = _blocks(films, columns or len(films))
    rows = [list(row) for block in blocks for row in zip(*block, strict=True)]
    if len(keys) > 1:
        rows = [_named(row) for row in rows]
    return _figure(rows, _ends(scenes[-1], end), size)


def paint(part: Part, axes: Axes, *, title: str = "", inner: Sequence[str] = ()) -> None:
    """Draws a panel, a table or a pad. On ``inner`` axes (``"x"``, ``"y"``) nothing is written."""
    axes.set_title(title, fontsize=FONT, color=INK)
    {Panel: _panel, Table: _table, Pad: _pad}[type(part)](part, axes)
    for name in inner:
        getattr(axes, f"set_{name}label")("")
        axes.tick_params(axis=name, which="both", **{"labelbottom" if name == "x" else "labelleft":
                         False})  # fmt: skip


# --- where things stand -----------------------------------------------------------------------


def _part(scene: Scene, key: str) -> Part:
    for part in scene.panels:
        if part.key == key:
            return part
    raise ValueError(f"no panel {key!r}: there are {[part.key for part in scene.panels]}")


def _blocks(whole: list, number: int) -> list[list]:
    return [whole[first : first + number] for first in range(0, len(whole), number)]


def _title(part: Part) -> str:
    return getattr(part, {Panel: "title", Table: "caption", Pad: "heading"}[type(part)])


def _inches(part: Part) -> tuple[float, float]:
    if isinstance(part, Table):
        longest = max(len("   ".join(map(str, row))) for row in [part.head, *part.rows])
        return 0.4 + 0.09 * longest, 0.3 + 0.25 * (len(part.rows) + bool(part.head))
    sides = (part.size, part.size) if isinstance(part, Pad) else (part.width, part.height)
    return sides[0] / DPI, sides[1] / DPI


def _ends(scene: Scene, keys: Sequence[str]) -> list[Cell]:
    return [Cell(part, _title(part)) for part in (_part(scene, key) for key in keys)]


def _named(row: list[Cell]) -> list[Cell]:
    """The name that all parts of a row share stands at its left, any other above each."""
    names = {_title(cell.part) for cell in row}
    if len(names) == 1 < len(row):
        first = row[0].part
        if isinstance(first, Panel) and first.title:
            label = f"{first.title}\n{first.y.label}".strip()
            y = replace(first.y, label=label)
            return [Cell(replace(first, y=y), row[0].title), *row[1:]]
        return row
    return [Cell(cell.part, "\n".join(filter(None, (cell.title, _title(cell.part)))))
            for cell in row]  # fmt: skip


def _figure(
    rows: list[list[Cell]], end: Sequence[Cell] = (), size: tuple[float, float] | None = None
) -> Figure:
    import matplotlib.pyplot as plt
    from matplotlib.legend import Legend

    number = max(map(len, rows))
    widths, heights = _sizes(rows, end)
    if size:
        widths = [size[0]] * number + widths[number:]
        heights = [size[1]] * len(rows)
    cells = [*(cell for row in rows for cell in row), *end]
    legend = _legend_rows(_handles([cell.part for cell in cells]), sum(widths))
    below = ROW * len(legend) + 0.12
    # Only a figure made by pyplot is shown by a notebook; it is closed, so that it is shown where
    # it is the result of a cell and not once more by itself.
    tall = sum(heights) + 0.3 + below
    figure = plt.figure(figsize=(sum(widths), tall), dpi=DPI, facecolor=PAPER)
    figure.set_layout_engine("constrained", rect=(0, below / tall, 1, 1 - below / tall))
    plt.close(figure)
    grid = figure.add_gridspec(len(rows), len(widths), width_ratios=widths, height_ratios=heights)
    for i, row in enumerate(rows):
        for j, (part, title) in enumerate(row):
            under = rows[i + 1][j].part if i + 1 < len(rows) and j < len(rows[i + 1]) else None
            inner = [
                name
                for name, other in (("x", under), ("y", row[j - 1].part if j else None))
                if _same(part, other, name)
            ]
            paint(part, figure.add_subplot(grid[i, j]), title=title, inner=inner)
    if end:
        places = grid[:, number].subgridspec(len(end), 1)
        for place, (part, title) in zip(places, end, strict=True):
            paint(part, figure.add_subplot(place), title=title)
    for place, row in enumerate(legend):
        figure.add_artist(
            Legend(
                figure,
                row,
                [handle.get_label() for handle in row],
                handler_map={one: one for one in row if isinstance(one, _Shades)},
                loc="upper center",
                bbox_to_anchor=(0.5, ROW * (len(legend) - place) / tall),
                ncols=len(row),
                fontsize=SMALL,
                columnspacing=1.5,
                handlelength=2,
                frameon=False,
                labelcolor=INK,
                borderpad=0,
                borderaxespad=0,
            )
        )
    return figure


def _sizes(rows: list[list[Cell]], end: Sequence[Cell]) -> tuple[list[float], list[float]]:
    """Inches of each column (that of ``end`` comes last) and of each row."""
    number = max(map(len, rows))
    full = [max(_inches(row[j].part)[0] for row in rows if j < len(row)) for j in range(number)]
    last = [max(min(_inches(cell.part)[0], 3.4) for cell in end)] if end else []
    shrink = min(1, (WIDEST - sum(last)) / sum(full))
    widths = [max(width * shrink, min(width, NARROWEST)) for width in full]
    heights = []
    for row in rows:
        tall = []
        for cell, width in zip(row, widths, strict=False):
            wide, high = _inches(cell.part)
            shrunk = min(1, width / wide)
            if isinstance(cell.part, Panel) and not cell.part.square and not cell.part.bare:
                shrunk = shrunk**0.5  # axes and their numbers need as much room as before
            tall.append(high if isinstance(cell.part, Table) else high * shrunk)
        heights.append(max(tall))
    return widths + last, heights


def _same(part: Part, other: Part | None, name: str) -> bool:
    if not (isinstance(part, Panel) and isinstance(other, Panel)) or part.bare or other.bare:
        return False
    one, two = getattr(part, name), getattr(other, name)
    return replace(one, label="") == replace(two, label="")


# --- the legend -------------------------------------------------------------------------------


def _handles(parts: Sequence[Part]) -> list[Any]:
    """For each label, in each colour, how its first mark looks."""
    seen: dict[tuple[str, str], Any] = {}
    for part in parts:
        for mark in part.marks if isinstance(part, Panel) else ():
            if mark.label and mark.listed:
                seen.setdefault((mark.label, mark.color), _handle(mark))
    return list(seen.values())


def _handle(mark: Mark) -> Any:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    color = _color(mark.color)
    style: dict[str, Any] = {"color": color, "label": mark.label, "alpha": mark.opacity}
    if isinstance(mark, Heat):
        return _Shades(mark)
    if isinstance(mark, Points):
        filled = _filled(mark.marker) and not mark.hollow
        edge = _color(mark.edge) if mark.edge else color
        return Line2D([], [], linestyle="", marker=mark.marker, markersize=mark.size * POINT,
                      markerfacecolor=color if filled else PAPER, markeredgecolor=edge,
                      **style)  # fmt: skip
    if isinstance(mark, Spans):
        return Line2D([], [], linestyle="", marker="_" if mark.flat else "|", **style)
    if isinstance(mark, Line | Rules | Arrows) and not getattr(mark, "fill", 0):
        marker = ">" if isinstance(mark, Arrows) else getattr(mark, "marker", "")
        return Line2D([], [], linestyle=_dash(mark.dash), linewidth=mark.width * POINT,
                      marker=marker, markersize=5, **style)  # fmt: skip
    if getattr(mark, "fill", 0):
        style["alpha"] *= mark.fill
    if isinstance(mark, Boxes) and not any(mark.fills):
        edge = next(filter(None, mark.edges), mark.color)
        dashed = any(mark.dashed)
        return Patch(facecolor="none", edgecolor=_color(edge), linestyle="--" if dashed else "-",
                     label=mark.label)  # fmt: skip
    return Patch(**style)


class _Shades:
    """A row of the shades of a heat map; it is its own handler in matplotlib's legend."""

    def __init__(self, mark: Heat):
        self.shades = [
            _shade(mark, place)
            for place in np.linspace(0, 1, len(mark.steps) + 1 if mark.steps else 6)
        ]
        between = ", " if mark.steps else " to "
        self.label = " ".join(filter(None, (mark.label, between.join(mark.names))))

    def get_label(self) -> str:
        return self.label

    def legend_artist(self, legend: Any, handle: Any, fontsize: float, box: Any) -> Any:
        from matplotlib.patches import Rectangle

        side = 1.2 * fontsize
        box.width = side * len(self.shades)
        for place, shade in enumerate(self.shades):
            box.add_artist(
                Rectangle((place * side, -1), side, box.height + 2, facecolor=shade,
                          edgecolor=_color("gray"), linewidth=0.5,
                          transform=box.get_transform()))  # fmt: skip


def _legend_rows(handles: Sequence[Any], width: float) -> list[list[Any]]:
    """As few rows as fit the ``width`` in inches, all of about the same length."""
    widths = [_legend_width(handle) for handle in handles]
    if not handles:
        return []
    number = -(-sum(widths) // width)
    most = min(width, sum(widths) / number + max(widths) / 2)
    rows, used = [[]], 0.0
    for handle, needed in zip(handles, widths, strict=True):
        if rows[-1] and used + needed > most:
            rows, used = [*rows, []], 0.0
        rows[-1].append(handle)
        used += needed
    return rows


def _legend_width(handle: Any) -> float:
    shades = len(handle.shades) if isinstance(handle, _Shades) else 2
    return 0.35 + 0.16 * shades + 0.083 * len(handle.get_label())


# --- parts ------------------------------------------------------------------------------------


def _color(name: str) -> str:
    if name in EMPTY:
        return "none"
    return PAGE[name][0] if name in PAGE else COLORS[name]


def _colors(mark: Any, field: str = "colors") -> list[str]:
    """The colour of each element: its own, or that of its mark."""
    return [_color(name) for name in getattr(mark, field)] or [_color(mark.color)] * _count(mark)


def _count(mark: Mark) -> int:
    values = getattr(mark, {Heat: "values", Spans: "at", Rules: "at"}.get(type(mark), "x"))
    return 0 if values is None else len(values)


def _dash(dash: str | tuple[float, ...]) -> Any:
    return dash if isinstance(dash, str) else (0, dash)


def _filled(marker: str) -> bool:
    return marker not in "+x|"


def _panel(panel: Panel, axes: Axes) -> None:
    axes.set_facecolor(PAPER)
    for name in ("x", "y"):
        _axis(getattr(panel, name), name, axes)
    axes.grid(visible=False)
    if panel.grid and not panel.bare:
        axes.grid(color=FAINT, linewidth=0.8, alpha=1)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if panel.bare:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for order, mark in enumerate(panel.marks):
        if _count(mark):
            DRAWN[type(mark)](mark, axes, {"zorder": 3 + 0.01 * order, "alpha": mark.opacity})
    # What is drawn must not move the axes' ends.
    axes.set(xlim=(panel.x.low, panel.x.high), ylim=(panel.y.low, panel.y.high))
    axes.set_aspect("equal" if panel.square else "auto")


def _axis(axis: Axis, name: str, axes: Axes) -> None:
    getattr(axes, f"set_{name}label")(axis.label, fontsize=FONT, color=INK)
    getattr(axes, f"set_{name}scale")("log" if axis.log else "linear")
    getattr(axes, f"set_{name}lim")(axis.low, axis.high)
    axes.tick_params(axis=name, which="both", labelsize=SMALL, color=FAINT, labelcolor=INK)
    axes.spines[:].set_color(_color("gray"))
    if axis.log:
        getattr(axes, f"{name}axis").set_major_formatter("{x:g}")
    if axis.ticks is None:
        if not axis.log:
            axes.locator_params(axis=name, nbins=6, steps=[1, 2, 5, 10])
        elif 1e-4 <= axis.low < axis.high <= 1e5:
            getattr(axes, f"{name}axis").set_major_formatter("{x:g}")
    else:
        getattr(axes, f"set_{name}ticks")(axis.ticks, axis.names)
        getattr(axes, f"set_{name}ticks")([], minor=True)


def _table(table: Table, axes: Axes) -> None:
    axes.axis("off")
    if not table.rows:
        return
    swatched = bool(len(table.swatches))
    rows = [[""] * swatched + [str(word) for word in row] for row in table.rows]
    drawn = axes.table(
        cellText=rows,
        colLabels=[""] * swatched + list(table.head) if table.head else None,
        cellLoc="left",
        loc="upper center",
        edges="horizontal",
    )
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(SMALL)
    drawn.auto_set_column_width(range(len(rows[0])))
    for (place, column), cell in drawn.get_celld().items():
        cell.set_edgecolor(FAINT)
        cell.set_text_props(color=INK, weight="bold" if table.head and place == 0 else "normal")
        if swatched and column == 0 and place >= bool(table.head):
            cell.get_text().set(text="■", color=_color(table.swatches[place - bool(table.head)]))


def _pad(pad: Pad, axes: Axes) -> None:
    axes.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[])
    axes.set_aspect("equal")
    axes.spines[:].set(visible=True, color=_color("gray"))
    if len(pad.strokes) == 0 and pad.example is not None:
        axes.imshow(_rgba(pad.example, _color(pad.color), 0.5), extent=(0, 1, 1, 0))
    for stroke in pad.strokes:
        x, y = np.asarray(stroke, float).T
        axes.plot(x, y, color=_color(pad.color), linewidth=3, solid_capstyle="round",
                  marker="o" if len(x) == 1 else "", markersize=3)  # fmt: skip
    axes.text(0.04, 0.04, pad.letter, va="top", fontsize=FONT, color=INK, weight="bold")
    axes.set_xlabel("\n".join(pad.description), fontsize=SMALL, color=INK)


# --- marks ------------------------------------------------------------------------------------


def _line(mark: Line, axes: Axes, style: dict) -> None:
    color = _color(mark.color)
    if mark.fill:
        axes.fill(mark.x, mark.y, color=color, **style | {"alpha": mark.fill * mark.opacity})
    axes.plot(mark.x, mark.y, color=color, linestyle=_dash(mark.dash), marker=mark.marker or "",
              linewidth=mark.width * POINT, markevery=mark.every, markersize=5,
              **style)  # fmt: skip


def _points(mark: Points, axes: Axes, style: dict) -> None:
    x, y = np.asarray(mark.x, float), np.asarray(mark.y, float)
    colors = np.array(_colors(mark), object)
    markers = np.array(list(mark.markers) or [mark.marker] * len(x), object)
    for marker in dict.fromkeys(markers):
        at = markers == marker
        if _filled(marker):
            edges = _color(mark.edge) if mark.edge else colors[at].tolist()
            faces = {"facecolors": PAPER if mark.hollow else colors[at].tolist(),
                     "edgecolors": edges}  # fmt: skip
        else:
            faces = {"color": colors[at].tolist()}
        axes.scatter(x[at], y[at], marker=marker, s=(mark.size * POINT) ** 2,
                     linewidths=1.2, **faces, **style)  # fmt: skip


def _bars(mark: Bars, axes: Axes, style: dict) -> None:
    x, y = np.asarray(mark.x, float), np.asarray(mark.y, float)
    at, end = (y, x) if mark.flat else (x, y)
    log = (axes.get_xscale() if mark.flat else axes.get_yscale()) == "log"
    ends = axes.get_xlim() if mark.flat else axes.get_ylim()
    base = max(mark.base, min(ends)) if log else mark.base
    bars, side = (axes.barh, "left") if mark.flat else (axes.bar, "bottom")
    bars(at, end - base, mark.thick, **{side: base}, color=_colors(mark), **style)
    for place, stop, text in zip(at, end, mark.texts, strict=False):
        if np.isfinite(place + stop):
            back = stop < base
            axes.annotate(
                text,
                (stop, place) if mark.flat else (place, stop),
                xytext=((-3 if back else 3), 0) if mark.flat else (0, -3 if back else 3),
                textcoords="offset points",
                ha=("right" if back else "left") if mark.flat else "center",
                va="center_baseline" if mark.flat else ("top" if back else "bottom"),
                fontsize=SMALL,
                color=INK,
            )


def _spans(mark: Spans, axes: Axes, style: dict) -> None:
    at, low, high = (np.asarray(one, float) for one in (mark.at, mark.low, mark.high))
    colors = _colors(mark)
    (axes.hlines if mark.flat else axes.vlines)(at, low, high, colors, linewidths=1.2, **style)
    for ends in (low, high):
        x, y = (ends, at) if mark.flat else (at, ends)
        axes.scatter(x, y, c=colors, marker="|" if mark.flat else "_", s=30, **style)


def _band(mark: Band, axes: Axes, style: dict) -> None:
    low, high = np.asarray(mark.low, float), np.asarray(mark.high, float)
    axes.fill_between(np.asarray(mark.x, float), low, high, where=np.isfinite(low + high),
                      color=_color(mark.color), linewidth=0, **style)  # fmt: skip


def _arrows(mark: Arrows, axes: Axes, style: dict) -> None:
    from matplotlib.patches import FancyArrowPatch

    columns = (np.asarray(getattr(mark, name), float) for name in ("x", "y", "dx", "dy"))
    for x, y, dx, dy in zip(*columns, strict=True):
        if np.isfinite(x + y + dx + dy) and (dx or dy):
            axes.add_patch(
                FancyArrowPatch(
                    (x, y),
                    (x + dx, y + dy),
                    arrowstyle="-|>",
                    mutation_scale=9,
                    shrinkA=0,
                    shrinkB=0,
                    color=_color(mark.color),
                    linestyle=_dash(mark.dash),
                    linewidth=mark.width * POINT,
                    **style,
                )
            )


def _rules(mark: Rules, axes: Axes, style: dict) -> None:
    for at in np.asarray(mark.at, float):
        if np.isfinite(at):
            (axes.axhline if mark.flat else axes.axvline)(
                at, color=_color(mark.color), linestyle=_dash(mark.dash),
                linewidth=mark.width * POINT, **style)  # fmt: skip


def _heat(mark: Heat, axes: Axes, style: dict) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    values = np.asarray(mark.values, float)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    rows, columns = values.shape
    style = {"zorder": style["zorder"]}
    if mark.steps:
        along = np.linspace(left, right, columns), np.linspace(low, high, rows)
        levels = list(mark.steps)
        bands = [_shade(mark, place) for place in np.linspace(0, 1, len(levels) + 1)]
        axes.contourf(*along, values, levels=levels, colors=bands, extend="both", **style)
        axes.contour(*along, values, levels=levels, colors=_color("gray"),
                     linewidths=0.5, alpha=0.6, **style)  # fmt: skip
        return
    if mark.smooth:  # the outermost values lie on the edges
        half = (right - left) / max(1, columns - 1) / 2, (high - low) / max(1, rows - 1) / 2
        left, right, low, high = left - half[0], right + half[0], low - half[1], high + half[1]
    shades = LinearSegmentedColormap.from_list("", [_shade(mark, 0), _shade(mark, 1)])
    axes.imshow(values, cmap=shades, vmin=mark.low, vmax=mark.high, origin="lower", aspect="auto",
                extent=(left, right, low, high),
                interpolation="bilinear" if mark.smooth else "nearest", **style)  # fmt: skip


def _shade(mark: Heat, place: float) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return (*to_rgb(_color(mark.color)), place * mark.opacity)


def _rgba(pixels: np.ndarray, color: str, opacity: float = 1) -> np.ndarray:
    from matplotlib.colors import to_rgb

    drawn = np.empty((*pixels.shape, 4))
    drawn[..., :3] = to_rgb(color)
    drawn[..., 3] = pixels / 255 * opacity
    return drawn


def _images(mark: Images, axes: Axes, style: dict) -> None:
    zorder = style["zorder"]
    fades = mark.opacity * np.asarray(mark.fades if len(mark.fades) else np.ones(_count(mark)))
    right, up = (np.sign(np.diff(ends()))[0] for ends in (axes.get_xlim, axes.get_ylim))
    wide, tall = right * mark.wide / 2, up * mark.tall / 2
    for x, y, pixels, color, fade in zip(
        mark.x, mark.y, mark.pixels, _colors(mark), fades, strict=True
    ):
        axes.imshow(_rgba(np.asarray(pixels), color, fade), aspect="auto", zorder=zorder,
                    extent=(x - wide, x + wide, y - tall, y + tall),
                    origin="upper", interpolation="antialiased")  # fmt: skip
    _frames(mark, ["none"] * _count(mark), axes, style)


def _boxes(mark: Boxes, axes: Axes, style: dict) -> None:
    _frames(mark, _colors(mark, "fills"), axes, style)


def _frames(mark: Images | Boxes, fills: Sequence[str], axes: Axes, style: dict) -> None:
    from matplotlib.patches import Rectangle

    edges = [_color(name) for name in mark.edges] or ["none"] * _count(mark)
    dashed = list(mark.dashed) or [False] * _count(mark)
    columns = (np.asarray(mark.x, float), np.asarray(mark.y, float), fills, edges, dashed)
    for x, y, fill, edge, broken in zip(*columns, strict=True):
        axes.add_patch(
            Rectangle(
                (x - mark.wide / 2, y - mark.tall / 2),
                mark.wide,
                mark.tall,
                facecolor=fill,
                edgecolor=edge,
                linestyle="--" if broken else "-",
                linewidth=1.5,
                **style,
            )
        )


def _texts(mark: Texts, axes: Axes, style: dict) -> None:
    anchor = {"start": "left", "middle": "center", "end": "right"}[mark.anchor]
    columns = (np.asarray(mark.x, float), np.asarray(mark.y, float), mark.texts, _colors(mark))
    for x, y, text, color in zip(*columns, strict=True):
        if np.isfinite(x + y):
            axes.text(x, y, text, color=color, fontsize=mark.size * POINT, ha=anchor, va="center",
                      weight="bold" if mark.bold else "normal", **style)  # fmt: skip


DRAWN = {
    Line: _line,
    Points: _points,
    Bars: _bars,
    Spans: _spans,
    Band: _band,
    Arrows: _arrows,
    Rules: _rules,
    Heat: _heat,
    Images: _images,
    Boxes: _boxes,
    Texts: _texts,
}
