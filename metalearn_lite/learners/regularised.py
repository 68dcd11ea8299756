"""L2-regularised adaptation: learn the task, but stay near the initialisation."""

from __future__ import annotations

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Network, Params


class RegularisedMAML(MAML):
    """MAML whose inner loss is the support loss + λ/2 ‖φ - θ‖².

    The penalty draws every step back towards θ, as a spring would. However many steps are taken,
    φ settles where the pull of the support and the pull of θ are equal. This is the inner problem
    of implicit MAML (Rajeswaran, Finn, Kakade & Levine, 2019). Here k steps look for its solution,
    and the meta-gradient passes through them as in MAML.

    Args:
        network: called as ``network(params, x)``.
        params: the initialisation θ to start from.
        inner_lr: α. Steps overshoot where α (λ + curvature of the support loss) is above 2.
        inner_steps: k.
        strength: λ. 0 is MAML.
        order: as in MAML. With 1 the support's gradient is a constant, the pull of θ is not.
    """

    def __init__(
        self,
        network: Network,
        params: Params,
        inner_lr: float = 0.01,
        inner_steps: int = 5,
        strength: float = 1.0,
        order: int = 2,
    ):
        checks.rate(strength=strength)
        super().__init__(network, params, inner_lr, inner_steps, order)
        self.strength = strength

    def inner_step(self, adapted: Params, support: Examples, step: int = 0) -> Params:
        """φ - α (∇φ of the support loss + λ (φ - θ))."""
        moved = super().inner_step(adapted, support, step)
        pull = self.inner_lr * self.strength
        return {
            name: value + pull * (self.params[name] - adapted[name])
            for name, value in moved.items()
        }
