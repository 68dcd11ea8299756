"""Contextual bandits against closed forms: ridge regression, its interval, and regret."""

import math

import pytest
import torch
from truths import generator

from metalearn_lite.rl.contextual_bandits import LinearThompson, LinUCB, play


def linear_problem(num_streams, horizon, num_arms=3, num_features=4, noise=0.1, seed=0):
    """Unit features, weights of length 1, and rewards that are linear but for the noise."""
    g = generator(seed)
    features = torch.randn(num_streams, horizon, num_features, generator=g)
    features /= features.norm(dim=-1, keepdim=True)
    weights = torch.randn(num_streams, num_arms, num_features, generator=g)
    weights /= weights.norm(dim=-1, keepdim=True)
    means = torch.einsum("shd,skd->shk", features, weights)
    return features, means, means + noise * torch.randn(means.shape, generator=g)


def taught(agent, num_streams=2, horizon=30):
    """Beliefs after random arms, and what they were taught with."""
    features, _, rewards = linear_problem(
        num_streams, horizon, agent.num_arms, agent.num_features, seed=1
    )
    arms = torch.randint(agent.num_arms, (num_streams, horizon), generator=generator(2))
    beliefs = agent.start(num_streams)
    for time in range(horizon):
        reward = rewards[:, time].gather(1, arms[:, time : time + 1]).squeeze(1)
        beliefs = agent.learn(beliefs, features[:, time], arms[:, time], reward)
    return beliefs, features, arms, rewards


def test_beliefs_are_ridge_regressions_of_each_arms_own_tasks():
    agent = LinUCB(3, 4, ridge=0.7)
    beliefs, features, arms, rewards = taught(agent)
    for stream in range(2):
        for arm in range(3):
            own = arms[stream] == arm
            x, y = features[stream][own].double(), rewards[stream][own, arm].double()
            a = 0.7 * torch.eye(4, dtype=torch.float64) + x.T @ x
            torch.testing.assert_close(
                beliefs.covariance[stream, arm].double(), torch.linalg.inv(a), rtol=1e-4, atol=1e-5
            )
            torch.testing.assert_close(
                beliefs.weights[stream, arm].double(),
                torch.linalg.solve(a, x.T @ y),
                rtol=1e-4,
                atol=1e-5,
            )


def test_an_arm_that_was_not_chosen_is_believed_as_before():
    agent = LinUCB(3, 4)
    before, *_ = taught(agent)
    after = agent.learn(before, torch.randn(2, 4), torch.tensor([1, 2]), torch.ones(2))
    for stream, arm in ((0, 0), (0, 2), (1, 0), (1, 1)):
        assert torch.equal(after.covariance[stream, arm], before.covariance[stream, arm])
        assert torch.equal(after.evidence[stream, arm], before.evidence[stream, arm])
    assert not torch.equal(after.covariance[0, 1], before.covariance[0, 1])


def test_learning_leaves_the_old_beliefs_alone():
    agent = LinUCB(2, 3)
    beliefs = agent.start(1)
    agent.learn(beliefs, torch.ones(1, 3), torch.tensor([0]), torch.ones(1))
    assert torch.equal(beliefs.covariance, agent.start(1).covariance)
    assert not beliefs.evidence.any()


def test_scores_by_hand():
    """A = diag(2, 1) after one task x = (1, 0) of reward 1: weights (½, 0)."""
    agent = LinUCB(1, 2, exploration=2.0)
    beliefs = agent.learn(
        agent.start(1), torch.tensor([[1.0, 0.0]]), torch.tensor([0]), torch.ones(1)
    )
    x = torch.tensor([[2.0, 3.0]])
    assert beliefs.expected(x).item() == pytest.approx(1.0)
    assert beliefs.uncertainty(x).item() == pytest.approx(math.sqrt(4 / 2 + 9))
    assert agent.scores(beliefs, x, generator()).item() == pytest.approx(1 + 2 * math.sqrt(11))


def test_thompsons_scores_have_the_mean_and_spread_of_drawn_weights():
    agent = LinearThompson(2, 3, exploration=0.5)
    beliefs, *_ = taught(agent, num_streams=1, horizon=6)
    x, many = torch.tensor([[0.3, -1.0, 2.0]]), 20_000
    repeated = type(beliefs)(*(part.expand(many, *part.shape[1:]) for part in beliefs))
    scores = agent.scores(repeated, x.expand(many, -1), generator(3))
    root = torch.linalg.cholesky(0.25 * beliefs.covariance[0])
    noise = torch.randn(many, 2, 3, generator=generator(4))
    weights = beliefs.weights[0] + torch.einsum("kde,nke->nkd", root, noise)
    drawn = weights @ x[0]
    torch.testing.assert_close(scores.mean(0), drawn.mean(0), atol=0.03, rtol=0)
    torch.testing.assert_close(scores.std(0), drawn.std(0), atol=0.03, rtol=0)
    assert torch.corrcoef(scores.T)[0, 1].abs() < 0.03  # arms are independent


