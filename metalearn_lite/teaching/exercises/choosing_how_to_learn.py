"""Hints and checks for notebook 12."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.rl.contextual_bandits import Beliefs
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted


def _neighbour_error(x: Tensor, y: Tensor, itself: bool = False) -> Tensor:
    """Each task's mean squared difference to the y of the nearest (other) point."""
    distances = torch.cdist(x, x)
    if not itself:
        distances = distances + torch.diag(torch.full((x.shape[1],), torch.inf))
    return (y.gather(1, distances.argmin(2)) - y).square().mean(1)


def check_task_features(task_features: Callable) -> None:
    generator = torch.Generator().manual_seed(12)
    task = Sinusoids().sample(4, 6, 9, generator)
    result = attempted(task_features(task))
    result = of_shape(result, (4, 3), "one row of three numbers per task")
    x, y = task.support
    elsewhere = Examples(task.query.x.flip(1) - 1, 3 * task.query.y + 2)
    if not torch.equal(result, task_features(Episodes(task.support, elsewhere))):
        raise Mistake(
            "With another query and the same support, your features changed: you peeked at the "
            "query. Before the choice is made, nobody has it."
        )
    if not same(result[:, 0], torch.ones(4)):
        raise Mistake("The first column should be 1 for every task.")
    spread = y.std(1)
    mistakes = (
        (y.var(1), "The second column is the variance. Take the standard deviation."),
        (
            y.std().expand(4),
            "You took one spread over all tasks: each task has its own. Use dim=1.",
        ),
        (y.std(0).mean().expand(4), "Axis 0 counts tasks. Take the spread over axis 1."),
    )
    refuse(result[:, 1], mistakes)
    # Dividing by N or by N - 1 are both good.
    if not any(same(result[:, 1], right) for right in (spread, y.std(1, correction=0))):
        raise Mistake("The second column is not the standard deviation of the support's y.")
    right = _neighbour_error(x, y)
    in_y = y.unsqueeze(2)
    mistakes = (
        (
            _neighbour_error(x, y, itself=True),
            "The error is 0: the nearest point to a point is itself. Leave it out, or you measure "
            "how well a learner knows what it was told.",
        ),
        (right.mean().expand(4), "You averaged over tasks too: each task has an error of its own."),
        (right.sqrt(), "This is the root of the error. Return the mean squared error."),
        (right * y.shape[1], "You added the squares up. Take their mean."),
        (
            _neighbour_error(in_y, y),
            "You looked for the point with the nearest y. A new point comes without a y: use x.",
        ),
    )
    refuse(result[:, 2], mistakes)
    if not same(result[:, 2], right):
        raise Mistake("The third column is not the leave-one-out error. Try three points by hand.")


def check_upper_bounds(upper_bounds: Callable) -> None:
    generator = torch.Generator().manual_seed(12)
    tried = torch.randn(3, 5, 2, generator=generator)  # five tasks for each of three arms
    precision = torch.eye(2) + tried.mT @ tried
    covariance = torch.linalg.inv(precision)
    evidence = torch.randn(3, 2, generator=generator)
    x, exploration = torch.tensor([0.8, -1.5]), 0.7

    result = attempted(upper_bounds(covariance, evidence, x, exploration))
    result = of_shape(result, (3,), "one score per learner")
    beliefs = Beliefs(covariance.unsqueeze(0), evidence.unsqueeze(0))
    expected = beliefs.expected(x.unsqueeze(0))[0]
    uncertainty = beliefs.uncertainty(x.unsqueeze(0))[0]
    of_a = torch.einsum("d,kde,e->k", x, precision, x).sqrt()
    mistakes = (
        (expected, "This is the expected reward alone: whoever is not sure must be curious."),
        (
            exploration * uncertainty,
            "You left out the expected reward: this picks the least known.",
        ),
        (expected + uncertainty, "You left out exploration."),
        (
            expected + exploration * uncertainty.square(),
            "You forgot the square root: xᵀA⁻¹x is a variance.",
        ),
        (
            expected - exploration * uncertainty,
            "This is the lower end of the interval. It would never try what it does not know.",
        ),
        (
            evidence @ x + exploration * uncertainty,
            "b is not yet the weights: they are A⁻¹b.",
        ),
        (
            (precision @ evidence.unsqueeze(2)).squeeze(2) @ x + exploration * of_a,
            "You inverted once more: `covariance` is A⁻¹ already.",
        ),
    )
    refuse(result, mistakes)
    if not same(result, expected + exploration * uncertainty):
        raise Mistake("This is not x · (A⁻¹b) + exploration · √(xᵀA⁻¹x), learner by learner.")


