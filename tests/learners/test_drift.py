"""Drift detectors: river's tests against series by hand, and alarms counted by hand."""

import math

import pytest
import torch

from metalearn_lite.learners.drift import Adwin, OfSeries, PageHinkley, alarms, caught
from metalearn_lite.teaching.exercises.a_stream_of_tasks import _page, find_alarms

STEP = torch.cat([torch.zeros(60), torch.full((20,), 2.0)])


def by_hand(values, delta, threshold, least):
    """Page's test, written out: sums from the last alarm on."""
    found, since = [], 0
    for end in range(1, len(values) + 1):
        sums, total = [], 0.0
        for place in range(since, end):
            mean = sum(values[since : place + 1]) / (place + 1 - since)
            total += values[place] - mean - delta
            sums.append(total)
        alarm = end - since >= least and sums[-1] - min(sums) > threshold
        found.append(alarm)
        since = end if alarm else since
    return found


@pytest.mark.parametrize(
    ("delta", "threshold", "least"), [(0.1, 3.0, 5), (0.0, 1.0, 1), (0.5, 2.0, 3)]
)
def test_page_hinkley_is_the_test_written_out(delta, threshold, least, generator):
    values = torch.randn(120, generator=generator()) + 2 * (torch.arange(120) // 40)
    found = alarms(PageHinkley(delta, threshold, least), values)
    assert found.tolist() == by_hand(values.tolist(), delta, threshold, least)
    assert found.any()


def test_the_check_of_the_exercise_knows_the_library(generator):
    for seed, (delta, threshold, least) in enumerate(((0.1, 3.0, 5), (0.0, 0.7, 1), (0.4, 1.5, 2))):
        values = torch.randn(90, generator=generator(seed)) + (torch.arange(90) // 30)
        found = _page(values.tolist(), delta, threshold, least, "none")
        assert found == find_alarms(values, delta, threshold, least).tolist()


def test_both_hear_a_rise_soon_and_nothing_before():
    for detector, most in ((PageHinkley(), 6), (Adwin(), 10)):
        places = alarms(detector, STEP).nonzero().flatten()
        assert len(places) >= 1
        assert 60 <= places[0] < 60 + most


@pytest.mark.parametrize("make", [PageHinkley, Adwin])
def test_a_fall_is_no_alarm(make):
    assert not alarms(make(), -STEP).any()


@pytest.mark.parametrize("make", [PageHinkley, Adwin])
def test_no_number_is_refused(make):
    with pytest.raises(ValueError, match="value=nan"):
        make().update(math.nan)


@pytest.mark.parametrize(
    ("make", "options", "said"),
    [
        (PageHinkley, {"threshold": 0.0}, "threshold=0"),
        (PageHinkley, {"delta": -1.0}, "delta=-1"),
        (PageHinkley, {"least": 0}, "least=0"),
        (Adwin, {"delta": 0.0}, "delta=0"),
        (Adwin, {"delta": 2.0}, "delta=2"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, options, said):
    with pytest.raises(ValueError, match=said):
        make(**options)


def test_a_function_of_the_series_is_a_detector(generator):
    values = torch.randn(60, generator=generator()) + 2 * (torch.arange(60) // 30)
    online = OfSeries(lambda series: alarms(PageHinkley(), series))
    assert torch.equal(alarms(online, values), alarms(PageHinkley(), values))


def marks(*places, length=12):
    return torch.isin(torch.arange(length), torch.tensor(places, dtype=torch.int64)).unsqueeze(0)


@pytest.mark.parametrize(
    ("found", "jumps", "expected"),
    [
        ((), (3,), (0, 0)),
        ((3,), (3,), (1, 0)),
        ((5,), (3,), (1, 0)),
        ((6,), (3,), (0, 1)),  # too late
        ((2,), (3,), (0, 1)),  # too early
        ((3, 4), (3,), (1, 1)),  # the second tells nothing new
        ((4, 5), (3, 4), (2, 0)),
        ((1, 2), (), (0, 2)),
    ],
)
def test_alarms_counted_by_hand(found, jumps, expected):
    assert caught(marks(*found), marks(*jumps), patience=3) == expected


def test_streams_are_counted_apart():
    found, jumps = torch.cat([marks(3), marks()]), torch.cat([marks(), marks(3)])
    assert caught(found, jumps) == (0, 1)
    with pytest.raises(ValueError, match=r"give both \(S, R\)"):
        caught(found, jumps[:1])
