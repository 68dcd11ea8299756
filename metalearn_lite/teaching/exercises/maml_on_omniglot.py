"""Hints and checks for notebook 08."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite.similarity import linear_cka
from metalearn_lite.teaching.comparing import kind_of, of_shape, refuse, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted


def _change(a: Tensor, b: Tensor) -> Tensor:
    """The largest change of each query's probabilities."""
    return (a.softmax(-1) - b.softmax(-1)).abs().amax(-1)


def check_leak(leak: Callable) -> None:
    generator = torch.Generator().manual_seed(8)
    x, maps = (torch.randn(2, *shape, generator=generator) for shape in ((4, 6), (6, 3)))

    def looks_at_all(x: Tensor) -> Tensor:
        """Like batch normalisation: the queries of a task are measured together."""
        return (x - x.mean(1, keepdim=True)) @ maps

    def looks_at_each(x: Tensor) -> Tensor:
        return x @ maps

    def alone(predict: Callable) -> Tensor:
        return torch.cat([predict(x[:, [query]]) for query in range(4)], 1)

    result = attempted(leak(looks_at_all, x))
    together, apart = looks_at_all(x), alone(looks_at_all)
    expected = _change(together, apart)
    if isinstance(result, float | Tensor) and torch.as_tensor(result).numel() == 1:
        raise Mistake(
            "One number hides which queries are affected. Return one for each, "
            "(num_tasks, num_queries)."
        )
    result = of_shape(result, expected.shape, "num_tasks, num_queries")
    if result.abs().max() < 1e-5:
        raise Mistake(
            "You found nothing, but this learner subtracts the mean over all queries of a task. "
            "Every query has to be asked alone. A new order, or a task alone, changes no mean."
        )
    if same(result, (together - apart).abs().amax(-1)):
        raise Mistake("These are changes of logits. Compare probabilities: take the softmax first.")
    if same(result, (together.argmax(-1) != apart.argmax(-1)).to(result.dtype)):
        raise Mistake(
            "You see a leak only where the answer flips. It is there in the probabilities already."
        )
    difference = together.softmax(-1) - apart.softmax(-1)
    if same(result, difference.amax(-1)):
        raise Mistake("Take the absolute value: a probability that falls has changed as well.")
    if not same(result, expected):
        raise Mistake(
            "These are not the largest changes of each query's probabilities, together against "
            "alone. Try one task with two queries by hand."
        )
    if leak(looks_at_each, x).abs().max() > 1e-5:
        raise Mistake("You accuse a learner that judges every query by itself.")


def check_adapt_head(adapt_head: Callable) -> None:
    generator = torch.Generator().manual_seed(8)
    features = torch.randn(3, 5, 4, generator=generator)
    weight, bias = torch.randn(4, 2, generator=generator), torch.randn(1, 2, generator=generator)
    y = torch.tensor([[0, 1, 1, 0, 1], [1, 1, 0, 0, 0], [0, 1, 0, 1, 1]])
    start = weight.clone(), bias.clone()
    inner_lr, steps = 0.5, 3

    def descend(
        scale: float = 1 / 5, sign: float = -1, shared: bool = False, anew: bool = True
    ) -> tuple[Tensor, Tensor]:
        w, b = weight.expand(3, 4, 2), bias.expand(3, 1, 2)
        for step in range(steps):
            if anew or step == 0:
                error = (features @ w + b).softmax(-1) - F.one_hot(y, 2)
                down = scale * features.mT @ error, scale * error.sum(1, keepdim=True)
                if shared:
                    down = tuple(part.mean(0, keepdim=True).expand_as(part) for part in down)
            w, b = w + sign * inner_lr * down[0], b + sign * inner_lr * down[1]
        return w, b

    result = attempted(adapt_head(features, y, weight, bias, inner_lr, steps))
    if not (isinstance(result, tuple | list) and len(result) == 2):
        raise Mistake("Return two tensors: the adapted weight and the adapted bias.")
    if not (same(weight, start[0]) and same(bias, start[1])):
        raise Mistake(
            "You changed the shared weight or bias in place. The next task would start from there."
        )
    got_weight, got_bias = result
    for name, got, shape in (("weight", got_weight, (3, 4, 2)), ("bias", got_bias, (3, 1, 2))):
        of_shape(got, shape, f"the {name} of each task")
    wrong = {
        "This climbs: the loss grows. Subtract the gradient.": descend(sign=1),
        "This is the gradient of the sum. The support loss is a mean over its examples.": descend(
            scale=1
        ),
        "All tasks took one step together. Each task has its own head.": descend(shared=True),
        "Every step used the first gradient. Compute it anew where you are.": descend(anew=False),
    }
    for message, (other_weight, _) in wrong.items():
        if same(got_weight, other_weight):
            raise Mistake(message)
    expected_weight, expected_bias = descend()
    if same(got_bias, bias.expand(3, 1, 2)):
        raise Mistake("The bias has not moved. It is part of the head, too.")
    if not (same(got_weight, expected_weight) and same(got_bias, expected_bias)):
        raise Mistake(
            "These are not 3 steps of gradient descent on each task's cross-entropy. Compare one "
            "step of one task with torch.autograd.grad."
        )