def check_log_scaled(log_scaled: Callable) -> None:
    small = torch.exp(torch.tensor(-4.0))  # the border, where p = 4
    gradient = torch.tensor([[1.0, -1.0, 20.0, -0.3], [0.0, 0.5 * small, -0.5 * small, -small]])
    result = attempted(log_scaled(gradient, 4.0))
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Mistake("Return two tensors: how large, and which sign.")
    size, sign = (
        of_shape(part, (2, 4), "one number for each of the gradient's, twice") for part in result
    )
    if any(part.isnan().any() or part.isinf().any() for part in (size, sign)):
        raise Mistake(
            "There is a NaN or an infinity. Take the logarithm of |g|, and clamp that from below "
            "first: where g is 0 there is none."
        )
    right_size, right_sign = _log_scaled(gradient, 4.0)
    mistakes = (
        (size, right_size * 4, "You did not divide the logarithm by p."),
        (size, gradient.abs().clamp(min=small).log10() / 4, "Take the natural logarithm."),
        (
            sign,
            gradient.sign(),
            "Below e⁻ᵖ the second number is eᵖ g, not the sign: so it does not jump at 0.",
        ),
        (
            sign,
            torch.where(gradient.abs() >= small, gradient.sign(), gradient),
            "Below e⁻ᵖ the second number is eᵖ times g: at the border it must reach ±1.",
        ),
        (
            sign,
            right_sign.abs(),
            "The sign is lost: the optimiser would not know which way is down.",
        ),
    )
    for part, wrong, message in mistakes:
        if same(part, wrong) and not same(part, right_sign if part is sign else right_size):
            raise Mistake(message)
    if not same(size, right_size):
        raise Mistake("The first number is log|g| / p, and -1 where |g| is below e⁻ᵖ.")
    if not same(sign, right_sign):
        raise Mistake("The second number is the sign of g, and eᵖ g where |g| is below e⁻ᵖ.")


def _log_scaled(gradient: Tensor, p: float) -> tuple[Tensor, Tensor]:
    """As ``learned_optimiser.log_scaled``, but for any p: there it is 10."""
    least = torch.exp(torch.tensor(-p))
    large = gradient.abs() >= least
    size = torch.where(large, gradient.abs().clamp(min=least).log() / p, -1.0)
    return size, torch.where(large, gradient.sign(), gradient / least)


EXERCISES = {
    "task_features": Exercise(
        hints=(
            "Everything comes from task.support. x is (T, N, 1), y is (T, N); a feature is (T,).",
            "torch.cdist(x, x) holds all distances (T, N, N). A point is at distance 0 from "
            "itself: put infinity on the diagonal, then argmin(2) is the nearest other point.",
            "nearest = (torch.cdist(x, x) + torch.diag(torch.full((N,), torch.inf))).argmin(2); "
            "error = (y.gather(1, nearest) - y).square().mean(1). torch.stack the three, dim=1.",
        ),
        check=check_task_features,
        praise="All of it can be known before anyone is judged.",
    ),
    "upper_bounds": Exercise(
        hints=(
            "Two parts for each learner: what it is expected to bring, x · w with w = A⁻¹b, and "
            "exploration times √(xᵀA⁻¹x).",
            "covariance @ x is (K, D): for each learner the vector A⁻¹x. Its product with x is "
            "xᵀA⁻¹x. And since A⁻¹ is symmetric, its product with b is x · w.",
            "direction = covariance @ x; expected = (direction * evidence).sum(1); "
            "width = (direction @ x).sqrt().",
        ),
        check=check_upper_bounds,
        praise="High because good, or high because unknown: either is a reason to try.",
    ),
    "log_scaled": Exercise(
        hints=(
            "Two cases, parted at |g| = e⁻ᵖ. torch.where(large, a, b) takes a where large is true.",
            "torch.where computes both cases everywhere. So make the logarithm harmless where g is "
            "0: gradient.abs().clamp(min=border).log() / p.",
            "border = math.exp(-p); the sign is torch.where(large, gradient.sign(), gradient / "
            "border), the size torch.where(large, ..., -torch.ones_like(gradient)).",
        ),
        check=check_log_scaled,
        praise="Twenty powers of ten fit into two numbers of moderate size.",
    ),
}
