"""MAML's meta-gradient against three truths: algebra, finite differences, learn2learn."""

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
    require_learn2learn,
    small_network,
    waves,
)

from metalearn_lite import interop
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids


def quadratic_meta_gradient(theta, episodes, inner_lr, inner_steps):
    """The closed form: φ = θ - α(Hθ - b) each step, so dφ/dθ = (I - αH)^k."""
    total = torch.zeros_like(theta)
    identity = torch.eye(len(theta), dtype=theta.dtype)
    for support, query in zip(*map(quadratics, episodes), strict=True):
        shrink = torch.linalg.matrix_power(identity - inner_lr * support.hessian, inner_steps)
        adapted = support.minimum + shrink @ (theta - support.minimum)
        total += shrink.T @ query.gradient(adapted)
    return total / episodes.num_tasks


@pytest.mark.parametrize("inner_steps", [1, 2, 3, 4, 5])
@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), inner_lr=st.floats(0.001, 0.4))
def test_closed_form_on_quadratics(generator, inner_steps, seed, inner_lr):
    episodes = linear_tasks(seed)
    theta = torch.randn(5, generator=generator(seed + 1), dtype=torch.float64)
    _, gradient = MAML(Linear(), {"w": theta}, inner_lr, inner_steps).meta_gradient(episodes)
    expected = {"w": quadratic_meta_gradient(theta, episodes, inner_lr, inner_steps)}
    assert relative_error(gradient, expected) <= 1e-6


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), inner_lr=st.floats(0.001, 0.4))
def test_first_order_is_the_query_gradient_at_the_end(generator, seed, inner_lr):
    """With order=1, dφ/dθ is taken for the identity: no factor (I - αH) is left."""
    episodes = linear_tasks(seed)
    theta = torch.randn(5, generator=generator(seed + 1), dtype=torch.float64)
    maml = MAML(Linear(), {"w": theta}, inner_lr, inner_steps=3, order=1)
    adapted = maml.adapt(episodes.support)["w"].detach()
    ends = zip(quadratics(episodes.query), adapted, strict=True)
    expected = torch.stack([query.gradient(w) for query, w in ends]).mean(0)
    assert relative_error(maml.meta_gradient(episodes)[1], {"w": expected}) <= 1e-6


@pytest.mark.parametrize("inner_steps", [1, 2, 3, 4, 5])
def test_finite_differences(inner_steps):
    """Smooth data on which no ReLU switches within the difference, in float64."""
    maml, episodes = MAML(*small_network(), 0.02, inner_steps), waves()
    _, gradient = maml.meta_gradient(episodes)
    assert relative_error(gradient, numeric_meta_gradient(maml, episodes)) <= 1e-6


def learn2learn_meta_gradient(network, params, episodes, inner_lr, inner_steps, first_order):
    library = interop.learn2learn()
    module = interop.to_module(network, params)
    maml = library.algorithms.MAML(module, lr=inner_lr, first_order=first_order)
    total = 0.0
    for x, y, query_x, query_y in zip(*episodes.support, *episodes.query, strict=True):
        learner = maml.clone()
        for _ in range(inner_steps):
            learner.adapt((learner(x).squeeze(-1) - y).square().mean())
        total = total + (learner(query_x).squeeze(-1) - query_y).square().mean()
    (total / episodes.num_tasks).backward()
    return interop.from_module(module, gradients=True)


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("inner_steps", [1, 5])
def test_equals_learn2learn(generator, inner_steps, first_order):
    require_learn2learn()
    network = MLP(1, 40, 40, 1)
    params, episodes = network.init(generator()), Sinusoids().sample(8, 10, 10, generator(3))
    maml = MAML(network, params, 0.01, inner_steps, order=1 if first_order else 2)
    _, gradient = maml.meta_gradient(episodes)
    expected = learn2learn_meta_gradient(network, params, episodes, 0.01, inner_steps, first_order)
    assert relative_error(gradient, expected) <= 1e-5


def test_first_order_is_another_direction(generator):
    network = MLP(1, 40, 40, 1)
    params, episodes = network.init(generator()), Sinusoids().sample(8, 10, 10, generator(3))
    gradients = [
        MAML(network, params, 0.1, 3, order).meta_gradient(episodes)[1] for order in (1, 2)
    ]
    assert relative_error(*gradients) > 0.1


def test_first_order_keeps_the_value(generator):
    network = MLP(1, 40, 40, 1)
    params, episodes = network.init(generator()), Sinusoids().sample(8, 10, 10, generator(3))
    losses = [MAML(network, params, 0.1, 3, order).meta_loss(episodes).item() for order in (1, 2)]
    assert losses[0] == pytest.approx(losses[1])


def test_trace_is_the_path_of_adapt(generator):
    network = MLP(1, 8, 1)
    maml = MAML(network, network.init(generator()), 0.05, inner_steps=4)
    support = Sinusoids().sample(3, 4, 4, generator(1)).support
    trace = maml.trace(support)
    assert len(trace.adapted) == 5
    assert trace.support_loss.shape == (5, 3)
    for steps, adapted in enumerate(trace.adapted):
        expected = maml.adapt(support, inner_steps=steps)
        for name in expected:
            torch.testing.assert_close(adapted[name], expected[name])
        losses = task_losses(maml.predict(adapted, support.x), support.y)
        torch.testing.assert_close(trace.support_loss[steps], losses)
    assert not any(value.requires_grad for step in trace.adapted for value in step.values())


def test_no_grad_changes_no_value(generator):
    network = MLP(1, 8, 1)
    maml = MAML(network, network.init(generator()), 0.05, 3)
    support = Sinusoids().sample(3, 4, 4, generator(1)).support
    with torch.no_grad():
        quiet = maml.adapt(support)
    loud = maml.adapt(support)
    for name in loud:
        assert not quiet[name].requires_grad
        torch.testing.assert_close(quiet[name], loud[name])


def test_joint_training_descends_the_loss_before_any_step(generator):
    network = MLP(1, 8, 1)
    joint = JointTraining(network, network.init(generator()), 0.05, 3)
    episodes = Sinusoids().sample(3, 4, 4, generator(1))
    _, gradient = joint.meta_gradient(episodes)
    _, expected = MAML(network, joint.params, 0.05, inner_steps=0).meta_gradient(episodes)
    assert relative_error(gradient, expected) <= 1e-6


@pytest.mark.parametrize(("name", "value"), [("order", 3), ("inner_steps", -1)])
def test_bad_settings_are_named(generator, name, value):
    network = MLP(1, 8, 1)
    with pytest.raises(ValueError, match=f"{name}={value}"):
        MAML(network, network.init(generator()), **{name: value})
