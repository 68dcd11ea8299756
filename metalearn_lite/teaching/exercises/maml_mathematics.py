"""Hints, checks and stand-ins for notebook 03. MAML's own code is the truth wherever it can be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Params
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted


def _linear(params: Params, x: Tensor) -> Tensor:
    """``x`` ``(T, N, d)`` times the weights: with squared error every loss is a quadratic."""
    return x @ params["theta"].unsqueeze(-1)


def _vector(result, like: Tensor) -> Tensor:
    result = attempted(result)
    if isinstance(result, Tensor) and result.numel() == like.numel() == 1:
        result = result.view(1)  # what was returned in one axis comes without it
    wanted = "every task has its own meta-gradient, the answer is their mean"
    return of_shape(result, like.shape, wanted).detach().to(like.dtype)


# --- the meta-gradient of a quadratic


class _OwnRates(MAML):
    """MAML with an inner rate for every weight; ``inner_lr`` is then ``(d,)``."""

    fast = False


def bowl_meta_gradient(
    theta: Tensor,
    hessians: Tensor,
    minima: Tensor,
    query_hessians: Tensor,
    query_minima: Tensor,
    rates: Tensor,
) -> Tensor:
    """The meta-gradient ``(d,)`` after one inner step on bowls, with a rate for every weight.

    Autograd takes it from MAML: a bowl is the squared error of a linear network.

    Args:
        theta: ``(d,)``.
        hessians, query_hessians: ``(T, d, d)``, symmetric and positive definite.
        minima, query_minima: ``(T, d)``.
        rates: ``(d,)``, each weight's inner rate.
    """
    episodes = Episodes(_examples(hessians, minima), _examples(query_hessians, query_minima))
    maml = _OwnRates(_linear, {"theta": theta})
    maml.inner_lr = rates
    return maml.meta_gradient(episodes)[1]["theta"]


def _examples(hessians: Tensor, minima: Tensor) -> Examples:
    """Examples of linear regression whose losses have these Hessians and minima."""
    x = math.sqrt(hessians.shape[-1] / 2) * torch.linalg.cholesky(hessians).mT
    return Examples(x, _times(x, minima))


def _times(matrices: Tensor, vectors: Tensor) -> Tensor:
    """Each task's matrix times its vector."""
    return (matrices @ vectors.unsqueeze(-1)).squeeze(-1)


