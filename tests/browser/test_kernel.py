"""What every widget relies on: its messages are handled one after another, between the cells."""

import pytest

pytestmark = pytest.mark.browser

SOURCE = """
import threading
import ipywidgets

number, press = ipywidgets.FloatText(0), ipywidgets.Button(description="Press")
said = ipywidgets.HTML()


def say(what):
    said.value += f"{what} on {threading.current_thread().name}. "


number.observe(lambda change: say(f"{change['new']:g}"), "value")
press.on_click(lambda _: say("pressed"))
ipywidgets.VBox([number, press, said])
"""


def test_widgets_answer_on_the_thread_that_runs_the_cells(lab):
    """On two, a button overtakes the number above it, and two callbacks draw at once."""
    lab.open_cells(SOURCE)
    lab.run_all()
    said, expected = lab.page.locator(".widget-html-content").first, ""
    for number in (1, 2, 3):
        lab.page.locator(".widget-text input[type=number]").first.fill(str(number))
        lab.button("Press").press("Enter")
        expected += f"{number} on MainThread. pressed on MainThread. "
        lab.wait_for(
            lambda expected=expected: said.inner_text().strip() == expected.strip(),
            lambda: f"the widgets said {said.inner_text()!r}",
        )
