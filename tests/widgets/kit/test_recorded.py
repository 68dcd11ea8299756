"""A recorded figure as text; tests/browser/test_live_js.py opens one."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from metalearn_lite.widgets.kit import (
    Axis,
    Button,
    Choice,
    Heat,
    Line,
    Live,
    Panel,
    Scene,
    Slider,
    Switch,
    Try,
)
from metalearn_lite.widgets.kit.recorded import packed


class Shades(Live):
    def __init__(self, size: int = 4):
        self.size = size
        super().__init__(SimpleNamespace(step=2, start="<a>", on=False))

    def scene(self) -> Scene:
        model = self.model
        values = np.full((self.size, self.size), model.step / 10)
        return Scene(
            panels=(Panel("panel", Axis(0, 1), Axis(0, 1), marks=(Heat("heat", values=values),)),),
            controls=(
                Slider("step", "step", value=model.step, high=3),
                Choice("start", "start", value=model.start, options=("<a>", "</script>")),
                Switch("on", "on", value=model.on),
            ),
            sentence=f"Step {model.step} from {model.start}.",
        )


def names(html: str) -> list[str]:
    return re.findall(r'"(\[[^"]*(?:\\"[^"]*)*\])":\{"state"', html)


def test_every_combination_is_there_and_the_widget_is_as_before():
    widget = Shades()
    html = widget.record(step=..., start=..., on=(False,))._repr_html_()
    assert len(names(html)) == 8
    assert (widget.model.step, widget.model.start) == (2, "<a>")
    assert names(widget.record(on=...)._repr_html_()) == ["[false]", "[true]"]


def test_nothing_is_asked_of_the_network_and_no_text_ends_the_script():
    html = Shades().record(start=...)._repr_html_()
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", html)
    assert html.count("</script>") == 2
    assert html.startswith("<div") and "Step 2 from &lt;a&gt;." in html.split("</div>")[0]  # noqa: PT018


def test_written_whole(tmp_path):
    Shades().record(step=(1, 2)).write(tmp_path / "shades.html", "Shades")
    page = (tmp_path / "shades.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<title>Shades</title>" in page


def test_one_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match="record fewer values"):
        Shades(size=300).record(step=...)


def test_another_one_on_the_page_brings_what_draws_both():
    whole = Shades().record(step=(1, 2))
    bare = whole.beside_another()
    assert whole.html.count("function recorded") == 1
    assert "function recorded" not in bare.html
    assert bare.data == whole.data
    assert len(bare.html) < len(whole.html) / 10


def test_it_is_the_same_in_every_build():
    assert Shades().record(step=(1, 2)).html == Shades().record(step=(1, 2)).html
    assert Shades().record(step=(1, 2)).html != Shades().record(step=(1, 3)).html


class Dice(Live):
    """Each throw is one higher; `six` is a suggestion that throws, `back` one that need not."""

    def __init__(self):
        super().__init__(SimpleNamespace(step=0, thrown=1))

    def scene(self) -> Scene:
        model = self.model
        line = Line("line", [0.0] * 12, [float(model.thrown)] * 12)
        return Scene(
            (Panel("panel", Axis(0, 1), Axis(0, 6), (line,)),),
            (Slider("step", "step", model.step, high=2), Button("throw", "Throw")),
            (Try("six", "A six.", values={"step": 2}, press="six"),
             Try("back", "At the start.", values={"step": 0}, press="show")),
            sentence=f"Step {model.step}: {model.thrown}.",
        )  # fmt: skip

    def throw(self):
        self.model.thrown = self.model.thrown % 6 + 1

    def six(self):
        self.model.thrown = 6

    def drag(self, key, index, x, y):
        self.model.thrown = int(y)


def test_gestures_lead_from_state_to_state():
    content = json.loads(Dice().record("throw", "throw", "six", "throw", step=...).data)
    assert [state["state"]["sentence"] for state in content["states"]] == [
        "Step 0: 1.", "Step 0: 2.", "Step 0: 3.", "Step 2: 6.",
    ]  # fmt: skip
    assert content["ways"] == [
        {"from": 0, "press": "throw", "values": {}, "to": 1},
        {"from": 1, "press": "throw", "values": {}, "to": 2},
        {"from": 2, "try": 0, "values": {"step": 2}, "to": 3},
        {"from": 3, "press": "throw", "values": {}, "to": 0},  # a one again
    ]
    at = content["states"][3]["recorded"]["at"]
    assert [frame["state"]["sentence"] for frame in at.values()] == [
        "Step 0: 6.", "Step 1: 6.", "Step 2: 6.",
    ]  # fmt: skip


def test_places_that_a_point_is_dragged_to_are_ways():
    content = json.loads(
        Dice().record(("drag", "line", 0, 0.5, 4.0), ("drag", "line", 0, 0, 1), step=...).data
    )
    assert content["ways"] == [
        {"from": 0, "drag": "line", "index": 0, "x": 0.5, "y": 4.0, "values": {}, "to": 1},
        {"from": 1, "drag": "line", "index": 0, "x": 0, "y": 1, "values": {}, "to": 0},
    ]


def test_a_gesture_that_only_sets_controls_sets_them_wherever_they_were():
    content = json.loads(Dice().record("back", step=...).data)
    assert len(content["states"]) == 1
    assert content["ways"] == [{"from": 0, "try": 1, "values": {"step": 0}, "to": 0}]


def test_what_is_said_twice_is_packed_once():
    content = {
        "states": [
            {"look": {"panels": [{"key": "a"}], "tries": []}, "state": {"note": "A note."},
             "moving": {"a": {"x": [1.5] * 12, "y": [None, *[2.0] * 11], "texts": ["b"]}},
             "recorded": {"at": {"[1]": {"moving": {"a": {"x": [1.5] * 12, "y": [1.0, 2]}},
                                         "look": {"panels": [{"key": "a"}, {"key": "b"}],
                                                  "tries": []},
                                         "state": {"note": "A note."}}}}}
        ]
    }  # fmt: skip
    found = packed(content)
    (state,) = found["states"]
    frame = state["recorded"]["at"]["[1]"]
    assert found["columns"] == [{"halves": "AD4APgA+AD4APgA+AD4APgA+AD4APgA+"}]
    assert state["moving"]["a"]["x"] == frame["moving"]["a"]["x"] == 0
    assert frame["moving"]["a"]["y"] == [1.0, 2]
    assert state["moving"]["a"]["texts"] == ["b"]
    assert found["parts"] == [{"key": "a"}, {"key": "b"}, "A note."]
    assert state["state"]["note"] == frame["state"]["note"] == 2
    assert (state["look"]["panels"], frame["look"]["panels"]) == ([0], [0, 1])
    assert content["states"][0]["moving"]["a"]["x"] == [1.5] * 12
