"""Meta-SGD: learn where to start and, for every parameter, how far to step."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import trainable
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Network, Params

RATE = "rate."


class MetaSGD(MAML):
    """Meta-SGD (Li, Zhou, Chen & Li, 2017).

    Every parameter has an inner rate of its own, learned together with θ. ``params`` holds both:
    beside ``weight1`` of the network there is ``rate.weight1`` of the same shape. Rates are in
    units of ``inner_lr``: all start at 1. So an outer step changes them by a small part, however
    short the inner steps are. A rate may turn negative; its parameter then steps uphill.

    Args:
        network: called as ``network(params, x)``.
        params: the initialisation θ to start from.
        inner_lr: α, the unit of the rates.
        inner_steps: k; all k steps use the same rates.
        order: 2 differentiates through the inner gradients, 1 does not. The rates have a
            gradient either way.
    """

    def __init__(
        self,
        network: Network,
        params: Params,
        inner_lr: float = 0.01,
        inner_steps: int = 1,
        order: int = 2,
    ):
        super().__init__(network, params, inner_lr, inner_steps, order)
        rates = self.first_rates(params)
        self.params |= trainable({RATE + name: rate for name, rate in rates.items()})

    def first_rates(self, params: Params) -> Params:
        """The rates before meta-training, by parameter name."""
        return {name: torch.ones_like(value) for name, value in params.items()}

    def rate(self, name: str, step: int) -> Tensor:
        """The rates of parameter ``name`` in inner step ``step``, in units of ``inner_lr``."""
        return self.params[RATE + name]

    def start(self, support: Examples) -> Params:
        """φ before the first step: θ without the rates."""
        everything = super().start(support)
        return {name: value for name, value in everything.items() if not name.startswith(RATE)}

    def inner_step(self, adapted: Params, support: Examples, step: int = 0) -> Params:
        """φ - α · rate · ∇φ of the support loss, each parameter at its own rate."""
        gradient = self.gradient(adapted, support, adapted)
        return {
            name: value - self.inner_lr * self.rate(name, step) * gradient[name]
            for name, value in adapted.items()
        }
