"""The quick inner step against its plain twin: the same answers and the same meta-gradients."""

import pytest
import torch
from truths import double, generator, relative_error, small_network, waves

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.fast.inner_step import loss_slopes
from metalearn_lite.learners.anil import ANIL
from metalearn_lite.learners.base import example_losses
from metalearn_lite.learners.batch_norm import NoNorm, PerStepNorm, SupportNorm
from metalearn_lite.learners.implicit_maml import ImplicitMAML
from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.maml_plus_plus import MAMLPlusPlus
from metalearn_lite.learners.meta_sgd import MetaSGD
from metalearn_lite.learners.regularised import RegularisedMAML
from metalearn_lite.learners.reptile import Reptile
from metalearn_lite.learners.transfer import Transfer, draw_networks
from metalearn_lite.networks import ConvClassifier
from metalearn_lite.tasks.characters import Glyphs


def difference(learner: MAML, episodes: Episodes) -> float:
    """The largest relative difference between ``learner`` and its plain twin.

    Of the adapted parameters, the path there without gradients, and the meta-gradient.
    """
    sides = []
    for fast in (True, False):
        learner.fast = learner.network.fast = fast
        path = learner.trace(episodes.support)
        loss, gradient = learner.meta_gradient(episodes)
        ends = {"loss": loss, "support loss": path.support_loss}
        sides.append((learner.adapt(episodes.support), path.adapted[-1], ends, gradient))
    return max(relative_error(*both) for both in zip(*sides, strict=True))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("inner_steps", [1, 5])
@pytest.mark.parametrize("kind", [MAML, ANIL, MetaSGD, RegularisedMAML, JointTraining, Transfer])
def test_on_waves(kind, inner_steps, order):
    network, params = small_network()
    if kind is Transfer:
        drawn = draw_networks(network, 2, generator(7))
        params = {name: value.double() for name, value in drawn.items()}
    episodes = waves(2)
    assert difference(kind(network, params, 0.05, inner_steps, order=order), episodes) <= 1e-12


@pytest.mark.parametrize("inner_steps", [1, 5])
@pytest.mark.parametrize("kind", [MAMLPlusPlus, ImplicitMAML, Reptile])
def test_on_waves_where_the_order_is_fixed(kind, inner_steps):
    assert difference(kind(*small_network(), 0.05, inner_steps), waves()) <= 1e-12


def test_a_subclass_with_its_own_gradient_takes_its_steps_by_it():
    class Halved(MAML):
        def gradient(self, adapted, support, names):
            full = super().gradient(adapted, support, names)
            return {name: value / 2 for name, value in full.items()}

    class More(Halved):
        """Has it from its parent."""

    support = waves().support
    expected = MAML(*small_network(), 0.05).adapt(support)
    for kind in (Halved, More):
        assert relative_error(kind(*small_network(), 0.1).adapt(support), expected) <= 1e-12


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("inner_steps", [1, 5])
@pytest.mark.parametrize("kind", [MAML, ANIL, SupportNorm, NoNorm, PerStepNorm])
def test_on_characters(kind, inner_steps, order):
    """With the network's own plain twin: no quick arithmetic is left on one side."""
    episodes = double(Glyphs(2, 8, 6, seed=1).sample(3, 3, 1, 2, generator(2)))
    episodes = Episodes(*(Examples(half.x, half.y.long()) for half in episodes))
    network = ConvClassifier(3, 4)
    params = {name: value.double() for name, value in network.init(generator(1)).items()}
    for block in range(1, 5):  # Blank paper must not lie on the bend of the ReLU.
        params[f"shift{block}"] += torch.tensor([0.1, -0.1, 0.2, -0.2], dtype=torch.float64)
    assert difference(kind(network, params, 0.1, inner_steps, order), episodes) <= 1e-8


@pytest.mark.parametrize(
    ("shape", "y"),
    [((2, 3, 1), torch.arange(6.0).view(2, 3)), ((2, 3, 4), torch.tensor([[0, 1, 2], [3, 3, 0]]))],
)
def test_slopes_are_the_derivatives_of_the_losses(shape, y):
    predicted = torch.randn(shape, generator=generator(1), requires_grad=True)
    (expected,) = torch.autograd.grad(example_losses(predicted, y).sum() * -0.3, predicted)
    torch.testing.assert_close(loss_slopes(predicted, y, -0.3), expected)
