"""Rules against the gradients that they weigh, written out by hand or by autograd."""

import pytest
import torch
from truths import generator

from metalearn_lite.networks import MLP
from metalearn_lite.rl.bandit_players import play
from metalearn_lite.rl.learned_rule import LearnedRule, Lives, Walks, lived
from metalearn_lite.rl.policies import GaussianPolicy
from metalearn_lite.rl.rules import Learning, Reinforce, seen_of
from metalearn_lite.rl.trajectories import Trajectories, rollout
from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.training import meta_train

POLICY = GaussianPolicy(2, 2)


class Short(Navigation):
    horizon = 6


def start(std=0.5):
    params = POLICY.init(generator(), std)
    return {n: v if n == "log_std" else torch.zeros_like(v) for n, v in params.items()}


def walks(num_updates=2, num_trajectories=4):
    return Walks(Short(), POLICY, start(), num_updates, num_trajectories)


def learned(sizes=(3, 8, 1), seed=1, **settings):
    network = MLP(*sizes)
    return LearnedRule(network, network.init(generator(seed)), **settings)


def linear(advantage, chance=0.0, new=0.0, bias=0.0, scale=1.0):
    rule = learned((3, 1), scale=scale)
    rule.params = {
        "weight1": torch.tensor([[advantage], [chance], [new]]),
        "bias1": torch.tensor([[bias]]),
    }
    return rule


def test_what_is_seen_of_an_action():
    seen = seen_of(torch.tensor([0.5, -2.0]), torch.tensor([0.1, 1.0]), 3)
    torch.testing.assert_close(seen, torch.tensor([[0.5, 0.1, 0.25], [-2.0, 1.0, 0.25]]))


@pytest.mark.parametrize("rule", [Reinforce(1.5), linear(0.3, 2.0, -1.0, 0.2)])
def test_a_pull_moves_preferences_along_the_gradient_of_its_log_chance(rule):
    g = generator()
    before = torch.randn(3, 2, 5, generator=g, requires_grad=True)
    arms, paid = torch.randint(5, (3, 2), generator=g), torch.rand(3, 2, generator=g) * 4
    rewards = torch.rand(3, 2, generator=g)
    log_chance = before.log_softmax(-1).gather(-1, arms.unsqueeze(-1)).squeeze(-1)
    (slope,) = torch.autograd.grad(log_chance.sum(), before)
    after = rule.learn(Learning(before.detach(), paid, 4), arms, rewards)
    advantage = rewards - (paid + 0.5) / 5
    weight = rule.weights(seen_of(advantage, log_chance.detach().exp(), 4))
    torch.testing.assert_close(after.preferences, before.detach() + weight.unsqueeze(-1) * slope)
    torch.testing.assert_close(after.paid, paid + rewards)
    assert after.pulls == 5


def test_reinforce_goes_along_the_gradient_of_the_expected_reward():
    """Over all arms and payments there can be: whatever is compared with drops out."""
    pays, preferences = torch.tensor([0.2, 0.9, 0.5]), torch.tensor([0.3, -0.4, 0.0])
    preferences.requires_grad_()
    chances = preferences.softmax(0)
    (exact,) = torch.autograd.grad(chances @ pays, preferences)
    expected = torch.zeros(3)
    rule = Reinforce(0.7, num_arms=3)
    for arm in range(3):
        for reward, likely in ((1.0, pays[arm]), (0.0, 1 - pays[arm])):
            memory = Learning(preferences.detach()[None, None], torch.tensor([[2.2]]), 4)
            after = rule.learn(memory, torch.tensor([[arm]]), torch.tensor([[reward]]))
            move = after.preferences - memory.preferences
            expected += chances[arm].detach() * likely * move[0, 0]
    torch.testing.assert_close(expected, 0.7 * exact)


def test_it_chooses_as_often_as_its_policy_says():
    preferences = torch.tensor([1.0, -0.5, 0.0, 0.3, -2.0])
    memory = Learning(preferences.expand(1, 20_000, 5), torch.zeros(1, 20_000), 0)
    often = Reinforce().choose(memory, generator()).flatten().bincount(minlength=5) / 20_000
    assert often == pytest.approx(preferences.softmax(0), abs=0.015)


def test_without_a_rate_it_plays_by_chance_and_with_one_it_learns():
    bandits = Bandits(5, 10)
    tasks = bandits.sample_tasks(2000, generator())
    idle, rule = (play(r, bandits, tasks, 1, generator()) for r in (Reinforce(0), Reinforce(5)))
    assert idle.returns.mean() == pytest.approx(5, abs=0.15)
    assert rule.returns.mean() > 6


def test_a_rule_plays_bandits_of_any_size():
    rule = learned()
    wider = rule.for_arms(7)
    games = play(wider, Bandits(7, 3), torch.rand(4, 7, generator=generator()), 2, generator())
    assert games.actions.shape == (4, 2, 3)
    assert (rule.num_arms, wider.num_arms) == (5, 7)
    with pytest.raises(ValueError, match="num_arms"):
        play(rule, Bandits(7, 3), torch.rand(4, 7), 2)


