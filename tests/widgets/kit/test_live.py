"""What is sent to the page and when, and what becomes of what it answers."""

import json

import numpy as np
import pytest
from pages import Page
from scene_checks import same

from metalearn_lite.widgets.kit import (
    Axis,
    Button,
    Choice,
    Drag,
    Heat,
    Line,
    Live,
    Pad,
    Panel,
    Points,
    Scene,
    Slider,
    Texts,
    Try,
    live,
)
from metalearn_lite.widgets.kit.scene import data, look

UNIT = Axis(0, 1, "x")
GRID = np.linspace(0, 1, 11)


class Model:
    def __init__(self):
        self.step, self.kind, self.points, self.strokes = 0, "sine", [(0.25, 0.5)], []


class Small(Live):
    """One of everything that a gesture can reach."""

    by = "step"

    def __init__(self):
        self.asked = []
        super().__init__(Model())

    def scene(self) -> Scene:
        model = self.model
        x, y = zip(*model.points, strict=True) if model.points else ((), ())
        marks = [
            Line("wave", GRID, 0.1 * np.sin(GRID) + (model.kind == "flat"), fixed=("x", "y")),
            Line("curve", GRID, GRID * model.step / 4, fixed=("x",)),
            Points("points", x, y, drag=Drag("a point", along="curve", removable=True)),
            Heat("heat", np.full((2, 2), model.step / 8)),
        ]
        if model.step == 3:
            marks.append(Texts("end", [0.5], [0.5], ["end"]))
            del marks[3]
        return Scene(
            (
                Panel("panel", UNIT, UNIT, tuple(marks), alt="a chart", click="add a point"),
                Pad("pad", "A", strokes=model.strokes),
            ),
            (
                Slider("step", "step", model.step, high=4),
                Choice("kind", "kind", model.kind, ("sine", "flat")),
                Button("clear", "Clear", enabled=bool(model.points)),
            ),
            (Try("End", "The end.", values={"step": 4}, press="clear"),),
            sentence=f"Step {model.step}, {len(model.points)} points.",
            note="A note.",
            code=f"Small({model.step})",
        )

    def set(self, name, value):
        self.asked.append((name, value))
        if name == "kind" and value not in ("sine", "flat"):
            raise ValueError(f"There is no {value}.")
        if name == "step" and value > 4:
            raise ValueError("There are 4 steps.")
        super().set(name, value)

    def drag(self, key, index, x, y):
        self.model.points[index] = (x, self.model.step / 4 * x)

    def remove(self, key, index):
        del self.model.points[index]

    def click(self, panel, x, y):
        if len(self.model.points) == 3:
            raise ValueError("There is room for 3 points.")
        self.model.points.append((x, y))

    def pick(self, key, index):
        self.asked.append((key, index))

    def draw(self, pad, what, points):
        self.model.strokes = [*self.model.strokes, points] if what == "stroke" else []

    def clear(self):
        self.model.points = []


@pytest.fixture
def widget():
    return Small()


@pytest.fixture
def page(widget):
    return Page(widget)


def sent(widget, names=("look", "fixed", "moving", "state", "recorded", "ack")) -> list:
    """Names of the traits that change from now on, in the order in which they are sent."""
    changes = []
    widget.observe(lambda change: changes.append(change["name"]), names)
    return changes


# --- what the page has


def test_at_first_the_page_has_all(widget):
    scene = widget.scene()
    assert widget.look == look(scene)
    assert (widget.moving, widget.fixed) == data(scene)
    assert set(widget.fixed["wave"]) == {"x", "y"}
    assert set(widget.moving["curve"]) == {"y"}
    assert widget.state == {
        "values": {"step": 0, "kind": "sine"},
        "off": [],
        "sentence": "Step 0, 1 points.",
        "note": "A note.",
        "code": "Small(0)",
    }
    assert widget.ack == 0


