"""Private Reptile: Reptile where nothing is private, and the accountant against closed forms."""

import math
from functools import partial

import pytest
import torch
from scipy.optimize import brentq
from scipy.stats import mannwhitneyu, norm
from truths import relative_error, small_network, waves

from metalearn_lite.learners.private_reptile import (
    PrivateReptile,
    clipped,
    epsilon,
    membership,
    private_mean,
)
from metalearn_lite.learners.reptile import Reptile
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import meta_train


def private(**options) -> PrivateReptile:
    return PrivateReptile(*small_network(), 0.1, 3, **options)


@pytest.mark.parametrize("num_clients", [1, 4])
def test_without_a_clip_and_without_noise_it_is_reptile(num_clients):
    episodes = waves(num_clients)
    loss, direction = private(clip=math.inf, noise_multiplier=0.0).meta_gradient(episodes)
    same_loss, expected = Reptile(*small_network(), 0.1, 3).meta_gradient(episodes)
    torch.testing.assert_close(loss, same_loss)
    assert relative_error(direction, expected) < 1e-12


def test_no_update_is_longer_than_the_clip_over_all_parameters_together():
    updates = {
        "a": torch.tensor([[3.0, 0.0], [0.3, 0.0], [0.0, 0.0]]),
        "b": torch.tensor([[4.0], [0.4], [0.0]]),
    }
    short = clipped(updates, 1.0)
    torch.testing.assert_close(short["a"], torch.tensor([[0.6, 0.0], [0.3, 0.0], [0.0, 0.0]]))
    torch.testing.assert_close(short["b"], torch.tensor([[0.8], [0.4], [0.0]]))
    assert clipped(updates, math.inf) is updates


def test_the_noise_is_of_the_sum_and_does_not_grow_with_the_clients(generator):
    zero = {"a": torch.zeros(7, 20_000)}
    noise = private_mean(zero, 0.5, 2.0, 10.0, generator(1))["a"]
    assert noise.std() == pytest.approx(2.0 * 0.5 / 10, rel=0.02)
    ones = {"a": torch.full((7, 1), 0.25)}
    assert private_mean(ones, 1.0, 0.0, 10.0, generator())["a"].item() == pytest.approx(0.175)


def test_one_client_more_moves_the_sum_by_no_more_than_the_clip():
    episodes = waves(5)
    learner = private(clip=0.01, noise_multiplier=0.0, expected=4.0)
    with_all = learner.meta_gradient(episodes)[1]
    without = learner.meta_gradient(episodes.tasks(0, 4))[1]
    moved = sum((with_all[n] - without[n]).square().sum() for n in without).sqrt()
    assert moved * 4 * 0.1 <= 0.01 + 1e-12


def test_the_same_seed_makes_the_same_noise():
    episodes = waves()
    one, two, other = (private(seed=seed).meta_gradient(episodes)[1] for seed in (1, 1, 2))
    assert relative_error(one, two) == 0
    assert relative_error(one, other) > 0.1


def exact_delta(spent: float, z: float) -> float:
    """Balle & Wang (2018), theorem 8, for a sum that one client moves by 1."""
    return norm.cdf(1 / (2 * z) - spent * z) - math.exp(spent) * norm.cdf(-1 / (2 * z) - spent * z)


@pytest.mark.parametrize(("z", "rounds"), [(1.0, 1), (3.0, 1), (8.0, 16), (30.0, 100)])
def test_the_accountant_against_the_closed_form(z, rounds):
    """R sums with noise z tell as much as one with noise z / √R."""
    once = z / math.sqrt(rounds)
    expected = brentq(lambda spent: exact_delta(spent, once) - 1e-5, 0.0, 50.0)
    assert epsilon(z, rounds, 1e-5) == pytest.approx(expected, abs=0.02 + 0.002 * rounds)


def test_few_clients_a_round_spend_less_and_noise_and_rounds_matter():
    assert epsilon(1.0, 100, 1e-4, 0.01) < epsilon(1.0, 100, 1e-4, 0.1) < epsilon(1.0, 100, 1e-4)
    assert epsilon(2.0, 100, 1e-4, 0.1) < epsilon(1.0, 100, 1e-4, 0.1)
    assert epsilon(1.0, 200, 1e-4, 0.1) > epsilon(1.0, 100, 1e-4, 0.1)
    assert epsilon(0.0, 1) == math.inf


def test_one_sampled_round_by_the_amplification_rule():
    """With δ = q δ', one round spends ln(1 + q (e^ε' - 1)), of removing a client."""
    q, z, spent = 0.1, 1.0, 1.0
    delta = q * exact_delta(spent, z)
    assert epsilon(z, 1, delta, q) == pytest.approx(math.log1p(q * math.expm1(spent)), abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clip": math.inf}, "clip=inf has no length"),
        ({"clip": 0.0}, r"clip=0\.0: choose a finite number above 0"),
        ({"noise_multiplier": -1.0}, r"noise_multiplier=-1\.0"),
        ({"expected": -1.0}, r"expected=-1\.0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        private(**options)


def test_membership_is_mann_and_whitneys_share_and_its_interval_holds(generator):
    g = generator(1)
    members, others = (torch.randint(0, 6, (n,), generator=g).double() for n in (40, 70))
    expected = mannwhitneyu(members, others).statistic / (40 * 70)
    assert membership(members, others)[0] == pytest.approx(expected)
    assert membership(torch.ones(3), torch.zeros(2)) == (1.0, 0.0)
    drawn = [
        membership(torch.randn(40, generator=g) + 1, torch.randn(60, generator=g))
        for _ in range(400)
    ]
    truth = norm.cdf(1 / math.sqrt(2))
    inside = sum(abs(area - truth) <= half for area, half in drawn) / 400
    assert 0.9 < inside < 0.99
    with pytest.raises(ValueError, match=r"members \(0,\)"):
        membership(torch.zeros(0), torch.zeros(2))


def test_a_resumed_run_draws_the_noise_that_an_unbroken_one_draws(tmp_path):
    """Noise that came twice would be no protection."""

    def trained(iterations, save_to=None):
        generator = torch.Generator().manual_seed(14)
        network = MLP(1, 8, 1)
        learner = PrivateReptile(network, network.init(generator), inner_steps=2)
        sample = partial(Sinusoids().sample, 4, 5)
        meta_train(learner, sample, iterations, generator, save_to=save_to)
        return learner

    unbroken, path = trained(8), tmp_path / "run.safetensors"
    trained(5, path)
    resumed = trained(8, path)
    for name, value in unbroken.params.items():
        assert torch.equal(resumed.params[name], value)