def _bowls(num_tasks: int, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Hessians ``(T, d, d)`` between flat and steep, and minima ``(T, d)``."""
    numbers = torch.randn(num_tasks, size + 3, size, generator=generator, dtype=torch.float64)
    hessians = 2 * numbers.mT @ numbers / (size + 3)
    return hessians, 2 * torch.randn(num_tasks, size, generator=generator, dtype=torch.float64)


def check_quadratic(answer: Callable) -> None:
    generator = seeded(3)
    for num_tasks, rates in (
        (4, (0.3, 0.1)),
        (3, (0.2, 0.05, 0.4)),
        (1, (0.15, 0.3)),
        (2, (0.0, 0.25)),
        (5, (0.2,)),
    ):
        rates = torch.tensor(rates, dtype=torch.float64)
        bowls = [
            *_bowls(num_tasks, len(rates), generator),
            *_bowls(num_tasks, len(rates), generator),
        ]
        theta = 1.5 * torch.randn(len(rates), generator=generator, dtype=torch.float64)
        result = answer(theta.clone(), *(part.clone() for part in bowls), rates.clone())
        _check_quadratic(_vector(result, theta), theta, *bowls, rates)


def _check_quadratic(answer, theta, hessians, minima, query_hessians, query_minima, rates) -> None:
    def step(rates: Tensor) -> Tensor:
        return theta - rates * _times(hessians, theta - minima)

    def slope(at: Tensor) -> Tensor:
        return _times(query_hessians, at - query_minima)

    def back(vectors: Tensor, hessians: Tensor = hessians, rates: Tensor = rates) -> Tensor:
        return vectors - _times(hessians, rates * vectors)

    landed, at_theta, one = slope(step(rates)), slope(theta), rates.mean().expand(len(rates))
    expected = bowl_meta_gradient(theta, hessians, minima, query_hessians, query_minima, rates)
    mistakes = {
        "This is first-order MAML: the query's gradient where the step lands. A nudge of θ does "
        "not arrive there whole: multiply by how much of it does.": landed,
        "This is the query's gradient at θ, as if no step had been taken.": at_theta,
        "With a rate for each weight the Jacobian is no longer symmetric, and in your answer the "
        "rates stand on the wrong side of the Hessian. What happens to a matrix when it changes "
        "sides in a dot product?": landed - rates * _times(hessians, landed),
        "The query's gradient belongs to φ, where the step lands, not to θ.": back(at_theta),
        "The sign of the Hessian term is wrong: the step subtracts the gradient, so a nudge "
        "shrinks.": 2 * landed - back(landed),
        "The step is taken on the support, so its Jacobian holds the support's Hessian, not the "
        "query's.": back(landed, query_hessians),
        "You multiplied by the Jacobian twice. With φ worked out first, only one factor is left: "
        "the chain rule's.": back(back(landed)),
        "You stepped towards the query's minimum. The step sees the support only.": back(
            slope(theta - rates * _times(hessians, theta - query_minima))
        ),
        "The query's bowl has a minimum of its own: you took the support's.": back(
            _times(query_hessians, step(rates) - minima)
        ),
        "You took one rate for all weights, the mean. Each weight has its own.": back(
            slope(step(one)), rates=one
        ),
        "You averaged over tasks too early: each task's Hessian meets its own query gradient, and "
        "the mean comes last.": back(landed.mean(0), hessians.mean(0)).expand(len(minima), -1),
    }
    wrong = [(gradients.mean(0), said) for said, gradients in mistakes.items()]
    wrong.append(
        (
            len(minima) * expected,
            "You summed over tasks. The meta-loss is their mean, and so is its gradient.",
        )
    )
    refuse(answer, [(value, said) for value, said in wrong if not same(value, expected)])
    if not same(answer, expected):
        raise Mistake(
            f"With {len(minima)} task(s) of {len(theta)} weight(s) it is another vector. Write "
            "down φ, then the query's gradient at φ, then the Jacobian of the step. Try it with "
            "one task and one weight, by hand."
        )


# --- k steps


def k_step_meta_gradient(
    gradient: Callable[[Tensor], Tensor],
    hessian: Callable[[Tensor], Tensor],
    query_gradient: Callable[[Tensor], Tensor],
    theta: Tensor,
    rates: Sequence[float],
) -> Tensor:
    """One task's meta-gradient ``(d,)`` after a step with each of ``rates``.

    The first step's Jacobian acts on what the steps after it pass back.

    Args:
        gradient, hessian: of the support loss, at a point ``(d,)``.
        query_gradient: that of the query loss.
        theta: ``(d,)``.
        rates: the inner rate of the first step, the second, …
    """
    if not len(rates):
        return query_gradient(theta)
    first, *rest = rates
    landed = theta - first * gradient(theta)
    vector = k_step_meta_gradient(gradient, hessian, query_gradient, landed, rest)
    return vector - first * hessian(theta) @ vector


def _gradient(loss: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def gradient(theta: Tensor) -> Tensor:
        at = theta.detach().requires_grad_()
        return torch.autograd.grad(loss(at), at)[0]

    return gradient


def _hessian(loss: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def hessian(theta: Tensor) -> Tensor:
        at = theta.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(loss(at), at, create_graph=True)
        rows = [torch.autograd.grad(slope, at, retain_graph=True)[0] for slope in slopes]
        return torch.stack(rows)

    return hessian


def _remembered(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """``function``, which works out each point once: a check asks for the same ones over again."""
    known: dict[tuple, Tensor] = {}

    def call(theta: Tensor) -> Tensor:
        point = tuple(theta.tolist())
        if point not in known:
            known[point] = function(theta)
        return known[point].clone()

    return call


def _tasks(dtype=torch.float64) -> Iterator[tuple[Callable, Callable, Callable, Tensor]]:
    """Losses that are no bowls: gradient, Hessian and query gradient, and a θ to start from."""

    def of(support: Callable, query: Callable) -> tuple[Callable, Callable, Callable]:
        gradient, query_gradient = (_remembered(_gradient(loss)) for loss in (support, query))
        return gradient, _remembered(_hessian(support)), query_gradient

    def wave(x: Tensor) -> Callable:
        y = 1.6 * torch.sin(x - 1.5)
        return lambda theta: (theta[0] * torch.sin(x - theta[1]) - y).square().mean()

    few, many = torch.tensor([-2.2, 0.4, 3.1], dtype=dtype), torch.linspace(-5, 5, 9, dtype=dtype)
    yield *of(wave(few), wave(many)), torch.tensor([2.2, 0.3], dtype=dtype)

    tilt = torch.tensor([[1.0, 0.5, 0.2], [0.5, 0.8, -0.3], [0.2, -0.3, 1.2]], dtype=dtype)

    def valley(theta: Tensor) -> Tensor:
        return 0.1 * theta.pow(4).sum() + theta @ tilt @ theta / 2 + torch.sin(theta).prod()

    def goal(theta: Tensor) -> Tensor:
        return (theta - torch.arange(3, dtype=dtype)).square().sum() + theta.prod() / 2

    yield *of(valley, goal), torch.tensor([1.2, -0.8, 0.6], dtype=dtype)


def check_k_steps(answer: Callable) -> None:
    for gradient, hessian, query_gradient, theta in _tasks():
        for rates in ([0.15, 0.05, 0.1], [0.04, 0.12], [0.1], [], [0.08] * 5):
            given, own_rates = theta.clone(), list(rates)
            result = answer(gradient, hessian, query_gradient, given, own_rates)
            if not same(given, theta):
                raise Mistake(
                    "You changed theta in place (with -= perhaps): then all points you kept are "
                    "one and the same. Make a new tensor for every step."
                )
            if own_rates != rates:
                raise Mistake("You changed the list of rates: others may still need it.")
            result = _vector(result, theta)
            _check_steps(result, gradient, hessian, query_gradient, theta, rates)


def _check_steps(result, gradient, hessian, query_gradient, theta, rates) -> None:
    path = [theta]
    for rate in rates:
        path.append(path[-1] - rate * gradient(path[-1]))

    def product(points: Sequence[Tensor], rates: Sequence[float], at: Tensor = path[-1]) -> Tensor:
        """The Jacobians of ``points``, the last one first, times the query's gradient."""
        vector = query_gradient(at)
        for point, rate in reversed(list(zip(points, rates, strict=True))):
            vector = vector - rate * hessian(point) @ vector
        return vector

    expected = k_step_meta_gradient(gradient, hessian, query_gradient, theta, rates)
    mistakes = []
    if rates:
        starts, ends, back = path[:-1], path[1:], rates[::-1]
        at_theta = [theta] * len(rates)
        mistakes = [
            (
                product(at_theta, rates),
                "You used the Hessian at θ for every step. Each step has its own, taken where "
                "that step started; they are equal only on a quadratic.",
            ),
            (
                product(ends, rates),
                "You took each Hessian after the step. The Jacobian of a step belongs to the "
                "point where the step started.",
            ),
            (
                product([path[-1]] * len(rates), rates),
                "You used the Hessian at φ, the end, for every step.",
            ),
            (
                product(starts[::-1], back),
                "The Jacobians are in the wrong order. Which of them meets the query's gradient "
                "first?",
            ),
            (
                product(starts, back),
                "Each Jacobian has the Hessian of one step and the rate of another: walking back, "
                "the rates come in reverse order, too.",
            ),
            (query_gradient(path[-1]), "This is first-order MAML: the Jacobians are missing."),
            (
                product(starts, rates, theta),
                "The query's gradient belongs to the end of the path, not to θ.",
            ),
            (
                query_gradient(theta),
                "This is the query's gradient at θ, as if no step had been taken.",
            ),
            (product(starts[:1], rates[:1]), "Only the first step's Jacobian: every step has one."),
            (
                product(starts[-1:], rates[-1:]),
                "Only the last step's Jacobian: every step has one.",
            ),
            (
                product(starts[:1], rates[:1], path[1]),
                "You took one step; there is one for each rate, from where the last one ended.",
            ),
            (
                2 * query_gradient(path[-1]) - product(starts, rates),
                "The sign of the Hessian terms is wrong: a step subtracts the gradient.",
            ),
        ]
        for one, said in (
            (rates[0], "You took the first rate for every step. Each step has its own."),
            (sum(rates) / len(rates), "You took the mean rate for every step. Each has its own."),
        ):
            alike = [one] * len(rates)
            mistakes.append(
                (k_step_meta_gradient(gradient, hessian, query_gradient, theta, alike), said)
            )
    refuse(result, [(wrong, said) for wrong, said in mistakes if not same(wrong, expected)])
    if same(result, expected):
        return
    if not rates:
        raise Mistake(
            "Without a rate there is no step: then it is the query's gradient, where you stand."
        )
    raise Mistake(
        f"With {len(rates)} step(s) and {len(theta)} weights it is another vector. Ask first what "
        "the last step does to a nudge, then the step before it."
    )


# --- a case in which create_graph matters


def fool_first_order() -> dict[str, float]:
    """A case: one weight, one point, and a step that goes beyond the bowl's floor, yet learns."""
    case = {"theta": -1.0, "inner_lr": 0.8, "support_x": 1.0}
    return case | {"support_y": 1.0, "query_x": 1.0, "query_y": 0.0}


_AT_ZERO = {
    "support_x": "the step has nothing to go by.",
    "query_x": "the query cannot tell one θ from another.",
}


def check_fool_first_order(answer: Callable) -> None:
    case = attempted(answer())
    names = ("theta", "inner_lr", "support_x", "support_y", "query_x", "query_y")
    if not isinstance(case, dict) or set(case) != set(names):
        raise Mistake(f"Return a dict with the keys {', '.join(names)}.")
    try:
        values = [float(case[name]) for name in names]
    except (TypeError, ValueError):
        raise Mistake("Every value must be one number.") from None
    if not all(map(math.isfinite, values)):
        raise Mistake("Every value must be a finite number.")
    theta, inner_lr, *points = (torch.tensor(value, dtype=torch.float64) for value in values)
    if inner_lr <= 0:
        raise Mistake("inner_lr must be above 0: else the step does not go downhill.")
    for point, (name, what) in zip(points[::2], _AT_ZERO.items(), strict=True):
        if point == 0:
            raise Mistake(f"With {name} = 0 the answer there is 0, whatever θ is: {what}")
    x, y, query_x, query_y = (point.view(1, 1) for point in points)
    episodes = Episodes(Examples(x[..., None], y), Examples(query_x[..., None], query_y))
    learners = [
        MAML(_linear, {"theta": theta.view(1)}, float(inner_lr), order=order) for order in (2, 1)
    ]
    before, after = learners[0].trace(episodes.support).support_loss.flatten().tolist()
    true, first = (maml.meta_gradient(episodes)[1]["theta"].item() for maml in learners)
    if not before > 1e-6:
        raise Mistake("The support is answered rightly before any step: there is nothing to learn.")
    if not after < before:
        raise Mistake(
            f"The inner step makes the support loss worse ({before:.3g} → {after:.3g}). A shorter "
            "step, or a smaller support_x, still has to be a step that learns."
        )
    if min(abs(true), abs(first)) < 1e-6:
        raise Mistake(
            "One of the two gradients is zero: no direction at all is not the wrong direction. "
            "Let the step land beside the query's answer."
            if abs(first) < 1e-6
            else "The true meta-gradient is zero: 1 - α · curvature is exactly 0. Go further."
        )
    if true * first > 0:
        raise Mistake(
            f"Both gradients have the same sign ({true:.3g} and {first:.3g}). They differ by the "
            f"factor 1 - α · curvature, which is {true / first:.2f} here. Make it negative."
        )


EXERCISES = {
    "quadratic": Exercise(
        hints=(
            "On paper, for one task and two weights: where does the step land, and by how much "
            "does each weight of φ move when θ moves a little? Write the rates as a diagonal "
            "matrix A.",
            "φ = θ - A H (θ - m), so the Jacobian is I - A H. The query's gradient at φ is "
            "g = H' (φ - m'), with the query's own Hessian H' and minimum m'. In a dot product a "
            "matrix changes sides *transposed*.",
            "The transpose of A H is H A: so each task's answer is g - H (rates * g). Return their "
            "mean(0). A matrix times a vector for all tasks: (H @ v.unsqueeze(-1)).squeeze(-1).",
        ),
        check=check_quadratic,
        praise="Your closed form equals MAML's meta-gradient, with a rate for every weight.",
    ),
    "k_steps": Exercise(
        hints=(
            "With two steps: how does a nudge of θ arrive at φ₁, and how does that arrive at φ₂? "
            "Then let the two matrices change sides, one after the other.",
            "Walk forward and keep every point. Then start with v = query_gradient(last point) and "
            "walk back: each step replaces v by (I - α H) v. Which α, which H?",
            "For a step that started at `point` with rate `rate`: v = v - rate * hessian(point) @ "
            "v. The last step comes first: reversed(list(zip(points, rates))), where points are "
            "all but the last.",
        ),
        check=check_k_steps,
        praise="A product of Jacobians, each in its place: this is what autograd does for MAML.",
    ),
    "fool_first_order": Exercise(
        hints=(
            "With one weight, the two gradients differ by one factor. When is it negative?",
            "The factor is 1 - α · L''. For the loss (θ x - y)² the second derivative L'' is "
            "2 x². The step still lowers the loss as long as α · L'' stays below 2.",
            "Choose support_x = 1, so L'' = 2, and an inner_lr between 0.5 and 1. Then any θ that "
            "is not at the support's answer, and a query answer that is not hit either.",
        ),
        check=check_fool_first_order,
        praise="A step that learns, and a first-order gradient that points the wrong way.",
    ),
}
