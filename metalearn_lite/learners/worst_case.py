"""Training for the worst group of tasks, not for the average: group DRO."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Network, Params


class WorstCaseMAML(MAML):
    """MAML whose outer loss weighs groups of tasks, the worst the most.

    Group distributionally robust optimisation (Sagawa, Koh, Hashimoto & Liang, 2020): each group g
    has a weight q_g. At every iteration q_g grows by the factor exp(``ascent`` · the loss of g),
    then all are scaled to a sum of 1; what is descended is the sum of q_g times the loss of g.

    A batch holds the groups one after the other, equally many tasks of each.

    Args:
        network, params, inner_lr, inner_steps, order: as of `MAML`.
        num_groups: how many groups there are.
        ascent: η_q. 0 keeps equal weights: that is MAML, on such batches.
    """

    shares_tasks = False  # the groups of a batch are weighed together

    def __init__(
        self,
        network: Network,
        params: Params,
        inner_lr: float = 0.01,
        inner_steps: int = 1,
        order: int = 2,
        num_groups: int = 1,
        ascent: float = 0.01,
    ):
        checks.count(num_groups=num_groups)
        checks.rate(ascent=ascent)
        super().__init__(network, params, inner_lr, inner_steps, order)
        self.num_groups, self.ascent = num_groups, ascent
        self.weights = torch.full((num_groups,), 1 / num_groups)

    def group_losses(self, episodes: Episodes) -> Tensor:
        """The query loss of each group after adapting, ``(num_groups,)``.

        Raises:
            ValueError: the tasks cannot be shared evenly among the groups.
        """
        checks.asked(episodes)
        if episodes.num_tasks % self.num_groups:
            raise ValueError(
                f"{episodes.num_tasks} tasks for num_groups={self.num_groups}: give each group as "
                "many, one group after the other"
            )
        predicted = self.predict(self.adapt(episodes.support), episodes.query.x)
        losses = task_losses(predicted, episodes.query.y)
        return losses.view(self.num_groups, -1).mean(1)

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """The groups' losses, weighed as they are weighed now: a scalar."""
        losses = self.group_losses(episodes)
        return (self.weights.to(losses) * losses).sum()

    def meta_gradient(self, episodes: Episodes) -> tuple[Tensor, Params]:
        """First the weights move towards the groups with a large loss, then θ is asked."""
        losses = self.group_losses(episodes)
        self.weights = reweighed(self.weights.to(losses), losses.detach(), self.ascent)
        loss = (self.weights * losses).sum()
        gradients = torch.autograd.grad(loss, list(self.params.values()), allow_unused=True)
        checks.all_used(self.params, gradients)
        return loss.detach(), dict(zip(self.params, gradients, strict=True))


def reweighed(weights: Tensor, losses: Tensor, ascent: float) -> Tensor:
    """The groups' next weights ``(G,)``: each times exp(``ascent`` · its loss), to a sum of 1."""
    return torch.softmax(weights.log() + ascent * losses, 0)
