"""The adaptation explorer as a reader meets it: notebook 04 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_adaptation_explorer(lab):
    lab.open_notebook("04_maml_on_sinusoids.ipynb")
    lab.run_to("AdaptationExplorer(")
    figure = lab.figure()
    curves, errors = "curves over x", "error at each step"

    def changes(gesture, says: str, panels=(curves, errors)) -> None:
        figure.changes(panels, gesture, says)

    def press(button: str):
        return lambda: figure.control("button", button).press("Enter")

    figure.says("After 0 steps on 5 points: query error MAML")

    # The step slider, from the keyboard.
    figure.control("slider", "step").focus()
    changes(lambda: figure.press("ArrowRight"), "After 1 step on 5 points")
    changes(lambda: figure.press("ArrowRight"), "After 2 steps on 5 points")

    # A click on the left chart is a point on the wave; a drag moves it, and adds none.
    changes(lambda: figure.click(curves, 0.7, 0.1), "on 6 points")
    point = figure.point("a point", 6)
    before = point.get_attribute("aria-valuetext")
    changes(lambda: figure.drag(point, -60, 10), "on 6 points")
    assert point.get_attribute("aria-valuetext") != before
    point.focus()
    changes(lambda: figure.press("Delete"), "on 5 points")

    # The same without a pointer: arrow keys move a cross, Enter is a click.
    changes(press("Clear"), "Click on the chart", [curves])
    figure.panel(curves).locator(".ml-ground").focus()
    changes(lambda: figure.press("ArrowRight", "Enter"), "on 1 point", [curves])
    changes(press("New points"), "After 2 steps on 5 points")

    # Play goes to the end, and from the end to the beginning.
    changes(press("Play: step"), "After 10 steps")
    changes(press("Play: step"), "After 1 step")
    press("Pause: step")()

    # A step that is too long ends in words, not in a traceback.
    figure.control("slider", "inner rate").focus()
    changes(lambda: figure.press("End"), "off the chart")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
