"""The episode viewer as a reader meets it: notebook 06 in JupyterLab in Chromium."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_episode_viewer(lab):
    lab.open_notebook("06_few_shot_characters.ipynb")
    lab.run_to("EpisodeViewer(")
    figure = lab.figure()
    figure.says("Episode 1, 5-way 1-shot, all alphabets, mixed. pixels")

    def changes(gesture, says: str) -> None:
        figure.changes(("an episode, a column for each class",), gesture, says)

    next_episode = figure.control("button", "Next episode")
    previous = figure.control("button", "Previous")
    assert previous.get_attribute("aria-disabled") == "true"
    changes(lambda: next_episode.press("Enter"), "Episode 2, 5-way")
    changes(lambda: previous.press("Enter"), "Episode 1, 5-way")
    changes(lambda: next_episode.click(), "Episode 2, 5-way")

    # Sliders and menus from the keyboard.
    figure.control("slider", "ways").focus()
    changes(lambda: figure.press("ArrowRight"), "Episode 2, 6-way 1-shot")
    figure.control("slider", "shots").focus()
    changes(lambda: figure.press("ArrowRight"), "Episode 2, 6-way 2-shot")
    learner = figure.control("combobox", "learner")
    source = figure.control("combobox", "classes from")
    changes(lambda: learner.select_option("SimpleShot"), "SimpleShot: ")
    changes(lambda: source.select_option("one alphabet per episode"), "one alphabet per episode")

    # What cannot be is said in a sentence: the last alphabet is too small for 20 ways.
    last = source.evaluate("select => select.options.length - 1")
    changes(lambda: source.select_option(index=last), "(17)")
    figure.control("slider", "ways").focus()
    figure.press("End")
    figure.says("num_ways=20 but this split has 17 characters; choose at most 17.")
    changes(lambda: source.select_option(index=0), "6-way 2-shot, all alphabets, mixed")
    changes(lambda: figure.control("button", "20 ways").click(), "20-way 1-shot")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
