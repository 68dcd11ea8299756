"""Drift detectors, by the library `river`: has what is measured changed for the worse?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from metalearn_lite import checks


class Detector(Protocol):
    """Is shown one number after the other."""

    def update(self, value: float) -> bool:
        """Whether ``value``, after all before it, gives an alarm. It then begins anew."""


class PageHinkley:
    """The test of Page (1954), for means that rise, as `river` has it (Montiel et al., 2021).

    Every value's excess over the mean so far, less ``delta``, is summed up. An alarm is given when
    the sum is more than ``threshold`` above the lowest that it has been.

    Args:
        delta: how much of a rise is tolerated.
        threshold: how much evidence it takes.
        least: no alarm before so many values.
    """

    def __init__(self, delta: float = 0.1, threshold: float = 4.0, least: int = 5):
        from river import drift  # takes a second to import

        checks.rate(delta=delta)
        checks.positive(threshold=threshold)
        checks.count(least=least)
        self._test = drift.PageHinkley(
            min_instances=least, delta=delta, threshold=threshold, alpha=1.0, mode="up"
        )

    def update(self, value: float) -> bool:
        checks.finite(value=value)
        self._test.update(value)
        return bool(self._test.drift_detected)


class Adwin:
    """ADWIN (Bifet & Gavaldà, 2007) as `river` has it: two parts of its window differ too much.

    It sees changes both ways; an alarm is given only where the mean rose.

    Args:
        delta: about the chance of a false alarm; the larger, the quicker.
    """

    def __init__(self, delta: float = 0.002):
        from river import drift

        checks.chance(delta=delta)
        checks.positive(delta=delta)
        self._test = drift.ADWIN(delta=delta, clock=1, min_window_length=3, grace_period=5)

    def update(self, value: float) -> bool:
        checks.finite(value=value)
        before = self._test.estimation
        self._test.update(value)
        return bool(self._test.drift_detected) and self._test.estimation > before


def alarms(detector: Detector, values: Tensor) -> Tensor:
    """Shows ``detector`` the series ``values`` ``(R,)``; True ``(R,)`` where it gives an alarm."""
    checks.tensor(values=values)
    return torch.tensor([detector.update(value) for value in values.tolist()], dtype=torch.bool)


class OfSeries:
    """A detector made of a function that is given all values so far and says where alarms are.

    Args:
        find_alarms: from ``(R,)`` values to ``(R,)`` truths.
    """

    def __init__(self, find_alarms: Callable[[Tensor], Tensor]):
        self._find, self._values = find_alarms, []

    def update(self, value: float) -> bool:
        checks.finite(value=value)
        self._values.append(value)
        return bool(self._find(torch.tensor(self._values))[-1])


def caught(found: Tensor, jumps: Tensor, patience: int = 6) -> tuple[int, int]:
    """How many jumps were caught, and how many alarms were false.

    A jump is caught by the first alarm in its round or the ``patience`` - 1 after it. Every other
    alarm is false, a second one for the same jump too.

    Args:
        found: ``(S, R)``, True where there was an alarm.
        jumps: ``(S, R)``, True where there was a jump.
    """
    checks.count(patience=patience)
    checks.tensor(found=found, jumps=jumps)
    if found.shape != jumps.shape or found.dim() != 2:
        raise ValueError(
            f"alarms {tuple(found.shape)}, jumps {tuple(jumps.shape)}: give both (S, R)"
        )
    hits, false = 0, int(found.sum())
    for row, at in zip(found, jumps, strict=True):
        free = set(row.nonzero().flatten().tolist())
        for jump in at.nonzero().flatten().tolist():
            here = [place for place in range(jump, jump + patience) if place in free]
            if here:
                free.discard(here[0])
                hits += 1
    return hits, false - hits
