"""Draw your own on a folder's images, as a reader meets it: notebook 16 in JupyterLab."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_draw_your_own_on_a_folders_images(lab):
    """It begins with three of the folder's classes; one is made the reader's by drawing over it."""
    lab.open_notebook("16_libraries_and_scale.ipynb")
    lab.run_to("DrawYourOwn(")
    figure = lab.figure()
    figure.says("Now draw the query")
    figure.control("button", "Example: Query").press("Enter")
    figure.says("It is class")
    figure.says("elastic says")

    figure.control("button", "Clear: Class B").press("Enter")
    figure.says("Draw class B first")
    paper = figure.el.locator(".ml-pad", has_text="Class B").locator(".ml-paper")
    paper.scroll_into_view_if_needed()
    box, mouse = paper.bounding_box(), lab.page.mouse
    middle = box["x"] + box["width"] / 2
    mouse.move(middle, box["y"] + box["height"] / 4)
    mouse.down()
    mouse.move(middle, box["y"] + 3 * box["height"] / 4, steps=4)
    mouse.up()
    figure.says("The query: prototypical says")

    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
