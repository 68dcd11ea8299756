"""The training explorer as a reader meets it: notebook 01 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_training_explorer(lab):
    lab.open_notebook("01_supervised_learning.ipynb")
    lab.run_to("TrainingExplorer(")
    curve, losses = lab.picture("curve over x"), lab.picture("Training and test loss")
    press = lab.page.keyboard.press

    def changes(gesture, says: str) -> None:
        lab.changes((curve, losses), gesture, says)

    lab.says("After 0 steps on 10 points: training loss")

    # The step slider, from the keyboard.
    lab.slider("step").focus()
    changes(lambda: press("ArrowRight"), "After 1 step on 10 points")
    changes(lambda: press("ArrowRight"), "After 2 steps on 10 points")
    for image in (curve, losses):
        assert lab.sentence().inner_text() in image.get_attribute("alt")

    # More points, noise: the network is trained again, and the step stays.
    lab.slider("points").focus()
    changes(lambda: press("ArrowRight"), "After 2 steps on 15 points")
    lab.slider("noise").focus()
    changes(lambda: press("End"), "After 2 steps on 15 points")
    changes(lambda: lab.button("New points").press("Enter"), "After 2 steps on 15 points")
    changes(lambda: lab.button("New wave").press("Enter"), "After 2 steps on 15 points")

    # Play goes to the end, and from the end to the beginning.
    changes(lambda: lab.button("Play").press("Enter"), "After 60 steps")
    changes(lambda: lab.button("Play").press("Enter"), "After 1")
    lab.button("Pause").press("Enter")

    # A rate that is too large ends in words, not in a traceback.
    lab.slider("learning rate").focus()
    changes(lambda: press("End"), "rate of 1 is too large")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