def by_hand(rule, params, played, updates):
    """One update of a one-layer policy, action by action: ∇ log π in W, b and log σ."""
    after = {name: value.clone() for name, value in params.items()}
    for task in range(len(played.rewards)):
        on = played.played[task]
        ahead = played.rewards[task].flip(1).cumsum(1).flip(1)
        better = torch.zeros_like(ahead)
        for step in range(ahead.shape[1]):
            who = on[:, step] > 0
            if who.any():
                better[who, step] = ahead[who, step] - ahead[who, step].mean()
        better = better / ((better.square().sum() / on.sum()).sqrt() + 1e-6)
        for walk, step in on.nonzero().tolist():
            place = played.observations[task, walk, step]
            std = params["log_std"][task, 0].exp()
            mean = place @ params["weight1"][task] + params["bias1"][task, 0]
            z = (played.actions[task, walk, step] - mean) / std
            chance = torch.exp(-z.square().sum() / 2)
            weight = rule.weights(seen_of(better[walk, step], chance, updates)) / on.sum()
            after["weight1"][task] += weight * torch.outer(place, z / std)
            after["bias1"][task, 0] += weight * z / std
            after["log_std"][task, 0] += weight * (z.square() - 1)
    return after


@pytest.mark.parametrize("rule", [Reinforce(0.8, fading=0.5), linear(0.5, 1.0, 2.0, -0.3)])
def test_walks_move_the_policy_along_the_weighed_gradients(rule):
    g = generator(3)
    params = {n: v + 0.3 * torch.randn(2, *v.shape, generator=g) for n, v in start().items()}
    played = rollout(Short(), POLICY, params, Short().sample_tasks(2, g), 3, g)
    played.played[0, 1, 4:], played.rewards[0, 1, 4:] = 0, 0  # it got there after four steps
    found, expected = rule.update(POLICY, params, played, 2), by_hand(rule, params, played, 2)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5)


def test_where_nothing_differs_reinforce_stays_where_it_is():
    played = Trajectories(
        torch.zeros(1, 3, 2, 2), torch.randn(1, 3, 2, 2), -torch.ones(1, 3, 2), torch.ones(1, 3, 2)
    )
    params = {name: value.unsqueeze(0) for name, value in start().items()}
    after = Reinforce(2.0).update(POLICY, params, played)
    assert all(torch.equal(after[name], value) for name, value in params.items())


def test_practice_is_played_before_each_update_and_after_the_last():
    world, tasks = walks(), Short().sample_tasks(5, generator())
    played = Reinforce(0.5).practise(*world[:3], tasks, *world[3:], generator=generator())
    assert [part.actions.shape for part in played] == [(5, 4, 6, 2)] * 3
    first = rollout(Short(), POLICY, world.start, tasks, 4, generator())
    assert torch.equal(first.actions, played[0].actions)
    assert torch.equal(world.start["bias1"], torch.zeros(1, 2))


def test_practice_gets_better():
    world, tasks = (
        Walks(Navigation(), POLICY, start(), 3, 10),
        Short().sample_tasks(50, generator()),
    )
    world.environment.horizon = 20
    played = Reinforce(0.5).practise(*world[:3], tasks, *world[3:], generator=generator())
    assert played[-1].returns.mean() > played[0].returns.mean() + 1.5


@pytest.mark.parametrize("world", [Bandits(5, 4), walks()], ids=["bandits", "walks"])
def test_a_life_is_the_same_with_the_same_seed(world):
    tasks = (world if isinstance(world, Bandits) else Short()).sample_tasks(6, generator())
    first, same, other = (lived(learned(), Lives(world, tasks, seed)) for seed in (1, 1, 2))
    assert first.shape == (6,)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_a_network_can_be_reinforce():
    bandits = Bandits(5, 6)
    lives = Lives(bandits, bandits.sample_tasks(50, generator()), 3)
    rule = linear(2.0, scale=1.5)
    torch.testing.assert_close(lived(rule, lives), lived(Reinforce(3.0), lives))


@pytest.mark.slow
def test_evolution_tells_a_rule_to_do_more_often_what_went_well():
    """From a rule that does nothing: its gradient is that of REINFORCE's rate, and it is uphill."""
    bandits = Bandits(5, 10)
    lives = Lives(bandits, bandits.sample_tasks(500, generator()), 3)
    rule = linear(0.0)
    rule.num_pairs, rule.spread = 100, 0.5
    loss, gradient = rule.meta_gradient(lives)
    at = 0.5 * torch.tensor([-1.0, 1.0])
    down, up = (lived(linear(rate.item()), lives).mean() for rate in at)
    assert loss == pytest.approx(-5, abs=0.2)
    assert -gradient["weight1"][0].item() == pytest.approx((up - down).item(), rel=0.35)
    assert not loss.requires_grad


@pytest.mark.slow
def test_training_finds_a_rule_that_learns():
    bandits = Bandits(5, 10)

    def sample(generator):
        tasks = bandits.sample_tasks(100, generator)
        return Lives(bandits, tasks, int(torch.randint(1000, (), generator=generator)))

    rule = learned(num_pairs=6, spread=0.2, scale=3.0)
    history = meta_train(rule, sample, 30, generator(), outer_lr=0.1)
    assert -sum(history.losses[-5:]) / 5 > 5.7


@pytest.mark.parametrize(
    "wrong",
    [{"num_pairs": 0}, {"spread": 0.0}, {"scale": -1.0}, {"num_arms": 1}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_cannot_be_meant_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        learned(**wrong)
    if "num_arms" in wrong:
        with pytest.raises(ValueError, match="num_arms"):
            learned().for_arms(1)


@pytest.mark.parametrize("wrong", [{"rate": -1.0}, {"fading": float("nan")}, {"num_arms": 0}])
def test_reinforce_refuses_likewise(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Reinforce(**wrong)
