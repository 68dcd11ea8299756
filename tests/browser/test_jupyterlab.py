"""Every widget in a real JupyterLab: it is shown, it answers, and nothing fails.

All that can be done with each of them is tried on a blank page (test_every_widget.py), and with the
learners of its notebook by `make test-lab`.
"""

from pathlib import Path

import pytest
from widgets.kit.test_scenes import WIDGETS

pytestmark = pytest.mark.browser

TESTS = Path(__file__).parents[1]
SETUP = f"""
import importlib, sys
sys.path.insert(0, {str(TESTS)!r})
from widgets.kit.test_scenes import WIDGETS
"""
WIDGET = """WIDGETS["{0}"](importlib.import_module("widgets.test_{0}"))"""


def test_every_widget_is_shown_and_answers(lab):
    lab.open_cells(SETUP, *(WIDGET.format(name) for name in WIDGETS))
    lab.run_all()
    for number, name in enumerate(WIDGETS):
        figure = lab.figure(number)
        before = figure.el.inner_text()
        controls = figure.el.locator("input[type=range]:visible, .ml-chip:visible")
        controls.first.focus()
        figure.press("Enter" if controls.first.evaluate("it => it.tagName") == "BUTTON" else "End")
        lab.wait_for(lambda f=figure, old=before: f.el.inner_text() != old, lambda n=name: n, 20)
    kinds = [output["output_type"] for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in kinds
    assert kinds.count("execute_result") == len(WIDGETS)
