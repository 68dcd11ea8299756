"""Convolutional MAML against finite differences, learn2learn, and itself alone."""

import pytest
import torch
from truths import double, generator, numeric_meta_gradient, relative_error, require_learn2learn

from benchmarks.convolutional_meta_training_step import (
    accumulate_gradients,
    as_module,
    gradients_of,
)
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import ask_alone
from metalearn_lite.learners.anil import ANIL
from metalearn_lite.learners.batch_norm import NoNorm, PerStepNorm, SupportNorm
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import ConvClassifier
from metalearn_lite.tasks.characters import Glyphs

KINDS = [MAML, SupportNorm, NoNorm, PerStepNorm]


def glyphs(num_tasks: int = 4, num_ways: int = 3, num_queries: int = 2) -> Episodes:
    return Glyphs(2, 8, 6, seed=1).sample(num_tasks, num_ways, 1, num_queries, generator(2))


def learner(kind: type[MAML], inner_steps: int = 2, order: int = 2) -> MAML:
    network = ConvClassifier(3, 8)
    return kind(network, network.init(generator(1)), 0.1, inner_steps, order)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*KINDS, ANIL])
@pytest.mark.parametrize("inner_steps", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_finite_differences(kind, inner_steps):
    """In float64, on a network of two filters, whose gradients all have to be there."""
    network = ConvClassifier(3, 2)
    params = {name: value.double() for name, value in network.init(generator(4)).items()}
    for block in range(1, 5):  # Blank paper must not lie on the bend of the ReLU.
        params[f"shift{block}"] += torch.tensor([0.1, -0.1], dtype=torch.float64)
    episodes = double(glyphs(2))
    episodes = Episodes(*(half._replace(x=half.x[..., 6:22, 6:22]) for half in episodes))
    episodes = Episodes(*(Examples(half.x, half.y.long()) for half in episodes))
    maml = kind(network, params, 0.1, inner_steps)
    _, gradient = maml.meta_gradient(episodes)
    assert relative_error(gradient, numeric_meta_gradient(maml, episodes)) <= 1e-5
    assert all(value.norm() > 0 for value in gradient.values())


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("inner_steps", [1, 5])
def test_equals_learn2learn(inner_steps, first_order):
    require_learn2learn()
    maml, episodes = learner(MAML, inner_steps, order=1 if first_order else 2), glyphs()
    module = as_module(maml.params)
    accumulate_gradients(module, episodes, maml.inner_lr, inner_steps, first_order)
    assert relative_error(maml.meta_gradient(episodes)[1], gradients_of(module)) <= 1e-4


def leak(maml: MAML, episodes: Episodes) -> float:
    """How much a query's logits change when it is asked alone, at most."""
    adapted, x = maml.adapt(episodes.support), episodes.query.x
    return (maml.predict(adapted, x) - ask_alone(maml, adapted, x)).abs().max().item()


def test_plain_maml_leaks_from_query_to_query():
    assert leak(learner(MAML), glyphs()) > 0.1


@pytest.mark.parametrize("kind", [SupportNorm, NoNorm])
def test_statistics_of_the_support_and_none_do_not_leak(kind):
    assert leak(learner(kind), glyphs()) < 1e-4


def test_without_normalisation_a_support_image_does_not_touch_another():
    """With it, a block's output for one image changes when another image does."""
    for kind, touches in ((NoNorm, False), (SupportNorm, True)):
        maml, (support, _) = learner(kind), glyphs()
        other = support.x.clone()
        other[:, 1:] = 0
        first = [
            maml.predict(maml.start(support._replace(x=x)), x)[:, 0] for x in (support.x, other)
        ]
        assert (not torch.allclose(*first)) == touches


def test_kept_statistics_do_not_leak():
    maml, episodes = learner(PerStepNorm), glyphs()
    assert leak(maml, episodes) > 0.1
    maml.keep_statistics(glyphs(8))
    assert leak(maml, episodes) < 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_trace_is_the_path_of_adapt(kind):
    maml, (support, query) = learner(kind, inner_steps=3), glyphs()
    if kind is PerStepNorm:
        maml.keep_statistics(glyphs(8))
    for steps, adapted in enumerate(maml.trace(support).adapted):
        expected = maml.predict(maml.adapt(support, steps), query.x)
        torch.testing.assert_close(maml.predict(adapted, query.x), expected)


def test_each_state_has_its_own_scale_and_shift():
    maml, episodes = learner(PerStepNorm, inner_steps=2), glyphs()
    for name in ("scale2", "shift2"):
        assert maml.params[name].shape == (3, 8)
        maml.params[name].data += torch.tensor([[0.0], [1.0], [2.0]])
        for steps, offset in enumerate((0, 1, 2, 2)):
            adapted = maml.adapt(episodes.support, steps)[name]
            expected = torch.full((4, 8), float(name == "scale2") + offset)
            torch.testing.assert_close(adapted, expected)
    _, gradient = maml.meta_gradient(episodes)
    assert (gradient["scale1"].norm(dim=1) > 0).all()


def test_kept_statistics_are_those_of_all_queries_together():
    """For state 0, where all tasks share one network: one pass over the queries of all tasks."""
    maml, episodes = learner(PerStepNorm), glyphs(8)
    start = ConvClassifier(3, 8).init(generator(1))
    maml.keep_statistics(episodes)
    together = maml.network.statistics(start, episodes.query.x.flatten(0, 1).unsqueeze(0))
    for name in ("mean1", "variance1"):
        torch.testing.assert_close(maml.params[name][0], together[name][0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_computes_what_is_written_plainly(kind):
    """With shared parameters, with each task's own, and with given statistics."""
    maml, (support, query) = learner(kind), glyphs()
    for params in (ConvClassifier(3, 8).init(generator(1)), maml.adapt(support)):
        *blocks, logits = maml.network.activations(params, query.x)
        assert [tuple(block.shape[2:]) for block in blocks] == [
            (8, 14, 14),
            (8, 7, 7),
            (8, 4, 4),
            (8, 2, 2),
        ]
        torch.testing.assert_close(maml.network(params, query.x), logits, rtol=1e-4, atol=1e-4)


def test_anil_moves_the_head_alone():
    anil, support = learner(ANIL), glyphs().support
    start, adapted = anil.start(support), anil.adapt(support)
    for name in start:
        assert torch.equal(start[name], adapted[name]) == (name not in ("weight5", "bias5"))
