import numpy as np
import pytest
import torch
from pages import Page

from metalearn_lite.rl.bandit_players import UCB1, RandomPlayer, Thompson
from metalearn_lite.widgets.bandit_duel import YOU, BanditDuel, DuelModel


class Always:
    """Pulls one arm, whatever it pays; its memory is what it has seen."""

    def __init__(self, arm=0):
        self.arm = arm

    def start(self, num_tasks, num_games):
        assert (num_tasks, num_games) == (1, 1)
        return []

    def choose(self, memory, generator=None):
        return torch.tensor([[self.arm]])

    def learn(self, memory, arms, rewards):
        return [*memory, (int(arms), float(rewards))]


class Recalls(Always):
    """Pulls the arm of its first pull again."""

    def choose(self, memory, generator=None):
        return torch.tensor([[memory[0][0] if memory else 2]])


def make_model(seed=0, pulls=(10,), **settings):
    players = {"Always": Always(), "Recalls": Recalls(), "UCB1": UCB1(5)}
    return DuelModel(dict.fromkeys(pulls, players), seed=seed, **settings)


def make_page(seed=0):
    players = {"Random": RandomPlayer(5), "Thompson": Thompson(5), "UCB1": UCB1(5)}
    return Page(BanditDuel({10: players, 100: players}, seed=seed))


# The model


def test_the_nth_pull_of_an_arm_pays_the_same_for_all():
    model = make_model()
    theirs = model.records()["Always"]
    assert theirs.arms.tolist() == [0] * 10
    # Other arms in between change nothing.
    order = [0, 1, 0, 2, 0, 0, 3, 0, 4, 0]
    mine = [model.pull(arm) for arm in order]
    assert [paid for arm, paid in zip(order, mine, strict=True) if arm == 0] == theirs.rewards[
        :6
    ].astype(bool).tolist()


def test_it_pays_the_same_for_a_player_who_changes_arms():
    model = DuelModel({40: {"UCB1": UCB1(5), "Random": RandomPlayer(5)}})
    one, other = model.records().values()
    assert len(set(other.arms)) == 5
    for arm in range(5):
        first, second = one.rewards[one.arms == arm], other.rewards[other.arms == arm]
        both = min(len(first), len(second))
        np.testing.assert_array_equal(first[:both], second[:both])


def test_the_same_seed_is_the_same_duel_and_another_is_not():
    first, same, other = (make_model(seed) for seed in (3, 3, 4))
    for model in (first, same, other):
        model.finish()
    np.testing.assert_array_equal(first.frame().truth, same.frame().truth)
    np.testing.assert_array_equal(first.records()["UCB1"].arms, same.records()["UCB1"].arms)
    assert not np.array_equal(first.frame().truth, other.frame().truth)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_payments_follow_the_probabilities(seed):
    model = DuelModel({2000: {"Always": Always()}}, seed=seed, helper="Always")
    share = model.records()["Always"].rewards.mean()
    model.finish()
    assert abs(share - model.frame().truth[0]) < 0.05


def test_regret_counts_what_the_best_arm_would_pay_more():
    model = make_model()
    order = [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]
    for arm in order:
        model.pull(arm)
    frame = model.frame()
    lost = frame.truth.max() - frame.truth
    np.testing.assert_allclose(frame.regrets[YOU], [0, *np.cumsum(lost[order])])
    np.testing.assert_allclose(frame.regrets["Always"], lost[0] * np.arange(11))


def test_nothing_gives_the_best_arm_away_before_the_end():
    model = make_model()
    model.pull(3)
    frame = model.frame()
    assert frame.truth is None
    assert frame.all_counts == {}
    assert YOU not in frame.regrets
    assert set(frame.regrets) == {"Always", "Recalls", "UCB1"}
    assert all(len(regret) == 2 for regret in frame.regrets.values())
    for text in (model.sentence(), model.arms_sentence(), model.regrets_sentence()):
        assert "probability 0" not in text
        assert YOU + " " not in model.regrets_sentence()
    model.peek = True
    assert len(model.frame().regrets[YOU]) == 2
    assert model.frame().truth is None


def test_counts_and_rewards_per_arm_are_told():
    model = make_model()
    paid = [model.pull(arm) for arm in (1, 1, 4)]
    frame = model.frame()
    assert frame.counts.tolist() == [0, 2, 0, 0, 1]
    assert frame.wins.tolist() == [0, paid[0] + paid[1], 0, 0, paid[2]]
    assert frame.last == 4
    assert f"arm 2: {paid[0] + paid[1]} of 2" in model.arms_sentence()
    assert f"Pull 3 of 10: arm 5 pays {int(paid[2])}" in model.sentence()


def test_at_the_end_the_truth_is_told_and_everybody_s_pulls():
    model = make_model()
    for _ in range(10):
        model.pull(0)
    frame = model.frame()
    assert frame.truth.shape == (5,)
    assert frame.all_counts[YOU].tolist() == frame.all_counts["Always"].tolist() == [10, 0, 0, 0, 0]
    assert frame.regrets[YOU][-1] == frame.regrets["Always"][-1]
    best = int(frame.truth.argmax())
    assert f"best arm was {best + 1}, with probability {frame.truth[best]:.2f}" in model.sentence()
    assert f"true probability {frame.truth[2]:.2f}" in model.arms_sentence()
    assert "One bandit says little" in model.sentence()


def test_the_helper_has_seen_what_you_have_seen():
    players = {"Recalls": Recalls()}
    model = DuelModel({10: players}, helper="Recalls")
    model.pull(4)
    model.finish()
    assert model.is_over
    assert model.frame().counts.tolist() == [0, 0, 0, 0, 10]
    assert model.records()["Recalls"].arms.tolist() == [2] * 10
    assert "You and Recalls got" in model.sentence()


