"""The in-context explorer as a reader meets it: notebook 09 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_in_context_explorer(lab):
    lab.open_notebook("09_learning_in_context.ipynb")
    lab.run_to("InContextExplorer(")
    figure = lab.figure()
    curves, errors = "curves over x", "error after each point"

    def changes(gesture, says: str, panels=(curves, errors)) -> None:
        figure.changes(panels, gesture, says)

    def press(button: str):
        return lambda: figure.control("button", button).press("Enter")

    figure.says("After reading 5 of 5 points: error MAML")

    # The slider, from the keyboard: points are read again in their order.
    figure.control("slider", "points read").focus()
    changes(lambda: figure.press("Home"), "After reading 0 of 5 points")
    changes(lambda: figure.press("ArrowRight"), "After reading 1 of 5 points")

    # A click is a point where it was made, and everybody answers at once. Off the wave there is
    # no error that could change.
    changes(lambda: figure.click(curves, 0.7, 0.05), "6 of 6 points there is no error", [curves])
    changes(press("Undo point"), "After reading 5 of 5 points: error", [curves])
    changes(press("Shuffle the order"), "After reading 5 of 5")

    # A point is dragged off the wave, moved by the arrow keys and taken away.
    point = figure.point("a point", 2)
    point.focus()
    changes(lambda: figure.press("ArrowRight"), "After reading 5 of 5 points")
    changes(lambda: figure.drag(point, 0, -90), "point 2 lies beside the wave", [curves])
    point.focus()
    changes(lambda: figure.press("Delete"), "After reading 4 of 4 points: error")

    # The same without a pointer: arrow keys move a cross, Enter is a click.
    changes(press("Clear"), "Click on the chart")
    figure.panel(curves).locator(".ml-ground").focus()
    changes(lambda: figure.press("ArrowRight", "Enter"), "reading 1 of 1 point", [curves])
    changes(press("New wave"), "After reading 5 of 5 points")

    # Play begins again where it stands at the end, and ends there.
    changes(press("Play: points read"), "After reading 1 of 5 points")
    figure.says("After reading 5 of 5 points")
    changes(press("A straight line"), "After reading 3 of 3 points there is no error")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
