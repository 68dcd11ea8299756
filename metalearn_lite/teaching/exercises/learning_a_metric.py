"""Hints and checks for notebook 07, and what steps in for an answer."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite.episodes import Examples
from metalearn_lite.evaluation import Evaluation
from metalearn_lite.learners.matching import MatchingNetwork
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted


def _as_it_is(params: dict, x: Tensor) -> Tensor:
    """A network for points that are embedded already."""
    return x


def _labels(generator: torch.Generator, num_tasks: int, shots: tuple[int, ...]) -> Tensor:
    """Classes in mixed order, another one in each task: ``shots[k]`` examples of class k."""
    y = torch.arange(len(shots)).repeat_interleave(torch.tensor(shots))
    orders = [torch.randperm(len(y), generator=generator) for _ in range(num_tasks)]
    return torch.stack([y[order] for order in orders])


# --- prototypes -----------------------------------------------------------------------------


def prototypes(embedded: Tensor, y: Tensor, num_ways: int) -> Tensor:
    """The mean of each class's points, ``(num_tasks, num_ways, D)``."""
    return PrototypicalNetwork(_as_it_is, {}).adapt(Examples(embedded, y))


def _supports() -> dict[str, tuple[Tensor, Tensor, int]]:
    generator = seeded(7)

    def drawn(num_tasks: int, shots: tuple[int, ...], size: int) -> tuple[Tensor, Tensor, int]:
        y = _labels(generator, num_tasks, shots)
        return torch.randn(*y.shape, size, generator=generator), y, len(shots)

    return {
        "three classes of two examples": drawn(2, (2, 2, 2), 4),
        "classes with unequal numbers of examples": drawn(3, (1, 4, 2, 2), 5),
        "one example of each class": drawn(2, (1, 1, 1, 1, 1), 3),
        "a single class": drawn(1, (4,), 2),
        "points of one dimension": drawn(2, (3, 1), 1),
    }


def _class_means(support: Tensor, y: Tensor, num_ways: int) -> Tensor:
    return torch.stack(
        [torch.stack([s[labels == way].mean(0) for way in range(num_ways)])
         for s, labels in zip(support, y, strict=True)]
    )  # fmt: skip


def _wrong_prototypes(support: Tensor, y: Tensor, num_ways: int) -> list[tuple[Tensor, str]]:
    expected = _class_means(support, y, num_ways)
    counts = F.one_hot(y, num_ways).sum(1).unsqueeze(2)
    everyone = _class_means(support.flatten(0, 1)[None], y.flatten()[None], num_ways)
    first_labels = _class_means(support, y[:1].expand_as(y), num_ways)
    medians = torch.stack(
        [torch.stack([s[labels == way].median(0).values for way in range(num_ways)])
         for s, labels in zip(support, y, strict=True)]
    )  # fmt: skip
    in_order = torch.stack([part.mean(1) for part in support.tensor_split(num_ways, 1)], 1)
    in_turn = torch.stack([support[:, way::num_ways].mean(1) for way in range(num_ways)], 1)
    order = "You trusted the order of the examples. Use y: the classes come mixed."
    return [
        (in_order, order),
        (in_turn, order),
        (expected * counts, "This is the sum of a class, not its mean: divide by its number of "
         "examples."),
        (expected * counts / y.shape[1], "You divided by the number of all examples. Divide each "
         "class by its own."),
        (expected * counts * num_ways / y.shape[1], "You divided each class by the same number. "
         "Classes may have unequal numbers of examples: count them."),
        (support.mean(1, keepdim=True).expand_as(expected), "Every prototype is the mean of all "
         "examples. Keep the classes apart."),
        (everyone.expand_as(expected), "You mixed the tasks: class 0 of one task is not class 0 of "
         "the next."),
        (first_labels, "You read the first task's y for every task."),
        (medians, "These are medians. A prototype is a mean."),
        (F.normalize(expected, dim=-1), "Your prototypes have length 1. Leave the means as they "
         "are."),
    ]  # fmt: skip


