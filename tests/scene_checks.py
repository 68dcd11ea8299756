"""What every scene of every widget must be, and a walk through all that a reader can do in it."""

import dataclasses
import json

import numpy as np
from pages import Page

from metalearn_lite.widgets.kit import Live
from metalearn_lite.widgets.kit import scene as scenes
from metalearn_lite.widgets.kit.live import stops
from metalearn_lite.widgets.kit.scene import (
    MARKERS,
    TOKENS,
    Arrows,
    Axis,
    Band,
    Button,
    Choice,
    Heat,
    Images,
    Line,
    Mark,
    Pad,
    Panel,
    Points,
    Rules,
    Scene,
    Slider,
    Spans,
    Switch,
    Table,
    Texts,
)

ONLY_FOR_AREAS = ("orange", "sky", "yellow")
"""too pale on white for what is thin"""
OPTIONAL = ("colors", "markers", "texts", "edges", "fills", "dashed", "fades")
"""columns that may be empty"""


def check(scene: Scene) -> None:
    """Fails with the reason if the page, or the still renderer, could not show the scene."""
    assert scene.sentence, "no sentence"
    links = [mark.link for mark in scene.marks() if getattr(mark, "link", "")]
    assert all(links.count(link) > 1 for link in links), f"alone in their link: {links}"
    assert scene.panels or scene.controls, "nothing to see"
    compile(scene.code, "the line that makes this state again", "exec")
    for panel in scene.panels:
        with _told(panel.key):
            {Panel: _panel, Table: _table, Pad: _pad}[type(panel)](panel)
    for control in scene.controls:
        with _told(control.name):
            _control(control, [panel.key for panel in scene.panels])
    for suggestion in scene.tries:
        with _told(suggestion.label):
            assert suggestion.label
            assert suggestion.look, "it does not say what to look at"
            for name, value in suggestion.values.items():
                _allowed(_by_name(scene, name), value)
    _travels(scene)


class _told:
    """Adds to a failure of what it is."""

    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, trace) -> None:
        if isinstance(error, AssertionError):
            raise AssertionError(f"{self.name}: {error}") from error


def _by_name(scene: Scene, name: str):
    (control,) = (control for control in scene.controls if control.name == name)
    return control


# --- panels -----------------------------------------------------------------------------------


def _panel(panel: Panel) -> None:
    assert panel.alt or panel.title, "it has no name for those who cannot see it"
    lines = [mark.key for mark in panel.marks if isinstance(mark, Line)]
    assert panel.click_along in ("", *lines), f"{panel.click_along!r} is no line of it"
    for axis in (panel.x, panel.y):
        _axis(axis)
    for mark in panel.marks:
        with _told(mark.key):
            _mark(mark, panel)
            drag = getattr(mark, "drag", None)
            if drag:
                assert drag.name, "a point without a name"
                assert drag.along in ("", *lines), f"{drag.along!r} is no line of the panel"
                keys = [other.key for other in panel.marks]
                assert set(drag.carries) <= {*keys}, f"it carries {drag.carries}, not in the panel"


def _axis(axis: Axis) -> None:
    assert np.isfinite([axis.low, axis.high]).all()
    assert axis.low != axis.high
    assert not axis.log or min(axis.low, axis.high) > 0
    if axis.names is not None:
        assert axis.ticks is not None, "names of no ticks"
        assert len(axis.names) == len(axis.ticks)


def _mark(mark: Mark, panel: Panel) -> None:
    columns = {each.name: getattr(mark, each.name)
               for each in dataclasses.fields(mark) if each.metadata.get("moves")}  # fmt: skip
    assert set(mark.fixed) <= set(columns), f"fixed is no column: {mark.fixed}"
    assert 0 <= mark.opacity <= 1
    _colors(mark, columns)
    _lengths(mark, columns)
    if isinstance(mark, Line | Points):
        assert mark.marker in MARKERS
        assert all(one and one in MARKERS for one in columns.get("markers", ()))
    _dash(getattr(mark, "dash", "-"))
    _numbers(mark, panel, columns)


