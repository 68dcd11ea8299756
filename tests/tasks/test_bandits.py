import pytest
import torch

from metalearn_lite.tasks.bandits import Bandits, seen


def test_chances_are_uniform_and_drawn_from_the_generator(generator):
    tasks = Bandits(5).sample_tasks(20_000, generator())
    assert tasks.shape == (20_000, 5)
    assert torch.equal(tasks, Bandits(5).sample_tasks(20_000, generator()))
    assert tasks.mean() == pytest.approx(1 / 2, abs=0.005)
    assert tasks.var() == pytest.approx(1 / 12, abs=0.002)


def test_an_arm_pays_as_often_as_its_chance_says(generator):
    bandits, tasks = Bandits(3), torch.tensor([[0.0, 0.3, 1.0]])
    state = bandits.start(tasks, 30_000)
    for arm, chance in enumerate(tasks[0].tolist()):
        arms = torch.full((1, 30_000), arm)
        state, rewards = bandits.step(tasks, state, arms, generator())
        assert set(rewards.unique().tolist()) <= {0.0, 1.0}
        assert rewards.mean() == pytest.approx(chance, abs=0.01)
        assert bandits.mean_reward(tasks, arms).unique().item() == pytest.approx(chance)


def test_the_state_is_the_last_arm_and_reward_and_nothing_before_the_first_pull(generator):
    bandits = Bandits(3, 4)
    tasks = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    state = bandits.start(tasks, 2)
    assert not state.any()
    state, rewards = bandits.step(tasks, state, torch.tensor([[0, 1], [2, 1]]), generator())
    assert rewards.tolist() == [[1, 0], [0, 1]]
    assert bandits.observe(state)[0].tolist() == [[1, 0, 0, 1], [0, 1, 0, 0]]
    assert torch.equal(state[1], seen(torch.tensor([2, 1]), torch.tensor([0.0, 1.0]), 3))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((1, 10), "num_arms=1: choose 2 or more"),
        ((2.5, 10), r"num_arms=2\.5: choose a whole number, 2 or more"),
        ((5, 0), "num_pulls=0: choose 1 or more"),
        ((5, True), "num_pulls=True: choose a whole number"),
    ],
)
def test_impossible_bandits_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Bandits(*settings)


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (torch.full((1, 5), 7.0), "tasks holds 7 to 7: give 0 to 1"),
        (torch.full((1, 5), torch.nan), "tasks holds nan to nan"),
        (torch.full((1, 3), 0.5), r"tasks has shape \(1, 3\): give the chances of 5 arms"),
    ],
)
def test_chances_that_cannot_be_are_refused(tasks, message):
    with pytest.raises(ValueError, match=message):
        Bandits(5).start(tasks, 1)
