"""Hints and checks for notebook 07."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted


def _episode() -> tuple[Tensor, Tensor, Tensor]:
    """Embedded support (2, 6, 4), its labels (2, 6) in mixed order, embedded query (2, 5, 4)."""
    generator = torch.Generator().manual_seed(7)
    y = torch.tensor([[0, 1, 2, 2, 0, 1], [2, 0, 0, 1, 1, 2]])
    support = torch.randn(2, 6, 4, generator=generator)
    return support, y, torch.randn(2, 5, 4, generator=generator)


def _class_means(support: Tensor, y: Tensor, num_ways: int) -> Tensor:
    return torch.stack(
        [torch.stack([s[labels == way].mean(0) for way in range(num_ways)])
         for s, labels in zip(support, y, strict=True)]
    )  # fmt: skip


def check_prototypes(prototypes: Callable) -> None:
    support, y, _ = _episode()
    expected = _class_means(support, y, 3)
    result = attempted(prototypes(support, y, 3))
    result = of_shape(result, expected.shape, "num_tasks, num_ways, D")
    if same(result, expected * 2):
        raise Mistake("This is the sum of a class, not its mean: divide by its number of shots.")
    if same(result, support.mean(1, keepdim=True).expand_as(expected)):
        raise Mistake("Every prototype is the mean of all examples. Keep the classes apart.")
    if same(result, support.unflatten(1, (3, 2)).mean(2)):
        raise Mistake("You trusted the order of the examples. Use y: the classes come mixed.")
    everyone = _class_means(support.flatten(0, 1)[None], y.flatten()[None], 3)
    if same(result, everyone.expand_as(expected)):
        raise Mistake("You mixed the tasks: class 0 of one task is not class 0 of the next.")
    if not same(result, expected):
        raise Mistake("These are not the class means. Try one task and one class by hand.")


def check_attention(attention: Callable) -> None:
    support, y, query = _episode()
    result = attempted(attention(support, y, query, 3))
    cosine = F.normalize(query, dim=-1) @ F.normalize(support, dim=-1).transpose(1, 2)
    belongs = F.one_hot(y, 3).float()
    expected = cosine.softmax(2) @ belongs
    if not isinstance(result, Tensor):
        raise Mistake("Return a tensor of probabilities.")
    if same(result, cosine.softmax(2)):
        raise Mistake("These are the attention weights. Add up the weights of each class.")
    if result.shape != expected.shape:
        raise Mistake(f"Expected shape (2, 5, 3), got {tuple(result.shape)}.")
    if same(result, cosine.softmax(1) @ belongs):
        raise Mistake("The softmax runs over the queries: they compete. Use the support axis.")
    dots = query @ support.transpose(1, 2)
    if same(result, dots.softmax(2) @ belongs):
        raise Mistake("You attended by the dot product. Matching networks use the cosine.")
    if same(result, cosine @ belongs):
        raise Mistake("There is no softmax: these are sums of cosines, not probabilities.")
    if not same(result.sum(2), torch.ones(2, 5)):
        raise Mistake("The probabilities of a query must sum to 1.")
    if not same(result, expected):
        raise Mistake("Probabilities, but others than softmax over cosines to the support.")


def check_paired_difference(paired_difference: Callable) -> None:
    generator = torch.Generator().manual_seed(7)
    hardness = torch.randn(60, generator=generator)
    first, second = 0.7 + 0.1 * (hardness + torch.randn(2, 60, generator=generator) / 3)
    first = first + 0.03
    result = attempted(paired_difference(first, second))
    try:
        mean, half = (float(number) for number in result)
    except (TypeError, ValueError):
        raise Mistake("Return two numbers: the mean difference and half the interval.") from None
    difference = first - second
    if math.isclose(mean, -difference.mean().item(), rel_tol=1e-3):
        raise Mistake("The sign is turned: say by how much the first is better.")
    if math.isclose(mean, difference.abs().mean().item(), rel_tol=1e-3):
        raise Mistake("Keep the signs: task by task, sometimes the second is better.")
    if not math.isclose(mean, difference.mean().item(), rel_tol=1e-3):
        raise Mistake(f"The mean difference is {difference.mean():.4f}, not {mean:.4f}.")
    error = difference.std().item() / math.sqrt(60)
    apart = math.hypot(first.std().item(), second.std().item()) / math.sqrt(60)
    mistakes = {
        1.96 * apart: "This interval treats the tasks as if they were others for each learner. "
        "Subtract first, then take the spread of the differences.",
        1.96 * error * math.sqrt(60): "This is how far single tasks spread. The mean of 60 tasks "
        "is surer: divide by the square root of their number.",
        1.96 * error / math.sqrt(60): "Divide by the square root of the number of tasks, once.",
        error: "This is one standard error. Half of a 95 % interval is 1.96 of them.",
        2 * 1.96 * error: "This is the whole width. Return half of it.",
    }
    # Room for those who divide the variance by 60 instead of 59.
    refuse(half, mistakes.items(), rtol=0.02, atol=0)
    if not math.isclose(half, 1.96 * error, rel_tol=0.02):
        raise Mistake(f"Half of the interval is {1.96 * error:.4f}, not {half:.4f}.")


def check_calibration_error(calibration_error: Callable) -> None:
    confidence = torch.tensor([0.95, 0.91, 0.97, 0.62, 0.66, 0.31, 0.93, 0.35])
    right = torch.tensor([True, True, False, True, False, True, True, False])
    result = float(attempted(calibration_error(confidence, right, 10)))
    bins = (confidence * 10).long().clamp(max=9)
    there = [bins == b for b in bins.unique()]
    gaps = torch.stack([right[b].float().mean() - confidence[b].mean() for b in there])
    shares = torch.stack([b.float().mean() for b in there])
    expected = (shares * gaps.abs()).sum().item()
    mistakes = {
        gaps.abs().mean().item(): "Weigh each bin by how many predictions it holds.",
        abs((shares * gaps).sum().item()): (
            "Take the absolute value inside each bin: too sure here and too unsure there "
            "must not cancel."
        ),
        (right.float() - confidence).abs().mean().item(): (
            "This is the mean distance of each prediction alone. Average within a bin first."
        ),
        gaps.abs().max().item(): "This is the worst bin (the maximum error), not the expected.",
    }
    refuse(result, mistakes.items(), rtol=0, atol=1e-4)
    if abs(result - expected) > 1e-4:
        raise Mistake(
            f"Expected {expected:.4f} on the check's eight predictions, got {result:.4f}."
        )


EXERCISES = {
    "prototypes": Exercise(
        hints=(
            "A prototype is a mean over the examples of one class in one task.",
            "F.one_hot(y, num_ways) is (num_tasks, N, num_ways): 1 where an example belongs.",
            "Divide the one-hot tensor by its sum over examples, transpose it, and one matrix "
            "product with the embedded support gives all means at once.",
        ),
        check=check_prototypes,
        praise="Class means of every task, whatever the order of the examples.",
    ),
    "paired_difference": Exercise(
        hints=(
            "What you want to know is a mean. Of which number per task?",
            "Subtract the vectors first. Then mean and standard deviation of what is left.",
            "A standard error is the standard deviation over the square root of the number of "
            "tasks; half of a 95 % interval is 1.96 standard errors.",
        ),
        check=check_paired_difference,
        praise="What is hard for both has cancelled. What is left is the difference.",
    ),
    "attention": Exercise(
        hints=(
            "How much should a query trust each support example? Its class gets that much.",
            "Cosine: F.normalize both, then query @ support.transpose(1, 2). Softmax over the "
            "support examples.",
            "weights @ F.one_hot(support_y, num_ways).float() adds up the weights by class.",
        ),
        check=check_attention,
        praise="Attention over the support, the heart of a matching network.",
    ),
    "calibration_error": Exercise(
        hints=(
            "Of the predictions made with about 80 % confidence, are about 80 % right?",
            "Bin number: (confidence * num_bins).long().clamp(max=num_bins - 1). In each bin "
            "that is not empty, compare the mean confidence with the share that is right.",
            "Sum over bins: share of all predictions in the bin, times the absolute gap.",
        ),
        check=check_calibration_error,
        praise="The expected calibration error, weighted by bin.",
    ),
}
