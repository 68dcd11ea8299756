"""Regularised adaptation: its steps and its meta-gradient in closed form; MAML at strength 0."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from truths import (
    Linear,
    linear_tasks,
    numeric_meta_gradient,
    quadratics,
    relative_error,
    small_network,
    waves,
)

from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.regularised import RegularisedMAML


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), strength=st.floats(0.0, 3.0))
def test_closed_form_on_quadratics(generator, seed, strength):
    """A step is affine in θ and φ: its parts are followed as matrices and vectors.

    With the pull towards 0 instead of θ, plain weight decay, θ's part of each step is missing.
    """
    episodes, inner_lr = linear_tasks(seed), 0.1
    theta = torch.randn(5, generator=generator(seed + 1), dtype=torch.float64)
    learner = RegularisedMAML(Linear(), {"w": theta}, inner_lr, 3, strength)
    adapted = learner.adapt(episodes.support)["w"]
    identity, expected = torch.eye(5, dtype=theta.dtype), torch.zeros_like(theta)
    tasks = zip(*map(quadratics, episodes), adapted, strict=True)
    for support, query, found in tasks:
        # φ = jacobian θ + rest
        jacobian, rest = identity, torch.zeros_like(theta)
        shrink = identity - inner_lr * (support.hessian + strength * identity)
        for _ in range(3):
            jacobian = shrink @ jacobian + inner_lr * strength * identity
            rest = shrink @ rest + inner_lr * support.b
        torch.testing.assert_close(found, jacobian @ theta + rest)
        expected += jacobian.T @ query.gradient(found) / episodes.num_tasks
    assert relative_error(learner.meta_gradient(episodes)[1], {"w": expected.detach()}) <= 1e-6


def test_many_steps_end_at_the_minimum_of_the_regularised_loss(generator):
    episodes, strength = linear_tasks(0), 0.7
    theta = torch.randn(5, generator=generator(1), dtype=torch.float64)
    learner = RegularisedMAML(Linear(), {"w": theta}, 0.1, 2000, strength)
    with torch.no_grad():
        adapted = learner.adapt(episodes.support)["w"]
    for quadratic, found in zip(quadratics(episodes.support), adapted, strict=True):
        regularised = quadratic.hessian + strength * torch.eye(5, dtype=theta.dtype)
        expected = torch.linalg.solve(regularised, quadratic.b + strength * theta)
        torch.testing.assert_close(found, expected)


def test_finite_differences():
    """Where the pull treated θ as a constant, its part would be missing."""
    learner, episodes = RegularisedMAML(*small_network(), 0.05, 3, strength=2.0), waves()
    _, gradient = learner.meta_gradient(episodes)
    assert relative_error(gradient, numeric_meta_gradient(learner, episodes)) <= 1e-6


def test_strength_0_is_maml():
    episodes = waves()
    ours = RegularisedMAML(*small_network(), 0.05, 3, strength=0.0).meta_gradient(episodes)[1]
    theirs = MAML(*small_network(), 0.05, 3).meta_gradient(episodes)[1]
    assert relative_error(ours, theirs) <= 1e-12


def test_a_stronger_pull_stays_nearer():
    support, distances = waves().support, []
    for strength in (0.0, 1.0, 10.0):
        learner = RegularisedMAML(*small_network(), 0.02, 50, strength)
        adapted = learner.adapt(support)
        distances.append(relative_error(adapted, learner.start(support)))
    assert distances[0] > distances[1] > distances[2] > 0


def test_a_negative_strength_is_named():
    with pytest.raises(ValueError, match="strength=-1"):
        RegularisedMAML(*small_network(), strength=-1)
