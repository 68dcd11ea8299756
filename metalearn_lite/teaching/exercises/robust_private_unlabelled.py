"""The exercises of notebook 14: a robust adapter, labels from augmentations, the price of an ε."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from scipy.optimize import brentq
from scipy.stats import norm
from torch import Tensor

from metalearn_lite.learners.robust_prototypes import refit as refit_tasks
from metalearn_lite.tasks.unlabelled import AugmentedTasks
from metalearn_lite.teaching.comparing import Mistake, of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise
from metalearn_lite.teaching.running import attempted

# --- a robust adapter: how well does a label fit all the other examples?


def refit(points: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    """The new weights ``(N,)`` of one task's examples: the chance of each label, given the others.

    Args:
        points: ``(N, D)``, embedded examples.
        y: ``(N,)``, their labels, 0 … num_ways - 1.
        weights: ``(N,)``, above 0: how much each example counts now.
    """
    return refit_tasks(points[None], y[None], weights[None])[0]


def _supports() -> Iterator[tuple[str, Tensor, Tensor, Tensor]]:
    generator = seeded(14)
    for said, sizes, size, equal in (
        ("three classes, all examples counting alike", (4, 4, 3), 2, True),
        ("three classes of unequal sizes", (5, 2, 3), 3, False),
        ("two classes", (4, 4), 2, False),
        ("a class with a single example", (3, 1, 4), 2, False),
        ("one class only", (4,), 2, False),
        ("two classes of one example each", (1, 1), 3, False),
        ("four classes", (3, 3, 3, 3), 5, False),
    ):
        y = torch.cat([torch.full((number,), way) for way, number in enumerate(sizes)])
        y = y[torch.randperm(len(y), generator=generator)]
        centers = 1.2 * torch.randn(len(sizes), size, generator=generator)
        points = centers[y] + 0.7 * torch.randn(len(y), size, generator=generator)
        weights = torch.ones(len(y))
        if not equal:
            weights = 0.1 + torch.rand(len(y), generator=generator)
        yield said, points, y, weights


def check_refit(answer: Callable) -> None:
    for said, points, y, weights in _supports():
        given = [part.clone() for part in (points, y, weights)]
        result = attempted(answer(*given))
        if not all(map(torch.equal, given, (points, y, weights))):
            raise Mistake("You changed an argument in place. Make new tensors.")
        result = of_shape(result, weights.shape, "one weight for each example")
        expected = refit(points, y, weights)
        mistakes = _refit_mistakes(points, y, weights)
        refuse(result, [(w, m) for w, m in mistakes if not same(w, expected)])
        if not same(result, expected, rtol=1e-3, atol=1e-5):
            if same(result.sort().values, expected.sort().values, rtol=1e-3, atol=1e-5):
                raise Mistake(
                    "These are the right weights in another order. The examples' order must stay: "
                    "did you collect them class by class?"
                )
            raise Mistake(
                f"With {said}, some weights are not the chance of the example's label, given all "
                "other examples."
            )


def _refit_mistakes(points: Tensor, y: Tensor, weights: Tensor) -> list[tuple[Tensor, str]]:
    right = _refit(points, y, weights)
    alone = torch.tensor([(y == way).sum() == 1 for way in y])
    ignored = "The weights that you were given make no difference: a prototype is a weighted mean."
    itself = (
        "Each example helps to make the prototype of its own label, so it vouches for itself. "
        "Leave it out."
    )
    return [
        (_refit(points, y, torch.ones_like(weights)), ignored),
        (_refit(points, y, weights, itself=True), itself),
        (_refit(points, y, torch.ones_like(weights), itself=True), f"{itself} And {ignored}"),
        (
            _refit(points, y, weights, counted=True),
            "You divided a weighted sum by how many examples there are. A weighted mean is divided "
            "by the sum of its weights.",
        ),
        (_refit(points, y, weights, power=1), "You took the distance. It should be squared."),
        (
            _refit(points, y, weights, sign=1),
            "What lies far away got the higher chance: the softmax is over *minus* the distances.",
        ),
        (
            _refit(points, y, weights, softmax=False),
            "exp of minus a distance alone is no chance: those of all classes must sum to 1.",
        ),
        (1 - right, "This is the chance of all the *other* labels together."),
        (
            torch.where(alone, 0.0, right),
            "An example that is alone in its class has nobody to disagree: it gets 1, not 0.",
        ),
        (
            _refit(points, y, weights, most=True),
            "This is the chance of the likeliest label. Take that of the example's own.",
        ),
        (
            right * weights,
            "You multiplied by the old weight. An example may come back: only the chance counts.",
        ),
        (right / right.sum(), "You scaled the weights to a sum of 1. Each is a chance of its own."),
    ]


def _refit(
    points, y, weights, itself=False, power=2, sign=-1, softmax=True, most=False, counted=False
) -> Tensor:
    """`refit` in a loop, with the mistakes that people make."""
    found = []
    for place in range(len(y)):
        others = torch.arange(len(y)) != place
        if itself:
            others[:] = True
        far = []
        for way in range(int(y.max()) + 1):
            kept = others & (y == way)
            if not kept.any():
                far.append(None)
                continue
            total = kept.sum() if counted else weights[kept].sum()
            center = (weights[kept, None] * points[kept]).sum(0) / total
            far.append((points[place] - center).norm() ** power)
        own = far[int(y[place])]
        if own is None:
            found.append(torch.tensor(1.0))
            continue
        parts = torch.stack([torch.exp(sign * one) for one in far if one is not None])
        best = parts.max() if most else torch.exp(sign * own)
        found.append(best / parts.sum() if softmax else best)
    return torch.stack(found)


# --- labels from augmentations


def unlabelled_task(
    images: Tensor, num_ways: int, num_queries: int, augment: Callable, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One task without labels: support x and y, query x and y.

    Args:
        images: ``(M, 1, S, S)``.
        augment: called as ``augment(images)``; distorts each image in its own way.
        generator: draws the images.
    """
    tasks = AugmentedTasks(images, lambda x, _: augment(x[0])[None])
    (x, y), (asked, labels) = tasks.sample(1, num_ways, num_queries, generator)
    return x[0], y[0], asked[0], labels[0]


