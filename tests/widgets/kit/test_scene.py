"""The scene as plain data: what stays, what moves, and how numbers travel."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene_checks import check

from metalearn_lite.figures import COLORS, LEARNERS
from metalearn_lite.widgets.kit import (
    Arrows,
    Axis,
    Bars,
    Boxes,
    Button,
    Choice,
    Drag,
    Heat,
    Images,
    Line,
    Pad,
    Panel,
    Points,
    Scene,
    Slider,
    Switch,
    Table,
    Texts,
    Try,
    dashed,
    solid,
)
from metalearn_lite.widgets.kit.scene import data, look, numbers

UNIT = Axis(0, 1)
X, Y = [0.0, 0.5], [0.25, 1.0]


def panel(*marks, **fields) -> Panel:
    fields = {"x": UNIT, "y": UNIT, "alt": "a chart"} | fields
    return Panel("panel", marks=marks, **fields)


def scene(*marks, **fields) -> Scene:
    return Scene((panel(*marks),), **{"sentence": "Said."} | fields)


# --- parted into what stays and what moves


def test_columns_travel_by_the_key_of_their_mark_and_empty_ones_do_not():
    moving, fixed = data(scene(Line("line", X, Y, fixed=("x",)), Points("none"), Texts("words")))
    assert moving == {"line": {"y": Y}}
    assert fixed == {"line": {"x": X}}


def test_the_look_has_no_columns_and_no_values():
    shown = scene(
        Line("line", X, Y, color="blue"),
        Points("points", X, Y, drag=Drag("a point", along="line")),
        controls=(Slider("step", "step", 3, high=10), Button("go", "Go", enabled=False)),
        tries=(Try("A", "Look.", values={"step": 4}),),
    )
    said = look(shown)
    line, points = said["panels"][0]["marks"]
    assert (line["kind"], line["key"], line["color"]) == ("Line", "line", "blue")
    assert not {"x", "y"} & {*line}
    assert not {"x", "y", "colors", "markers", "texts"} & {*points}
    assert points["drag"] == {"name": "a point", "along": "line", "carries": (), "removable": False}
    assert said["panels"][0]["x"]["high"] == 1
    slider, button = said["controls"]
    assert slider["name"] == "step"
    assert "value" not in slider
    assert "enabled" not in button
    assert said["tries"][0]["values"] == {"step": 4}
    json.dumps(said, allow_nan=False)


def test_the_look_stays_while_numbers_move():
    one, other = (scene(Line("line", X, y), controls=(Slider("s", "s", y[0]),)) for y in (X, Y))
    assert look(one) == look(other)
    assert data(one) != data(other)


def test_tables_and_pads_travel_too():
    table = Table("table", ("who", "error"), [("MAML", "0.1")], swatches=["blue"])
    paper = Pad("pad", "A", strokes=[[(0.5, 0.25)]], description=["A dot."])
    moving, _ = data(Scene((table, paper)))
    assert moving == {
        "table": {"rows": [["MAML", "0.1"]], "swatches": ["blue"]},
        "pad": {"strokes": [[[0.5, 0.25]]], "description": ["A dot."]},
    }
    assert json.loads(json.dumps(moving)) == moving
    assert [part["kind"] for part in look(Scene((table, paper)))["panels"]] == ["Table", "Pad"]


def test_words_and_flags_of_numpy_become_plain():
    boxes = Boxes("boxes", X, Y, fills=np.array(["blue", "ink"]), dashed=np.array([True, False]))
    moving, _ = data(scene(boxes))
    assert moving["boxes"]["fills"] == ["blue", "ink"]
    assert moving["boxes"]["dashed"] == [True, False]
    json.dumps(moving)


def test_a_heat_map_is_float32_and_images_are_bytes():
    values = np.array([[0.0, 1.5, np.nan], [np.inf, -1, 2]])
    pixels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    moving, _ = data(scene(Heat("heat", values), Images("images", X, Y, pixels)))
    sent = moving["heat"]["values"]
    assert sent["shape"] == [2, 3]
    decoded = np.frombuffer(sent["floats"], "<f4").reshape(2, 3)
    np.testing.assert_array_equal(decoded[0], [0, 1.5, 0])
    assert np.isfinite(decoded).all()
    assert moving["images"]["pixels"] == {"shape": [2, 2, 2], "bytes": bytes(range(8))}


# --- numbers


@given(st.lists(st.floats(width=64), max_size=20))
def test_numbers_are_rounded_to_five_digits_within_reason(values):
    sent = numbers(values, panel())
    json.dumps(sent, allow_nan=False)
    assert len(sent) == len(values)
    for given_one, one in zip(values, sent, strict=True):
        if math.isnan(given_one):
            assert one is None
        elif abs(given_one) <= 10:
            assert one == pytest.approx(given_one, rel=1e-4, abs=1e-90)
            assert abs(one) < 1e-15 or one == float(f"{one:.5g}")
        else:
            assert one == math.copysign(10, given_one)


def test_a_long_number_becomes_short():
    assert numbers([1 / 3, -2 / 3, 0, 1e-7 / 3], panel()) == [0.33333, -0.66667, 0, 3.3333e-8]
    assert json.dumps(numbers([0.1 + 0.2, 1.1], panel())) == "[0.3, 1.1]"


def test_how_far_is_too_far_depends_on_the_panel():
    assert numbers([1e9, -math.inf], panel(y=Axis(-50, 20))) == [500, -500]


def test_logarithms_have_small_numbers_too():
    assert numbers([1.23456e-5], panel(y=Axis(1e-6, 10, log=True))) == [1.2346e-5]


# --- keys


@pytest.mark.parametrize(
    "panels",
    [
        (panel(Line("a"), Points("a")),),
        (panel(Line("panel")),),
        (panel(Line("a")), Table("a")),
        (Panel("p", UNIT, UNIT, (Line("a"),)), Panel("q", UNIT, UNIT, (Line("a"),))),
        (Panel("p", UNIT, UNIT, ()), Panel("p", UNIT, UNIT, ())),
    ],
)
def test_a_key_is_used_once(panels):
    with pytest.raises(ValueError, match=r"the key '(a|p|panel)' is used twice"):
        Scene(panels)


def test_a_name_is_used_once():
    with pytest.raises(ValueError, match="the name 'go' is used twice"):
        Scene((), (Button("go", "Go"), Switch("go", "Go", True)))


# --- learners


def test_learners_look_as_everywhere():
    names = ["MAML", "first-order MAML", "my own"]
    styles = dashed(names)
    for name in names[:2]:
        known = LEARNERS[name]
        assert styles[name] == {"color": known.color, "marker": known.marker, "dash": known.dash}
    assert styles["my own"]["color"] in COLORS
    assert {name: style.keys() for name, style in solid(names).items()} == dict.fromkeys(
        names, {"color": None, "marker": None}.keys()
    )
    for style in dashed(LEARNERS).values():
        check(scene(Line("line", X, Y, **style)))


# --- what `check` says of a scene that cannot be shown

SLIDER = Slider("s", "s", 0.5)


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (lambda: scene(sentence=""), "no sentence"),
        (lambda: scene(Line("a", X, Y, color="#ff0000")), "no tokens"),
        (lambda: scene(Points("a", X, Y, colors=["blue", "mauve"])), "mauve"),
        (lambda: scene(Line("a", X, Y, color="sky")), "cannot be seen on white"),
        (lambda: scene(Points("a", X, Y, color="yellow")), "or an edge"),
        (lambda: scene(Line("a", X, Y[:1])), "columns of"),
        (lambda: scene(Points("a", X, Y, colors=["blue"])), "columns of"),
        (lambda: scene(Texts("a", X, Y)), "columns of"),
        (lambda: scene(Points("a", X, [0, math.nan])), "y is no number"),
        (lambda: scene(Line("a", X, Y, marker="8")), "a: "),
        (lambda: scene(Line("a", X, Y, dash="dotted")), "dotted"),
        (lambda: scene(Line("a", X, Y, fixed=("z",))), "fixed is no column"),
        (lambda: scene(Points("a", X, Y, drag=Drag("θ", along="b"))), "no line of the panel"),
        (lambda: scene(Points("a", X, Y, drag=Drag("θ", carries=("b",)))), "not in the panel"),
        (lambda: Scene((panel(Points("a"), click_along="a"),), sentence="."), "no line of it"),
        (lambda: Scene((panel(alt=""),), sentence="."), "no name for those"),
        (
            lambda: Scene((panel(Line("a", X, [0, 1]), y=Axis(0.1, 1, log=True)),), sentence="."),
            "no place on a logarithmic axis",
        ),
        (lambda: Scene((Table("t", ("a",), [("b", "c")]),), sentence="."), "cells"),
        (lambda: Scene((Table("t", rows=[(1,)]),), sentence="."), "no string"),
        (lambda: scene(controls=(Slider("s", "s", 2),)), "off its slider"),
        (lambda: scene(controls=(Slider("s", "s", 3, stops=(1, 2)),)), "s: "),
        (lambda: scene(controls=(Slider("s", "", 0),)), "no name"),
        (lambda: scene(controls=(Slider("s", "s", 0, beside="there"),)), "s: "),
        (lambda: scene(controls=(Choice("c", "c", "d", ("e", "f")),)), "c: "),
        (lambda: scene(controls=(SLIDER,), tries=(Try("A", ""),)), "what to look at"),
        (lambda: scene(controls=(SLIDER,), tries=(Try("A", "B", values={"s": 7}),)), "off its"),
    ],
)  # fmt: skip
def test_check_tells_what_cannot_be_shown(bad, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check(bad())


def test_check_compiles_the_line_of_code():
    with pytest.raises(SyntaxError):
        check(scene(code="Widget("))


def test_check_lets_pass_what_can_be_shown():
    check(
        scene(
            Line("line", X, [0, math.nan]),
            Points("points", X, Y, color="yellow", edge="ink", drag=Drag("θ", along="line")),
            Bars("bars", X, Y, color="sky"),
            Arrows("arrows", X, Y, X, Y),
            Heat("heat", np.eye(2), steps=(0.5,), names=("half",)),
            controls=(SLIDER, Slider("t", "t", 10.0, -1, 1, 0.5, log=True)),
            tries=(Try("A", "B", values={"s": 1}),),
            code="Widget(s=0.5)",
        )
    )
