"""The landscape as a reader meets it: notebook 03 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_landscape(lab):
    lab.open_notebook("03_maml_mathematics.ipynb")
    lab.run_to("LandscapeExplorer(")
    plane = lab.picture("The plane of θ")
    mouse, press = lab.page.mouse, lab.page.keyboard.press

    def changes(gesture, says: str) -> None:
        lab.changes((plane,), gesture, says)

    lab.says("After 1 inner step at rate 0.5 the meta-loss is")

    # Drag θ with the mouse: the picture follows, and the sentence names the place.
    box = plane.bounding_box()

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def drag() -> None:
        mouse.move(*at(0.6, 0.4))
        mouse.down()
        mouse.move(*at(0.4, 0.6), steps=5)
        mouse.up()

    before = lab.sentence().inner_text()
    changes(drag, "θ = (")
    lab.wait_for(lambda: lab.sentence().inner_text().split(". ")[0] != before.split(". ")[0])
    lab.wait_for(lambda: lab.sentence().inner_text() in plane.get_attribute("alt"))

    # The same without a pointer.
    plane.focus()
    before = lab.sentence().inner_text()
    changes(lambda: press("ArrowRight"), "After 1 inner step")
    lab.wait_for(lambda: lab.sentence().inner_text() != before)

    # The sliders, from the keyboard.
    lab.slider("inner steps").focus()
    changes(lambda: press("ArrowRight"), "After 2 inner steps")
    lab.slider("inner rate").focus()
    changes(lambda: press("End"), "at rate 1 the")

    # Play takes the inner steps one after the other. Without one, Reptile has nowhere to go.
    lab.slider("inner steps").focus()
    changes(lambda: press("Home"), "no direction")
    changes(lambda: lab.button("Play").press("Enter"), "After 10 inner steps")

    # The other surface has other axes and a θ of its own.
    other = lab.page.get_by_role("button", name="not quadratic")
    changes(lambda: other.press("Enter"), "θ = (2.50, 0.50)")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