class _Stamps:
    """An augmentation that can be read: it leaves its own number in a corner of each image."""

    def __init__(self):
        self.number = 0

    def __call__(self, images: Tensor) -> Tensor:
        images = torch.as_tensor(images, dtype=torch.float32).clone()
        if images.dim() == 3:
            images = images[None]
            return self(images)[0]
        for image in images:
            self.number += 1
            image[..., -1, -1] = self.number / 4096
        return images


def _numbered(count: int) -> Tensor:
    """Images that say their own number, ``1 / 4096`` each, in the first corner."""
    images = torch.rand(count, 1, 6, 6, generator=seeded(count))
    images[..., 0, 0] = (torch.arange(count).view(-1, 1) + 1) / 4096
    images[..., -1, -1] = 0
    return images


def check_unlabelled_task(answer: Callable) -> None:
    for count, ways, queries in ((12, 5, 3), (5, 5, 1), (40, 2, 4), (7, 1, 2), (30, 6, 1)):
        images, drawn = _numbered(count), []
        for seed in range(12):
            given = images.clone()
            result = attempted(answer(given, ways, queries, _Stamps(), seeded(seed)))
            if not torch.equal(given, images):
                raise Mistake("You changed images in place. Copy those you draw.")
            drawn.append(_check_task(result, images, ways, queries))
        again = answer(images.clone(), ways, queries, _Stamps(), seeded(0))
        if _ids(torch.as_tensor(again[0])) != drawn[0]:
            raise Mistake("The same generator gave other images: draw with `generator` only.")
        if count > ways:
            if len({tuple(ids) for ids in drawn}) < min(6, count // 2):
                raise Mistake("Other generators gave the same images. Draw them by chance.")
            if ways * 12 > 3 * count and len({i for ids in drawn for i in ids}) < count:
                raise Mistake(
                    "In many tasks some of the images never came. Each should have the same chance."
                )


def _ids(images: Tensor) -> list[int]:
    return (4096 * images[:, 0, 0, 0]).round().long().tolist()


def _stamps(images: Tensor) -> list[int]:
    return (4096 * images[:, 0, -1, -1]).round().long().tolist()


def _check_task(result: object, images: Tensor, ways: int, queries: int) -> list[int]:
    if not isinstance(result, tuple | list) or len(result) != 4:
        raise Mistake("Return four tensors: support x, support y, query x, query y.")
    shape, number = images.shape[1:], ways * queries
    x = of_shape(result[0], (ways, *shape), "one support image for each way")
    y = of_shape(result[1], (ways,), "one support label for each way")
    asked = of_shape(result[2], (number, *shape), f"{queries} queries for each of {ways} ways")
    labels = of_shape(result[3], (number,), "one label for each query")
    if y.is_floating_point() or labels.is_floating_point():
        raise Mistake("Labels are whole numbers, int64: they name classes.")
    if sorted(y.tolist()) != list(range(ways)):
        raise Mistake(f"With num_ways={ways}, the support needs each of 0 … num_ways - 1 once.")
    ids, asked_ids = _ids(x), _ids(asked)
    if len(set(ids)) < ways:
        raise Mistake(
            "One image came twice: then two classes are the same. Draw without putting back."
        )
    if any(_stamps(x)):
        raise Mistake(
            "Your support is augmented. Keep the images as they are; only queries change."
        )
    for image, number in zip(x, ids, strict=True):
        if not (1 <= number <= len(images) and torch.equal(image, images[number - 1])):
            raise Mistake("A support image is none of `images`.")
    if not all(_stamps(asked)):
        raise Mistake("Some queries are exact copies: nothing about a class is learned from those.")
    if len(set(_stamps(asked))) < len(asked):
        raise Mistake(
            "Two queries are the same augmented copy. Augment each of them for itself: repeat the "
            "images first."
        )
    label_of = dict(zip(ids, y.tolist(), strict=True))
    if any(number not in label_of for number in asked_ids):
        raise Mistake("Some queries come from images that are not in the support.")
    said = [label_of[number] for number in asked_ids]
    if said != labels.tolist():
        raise Mistake(
            "Some queries have the label of another image. In which order did you repeat images, "
            "and in which their labels?"
        )
    if any(said.count(way) != queries for way in range(ways)):
        raise Mistake(f"Each class should be asked {queries} time(s).")
    return ids


# --- the price of an ε


def noise_for(epsilon: float, delta: float, rounds: int) -> float:
    """The smallest noise multiplier with which ``rounds`` noised sums are (ε, δ)-private.

    All clients take part in each round. By theorem 8 of Balle & Wang (2018); R rounds with noise z
    tell as much as one with noise z / √R.
    """

    def failing(log_z: float) -> float:
        return _delta(epsilon, math.exp(log_z)) - delta

    return math.sqrt(rounds) * math.exp(brentq(failing, math.log(1e-3), math.log(1e7), xtol=1e-12))


def _delta(epsilon: float, z: float) -> float:
    far = norm.cdf(1 / (2 * z) - epsilon * z)
    return far - math.exp(epsilon + norm.logcdf(-1 / (2 * z) - epsilon * z))


PROMISES = (
    (20.0, 1e-6, 50),
    (8.0, 1e-3, 300),
    (3.0, 0.2, 2),
    (2.0, 1e-4, 1000),
    (1.0, 1e-5, 1),
    (0.0, 0.1, 9),
    (0.5, 1e-3, 20),
    (0.0, 0.01, 1),
    (0.0, 1e-4, 4),
)
"""in the order of the noise for a single round of each: a search that ends early fails late"""


def check_noise_for(answer: Callable) -> None:
    passed: list[tuple[float, int]] = []
    for epsilon, delta, rounds in PROMISES:
        result = attempted(answer(epsilon, delta, rounds))
        try:
            result = float(result)
        except (TypeError, ValueError, RuntimeError):
            raise Mistake("Return one number, the noise multiplier.") from None
        expected = noise_for(epsilon, delta, rounds)
        mistakes = [
            (wrong, said)
            for wrong, said in _price_mistakes(epsilon, delta, rounds)
            if not same(wrong, expected, rtol=3e-3)
        ]
        refuse(result, mistakes, rtol=2e-3)
        if not same(result, expected, rtol=1e-3):
            _blame_the_search(result, expected, rounds, passed)
            how = "more noise than is needed" if result > expected else "too little noise"
            raise Mistake(
                f"For ε = {epsilon:g}, δ = {delta:g} and {rounds} round(s) this is {how}. The "
                "promise must hold for every set of outcomes. Which set is the worst?"
            )
        passed.append((expected, rounds))


def _blame_the_search(
    result: float, expected: float, rounds: int, passed: list[tuple[float, int]]
) -> None:
    """Raises where the formula may well be right, and only the search for its zero is not."""
    if abs(result - expected) < 0.03 * expected:
        raise Mistake(
            "This is nearly the smallest noise, but not to one in a thousand. If your formula is "
            "right, then your search is too coarse: steps of one size are large beside a small z."
        )
    ended = len(passed) > 2 and (
        result > max(noise for noise, _ in passed)
        or result / math.sqrt(rounds) > max(noise / math.sqrt(often) for noise, often in passed)
    )
    if ended and result < expected:
        raise Mistake(
            "Your noise was right wherever little is needed; here much is needed, and it is too "
            "little. Your search may end too early: how large can z become?"
        )


def _price_mistakes(epsilon: float, delta: float, rounds: int) -> list[tuple[float, str]]:
    def root(of: Callable[[float], float]) -> float:
        low, high = math.log(1e-3), math.log(1e7)
        if of(math.exp(low)) * of(math.exp(high)) > 0:
            return math.nan
        return math.exp(brentq(lambda log_z: of(math.exp(log_z)), low, high, xtol=1e-12))

    once = noise_for(epsilon, delta, 1)
    many = math.sqrt(rounds)
    tail = root(lambda z: norm.cdf(1 / (2 * z) - epsilon * z) - delta)
    mistakes = [
        (once, "This is the noise for a single round. Each round tells a little more."),
        (
            once * rounds,
            "Noise need not grow as fast as the number of rounds: what R of them tell adds up "
            "like the length of an arrow in R directions.",
        ),
        (once / many, "More rounds tell more, so they need more noise, not less."),
        (
            many * tail,
            "You bound the chance that the privacy loss is above ε. The promise allows more: in "
            "that set the other side's chance, times e^ε, counts too.",
        ),
        (
            many * once**2,
            "This is the variance of the noise. Its standard deviation was asked for.",
        ),
    ]
    if epsilon > 0:
        classic = math.sqrt(2 * math.log(1.25 / delta)) / epsilon
        mistakes += [
            (
                many * classic,
                "√(2 ln(1.25 / δ)) / ε is a bound in textbooks, proved for ε below 1 only. You "
                "were asked for the smallest noise there is.",
            ),
            (
                noise_for(epsilon / rounds, delta / rounds, 1),
                "You gave each round an equal part of ε and δ. That keeps the promise, with far "
                "more noise than is needed.",
            ),
            (
                root(lambda z: 2 * norm.cdf(1 / (2 * z)) - 1 - delta) * many,
                "Your noise does not depend on ε.",
            ),
        ]
    return mistakes


EXERCISES = {
    "refit": Exercise(
        hints=(
            "For one example i: take the others out of points, y and weights. Make each class's "
            "weighted mean of them, then the squared distances of points[i] to these means.",
            "A softmax over minus those distances gives a chance for each class; keep that of "
            "y[i]. A loop over i is fine. If nobody else has label y[i], the answer is 1.",
            "Without a loop: belongs = F.one_hot(y) * weights[:, None] gives sums = belongs.T @ "
            "points and totals. From the own class's sum and total take the example's share away.",
        ),
        check=check_refit,
        praise="Each label is now judged by everybody else. Nobody vouches for themselves.",
    ),
    "unlabelled_task": Exercise(
        hints=(
            "torch.randperm(len(images), generator=generator) is an order without repeats. How "
            "many of it do you need?",
            "The support is the drawn images as they are, labelled 0, 1, … For the queries repeat "
            "each image num_queries times, *then* call augment once on all of them.",
            "x.repeat_interleave(num_queries, 0) keeps copies of one image together; do the same "
            "with the labels. Then support x, support y, augment(copies), their labels.",
        ),
        check=check_unlabelled_task,
        praise="Tasks with labels, from images that have none.",
    ),
    "noise_for": Exercise(
        hints=(
            "First one round. Draw the two bell curves: normal with standard deviation z around 0 "
            "and around 1. In which set of outcomes is P(S) - e^ε Q(S) the largest?",
            "In the set where the one density is above e^ε times the other. For two normal curves "
            "that is a half-line: solve for its end. Then δ(z) is a difference of two values of "
            "the normal's distribution function. It falls with z: find z by halving an interval.",
            "δ(z) = Φ(1/(2z) - εz) - e^ε Φ(-1/(2z) - εz). And R rounds: R outcomes are one point "
            "in R directions, and the two centres lie √R apart instead of 1. So scale z by √R.",
        ),
        check=check_noise_for,
        praise="The least noise that keeps the promise. Google's dp-accounting will agree.",
    ),
}
