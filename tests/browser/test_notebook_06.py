"""The episode viewer as a reader meets it: notebook 06 in JupyterLab in Chromium."""

import pytest

pytestmark = pytest.mark.browser


def test_episode_viewer(lab):
    lab.open_notebook("06_few_shot_characters.ipynb")
    lab.run_to("EpisodeViewer(")
    picture = lab.picture("An episode, a column for each class")
    press = lab.page.keyboard.press

    def changes(gesture, says: str) -> None:
        lab.changes((picture,), gesture, says)

    lab.says("Episode 1, 5-way 1-shot, all alphabets, mixed. pixels")

    # By the picture's own keys, and by button.
    picture.focus()
    changes(lambda: press("ArrowRight"), "Episode 2, 5-way")
    changes(lambda: press("ArrowLeft"), "Episode 1, 5-way")
    changes(lambda: lab.button("Next episode").press("Enter"), "Episode 2, 5-way")
    assert lab.sentence().inner_text() in picture.get_attribute("alt")

    # Sliders and choices from the keyboard.
    lab.slider("ways").focus()
    changes(lambda: press("ArrowRight"), "Episode 2, 6-way 1-shot")
    lab.slider("shots").focus()
    changes(lambda: press("ArrowRight"), "Episode 2, 6-way 2-shot")
    learner, source = (
        lab.page.locator(".widget-dropdown", has_text=text).first.locator("select")
        for text in ("learner", "classes from")
    )
    changes(lambda: learner.select_option("SimpleShot"), "SimpleShot: ")
    changes(lambda: source.select_option("one alphabet per episode"), "one alphabet per episode")

    # What cannot be is said in a sentence: the last alphabet is too small for 20 ways.
    last = source.evaluate("select => select.options.length - 1")
    changes(lambda: source.select_option(index=last), "(17)")
    lab.slider("ways").focus()
    press("End")
    lab.says("num_ways=20 but this split has 17 characters; choose at most 17.")
    changes(lambda: source.select_option(index=0), "20-way 2-shot, all alphabets, mixed")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
