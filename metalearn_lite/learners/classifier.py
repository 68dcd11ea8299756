"""A fine-tuned classifier: learn to see on many classes, then learn only a new last layer."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import Learner, Trace, task_losses, trainable
from metalearn_lite.networks import ConvNet, Params


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
        checks.rate(inner_lr=inner_lr)
        checks.count(0, checks.MOST_STEPS, inner_steps=inner_steps)
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
        """Each task's head: ``weight`` ``(T, D, W)`` and ``bias`` ``(T, 1, W)`` for W ways."""
        support = self._checked(support)
        heads = self._new_heads(self.embed(support.x), support.y, inner_steps)
        return deque(heads, maxlen=1).pop()  # the last, without keeping those before it

    def predict(self, adapted: Params, x: Tensor) -> Tensor:
        """Logits ``(T, M, num_ways)`` for ``x`` ``(T, M, …)``."""
        return _logits(adapted, self.embed(x))

    @torch.no_grad()
    def trace(self, support: Examples, inner_steps: int | None = None) -> Trace:
        """The head after 0, 1, … ``inner_steps`` steps, and each one's support loss."""
        support = self._checked(support)
        points = self.embed(support.x)
        path = list(self._new_heads(points, support.y, inner_steps))
        losses = [task_losses(_logits(head, points), support.y) for head in path]
        return Trace(path, torch.stack(losses))

    def _checked(self, support: Examples) -> Examples:
        return checks.classes(support, params=self.params)

    def _new_heads(self, points: Tensor, y: Tensor, inner_steps: int | None) -> Iterator[Params]:
        """A linear layer of zeros, then after each gradient step on the cross-entropy.

        The gradient for a logit is its probability, minus 1 if its class is right. Fitting is
        convex, so where it starts hardly matters; from zeros no class is favoured.
        """
        belongs = F.one_hot(y).to(points.dtype)
        weight = points.new_zeros(len(points), points.shape[2], belongs.shape[2])
        head = {"weight": weight, "bias": weight[:, :1]}
        yield head
        steps = self.inner_steps if inner_steps is None else inner_steps
        checks.count(0, checks.MOST_STEPS, inner_steps=steps)
        for _ in range(steps):
            gradient = (_logits(head, points).softmax(2) - belongs) / points.shape[1]
            head = {
                "weight": head["weight"] - self.inner_lr * points.transpose(1, 2) @ gradient,
                "bias": head["bias"] - self.inner_lr * gradient.sum(1, keepdim=True),
            }
            yield head


def _logits(head: Params, points: Tensor) -> Tensor:
    return points @ head["weight"] + head["bias"]
