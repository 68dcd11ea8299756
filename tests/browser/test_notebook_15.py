"""The bug lab as a reader meets it: notebook 15 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_bug_lab(lab):
    lab.open_notebook("15_bug_clinic.ipynb")
    lab.run_to("BugLab(")
    all_three = [lab.picture(name) for name in ("Reported loss.", "Gradient check.", "Scores.")]
    press = lab.page.keyboard.press

    def switch(label):
        return lab.page.locator(".widget-checkbox", has_text=label).locator("input")

    def changes(gesture, says: str, pictures=all_three) -> None:
        lab.changes(pictures, gesture, says)

    lab.says("All three agree: healthy.")

    # A bug, from the keyboard: all three pictures are of its training.
    switch("θ + η∇L").focus()
    changes(lambda: press("Space"), "Switched on: θ + η∇L. The reported loss runs away")
    for image in all_three:
        assert lab.sentence().inner_text() in image.get_attribute("alt")

    # Another in its place; the gradient checked elsewhere.
    changes(lambda: lab.button("All off").press("Enter"), "No bug is switched on.")
    changes(lambda: switch("no create_graph").click(), "Gradient check at a random start: cosine 0")
    place = lab.page.locator(".widget-dropdown select")
    changes(lambda: place.select_option("a trained start"), "at a trained start", all_three[1:2])

    # A mystery: the pictures are of what is hidden, and the switches are a guess.
    lab.button("Mystery").press("Enter")
    lab.says("A mystery:")
    assert lab.page.locator(".widget-checkbox input:checked").count() == 0
    before = [lab.digest(picture) for picture in all_three]
    switch("no create_graph").click()
    switch("no zero_grad").click()
    lab.button("That is my guess").press("Enter")
    lab.wait_for(
        lambda: any(
            words in lab.sentence().inner_text() for words in ("Not yet:", "Right. It was:")
        )
    )
    assert [lab.digest(picture) for picture in all_three] == before
    if "Not yet:" in lab.sentence().inner_text():
        lab.button("Reveal").press("Enter")
        lab.says("It was:")

    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
