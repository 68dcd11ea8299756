"""The best guess: what there is to say when the task is one of a known list."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.least_squares import LeastSquares
from metalearn_lite.tasks.noisy_regression import weight_vectors


class BestGuess(LeastSquares):
    """The mean of a list of weight vectors, each weighted by the chance that it is this task.

    It is the posterior mean: where each task of the list is equally likely and y = w · x + normal
    noise, no learner has a smaller expected squared error. Raventós et al. (2023) call it dMMSE.
    It cannot say anything that the list does not hold: on any other task it stays wrong, however
    many examples it reads.

    Args:
        known: the list, ``(M, D)``; left out: two tasks, all weights 1 and all weights -1.
        noise: standard deviation of the noise.
    """

    def __init__(self, known: Tensor | None = None, noise: float = 0.5):
        super().__init__()
        checks.positive(noise=noise)
        self.known = None if known is None else weight_vectors(known)
        self.noise = noise

    def chances(self, support: Examples) -> Tensor:
        """``(T, M)``: how likely each task of the list is, given the examples."""
        x, y = support
        known = self._list(x)
        misfit = y.new_zeros(len(y), len(known))
        for place in range(y.shape[1]):  # at once it would hold T × N × M numbers
            misfit += (y[:, place, None] - x[:, place] @ known.T).square()
        return torch.softmax(-misfit / (2 * self.noise**2), 1)

    def adapt(self, support: Examples) -> Tensor:
        """The weights ``(T, D)``: the list's mean where there is no example."""
        checks.context(support, self.params)
        return self.chances(support) @ self._list(support.x)

    def _list(self, x: Tensor) -> Tensor:
        if self.known is None:
            ones = x.new_ones(1, x.shape[2])
            return torch.cat([ones, -ones])
        known = self.known.to(x.dtype)
        if known.shape[1] != x.shape[2]:
            raise ValueError(
                f"support.x has {x.shape[2]} inputs but the list's tasks {known.shape[1]} weights"
            )
        return known
