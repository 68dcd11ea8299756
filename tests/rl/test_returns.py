import pytest
import torch

from metalearn_lite.rl.returns import generalised_advantages, linear_baseline, returns_to_go


def row(*numbers: float) -> torch.Tensor:
    """One task, one trajectory."""
    return torch.tensor(numbers, dtype=torch.float64).view(1, 1, -1)


def test_returns_to_go_by_hand():
    assert returns_to_go(row(1, 2, 3)).tolist() == [[[6, 5, 3]]]
    assert returns_to_go(row(1, 2, 4), 0.5).tolist() == [[[3, 4, 4]]]
    assert returns_to_go(row(1, 2, 4), 0.0).tolist() == [[[1, 2, 4]]]


def test_returns_to_go_obey_their_recursion(generator):
    rewards = torch.randn(3, 4, 7, generator=generator(), dtype=torch.float64)
    ahead = returns_to_go(rewards, 0.9)
    torch.testing.assert_close(ahead[..., :-1], rewards[..., :-1] + 0.9 * ahead[..., 1:])
    assert torch.equal(ahead[..., -1], rewards[..., -1])


def test_a_reward_changes_no_later_return():
    rewards = torch.zeros(1, 1, 4)
    rewards[..., 1] = 1.0
    assert returns_to_go(rewards).tolist() == [[[1, 1, 0, 0]]]


def test_advantages_by_hand():
    rewards, values = row(1, 2, 4), row(5, 3, 2)
    # Surprises: 1 + 0.5·3 - 5, 2 + 0.5·2 - 3, 4 - 2; each counts half as much a step earlier.
    assert generalised_advantages(rewards, values, 0.5, 0.0).tolist() == [[[-2.5, 0, 2]]]
    assert generalised_advantages(rewards, values, 0.5, 1.0).tolist() == [[[-2, 1, 2]]]
    assert generalised_advantages(rewards, values, 1.0, 0.5).tolist() == [[[0, 2, 2]]]


@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_without_decay_an_advantage_is_the_return_less_the_value(generator, discount):
    rewards, values = torch.randn(2, 3, 4, 6, generator=generator(), dtype=torch.float64)
    expected = returns_to_go(rewards, discount) - values
    found = generalised_advantages(rewards, values, discount, 1.0)
    torch.testing.assert_close(found, expected)


def test_with_perfect_values_nothing_is_a_surprise(generator):
    rewards = torch.randn(2, 1, 5, generator=generator(), dtype=torch.float64)
    found = generalised_advantages(rewards, returns_to_go(rewards, 0.9), 0.9, 0.7)
    torch.testing.assert_close(found, torch.zeros_like(rewards))


def test_the_baseline_finds_what_is_linear_in_its_features(generator):
    observations = torch.randn(2, 5, 100, 3, generator=generator(), dtype=torch.float64)
    time = torch.arange(100, dtype=torch.float64)
    first = observations[0] @ torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64) + 3
    second = observations[1].square().sum(-1) + 1e-5 * time**3 - time
    returns = torch.stack([first, second])
    found = linear_baseline(observations, returns, torch.ones_like(returns))
    torch.testing.assert_close(found, returns, rtol=0, atol=1e-3)


def test_the_baseline_is_the_ridge_solution_of_each_task_alone(generator):
    observations = torch.randn(2, 4, 5, 2, generator=generator(1), dtype=torch.float64)
    returns = torch.randn(2, 4, 5, generator=generator(2), dtype=torch.float64)
    played = torch.ones_like(returns)
    found = linear_baseline(observations, returns, played)
    for task in range(2):
        alone = linear_baseline(
            *(part[task : task + 1] for part in (observations, returns, played))
        )
        torch.testing.assert_close(found[task : task + 1], alone)
    rows = observations[0].reshape(-1, 2)
    time = (torch.arange(5, dtype=torch.float64) / 100).repeat(4).unsqueeze(1)
    ones = torch.ones_like(time)
    features = torch.cat([rows, rows**2, time, time**2, time**3, ones], 1)
    # Ridge regression is least squares with one more row, √strength, for every feature.
    strength = 1e-5**0.5 * torch.eye(8, dtype=torch.float64)
    target = torch.cat([returns[0].flatten(), torch.zeros(8, dtype=torch.float64)])
    weights = torch.linalg.lstsq(torch.cat([features, strength]), target.unsqueeze(1)).solution
    torch.testing.assert_close(found[0].flatten(), (features @ weights).flatten())


def test_far_away_places_do_not_spoil_the_baseline(generator):
    observations = torch.randn(1, 4, 5, 2, generator=generator(1))
    observations[0, 0] = 1e20
    found = linear_baseline(observations, torch.randn(1, 4, 5), torch.ones(1, 4, 5))
    assert found.isfinite().all()


def test_the_baseline_does_not_fit_what_comes_after_the_end(generator):
    """A trajectory that ended is a shorter one: its tail may hold anything."""
    observations = torch.randn(1, 4, 9, 2, generator=generator(1), dtype=torch.float64)
    returns = torch.randn(1, 4, 9, generator=generator(2), dtype=torch.float64)
    played = torch.ones(1, 4, 9, dtype=torch.float64)
    played[..., 6:] = 0
    expected = linear_baseline(observations[:, :, :6], returns[..., :6], played[..., :6])
    found = linear_baseline(observations, returns, played)
    torch.testing.assert_close(found[..., :6], expected)
    assert (found[..., 6:] == 0).all()


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan"), float("inf"), "0.9", True])
def test_a_discount_and_a_decay_are_shares(wrong):
    rewards = torch.zeros(1, 1, 3)
    with pytest.raises(ValueError, match=r"discount=.*: choose a number from 0 to 1"):
        returns_to_go(rewards, wrong)
    with pytest.raises(ValueError, match=r"discount=.*: choose a number from 0 to 1"):
        generalised_advantages(rewards, rewards, wrong, 0.9)
    with pytest.raises(ValueError, match=r"trace_decay=.*: choose a number from 0 to 1"):
        generalised_advantages(rewards, rewards, 0.9, wrong)
