"""The stream player as a reader meets it: notebook 13 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_stream_player(lab):
    lab.open_notebook("13_a_stream_of_tasks.ipynb")
    lab.run_to("StreamPlayer(")
    figure = lab.figure()
    buffer, curves, regret = "the stream", "this round", "regret"

    def changes(gesture, says: str, panels=(buffer, curves, regret)) -> None:
        figure.changes(panels, gesture, says)

    figure.says("round 1 of 80")

    # The slider, from the keyboard.
    figure.control("slider", "round").focus()
    changes(lambda: figure.press("ArrowRight"), "round 2 of 80")
    changes(lambda: figure.press("End"), "round 80 of 80")

    # Another stream, then another learner's buffer on it.
    figure.control("slider", "stream").focus()
    changes(lambda: figure.press("ArrowRight"), "Stream 2, round 80 of 80")
    shown = figure.drawn(curves)
    figure.control("combobox", "buffer of").select_option("meta-leader")
    figure.says("The buffer of meta-leader holds")
    assert figure.drawn(curves) == shown

    # Play begins again where it stands at the end; the first jump is a suggestion.
    changes(lambda: figure.control("button", "Play: round").press("Enter"), "round 3 of 80")
    figure.control("button", "Pause: round").press("Enter")
    changes(lambda: figure.control("button", "The first jump").press("Enter"), "Stream 2, round ")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
