"""The in-context explorer as a reader meets it: notebook 09 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_in_context_explorer(lab):
    lab.open_notebook("09_learning_in_context.ipynb")
    lab.run_to("InContextExplorer(")
    curves, errors = lab.picture("Curves over x"), lab.picture("Error after each point")
    press = lab.page.keyboard.press

    def changes(gesture, says: str) -> None:
        lab.changes((curves, errors), gesture, says)

    lab.says("After reading 5 of 5 points: error MAML")

    # The slider, from the keyboard: points are read again in their order.
    lab.slider("points read").focus()
    changes(lambda: press("Home"), "After reading 0 of 5 points")
    changes(lambda: press("ArrowRight"), "After reading 1 of 5 points")
    for image in (curves, errors):
        assert lab.sentence().inner_text() in image.get_attribute("alt")

    # A click is a point where it was made, and everybody answers at once.
    curves.scroll_into_view_if_needed()  # the slider's focus may have scrolled it away
    box = curves.bounding_box()
    place = box["x"] + 0.7 * box["width"], box["y"] + 0.6 * box["height"]
    changes(lambda: lab.page.mouse.click(*place), "After reading 6 of 6 points")
    changes(lambda: lab.button("Shuffle the order").press("Enter"), "After reading 6 of 6")

    # The same without a pointer; what cannot be is said in a sentence.
    lab.button("Undo point").press("Enter")
    lab.says("After reading 5 of 5 points")
    fields = lab.page.locator(".widget-text input[type=number]")
    fields.first.fill("7")
    lab.button("Add point").press("Enter")
    lab.says("x = 7 is not on the chart")
    changes(lambda: lab.button("Clear").press("Enter"), "Click on the chart")
    fields.first.fill("1.5")
    changes(lambda: lab.button("Add point").press("Enter"), "After reading 1 of 1 point:")
    changes(lambda: lab.button("New wave").press("Enter"), "After reading 5 of 5 points")

    # Play begins again where it stands at the end, and ends there.
    changes(lambda: lab.button("Play").press("Enter"), "After reading 1 of 5 points")
    lab.says("After reading 5 of 5 points")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
