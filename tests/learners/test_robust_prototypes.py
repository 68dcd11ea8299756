"""Robust prototypes against loops in plain Python, and what a wrong label can do to them."""

import math

import pytest
import torch

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.learners.robust_prototypes import RobustPrototypes, fitting, prototypes


def points(generator, num_shots=(4, 2, 5), size=3, seed=0):
    """One task of unequal classes, ``(1, N, D)``, in float64."""
    y = torch.cat([torch.full((shots,), way) for way, shots in enumerate(num_shots)])
    y = y[torch.randperm(len(y), generator=generator(seed + 9))].unsqueeze(0)
    x = torch.randn(1, y.shape[1], size, generator=generator(seed), dtype=torch.float64)
    return x, y


class AsItIs:
    """A network that embeds a point as itself."""

    settings = ()

    def __call__(self, params, x):
        return x * params["one"]


def learner(center, **options) -> RobustPrototypes:
    return RobustPrototypes(
        AsItIs(), {"one": torch.ones(1, dtype=torch.float64)}, center, **options
    )


def test_mean_is_the_prototypical_network(generator):
    x, y = points(generator)
    expected = PrototypicalNetwork(AsItIs(), {"one": torch.ones(1).double()}).adapt(Examples(x, y))
    torch.testing.assert_close(learner("mean").adapt(Examples(x, y)), expected)


@pytest.mark.parametrize("seed", range(5))
def test_medoid_and_trimmed_by_hand(generator, seed):
    x, y = points(generator, seed=seed)
    medoids, trimmed = (learner(c).adapt(Examples(x, y))[0] for c in ("medoid", "trimmed"))
    for way in range(3):
        own = x[0][y[0] == way]
        medoid = min(own, key=lambda one: sum(math.dist(one, other) for other in own))
        assert torch.equal(medoids[way], medoid)
        left_out = math.floor(0.4 * len(own))
        nearest = sorted(own, key=lambda one: math.dist(one, medoid))[: len(own) - left_out]
        torch.testing.assert_close(trimmed[way], torch.stack(nearest).mean(0))


@pytest.mark.parametrize(("seed", "rounds"), [(0, 1), (1, 2), (2, 3)])
def test_fitting_by_hand(generator, seed, rounds):
    x, y = points(generator, (4, 2, 1), seed=seed)
    weights = [1.0] * 7
    for _ in range(rounds):
        new = []
        for i in range(7):
            distances = []
            for way in range(3):
                others = [j for j in range(7) if y[0, j] == way and j != i]
                total = sum(weights[j] for j in others)
                if not others:
                    distances.append(None)
                    continue
                center = sum(weights[j] * x[0, j] for j in others) / total
                distances.append(float((x[0, i] - center).square().sum()))
            if distances[y[0, i]] is None:
                new.append(1.0)
                continue
            parts = [0.0 if d is None else math.exp(-0.5 * d) for d in distances]
            new.append(max(parts[y[0, i]] / sum(parts), 1e-3))
        weights = new
    expected = torch.tensor([weights], dtype=torch.float64)
    torch.testing.assert_close(fitting(x, y, rounds, 0.5), expected, rtol=1e-4, atol=1e-6)


def test_one_example_far_away_moves_the_mean_and_neither_medoid_nor_trimmed(generator):
    x, y = points(generator, (5, 5))
    x = 0.3 * x + 6 * y.unsqueeze(-1)
    first = int((y[0] == 0).nonzero()[0])
    clean = {c: learner(c).adapt(Examples(x, y)) for c in ("mean", "medoid", "trimmed")}
    far = x.clone()
    far[0, first] = 1000.0
    moved = {c: (learner(c).adapt(Examples(far, y)) - clean[c]).norm() for c in clean}
    assert moved["mean"] > 300
    assert max(moved["medoid"], moved["trimmed"]) < 3


def test_labels_swapped_in_one_of_five_are_found(generator):
    x, y = points(generator, (5, 5))
    x = 0.5 * x + 4 * y.unsqueeze(-1)
    said = y.clone()
    swapped = [int((y[0] == way).nonzero()[0]) for way in (0, 1)]
    said[0, swapped] = 1 - said[0, swapped]
    weights = fitting(x, said)
    wrong = torch.zeros_like(y, dtype=torch.bool)
    wrong[0, swapped] = True
    assert weights[wrong].max() < 0.01
    assert weights[~wrong].min() > 0.99


def test_a_class_of_no_weight_has_its_plain_mean(generator):
    x, y = points(generator)
    weights = torch.where(y == 1, 0.0, 1.0).double()
    found = prototypes(x, y, weights)
    torch.testing.assert_close(found, prototypes(x, y, torch.ones_like(weights)))
    assert prototypes(x, y, weights, num_ways=3).shape == (1, 3, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"center": "median"}, "center='median': choose 'mean' or"),
        ({"center": "trimmed", "trim": 1.5}, r"trim=1\.5"),
        ({"center": "reweighted", "rounds": 0}, "rounds=0: choose 1 or more"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        learner(**options)
