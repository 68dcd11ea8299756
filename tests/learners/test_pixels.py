import math

import pytest
import torch

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.pixels import PixelNearestNeighbour


def random_support(num_tasks=3, num_ways=5, num_shots=2):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(num_tasks, num_ways * num_shots, 1, 28, 28, generator=generator)
    return Examples(x, torch.arange(num_ways).repeat_interleave(num_shots).repeat(num_tasks, 1))


def test_logits_are_minus_the_squared_distance_to_the_nearest_of_each_class():
    support = random_support()
    queries = torch.rand(3, 4, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    learner = PixelNearestNeighbour()

    logits = learner.predict(learner.adapt(support), queries)

    assert logits.shape == (3, 4, 5)
    for task in range(3):
        for query in range(4):
            for way in range(5):
                images = support.x[task][support.y[task] == way]
                nearest = (images - queries[task, query]).square().sum((1, 2, 3)).min()
                assert logits[task, query, way].item() == pytest.approx(-nearest.item(), rel=1e-4)


def test_a_support_image_is_its_own_nearest_neighbour():
    support, learner = random_support(), PixelNearestNeighbour()
    predicted = learner.predict(learner.adapt(support), support.x).argmax(-1)
    assert predicted.equal(support.y)
    assert evaluate(learner, Episodes(support, support)).mean == 1


def test_a_class_without_an_image_is_refused():
    support = random_support(num_tasks=1)
    without = Examples(support.x, support.y.masked_fill(support.y == 2, 3))
    with pytest.raises(ValueError, match="the labels 0, 1, 3, 4, but there are 5 classes"):
        PixelNearestNeighbour().adapt(without)


def test_the_trace_starts_from_a_guess_and_ends_with_the_adapted_state():
    support, learner = random_support(), PixelNearestNeighbour()
    trace = learner.trace(support)
    assert trace.support_loss.shape == (2, 3)
    torch.testing.assert_close(trace.support_loss[0], torch.full((3,), math.log(5)))
    assert (trace.support_loss[1] < 1e-3).all()
    assert trace.adapted[1] is support


def test_meta_training_it_is_refused_with_a_remedy():
    support = random_support()
    with pytest.raises(ValueError, match="no parameters to meta-train; evaluate it"):
        PixelNearestNeighbour().meta_gradient(Episodes(support, support))
