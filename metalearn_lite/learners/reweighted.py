"""MAML where some answers may be wrong: examples that do not fit count less."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import example_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Network, Params


class ReweightedMAML(MAML):
    """MAML whose inner steps follow a weighted support loss.

    Before each step every example gets the weight 1 / (1 + (loss / (``tolerance`` · median))²), in
    the manner of robust regression (Holland & Welsch, 1977): an example whose loss
    is far above its task's median hardly pulls. A task's weights are scaled to a mean of 1, and are
    constants to the gradient.

    Args:
        network, params, inner_lr, inner_steps, order: as of `MAML`.
        tolerance: how many medians a loss may be until it counts half.
    """

    def __init__(
        self,
        network: Network,
        params: Params,
        inner_lr: float = 0.01,
        inner_steps: int = 1,
        order: int = 2,
        tolerance: float = 3.0,
    ):
        checks.positive(tolerance=tolerance)
        super().__init__(network, params, inner_lr, inner_steps, order)
        self.tolerance = tolerance

    def gradient(self, adapted: Params, support: Examples, names: Iterable[str]) -> Params:
        """∇φ of each task's weighted support loss, for the parameters in ``names``."""
        remember = torch.is_grad_enabled()
        if not remember:
            adapted = {name: value.detach().requires_grad_() for name, value in adapted.items()}
        with torch.enable_grad():
            losses = example_losses(self.predict(adapted, support.x), support.y)
            weighted = (example_weights(losses, self.tolerance) * losses).mean(1)
            gradients = torch.autograd.grad(
                weighted.sum(),
                [adapted[name] for name in names],
                create_graph=remember and self.order == 2,
            )
        return dict(zip(names, gradients, strict=True))


def example_weights(losses: Tensor, tolerance: float = 3.0) -> Tensor:
    """Weights ``(T, N)`` for ``losses`` ``(T, N)``, with a mean of 1 in each task."""
    losses = losses.detach()
    median = losses.median(1, keepdim=True).values.clamp(min=1e-12)
    weights = 1 / (1 + (losses / (tolerance * median)).square())
    return weights / weights.mean(1, keepdim=True)
