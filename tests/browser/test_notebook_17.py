"""The diversity dial as a reader meets it: notebook 17 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_diversity_dial(lab):
    lab.open_notebook("17_what_came_next.ipynb")
    lab.run_to("DiversityDial(")
    figure = lab.figure()
    counts, whose, reading = (
        "after so many examples",
        "whose answers?",
        "with so many training tasks",
    )

    def changes(gesture, says: str, panels=(counts, whose, reading)) -> None:
        figure.changes(panels, gesture, says)

    figure.says("Trained on 2 tasks. After 10 examples")

    # The number of training tasks, from the keyboard; its value stands beside it as text.
    tasks = figure.control("slider", "training tasks")
    tasks.focus()
    changes(lambda: figure.press("End"), "Trained on 4,096 tasks. After 10 examples")
    assert tasks.get_attribute("aria-valuetext") == "4,096"
    figure.says("it learns the task")
    changes(lambda: figure.press("Home"), "Trained on 2 tasks.")
    figure.says("it knows its list")

    # Fewer examples: their number moves both curves of errors.
    figure.control("slider", "examples read").focus()
    changes(lambda: figure.press("ArrowLeft"), "After 9 examples")

    # A suggestion sets both.
    changes(lambda: figure.control("button", "The longest list").press("Enter"), "4,096 tasks")
    figure.says("After 10 examples")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
