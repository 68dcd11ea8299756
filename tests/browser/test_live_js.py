"""live.js on a blank page: see blank.py."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from blank import Blank, packed

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
    Switch,
    Table,
    Try,
)

pytestmark = pytest.mark.browser


class Waves(Live):
    """All kinds of controls; the line is ``step`` high at its end, and bent by ``again``."""

    by = "step"

    def __init__(self, **start):
        settings = {"step": 3, "rate": 0.1, "start": "MAML", "wave": "one", "maml": True} | start
        self.strokes, self.dragged, self.bent = [], 1.0, 1.0
        super().__init__(SimpleNamespace(**settings))

    def scene(self) -> Scene:
        model, x = self.model, np.linspace(0, 1, 5)
        axes = {"x": Axis(low=0, high=1, label="x"), "y": Axis(low=0, high=10, label="y")}
        line = Line(key="line", label="line", x=x, y=x**self.bent * model.step, fixed=("x",))
        point = Points(key="point", x=[0.5], y=[self.dragged], drag=Drag(name="a point"))
        return Scene(
            panels=(
                Panel(key="curve", marks=(line,), alt="The line", **axes),
                Panel(key="points", marks=(point,), alt="The point", **axes),
                Table(key="table", head=("who", "step"), rows=[("MAML", f"{model.step}")]),
                Pad(key="pad", heading="Class A", letter="A", size=120, strokes=self.strokes),
            ),
            controls=(
                Slider(name="step", label="step", value=model.step, high=10, play=50),
                Slider(
                    name="rate", label="inner rate", value=model.rate, low=-3, high=0, step=0.5,
                    log=True, digits=2, beside="curve", help="how long a step is",
                ),
                Choice(name="start", label="from", value=model.start, options=("MAML", "random")),
                Choice(
                    name="wave", label="wave", value=model.wave, options=("one", "two"), menu=True
                ),
                Switch(name="maml", label="MAML", value=model.maml, group="learners"),
                Button(name="bend", label="Bend"),
                Button(name="nothing", label="Undo", enabled=False),
            ),
            tries=(
                Try(label="far", look="Look at the end of the line.", values={"step": 10}),
                Try(label="bent", look="It is bent.", press="bend"),
            ),
            sentence=f"Step {model.step}, rate {model.rate:g}, bent {self.bent:g}.",
            note="A line.",
            code=f"Waves(step={model.step})",
        )  # fmt: skip

    def set(self, name, value):
        if name == "rate" and value == 1:
            raise ValueError("A rate of 1 is too long.")
        super().set(name, value)

    def bend(self):
        self.bent += 1

    def drag(self, key, index, x, y):
        self.dragged = y

    def draw(self, pad, what, points):
        self.strokes = [*self.strokes, points] if what == "stroke" else []


class Waved(Blank):
    def shape(self) -> str:
        """The line, as it will be when it has glided to its place."""
        self.page.wait_for_timeout(200)
        return self.page.locator("[data-key=line] path").first.get_attribute("d")


@pytest.fixture
def blank(new_page):
    blank = Waved(new_page(), Waves())
    yield blank
    assert blank.errors == []


def test_a_control_sends_one_message_and_the_newest_waits(blank):
    blank.role("slider", "inner rate").focus()
    blank.press("ArrowRight", "ArrowLeft", "ArrowLeft")
    assert blank.sent == [{"kind": "set", "name": "rate", "value": pytest.approx(10**-0.5)}]
    blank.answer()
    assert [one["value"] for one in blank.sent] == pytest.approx([10**-0.5, 10**-1.5])
    blank.answer_all()
    assert len(blank.sent) == 2
    assert blank.widget.model.rate == pytest.approx(10**-1.5)
    first, second = (one["id"] for one in blank.messages)
    assert first < second == blank.widget.ack


def test_what_was_done_waits_too_and_in_order(blank):
    blank.role("button", "Bend").dblclick()
    blank.role("slider", "step").focus()
    blank.press("End", "Home")
    blank.role("button", "Bend").click()
    blank.answer_all()
    assert [one["name"] for one in blank.sent] == ["bend", "bend", "step", "bend"]
    assert blank.widget.bent == 4
    assert blank.says() == "Step 0, rate 0.1, bent 4."


def test_a_step_over_recorded_frames_waits_for_nobody(blank):
    flat = blank.shape()
    blank.role("slider", "step").focus()
    blank.press("ArrowRight", "ArrowRight")
    steep = blank.shape()
    assert blank.says() == "Step 5, rate 0.1, bent 1."
    assert blank.page.locator(".one td").inner_text() == "5"
    assert blank.page.locator(".one code").inner_text() == "Waves(step=5)"
    assert steep != flat
    assert len(blank.sent) == 1
    blank.page.wait_for_timeout(400)
    assert not blank.page.locator(".one .ml-busy").is_visible()
    blank.answer_all()
    assert (blank.widget.model.step, blank.shape(), blank.says()) == (
        5, steep, "Step 5, rate 0.1, bent 1.",
    )  # fmt: skip

    # The kernel has answered without columns: those it sent first are of another step.
    blank.role("button", "Bend").click()
    assert (blank.shape(), blank.says()) == (steep, "Step 5, rate 0.1, bent 1.")
    blank.answer(frames=False)
    bent = blank.shape()
    assert bent != steep
    assert blank.says() == "Step 5, rate 0.1, bent 2."
    blank.record()
    assert blank.shape() == bent


def test_recorded_frames_of_another_state_are_not_drawn(blank):
    blank.role("button", "Bend").click()
    blank.role("slider", "step").focus()
    blank.press("End")
    assert blank.says() == "Step 3, rate 0.1, bent 1."
    assert blank.role("slider", "step").get_attribute("aria-valuetext") == "10"
    blank.answer(frames=False)
    assert blank.says() == "Step 3, rate 0.1, bent 2."  # no frame yet
    blank.record()
    assert blank.says() == "Step 10, rate 0.1, bent 2."
    blank.answer()
    assert blank.says() == "Step 10, rate 0.1, bent 2."


def test_a_step_before_the_frames_are_there(blank):
    blank.role("button", "Bend").click()
    blank.answer(frames=False)
    blank.role("slider", "step").focus()
    blank.press("End")
    blank.record()
    blank.answer_all()
    assert blank.says() == "Step 10, rate 0.1, bent 2."
    blank.press("Home")  # frames are right again
    assert blank.says() == "Step 0, rate 0.1, bent 2."


def test_a_control_that_is_held_stays_in_the_hand(blank):
    slider, mouse = blank.role("slider", "inner rate"), blank.page.mouse
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    mouse.move(box["x"] + 0.66 * box["width"], middle)
    mouse.down()
    mouse.move(box["x"] + 0.3 * box["width"], middle, steps=4)
    mouse.move(box["x"] + 5, middle, steps=4)
    blank.drawn()
    assert blank.sent[0]["settled"] is False
    blank.widget.model.rate = 0.1
    blank.answer()
    assert slider.input_value() == "0"
    mouse.up()
    blank.page.wait_for_timeout(50)
    blank.answer_all()
    assert blank.sent[-1] == {"kind": "set", "name": "rate", "value": 0.001}
    assert blank.widget.model.rate == 0.001

    # Let go where it had been taken, the browser itself says nothing of it.
    mouse.move(box["x"] + 8, middle)
    mouse.down()
    mouse.move(box["x"] + 0.5 * box["width"], middle)
    mouse.move(box["x"] + 8, middle)
    mouse.up()
    blank.page.wait_for_timeout(50)
    blank.answer_all()
    assert "settled" not in blank.sent[-1]


def test_a_key_that_repeats_settles_when_it_is_let_go(blank):
    blank.role("slider", "inner rate").focus()
    for _ in range(3):
        blank.page.keyboard.down("ArrowLeft")
        blank.answer_all()
    assert [one.get("settled") for one in blank.sent] == [None, False, False]
    blank.page.keyboard.up("ArrowLeft")
    blank.page.wait_for_timeout(50)
    blank.answer_all()
    assert blank.sent[-1] == {"kind": "set", "name": "rate", "value": pytest.approx(10**-2.5)}


def test_a_refused_value_goes_back_and_the_sentence_says_why(blank):
    slider = blank.role("slider", "inner rate")
    slider.focus()
    blank.press("End")
    assert slider.get_attribute("aria-valuetext") == "1"
    blank.answer_all()
    assert slider.get_attribute("aria-valuetext") == "0.1"
    assert blank.says().startswith("A rate of 1 is too long. Step 3")


def test_two_views_share_one_wire(blank):
    blank.page.evaluate("() => void show('.two')")
    blank.role("slider", "inner rate").focus()
    blank.press("ArrowLeft", "ArrowLeft")
    other = blank.page.locator(".two").get_by_role("slider", name="inner rate")
    assert other.get_attribute("aria-valuetext") == "0.01"
    assert len(blank.sent) == 1
    other.focus()
    blank.press("ArrowLeft")
    blank.answer_all()
    assert [one["value"] for one in blank.sent] == pytest.approx([10**-1.5, 10**-2.5])
    assert blank.says() == blank.says(".two")

    blank.page.evaluate("gone()")
    assert blank.page.locator(".one > *").count() == 0
    other.focus()
    blank.press("ArrowRight")
    blank.answer_all()
    assert blank.says(".two").startswith("Step 3, rate 0.01")


def test_opened_again_it_is_as_it_was(blank):
    blank.role("button", "Bend").click()
    blank.role("slider", "step").focus()
    blank.press("ArrowRight")
    blank.answer_all()
    before = blank.shape(), blank.says()
    blank.open()
    assert (blank.shape(), blank.says()) == before
    blank.role("slider", "step").focus()
    blank.press("ArrowRight")
    assert blank.says() == "Step 5, rate 0.1, bent 2."
    blank.answer_all()
    assert blank.widget.model.step == 5


def test_without_its_kernel_frames_can_be_walked_over_and_the_rest_says_why_not(blank):
    blank.page.evaluate(
        "document.querySelector('.one').classList.add('jupyter-widgets-disconnected')"
    )
    blank.role("slider", "step").focus()
    blank.press("End")
    assert blank.says() == "Step 10, rate 0.1, bent 1."
    blank.role("slider", "inner rate").focus()
    blank.press("ArrowLeft")
    assert "There is no kernel behind this figure" in blank.says()
    assert blank.role("slider", "inner rate").get_attribute("aria-valuetext") == "0.1"
    assert blank.role("slider", "step").get_attribute("aria-valuetext") == "10"
    assert blank.sent == []


def test_a_slow_answer_shows_that_it_is_worked_on(blank):
    busy = blank.page.locator(".one .ml-busy")
    soon = """async button => {
        button.click();
        await new Promise(done => setTimeout(done, 150));
        return document.querySelector(".one .ml-busy").checkVisibility();
    }"""  # timed in the page, where timers keep their order however busy the machine is
    assert not blank.role("button", "Bend").evaluate(soon)
    busy.wait_for(state="visible")
    assert busy.inner_text() == "Working…"
    blank.page.evaluate("news => tell(news)", packed({"progress": 0.4}))
    assert busy.inner_text() == "Working… 40 %"
    blank.answer()
    assert not busy.is_visible()
    busy.wait_for(state="hidden")


def test_by_keyboard_alone(blank):
    """One Tab stop for each control, and each has a name."""
    stops = []
    for _ in range(30):
        blank.page.keyboard.press("Tab")
        stops.append(
            blank.page.evaluate(
                """() => {
                    const at = document.activeElement;
                    return at.labels?.[0]?.textContent || at.getAttribute("aria-label")
                        || at.textContent.slice(0, 20);
                }"""
            )
        )
        if stops[-1] == "Copy":
            break
    assert [one for one in stops if "point" not in one] == [
        "far", "bent", "inner rate", "Undo: Class A", "Clear: Class A", "Example: Class A",
        "step", "Play: step", "MAML", "wave", "MAML", "Bend", "Undo", "Copy",
    ]  # fmt: skip
    assert len(stops) == 15  # and the point

    blank.role("radio", "MAML").focus()
    blank.press("ArrowRight")
    blank.role("combobox", "wave").focus()
    blank.press("t")
    blank.role("checkbox", "MAML").focus()
    blank.press("Space")
    blank.role("button", "Undo").focus()
    blank.press("Enter")  # it is off, and keeps the focus
    assert blank.page.evaluate("document.activeElement.textContent") == "Undo"
    blank.answer_all()
    model = blank.widget.model
    assert (model.start, model.wave, model.maml) == ("random", "two", False)
    assert blank.role("group", "learners").is_visible()
    assert blank.role("group", "from").is_visible()


def test_keys_are_not_also_the_notebooks(blank):
    """JupyterLab asks for this attribute of what has the focus; Ctrl-S stays JupyterLab's."""
    slider = blank.role("slider", "step")
    slider.focus()
    for key, ours in (("ArrowDown", "true"), ("Control+s", "false"), ("Shift+Enter", "false")):
        blank.press(key)
        assert slider.evaluate("it => `${it.hasAttribute('data-lm-suppress-shortcuts')}`") == ours


