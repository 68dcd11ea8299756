"""The bandit duel of notebook 11 in JupyterLab in Chromium: by mouse, key, and helper."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_bandit_duel(lab):
    lab.open_notebook("11_meta_rl_by_memory.ipynb")
    lab.run_to("BanditDuel(")
    figure = lab.figure()
    both = ("the arms", "regret, pull by pull")

    def changes(gesture, says: str, panels=both) -> None:
        figure.changes(panels, gesture, says)

    def arm(number: int):
        return figure.panel(both[0]).get_by_role("button", name=f"arm {number}: ").first

    figure.says("5 arms, 10 pulls")
    assert "probability" not in figure.el.locator(".ml-note").inner_text()

    # An arm is pulled by Enter, then its neighbour, then one by a click.
    arm(2).focus()
    changes(lambda: figure.press("Enter"), "Pull 1 of 10: arm 2 pays")
    changes(lambda: figure.press("ArrowRight", "Enter"), "Pull 2 of 10: arm 3 pays")
    changes(lambda: arm(5).click(force=True), "Pull 3 of 10: arm 5 pays")

    # Your own regret is shown when you ask for it.
    changes(lambda: figure.control("checkbox", "Peek: draw my regret as I play").check(),
            "Pull 3 of 10", both[1:])  # fmt: skip

    # The helper makes the other pulls; the truth is told; a further pull is refused in words.
    changes(lambda: figure.control("button", "Let UCB1 finish").press("Enter"), "The best arm was")
    figure.says("You and UCB1 got")
    assert "true probability" in figure.el.locator(".ml-note").inner_text()
    arm(1).focus()
    figure.press("Enter")
    figure.says("All 10 pulls are made")

    changes(lambda: figure.control("button", "New bandit").press("Enter"), "5 arms, 10 pulls")
    hundred = figure.control("radio", "100 pulls")
    changes(lambda: hundred.check(force=True), "5 arms, 100 pulls", both[1:])
    changes(
        lambda: figure.control("button", "Let UCB1 finish").press("Enter"), "Regret after 100 pulls"
    )
    outputs = [output for cell in lab.code_cells() for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
