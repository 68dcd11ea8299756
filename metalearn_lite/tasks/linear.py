"""Linear regression: every task is a weight vector, as in Garg et al. (2022)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples


class LinearTasks(NamedTuple):
    """``T`` tasks ``y = w · x``."""

    weights: Tensor
    """``(T, D)``"""

    def __call__(self, x: Tensor) -> Tensor:
        """The true values ``(T, N)`` at ``x`` ``(T, N, D)``, without noise."""
        return (x @ self.weights.unsqueeze(-1)).squeeze(-1)

    def draw(self, num_points: int, generator: torch.Generator | None = None) -> Examples:
        """``num_points`` examples of each task, ``x`` from the standard normal distribution."""
        checks.count(num_points=num_points)
        checks.fits(numbers_of_a_point=self.weights.numel(), num_points=num_points)
        x = torch.randn(*self.weights.shape, num_points, generator=generator).transpose(1, 2)
        return Examples(x, self(x))


class LinearRegression:
    """Weights and inputs both from the standard normal distribution, ``num_inputs`` of each."""

    def __init__(self, num_inputs: int = 5):
        checks.count(num_inputs=num_inputs)
        self.num_inputs = num_inputs

    def draw_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> LinearTasks:
        """``num_tasks`` weight vectors to draw examples from."""
        checks.count(num_tasks=num_tasks)
        checks.fits(num_tasks=num_tasks, num_inputs=self.num_inputs)
        return LinearTasks(torch.randn(num_tasks, self.num_inputs, generator=generator))

    def sample(
        self,
        num_tasks: int,
        num_shots: int,
        num_queries: int = 10,
        generator: torch.Generator | None = None,
    ) -> Episodes:
        """New tasks, each with ``num_shots`` support and ``num_queries`` query points.

        Returns:
            Episodes with ``x`` ``(T, N, D)`` and ``y`` ``(T, N)``.
        """
        checks.count(num_shots=num_shots, num_queries=num_queries)
        tasks = self.draw_tasks(num_tasks, generator)
        return Episodes(tasks.draw(num_shots, generator), tasks.draw(num_queries, generator))