def test_suggestions_set_a_state_and_say_what_to_look_at(blank):
    far, look = blank.role("button", "far"), blank.page.get_by_text("Look at the end of the line.")
    height = blank.page.locator(".ml-live").bounding_box()["height"]
    assert not look.is_visible()
    far.click()
    blank.answer_all()
    assert look.is_visible()
    assert blank.says() == "Step 10, rate 0.1, bent 1."
    blank.role("button", "bent").click()
    blank.answer_all()
    assert not look.is_visible()
    assert blank.says() == "Step 10, rate 0.1, bent 2."
    assert blank.sent == [{"kind": "try", "index": 0}, {"kind": "try", "index": 1}]
    assert blank.page.locator(".ml-live").bounding_box()["height"] == height


def test_play_walks_to_the_end_and_then_from_the_beginning(blank):
    play = blank.role("button", "Play: step")
    play.click()
    blank.role("button", "Pause: step").wait_for()
    play.wait_for(timeout=5000)
    assert blank.says() == "Step 10, rate 0.1, bent 1."
    blank.answer_all()
    assert (blank.widget.model.step, "settled" in blank.sent[-1]) == (10, False)
    briefly = """async button => {
        button.click();
        await new Promise(done => setTimeout(done, 120));
        button.click();
    }"""
    play.evaluate(briefly)
    blank.page.wait_for_timeout(100)
    blank.answer_all()
    assert 0 < blank.widget.model.step < 6