def check_prototypes(answer: Callable) -> None:
    for number, (kind, (support, y, num_ways)) in enumerate(_supports().items()):
        given = support.clone(), y.clone()
        expected = prototypes(support, y, num_ways)
        result = attempted(answer(*given, num_ways))
        result = of_shape(result, expected.shape, "num_tasks, num_ways, D")
        if number < 2:
            mistakes = _wrong_prototypes(support, y, num_ways)
            # With equal numbers of examples some of these are right.
            refuse(result, [pair for pair in mistakes if not same(pair[0], expected)])
        if not same(result, expected):
            raise Mistake(
                f"These are not the class means, for {kind}. Try one task and one class by hand."
            )
        if not all(same(*pair) for pair in zip(given, (support, y), strict=True)):
            raise Mistake("You changed the points that were handed to you. Work on copies.")


# --- tasks_needed ---------------------------------------------------------------------------


def tasks_needed(first: Tensor, second: Tensor) -> float:
    """The least number of tasks, 2 or more, at which the paired 95 % interval excludes 0."""
    return _least(Evaluation(first.double() - second.double()))


def _least(difference: Evaluation) -> float:
    if difference.mean == 0:
        return math.inf
    ratio = difference.interval / abs(difference.mean)
    return max(2, math.floor(len(difference.scores) * ratio**2) + 1)


def _both_scores() -> dict[str, tuple[Tensor, Tensor]]:
    """Each pair's exact number of tasks lies well between two whole numbers."""
    generator = seeded(15)

    def drawn(num_tasks: int, gap: float, own: float) -> tuple[Tensor, Tensor]:
        while True:
            hardness = torch.randn(num_tasks, generator=generator)
            noise = own * torch.randn(2, num_tasks, generator=generator)
            first, second = 0.6 + 0.1 * (hardness + noise)
            first = first + gap
            difference = Evaluation(first.double() - second.double())
            exact = num_tasks * (difference.interval / difference.mean) ** 2
            if 0.25 < exact % 1 < 0.4 and exact > 2:
                return first, second

    better, worse = drawn(12, 0.05, 0.6)
    few = torch.tensor([0.5, 0.75, 1.0, 0.25])
    return {
        "scores that cannot tell yet": drawn(20, 0.02, 0.5),
        "scores where the second is ahead": (worse, better),
        "scores that more than tell": drawn(40, 0.06, 0.4),
        "two tasks": (torch.tensor([0.8, 0.6]), torch.tensor([0.3, 0.5])),
        "equal means": (few, few.flip(0)),
        "equal scores on every task": (few, few),
        "the same difference on every task": (few + 0.125, few),
    }


def _counted(exact: float) -> int:
    return max(2, math.floor(exact) + 1)


def _wrong_numbers(first: Tensor, second: Tensor) -> list[tuple[float, str]]:
    first, second = first.double(), second.double()
    num_tasks, difference = len(first), first - second
    gap, spread = difference.mean().abs().item(), difference.std().item()
    apart = math.hypot(first.std().item(), second.std().item())
    exact = (1.96 * spread / gap) ** 2
    sizes = difference.abs()
    unpaired = (
        "This treats the tasks as if they were others for each learner. Both met the same tasks: "
        "what is hard for both should cancel."
    )
    return [
        (_counted((1.96 * apart / gap) ** 2), unpaired),
        (_counted((1.96 * (first.std() + second.std()).item() / gap) ** 2), unpaired),
        (_counted(1.96 * spread / gap), "Tasks help by the root of their number only: this is the "
         "ratio that the root must exceed."),
        (_counted((spread / gap) ** 2), "This is where one standard error is as long as the "
         "difference. Half of a 95 % interval is 1.96 of them."),
        (_counted((2 * 1.96 * spread / gap) ** 2), "You asked the whole width of the interval to "
         "be below the difference: half of it is enough."),
        (_counted(1.96 * (spread / gap) ** 2), "You took 1.96 outside of the square."),
        (_counted((1.96 * difference.std(correction=0).item() / gap) ** 2), "The spread of a "
         "sample: divide by the number of tasks less 1 (correction=1)."),
        (_counted((1.96 * spread**2 / gap) ** 2), "You took the variance where the standard "
         "deviation belongs."),
        (_counted((1.96 * sizes.std().item() / sizes.mean().item()) ** 2), "Keep the signs: task "
         "by task, sometimes the other learner is ahead."),
        (_counted(exact) - 1, "One task too few: at this number the interval still reaches 0."),
        (_counted(exact) + 1, "One task too many: one less would tell already."),
        (exact, "Tasks come whole: round to the first number that tells."),
        (_counted(exact / num_tasks), "You divided by the number of tasks that were tried. The "
         "spread of single tasks counts here."),
        (_counted(exact * num_tasks), "You multiplied by the number of tasks that were tried. The "
         "spread of single tasks counts here."),
    ]  # fmt: skip


