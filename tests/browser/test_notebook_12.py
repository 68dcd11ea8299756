"""The chooser as a reader meets it: notebook 12 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_chooser(lab):
    lab.open_notebook("12_choosing_how_to_learn.ipynb")
    lab.run_to("Chooser(")
    support = lab.picture("Support of the task")
    beliefs, regret = lab.picture("What the agent believes"), lab.picture("Regret so far.")
    press = lab.page.keyboard.press

    def changes(gesture, says: str, pictures=(support, beliefs, regret)) -> None:
        lab.changes(pictures, gesture, says)

    lab.says("Task 1 of 150")

    # The slider, from the keyboard.
    lab.slider("task").focus()
    changes(lambda: press("ArrowRight"), "Task 2 of 150")
    changes(lambda: press("End"), "Task 150 of 150")
    for image in (support, beliefs, regret):
        assert lab.sentence().inner_text() in image.get_attribute("alt")

    # Exploration and features make another agent; the task stays as it is.
    points = lab.digest(support)
    lab.slider("exploration").focus()
    changes(lambda: press("Home"), "Task 150 of 150", (beliefs, regret))
    changes(lambda: press("End"), "Task 150 of 150", (beliefs, regret))
    box = lab.page.locator(".widget-checkbox input[type=checkbox]").last
    box.focus()
    changes(lambda: press("Space"), "Task 150 of 150", (beliefs, regret))
    assert not box.is_checked()
    assert lab.digest(support) == points

    # Play begins again where it stands at the end.
    changes(lambda: lab.button("Play").press("Enter"), "Task 3 of 150")
    lab.button("Pause").press("Enter")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