def test_pads_ink_at_once_with_one_pointer(blank):
    paper = blank.page.locator(".ml-paper")
    box = paper.bounding_box()
    lines = blank.page.locator(".ml-paper polyline")
    mouse = blank.page.mouse
    for y in (0.2, 0.5):
        mouse.move(box["x"] + 0.1 * box["width"], box["y"] + y * box["height"])
        mouse.down()
        mouse.move(box["x"] + 0.9 * box["width"], box["y"] + y * box["height"], steps=5)
        # A palm does not write.
        paper.evaluate(
            "it => it.dispatchEvent(new PointerEvent('pointerdown', { pointerId: 77, button: 0 }))"
        )
        mouse.up()
    assert lines.count() == 2
    assert len(blank.sent) == 1
    blank.answer()
    assert lines.count() == 2  # the kernel knows of one, and the other is on its way
    blank.answer_all()
    assert len(blank.widget.strokes) == lines.count() == 2
    assert blank.widget.strokes[1][0] == pytest.approx([0.1, 0.5], abs=0.02)
    blank.role("button", "Clear: Class A").click()
    blank.answer_all()
    assert lines.count() == 0


def test_pads_by_finger(new_page):
    page = new_page(has_touch=True)
    blank = Waved(page, Waves())
    box = page.locator(".ml-paper").bounding_box()
    at = [{"x": box["x"] + box["width"] * part, "y": box["y"] + 60} for part in (0.2, 0.5, 1.2)]
    client = page.context.new_cdp_session(page)
    for kind, points in (("Start", at[:1]), ("Move", at[1:2]), ("Move", at[2:]), ("End", [])):
        client.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    blank.answer_all()
    (stroke,) = blank.widget.strokes
    assert (stroke[0][0], stroke[-1][0]) == (pytest.approx(0.2, abs=0.02), 1)
    assert page.evaluate("scrollX + scrollY") == 0