def check_cka(cka: Callable) -> None:
    generator = torch.Generator().manual_seed(8)
    first = torch.randn(12, 4, generator=generator) + 2
    second = first[:, :3] + 0.8 * torch.randn(12, 3, generator=generator) - 1
    result = attempted(cka(first, second))
    result = result.item() if isinstance(result, Tensor) and result.numel() == 1 else result
    if not isinstance(result, float | int):
        raise Mistake(f"Return one number, not {kind_of(result)}.")

    def ratio(a: Tensor, b: Tensor, power: float = 2) -> float:
        cross = (b.T @ a).norm() ** power
        return (cross / ((a.T @ a).norm() * (b.T @ b).norm()) ** (power / 2)).item()

    a, b = first - first.mean(0), second - second.mean(0)
    rows_centred = [rows - rows.mean(1, keepdim=True) for rows in (first, second)]
    mistakes = {
        ratio(first, second): "Centre the columns first: each feature's mean over the examples "
        "must be 0, or a constant looks like agreement.",
        ratio(*rows_centred): "You centred each example over its features. Centre each feature "
        "over the examples.",
        (b.T @ a).norm().square().item(): "It is not scaled: divide, so that anything compared "
        "with itself gives 1.",
        (b.T @ a).norm().item() / ((a.T @ a).norm() * (b.T @ b).norm()).sqrt().item(): (
            "The norm above the line is to be squared."
        ),
        ((b.T @ a).norm().square() / (a.norm() * b.norm()).square()).item(): (
            "Below the line stand the norms of the products AᵀA and BᵀB, not of A and B."
        ),
    }
    refuse(result, mistakes.items(), rtol=1e-3, atol=0)
    expected = linear_cka(first, second).item()
    if not math.isclose(result, expected, rel_tol=1e-3):
        raise Mistake(f"For the check's two layers linear CKA is {expected:.4f}, not {result:.4f}.")


EXERCISES = {
    "leak": Exercise(
        hints=(
            "A query is judged by itself if its answer is the same, whoever sits beside it. What "
            "is the smallest company it can have?",
            "predict(x[:, [q]]) asks query q of every task, without the others. Do that for each q "
            "and put the answers together along axis 1.",
            "together = predict(x).softmax(-1), alone = torch.cat([predict(x[:, [q]]) for q in "
            "range(x.shape[1])], 1).softmax(-1); then the largest absolute difference over the "
            "last axis.",
        ),
        check=check_leak,
        praise="Whoever lets a query listen to its neighbours is found out by this.",
    ),
    "adapt_head": Exercise(
        hints=(
            "For softmax and cross-entropy the gradient with respect to the logits is short: what "
            "the network said, minus what is true.",
            "error = softmax(features @ weight + bias) - one_hot(y). The gradient of the weight is "
            "featuresᵀ @ error / N, that of the bias the mean of the error over the examples.",
            "Loop over the steps only. Start: weight as it is; `features @ weight` already works "
            "for all tasks. After the first step weight is (T, D, W), bias (T, 1, W): "
            "features.transpose(1, 2) @ error / N and error.mean(1, keepdim=True).",
        ),
        check=check_adapt_head,
        praise="The inner loop of ANIL, without autograd: the features never move.",
    ),
    "cka": Exercise(
        hints=(
            "Centre first: subtract from each column its mean over the examples.",
            "‖BᵀA‖² is large when directions of A and B go together. What is it when B is A?",
            "With centred A, B: (B.T @ A).norm() ** 2 / ((A.T @ A).norm() * (B.T @ B).norm()).",
        ),
        check=check_cka,
        praise="Linear CKA. Turn or scale one of the layers: the number stays.",
    ),
}
