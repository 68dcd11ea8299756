"""Linear regression with noise, whose tasks are drawn anew or come from a fixed list."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.tasks.linear import LinearRegression, LinearTasks


class NoisyRegression:
    """Tasks ``y = w · x + noise``, as in Raventós et al. (2023).

    Weights and inputs come from the standard normal distribution. With ``known`` each task is one
    of a list instead, all equally likely; only its points are new every time.

    Args:
        num_inputs: D, how many numbers an ``x`` has; that of ``known``, where this is given.
        noise: standard deviation of what is added to each y.
        known: weights ``(M, D)`` of the only tasks there are; left out: all of R^D.
        clean_queries: the query's y is the true value. To measure errors without the noise that
            nobody can foresee.
    """

    def __init__(
        self,
        num_inputs: int = 5,
        noise: float = 0.5,
        known: Tensor | None = None,
        clean_queries: bool = False,
    ):
        checks.rate(noise=noise)
        checks.flag(clean_queries=clean_queries)
        if known is not None:
            known = weight_vectors(known)
            num_inputs = known.shape[1]
        self.fresh = LinearRegression(num_inputs)
        self.num_inputs, self.noise = num_inputs, noise
        self.known, self.clean_queries = known, clean_queries

    def draw_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> LinearTasks:
        """``num_tasks`` weight vectors, of the list if there is one; some may come twice then."""
        if self.known is None:
            return self.fresh.draw_tasks(num_tasks, generator)
        checks.count(num_tasks=num_tasks)
        return LinearTasks(
            self.known[torch.randint(len(self.known), (num_tasks,), generator=generator)]
        )

    def sample(
        self,
        num_tasks: int,
        num_shots: int,
        num_queries: int = 10,
        generator: torch.Generator | None = None,
    ) -> Episodes:
        """``num_tasks`` tasks with new points, ``num_shots`` to learn from; 0 is allowed.

        Returns:
            Episodes with ``x`` ``(T, N, D)`` and ``y`` ``(T, N)``.
        """
        checks.count(0, num_shots=num_shots)
        checks.count(num_queries=num_queries)
        x, y = self.draw_tasks(num_tasks, generator).draw(num_shots + num_queries, generator)
        noise = self.noise * torch.randn(y.shape, generator=generator)
        if self.clean_queries:
            noise[:, num_shots:] = 0
        y = y + noise
        return Episodes(
            Examples(x[:, :num_shots], y[:, :num_shots]),
            Examples(x[:, num_shots:], y[:, num_shots:]),
        )


def weight_vectors(known: Tensor) -> Tensor:
    """``known``, if it is a list of weight vectors ``(M, D)`` of finite floats, M ≥ 1.

    Raises:
        ValueError: it is not.
    """
    checks.tensor(known=known)
    if known.dim() != 2 or not known.numel() or not known.is_floating_point():
        raise ValueError(
            f"known is {known.dtype} of shape {tuple(known.shape)}: give floats (M, D), the "
            "weights of each task in a row"
        )
    if not known.isfinite().all():
        raise ValueError("known holds NaN or infinity: leave such tasks out")
    return known