def test_a_point_that_is_dragged(blank):
    grip = blank.page.locator(".one").get_by_role("slider").nth(0)
    point = blank.page.locator("[data-key=point]").first
    box = point.bounding_box()
    mouse = blank.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 2, box["y"] - 60, steps=6)
    mouse.up()
    assert point.bounding_box()["y"] < box["y"] - 40  # nobody has answered
    blank.answer_all()
    assert blank.widget.dragged > 2
    assert [one["kind"] for one in blank.sent] == ["drag"] * len(blank.sent)
    assert len(blank.sent) < 6
    assert "settled" not in blank.sent[-1]
    assert grip.count() == 1


def test_arrays_come_as_bytes(new_page):
    class Shades(Live):
        def scene(self) -> Scene:
            axis = Axis(low=0, high=1)
            values = np.linspace(0, 1, 6).reshape(2, 3)
            example = np.full((28, 28), 255, np.uint8)
            return Scene(
                panels=(
                    Panel(key="p", x=axis, y=axis, marks=(Heat(key="heat", values=values),)),
                    Pad(key="pad", heading="Class A", example=example),
                )
            )

    blank = Waved(new_page(), Shades(None))
    assert blank.page.locator(".ml-example").is_visible()
    shades = blank.page.locator("canvas").evaluate(
        "it => new Set(it.getContext('2d').getImageData(0, 0, it.width, it.height).data).size"
    )
    assert shades > 20
    assert blank.errors == []


