"""Draw your own as a reader meets it: notebook 08 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_draw_your_own_in_its_notebook(lab):
    """That it runs, and answers without a stroke; how one draws is tested with the widget."""
    lab.open_notebook("08_maml_on_omniglot.ipynb")
    lab.run_to("DrawYourOwn(")
    bars = lab.picture("Probabilities as bars.")
    lab.says("Draw class A first")
    lab.changes((bars,), lambda: lab.button("Examples for all").press("Enter"), "MAML")
    assert "prototypical" in bars.get_attribute("alt")
    lab.button("Clear all").press("Enter")
    lab.says("Draw class A first")
