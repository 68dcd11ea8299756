"""What is known of a task before, and what a learner brings."""

import math

import pytest
import torch

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.least_squares import StraightLine
from metalearn_lite.learners.nearest_value import NearestValue
from metalearn_lite.rl import choosing
from metalearn_lite.tasks import mixed

PROBES = {"a line": StraightLine(), "the neighbour": NearestValue()}
LEARNERS = {"line": StraightLine(), "neighbour": NearestValue()}


def test_score_by_hand():
    y = torch.tensor([[1.0, 3.0], [1.0, 3.0], [1.0, 3.0], [1.0, 3.0]])
    predicted = torch.tensor([[1.0, 3.0], [2.0, 2.0], [1.5, 2.5], [9.0, -math.inf]])
    assert choosing.score(predicted, y).tolist() == pytest.approx([1, 0, 0.5, 0])


def test_score_does_not_depend_on_the_scale_and_survives_nan(generator):
    y, predicted = torch.randn(2, 3, 20, generator=generator())
    predicted = y + 0.3 * predicted
    torch.testing.assert_close(
        choosing.score(predicted, y), choosing.score(100 * predicted, 100 * y)
    )
    assert choosing.score(torch.full_like(y, math.nan), y).tolist() == [0, 0, 0]


@pytest.mark.parametrize("size", [5, 20])
@pytest.mark.parametrize("learner", PROBES.values(), ids=PROBES)
def test_held_out_score_against_a_loop(generator, learner, size):
    support = mixed.sample(mixed.KINDS["noisy waves"], 4, size, generator=generator(1)).support
    predicted, asked = [], []
    for fold in range(5):
        out = torch.arange(size) % 5 == fold
        seen = Examples(support.x[:, ~out], support.y[:, ~out])
        predicted.append(learner.predict(learner.adapt(seen), support.x[:, out]))
        asked.append(support.y[:, out])
    expected = choosing.score(torch.cat(predicted, 1), torch.cat(asked, 1))
    torch.testing.assert_close(choosing.held_out_score(learner, support), expected)


def test_a_held_out_score_is_no_score_on_what_was_learned(generator):
    support = mixed.sample(mixed.KINDS["noisy waves"], 50, 5, generator=generator(1)).support
    neighbour = PROBES["the neighbour"]
    known = choosing.score(neighbour.predict(support, support.x), support.y)
    assert (known == 1).all()
    assert choosing.held_out_score(neighbour, support).mean() < 0.3


def test_folds_must_fit(generator):
    support = mixed.sample(mixed.KINDS["waves"], 2, 7, generator=generator()).support
    with pytest.raises(ValueError, match="7 examples cannot be parted into 5 folds"):
        choosing.held_out_score(StraightLine(), support)


def test_features_have_names_and_moderate_size(generator):
    names = choosing.feature_names(PROBES)
    for size, expected in ((5, 0.0), (20, 1.0)):
        support = mixed.sample(mixed.KINDS["waves"], 6, size, generator=generator()).support
        features = choosing.task_features(support, PROBES)
        assert features.shape == (6, len(names))
        assert (features[:, 0] == 1).all()
        torch.testing.assert_close(features[:, 1], torch.full((6,), expected))
        assert features.abs().max() < 2
    assert names[3:] == ["a line fits", "the neighbour fits"]


def test_a_record_holds_every_task_as_it_was(generator):
    stream = choosing.record(LEARNERS, PROBES, 3, 40, generator(2))
    assert stream.features.shape == (3, 40, 5)
    assert stream.rewards.shape == (3, 40, 2)
    assert stream.features.isfinite().all()
    assert ((stream.rewards >= 0) & (stream.rewards <= 1)).all()
    counts = stream.support.y.isfinite().sum(2)
    assert set(counts.flatten().tolist()) == {5, 20}
    assert set(stream.kinds.flatten().tolist()) == set(range(len(mixed.KINDS)))
    assert torch.equal(counts == 20, stream.features[..., 1] == 1)
    for place in ((0, 0), (1, 17), (2, 39)):
        n = counts[place]
        support = Examples(*(part[place][:n].unsqueeze(0) for part in stream.support))
        torch.testing.assert_close(
            choosing.task_features(support, PROBES)[0], stream.features[place]
        )


def test_one_stream_is_a_part_of_all(generator):
    stream = choosing.record(LEARNERS, PROBES, 3, 10, generator(2))
    part = choosing.one_stream(stream, 1, 4)
    assert part.rewards.shape == (1, 4, 2)
    assert torch.equal(part.features[0], stream.features[1, :4])
    assert part.support.x.shape == (1, 4, 20, 1)