def check_tasks_needed(answer: Callable) -> None:
    cases = list(_both_scores().items())
    results = [float(attempted(answer(*(s.clone() for s in scores)))) for _, scores in cases]
    drawn = slice(0, 3)  # beyond these, mistakes and truth may agree
    known = [_wrong_numbers(*scores) for _, scores in cases[drawn]]
    for wrong in zip(*known, strict=True):
        numbers = torch.tensor([number for number, _ in wrong])
        refuse(torch.tensor(results[drawn]), [(numbers, wrong[0][1])], rtol=1e-5, atol=1e-3)
    at_first, _ = cases[0][1]
    if results[0] == tasks_needed(*cases[0][1]) - len(at_first):
        raise Mistake("These are the tasks to add. Return how many it takes in all.")
    for (kind, scores), result in zip(cases, results, strict=True):
        if kind == "scores where the second is ahead" and not result > 1:
            raise Mistake("The second may be ahead, too: then the mean difference is negative.")
        if kind.startswith("equal") and not math.isinf(result):
            raise Mistake(f"No number of tasks tells where the mean is 0, as for {kind}: math.inf.")
        if result != tasks_needed(*scores):
            raise Mistake(
                f"This is not the least number of tasks that tells, for {kind}. Put your number "
                "into 1.96 · spread / √n by hand: does it fall below the mean difference, and "
                "does it fail to with one task less?"
            )


# --- attention ------------------------------------------------------------------------------


def attention(
    support: Tensor, support_y: Tensor, query: Tensor, num_ways: int, sharpness: float
) -> Tensor:
    """Class probabilities ``(num_tasks, M, num_ways)``: of the support's labels, as attended to."""
    matching = MatchingNetwork(_as_it_is, {}, sharpness)
    weights = matching.attend(query, support).exp()
    return weights @ F.one_hot(support_y, num_ways).to(weights.dtype)


def _attended() -> dict[str, tuple[Tensor, Tensor, Tensor, int, float]]:
    generator = seeded(7)

    def drawn(num_tasks, shots, num_queries, size, sharpness):
        y = _labels(generator, num_tasks, shots)
        lengths = 0.5 + 2 * torch.rand(*y.shape, 1, generator=generator)
        support = lengths * torch.randn(*y.shape, size, generator=generator)
        query = torch.randn(num_tasks, num_queries, size, generator=generator)
        return support, y, query, len(shots), sharpness

    support, y, query, num_ways, _ = drawn(2, (2, 2, 1), 4, 4, 1.0)
    dark = support.clone()
    dark[:, 0] = 0
    return {
        "three classes": drawn(2, (2, 1, 3), 5, 4, 3.0),
        "a sharpness of 1": (support, y, query, num_ways, 1.0),
        "one query and one shot": drawn(1, (1, 1, 1, 1), 1, 6, 10.0),
        "a class that no example is of": (support, y, query, num_ways + 1, 5.0),
        "a sharpness of 1,000": (support, y, query, num_ways, 1000.0),
        "an embedding of zeros": (dark, y, query, num_ways, 5.0),
    }