def _colors(mark: Mark, columns: dict) -> None:
    given = [mark.color, *columns.get("colors", ())]
    edges = [*columns.get("edges", ()), *columns.get("fills", ()), getattr(mark, "edge", "")]
    assert set(given) <= {*TOKENS}, f"{sorted({*given} - {*TOKENS})} are no tokens"
    assert set(edges) <= {*TOKENS, ""}, f"{sorted({*edges} - {*TOKENS})} are no tokens"
    thin = isinstance(mark, Line | Texts | Rules | Arrows | Spans)
    if (thin and not getattr(mark, "fill", 0)) or (isinstance(mark, Points) and not mark.edge):
        pale = {*given} & {*ONLY_FOR_AREAS}
        assert not pale, f"{pale} cannot be seen on white: dark twins, or an edge"


def _lengths(mark: Mark, columns: dict) -> None:
    if isinstance(mark, Heat):
        assert mark.values is None or np.ndim(mark.values) == 2
        assert list(mark.steps) == sorted({*mark.steps})
        assert len(mark.names) in (0, min(2, len(mark.steps) or 2))
        return
    if isinstance(mark, Images) and mark.pixels is not None:
        assert mark.pixels.dtype == np.uint8
        assert mark.pixels.ndim == 3
        assert all(0 <= fade <= 1 for fade in mark.fades)
    lengths = {name: 0 if column is None else len(column) for name, column in columns.items()}
    number = max(lengths.values())
    for name, length in lengths.items():
        optional = name in OPTIONAL and not (isinstance(mark, Texts) and name == "texts")
        assert length == number or (optional and length == 0), f"columns of {lengths}"


def _dash(dash) -> None:
    if isinstance(dash, str):
        assert dash in ("-", "--", ":", "-."), dash
    else:
        assert len(dash) % 2 == 0
        assert min(dash) > 0


def _numbers(mark: Mark, panel: Panel, columns: dict) -> None:
    gaps = isinstance(mark, Line | Band)
    for name in ("x", "y", "dx", "dy", "at", "low", "high"):
        if name in columns and len(columns[name]):
            values = np.asarray(columns[name], float)
            assert values.ndim == 1
            assert gaps or not np.isnan(values).any(), f"{name} is no number"
            upright = {"x": "x", "dx": "x", "y": "y", "dy": "y"}.get(name)
            flat = getattr(mark, "flat", False)
            axis = getattr(panel, upright or ("y" if (name == "at") == flat else "x"))
            if axis.log and name not in ("dx", "dy"):
                assert not (values <= 0).any(), f"{name} has no place on a logarithmic axis"
    if isinstance(mark, Heat) and mark.values is not None:
        assert np.isfinite(mark.values).all()


def _table(table: Table) -> None:
    widths = {len(row) for row in table.rows} | ({len(table.head)} if table.head else set())
    assert len(widths) <= 1, f"rows of {widths} cells"
    assert len(table.swatches) in (0, len(table.rows))
    assert set(table.swatches) <= {*TOKENS, ""}
    assert all(isinstance(cell, str) for row in table.rows for cell in row), "a cell is no string"


def _pad(pad: Pad) -> None:
    assert pad.heading
    assert pad.color in TOKENS
    assert pad.example is None or (pad.example.dtype == np.uint8 and pad.example.ndim == 2)
    for stroke in pad.strokes:
        points = np.asarray(stroke, float)
        assert points.ndim == 2
        assert points.shape[1] == 2
        assert ((points >= 0) & (points <= 1)).all()


# --- controls ---------------------------------------------------------------------------------


def _control(control, panels: list[str]) -> None:
    assert control.label, "it has no name"
    assert control.beside in ("", *panels)
    if isinstance(control, Slider):
        assert len(control.texts) in (0, len(stops(control)))
        assert control.stops or control.low < control.high
    if not isinstance(control, Button):
        _allowed(control, control.value)


