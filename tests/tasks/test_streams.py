"""Streams of waves: worlds that last, drift, give way and return."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from metalearn_lite.tasks.streams import LEAST_AMPLITUDE, Streams, WaveStreams

BY_HAND = Streams(
    torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[0.0, 0.5, 1.0]]), torch.tensor([[0, 1, 1]])
)


def test_rounds_hold_the_waves_of_their_streams(generator):
    rounds = BY_HAND.rounds(4, 6, generator())
    assert len(rounds) == 3
    for number, (amplitude, phase) in enumerate(((1, 0), (2, 0.5), (3, 1.0))):
        for half, size in zip(rounds[number], (4, 6), strict=True):
            assert half.x.shape == (1, size, 1)
            expected = amplitude * torch.sin(half.x.squeeze(-1) - phase)
            torch.testing.assert_close(half.y, expected)


def test_a_jump_is_where_the_world_changes():
    assert BY_HAND.jumps.tolist() == [[False, True, False]]


def test_worlds_last_as_long_as_asked_and_take_turns(generator):
    world = WaveStreams(num_worlds=3, stay=(4, 7)).draw(20, 60, generator()).world
    for row in world.tolist():
        lengths, order, before = [], [], None
        for here in row:
            if here != before:
                order.append(here)
                lengths.append(0)
            lengths[-1] += 1
            before = here
        assert all(4 <= length <= 7 for length in lengths[:-1])
        assert order == [place % 3 for place in range(len(order))]
    assert len({tuple(row) for row in world.tolist()}) > 10


def test_without_spread_and_drift_a_world_returns_where_it_was_left(generator):
    streams = WaveStreams(2, (5, 5), spread=0, drift=0).draw(4, 20, generator())
    for values in (streams.amplitude, streams.phase):
        torch.testing.assert_close(values[:, :5], values[:, 10:15])
        assert (values[:, 0] != values[:, 5]).all()
    apart = (streams.phase[:, 5] - streams.phase[:, 0]).abs()
    torch.testing.assert_close(apart, torch.full((4,), math.pi))


def test_a_drift_goes_on_only_while_the_world_lasts(generator):
    phase = WaveStreams(2, (5, 5), spread=0, drift=0.1).draw(8, 15, generator()).phase
    steps = phase[:, 1:5] - phase[:, :4]
    torch.testing.assert_close(steps.abs(), torch.full((8, 4), 0.1))
    assert {round(step, 3) for step in steps[:, 0].tolist()} == {-0.1, 0.1}
    torch.testing.assert_close(phase[:, 10] - phase[:, 4], steps[:, 0])


def test_the_spread_is_the_one_asked_for(generator):
    streams = WaveStreams(1, (10, 10), spread=0.3, drift=0).draw(200, 50, generator())
    for values in (streams.phase, streams.amplitude):
        assert values.std(1).mean().item() == pytest.approx(0.3, rel=0.05)
    assert not streams.jumps.any()


def test_the_same_generator_gives_the_same_streams(generator):
    again = [WaveStreams().draw(3, 50, generator(5)) for _ in range(2)]
    assert all(map(torch.equal, *again))


@settings(max_examples=30)
@given(st.integers(1, 4), st.integers(1, 9), st.integers(0, 9), st.integers(1, 40))
def test_whatever_is_asked_for_has_its_shape(worlds, least, more, rounds):
    streams = WaveStreams(worlds, (least, least + more)).draw(3, rounds)
    assert all(part.shape == (3, rounds) for part in streams)
    assert (streams.amplitude >= LEAST_AMPLITUDE).all()
    assert ((streams.world >= 0) & (streams.world < worlds)).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_worlds": 0}, "num_worlds=0"),
        ({"stay": (0, 3)}, r"stay\[0\]=0"),
        ({"stay": (5, 3)}, r"stay\[1\]=3: choose 5 or more"),
        ({"stay": 5}, "give two whole numbers"),
        ({"spread": -1.0}, "spread=-1"),
        ({"drift": math.nan}, "drift=nan"),
    ],
)
def test_what_cannot_be_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        WaveStreams(**options)


def test_counts_and_rounds_are_checked():
    with pytest.raises(ValueError, match="num_rounds=0"):
        WaveStreams().draw(2, 0)
    with pytest.raises(ValueError, match="number=3: choose 0 to 2"):
        BY_HAND.waves(3)
    with pytest.raises(ValueError, match="num_shots=0"):
        BY_HAND.rounds(0)
