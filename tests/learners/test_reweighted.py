"""Reweighted MAML: its weights by hand, its gradient by differences, its limits against MAML."""

import pytest
import torch
from truths import numeric_gradient, relative_error, small_network, waves

from metalearn_lite.learners.base import example_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.reweighted import ReweightedMAML, example_weights


def test_weights_by_hand():
    losses = torch.tensor([[1.0, 2.0, 3.0, 30.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    first = [1 / (1 + (loss / 4.0) ** 2) for loss in (1, 2, 3, 30, 0)]  # the median is 2
    expected = torch.tensor([[5 * w / sum(first) for w in first], [1.0] * 5])
    torch.testing.assert_close(example_weights(losses, 2.0), expected)
    assert not example_weights(losses.requires_grad_()).requires_grad


def test_the_inner_gradient_is_that_of_the_weighted_loss():
    network, params = small_network()
    learner, (support, _) = ReweightedMAML(network, params, 0.1, tolerance=1.5), waves(1)
    start = learner.start(support)
    weights = example_weights(example_losses(learner.predict(start, support.x), support.y), 1.5)

    def loss_at(moved):
        return (weights * example_losses(learner.predict(moved, support.x), support.y)).mean()

    found = learner.gradient(start, support, list(start))
    found = {name: value[0] for name, value in found.items()}
    numeric = numeric_gradient(loss_at, {name: value.detach() for name, value in params.items()})
    assert relative_error({n: v.detach() for n, v in found.items()}, numeric) < 1e-6


def test_an_endless_tolerance_is_maml():
    network, params = small_network()
    episodes = waves()
    both = [kind(network, params, 0.1, 3, **more) for kind, more in
            ((MAML, {}), (ReweightedMAML, {"tolerance": 1e9}))]  # fmt: skip
    (loss, gradient), (same_loss, same) = (one.meta_gradient(episodes) for one in both)
    torch.testing.assert_close(loss, same_loss)
    assert relative_error(same, gradient) < 1e-9


def test_a_tolerance_of_nothing_is_refused():
    with pytest.raises(ValueError, match="tolerance=0: choose a finite number above 0"):
        ReweightedMAML(*small_network(), tolerance=0)
