"""Truths worked out by other means. What all metric learners share is in test_comparing.py."""

import pytest
import torch
from torch import nn
from truths import generator

from metalearn_lite import interop
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.relation import RelationNetwork
from metalearn_lite.networks import ConvNet


@pytest.fixture
def learner():
    """With scales and shifts that are not 1 and 0, so that each of them counts."""
    network = ConvNet((8, 8, 8, 8))
    params = RelationNetwork.init(network, generator())
    params = {n: v + 0.1 * torch.randn(v.shape, generator=generator(1)) for n, v in params.items()}
    return RelationNetwork(network, params)


def images(num_tasks, num_images, seed):
    return torch.rand(num_tasks, num_images, 1, 28, 28, generator=generator(seed))


def as_modules(learner: RelationNetwork) -> nn.Sequential:
    """The comparison in torch's own words: it reads stacked maps (pairs, 2 C, 3, 3)."""
    params = {n.removeprefix("relation_"): v for n, v in learner.params.items()}
    layers, inputs = [], 2 * learner.network.channels[-1]
    for block in (1, 2):
        convolution = nn.Conv2d(inputs, learner.width, 3, padding=1, bias=False)
        convolution.weight.data = params[f"weight{block}"].view_as(convolution.weight)
        norm = nn.GroupNorm(8, learner.width)
        norm.weight.data, norm.bias.data = params[f"scale{block}"], params[f"shift{block}"]
        layers += [convolution, norm, nn.ReLU()]
        inputs = learner.width
    mlp = {n.removeprefix("mlp_"): v for n, v in params.items() if n.startswith("mlp_")}
    return nn.Sequential(*layers, nn.Flatten(), interop.to_module(learner.mlp, mlp))


def test_it_compares_stacked_maps_pair_by_pair(learner):
    """The two halves of the first convolution, added, are the convolution of the stack."""
    support = Examples(images(2, 6, 0), torch.tensor([[0, 1, 2, 2, 1, 0], [1, 1, 0, 0, 2, 2]]))
    x = images(2, 4, 1)
    logits = learner.predict(learner.adapt(support), x)
    assert logits.shape == (2, 4, 3)
    comparison = as_modules(learner)
    embedded, queries = (learner.network(learner.params, half) for half in (support.x, x))
    for task in range(2):
        for way in range(3):
            known = embedded[task][support.y[task] == way].mean(0)
            pairs = torch.stack([torch.cat([query, known]) for query in queries[task]])
            expected = comparison(pairs.unflatten(1, (-1, 3, 3))).squeeze(1)
            torch.testing.assert_close(logits[task, :, way], expected, rtol=1e-4, atol=1e-5)


def test_the_number_of_shots_does_not_count(learner):
    """The same image thrice is as good as once. (The paper's sum would be three times as large.)"""
    x = images(1, 2, 0)
    one = learner.adapt(Examples(x, torch.tensor([[0, 1]])))
    thrice = learner.adapt(Examples(x.repeat(1, 3, 1, 1, 1), torch.tensor([[0, 1]]).repeat(1, 3)))
    torch.testing.assert_close(thrice, one)


def test_at_first_most_pairs_are_held_to_be_different():
    network = ConvNet((8, 8, 8, 8))
    learner = RelationNetwork(network, RelationNetwork.init(network, generator()))
    support = Examples(images(2, 20, 0), torch.arange(20).repeat(2, 1))
    scores = learner.predict(learner.adapt(support), images(2, 20, 1)).sigmoid()
    assert 0.03 < scores.mean() < 0.08


def test_the_loss_is_the_squared_error_to_1_and_0(learner):
    support = Examples(images(2, 3, 0), torch.arange(3).repeat(2, 1))
    query = Examples(images(2, 4, 1), torch.tensor([[0, 1, 2, 0], [2, 2, 1, 0]]))
    scores = learner.predict(learner.adapt(support), query.x).sigmoid()
    total = 0.0
    for task in range(2):
        for number, label in enumerate(query.y[task].tolist()):
            for way in range(3):
                total += (scores[task, number, way] - float(way == label)) ** 2
    torch.testing.assert_close(learner.meta_loss(Episodes(support, query)), total / 24)


def test_query_and_class_have_different_parts(learner):
    """A relation need not be the same in both directions: the network is told which is which."""
    x = images(1, 2, 0)
    adapted = learner.adapt(Examples(x, torch.tensor([[0, 1]])))
    there_and_back = learner.predict(adapted, x)[0]
    assert (there_and_back[0, 1] - there_and_back[1, 0]).abs() > 1e-3


def test_maps_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"channels=\(8, 8, 8\): choose four"):
        RelationNetwork.init(ConvNet((8, 8, 8)))
