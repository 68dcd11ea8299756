from itertools import pairwise

import pytest
import torch
from truths import double, generator, numeric_meta_gradient, relative_error, small_network, waves

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.ridge_head import RidgeHead, fit_ridge
from metalearn_lite.networks import MLP, ConvClassifier


def normal(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


@pytest.mark.parametrize(("num_examples", "size"), [(3, 7), (7, 3), (5, 5), (1, 4), (4, 1)])
def test_the_weights_are_those_of_the_normal_equations(num_examples, size):
    points, targets = normal(4, num_examples, size), normal(4, num_examples, 2, seed=1)
    found = fit_ridge(points, targets, 0.3)
    for task in range(4):
        matrix = points[task].T @ points[task] + 0.3 * torch.eye(size, dtype=torch.float64)
        expected = torch.linalg.solve(matrix, points[task].T @ targets[task])
        torch.testing.assert_close(found[task], expected)


@pytest.mark.parametrize(("num_examples", "size"), [(3, 6), (6, 3)])
def test_no_other_weights_have_a_smaller_loss(num_examples, size):
    points, targets = normal(2, num_examples, size), normal(2, num_examples, 2, seed=1)
    weights = fit_ridge(points, targets, 0.7).requires_grad_()
    loss = (points @ weights - targets).square().sum() + 0.7 * weights.square().sum()
    (slope,) = torch.autograd.grad(loss, weights)
    torch.testing.assert_close(slope, torch.zeros_like(slope), atol=1e-10, rtol=0)


@pytest.mark.parametrize(("num_examples", "size"), [(2, 5), (5, 2)])
def test_gradients_reach_points_targets_and_strength(num_examples, size):
    """Against finite differences, `torch.autograd.gradcheck`."""
    points, targets = normal(2, num_examples, size), normal(2, num_examples, 3, seed=1)
    strength = torch.tensor(0.4, dtype=torch.float64)
    given = [part.requires_grad_() for part in (points, targets, strength)]
    assert torch.autograd.gradcheck(fit_ridge, given)


def test_the_stronger_the_smaller_and_without_examples_nothing():
    points, targets = normal(1, 4, 3), normal(1, 4, 2, seed=1)
    sizes = [fit_ridge(points, targets, 10.0**power).norm() for power in range(-3, 5)]
    assert all(a > b for a, b in pairwise(sizes))
    assert sizes[-1] < 1e-2
    exact = torch.linalg.lstsq(points, targets).solution
    torch.testing.assert_close(fit_ridge(points, targets, 1e-9), exact)
    assert torch.equal(fit_ridge(points[:, :0], targets[:, :0], 1.0), torch.zeros(1, 3, 2).double())


def test_the_meta_gradient_of_values_agrees_with_finite_differences():
    network, params = small_network()
    own = {"log_strength": torch.tensor(-0.5), "log_scale": torch.tensor(0.2)}
    learner = RidgeHead(network, params | {name: value.double() for name, value in own.items()})
    episodes = waves()
    _, gradient = learner.meta_gradient(episodes)
    assert relative_error(gradient, numeric_meta_gradient(learner, episodes)) < 1e-6


def test_the_meta_gradient_of_classes_agrees_with_finite_differences():
    network = MLP(3, 5, 4)
    params = RidgeHead.init(network, generator(1))
    learner = RidgeHead(network, {name: value.double() for name, value in params.items()})
    y = torch.tensor([[0, 1, 2, 0, 1, 2], [2, 1, 0, 0, 1, 2]])
    halves = [Examples(normal(2, 6, 3, seed=seed), y) for seed in (2, 3)]
    _, gradient = learner.meta_gradient(Episodes(*halves))
    assert relative_error(gradient, numeric_meta_gradient(learner, Episodes(*halves))) < 1e-6


def test_classes_are_regressed_as_one_hot_rows_and_scaled():
    network = MLP(3, 4)
    learner = RidgeHead(network, RidgeHead.init(network, generator()))
    learner.params["log_scale"].data.fill_(2.0)
    support = Examples(normal(1, 4, 3).float(), torch.tensor([[1, 0, 2, 1]]))
    heads = learner.adapt(support)
    assert heads.shape == (1, 4, 3)
    rows = torch.tensor([[[0.0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]]])
    torch.testing.assert_close(heads, fit_ridge(learner.embed(support.x), rows, 1.0))
    expected = torch.tensor(2.0).exp() * learner.embed(support.x) @ heads
    torch.testing.assert_close(learner.predict(heads, support.x), expected)


def test_another_function_can_fit_the_head():
    network = ConvClassifier(8, 4)
    learner = RidgeHead(network, RidgeHead.init(network, generator()))
    x = torch.rand(2, 3, 1, 28, 28, generator=generator())
    support = Examples(x, torch.arange(3).repeat(2, 1))
    learner.fit = lambda points, targets, strength: torch.full((2, 8, 3), strength.item())
    assert torch.equal(learner.adapt(support), torch.ones(2, 8, 3))


def test_values_are_answered_with_values():
    network, params = small_network()
    own = {"log_strength": torch.tensor(-9.0), "log_scale": torch.tensor(0.0)}
    learner = RidgeHead(network, params | {name: value.double() for name, value in own.items()})
    support, query = double(waves())
    assert learner.adapt(support).shape == (4, 1)
    assert learner.predict(learner.adapt(support), query.x).shape == (4, 6)
