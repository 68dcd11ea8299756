import pytest
import torch
from torch.distributions import Categorical, Normal
from truths import generator

from metalearn_lite.rl.policies import CategoricalPolicy, GaussianPolicy
from metalearn_lite.rl.trajectories import rollout
from metalearn_lite.tasks.navigation import Navigation

POLICY = GaussianPolicy(2, 5, 3)


def seen() -> tuple[torch.Tensor, torch.Tensor]:
    observations = torch.randn(2, 4, 6, 2, generator=generator(1))
    return observations, torch.randn(2, 4, 6, 3, generator=generator(2))


def test_a_gaussian_policys_likelihood_is_that_of_torch():
    params = POLICY.init(generator(), std=0.3)
    observations, actions = seen()
    mean = POLICY(params, observations.flatten(1, 2)).unflatten(1, (4, 6))
    expected = Normal(mean, 0.3).log_prob(actions).sum(-1)
    torch.testing.assert_close(POLICY.log_prob(params, observations, actions), expected)


def test_each_task_may_have_its_own_parameters():
    first, second = POLICY.init(generator(0), 0.3), POLICY.init(generator(5), 2.0)
    both = {name: torch.stack([first[name], second[name]]) for name in first}
    observations, actions = seen()
    found = POLICY.log_prob(both, observations, actions)
    for task, params in enumerate((first, second)):
        alone = POLICY.log_prob(params, observations[task, None], actions[task, None])
        torch.testing.assert_close(found[task, None], alone)
    drawn = POLICY.sample(both, observations[:, :, 0], generator(3))
    assert drawn.shape == (2, 4, 3)


def test_a_gaussian_policy_draws_from_its_distribution():
    params = POLICY.init(generator(), std=0.5)
    observation = torch.ones(1, 20_000, 2)
    drawn = POLICY.sample(params, observation, generator(1))
    mean = POLICY.mean(params, observation)
    assert (drawn - mean).mean().abs() < 0.01
    assert (drawn - mean).std().sub(0.5).abs() < 0.01
    assert torch.equal(drawn, POLICY.sample(params, observation, generator(1)))


def test_a_categorical_policys_likelihood_is_that_of_torch():
    policy = CategoricalPolicy(2, 5, 3)
    params = policy.init(generator())
    observations, _ = seen()
    actions = torch.randint(3, (2, 4, 6), generator=generator(2))
    logits = policy(params, observations.flatten(1, 2)).unflatten(1, (4, 6))
    expected = Categorical(logits=logits).log_prob(actions)
    torch.testing.assert_close(policy.log_prob(params, observations, actions), expected)


def test_a_rollout_holds_what_the_policy_saw_and_did():
    environment, policy = Navigation(), GaussianPolicy(2, 5, 2)
    tasks = environment.sample_tasks(3, generator())
    played = rollout(environment, policy, policy.init(generator()), tasks, 4, generator(1))
    assert played.observations.shape == played.actions.shape == (3, 4, 100, 2)
    assert played.rewards.shape == (3, 4, 100)
    moves = played.observations[:, :, 1:] - played.observations[:, :, :-1]
    torch.testing.assert_close(moves, 0.1 * played.actions[:, :, :-1].clamp(-1, 1))
    assert torch.equal(played.returns, played.rewards.sum(-1))


def test_the_last_layer_begins_a_hundred_times_smaller_unless_it_is_said():
    policy = GaussianPolicy(2, 5, 2)
    small, usual = policy.init(generator()), policy.init(generator(), last=1.0)
    torch.testing.assert_close(100 * small["weight2"], usual["weight2"])
    torch.testing.assert_close(100 * small["bias2"], usual["bias2"])
    assert torch.equal(small["weight1"], usual["weight1"])


@pytest.mark.parametrize("last", [float("nan"), -float("inf"), "0.1", [1.0], True])
def test_the_size_of_the_last_layer_is_a_number(last):
    with pytest.raises(ValueError, match=r"last=.*: choose a finite number"):
        GaussianPolicy(2, 4, 2).init(last=last)