def _allowed(control, value) -> None:
    if isinstance(control, Choice):
        assert len({*control.options}) == len(control.options) > 1
        assert value in control.options
    elif isinstance(control, Switch):
        assert isinstance(value, bool)
    elif control.stops:
        assert value in control.stops
    else:
        assert type(value) in (int, float), f"{value!r} is no plain number"
        places = stops(control)
        slack = 1e-9 * max(map(abs, places))
        assert places[0] - slack <= value <= places[-1] + slack, f"{value} is off its slider"


# --- what travels -----------------------------------------------------------------------------


def _travels(scene: Scene) -> None:
    json.dumps(scenes.look(scene), allow_nan=False)
    for columns in scenes.data(scene):
        json.dumps(columns, allow_nan=False, default=_bytes)


def _bytes(value) -> str:
    assert isinstance(value, bytes), f"{value!r} cannot travel"
    return ""


def same(page: Page) -> None:
    """The page knows all of the scene, whether it was sent or recorded beforehand."""
    scene = page.widget.scene()
    moving, fixed = scenes.data(scene)
    for key in {*moving, *fixed} | {mark.key for mark in scene.marks()}:
        assert page.columns(key) == fixed.get(key, {}) | moving.get(key, {}), key
    assert page.frame.get("look", page.widget.look) == scenes.look(scene)
    assert page.widget.state["values"] == {
        control.name: control.value for control in scene.controls if hasattr(control, "value")
    }


# --- a walk -----------------------------------------------------------------------------------


def walk(widget: Live, seed: int, gestures: int = 12):
    """Gestures by chance, as the page sends them. Yields each new scene, the first one too."""
    chance, page = np.random.default_rng(seed), Page(widget)
    for place in range(gestures + 1):
        if place:
            possible = _gestures(widget.scene(), chance)
            page.do(**possible[chance.integers(len(possible))])
        same(page)
        yield widget.scene()


def _gestures(scene: Scene, chance: np.random.Generator) -> list[dict]:
    """One of each that can be done now, where and how far by ``chance``."""
    found = [{"kind": "try", "index": index} for index in range(len(scene.tries))]
    for control in scene.controls:
        if not isinstance(control, Button):
            found.append({"kind": "set", "name": control.name, "value": _value(control, chance)})
        elif control.enabled:
            found.append({"kind": "press", "name": control.name})
    for panel in scene.panels:
        if isinstance(panel, Pad):
            found += _on_paper(panel, chance)
        elif isinstance(panel, Panel):
            found += _in_panel(panel, chance)
    return found


def _value(control, chance: np.random.Generator):
    if isinstance(control, Slider):
        places = stops(control)
        if chance.random() < 0.3:  # its ends, where things go wrong
            places = [places[0], places[-1]]
        return places[chance.integers(len(places))]
    if isinstance(control, Choice):
        return control.options[chance.integers(len(control.options))]
    return not control.value


def _on_paper(pad: Pad, chance: np.random.Generator) -> list[dict]:
    stroke = chance.random((5, 2)).tolist()
    draws = [("stroke", stroke), ("undo", []), ("clear", []), ("example", [])]
    return [{"kind": "draw", "pad": pad.key, "what": what, "points": points}
            for what, points in draws]  # fmt: skip


def _in_panel(panel: Panel, chance: np.random.Generator) -> list[dict]:
    x, y = (_place(axis, chance) for axis in (panel.x, panel.y))
    found = [{"kind": "click", "panel": panel.key, "x": x, "y": y}] if panel.click else []
    for mark in panel.marks:
        number = len(getattr(mark, "x", ()))
        if not number:
            continue
        element = {"key": mark.key, "index": int(chance.integers(number))}
        if mark.pick:
            found.append({"kind": "pick"} | element)
        if drag := getattr(mark, "drag", None):
            settled = bool(chance.integers(2))
            found.append({"kind": "drag", "x": x, "y": y, "settled": settled} | element)
            if drag.removable:
                found.append({"kind": "remove"} | element)
    return found


def _place(axis: Axis, chance: np.random.Generator) -> float:
    if axis.log:
        return float(np.exp(chance.uniform(*np.log([axis.low, axis.high]))))
    return float(chance.uniform(axis.low, axis.high))
