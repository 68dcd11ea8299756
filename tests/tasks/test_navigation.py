import math

import pytest
import torch
from truths import generator

from metalearn_lite.rl.trajectories import rollout
from metalearn_lite.tasks.navigation import Navigation


def test_goals_fill_the_square_and_repeat_with_the_generator():
    goals = Navigation().sample_tasks(2000, generator())
    assert goals.abs().max() <= 0.5
    assert goals.min() < -0.49
    assert goals.max() > 0.49
    assert torch.equal(goals, Navigation().sample_tasks(2000, generator()))


def test_the_reward_is_the_distance_unless_it_is_said():
    assert Navigation().reward == "distance"


@pytest.mark.parametrize(("reward", "expected"), [("squared", -0.09), ("distance", -0.3)])
def test_the_reward_is_for_the_place_after_a_move_of_at_most_a_tenth(reward, expected):
    tasks = torch.tensor([[0.1, 0.4]])
    place, found = Navigation(reward).step(tasks, torch.zeros(1, 1, 2), torch.full((1, 1, 2), 5.0))
    assert place.flatten().tolist() == pytest.approx([0.1, 0.1])
    assert found.item() == pytest.approx(expected)


def test_an_action_is_a_move_in_tenths():
    action = torch.tensor([[[0.5, -1.0]]])
    place, _ = Navigation().step(torch.zeros(1, 2), torch.full((1, 1, 2), 0.2), action)
    assert place.flatten().tolist() == pytest.approx([0.25, 0.1])


class StandsStill:
    """Never moves, so that only the goal decides."""

    def sample(self, params, observation, generator=None):
        return torch.zeros(*observation.shape[:2], 2)


# The mean distance of a square of side 1 from its middle is (√2 + ln(1 + √2)) / 6.
MEAN_DISTANCE = (2**0.5 + math.log(1 + 2**0.5)) / 6


@pytest.mark.parametrize(("reward", "expected"), [("distance", MEAN_DISTANCE), ("squared", 1 / 6)])
def test_standing_still_costs_what_the_goals_say(reward, expected):
    environment = Navigation(reward)
    tasks = environment.sample_tasks(20_000, generator())
    played = rollout(environment, StandsStill(), {}, tasks, 1)
    error = 1.96 * played.returns.std().item() / 20_000**0.5
    assert played.returns.mean().item() == pytest.approx(-100 * expected, abs=2 * error)


@pytest.mark.parametrize(
    ("gap", "over"),
    [
        ((0.0, 0.0), True),
        ((0.0099, -0.0099), True),  # 0.014 away: it is the coordinates that count
        ((0.0, 0.0101), False),
        ((-0.0101, 0.0), False),
    ],
)
def test_it_is_over_where_both_coordinates_are_within_a_hundredth(gap, over):
    goal = torch.tensor([[0.3, -0.2]])
    for environment in (Navigation(), Navigation(show_goal=True)):
        state = environment._state(goal, (goal + torch.tensor(gap)).unsqueeze(1))
        assert environment.ended(goal, state).tolist() == [[over]]


def test_the_oracle_sees_the_goal_and_nothing_else_differs():
    plain, oracle = Navigation(), Navigation(show_goal=True)
    tasks = plain.sample_tasks(3, generator())
    state, shown = plain.start(tasks, 2), oracle.start(tasks, 2)
    for step in range(5):
        action = torch.randn(3, 2, 2, generator=generator(step))
        state, reward = plain.step(tasks, state, action)
        shown, same = oracle.step(tasks, shown, action)
        assert torch.equal(reward, same)
        assert torch.equal(oracle.observe(shown)[..., :2], plain.observe(state))
        assert torch.equal(oracle.observe(shown)[..., 2:], tasks.unsqueeze(1).expand(3, 2, 2))


def test_an_unknown_reward_is_refused():
    with pytest.raises(ValueError, match="reward='cubed'"):
        Navigation("cubed")
