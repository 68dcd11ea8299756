"""The game of notebook 00 in JupyterLab in Chromium: by keyboard, by mouse, and by chance."""

import pytest

pytestmark = pytest.mark.browser


def test_episode_game(lab):
    lab.open_notebook("00_start_here.ipynb")
    lab.run_all()
    board, scores = lab.picture("A handwritten character"), lab.picture("The scores")
    press = lab.page.keyboard.press

    lab.page.get_by_role("button", name="A", exact=True).first.focus()
    lab.changes((board, scores), lambda: press("Enter"), "Round 1 of 10: ")
    in_focus = "() => document.activeElement.innerText.trim()"
    lab.wait_for(lambda: lab.page.evaluate(in_focus) == "Next round")
    lab.changes((board,), lambda: press("Enter"), "Round 2 of 10: which of A to E")

    box = board.bounding_box()
    place = box["x"] + 0.5 * box["width"], box["y"] + 0.65 * box["height"]
    lab.changes((board, scores), lambda: lab.page.mouse.click(*place), "Round 2 of 10: ")
    lab.changes((board, scores), lambda: lab.button("Let chance play").press("Enter"), "of 10.")


def test_live_check(lab):
    lab.open_notebook("00_start_here.ipynb")
    lab.run_to("LiveCheck()")
    figure = lab.figure()
    figure.says("3 squared is 9")
    figure.control("slider", "move me").focus()
    figure.press("ArrowRight", "ArrowRight")
    figure.says("5 squared is 25")
