"""The chooser as a reader meets it: notebook 12 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_chooser(lab):
    lab.open_notebook("12_choosing_how_to_learn.ipynb")
    lab.run_to("Chooser(")
    figure = lab.figure()
    task, beliefs, regret = "the task", "what the agent believes", "regret"

    def changes(gesture, says: str, panels=(task, beliefs, regret)) -> None:
        figure.changes(panels, gesture, says)

    figure.says("Task 1 of 150")

    # The slider, from the keyboard.
    figure.control("slider", "task").focus()
    changes(lambda: figure.press("ArrowRight"), "Task 2 of 150")
    changes(lambda: figure.press("End"), "Task 150 of 150")

    # Exploration and features make another agent; the task stays as it is.
    points = figure.drawn(task)
    figure.control("slider", "exploration").focus()
    changes(lambda: figure.press("Home"), "Task 150 of 150", (beliefs, regret))
    changes(lambda: figure.press("End"), "Task 150 of 150", (beliefs, regret))
    box = figure.el.get_by_role("checkbox").last
    box.focus()
    changes(lambda: figure.press("Space"), "Task 150 of 150", (beliefs, regret))
    assert not box.is_checked()
    assert figure.drawn(task) == points

    # Play begins again where it stands at the end.
    changes(lambda: figure.control("button", "Play: task").press("Enter"), "Task 3 of 150")
    figure.control("button", "Pause: task").press("Enter")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