def _wrong_attention(support, y, query, num_ways, sharpness) -> list[tuple[Tensor, str]]:
    belongs = F.one_hot(y, num_ways).float()
    cosine = F.normalize(query, dim=-1) @ F.normalize(support, dim=-1).transpose(1, 2)
    dots = query @ support.transpose(1, 2)
    counts = belongs.sum(1, keepdim=True)
    means = (belongs / counts).transpose(1, 2) @ support
    to_means = F.normalize(query, dim=-1) @ F.normalize(means, dim=-1).transpose(1, 2)
    squares = torch.cdist(query, support).square()
    of_class = (cosine @ belongs) / counts
    right = (sharpness * cosine).softmax(2)
    return [
        (right, "These are the attention weights. Add up the weights of each class."),
        (
            (sharpness * cosine).softmax(1) @ belongs,
            "The softmax runs over the queries: they compete. Use the support axis.",
        ),
        ((sharpness * cosine).softmax(0) @ belongs, "The softmax runs over the tasks."),
        (
            (sharpness * dots).softmax(2) @ belongs,
            "You attended by the dot product, which favours long vectors. The cosine divides by "
            "both lengths.",
        ),
        (
            (sharpness * query @ F.normalize(support, dim=-1).transpose(1, 2)).softmax(2) @ belongs,
            "You divided by the length of one side only. The cosine takes both.",
        ),
        (sharpness * cosine @ belongs, "There is no softmax: these are sums, not probabilities."),
        (cosine.softmax(2) @ belongs, "You left out the sharpness."),
        (
            (cosine / sharpness).softmax(2) @ belongs,
            "You divided by the sharpness: that makes the attention flatter. Multiply.",
        ),
        (
            (sharpness * cosine @ belongs).softmax(2),
            "You added up first and took the softmax then, over classes. Attention is to images.",
        ),
        (
            (sharpness * of_class).softmax(2),
            "You averaged the cosines of a class first. The softmax comes first, over images.",
        ),
        (
            (sharpness * to_means).softmax(2),
            "This compares with the class means: a prototypical network. Attend to each image.",
        ),
        (
            (-sharpness * squares).softmax(2) @ belongs,
            "You attended by the distance. Matching networks take the cosine.",
        ),
        (right @ belongs / counts, "You averaged the weights of each class. Add them up, so that "
         "the classes' probabilities sum to 1."),
        ((right @ belongs).log(), "These are logarithms of the probabilities."),
    ]  # fmt: skip


def check_attention(answer: Callable) -> None:
    for number, (kind, given) in enumerate(_attended().items()):
        support, y, query, num_ways, sharpness = given
        expected = attention(*given)
        result = attempted(answer(support.clone(), y.clone(), query.clone(), num_ways, sharpness))
        if number == 0:
            refuse(result, _wrong_attention(*given))
        result = of_shape(result, expected.shape, "num_tasks, M, num_ways")
        if result.isnan().any():
            raise Mistake(
                f"Some of your probabilities are no numbers (NaN), for {kind}. "
                + ("e to the power of 1,000 is too large for a float: subtract the largest "
                   "exponent first, as torch's softmax does."
                   if sharpness > 100 else "What is divided by zero?")
            )  # fmt: skip
        if not same(result.sum(2), torch.ones(result.shape[:2]), atol=1e-3):
            raise Mistake(f"The probabilities of a query must sum to 1: not so for {kind}.")
        if not same(result, expected, atol=1e-4):
            raise Mistake(
                f"Probabilities, but others than those of softmax over cosines, for {kind}."
            )


# --- calibration_error ----------------------------------------------------------------------


def calibration_error(confidence: Tensor, right: Tensor, num_bins: int) -> float:
    """Naeini, Cooper & Hauskrecht (2015): each bin's gap, weighted by its share of the answers."""
    gaps, shares, _ = _bins(confidence, right, num_bins)
    return (shares * gaps.abs()).sum().item()


