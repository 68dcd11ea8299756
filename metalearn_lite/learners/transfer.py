"""Transfer: learn one task from many examples, then adapt to another from a few."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP, Params


class Transfer(MAML):
    """Pre-train on one source task, then take gradient steps on the support of a new one.

    One source would be good or bad luck, so this is transfer from S sources at once. Training
    fits network s to source task s, and to nothing else. The new tasks of a batch take turns:
    task t starts from network t modulo S. A mean over tasks is then a mean over sources, too.

    ``params`` holds the S networks, ``(S, …)``, such as those of ``draw_networks``. The other
    arguments are those of ``MAML``.
    """

    shares_tasks = False  # the tasks of a batch belong to different parameters

    @property
    def num_networks(self) -> int:
        return len(next(iter(self.params.values())))

    def start(self, support: Examples) -> Params:
        """φ before the first step: network t modulo S for task t.

        Raises:
            ValueError: the tasks are no multiple of S, so some sources would count for more.
        """
        checks.support(support, self.params, self.network)
        num_tasks, num_networks = len(support.x), self.num_networks
        if num_tasks % num_networks:
            raise ValueError(
                f"{num_tasks} tasks at once cannot take turns evenly on {num_networks} networks: "
                f"choose a multiple of {num_networks}"
            )
        turns = num_tasks // num_networks
        return {name: value.repeat(turns, 1, 1) for name, value in self.params.items()}

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """Each network's query loss on its own task, averaged: a scalar."""
        return self.own_losses(episodes.query).mean()

    def own_losses(self, examples: Examples) -> Tensor:
        """Each network's loss ``(S,)`` on its own task, without any step.

        Raises:
            ValueError: there are not as many tasks as networks.
        """
        if len(examples.x) != self.num_networks:
            raise ValueError(
                f"{len(examples.x)} tasks for {self.num_networks} networks: "
                "each network learns one task, always the same"
            )
        checks.support(examples, self.params, self.network)
        return task_losses(self.predict(self.params, examples.x), examples.y)


def draw_networks(
    network: MLP, num_networks: int, generator: torch.Generator | None = None
) -> Params:
    """``num_networks`` random initialisations, each its own: parameters ``(num_networks, …)``."""
    checks.count(1, 100_000, num_networks=num_networks)
    drawn = [network.init(generator) for _ in range(num_networks)]
    return {name: torch.stack([params[name] for params in drawn]) for name in drawn[0]}
