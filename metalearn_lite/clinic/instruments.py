"""What the experiments measure with: bowls of known shape, differences instead of derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.networks import MLP, Params
from metalearn_lite.tasks.characters import Characters, Glyphs
from metalearn_lite.tasks.sinusoids import Sinusoids


def generator(seed: int) -> torch.Generator:
    """A new one, for an experiment of its own."""
    return torch.Generator().manual_seed(seed)


class Bowls(NamedTuple):
    """``T`` tasks with the loss ½ (θ - c)ᵀ H (θ - c): a quadratic each, of known minimum."""

    curvature: Tensor
    """H, ``(T, D, D)``, symmetric"""
    centre: Tensor
    """c, ``(T, D)``: where each task is solved"""

    def losses(self, theta: Tensor) -> Tensor:
        """``(T,)`` at ``theta``: ``(D,)``, one for all tasks, or ``(T, D)``, one for each."""
        away = theta - self.centre
        return 0.5 * (away * torch.einsum("tde,te->td", self.curvature, away)).sum(-1)

    def gradients(self, theta: Tensor) -> Tensor:
        """``(T, D)``: each task's own gradient H (θ - c)."""
        return torch.einsum("tde,te->td", self.curvature, theta - self.centre)

    def moved(self, by: Tensor) -> Bowls:
        """The same world in another place: every centre further by ``by`` ``(D,)``."""
        return Bowls(self.curvature, self.centre + by)

    def solution(self, inner_lr: float) -> Tensor:
        """The best initialisation ``(D,)`` for one inner step, where the meta-gradient is 0."""
        left = torch.eye(self.centre.shape[1], dtype=torch.float64) - inner_lr * self.curvature
        weights = left @ self.curvature @ left
        told = torch.einsum("tde,te->d", weights, self.centre)
        return torch.linalg.solve(weights.sum(0), told)


def draw_bowls(seed: int, num_tasks: int = 3, size: int = 2) -> Bowls:
    """Bowls of any slant, between 0.3 and 2 steep, with centres around (3, 3, …)."""
    checks.count(num_tasks=num_tasks, size=size)
    draws = generator(seed)
    numbers = torch.randn(num_tasks, size, size, generator=draws, dtype=torch.float64)
    axes = torch.linalg.qr(numbers).Q
    steep = 0.3 + 1.7 * torch.rand(num_tasks, 1, size, generator=draws, dtype=torch.float64)
    centre = 3 + torch.randn(num_tasks, size, generator=draws, dtype=torch.float64)
    return Bowls(axes * steep @ axes.mT, centre)


class SmoothMLP(MLP):
    """With tanh for ReLU: at a kink the adapted loss jumps, and differences would measure that."""

    def __call__(self, params: Params, x: Tensor) -> Tensor:
        for layer in range(1, len(self.sizes)):
            x = x.tanh() if layer > 1 else x
            x = x @ params[f"weight{layer}"] + params[f"bias{layer}"]
        return x


def draw_waves(seed: int, num_tasks: int = 1) -> tuple[MLP, Params, Episodes]:
    """A network of 61 weights as it starts, and waves of ten points for it, all in float64."""
    network, draws = SmoothMLP(1, 6, 6, 1), generator(seed)
    params = {name: value.double() for name, value in network.init(draws).items()}
    halves = Sinusoids().sample(num_tasks, 10, 10, draws)
    return network, params, Episodes(*(Examples(x.double(), y.double()) for x, y in halves))


def measured_gradient(loss_at: Callable[[Tensor], Tensor], theta: Tensor) -> Tensor:
    """The gradient of ``loss_at`` by central differences: it asks for values only, never for code.

    ``theta`` is ``(D,)``. Two values of the loss for every number: right to about eight digits.
    """
    step, slopes = 1e-5, torch.zeros_like(theta)
    for place in range(len(theta)):
        aside = torch.zeros_like(theta)
        aside[place] = step
        slopes[place] = (loss_at(theta + aside) - loss_at(theta - aside)) / (2 * step)
    return slopes


def flat(params: Params) -> Tensor:
    """All numbers of ``params`` in one row."""
    return torch.cat([value.flatten() for value in params.values()])


def shaped(theta: Tensor, like: Params) -> Params:
    """The row of numbers in the shapes of ``like``."""
    parts = theta.split([value.numel() for value in like.values()])
    return {n: part.view(like[n].shape) for n, part in zip(like, parts, strict=True)}


def error(found: Tensor, true: Tensor) -> float:
    """How long the difference is, as a share of the truth's own length."""
    return ((found - true).norm() / true.norm()).item()


def cosine(found: Tensor, true: Tensor) -> float:
    """1: the same direction. 0: at a right angle, or ``found`` is no direction at all."""
    return torch.nn.functional.cosine_similarity(found, true, dim=0).item()


@cache
def glyphs() -> Characters:
    """24 made-up characters by 12 drawers, small enough to draw in a moment."""
    return Glyphs(3, 8, num_drawers=12, seed=15)
