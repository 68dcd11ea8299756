"""Ridge: a linear answer around what is known of everybody, fitted to each task's examples."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.least_squares import LeastSquares


class Ridge(LeastSquares):
    """Each task's weights, small ones rather than large (Hoerl & Kennard, 1970).

    The answer to ``x`` is ``x · base + (x @ factors) · w``. ``base`` and ``factors`` are the same
    for all tasks. Only w is fitted: the least sum of squared errors + strength · ‖w‖². Without an
    example w is 0. Where w comes from N(0, I) and the noise has variance ``strength``, no learner
    has a smaller expected error.

    For people who rate items, x is 1 at the item and 0 elsewhere. Then ``base`` is the mean rating
    of every item, and ``factors`` describe the items: by what can be seen of them, by matrix
    factorisation, or by nothing at all (no columns), which leaves the population's mean.

    Args:
        strength: λ.
        base: ``(D,)``; left out: 0.
        factors: ``(D, K)``; left out: x itself.
    """

    def __init__(
        self, strength: float = 1.0, base: Tensor | None = None, factors: Tensor | None = None
    ):
        super().__init__()
        checks.positive(strength=strength)
        if base is not None:
            checks.tensor(base=base)
        if factors is not None:
            checks.tensor(factors=factors)
        self.strength, self.base, self.factors = strength, base, factors

    def adapt(self, support: Examples) -> Tensor:
        """w ``(T, K)``."""
        checks.context(support, self.params)
        features = self._features(support.x)
        size = features.shape[2]
        rest = (support.y - self._base(support.x)).unsqueeze(2)
        matrix = features.mT @ features + self.strength * torch.eye(size, dtype=rest.dtype)
        return torch.linalg.solve(matrix, features.mT @ rest).squeeze(2)

    def predict(self, adapted: Tensor, x: Tensor) -> Tensor:
        """``(T, M)`` at ``x`` ``(T, M, D)``."""
        return self._base(x) + super().predict(adapted, self._features(x))

    def _features(self, x: Tensor) -> Tensor:
        return x if self.factors is None else x @ self.factors.to(x.dtype)

    def _base(self, x: Tensor) -> Tensor:
        return x.new_zeros(x.shape[:2]) if self.base is None else x @ self.base.to(x.dtype)
