"""The adaptation explorer as a reader meets it: notebook 04 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_adaptation_explorer(lab):
    lab.open_notebook("04_maml_on_sinusoids.ipynb")
    lab.run_all()
    curves, errors = lab.picture("Curves over x"), lab.picture("Error at each step")
    press = lab.page.keyboard.press

    def changes(gesture, says: str) -> None:
        lab.changes((curves, errors), gesture, says)

    lab.says("After 0 steps on 5 points: query error MAML")

    # The step slider, from the keyboard.
    lab.slider("step").focus()
    changes(lambda: press("ArrowRight"), "After 1 step on 5 points")
    changes(lambda: press("ArrowRight"), "After 2 steps on 5 points")
    for image in (curves, errors):
        assert lab.sentence().inner_text() in image.get_attribute("alt")

    # A click on the left chart is a point on the wave.
    box = curves.bounding_box()
    place = box["x"] + 0.7 * box["width"], box["y"] + 0.6 * box["height"]
    changes(lambda: lab.page.mouse.click(*place), "on 6 points")

    # The same without a pointer; what cannot be is said in a sentence.
    lab.page.locator(".widget-text input[type=number]").first.fill("7")
    lab.button("Add point").press("Enter")
    lab.says("x = 7 is not on the chart")
    changes(lambda: lab.button("Clear").press("Enter"), "Click on the chart")
    changes(lambda: lab.button("New points").press("Enter"), "After 2 steps on 5 points")

    # Play goes to the end, and from the end to the beginning.
    changes(lambda: lab.button("Play").press("Enter"), "After 10 steps")
    changes(lambda: lab.button("Play").press("Enter"), "After 1 step")
    lab.button("Pause").press("Enter")

    # A step that is too long ends in words, not in a traceback.
    lab.slider("inner rate").focus()
    changes(lambda: press("End"), "off the chart")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
