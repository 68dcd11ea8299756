"""The recipes of notebook 11, but short."""

import pytest
import torch

from metalearn_lite import checkpoints
from metalearn_lite.recipes import memory
from metalearn_lite.rl.convention_players import best_payment, one_by_one_payment, random_payment
from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.tasks.conventions import Conventions


@pytest.mark.parametrize("lessons", [memory.SHORT, memory.LONG, memory.PARTNERS])
def test_lessons_begin_at_once_and_are_of_one_kind(lessons):
    assert 0 in lessons
    assert len({(type(game), game.observation_size) for game in lessons.values()}) == 1


def test_bandits_train_and_are_judged_beside_the_others(monkeypatch):
    monkeypatch.setattr(memory, "NUM_TEST_TASKS", 20)
    lessons = {0: Bandits(5, 3), 0.5: Bandits(5, 4)}
    learner = memory.train(lessons, 2, torch.Generator().manual_seed(0), num_tasks=8)
    result = memory.judge_bandits((3, 5), learner)
    assert len(result) == 14
    assert "20 tasks" in result["RL², 3 pulls"]
    assert "20 tasks" in result["Gittins, 5 pulls"]


def test_all_players_meet_the_same_bandits():
    first = memory.bandit_rewards(memory.players(4)["UCB1"], 4, 50).scores
    assert torch.equal(memory.bandit_rewards(memory.players(4)["UCB1"], 4, 50).scores, first)
    assert not torch.equal(memory.bandit_rewards(memory.players(4)["random"], 4, 50).scores, first)


def test_conventions_train_and_are_judged_with_strangers(monkeypatch):
    monkeypatch.setattr(memory, "NUM_TEST_TASKS", 20)
    learner = memory.train({0: Conventions()}, 2, torch.Generator().manual_seed(0), num_tasks=8)
    result = memory.judge_conventions(learner)
    assert len(result) == 9
    assert "20 tasks" in result["RL², partners one-to-one"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "num_pulls", "at_least"), [("10", 10, 6.6), ("100", 100, 77.5)])
def test_what_ships_reaches_its_target(name, num_pulls, at_least):
    learner = checkpoints.load(f"bandits-rl2-{name}")
    assert memory.bandit_rewards(learner, num_pulls, 10_000).mean >= at_least


@pytest.mark.slow
def test_the_partner_reader_plays_almost_as_well_as_can_be():
    game, generator = Conventions(), torch.Generator().manual_seed(5)
    learner = checkpoints.load("conventions-rl2")
    returns = learner.play(game, game.sample_tasks(4000, generator), 1, generator).returns
    assert one_by_one_payment() + 2.5 < returns.mean() < best_payment() + 0.1
    freely = Conventions(partners="free")
    returns = learner.play(freely, freely.sample_tasks(4000, generator), 1, generator).returns
    assert random_payment() < returns.mean() < one_by_one_payment()
