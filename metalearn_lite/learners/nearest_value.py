"""The nearest value: answer with the y of the example whose x is closest. Nothing is fitted."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.in_context import InContextLearner
from metalearn_lite.networks import Params


class NearestValue(InContextLearner):
    """Nearest-neighbour regression (Cover & Hart, 1967, for classes). There is nothing to train."""

    def __init__(self) -> None:
        self.params: Params = {}

    def adapt(self, support: Examples) -> Examples:
        """The support itself."""
        checks.context(support, self.params)
        return support

    def predict(self, adapted: Examples, x: Tensor) -> Tensor:
        """``(T, M)``: for each ``x`` ``(T, M, D)`` the y of the closest example, 0 without any."""
        if adapted.y.shape[1] == 0:
            return x.new_zeros(x.shape[:2])
        return adapted.y.gather(1, torch.cdist(x, adapted.x).argmin(2))
