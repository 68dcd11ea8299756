"""The embedding explorer as a reader meets it: notebook 07 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_embedding_explorer(lab):
    lab.open_notebook("07_learning_a_metric.ipynb")
    lab.run_to("EmbeddingExplorer(")
    pictures = lab.picture("their places in the embedding"), lab.picture("Distances of query")
    press = lab.page.keyboard.press

    lab.slider("training").focus()
    lab.changes(pictures, lambda: press("ArrowRight"), "After 5 iterations")
    lab.changes(pictures, lambda: press("End"), "After 200 iterations")
    lab.slider("query").focus()
    lab.changes(pictures, lambda: press("Home"), "Query 1 is")
    lab.changes(pictures, lambda: press("ArrowRight"), "Query 2 is")
    lab.changes(pictures, lambda: lab.button("New episode").press("Enter"), "After 200 iterations")
