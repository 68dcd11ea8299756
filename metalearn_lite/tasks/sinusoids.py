"""Sinusoids: the regression tasks of Finn, Abbeel & Levine (2017), section 5.1."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples

AMPLITUDE = (0.1, 5.0)
PHASE = (0.0, math.pi)
INPUT = (-5.0, 5.0)


class SineTasks(NamedTuple):
    """``T`` tasks ``y = amplitude · sin(x - phase)``, the form in the paper's own code.

    The text of the paper says only "sine waves"; a plus sign would give the same distribution
    of tasks mirrored at the origin.
    """

    amplitude: Tensor
    """``(T, 1)``"""
    phase: Tensor
    """``(T, 1)``, in radians"""

    def __call__(self, x: Tensor) -> Tensor:
        """The true values ``(T, N)`` at ``x`` ``(T, N, 1)``, without noise."""
        return self.amplitude * torch.sin(x.squeeze(-1) - self.phase)

    def draw(self, num_points: int, generator: torch.Generator | None = None) -> Examples:
        """``num_points`` examples of each task, ``x`` uniform in [-5, 5]."""
        checks.count(num_points=num_points)
        checks.fits(num_tasks=len(self.phase), num_points=num_points)
        x = _uniform(INPUT, (len(self.phase), num_points, 1), generator)
        return Examples(x, self(x))


class Sinusoids:
    """Amplitude uniform in [0.1, 5], phase uniform in [0, π]."""

    def draw_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> SineTasks:
        """``num_tasks`` waves to draw examples from."""
        checks.count(num_tasks=num_tasks)
        checks.fits(num_tasks=num_tasks)
        amplitude = _uniform(AMPLITUDE, (num_tasks, 1), generator)
        return SineTasks(amplitude, _uniform(PHASE, (num_tasks, 1), generator))

    def sample(
        self,
        num_tasks: int,
        num_shots: int,
        num_queries: int = 10,
        generator: torch.Generator | None = None,
    ) -> Episodes:
        """New tasks, each with ``num_shots`` support and ``num_queries`` query points.

        Returns:
            Episodes with ``x`` ``(T, N, 1)`` and ``y`` ``(T, N)``.
        """
        checks.count(num_shots=num_shots, num_queries=num_queries)
        tasks = self.draw_tasks(num_tasks, generator)
        return Episodes(tasks.draw(num_shots, generator), tasks.draw(num_queries, generator))


def _uniform(bounds: tuple[float, float], shape: tuple, generator: torch.Generator | None):
    return torch.empty(shape).uniform_(*bounds, generator=generator)
