"""The stream player as a reader meets it: notebook 13 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_stream_player(lab):
    lab.open_notebook("13_a_stream_of_tasks.ipynb")
    lab.run_to("StreamPlayer(")
    buffer, curves = lab.picture("The stream and the buffer"), lab.picture("Predictions on this")
    regret = lab.picture("Regret so far.")
    press = lab.page.keyboard.press

    def changes(gesture, says: str, pictures=(buffer, curves, regret)) -> None:
        lab.changes(pictures, gesture, says)

    lab.says("round 1 of 80")

    # The slider, from the keyboard.
    lab.slider("round").focus()
    changes(lambda: press("ArrowRight"), "round 2 of 80")
    changes(lambda: press("End"), "round 80 of 80")
    for image in (buffer, curves, regret):
        assert lab.sentence().inner_text() in image.get_attribute("alt")

    # Another stream, then another learner's buffer on it.
    lab.slider("stream").focus()
    changes(lambda: press("ArrowRight"), "Stream 2, round 80 of 80")
    shown = lab.digest(curves)
    lab.page.locator(".widget-dropdown select").first.select_option("meta-leader")
    lab.says("The buffer of meta-leader holds")
    assert lab.digest(curves) == shown

    # Play begins again where it stands at the end.
    changes(lambda: lab.button("Play").press("Enter"), "round 3 of 80")
    lab.button("Pause").press("Enter")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
