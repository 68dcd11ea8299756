"""The poison slider as a reader meets it: notebook 14 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_poison_slider(lab):
    lab.open_notebook("14_robust_private_unlabelled.ipynb")
    lab.run_to("PoisonSlider(")
    figure = lab.figure()
    both = ("support", "decisions")

    def changes(gesture, says: str, panels=both) -> None:
        figure.changes(panels, gesture, says)

    figure.says("Every label is right. Of 25 queries")

    # The share, from the keyboard; its value stands beside it as text.
    share = figure.control("slider", "wrong labels")
    share.focus()
    changes(lambda: figure.press("End"), "40 % of the labels are wrong, 4 of 10 in each class")
    changes(lambda: figure.press("ArrowLeft"), "30 % of the labels are wrong, 3 of 10", both[:1])
    assert share.get_attribute("aria-valuetext") == "30 %"
    figure.says("all say the next class")

    # Kind and place.
    def choose(option: str):
        return lambda: figure.control("radio", option).check(force=True)

    changes(choose("random"), "each says any other class")
    changes(choose("edge"), "the least typical ones")

    # Another task: other characters, the same share of wrong labels.
    new = figure.control("button", "New task")
    changes(lambda: new.press("Enter"), "30 % of the labels are wrong", both[1:])
    share.focus()
    changes(lambda: figure.press("Home"), "Every label is right.")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