def _bins(confidence, right, num_bins, last: int = 1, move: int = 0) -> tuple:
    """Gaps, shares and numbers of the bins in use; ``last=0`` gives 1.0 a bin of its own."""
    confidence, right = confidence.double(), right.double()
    scaled = confidence * num_bins
    bins = (scaled.ceil() - 1 if move else scaled.floor()).long()
    bins = bins.clamp(0, num_bins - last)
    numbers = bins.unique()
    inside = [bins == number for number in numbers]
    gaps = torch.stack([right[i].mean() - confidence[i].mean() for i in inside])
    return gaps, torch.stack([i.double().mean() for i in inside]), numbers


def _said() -> dict[str, tuple[Tensor, Tensor, int]]:
    """Vectors of confidences, with whether the answer was right; no other lies on a border."""
    generator = seeded(7)

    def drawn(number: int, num_bins: int, seldom: float) -> tuple[Tensor, Tensor, int]:
        # From 0.01 within a bin on, so that no rounding decides.
        bins = (num_bins * torch.rand(number, generator=generator) ** 0.5).floor()
        inside = 0.05 + 0.9 * torch.rand(number, generator=generator)
        confidence = (bins + inside) / num_bins
        right = torch.rand(number, generator=generator) < confidence**2 + seldom
        return confidence, right, num_bins

    confidence, right, num_bins = drawn(40, 5, 0.3)
    sure = torch.cat([confidence, torch.ones(8)])
    verdicts = torch.cat([right, torch.arange(8) % 2 == 0])
    flat = torch.tensor([0.3, 0.5, 0.5, 0.7, 0.9, 0.5])
    return {
        "eighty answers in ten bins": drawn(80, 10, 0.1),
        "answers of confidence 1.0": (sure, verdicts, num_bins),
        "seven bins": drawn(60, 7, 0.3),
        "a confidence between two bins": (flat, torch.tensor([0, 1, 1, 0, 1, 1]).bool(), 2),
        "one bin": (confidence, right, 1),
        "one answer": (torch.tensor([0.62]), torch.tensor([True]), 10),
        "a confidence of 0": (torch.tensor([0.0, 0.04, 0.97]), torch.tensor([1, 0, 1]).bool(), 10),
    }


def _wrong_errors(confidence: Tensor, right: Tensor, num_bins: int) -> list[tuple[float, str]]:
    gaps, shares, numbers = _bins(confidence, right, num_bins)
    own, own_shares, _ = _bins(confidence, right, num_bins, last=0)
    truth, said = right.double(), confidence.double()
    middles = (numbers + 0.5) / num_bins
    right_shares = gaps + torch.stack(
        [said[(said * num_bins).floor().clamp(max=num_bins - 1) == n].mean() for n in numbers]
    )
    order = said.argsort()
    equal = [(truth[part].mean() - said[part].mean()).abs() * len(part) / len(said)
             for part in order.chunk(num_bins)]  # fmt: skip
    not_full = confidence < 1
    lost, lost_shares, _ = _bins(confidence[not_full], right[not_full], num_bins)
    kept = not_full.double().mean()
    left_out = "Confidence 1.0 falls out of all your bins. The last bin includes its upper end."
    return [
        ((lost_shares * kept * lost.abs()).sum().item(), left_out),
        ((lost_shares * lost.abs()).sum().item(), left_out),
        ((own_shares * own.abs()).sum().item(), "Confidence 1.0 has a bin of its own: there are "
         "num_bins, and the last one includes its upper end."),
        (gaps.abs().mean().item(), "Weigh each bin by how many answers it holds."),
        (gaps.abs().sum().item() / num_bins, "You gave every bin the same weight, empty ones, "
         "too. Weigh each by how many answers it holds."),
        (gaps.abs().sum().item(), "You added the gaps up. Weigh each bin by its share of the "
         "answers."),
        ((shares * gaps.abs()).sum().item() * len(said), "You weighted by numbers of answers. "
         "Weigh by shares, which sum to 1."),
        (abs((shares * gaps).sum().item()), "Take the absolute value inside each bin: too sure "
         "here and too unsure there must not cancel."),
        ((truth - said).abs().mean().item(), "This is the mean distance of each answer alone. "
         "Average within a bin first."),
        ((truth - said).square().mean().item(), "These are squared distances of each answer alone "
         "(the Brier score). Average within a bin first."),
        (gaps.abs().max().item(), "This is the worst bin, the maximum error."),
        ((shares * gaps.square()).sum().item(), "You squared the gaps. Take their sizes."),
        ((shares * gaps.square()).sum().sqrt().item(), "You squared the gaps. Take their sizes."),
        ((shares * (right_shares - middles).abs()).sum().item(), "You took the middle of each bin "
         "for what was said there. Take the mean confidence in it."),
        (sum(equal).item(), "Your bins hold equal numbers of answers. Make them equally wide."),
        (100 * (shares * gaps.abs()).sum().item(), "This is in per cents. Return it from 0 to 1."),
    ]  # fmt: skip


