"""Episodes: a batch of tasks, each split into support and query. The one thing everybody passes on.

Every tensor has the task axis first. ``T`` is ``num_tasks``; ``N`` counts a task's examples.

==========  ======================  ==========================================
tasks       ``x``                   ``y``
==========  ======================  ==========================================
sinusoids   ``(T, N, 1)``           ``(T, N)`` float: the value at ``x``
characters  ``(T, N, 1, 28, 28)``   ``(T, N)`` int64: a class, 0 … num_ways - 1
==========  ======================  ==========================================
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Examples(NamedTuple):
    """Inputs and their answers: ``x`` is ``(T, N, …)``, ``y`` is ``(T, N)``."""

    x: Tensor
    y: Tensor


class Episodes(NamedTuple):
    """``support`` is what a learner adapts on, ``query`` what it is judged on."""

    support: Examples
    query: Examples

    @property
    def num_tasks(self) -> int:
        return len(self.support.x)

    def tasks(self, start: int, stop: int | None = None) -> Episodes:
        """The tasks from ``start`` up to ``stop`` (one task when ``stop`` is left out)."""
        chosen = slice(start, start + 1 if stop is None else stop)
        return Episodes(*(Examples(half.x[chosen], half.y[chosen]) for half in self))
