"""Truths worked out by hand. What all metric learners share is in test_comparing.py."""

import math

import pytest
import torch
from torch.nn import functional as F

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.matching import MatchingNetwork
from metalearn_lite.learners.prototypes import PrototypicalNetwork


class Identity:
    """Embeds a point as itself."""

    def __call__(self, params, x):
        return x


def points(num_tasks, num_points, seed, size=5):
    return torch.randn(num_tasks, num_points, size, generator=torch.Generator().manual_seed(seed))


def probabilities(support, x, sharpness):
    learner = MatchingNetwork(Identity(), {}, sharpness)
    return learner.predict(learner.adapt(support), x).exp()


def test_attention_worked_out_by_hand():
    """Support at 0°, 60° and 90°, classes 0, 1, 1; the query at 0°: cosines 1, 0.5 and 0."""
    places = torch.tensor([[[2.0, 0.0], [1.0, math.sqrt(3)], [0.0, 5.0]]])
    support = Examples(places, torch.tensor([[0, 1, 1]]))
    weights = torch.tensor([1.0, 0.5, 0.0]).mul(4).exp()
    expected = torch.stack([weights[0], weights[1] + weights[2]]) / weights.sum()
    answer = probabilities(support, torch.tensor([[[0.1, 0.0]]]), sharpness=4)
    torch.testing.assert_close(answer, expected.view(1, 1, 2))


def test_the_answer_is_a_probability():
    support = Examples(points(3, 8, 0), torch.tensor([[0, 1, 2, 3, 3, 2, 1, 0]]).expand(3, -1))
    total = probabilities(support, points(3, 7, 1), 10).sum(2)
    torch.testing.assert_close(total, torch.ones(3, 7))


def test_without_sharpness_it_answers_by_class_frequency():
    support = Examples(points(1, 8, 0), torch.tensor([[0, 1, 1, 1, 2, 2, 1, 2]]))
    frequency = torch.tensor([1, 4, 3]) / 8
    answer = probabilities(support, points(1, 6, 1), sharpness=0)
    torch.testing.assert_close(answer, frequency.expand(1, 6, 3))


def test_with_endless_sharpness_it_is_the_nearest_neighbour_by_cosine():
    support = Examples(points(2, 6, 0), torch.tensor([[0, 1, 2, 0, 1, 2], [2, 2, 1, 1, 0, 0]]))
    x = points(2, 9, 1)
    cosines = F.cosine_similarity(x.unsqueeze(2), support.x.unsqueeze(1), dim=3)
    nearest = support.y.gather(1, cosines.argmax(2))
    torch.testing.assert_close(probabilities(support, x, 1e6), F.one_hot(nearest).float())


def test_no_attention_is_too_small_for_a_logarithm():
    support = Examples(torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]]), torch.tensor([[0, 1]]))
    learner = MatchingNetwork(Identity(), {}, sharpness=1000.0)
    answer = learner.predict(learner.adapt(support), torch.tensor([[[1.0, 0.0]]]))
    torch.testing.assert_close(answer, torch.tensor([[[0.0, -2000.0]]]))


@pytest.mark.parametrize(("num_shots", "same"), [(1, True), (3, False)])
def test_with_one_shot_it_is_a_prototypical_network_with_the_cosine(num_shots, same):
    support = Examples(points(2, 4 * num_shots, 0), torch.arange(4).repeat(2, num_shots))
    x = points(2, 6, 1)
    prototypical = PrototypicalNetwork(Identity(), {}, "cosine", sharpness=3.0)
    expected = prototypical.predict(prototypical.adapt(support), x).softmax(2)
    assert torch.allclose(probabilities(support, x, 3.0), expected, atol=1e-6) == same


def test_the_length_of_an_embedding_does_not_count():
    support = Examples(points(2, 6, 0), torch.tensor([[0, 1, 2, 0, 1, 2]]).expand(2, -1))
    x = points(2, 4, 1)
    lengths = torch.rand(2, 6, 1, generator=torch.Generator().manual_seed(2)) + 0.1
    longer = Examples(support.x * lengths, support.y)
    expected = probabilities(support, x, 10)
    torch.testing.assert_close(probabilities(longer, 7 * x, 10), expected)
