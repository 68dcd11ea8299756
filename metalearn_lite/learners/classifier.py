"""A fine-tuned classifier: learn to see on many classes, then learn only a new last layer."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import Learner, Trace, task_losses, trainable
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP, ConvNet, Params


class FineTunedClassifier(Learner):
    """The method called "Baseline" by Chen, Liu, Kira, Wang & Huang (2019).

    Meta-training is plain classification: one linear layer, the head, tells all training classes
    apart. Adapting throws this head away and fits a new one to the task's support by gradient
    steps. The embedding below it stays as it is. The paper's steps see four images at a time and
    have momentum and weight decay; ours see the whole support and have neither.

    Args:
        network: the embedding, called as ``network(params, x)``: ``(T, N, …)`` to ``(T, N, D)``.
        params: the embedding's parameters. To meta-train, add ``"head"``, ``(D, num_classes)``.
        inner_lr: the length of a gradient step on the new head.
        inner_steps: how many of them ``adapt`` takes unless it is told otherwise.
    """

    def __init__(
        self, network: ConvNet, params: Params, inner_lr: float = 0.01, inner_steps: int = 100
    ):
        self.network = network
        self.params = trainable(params)
        self.inner_lr = inner_lr
        self.inner_steps = inner_steps

    def embed(self, x: Tensor) -> Tensor:
        """The points ``(T, N, D)`` that a head classifies."""
        return self.network(self.params, x)

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """The plain cross-entropy of the query: a scalar. Nothing is adapted.

        All tasks are parts of one: ``query.y`` numbers the classes of the whole training set, and
        the support is not looked at.
        """
        if "head" not in self.params:
            raise ValueError(
                "there is no head over the training classes: to meta-train, give params "
                'a "head" of shape (D, num_classes), such as zeros'
            )
        logits = self.embed(episodes.query.x) @ self.params["head"]
        return task_losses(logits, episodes.query.y).mean()

    @torch.no_grad()
    def adapt(self, support: Examples, inner_steps: int | None = None) -> Params:
        """Each task's head: ``weight1`` ``(T, D, W)`` and ``bias1`` ``(T, 1, W)`` for W ways."""
        points = self.embed(support.x)
        return self._new_head(points, support.y).adapt(Examples(points, support.y), inner_steps)

    def predict(self, adapted: Params, x: Tensor) -> Tensor:
        """Logits ``(T, M, num_ways)`` for ``x`` ``(T, M, …)``."""
        return MLP(*adapted["weight1"].shape[1:])(adapted, self.embed(x))

    @torch.no_grad()
    def trace(self, support: Examples, inner_steps: int | None = None) -> Trace:
        """The head after 0, 1, … ``inner_steps`` steps, and each one's support loss."""
        points = self.embed(support.x)
        return self._new_head(points, support.y).trace(Examples(points, support.y), inner_steps)

    def _new_head(self, points: Tensor, y: Tensor) -> MAML:
        """A linear layer of zeros that knows how to take gradient steps.

        Fitting it is convex, so where it starts hardly matters; from zeros no class is favoured.
        """
        layer = MLP(points.shape[-1], int(y.max()) + 1)
        zeros = {name: points.new_zeros(value.shape) for name, value in layer.init().items()}
        return MAML(layer, zeros, self.inner_lr, self.inner_steps, order=1)
