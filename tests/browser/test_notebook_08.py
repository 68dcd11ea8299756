"""Draw your own as a reader meets it: notebook 08 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_draw_your_own_in_its_notebook(lab):
    """That it runs, and answers without a stroke; how one draws is tested with the widget."""
    lab.open_notebook("08_maml_on_omniglot.ipynb")
    lab.run_to("DrawYourOwn(")
    figure = lab.figure()
    figure.says("Draw class A first")
    figure.control("button", "Examples for all").press("Enter")
    figure.says("prototypical says")
    figure.says("MAML says")
    figure.control("button", "Clear all").press("Enter")
    figure.says("Draw class A first")