@pytest.mark.parametrize("arm", [-1, 5, "1", None, 1.5])
def test_an_arm_that_does_not_exist_is_refused(arm):
    model = make_model()
    with pytest.raises(ValueError, match=r"There is no arm .*: choose 1 to 5"):
        model.pull(arm)
    assert model.frame().pulls == 0


def test_after_the_last_pull_a_new_bandit_is_asked_for():
    model = make_model()
    model.finish()
    for move in (lambda: model.pull(0), model.finish):
        with pytest.raises(ValueError, match="All 10 pulls are made: ask for a new bandit"):
            move()
    truth = model.frame().truth
    model.new_bandit()
    assert model.frame().pulls == 0
    model.finish()
    assert not np.array_equal(model.frame().truth, truth)


def test_averages_run_over_bandits_of_one_length():
    model = make_model(pulls=(10, 20))
    assert "Average" not in model.sentence()
    regrets = []
    for _ in range(2):
        for pull in range(10):
            model.pull(pull % 5)
        regrets.append(model.frame().regrets[YOU][-1])
        told = model.sentence()
        model.new_bandit()
    assert min(regrets) > 0
    assert f"Average over 2 bandits: {YOU} {np.mean(regrets):.1f}" in told
    model.new_bandit(20)
    assert model.num_pulls == 20
    assert model.bandits_played == 0
    with pytest.raises(ValueError, match="No game has 30 pulls: choose 10, 20"):
        model.new_bandit(30)


def test_a_bandit_left_early_counts_for_nobody():
    model = make_model()
    model.pull(0)
    model.new_bandit()
    assert model.bandits_played == 0


def test_impossible_duels_are_refused():
    ucb1 = {"UCB1": UCB1(5)}
    for arguments, complaint in [
        (({},), "games is empty"),
        (({0: ucb1},), "0 pulls: choose 1 or more"),
        (({10: {}},), "0 players for 10 pulls"),
        (({10: {str(i): Always() for i in range(5)}},), "5 players for 10 pulls: name 1 to 4"),
        (({10: {YOU: Always()}},), "cannot be called You"),
        (({10: {"Always": Always()}},), "UCB1 is to help but does not play"),
        (({10: ucb1}, 1), "num_arms=1: choose 2 to 9"),
        (({10: ucb1}, 10), "num_arms=10: choose 2 to 9"),
    ]:
        with pytest.raises(ValueError, match=complaint):
            DuelModel(*arguments)


# The view, without a browser


def test_pulling_by_a_pick():
    page = make_page()
    before = page.columns("levers"), page.columns("regret UCB1")
    page.do("pick", key="levers", index=2)
    assert page.columns("levers") != before[0]
    assert page.columns("regret UCB1") != before[1]
    assert "Pull 1 of 10: arm 3 pays" in page.sentence
    page.do("pick", key="levers", index=4)
    assert page.columns("levers")["edges"] == [*["gray"] * 4, "ink"]
    mine, *others = page.columns("pulls")["rows"]
    assert mine == [YOU, "0", "0", "1", "0", "1"]
    assert {*(said for row in others for said in row[1:])} == {""}  # until the end
    assert page.widget.state["note"] == page.widget.model.arms_sentence()


def test_the_helper_finishes_and_another_bandit_follows():
    page = make_page()
    page.press("finish")
    assert "You and UCB1 got" in page.sentence
    assert page.widget.state["off"] == ["finish"]
    assert len(page.columns("pulls")["rows"]) == 4
    np.testing.assert_allclose(
        page.columns("truth")["y"], page.widget.model.frame().truth, rtol=1e-4
    )
    page.do("pick", key="levers", index=0)
    assert page.sentence.startswith("All 10 pulls are made: ask for a new bandit.")
    page.press("new")
    assert page.sentence.startswith("5 arms, 10 pulls")
    assert page.columns("truth") == {}


def test_demo_watches_another_bandit():
    page = make_page()
    truth = page.widget.model._truth
    assert page.widget.demo() is page.widget
    assert "You and UCB1 got" in page.sentence
    assert not np.array_equal(truth, page.widget.model._truth)
    page.do("try", index=0)
    assert "Average over 2 bandits" in page.sentence


def test_another_length_is_another_game():
    page = make_page()
    page.set(length="100 pulls")
    assert page.sentence.startswith("5 arms, 100 pulls")
    page.press("finish")
    assert "Regret after 100 pulls" in page.sentence
    assert page.widget.look["panels"][1]["x"]["high"] == 100


def test_peeking_draws_your_regret():
    page = make_page()
    page.do("pick", key="levers", index=0)
    assert page.columns(f"regret {YOU}") == {}
    page.do("try", index=1)
    assert len(page.columns(f"regret {YOU}")["y"]) == 2


def test_the_worst_of_all_play_stays_on_the_chart():
    page = make_page()
    page.set(peek=True, length="100 pulls")
    worst = int(page.widget.model._truth.argmin())
    for _ in range(100):
        page.do("pick", key="levers", index=worst)
    highest = page.widget.model.frame().regrets[YOU][-1]
    assert highest > 30
    assert page.widget.look["panels"][1]["y"]["high"] >= highest


def test_the_filmstrip_and_its_text_show_the_same_bandit():
    duel = make_page().widget
    figure = duel.filmstrip(100, seed=2)
    assert len(figure.axes) == 4
    text = duel.description(100, seed=2)
    for axes, record in zip(figure.axes, duel._still(100, 2).records().values(), strict=False):
        assert f"got {int(record.rewards.sum())} " in text
        assert f"{int(record.rewards.sum())} rewards" in axes.get_title() + axes.get_ylabel()
    assert duel.model.num_pulls == 10
