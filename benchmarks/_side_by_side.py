"""Two steps timed in turns, so that whatever slows the machine meets both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Timing(NamedTuple):
    """Medians over the rounds."""

    ours: float
    """milliseconds a step"""
    theirs: float
    ratio: float
    """theirs / ours"""
    least: float
    """the smallest ratio of a round"""
    most: float

    def reaches(self, target: float) -> str:
        return "reached" if self.ratio >= target else "MISSED"


def milliseconds(step: Callable[[], object], repeats: int = 1) -> float:
    """Processor time of a step on one thread: what other programs do costs it little."""
    started = time.process_time()
    for _ in range(repeats):
        step()
    return 1000 * (time.process_time() - started) / repeats


def side_by_side(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    repeats: tuple[int, int],
    rounds: int,
) -> Timing:
    """Times both, each ``repeats`` times a round, after a round that does not count."""
    pairs = [
        tuple(milliseconds(*timed) for timed in zip((ours, theirs), repeats, strict=True))
        for _ in range(rounds + 1)
    ][1:]
    ratios = [b / a for a, b in pairs]
    medians = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Timing(*medians, statistics.median(ratios), min(ratios), max(ratios))
