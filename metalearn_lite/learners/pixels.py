"""Pixel nearest neighbour: the baseline that learns nothing but remembers every example."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import Learner, Trace, task_losses
from metalearn_lite.networks import Params


class PixelNearestNeighbour(Learner):
    """A class is as likely as its nearest support image is near, pixel by pixel.

    The nearest neighbour rule is Cover & Hart's (1967). There is nothing to meta-train: ``params``
    is empty, and what "adapt" learns from a task is the task's support itself.
    """

    def __init__(self) -> None:
        self.params: Params = {}

    def adapt(self, support: Examples) -> Examples:
        """The support, remembered as it is: ``x`` ``(T, N, …)``, ``y`` ``(T, N)``."""
        return checks.classes(support)

    def predict(self, adapted: Examples, x: Tensor) -> Tensor:
        """Logits ``(T, M, num_ways)`` for ``x`` ``(T, M, …)``.

        A logit is minus the distance to the nearest support image of the class.
        """
        distances = self.distances(x, adapted)
        belongs = F.one_hot(adapted.y).bool().unsqueeze(1)  # (T, 1, N, num_ways)
        return -distances.unsqueeze(3).masked_fill(~belongs, torch.inf).amin(2)

    def distances(self, x: Tensor, support: Examples) -> Tensor:
        """``(T, M, N)``: the squared distance of each ``x`` to each support image, over pixels."""
        images, neighbours = x.flatten(2), support.x.flatten(2)
        # |a - b|² = |a|² - 2 a·b + |b|²: no tensor of all differences is needed.
        squares = images.square().sum(2).unsqueeze(2) + neighbours.square().sum(2).unsqueeze(1)
        return (squares - 2 * images @ neighbours.transpose(1, 2)).clamp(min=0)

    def meta_gradient(self, episodes: Episodes) -> tuple[Tensor, Params]:
        """Always raises ValueError: without parameters there is no gradient."""
        raise ValueError(
            "PixelNearestNeighbour has no parameters to meta-train; evaluate it as it is, "
            "or meta-train a PrototypicalNetwork, which learns what 'near' means"
        )

    def trace(self, support: Examples) -> Trace:
        """Step 0: any image may be of any class. Step 1: every image has its own class."""
        return trace_of_memory(self, support)


@torch.no_grad()
def trace_of_memory(learner: Learner, support: Examples) -> Trace:
    """The trace of a learner that adapts by remembering examples: nothing known, then all."""
    known = learner.adapt(support)
    path = [nothing_known(known), known]
    losses = [task_losses(learner.predict(adapted, support.x), support.y) for adapted in path]
    return Trace(path, torch.stack(losses))


def nothing_known(known: Examples) -> Examples:
    """What is remembered, with every example there once for every class."""
    num_ways, num_examples = int(known.y.max()) + 1, known.y.shape[1]
    any_class = torch.arange(num_ways, device=known.y.device).repeat_interleave(num_examples)
    copies = (1, num_ways, *(1 for _ in known.x.shape[2:]))
    return Examples(known.x.repeat(copies), any_class.expand(len(known.y), -1))
