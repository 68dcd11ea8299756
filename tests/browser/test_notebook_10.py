"""The trajectory explorer as a reader meets it: notebook 10 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_trajectory_explorer(lab):
    lab.open_notebook("10_meta_rl_by_gradient.ipynb")
    lab.run_to("TrajectoryExplorer(")
    figure = lab.figure()
    square = "MAML"

    def changes(gesture, says: str, panels=(square, "average return after each update")) -> None:
        figure.changes(panels, gesture, says)

    figure.says("Goal (0.30, 0.35), after 0 updates")

    # The slider, from the keyboard.
    figure.control("slider", "updates").focus()
    changes(lambda: figure.press("ArrowRight"), "after 1 update: average return of 20 paths MAML −")
    changes(lambda: figure.press("ArrowRight"), "after 2 updates")

    # A click to the left of the middle of the left square; then the goal is dragged.
    changes(lambda: figure.click(square, 0.3, 0.5), "Goal (−0.")
    goal = figure.panel(square).get_by_role("slider", name="the goal", exact=True)
    before = figure.sentence.split(",")[0]
    changes(lambda: figure.drag(goal, 40, -30), "after 2 updates")
    assert figure.sentence.split(",")[0] != before

    # The same without a pointer; what cannot be is said in a sentence.
    goal.focus()
    before = figure.sentence
    changes(lambda: figure.press("ArrowUp"), "after 2 updates")
    lab.wait_for(lambda: figure.sentence != before)
    figure.click(square, 0.02, 0.02)
    figure.says("cannot be a goal")
    changes(lambda: figure.control("button", "Other luck").press("Enter"), "Goal (")

    # Play goes to the end, and from the end to the beginning.
    play = figure.control("button", "Play: updates")
    changes(lambda: play.press("Enter"), "after 3 updates")
    changes(lambda: play.press("Enter"), "after 1 update:")
    figure.control("button", "Pause: updates").press("Enter")
    corner = figure.control("button", "A goal in the corner")
    changes(lambda: corner.press("Enter"), "Goal (0.50, −0.50), after 1 update")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
