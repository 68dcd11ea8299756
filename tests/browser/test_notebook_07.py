"""The embedding explorer as a reader meets it: notebook 07 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_embedding_explorer(lab):
    lab.open_notebook("07_learning_a_metric.ipynb")
    lab.run_to("EmbeddingExplorer(")
    figure = lab.figure()
    page = "letter: prototype · framed: wrong"

    def changes(gesture, says: str) -> None:
        figure.changes([page], gesture, says)

    figure.control("slider", "training").focus()
    changes(lambda: figure.press("ArrowRight"), "After 5 iterations")
    changes(lambda: figure.press("End"), "After 200 iterations")
    figure.control("slider", "query").focus()
    figure.press("Home")
    figure.says("Query 1 is")
    changes(lambda: figure.press("ArrowRight"), "Query 2 is")

    # A drawing is picked where it is, by mouse and by keyboard.
    drawing = figure.panel(page).get_by_role("button", name="query 5: ").first
    changes(lambda: drawing.click(force=True), "Query 5 is")
    drawing.focus()
    changes(lambda: figure.press("ArrowRight", "Enter"), "Query ")
    assert "Query 5 is" not in figure.sentence
    new = figure.control("button", "New episode")
    changes(lambda: new.press("Enter"), "After 200 iterations")