def test_all_that_is_sent_is_json_or_bytes(widget):
    def plain(value):
        assert isinstance(value, bytes)
        return "bytes"

    for name in ("look", "fixed", "moving", "state", "recorded"):
        json.dumps(getattr(widget, name), default=plain, allow_nan=False)


def test_it_says_what_it_shows(widget):
    assert repr(widget) == "Small('Step 0, 1 points.')"


# --- recorded frames


def test_every_stop_is_there_and_makes_the_scene_that_it_was_made_from(widget, page):
    assert widget.recorded["by"] == ["step"]
    assert list(widget.recorded["at"]) == ["[0]", "[1]", "[2]", "[3]", "[4]"]
    for step in range(5):
        widget.model.step = step
        widget.state = widget.state | {"values": {"step": step, "kind": "sine"}}
        same(page)
        assert page.frame["state"] == widget._state(widget.scene())


def test_a_frame_holds_only_what_differs(widget):
    at = widget.recorded["at"]
    assert at["[0]"] == {"state": widget.state}
    assert set(at["[1]"]) == {"state", "moving"}
    assert set(at["[1]"]["moving"]) == {"curve", "heat"}
    assert "fixed" not in at["[2]"]


def test_a_frame_tells_what_is_gone_there_and_how_it_looks(widget):
    frame = widget.recorded["at"]["[3]"]
    assert frame["gone"] == ["heat"]
    assert set(frame["moving"]) == {"curve", "end"}
    assert frame["look"] != widget.look
    assert "look" not in widget.recorded["at"]["[4]"]


def test_recording_leaves_the_model_as_it_was(widget):
    widget.model.step = 2
    widget.scenes_at("step", (4,))
    assert widget.model.step == 2
    widget.show()
    assert widget.model.step == 2
    assert [scene.sentence[:6] for scene in widget.scenes_at("step", (4, 1))] == [
        "Step 4",
        "Step 1",
    ]
    assert widget.model.step == 2


def test_the_model_is_as_before_when_a_scene_fails(widget):
    with pytest.raises(ValueError, match="no cosine"):
        widget.scenes_at("kind", ("flat", "cosine"))
    assert widget.model.kind == "sine"


def test_frames_of_two_controls(widget):
    frames = widget.frames({"step": (0, 3), "kind": ("sine", "flat")})
    assert frames["by"] == ["step", "kind"]
    assert list(frames["at"]) == ['[0,"sine"]', '[0,"flat"]', '[3,"sine"]', '[3,"flat"]']
    assert set(frames["at"]['[0,"flat"]']) == {"state", "fixed"}


def test_without_a_slider_to_walk_over_nothing_is_recorded():
    class Plain(Small):
        by = ""

    assert Plain().recorded == {}


# --- what is sent when


def test_walking_over_recorded_stops_sends_nothing_but_the_values(widget, page):
    changes = sent(widget)
    page.set(step=2)
    assert sorted(changes) == ["ack", "state"]
    assert widget.state["sentence"] == "Step 2, 1 points."
    same(page)


def test_any_other_control_sends_new_frames_with_its_number(widget, page):
    changes = sent(widget)
    page.set(kind="flat")
    assert "recorded" in changes
    assert "look" not in changes
    assert widget.recorded["stamp"] == widget.ack == 1
    same(page)


def test_what_is_fixed_is_sent_only_when_it_changes(widget, page):
    changes = sent(widget)
    page.do("drag", key="points", index=0, x=0.5, y=0)
    assert "fixed" not in changes
    page.set(kind="flat")
    assert "fixed" in changes


def test_while_a_point_is_held_no_stops_are_sent(widget, page):
    page.set(step=2)
    changes = sent(widget)
    page.do("drag", key="points", index=0, x=0.5, y=0, settled=False)
    assert widget.recorded == {}
    assert page.columns("points") == {"x": [0.5], "y": [0.25]}
    page.do("drag", key="points", index=0, x=0.6, y=0, settled=False)
    assert changes.count("recorded") == 1
    page.do("drag", key="points", index=0, x=0.8, y=0)
    assert widget.recorded["stamp"] == widget.ack
    same(page)