def test_the_bound_holds_as_often_as_it_must():
    """Theorem 2 of Abbasi-Yadkori et al. (2011): |x·w - x·ŵ| ≤ β √(xᵀA⁻¹x), always, with
    probability 0.9 or more. A bound a tenth as wide does not hold."""
    noise, num_features, horizon, num_streams = 0.5, 3, 40, 400
    agent = LinUCB(1, num_features)
    features, means, rewards = linear_problem(num_streams, horizon, 1, num_features, noise)
    beliefs, held, held_narrow = agent.start(num_streams), [], []
    zeros = torch.zeros(num_streams, dtype=torch.long)
    for time in range(horizon):
        x = features[:, time]
        off = (beliefs.expected(x) - means[:, time]).abs().squeeze(1)
        det = torch.linalg.det(beliefs.covariance[:, 0])
        beta = noise * (2 * (det**-0.5 / 0.1).log()).sqrt() + 1  # 1 = √ridge · |w|
        held.append(off <= beta * beliefs.uncertainty(x).squeeze(1))
        held_narrow.append(off <= 0.1 * beta * beliefs.uncertainty(x).squeeze(1))
        beliefs = agent.learn(beliefs, x, zeros, rewards[:, time, 0])
    assert torch.stack(held).all(0).float().mean() >= 0.9
    assert torch.stack(held_narrow).all(0).float().mean() < 0.5


@pytest.mark.parametrize("kind", [LinUCB, LinearThompson])
def test_regret_grows_ever_slower_on_a_linear_problem(kind):
    features, means, rewards = linear_problem(64, 800)
    arms = play(kind(3, 4, exploration=0.3), features, rewards, generator()).arms
    regret = means.amax(2) - means.gather(2, arms.unsqueeze(2)).squeeze(2)
    first, last = regret[:, :100].mean(), regret[:, -100:].mean()
    assert last < first / 5
    random = means.amax(2) - means.mean(2)
    assert regret[:, -100:].mean() < random.mean() / 10
    # O(√H) or less: four times the horizon, at most about twice the regret.
    assert regret.sum(1).mean() < 2.2 * regret[:, :200].sum(1).mean()


def test_greedy_can_stay_wrong_for_ever_where_optimism_does_not():
    """Arm 0 pays 0.5, arm 1 pays 1. Who has tried arm 0 first and explores nothing stays there."""
    features = torch.ones(100, 300, 1)
    rewards = torch.tensor([0.5, 1.0]).expand(100, 300, 2)
    greedy = play(LinUCB(2, 1, exploration=0.0), features, rewards, generator()).arms
    optimist = play(LinUCB(2, 1, exploration=1.0), features, rewards, generator()).arms
    stuck = (greedy[:, -1] == 0).float().mean()
    assert 0.3 < stuck < 0.7
    assert (optimist[:, -1] == 1).all()


def test_play_shows_only_the_chosen_reward_and_repeats():
    features, _, rewards = linear_problem(5, 20)
    agent = LinearThompson(3, 4)
    first = play(agent, features, rewards, generator(1))
    again = play(agent, features, rewards, generator(1))
    assert torch.equal(first.arms, again.arms)
    torch.testing.assert_close(first.rewards, rewards.gather(2, first.arms.unsqueeze(2)).squeeze(2))
    hidden = rewards.scatter(2, first.arms.unsqueeze(2), 0) * 7 + rewards * (
        torch.zeros_like(rewards).scatter(2, first.arms.unsqueeze(2), 1)
    )
    torch.testing.assert_close(play(agent, features, hidden, generator(1)).arms, first.arms)


def test_streams_do_not_look_at_each_other():
    features, _, rewards = linear_problem(3, 50)
    agent = LinUCB(3, 4)
    before = play(agent, features, rewards, generator()).arms[1]
    features[0], rewards[2] = 5 * features[0], -rewards[2]
    assert torch.equal(play(agent, features, rewards, generator()).arms[1], before)


@pytest.mark.parametrize("options", [{"exploration": -1}, {"ridge": 0}])
def test_impossible_settings_are_refused(options):
    with pytest.raises(ValueError, match=r"(exploration=-1|ridge=0): choose a finite number"):
        LinUCB(2, 2, **options)
