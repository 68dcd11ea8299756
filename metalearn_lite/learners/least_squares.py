"""Least squares: what an in-context learner of linear regression is measured against."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.in_context import InContextLearner
from metalearn_lite.networks import Params


class LeastSquares(InContextLearner):
    """The shortest of the weight vectors that fit the support best.

    With weights from N(0, I) and no noise, this is the average of all the weights that are still
    possible. So no learner has a smaller expected squared error, not even where there are fewer
    examples than weights. There is nothing to meta-train.
    """

    def __init__(self) -> None:
        self.params: Params = {}

    def adapt(self, support: Examples) -> Tensor:
        """The weights ``(T, D)``: zeros where there is no example."""
        checks.context(support, self.params)
        y = support.y.unsqueeze(-1)
        return torch.linalg.lstsq(support.x, y, driver="gelsd").solution.squeeze(-1)

    def predict(self, adapted: Tensor, x: Tensor) -> Tensor:
        """The weighted sums ``(T, M)`` of ``x`` ``(T, M, D)``."""
        return (x @ adapted.unsqueeze(-1)).squeeze(-1)

    def meta_gradient(self, episodes: Episodes) -> tuple[Tensor, Params]:
        """Always raises ValueError: without parameters there is no gradient."""
        raise ValueError("LeastSquares has no parameters to meta-train; evaluate it as it is")


class StraightLine(LeastSquares):
    """The straight line that fits the support best: least squares with a 1 beside every x."""

    def adapt(self, support: Examples) -> Tensor:
        """Slope and height at 0, ``(T, 2)``; one example leaves them open: the shortest pair."""
        checks.context(support, self.params)
        return super().adapt(Examples(F.pad(support.x, (0, 1), value=1.0), support.y))

    def predict(self, adapted: Tensor, x: Tensor) -> Tensor:
        """The line's values ``(T, M)`` at ``x`` ``(T, M, 1)``."""
        return super().predict(adapted, F.pad(x, (0, 1), value=1.0))
