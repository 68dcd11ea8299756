"""Implicit MAML: the meta-gradient from where adaptation ends, whatever path led there."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.regularised import RegularisedMAML
from metalearn_lite.networks import Network, Params


class ImplicitMAML(RegularisedMAML):
    """Implicit MAML (Rajeswaran, Finn, Kakade & Levine, 2019).

    The inner problem is that of ``RegularisedMAML``. At its solution φ the support's gradient is
    λ (θ - φ). Differentiating this equation gives dφ/dθ = (I + H/λ)⁻¹, with H the Hessian of the
    support loss at φ. So the meta-gradient is the g that solves

        (I + H/λ) g = ∇φ of the query loss,

    for each task. Conjugate gradients find it from products H·v. Nothing is remembered of the
    inner steps: their number costs time but no memory. The result is as right as φ is near the
    solution: take enough steps.

    Args:
        network: called as ``network(params, x)``.
        params: the initialisation θ to start from.
        inner_lr: α.
        inner_steps: how many steps look for φ.
        strength: λ, above 0.
        solver_steps: how many conjugate-gradient steps are taken, at most one for each parameter.
    """

    def __init__(
        self,
        network: Network,
        params: Params,
        inner_lr: float = 0.01,
        inner_steps: int = 10,
        strength: float = 1.0,
        solver_steps: int = 5,
    ):
        checks.count(0, checks.MOST_STEPS, solver_steps=solver_steps)
        checks.rate(strength=strength)
        if strength == 0:
            raise ValueError("strength=0: with no pull towards θ, φ says nothing about θ")
        super().__init__(network, params, inner_lr, inner_steps, strength)
        self.solver_steps = solver_steps

    def meta_gradient(self, episodes: Episodes) -> tuple[Tensor, Params]:
        """The query loss of φ, and g of the class's equation, both averaged over tasks."""
        checks.asked(episodes)
        support, query = episodes
        with torch.no_grad():
            adapted = self.adapt(support)
        names, values = zip(*((n, v.requires_grad_()) for n, v in adapted.items()), strict=True)
        with torch.enable_grad():
            # The sum over tasks, so that each task's part is the gradient of its own loss.
            query_losses = task_losses(self.predict(adapted, query.x), query.y)
            right_side = torch.autograd.grad(query_losses.sum(), values)
            gradient = list(self.gradient(adapted, support, names).values())

        def times(vector: list[Tensor]) -> list[Tensor]:
            curved = torch.autograd.grad(gradient, values, vector, retain_graph=True)
            return [v + hv / self.strength for v, hv in zip(vector, curved, strict=True)]

        solved = conjugate_gradients(times, list(right_side), self.solver_steps)
        means = [part.mean(0) for part in solved]
        return query_losses.detach().mean(), dict(zip(names, means, strict=True))


def conjugate_gradients(
    times: Callable[[list[Tensor]], list[Tensor]], right_side: list[Tensor], steps: int
) -> list[Tensor]:
    """Solves A·g = ``right_side`` for every task at once (Hestenes & Stiefel, 1952).

    Each vector is a list of tensors ``(T, …)``; ``times`` multiplies by A, which is symmetric. A
    task stops where it is solved, or where A curves downwards: there the method has no meaning.
    """
    solution = [torch.zeros_like(part) for part in right_side]
    residual, search = right_side, right_side
    size = dots(residual, residual)
    goes_on = torch.ones_like(size, dtype=torch.bool)
    for _ in range(steps):
        product = times(search)
        curvature = dots(search, product)
        goes_on = goes_on & (curvature > 0)
        length = torch.where(goes_on, size / curvature, 0)
        solution = add(solution, length, search)
        residual = add(residual, -length, product)
        before, size = size, dots(residual, residual)
        search = add(residual, torch.where(goes_on, size / before, 0), search)
    return solution


def dots(a: list[Tensor], b: list[Tensor]) -> Tensor:
    """Each task's inner product, ``(T,)``."""
    return sum((x * y).flatten(1).sum(1) for x, y in zip(a, b, strict=True))


def add(a: list[Tensor], factor: Tensor, b: list[Tensor]) -> list[Tensor]:
    """a + factor · b, with ``factor`` ``(T,)``."""
    return [x + factor.view(-1, *(1,) * (y.dim() - 1)) * y for x, y in zip(a, b, strict=True)]