def check_calibration_error(answer: Callable) -> None:
    cases = _said()
    results = [
        float(attempted(answer(confidence.clone(), right.clone(), num_bins)))
        for confidence, right, num_bins in cases.values()
    ]
    for numbers in zip(*(_wrong_errors(*case) for case in list(cases.values())[:3]), strict=True):
        wrong = torch.tensor([number for number, _ in numbers])
        if not same(wrong, [calibration_error(*case) for case in list(cases.values())[:3]]):
            refuse(torch.tensor(results[:3]), [(wrong, numbers[0][1])], rtol=1e-3, atol=1e-5)
    for (kind, case), result in zip(cases.items(), results, strict=True):
        if math.isnan(result):
            raise Mistake(f"Your error is no number (NaN), for {kind}. Does a bin hold no answer?")
        gaps, shares, _ = _bins(*case, move=1)
        expected, other = calibration_error(*case), (shares * gaps.abs()).sum().item()
        if math.isclose(result, expected, rel_tol=1e-3, abs_tol=1e-5):
            continue
        if math.isclose(result, other, rel_tol=1e-3, abs_tol=1e-5):
            raise Mistake(
                "A confidence on the border of two bins belongs to the upper one: a bin includes "
                "its lower end."
            )
        raise Mistake(
            f"This is another number than the expected calibration error, for {kind}. Try three "
            "answers in two bins by hand."
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
    "tasks_needed": Exercise(
        hints=(
            "A task that is hard for one learner is hard for the other, too. Is there a number per "
            "task in which that cancels? What is its mean, and how far do single tasks spread?",
            "Subtract first, task by task. From n tasks the interval of the mean difference "
            "reaches 1.96 · s / √n to either side, with s the standard deviation of the "
            "differences. It excludes 0 when that is less than the size of the mean.",
            "Solve 1.96 · s / √n < |mean| for n: n > (1.96 · s / mean)². The next whole number "
            "above, but at least 2; and math.inf where the mean is 0.",
        ),
        check=check_tasks_needed,
        praise="What is hard for both has cancelled, and you know what the rest costs.",
    ),
    "attention": Exercise(
        hints=(
            "How much should a query trust each support example? Its class gets that much.",
            "Cosine: F.normalize both, then query @ support.transpose(1, 2). Times the sharpness. "
            "Then a softmax over the support examples.",
            "weights @ F.one_hot(support_y, num_ways).float() adds up the weights by class.",
        ),
        check=check_attention,
        praise="Attention over the support, the heart of a matching network.",
    ),
    "calibration_error": Exercise(
        hints=(
            "Of the answers given with about 80 % confidence, are about 80 % right?",
            "Which bin holds 1.0? In each bin that is not empty, compare the mean confidence with "
            "the share that is right.",
            "Bin number: (confidence * num_bins).long().clamp(max=num_bins - 1). Sum over bins: "
            "the bin's share of all answers, times the absolute gap.",
        ),
        check=check_calibration_error,
        praise="The expected calibration error, weighted by bin.",
    ),
}
