"""The game of notebook 00 in JupyterLab in Chromium: by keyboard, by mouse, and by chance."""

import pytest
from browser.conftest import play_the_game

pytestmark = pytest.mark.browser


def test_episode_game(lab):
    lab.open_notebook("00_start_here.ipynb")
    lab.run_to("EpisodeGame(")
    play_the_game(lab.figure())


def test_live_check(lab):
    lab.open_notebook("00_start_here.ipynb")
    lab.run_to("LiveCheck()")
    figure = lab.figure()
    figure.says("3 squared is 9")
    figure.control("slider", "move me").focus()
    figure.press("ArrowRight", "ArrowRight")
    figure.says("5 squared is 25")