def test_a_held_slider_without_recorded_stops_sends_the_scene(widget, page):
    page.do("drag", key="points", index=0, x=0.5, y=0, settled=False)
    page.do("set", name="step", value=3, settled=False)
    same(page)
    page.do("set", name="step", value=3)
    same(page)
    assert widget.recorded["stamp"] == widget.ack


def test_all_of_a_change_is_sent_at_once(widget, page, monkeypatch):
    updates = []
    monkeypatch.setattr(widget, "send_state", lambda key=None: updates.append({*key}))
    page.set(kind="flat")
    assert {"state", "fixed", "ack"} <= updates[0]


# --- gestures


def test_gestures_reach_the_model(widget, page):
    page.do("click", panel="panel", x=0.75, y=0.5)
    assert widget.model.points == [(0.25, 0.5), (0.75, 0.5)]
    page.do("remove", key="points", index=0)
    assert widget.model.points == [(0.75, 0.5)]
    page.do("pick", key="wave", index=4)
    assert widget.asked[-1] != ("wave", 4)  # recording stops came after it
    assert ("wave", 4) in widget.asked
    page.do("draw", pad="pad", what="stroke", points=[[0.5, 0.5]])
    assert widget.moving["pad"] == {"strokes": [[[0.5, 0.5]]]}
    page.press("clear")
    assert widget.state["off"] == ["clear"]
    same(page)


def test_a_suggestion_sets_and_then_presses(widget, page):
    page.do("try", index=0)
    assert widget.model.step == 4
    assert widget.model.points == []
    same(page)


def test_what_cannot_be_becomes_a_sentence_until_the_next_gesture(widget, page):
    for x in (0.1, 0.2, 0.3):
        page.do("click", panel="panel", x=x, y=0)
    assert page.sentence == "There is room for 3 points. Step 0, 3 points."
    same(page)
    page.set(step=1)
    assert page.sentence == "Step 1, 3 points."


def test_a_complaint_about_a_step_is_sent_with_all_the_rest(widget, page):
    changes = sent(widget)
    page.set(step=5)
    assert page.sentence == "There are 4 steps. Step 0, 1 points."
    assert widget.recorded["stamp"] == 1
    assert "recorded" in changes
    same(page)


def test_only_the_frame_of_now_has_the_complaint(widget, page):
    page.set(kind="cosine")
    at = widget.recorded["at"]
    assert (
        page.sentence == at["[0]"]["state"]["sentence"] == "There is no cosine. Step 0, 1 points."
    )
    assert at["[2]"]["state"]["sentence"] == "Step 2, 1 points."


def test_a_fault_is_told_to_the_log_and_the_page_is_not_kept_waiting(widget):
    with pytest.raises(IndexError):
        widget._receive(None, {"kind": "remove", "id": 5, "key": "points", "index": 7}, [])
    assert widget.ack == 5


@pytest.mark.parametrize("kind", ["show", "scene", "_try", "frames", "close"])
def test_a_page_can_call_nothing_but_gestures(widget, kind):
    with pytest.raises(ValueError, match=f"no gesture is called '{kind}'"):
        widget._receive(None, {"kind": kind, "id": 1}, [])


def test_it_acknowledges_each_message(widget, page):
    for number in range(1, 4):
        page.set(step=number)
        assert widget.ack == number


# --- stops


@pytest.mark.parametrize(
    ("slider", "expected"),
    [
        (Slider("s", "s", 0, high=3), [0, 1, 2, 3]),
        (Slider("s", "s", 0, -1, 1, 0.5), [-1, -0.5, 0, 0.5, 1]),
        (Slider("s", "s", 1, -2, 0, 1, log=True), [0.01, 0.1, 1]),
        (Slider("s", "s", "b", stops=("a", "b")), ["a", "b"]),
    ],
)
def test_stops_are_all_values_of_a_slider(slider, expected):
    assert live.stops(slider) == pytest.approx(expected)