@pytest.mark.parametrize("width", [400, 650, 830])
def test_controls_and_sentence_are_seen_with_the_first_panel(new_page, width):
    """On a screen of 700 px JupyterLab leaves some 590; other panels may be below."""
    page = new_page(viewport={"width": width, "height": 700})
    blank = Blank(page, Waves())
    assert page.locator(".ml-cell").first.bounding_box()["y"] < 120
    slider = blank.role("slider", "step")
    assert slider.bounding_box()["y"] < 590
    assert blank.page.locator(".ml-sentence").bounding_box()["y"] < 590

    # A width at which panels stand otherwise leaves the focus where it is.
    slider.focus()
    page.set_viewport_size({"width": 1230 - width, "height": 700})
    blank.press("End")
    assert blank.says().startswith("Step 10")


@pytest.mark.parametrize("width", [400, 500, 1000])
def test_nothing_is_cut_and_nothing_moves(new_page, width):
    page = new_page(viewport={"width": width, "height": 700})
    blank = Waved(page, Waves())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = set()
    for key in ("Home", "End", "ArrowLeft"):
        blank.role("slider", "inner rate").focus()
        blank.press(key)
        blank.answer_all()
        blank.role("slider", "step").focus()
        blank.press("End")
        blank.press("Home")
        heights.add(page.locator(".ml-live").bounding_box()["height"])
    assert len(heights) == 1


def test_a_window_of_another_height_leaves_the_sentence_its_room(new_page):
    """A phone's address bar comes and goes while one scrolls."""

    class Talks(Waves):
        def scene(self) -> Scene:
            words = "These are words that take more than one line of a page. "
            return replace(super().scene(), sentence=words * self.model.step)

    def room() -> float:
        blank.drawn()
        return page.locator(".ml-sentence").bounding_box()["height"]

    page = new_page(viewport={"width": 600, "height": 700})
    blank = Blank(page, Talks(step=8))
    tall = room()
    blank.role("slider", "step").focus()
    blank.press("Home")
    blank.answer_all()
    assert blank.says() == ""
    assert room() == tall > 60
    page.set_viewport_size({"width": 600, "height": 640})
    assert room() == tall
    page.set_viewport_size({"width": 580, "height": 640})
    assert room() < tall


def test_the_line_of_code_can_be_copied(new_page):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    blank = Waved(page, Waves())
    blank.role("button", "Copy").click()
    page.get_by_text("Copied").wait_for()
    assert blank.errors == []


