"""Prototypes for a support set whose labels may be wrong: not every example counts alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import ConvNet, Params

CENTERS = ("mean", "medoid", "trimmed", "reweighted")
LEAST = 1e-3
"""no example counts less: where all labels of a class seem wrong, they still make a prototype"""


class RobustPrototypes(PrototypicalNetwork):
    """A prototypical network whose prototypes are weighted means of their class's examples.

    Args:
        network, params: the embedding, as of `PrototypicalNetwork`.
        center: "mean" counts all examples of a class alike (Snell, Swersky & Zemel, 2017).
            "medoid" takes the one example with the smallest sum of distances to the others
            (Kaufman & Rousseeuw, 1987). "trimmed" leaves out the examples farthest from
            the medoid and averages the rest. "reweighted" asks of each example how well its label
            fits the prototypes made of all *other* examples, and counts it by that. It is made for
            wrong labels, not for wrong images: one that lies far from everything still pulls.
        trim: the share of a class that "trimmed" leaves out, rounded down to whole examples.
        rounds: how often "reweighted" weighs anew.
        sharpness: the factor on a distance before "reweighted" turns it into a chance.
    """

    def __init__(
        self,
        network: ConvNet,
        params: Params,
        center: str = "reweighted",
        trim: float = 0.4,
        rounds: int = 3,
        sharpness: float = 1.0,
    ):
        checks.choice(CENTERS, center=center)
        checks.chance(trim=trim)
        checks.count(rounds=rounds)
        super().__init__(network, params, sharpness=sharpness)
        self.center, self.trim, self.rounds = center, trim, rounds

    def adapt(self, support: Examples) -> Tensor:
        """The prototypes ``(T, num_ways, D)``."""
        support = checks.classes(support, params=self.params)
        points = self.embed(support.x)
        return prototypes(points, support.y, self.weights(points, support.y))

    def weights(self, points: Tensor, y: Tensor) -> Tensor:
        """How much each embedded example counts, ``(T, N)``, each 0 or more."""
        if self.center == "reweighted":
            return fitting(points, y, self.rounds, self.sharpness)
        if self.center == "mean":
            return torch.ones_like(points[..., 0])
        apart = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
        together = y.unsqueeze(1) == y.unsqueeze(2)
        medoid = _first_of_class((apart * together).sum(2), together)
        if self.center == "medoid":
            return medoid.to(points.dtype)
        from_medoid = (apart * (together & medoid.unsqueeze(1))).sum(2)
        kept = together.sum(2) - torch.floor(self.trim * together.sum(2) + 1e-9)
        return (_rank(from_medoid, together) < kept.clamp(min=1)).to(points.dtype)


def prototypes(points: Tensor, y: Tensor, weights: Tensor, num_ways: int | None = None) -> Tensor:
    """Each class's weighted mean, ``(T, num_ways, D)``, of ``points`` ``(T, N, D)``.

    A class whose weights are all 0 gets its plain mean.
    """
    belongs = F.one_hot(y, -1 if num_ways is None else num_ways).to(points.dtype)
    counted = belongs * weights.unsqueeze(-1)
    counted = torch.where(counted.sum(1, keepdim=True) > 0, counted, belongs)
    return (counted / counted.sum(1, keepdim=True)).transpose(1, 2) @ points


def fitting(points: Tensor, y: Tensor, rounds: int = 3, sharpness: float = 1.0) -> Tensor:
    """What is left of equal weights after some ``rounds`` of `refit`, ``(T, N)`` in 0 … 1."""
    weights = torch.ones_like(points[..., 0])
    for _ in range(rounds):
        weights = refit(points, y, weights, sharpness).clamp(min=LEAST)
    return weights


def refit(points: Tensor, y: Tensor, weights: Tensor, sharpness: float = 1.0) -> Tensor:
    """How well each label fits all other examples, ``(T, N)`` in 0 … 1.

    For each example all prototypes are made without it: else it would vouch for itself. Its new
    weight is the chance that a softmax over minus the squared distances, times ``sharpness``, gives
    its own label. An example that is alone in its class has nobody to disagree: its weight is 1.
    """
    belongs = F.one_hot(y).to(points.dtype)  # (T, N, ways)
    alone = (belongs.sum(1, keepdim=True) * belongs).sum(2) == 1
    counted = belongs * weights.unsqueeze(-1)
    total, sums = counted.sum(1), counted.transpose(1, 2) @ points
    # Without example i: (T, N, ways, D) is small, as supports are.
    rest = (total.unsqueeze(1) - counted).clamp(min=1e-6)
    others = sums.unsqueeze(1) - counted.unsqueeze(-1) * points.unsqueeze(2)
    far = (points.unsqueeze(2) - others / rest.unsqueeze(-1)).square().sum(-1)
    chance = torch.softmax(-sharpness * far, -1).gather(2, y.unsqueeze(-1)).squeeze(-1)
    return torch.where(alone, torch.ones_like(chance), chance)


def _first_of_class(score: Tensor, together: Tensor) -> Tensor:
    """True for the one example of each class with the smallest ``score``, the first if several."""
    return _rank(score, together) == 0


def _rank(score: Tensor, together: Tensor) -> Tensor:
    """How many of its class come before each example: a smaller score, or an earlier place."""
    order = torch.arange(score.shape[1], device=score.device)
    mine, other = score.unsqueeze(2), score.unsqueeze(1)
    before = (other < mine) | ((other == mine) & (order.view(1, -1) < order.view(-1, 1)))
    return (before & together).sum(2)
