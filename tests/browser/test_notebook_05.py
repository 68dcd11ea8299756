"""The race as a reader meets it: notebook 05 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_race(lab):
    lab.open_notebook("05_first_order_and_friends.ipynb")
    lab.run_to("Race(")
    curves = lab.picture()
    press = lab.page.keyboard.press

    def changes(gesture, says: str) -> None:
        lab.changes((curves,), gesture, says)

    lab.says("At the start nobody has learned anything")

    # The time slider, from the keyboard.
    lab.slider("time").focus()
    changes(lambda: press("ArrowRight"), "leads with")
    changes(lambda: press("End"), "After 20.")
    sentence = lab.sentence().inner_text()
    assert sentence in curves.get_attribute("alt")

    # The table of leaders is text, and its first row is who the sentence says.
    first_row = lab.page.locator(".widget-html tbody tr").first.inner_text()
    assert sentence.split(" s ")[1].split(" leads")[0] in first_row

    # The other x-axis.
    changes(lambda: lab.page.get_by_role("button", name="iterations").first.press("Enter"), "leads")
    lab.wait_for(lambda: "Error over iterations" in curves.get_attribute("alt"))

    # From the end, Play begins again.
    changes(lambda: lab.button("Play").press("Enter"), "After 1.0 s")
    lab.button("Pause").press("Enter")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
