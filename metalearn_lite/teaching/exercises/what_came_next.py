"""The exercises of notebook 17: a differentiable ridge head."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from metalearn_lite.learners.ridge_head import fit_ridge
from metalearn_lite.teaching.comparing import Mistake, of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise
from metalearn_lite.teaching.running import attempted

# --- a ridge head


def ridge_head(points: Tensor, targets: Tensor, strength: Tensor) -> Tensor:
    """Each task's weights ``(T, D, C)``, which gradients go through.

    Args:
        points: ``(T, N, D)``.
        targets: ``(T, N, C)``.
        strength: λ, above 0.
    """
    return fit_ridge(points, targets, strength)


def _heads() -> Iterator[tuple[str, Tensor, Tensor, Tensor]]:
    generator = seeded(17)
    for said, shape, num_targets, strength in (
        ("more examples than features", (2, 9, 4), 3, 1.7),
        ("fewer examples than features", (3, 4, 7), 2, 0.6),
        ("as many examples as features", (3, 3, 3), 3, 0.3),
        ("a single example of each task", (2, 1, 5), 2, 1.5),
        ("a single feature", (3, 6, 1), 2, 0.7),
        ("a single task with a single target", (1, 5, 3), 1, 0.2),
        ("a very large strength", (2, 4, 3), 2, 300.0),
        ("a very small strength", (2, 8, 3), 2, 1e-3),
    ):
        points = torch.randn(shape, generator=generator) + 0.4
        targets = torch.randn(*shape[:2], num_targets, generator=generator)
        yield said, points, targets, torch.tensor(strength)
    points = torch.randn(2, 6, 3, generator=generator)
    points[:, 1::2] = points[:, ::2]
    targets = torch.randn(2, 6, 2, generator=generator)
    yield "every example there twice, with two targets", points, targets, torch.tensor(0.4)
    yield "features that are all 0", torch.zeros(2, 3, 5), targets[:, :3], torch.tensor(0.6)


def check_ridge_head(answer: Callable) -> None:
    for said, *given in _heads():
        mine = [part.clone().requires_grad_() for part in given]
        before = [part.detach().clone() for part in mine]
        result = attempted(answer(*mine))
        if not all(map(torch.equal, before, mine)):
            raise Mistake("You changed an argument in place. Make new tensors.")
        points, targets, _ = given
        wanted = (len(points), points.shape[2], targets.shape[2])
        _refuse_other_things(result, given)
        result = of_shape(result, wanted, "of each task, a weight from each feature to each target")
        expected = ridge_head(*given)
        mistakes = _head_mistakes(*given)
        refuse(
            result,
            [(w, m) for w, m in mistakes if not same(w, expected, rtol=0.02, atol=1e-3)],
            rtol=2e-3,
            atol=1e-4,
        )
        if not same(result, expected, rtol=2e-3, atol=1e-4):
            raise Mistake(
                f"With {said}, other weights have a smaller sum of squared errors plus strength "
                "times the sum of squared weights."
            )
        _check_gradients(result, mine, given)


def _refuse_other_things(result: object, given: list[Tensor]) -> None:
    points, targets, _ = given
    if not isinstance(result, Tensor):
        return
    if same(result, points @ ridge_head(*given)):
        raise Mistake("These are predictions for the points. Return the weights.")
    exchanged = result.shape != (len(points), points.shape[2], targets.shape[2])
    if exchanged and same(result, ridge_head(*given).mT):
        raise Mistake("Nearly: your weights have features and targets exchanged. Transpose.")


def _check_gradients(result: Tensor, mine: list[Tensor], given: list[Tensor]) -> None:
    cut = (
        "The weights are right, but {what}: was it detached, turned into a plain number or an "
        "array, or computed under no_grad? Then the meta-gradient ends there."
    )
    if not result.requires_grad:
        raise Mistake(cut.format(what="no gradient goes through them"))
    twin = [part.clone().requires_grad_() for part in given]
    right = ridge_head(*twin)
    direction = torch.randn(right.shape, generator=seeded(3))
    expected = torch.autograd.grad((right * direction).sum(), twin)
    found = torch.autograd.grad((result * direction).sum(), mine, allow_unused=True)
    for name, one, other in zip(("points", "targets", "strength"), found, expected, strict=True):
        off = one is None or not same(one, other, rtol=0.01, atol=1e-3 * float(other.abs().max()))
        if off and float(other.abs().max()) > 1e-5:
            raise Mistake(cut.format(what=f"their gradient for `{name}` is missing or wrong"))


def _head_mistakes(points: Tensor, targets: Tensor, strength: Tensor) -> list[tuple[Tensor, str]]:
    points, targets, strength = points.double(), targets.double(), strength.double()
    num_examples = points.shape[1]
    gram, right = points.mT @ points, points.mT @ targets

    def solved(diagonal: Tensor, matrix: Tensor = gram, side: Tensor = right) -> Tensor:
        eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype)
        return torch.linalg.lstsq(matrix + diagonal * eye, side, driver="gelsd").solution

    together = points.flatten(0, 1)
    shared = solved(strength, together.T @ together, together.T @ targets.flatten(0, 1))
    centred = points - points.mean(1, keepdim=True)
    half = "A square's slope has a factor 2, but both squares have it. Did only one of yours?"
    means = (
        "The sum of squared errors is over the examples: yours is their mean, so that λ weighs "
        "more the more examples there are."
    )
    return [
        (solved(torch.zeros(())), "λ makes no difference to your weights."),
        (
            torch.linalg.lstsq(gram + strength, right, driver="gelsd").solution,
            "You added λ to every entry of the matrix. Which entries does |W|² add it to?",
        ),
        (
            shared.expand(len(points), -1, -1),
            "All tasks have the same weights. Each has its own, fitted to its own examples only.",
        ),
        (solved(strength * num_examples), means),
        (solved(strength / num_examples), "λ is there once, not once for each N-th example."),
        (solved(2 * strength), half),
        (solved(strength / 2), half),
        (solved(strength.square()), "You squared λ. The weights are squared, λ is not."),
        (solved(strength.sqrt()), "You took the square root of λ."),
        (solved(-strength), "λ has the wrong sign: large weights are rewarded."),
        (
            right / (gram.diagonal(dim1=1, dim2=2).unsqueeze(2) + strength),
            "Each feature was fitted as if it were alone. They share the targets: divide by the "
            "whole matrix.",
        ),
        (right, "This is PᵀY only: nothing was solved."),
        (
            right / strength,
            "This holds only where λ is far larger than all else. Where is PᵀP?",
        ),
        (
            solved(strength, centred.mT @ centred, centred.mT @ targets),
            "You took the mean away from the points. There is no bias here: fit them as they are.",
        ),
        (
            solved(torch.ones(()) * 1.0),
            "Your strength is always 1. Use the one that is given.",
        ),
    ]


EXERCISES = {
    "ridge_head": Exercise(
        hints=(
            "What you minimise is a quadratic in W. At its minimum the slope is 0. Write the slope "
            "of either square with matrices, P for the points and Y for the targets.",
            "The slopes are 2 Pᵀ(P W - Y) and 2 λ W. Set their sum to 0 and collect what "
            "multiplies W: it is a matrix, of which λ is on the diagonal. "
            "`.mT` transposes the last two axes, and `@` multiplies task by task.",
            "torch.linalg.solve(A, B) finds W with A @ W = B, for all tasks at once, and gradients "
            "go through it. A is PᵀP with λ added on its diagonal (torch.eye), B is PᵀY. "
            "Take `strength` as the tensor that it is.",
        ),
        check=check_ridge_head,
        praise="Right, and gradients go through: what is below can now learn to be fitted.",
    ),
}
