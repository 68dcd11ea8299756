"""The poison slider as a reader meets it: notebook 14 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_poison_slider(lab):
    lab.open_notebook("14_robust_private_unlabelled.ipynb")
    lab.run_to("PoisonSlider(")
    both = lab.picture("Support images"), lab.picture("Decisions")
    press = lab.page.keyboard.press

    def changes(gesture, says: str) -> None:
        lab.changes(both, gesture, says)

    lab.says("Every label is right. Of 25 queries")

    # The share, from the keyboard; its value stands beside it as text.
    lab.slider("wrong labels").focus()
    changes(lambda: press("End"), "40 % of the labels are wrong, 4 of 10 in each class")
    changes(lambda: press("ArrowLeft"), "30 % of the labels are wrong, 3 of 10 in each class")
    lab.says("all say the next class")
    assert "30 %" in lab.page.locator(".widget-slider .widget-readout").first.inner_text()
    for image in both:
        assert lab.sentence().inner_text() in image.get_attribute("alt")

    # Kind and place.
    choose = lab.page.locator(".widget-dropdown select")
    changes(lambda: choose.nth(0).select_option("random"), "each says any other class")
    changes(lambda: choose.nth(1).select_option("edge"), "the least typical ones")

    # Another task: other characters, the same share of wrong labels.
    changes(lambda: lab.button("New task").press("Enter"), "30 % of the labels are wrong")
    lab.slider("wrong labels").focus()
    changes(lambda: press("Home"), "Every label is right.")

    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
