"""The bandit duel of notebook 11 in JupyterLab in Chromium: by button, key, mouse, and helper."""

import pytest

pytestmark = pytest.mark.browser


def test_bandit_duel(lab):
    lab.open_notebook("11_meta_rl_by_memory.ipynb")
    lab.run_to("BanditDuel(")
    arms, regrets = lab.picture("Your pulls and rewards"), lab.picture("Regret, pull by pull")
    press = lab.page.keyboard.press

    def changes(gesture, says: str) -> None:
        lab.changes((arms, regrets), gesture, says)

    lab.says("5 arms, 10 pulls")
    assert "probability 0" not in arms.get_attribute("alt")

    # A button, a key while the picture has the focus, a click on an arm.
    lab.page.get_by_role("button", name="2", exact=True).first.focus()
    changes(lambda: press("Enter"), "Pull 1 of 10: arm 2 pays")
    arms.focus()
    changes(lambda: press("4"), "Pull 2 of 10: arm 4 pays")
    press("7")  # no such arm: the key keeps its own meaning
    box = arms.bounding_box()
    place = box["x"] + 0.3 * box["width"], box["y"] + 0.47 * box["height"]
    changes(lambda: lab.page.mouse.click(*place), "Pull 3 of 10: arm 3 pays")
    assert "You" not in regrets.get_attribute("alt")

    # Your own regret is shown when you ask for it.
    lab.page.get_by_label("Peek").check()
    lab.wait_for(
        lambda: "You" in regrets.get_attribute("alt"), lambda: regrets.get_attribute("alt")
    )

    # The helper makes the other pulls; the truth is told; a further pull is refused in words.
    changes(lambda: lab.button("Let UCB1 finish").press("Enter"), "The best arm was")
    lab.says("You and UCB1 got")
    assert "true probability" in arms.get_attribute("alt")
    arms.focus()
    press("1")
    lab.says("All 10 pulls are made")

    changes(lambda: lab.button("New bandit").press("Enter"), "5 arms, 10 pulls")
    hundred = lab.page.get_by_role("button", name="100 pulls")
    changes(lambda: hundred.press("Enter"), "5 arms, 100 pulls")
    changes(lambda: lab.button("Let UCB1 finish").press("Enter"), "Regret after 100 pulls")
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