def test_recorded(new_page, tmp_path):
    """A file by itself: no kernel, no network, and no control that would need one."""
    widget = Waves()
    record = widget.record(step=..., rate=(0.01, 0.1), start=("random", "MAML"))
    record.write(tmp_path / "it.html")
    assert (widget.model.step, widget.model.rate) == (3, 0.1)
    page = new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"file://{tmp_path}/it.html")
    sentence = page.locator(".ml-sentence")
    page.get_by_text("Step 3, rate 0.1, bent 1.").wait_for()
    assert {one.get_attribute("data-name") for one in page.locator(".ml-control").all()} == {
        "step", "rate", "start",
    }  # fmt: skip
    assert [one.inner_text() for one in page.locator(".ml-chip").all()] == ["far"]
    page.get_by_role("button", name="far").click()
    page.get_by_text("Step 10, rate 0.1, bent 1.").wait_for()
    rate = page.get_by_role("slider", name="inner rate", exact=True)
    rate.focus()
    page.keyboard.press("Home")
    page.get_by_text("Step 10, rate 0.01, bent 1.").wait_for()
    assert rate.get_attribute("max") == "1"
    page.get_by_role("button", name="Play: step").click()
    page.get_by_text("Step 10, rate 0.01").wait_for()
    page.wait_for_timeout(800)
    assert sentence.inner_text() == "Step 10, rate 0.01, bent 1."
    assert page.locator(".ml-pad button:visible").count() == 0
    assert (len(asked), errors) == (1, [])


def test_recorded_gestures(new_page, tmp_path):
    """Buttons and suggestions lead to what was recorded; two figures share one kit."""
    first = Waves().record("bend", "bend", "bent", step=(0, 3, 10))
    second = Waves(start="random").record("bend", step=(3,)).beside_another()
    html = f'<meta charset="utf-8">{second.html}\n{first.html}'
    (tmp_path / "it.html").write_text(html, encoding="utf-8")
    page = new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"file://{tmp_path}/it.html")
    page.locator(".ml-live").nth(1).wait_for()
    other, one = page.locator(".ml-live").all()
    press = one.get_by_role("button", name="Bend", exact=True).click

    def says(words):
        one.get_by_text(words, exact=True).wait_for()

    says("Step 3, rate 0.1, bent 1.")
    flat = one.locator("[data-key=line] path").first.get_attribute("d")
    one.get_by_role("slider", name="step", exact=True).focus()
    page.keyboard.press("End")
    press()
    says("Step 10, rate 0.1, bent 2.")
    assert one.locator("[data-key=line] path").first.get_attribute("d") != flat
    press()
    says("Step 10, rate 0.1, bent 3.")
    press()
    says("Step 10, rate 0.1, bent 2.")  # it goes round
    one.get_by_role("button", name="bent", exact=True).click()
    says("Step 10, rate 0.1, bent 4.")
    one.get_by_role("slider", name="step", exact=True).focus()
    page.keyboard.press("Home")
    says("Step 0, rate 0.1, bent 4.")
    one.get_by_role("button", name="far", exact=True).click()
    says("Step 10, rate 0.1, bent 4.")
    for bent in (2, 1):  # and back
        other.get_by_role("button", name="Bend", exact=True).click()
        other.get_by_text(f"Step 3, rate 0.1, bent {bent}.", exact=True).wait_for()
    assert errors == []


def test_a_recorded_point_goes_to_the_nearest_place(new_page, tmp_path):
    """While it is held, when it is let go, and with an arrow key to the next one that way."""
    widget = Waves()
    places = [("drag", "point", 0, 0.5, y) for y in (1, 4, 7)]
    record = widget.record(*places, step=(3, 10))
    record.write(tmp_path / "it.html")
    page = new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"file://{tmp_path}/it.html")
    point = page.locator(".ml-drag [role=slider]")
    point.focus()

    def stands(y):
        page.wait_for_function(
            "y => document.querySelector('.ml-drag [role=slider]').getAttribute('aria-valuetext')"
            ".includes(y)", arg=str(y),
        )  # fmt: skip

    stands(1)
    for key, y in (("Up", 4), ("Up", 7), ("Up", 7), ("Left", 7), ("Down", 4)):
        page.keyboard.press(f"Arrow{key}")
        page.wait_for_timeout(30)
        stands(y)
    box = point.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    up = page.locator("[data-panel=points] .ml-ground").bounding_box()["height"] / 10
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 5, y - 1.8 * up, steps=4)
    page.mouse.up()
    stands(7)
    page.get_by_role("slider", name="step", exact=True).focus()
    page.keyboard.press("End")
    stands(7)
    assert errors == []
