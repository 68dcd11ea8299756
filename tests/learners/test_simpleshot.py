import torch
from torch.nn import functional as F

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.simpleshot import SimpleShot


class Scaled:
    """Embeds an example as its own numbers, times a parameter."""

    def __call__(self, params, x):
        return x * params["scale"]


def make_learner(centre):
    return SimpleShot(Scaled(), {"scale": torch.tensor(2.0)}, centre)


def make_support(num_tasks=2, num_ways=3, num_shots=2, size=5):
    x = torch.randn(num_tasks, num_ways * num_shots, size, generator=_generator(0))
    return Examples(x, torch.arange(num_ways).repeat(num_tasks, num_shots))


def _generator(seed):
    return torch.Generator().manual_seed(seed)


def test_logits_are_minus_squared_distances_to_means_of_centred_normalised_points():
    centre = torch.randn(5, generator=_generator(1))
    learner, support = make_learner(centre), make_support()
    x = torch.randn(2, 4, 5, generator=_generator(2))
    logits = learner.predict(learner.adapt(support), x)
    for task in range(2):
        known = F.normalize(2 * support.x[task] - centre, dim=1)
        asked = F.normalize(2 * x[task] - centre, dim=1)
        for way in range(3):
            mean = known[support.y[task] == way].mean(0)
            expected = -(asked - mean).square().sum(1)
            torch.testing.assert_close(logits[task, :, way], expected)


def test_with_one_shot_only_the_direction_from_the_centre_counts():
    centre = torch.ones(5)
    learner, support = make_learner(centre), make_support(num_shots=1)
    # On the line from the centre through a support point, ten times as far.
    farther = (10 * (2 * support.x - centre) + centre) / 2
    torch.testing.assert_close(
        learner.predict(learner.adapt(support), farther),
        learner.predict(learner.adapt(support), support.x),
    )


def test_moving_the_centre_matters():
    support = make_support()
    x = torch.randn(2, 4, 5, generator=_generator(2))
    logits = [
        learner.predict(learner.adapt(support), x)
        for learner in (make_learner(torch.zeros(5)), make_learner(torch.ones(5)))
    ]
    assert (logits[0] - logits[1]).abs().max() > 0.1


def test_a_trace_begins_knowing_nothing():
    learner, support = make_learner(torch.zeros(5)), make_support()
    losses = learner.trace(support).support_loss
    torch.testing.assert_close(losses[0], torch.full((2,), 3.0).log())
    assert (losses[1] < losses[0]).all()
