"""Mixed tasks: waves as in meta-training, four kinds of strangers, and straight lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.tasks.sinusoids import INPUT, Sinusoids


class Kind(NamedTuple):
    """How the tasks of one kind differ from the waves of ``Sinusoids``."""

    sign: float = 1.0
    speed: float = 1.0
    """how many times as many crests"""
    noise: float = 0.0
    """standard deviation of what is added to every y"""
    is_line: bool = False


KINDS = {
    "waves": Kind(),
    "noisy waves": Kind(noise=1.0),
    "upside-down waves": Kind(sign=-1.0),
    "fast waves": Kind(speed=1.5),
    "slow waves": Kind(speed=0.5),
    "lines": Kind(noise=0.3, is_line=True),
}


def sample(
    kind: Kind,
    num_tasks: int,
    num_points: int,
    num_queries: int = 50,
    generator: torch.Generator | None = None,
) -> Episodes:
    """Tasks of one ``kind``; ``x`` is uniform in [-5, 5], ``y`` as noisy in support and query.

    Lines have a slope and a height at 0 from the standard normal distribution.
    """
    checks.count(num_tasks=num_tasks, num_points=num_points, num_queries=num_queries)
    checks.fits(num_tasks=num_tasks, num_points_or_queries=max(num_points, num_queries))
    truth = _lines(num_tasks, generator) if kind.is_line else _waves(kind, num_tasks, generator)

    def draw(count: int) -> Examples:
        x = torch.empty(num_tasks, count, 1).uniform_(*INPUT, generator=generator)
        noise = torch.randn(num_tasks, count, generator=generator)
        return Examples(x, truth(x) + kind.noise * noise)

    return Episodes(draw(num_points), draw(num_queries))


def _lines(num_tasks: int, generator) -> Callable[[Tensor], Tensor]:
    slope, height = torch.randn(2, num_tasks, 1, generator=generator)
    return lambda x: slope * x.squeeze(-1) + height


def _waves(kind: Kind, num_tasks: int, generator) -> Callable[[Tensor], Tensor]:
    waves = Sinusoids().draw_tasks(num_tasks, generator)
    return lambda x: kind.sign * waves(kind.speed * x)
