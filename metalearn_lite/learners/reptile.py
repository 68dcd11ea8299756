"""Reptile: walk into each task, then move the initialisation a little towards where you arrived."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Network, Params


class Reptile(MAML):
    """Reptile (Nichol, Achiam & Schulman, 2018), in the batched form of its section 2.

    In training it takes ``inner_steps`` gradient steps on minibatches of a task's own examples,
    support and query joined, and arrives at φ. Meta-training descends (θ - φ) / α, averaged over
    tasks; nothing is differentiated through the steps. Episodes of one task give the serial form.

    At meta-test time it adapts as MAML does, on the whole support.

    Args:
        network: called as ``network(params, x)``.
        params: the initialisation θ to start from.
        inner_lr: α.
        inner_steps: how many steps, in training and by default when adapting. Reptile needs
            more than one: with one step it is joint training.
        batch_size: how many examples a minibatch has, about: the minibatches share a task's
            examples evenly.
    """

    def __init__(
        self,
        network: Network,
        params: Params,
        inner_lr: float = 0.02,
        inner_steps: int = 5,
        batch_size: int = 5,
    ):
        checks.count(batch_size=batch_size)
        checks.positive(inner_lr=inner_lr)
        super().__init__(network, params, inner_lr, inner_steps, order=1)
        self.batch_size = batch_size

    @torch.no_grad()
    def meta_gradient(self, episodes: Episodes) -> tuple[Tensor, Params]:
        """The loss of φ on the task's examples, and (θ - φ) / α, both averaged over tasks."""
        checks.asked(episodes)
        examples = Examples(*(torch.cat(halves, 1) for halves in zip(*episodes, strict=True)))
        adapted = self.start(examples)
        for step in range(self.inner_steps):
            adapted = self.inner_step(adapted, minibatch(examples, self.batch_size, step))
        loss = task_losses(self.predict(adapted, examples.x), examples.y).mean()
        direction = {
            name: (value - adapted[name].mean(0)) / self.inner_lr
            for name, value in self.params.items()
        }
        return loss, direction


def minibatch(examples: Examples, batch_size: int, step: int) -> Examples:
    """The minibatch of ``step``: round after round through each task's examples.

    Examples are dealt out like cards, so that examples in the order of their classes still give
    minibatches of all classes.
    """
    checks.count(batch_size=batch_size)
    num_batches = max(1, round(examples.y.shape[1] / batch_size))
    dealt = slice(step % num_batches, None, num_batches)
    return Examples(examples.x[:, dealt], examples.y[:, dealt])
