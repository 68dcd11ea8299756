"""Meta-SGD: closed forms for both gradients, MAML where all rates are equal."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from truths import (
    Linear,
    generator,
    linear_tasks,
    numeric_meta_gradient,
    quadratics,
    relative_error,
    small_network,
    waves,
)

from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.meta_sgd import MetaSGD
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import meta_train


def set_rates(learner: MetaSGD, seed: int) -> None:
    """Random rates, some of them negative."""
    for name, value in learner.params.items():
        if name.startswith("rate."):
            noise = torch.rand(value.shape, generator=generator(seed), dtype=value.dtype)
            learner.params[name] = (3 * noise - 0.5).requires_grad_()


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_closed_form_of_one_step_on_quadratics(seed):
    """φ = θ - αr⊙∇L: dφ/dθ = I - α diag(r) H, dφ/dr = -α diag(∇L). The minus is often lost."""
    episodes = linear_tasks(seed)
    theta = torch.randn(5, generator=generator(seed + 1), dtype=torch.float64)
    learner = MetaSGD(Linear(), {"w": theta}, inner_lr=0.02)
    set_rates(learner, seed + 2)
    rate = 0.02 * learner.params["rate.w"].detach()
    of_theta, of_rate = torch.zeros_like(theta), torch.zeros_like(theta)
    for support, query in zip(*map(quadratics, episodes), strict=True):
        step = support.gradient(theta)
        end = query.gradient(theta - rate * step)
        of_theta += (end - support.hessian @ (rate * end)) / episodes.num_tasks
        of_rate -= 0.02 * step * end / episodes.num_tasks
    _, gradient = learner.meta_gradient(episodes)
    assert relative_error(gradient, {"w": of_theta, "rate.w": of_rate}) <= 1e-6


@pytest.mark.parametrize("inner_steps", [1, 3])
def test_finite_differences(inner_steps):
    learner, episodes = MetaSGD(*small_network(), 0.02, inner_steps), waves()
    set_rates(learner, 3)
    _, gradient = learner.meta_gradient(episodes)
    assert relative_error(gradient, numeric_meta_gradient(learner, episodes)) <= 1e-6


def test_with_equal_rates_it_is_maml():
    episodes = waves()
    ours = MetaSGD(*small_network(), 0.03, 3).meta_gradient(episodes)
    theirs = MAML(*small_network(), 0.03, 3).meta_gradient(episodes)
    torch.testing.assert_close(ours[0], theirs[0])
    theta_only = {name: ours[1][name] for name in theirs[1]}
    assert relative_error(theta_only, theirs[1]) <= 1e-12


def test_first_order_still_learns_the_rates():
    learner, episodes = MetaSGD(*small_network(), 0.02, order=1), waves()
    second = MetaSGD(*small_network(), 0.02).meta_gradient(episodes)[1]
    first = learner.meta_gradient(episodes)[1]
    # One step's rate multiplies the gradient at θ, which is a constant for it either way.
    rates = {name: value for name, value in second.items() if name.startswith("rate.")}
    assert relative_error({name: first[name] for name in rates}, rates) <= 1e-12
    assert relative_error(first, second) > 1e-3


def test_adapted_parameters_are_the_networks_alone():
    learner, support = MetaSGD(*small_network(), 0.02, 2), waves().support
    network_names = list(small_network()[1])
    assert list(learner.adapt(support)) == network_names
    assert all(list(step) == network_names for step in learner.trace(support).adapted)


def test_meta_training_learns_the_rates():
    network = MLP(1, 6, 6, 1)
    learner = MetaSGD(network, network.init(generator(1)), 0.02, 2)
    meta_train(learner, partial(Sinusoids().sample, 4, 5), 20, generator())
    for name, value in learner.params.items():
        if name.startswith("rate."):
            # A ReLU that is never on leaves its rates alone.
            assert (value != 1).float().mean() > 0.5
