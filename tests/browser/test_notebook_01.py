"""The training explorer as a reader meets it: notebook 01 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_training_explorer(lab):
    lab.open_notebook("01_supervised_learning.ipynb")
    lab.run_to("TrainingExplorer(")
    figure = lab.figure()
    curve, losses = "the network's curve over x", "training and test loss at each step"

    def changes(gesture, says: str) -> None:
        figure.changes((curve, losses), gesture, says)

    figure.says("After 0 steps on 10 points: training loss")

    # The step slider, from the keyboard.
    figure.control("slider", "step").focus()
    changes(lambda: figure.press("ArrowRight"), "After 1 step on 10 points")
    changes(lambda: figure.press("ArrowRight"), "After 2 steps on 10 points")

    # More points, noise: the network is trained again, and the step stays.
    figure.control("slider", "points").focus()
    changes(lambda: figure.press("ArrowRight"), "After 2 steps on 15 points")
    figure.control("slider", "noise").focus()
    changes(lambda: figure.press("End"), "After 2 steps on 15 points")
    changes(lambda: figure.control("button", "New points").press("Enter"), "After 2 steps on 15")
    changes(lambda: figure.control("button", "New wave").press("Enter"), "After 2 steps on 15")

    # A training point is dragged, and moved by the arrow keys.
    point = figure.point("a training point", 3)
    for gesture in (lambda: figure.drag(point, 30, -20), lambda: figure.press("ArrowUp")):
        before = point.get_attribute("aria-valuetext")
        changes(gesture, "After 2 steps on 15 points")
        assert point.get_attribute("aria-valuetext") != before
        point.focus()

    # So is the step, along the losses.
    changes(lambda: figure.drag(figure.control("slider", "the step").last, 60, 0), "After 1")
    assert "After 1 step " not in figure.sentence

    # Play goes to the end, and from the end to the beginning.
    changes(lambda: figure.control("button", "Play: step").press("Enter"), "After 60 steps")
    changes(lambda: figure.control("button", "Play: step").press("Enter"), "After 1")
    figure.control("button", "Pause: step").press("Enter")

    # What it suggests; a rate that is too large ends in words, not in a traceback.
    changes(lambda: figure.control("button", "Three points").press("Enter"), "60 steps on 3 points")
    changes(
        lambda: figure.control("button", "Too long a step").press("Enter"), "rate of 1 is too large"
    )
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
