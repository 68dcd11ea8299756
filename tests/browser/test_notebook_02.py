"""The episode builder as a reader meets it: notebook 02 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_episode_builder(lab):
    lab.open_notebook("02_tasks_and_episodes.ipynb")
    lab.run_to("EpisodeBuilder(")
    figure = lab.figure()
    figure.says("5-way 1-shot, meta-training: support 5 drawings, query 15 drawings")

    def changes(gesture, says: str, *panels: str) -> None:
        figure.changes(panels or ("query",), gesture, says)

    def choose(name: str) -> None:
        figure.control("radio", name).check()

    # The request, from the keyboard.
    figure.control("slider", "ways").focus()
    changes(lambda: figure.press("ArrowRight"), "6-way 1-shot", "support", "query")
    figure.control("slider", "shots").focus()
    changes(lambda: figure.press("ArrowRight"), "6-way 2-shot", "support")
    figure.control("slider", "queries").focus()
    changes(lambda: figure.press("ArrowLeft"), "query 12 drawings")
    changes(lambda: figure.control("button", "New episode").press("Enter"), "6-way 2-shot")

    # Who sees what.
    changes(lambda: choose("adapt"), "adapt sees 12 drawings with their labels")
    changes(lambda: choose("predict"), "predict sees 12 drawings without labels")
    assert figure.panel("query").text_content().count("?") == 12
    changes(lambda: choose("the score"), "the score sees 12 labels")
    changes(lambda: choose("all of it"), "all with their labels")

    # What is read of a drawing: its number, and whose it is.
    figure.panel("query").hover(position={"x": 40, "y": 60})
    figure.el.locator(".ml-tip", has_text="label ").wait_for()

    # One alphabet; another split.
    figure.control("checkbox", "one alphabet").focus()
    changes(lambda: figure.press("Space"), "one alphabet")
    changes(lambda: choose("meta-validation"), "meta-validation, one alphabet")

    # What cannot be is said in the package's own sentence, not in a traceback.
    figure.control("slider", "ways").focus()
    changes(lambda: figure.press("End"), "Impossible: num_ways=30 but")
    changes(lambda: figure.press("Home"), "2-way 2-shot")
    changes(lambda: figure.control("button", "What predict sees").click(), "predict sees 15")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
