"""The prototypical network: a class is the mean of its examples, seen through a learned lens."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.images import frame, symmetric_versions
from metalearn_lite.learners.base import Learner, Trace, task_losses, trainable
from metalearn_lite.networks import ConvNet, Params


class PrototypicalNetwork(Learner):
    """Prototypical networks (Snell, Swersky & Zemel, 2017).

    Args:
        network: the embedding, called as ``network(params, x)``: ``(T, N, …)`` to ``(T, N, D)``.
        params: where they start, ``PrototypicalNetwork.init(network, generator)``.
        distance: "euclidean" scores a class by minus the *squared* distance to its prototype, as
            in the paper; "cosine" by the cosine of their angle, times ``sharpness``.
        sharpness: the factor on a cosine, which alone would never be more than 1 apart.
        framed: centre and scale each character first (`images.frame`).
        all_symmetries: embed an image in all eight turned and mirrored versions, side by side.
            Eight times the work; for use after training in which every symmetry was met.
    """

    def __init__(
        self,
        network: ConvNet,
        params: Params,
        distance: str = "euclidean",
        sharpness: float = 10.0,
        framed: bool = False,
        all_symmetries: bool = False,
    ):
        checks.choice(("euclidean", "cosine"), distance=distance)
        checks.rate(sharpness=sharpness)
        checks.flag(framed=framed, all_symmetries=all_symmetries)
        self.network = network
        self.params = trainable(params)
        self.distance = distance
        self.sharpness = sharpness
        self.framed = framed
        self.all_symmetries = all_symmetries

    @staticmethod
    def init(network: ConvNet, generator: torch.Generator | None = None) -> Params:
        """Draws the embedding's parameters. There are no others."""
        return network.init(generator)

    def embed(self, x: Tensor) -> Tensor:
        """The points ``(T, N, D)`` that distances are measured between."""
        if self.framed:
            x = frame(x)
        if not self.all_symmetries:
            return self.network(self.params, x)
        return torch.cat(
            [self.network(self.params, turned) for turned in symmetric_versions(x)], -1
        )

    def adapt(self, support: Examples) -> Tensor:
        """The prototypes ``(T, num_ways, D)``: the mean embedding of each class."""
        support = checks.classes(support, params=self.params)
        belongs = F.one_hot(support.y).to(support.x.dtype)
        means = belongs / belongs.sum(1, keepdim=True)
        return means.transpose(1, 2) @ self.embed(support.x)

    def predict(self, adapted: Tensor, x: Tensor) -> Tensor:
        """Logits ``(T, M, num_ways)``: the nearer a prototype, the larger its logit."""
        return self.compare(self.embed(x), adapted)

    def compare(self, points: Tensor, prototypes: Tensor) -> Tensor:
        """Logits ``(T, M, num_ways)`` for embedded ``points`` ``(T, M, D)``."""
        if self.distance == "cosine":
            points, prototypes = F.normalize(points, dim=-1), F.normalize(prototypes, dim=-1)
            return self.sharpness * points @ prototypes.transpose(1, 2)
        # |p - c|² = |p|² - 2 p·c + |c|²: no tensor of all differences is needed.
        dots = points @ prototypes.transpose(1, 2)
        squares = points.square().sum(-1).unsqueeze(2) + prototypes.square().sum(-1).unsqueeze(1)
        return 2 * dots - squares

    @torch.no_grad()
    def trace(self, support: Examples) -> Trace:
        """Step 0: every prototype is the mean of all examples. Step 1: the class means."""
        means = self.adapt(support)
        nothing_known = self.embed(support.x).mean(1, keepdim=True).expand_as(means)
        path = [nothing_known, means]
        losses = [task_losses(self.predict(adapted, support.x), support.y) for adapted in path]
        return Trace(path, torch.stack(losses))
