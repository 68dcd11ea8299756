"""Truths worked out by hand. What all metric learners share is in test_comparing.py."""

import pytest
import torch

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.siamese import SiameseNetwork
from metalearn_lite.networks import ConvNet
from metalearn_lite.tasks.characters import Glyphs


class Identity:
    """Embeds a point as itself."""

    def __call__(self, params, x):
        return x


@pytest.fixture
def learner():
    """Of two numbers, with weights -1 and -2 and bias 3."""
    params = {"weight": torch.tensor([-1.0, -2.0]), "bias": torch.tensor([3.0])}
    return SiameseNetwork(Identity(), params)


def test_a_pair_worked_out_by_hand(learner):
    a, b = torch.tensor([[[0.0, 1.0]]]), torch.tensor([[[0.0, 1.0], [2.0, 0.5]]])
    # 3 for a pair without a difference; 3 - 1 · |0 - 2| - 2 · |1 - 0.5| = 0 for the other.
    assert learner.compare(a, b).tolist() == [[[3.0, 0.0]]]


def test_a_pair_has_no_first_image(learner):
    a, b = torch.rand(2, 3, 2), torch.rand(2, 4, 2)
    torch.testing.assert_close(learner.compare(a, b), learner.compare(b, a).transpose(1, 2))


def test_at_first_the_odds_are_about_even():
    network = ConvNet((16, 32, 64, 64))
    learner = SiameseNetwork(
        network, SiameseNetwork.init(network, torch.Generator().manual_seed(0))
    )
    x = Glyphs(1, 20, 5).sample(1, 20, 1, 4, torch.Generator().manual_seed(1))
    logits = learner.predict(learner.adapt(x.support), x.query.x)
    assert logits.mean().abs() < 1.5


def test_the_most_similar_image_of_a_class_decides(learner):
    points = torch.tensor([[[0.0, 0.0], [9.0, 9.0], [1.0, 0.0]]])
    adapted = learner.adapt(Examples(points, torch.tensor([[0, 0, 1]])))
    logits = learner.predict(adapted, torch.tensor([[[0.0, 0.0], [2.0, 0.0]]]))
    # Class 0 also has an image far away, which does not count.
    assert logits.tolist() == [[[3.0, 2.0], [1.0, 2.0]]]


def test_the_loss_worked_out_by_hand(learner):
    """One query: its one same pair has half of the weight, its two different pairs the rest."""
    points = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]])
    support = Examples(points, torch.tensor([[0, 1, 2]]))
    query = Examples(torch.zeros(1, 1, 2), torch.tensor([[0]]))
    same, different = torch.tensor(3.0).sigmoid(), torch.tensor([2.0, -1.0]).sigmoid()
    expected = 0.5 * -same.log() + 0.5 * -(1 - different).log().mean()
    torch.testing.assert_close(learner.meta_loss(Episodes(support, query)), expected)


def test_the_softmax_of_logits_is_the_posterior_of_independent_comparisons(learner):
    """P(only class k matches) is p_k times all other 1 - p_j, over the sum of those."""
    logits = torch.randn(3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    p = logits.sigmoid()
    only = torch.stack([p[k] * (1 - p).prod() / (1 - p[k]) for k in range(3)])
    torch.testing.assert_close(logits.softmax(0), only / only.sum())


def test_at_first_it_is_the_nearest_neighbour_by_absolute_differences():
    generator = torch.Generator().manual_seed(0)
    network = ConvNet((8, 8, 8, 8))
    learner = SiameseNetwork(network, SiameseNetwork.init(network, generator))
    support = Examples(
        torch.rand(2, 6, 1, 28, 28, generator=generator), torch.arange(6).repeat(2, 1)
    )
    x = torch.rand(2, 9, 1, 28, 28, generator=generator)
    points, places = (network(learner.params, images) for images in (x, support.x))
    nearest = torch.cdist(points.double(), places.double(), p=1).argmin(2)
    assert torch.equal(learner.predict(learner.adapt(support), x).argmax(2), nearest)
