"""The episode builder as a reader meets it: notebook 02 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_episode_builder(lab):
    lab.open_notebook("02_tasks_and_episodes.ipynb")
    lab.run_to("EpisodeBuilder(")
    pictures = (lab.picture("support and query"),)
    press = lab.page.keyboard.press

    def choose(name: str) -> None:
        lab.page.get_by_role("button", name=name, exact=True).first.press("Enter")

    lab.says("5-way 1-shot, meta-training: support 5 drawings, query 15 drawings")

    # The request, from the keyboard.
    lab.slider("ways").focus()
    lab.changes(pictures, lambda: press("ArrowRight"), "6-way 1-shot")
    lab.slider("shots").focus()
    lab.changes(pictures, lambda: press("ArrowRight"), "6-way 2-shot")
    lab.slider("queries").focus()
    lab.changes(pictures, lambda: press("ArrowLeft"), "query 12 drawings")
    lab.changes(pictures, lambda: lab.button("New episode").press("Enter"), "6-way 2-shot")
    assert lab.sentence().inner_text() in pictures[0].get_attribute("alt")

    # Who sees what.
    lab.changes(pictures, lambda: choose("adapt"), "adapt sees 12 drawings with their labels")
    lab.changes(pictures, lambda: choose("predict"), "predict sees 12 drawings without labels")
    lab.changes(pictures, lambda: choose("the score"), "the score sees 12 labels")
    lab.changes(pictures, lambda: choose("all of it"), "all with their labels")

    # One alphabet, by the checkbox; another split.
    box = lab.page.locator(".widget-checkbox input").first
    box.focus()
    lab.changes(pictures, lambda: press("Space"), "one alphabet")
    lab.changes(pictures, lambda: choose("meta-validation"), "meta-validation, one alphabet")

    # What cannot be is said in the package's own sentence, not in a traceback.
    lab.slider("ways").focus()
    lab.changes(pictures, lambda: press("End"), "Impossible: num_ways=30 but")
    lab.changes(pictures, lambda: press("Home"), "2-way 2-shot")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
