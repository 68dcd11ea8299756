"""Wrong labels: as many as asked for, of the kind and in the place asked for."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metalearn_lite.episodes import Examples
from metalearn_lite.tasks.poison import KINDS, PLACES, poison
from metalearn_lite.tasks.sinusoids import Sinusoids


def classes(generator, num_tasks=4, num_ways=3, num_shots=5, seed=0) -> Examples:
    x = torch.randn(num_tasks, num_ways * num_shots, 2, generator=generator(seed))
    y = torch.arange(num_ways).repeat(num_tasks, num_shots)
    return Examples(x, y)


@given(
    st.integers(2, 4), st.integers(1, 6), st.floats(0, 0.5), st.sampled_from(KINDS),
    st.sampled_from(PLACES), st.integers(0, 1000),
)  # fmt: skip
def test_each_class_has_its_share_of_wrong_labels(generator, ways, shots, share, kind, place, seed):
    support = classes(generator, 3, ways, shots, seed)
    before = support.y.clone()
    (x, y), wrong = poison(support, share, kind, place, generator(seed))
    assert torch.equal(support.y, before)
    assert x is support.x
    assert torch.equal(wrong, y != before)
    assert ((y >= 0) & (y < ways)).all()
    expected = math.floor(share * shots + 0.5 + 1e-9)
    for way in range(ways):
        assert ((wrong & (before == way)).sum(1) == expected).all()


def test_targeted_labels_say_the_next_class_and_random_ones_say_any_other(generator):
    support = classes(generator, 500, 4, 5)
    (_, y), wrong = poison(support, 0.4, "targeted", "anywhere", generator(1))
    assert torch.equal(y[wrong], (support.y[wrong] + 1) % 4)
    (_, y), wrong = poison(support, 0.4, "random", "anywhere", generator(1))
    away = (y - support.y)[wrong] % 4
    counts = away.bincount(minlength=4).double()
    assert counts[0] == 0
    expected = wrong.sum() / 3
    assert ((counts[1:] - expected).square() / expected).sum() < 13.8  # χ², 2 degrees, p = 0.001


@pytest.mark.parametrize(("place", "largest"), [("middle", False), ("edge", True)])
def test_places_are_by_distance_from_the_class_mean(generator, place, largest):
    support = classes(generator, 3, 2, 5)
    wrong = poison(support, 0.4, "targeted", place, generator()).wrong
    for task in range(3):
        for way in range(2):
            own = (support.y[task] == way).nonzero().flatten()
            points = support.x[task, own]
            far = (points - points.mean(0)).norm(dim=1)
            expected = own[far.topk(2, largest=largest).indices].sort().values
            assert torch.equal(own[wrong[task, own]], expected)


def test_values_are_mirrored_or_drawn(generator):
    support = Sinusoids().sample(200, 10, generator=generator()).support
    (_, y), wrong = poison(support, 0.4, "targeted", "anywhere", generator(1))
    assert (wrong.sum(1) == 4).all()
    assert torch.equal(y, torch.where(wrong, -support.y, support.y))
    (_, y), wrong = poison(support, 0.2, "random", "anywhere", generator(1))
    assert torch.equal(y[~wrong], support.y[~wrong])
    assert y[wrong].abs().max() <= 5
    assert abs(y[wrong].mean()) < 0.5
    assert abs(y[wrong].std() - 10 / math.sqrt(12)) < 0.3


def test_the_same_generator_gives_the_same_poison_and_no_share_gives_none(generator):
    support = classes(generator)
    one, two = (poison(support, 0.4, generator=generator(3)) for _ in range(2))
    assert torch.equal(one.support.y, two.support.y)
    assert not poison(support, 0.0, generator=generator(3)).wrong.any()
    assert not poison(classes(generator, num_shots=1), 0.4, generator=generator(3)).wrong.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 0.6}, "share=0.6: choose at most 0.5"),
        ({"share": -0.1}, "share=-0.1: choose a number from 0 to 1"),
        ({"share": 0.2, "kind": "bad"}, "kind='bad': choose 'random' or 'targeted'"),
        ({"share": 0.2, "place": "top"}, "place='top': choose 'anywhere' or"),
    ],
)
def test_what_cannot_be_meant_is_refused(generator, options, message):
    with pytest.raises(ValueError, match=message):
        poison(classes(generator), **options)


def test_one_class_has_no_wrong_label(generator):
    with pytest.raises(ValueError, match="only one class"):
        poison(classes(generator, num_ways=1), 0.4)
    with pytest.raises(ValueError, match="support is a list"):
        poison([], 0.4)
