"""A ridge head: the last layer is not descended to, it is solved for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import Learner, Trace, task_losses, trainable
from metalearn_lite.networks import Network, Params


class RidgeHead(Learner):
    """R2-D2 (Bertinetto, Henriques, Torr & Vedaldi, 2019): ridge regression on learned features.

    Adapting is one formula instead of many gradient steps, and the meta-gradient goes through it
    into the features. Classes are regressed as one-hot rows; what comes out, times ``scale``, is
    taken for logits. Strength and scale are learned too. (The paper also learns one number that is
    added to all logits. A softmax does not see it, so it is left out.)

    Args:
        network: the embedding, called as ``network(params, x)``: ``(T, N, …)`` to ``(T, N, D)``.
        params: where they start, ``RidgeHead.init(network, generator)``.
    """

    def __init__(self, network: Network, params: Params):
        self.network = network
        self.params = trainable(params)

    @staticmethod
    def init(network: Network, generator: torch.Generator | None = None) -> Params:
        """The embedding's parameters, and the logarithms of strength (1) and scale (1)."""
        own = {"log_strength": torch.zeros(()), "log_scale": torch.zeros(())}
        return network.init(generator) | own

    def embed(self, x: Tensor) -> Tensor:
        """The points ``(T, N, D)`` that a head is fitted to."""
        return self.network(self.params, x)

    def adapt(self, support: Examples) -> Tensor:
        """The heads: ``(T, D, num_ways)`` for classes, ``(T, D)`` for values."""
        strength = self.params["log_strength"].exp()
        if support.y.is_floating_point():
            checks.context(support, self.params)
            return self.fit(self.embed(support.x), support.y.unsqueeze(2), strength).squeeze(2)
        support = checks.classes(support, params=self.params)
        points = self.embed(support.x)
        return self.fit(points, F.one_hot(support.y).to(points.dtype), strength)

    def predict(self, adapted: Tensor, x: Tensor) -> Tensor:
        """Logits ``(T, M, num_ways)``, or values ``(T, M)``, for ``x`` ``(T, M, …)``."""
        points = self.params["log_scale"].exp() * self.embed(x)
        return points @ adapted if adapted.dim() == 3 else (points @ adapted[..., None])[..., 0]

    @torch.no_grad()
    def trace(self, support: Examples) -> Trace:
        """Step 0: heads of zeros, to which all classes are alike. Step 1: the fitted ones."""
        fitted = self.adapt(support)
        path = [torch.zeros_like(fitted), fitted]
        losses = [task_losses(self.predict(adapted, support.x), support.y) for adapted in path]
        return Trace(path, torch.stack(losses))

    @staticmethod
    def fit(points: Tensor, targets: Tensor, strength: Tensor | float) -> Tensor:
        """`fit_ridge`; another function of the same three can be put in its place."""
        return fit_ridge(points, targets, strength)


def fit_ridge(points: Tensor, targets: Tensor, strength: Tensor | float) -> Tensor:
    """Each task's weights W with the least ‖points · W − targets‖² + strength · ‖W‖².

    Where a task has fewer examples than features, N < D, a system of N equations says the same as
    one of D: PᵀP + λ has D rows, PPᵀ + λ only N (Hoerl & Kennard, 1970, have the first).

    Args:
        points: ``(T, N, D)``.
        targets: ``(T, N, C)``.
        strength: λ, above 0.

    Returns:
        ``(T, D, C)``. Gradients reach all three arguments.
    """
    num_examples, size = points.shape[1:]
    least = torch.eye(min(num_examples, size), dtype=points.dtype, device=points.device)
    if num_examples < size:
        return points.mT @ torch.linalg.solve(points @ points.mT + strength * least, targets)
    return torch.linalg.solve(points.mT @ points + strength * least, points.mT @ targets)
