"""The race as a reader meets it: notebook 05 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_race(lab):
    lab.open_notebook("05_first_order_and_friends.ipynb")
    lab.run_to("Race(")
    figure = lab.figure()
    figure.says("At the start nobody has learned anything")

    def changes(gesture, says: str, panel: str = "error over seconds") -> None:
        figure.changes((panel,), gesture, says)

    # The time slider, from the keyboard.
    figure.control("slider", "time").focus()
    changes(lambda: figure.press("ArrowRight"), "leads with")
    changes(lambda: figure.press("End"), "After 20.")

    # The table of leaders is text, and its first row is who the sentence says.
    first_row = figure.el.locator("tbody tr").first.inner_text()
    assert figure.sentence.split(" s ")[1].split(" leads")[0] in first_row

    # The other x-axis, by mouse and by keyboard.
    iterations = figure.control("radio", "iterations")
    iterations.check()
    figure.panel("error over iterations").wait_for()
    figure.press("ArrowLeft")
    figure.panel("error over seconds").wait_for()

    # From the end, Play begins again.
    changes(lambda: figure.control("button", "Play: time").press("Enter"), "After 1.0 s")
    figure.control("button", "Pause: time").press("Enter")

    # What it suggests.
    changes(
        lambda: figure.control("button", "Too close to call").click(), "within the intervals of"
    )
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
