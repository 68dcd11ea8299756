"""The game of notebook 00 in JupyterLab in Chromium: by keyboard, by mouse, and by chance."""

import pytest

pytestmark = pytest.mark.browser


def test_episode_game(lab):
    lab.open_notebook("00_start_here.ipynb")
    lab.run_to("EpisodeGame(")
    figure = lab.figure()
    figure.says("Round 1 of 10: which of A to E")

    def card(letter: str):
        return figure.control("button", f"answer with this card: card {letter}")

    # By keyboard: the first card, and on to the next round.
    go_on = figure.control("button", "Next round")
    assert go_on.get_attribute("aria-disabled") == "true"
    card("A").focus()
    figure.press("ArrowRight", "Enter")
    figure.says("Round 1 of 10: ")
    figure.says("prototypical says")
    go_on.press("Enter")
    figure.says("Round 2 of 10: which of A to E")
    # Too early is a sentence, and the button keeps the focus.
    figure.press("Enter")
    assert go_on.evaluate("button => button === document.activeElement")

    # By mouse, and by chance.
    card("C").click()
    figure.says("Round 2 of 10: ")
    figure.says("pixels says")
    figure.control("button", "Let chance play").press("Enter")
    figure.says("You + chance: ")
    assert "You + chance" in figure.panel("the scores, round by round").text_content()
    figure.control("button", "Play again").press("Enter")
    figure.says("Round 1 of 10: which of A to E")
    figure.control("button", "A question that divides").click()
    figure.says("which of A to E")


def test_live_check(lab):
    lab.open_notebook("00_start_here.ipynb")
    lab.run_to("LiveCheck()")
    figure = lab.figure()
    figure.says("3 squared is 9")
    figure.control("slider", "move me").focus()
    figure.press("ArrowRight", "ArrowRight")
    figure.says("5 squared is 25")
