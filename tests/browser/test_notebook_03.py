"""The landscape as a reader meets it: notebook 03 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_landscape(lab):
    lab.open_notebook("03_maml_mathematics.ipynb")
    lab.run_to("LandscapeExplorer(")
    figure = lab.figure()
    theta = figure.el.get_by_role("slider", name="θ", exact=True)

    def changes(gesture, says: str) -> None:
        figure.changes(["the plane of θ"], gesture, says)

    figure.says("After 1 inner step at rate 0.5 the meta-loss is")

    # Drag θ with the mouse: the picture follows, and the sentence names the place.
    before = figure.sentence
    changes(lambda: figure.drag(theta, -120, 80), "θ = (")
    lab.wait_for(lambda: figure.sentence.split(". ")[0] != before.split(". ")[0])

    # The same without a pointer.
    theta.focus()
    before = figure.sentence
    changes(lambda: figure.press("ArrowRight"), "After 1 inner step")
    lab.wait_for(lambda: figure.sentence != before)

    # The sliders, from the keyboard.
    figure.control("slider", "inner steps").focus()
    changes(lambda: figure.press("ArrowRight"), "After 2 inner steps")
    figure.control("slider", "inner rate").focus()
    changes(lambda: figure.press("End"), "at rate 1 the")

    # Play takes the inner steps one after the other. Without one, Reptile has nowhere to go.
    figure.control("slider", "inner steps").focus()
    changes(lambda: figure.press("Home"), "no direction")
    changes(
        lambda: figure.control("button", "Play: inner steps").press("Enter"), "After 10 inner steps"
    )

    # The other surface has other axes and a θ of its own; so has what is suggested.
    changes(lambda: figure.control("radio", "not quadratic").check(force=True), "θ = (2.50, 0.50)")
    changes(lambda: figure.control("button", "A tiny inner rate").press("Enter"), "at rate 0.02")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
