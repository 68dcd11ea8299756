"""The trajectory explorer as a reader meets it: notebook 10 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_trajectory_explorer(lab):
    lab.open_notebook("10_meta_rl_by_gradient.ipynb")
    lab.run_to("TrajectoryExplorer(")
    squares, returns = lab.picture("Paths in the plane"), lab.picture("Return after each update")
    press = lab.page.keyboard.press

    def changes(gesture, says: str) -> None:
        lab.changes((squares, returns), gesture, says)

    lab.says("Goal (0.30, 0.35), after 0 updates")

    # The slider, from the keyboard.
    lab.slider("updates").focus()
    changes(lambda: press("ArrowRight"), "after 1 update: average return of 20 paths MAML −")
    changes(lambda: press("ArrowRight"), "after 2 updates")
    for image in (squares, returns):
        assert lab.sentence().inner_text() in image.get_attribute("alt")

    # A click to the left of the middle of the left square.
    squares.scroll_into_view_if_needed()
    box = squares.bounding_box()
    place = box["x"] + 0.27 * box["width"], box["y"] + 0.55 * box["height"]
    changes(lambda: lab.page.mouse.click(*place), "Goal (−0.")

    # The same without a pointer; what cannot be is said in a sentence.
    fields = lab.page.locator(".widget-text input[type=number]")
    fields.nth(0).fill("0.4")
    fields.nth(1).fill("-0.4")
    fields.nth(1).press("Tab")
    changes(lambda: lab.button("Set goal").press("Enter"), "Goal (0.40, −0.40), after 2 updates")
    squares.focus()
    changes(lambda: press("ArrowUp"), "Goal (0.40, −0.35)")
    fields.nth(0).fill("2")
    lab.button("Set goal").press("Enter")
    lab.says("(2, −0.35) cannot be a goal")
    changes(lambda: lab.button("Other luck").press("Enter"), "Goal (0.40, −0.35)")

    # Play goes to the end, and from the end to the beginning.
    changes(lambda: lab.button("Play").press("Enter"), "after 3 updates")
    changes(lambda: lab.button("Play").press("Enter"), "after 1 update:")
    lab.button("Pause").press("Enter")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
