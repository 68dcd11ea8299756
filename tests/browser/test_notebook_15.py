"""The bug lab as a reader meets it: notebook 15 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_bug_lab(lab):
    lab.open_notebook("15_bug_clinic.ipynb")
    lab.run_to("BugLab(")
    figure = lab.figure()
    cosine = "cosine to finite differences"
    panels = ("reported loss", cosine, "score (low is good)")

    def press(button: str):
        return lambda: figure.control("button", button).press("Enter")

    def changes(gesture, says: str, panels=panels) -> None:
        figure.changes(panels, gesture, says)

    figure.says("All three agree: healthy.")

    # A bug, from the keyboard: all panels are of its training.
    figure.control("checkbox", "θ + η∇L").focus()
    changes(lambda: figure.press("Space"), "Switched on: θ + η∇L. The reported loss runs away")

    # Another in its place; the gradient checked elsewhere.
    changes(press("All off"), "No bug is switched on.")
    create_graph = figure.control("checkbox", "no create_graph")
    changes(create_graph.click, "Gradient check at a random start: cosine 0")
    place = figure.control("combobox", "gradient checked at")
    changes(lambda: place.select_option("a trained start"), "at a trained start", [cosine])

    # A mystery: the panels are of what is hidden, and the switches are a guess.
    press("Mystery")()
    figure.says("A mystery:")
    assert figure.el.locator("input:checked").count() == 0
    before = [figure.drawn(panel) for panel in panels]
    create_graph.click()
    figure.control("checkbox", "no zero_grad").click()
    press("That is my guess")()
    lab.wait_for(lambda: any(words in figure.sentence for words in ("Not yet:", "Right. It was:")))
    assert [figure.drawn(panel) for panel in panels] == before
    if "Not yet:" in figure.sentence:
        press("Reveal")()
        figure.says("It was:")

    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
