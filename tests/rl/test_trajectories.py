"""A rollout, and what comes after the end of a trajectory: nothing."""

import pytest
import torch
from truths import generator

from metalearn_lite.rl.policies import GaussianPolicy
from metalearn_lite.rl.trajectories import rollout
from metalearn_lite.tasks.navigation import Navigation


class ToTheGoal:
    """Knows the way, and goes on a little in the same direction when it is there."""

    def sample(self, params, observation, generator=None):
        place, goal = observation.split(2, -1)
        return 10 * (goal - place) + 0.01


TASKS = torch.tensor([[0.3, 0.4], [-0.05, 0.0], [0.5, -0.5]])
STEPS = torch.tensor([4, 1, 5])


@pytest.fixture
def played():
    return rollout(Navigation(show_goal=True), ToTheGoal(), {}, TASKS, 2)


def test_a_trajectory_is_played_until_it_is_there(played):
    counts = played.played.sum(-1)
    assert torch.equal(counts, STEPS.unsqueeze(1).expand(3, 2).float())
    assert torch.equal(played.played, played.played.sort(-1, descending=True).values)


def test_the_step_that_arrives_is_rewarded_and_no_later_one(played):
    for task, steps in enumerate(STEPS):
        assert (played.rewards[task, :, :steps] < 0).all()
        assert (played.rewards[task, :, steps:] == 0).all()


def test_after_the_end_nothing_moves(played):
    for task, steps in enumerate(STEPS):
        after = played.observations[task, :, steps:, :2]
        assert torch.equal(after, after[:, :1].expand_as(after))
        assert (after - TASKS[task]).abs().max() < 0.01


def test_who_does_not_arrive_plays_to_the_horizon():
    policy = GaussianPolicy(2, 8, 2)
    params = policy.init(generator(), std=1e-3)
    assert (rollout(Navigation(), policy, params, TASKS[::2], 3).played == 1).all()
