"""The draw-your-own widget as a reader meets it: by mouse, by pen and by keyboard."""

import pytest
from playwright.sync_api import Locator

from metalearn_lite.widgets.draw import EXAMPLE_CLASSES, EXAMPLE_QUERY

pytestmark = pytest.mark.browser

SOURCE = """
from metalearn_lite import checkpoints
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.widgets.draw import DrawYourOwn

names = {"ProtoNet": "omniglot-protonet", "MAML": "omniglot-maml"}
learners = {name: checkpoints.load(file) for name, file in names.items()}
DrawYourOwn(learners, {"characters": Glyphs(1, 8, 4)})
"""


@pytest.fixture
def widget(lab):
    """The widget in a notebook of its own."""
    lab.open_cells(SOURCE)
    lab.run_all()
    return lab


def pad(lab, heading: str) -> Locator:
    found = lab.page.locator(".ml-pad", has_text=heading)
    found.scroll_into_view_if_needed()
    return found


def places(paper: Locator, points) -> list[tuple[float, float]]:
    box = paper.bounding_box()
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]


def draw(lab, heading: str, strokes) -> None:
    """With the mouse."""
    mouse, paper = lab.page.mouse, pad(lab, heading).locator(".ml-paper")
    for stroke in strokes:
        first, *others = places(paper, stroke)
        mouse.move(*first)
        mouse.down()
        for place in others:
            mouse.move(*place, steps=3)
        mouse.up()


def shows(lab, heading: str, what: str) -> None:
    paper = pad(lab, heading).locator(".ml-paper")
    lab.wait_for(
        lambda: paper.get_attribute("aria-label") == f"{heading}: {what}",
        lambda: f"{paper.get_attribute('aria-label')!r} is not {what!r}",
    )


def test_by_mouse_and_pen(widget):
    lab, figure = widget, widget.figure()
    figure.says("Draw class A first: it has no ink.")
    for letter, strokes in zip("ABC", EXAMPLE_CLASSES, strict=True):
        draw(lab, f"Class {letter}", strokes)
    figure.says("Now draw the query")
    shows(lab, "Class C", "3 strokes")

    draw(lab, "Query", EXAMPLE_QUERY[:2])
    figure.says("ProtoNet says A")
    touch(lab, "Query", EXAMPLE_QUERY[2])
    figure.says("ProtoNet says B")
    figure.says("MAML says")

    figure.control("button", "Undo: Query").click()
    figure.says("ProtoNet says A")
    figure.control("button", "Clear: Class B").click()
    figure.says("Draw class B first: it has no ink.")


def touch(lab, heading: str, stroke) -> None:
    """With a finger. A stroke that ends beyond the paper is kept, and the page does not scroll."""
    paper = pad(lab, heading).locator(".ml-paper")
    top = paper.bounding_box()["y"]
    session = lab.page.context.new_cdp_session(lab.page)
    for kind, place in zip(
        ("touchStart", *["touchMove"] * (len(stroke) - 1)), places(paper, stroke), strict=True
    ):
        points = [{"x": place[0], "y": place[1]}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        lab.page.wait_for_timeout(50)  # a busy page would hear of some of them only
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    shows(lab, heading, "3 strokes")
    assert paper.bounding_box()["y"] == top


def test_by_keyboard(widget):
    lab, figure = widget, widget.figure()
    figure.control("slider", "classes").focus()
    figure.press("ArrowLeft")
    figure.control("button", "Undo: Class A").focus()
    for what in ("Clear: Class A", "Example: Class A", "Undo: Class B", "Clear: Class B"):
        figure.press("Tab")
        assert lab.page.evaluate("document.activeElement.getAttribute('aria-label')") == what
    figure.press("Tab", "Enter")
    shows(lab, "Class B", "an example")
    figure.says("Draw class A first: it has no ink.")
    figure.control("button", "Examples for all").press("Enter")
    figure.says("It is class")
    shows(lab, "Query", "an example")
