import pytest
import torch
from truths import generator

from metalearn_lite.tasks.navigation import Navigation


def test_goals_fill_the_square_and_repeat_with_the_generator():
    goals = Navigation().sample_tasks(2000, generator())
    assert goals.abs().max() <= 0.5
    assert goals.min() < -0.49
    assert goals.max() > 0.49
    assert torch.equal(goals, Navigation().sample_tasks(2000, generator()))


@pytest.mark.parametrize(("reward", "expected"), [("squared", -0.09), ("distance", -0.3)])
def test_the_reward_is_for_the_place_after_a_move_of_at_most_a_tenth(reward, expected):
    tasks = torch.tensor([[0.1, 0.4]])
    place, found = Navigation(reward).step(tasks, torch.zeros(1, 1, 2), torch.full((1, 1, 2), 5.0))
    assert place.flatten().tolist() == pytest.approx([0.1, 0.1])
    assert found.item() == pytest.approx(expected)


def test_standing_still_costs_what_the_goals_say():
    environment = Navigation()
    tasks = environment.sample_tasks(4000, generator())
    _, reward = environment.step(tasks, torch.zeros(4000, 1, 2), torch.zeros(4000, 1, 2))
    assert 100 * reward.mean().item() == pytest.approx(-100 / 6, abs=0.5)


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
