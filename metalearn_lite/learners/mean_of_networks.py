"""The mean of networks that each learned a task, alone or pulled together, as a start."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.transfer import Transfer
from metalearn_lite.networks import MLP, Params


class MeanOfNetworks(Transfer):
    """Network s learns task s, always the same one. A new task starts from the mean of them all.

    The "multi-task" baselines of Finn, Abbeel & Levine (2017), appendix C.1. Pulling the networks
    towards their mean while they learn is regularized multi-task learning (Evgeniou & Pontil,
    2004).

    Args:
        network, params, inner_lr, inner_steps: as for ``Transfer``.
        pull: λ, how strongly the squared distance to ``towards`` is punished.
        towards: "zero" (ℓ2 regularisation) or "mean", the mean θ of the S networks as it is now.
    """

    def __init__(
        self,
        network: MLP,
        params: Params,
        inner_lr: float = 0.01,
        inner_steps: int = 1,
        pull: float = 0.0,
        towards: str = "mean",
    ):
        checks.finite(pull=pull)
        if pull < 0:
            raise ValueError(f"pull={pull}: choose 0 or more; below 0 it would push away")
        checks.choice(("zero", "mean"), towards=towards)
        super().__init__(network, params, inner_lr, inner_steps)
        self.pull = pull
        self.towards = towards

    def start(self, support: Examples) -> Params:
        """φ of a new task before the first step: the mean θ, seen once by every task."""
        return self.averaged().start(support)

    def averaged(self) -> MAML:
        """A learner that keeps only the mean of the networks and starts from it."""
        mean = {name: value.mean(0) for name, value in self.params.items()}
        return MAML(self.network, mean, self.inner_lr, self.inner_steps)

    def distances(self) -> Tensor:
        """Each network's squared distance ``(S,)`` to what it is pulled towards."""
        total = 0.0
        for value in self.params.values():
            target = value.mean(0) if self.towards == "mean" else torch.zeros_like(value[0])
            total = total + (value - target).square().flatten(1).sum(1)
        return total

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """Each network's query loss on its own task plus its pull, averaged: a scalar."""
        losses = self.own_losses(episodes.query)
        return (losses + self.pull * self.distances()).mean() if self.pull else losses.mean()
