"""The recipes of notebook 11, but short."""

import pytest
import torch

from metalearn_lite.recipes import memory
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
