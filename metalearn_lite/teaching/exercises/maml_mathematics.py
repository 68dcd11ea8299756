"""Hints and checks for notebook 03. Each answer is compared with what MAML's own code computes."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import functional

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Params
from metalearn_lite.tasks.sinusoids import SineTasks
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted


def _linear(params: Params, x: Tensor) -> Tensor:
    """``x`` ``(T, N, d)`` times the weights: with squared error every loss is a quadratic."""
    return x @ params["theta"].unsqueeze(-1)


def _wave(params: Params, x: Tensor) -> Tensor:
    """Amplitude times ``sin(x - phase)``: its losses are no quadratics."""
    theta = params["theta"].unsqueeze(-2)
    return theta[..., :1] * torch.sin(x - theta[..., 1:])


def _meta_gradient(network, theta: Tensor, episodes: Episodes, inner_lr, steps=1, order=2):
    maml = MAML(network, {"theta": theta}, inner_lr, steps, order)
    return maml.meta_gradient(episodes)[1]["theta"]


def _vector(result, like: Tensor) -> Tensor:
    result = attempted(result)
    wanted = "every task has its own meta-gradient, the answer is their mean"
    return of_shape(result, like.shape, wanted).detach().to(like.dtype)


# --- the meta-gradient of a quadratic


def _bowls(examples: Examples) -> tuple[Tensor, Tensor]:
    """The Hessians ``(T, d, d)`` and minima ``(T, d)`` of linear regression's losses."""
    x, y = examples
    hessians = 2 * x.mT @ x / x.shape[1]
    slopes = 2 * x.mT @ y.unsqueeze(-1) / x.shape[1]
    return hessians, torch.linalg.solve(hessians, slopes).squeeze(-1)


def check_quadratic(quadratic_meta_gradient: Callable) -> None:
    generator = torch.Generator().manual_seed(3)
    numbers = torch.randn(2, 4, 6, 3, generator=generator, dtype=torch.float64)
    support, query = (Examples(half[..., :2], half[..., 2]) for half in numbers)
    theta, inner_lr = torch.tensor([1.5, -0.7], dtype=torch.float64), 0.2
    (hessians, minima), (query_hessians, query_minima) = _bowls(support), _bowls(query)
    given = (hessians, minima, query_hessians, query_minima)
    answer = quadratic_meta_gradient(theta.clone(), *(part.clone() for part in given), inner_lr)
    answer = _vector(answer, theta)

    def times(matrices: Tensor, vectors: Tensor) -> Tensor:
        return (matrices @ vectors.unsqueeze(-1)).squeeze(-1)

    adapted = theta - inner_lr * times(hessians, theta - minima)
    landed = times(query_hessians, adapted - query_minima)
    at_theta = times(query_hessians, theta - query_minima)
    expected = _meta_gradient(_linear, theta, Episodes(support, query), inner_lr)
    mistakes = {
        "This is first-order MAML: the query's gradient where the step lands. A nudge of θ does "
        "not arrive there whole: multiply by how much of it does.": landed,
        "This is the query's gradient at θ, as if no step had been taken.": at_theta,
        "The query's gradient belongs to φ, where the step lands, not to θ.": (
            at_theta - inner_lr * times(hessians, at_theta)
        ),
        "The sign of the Hessian term is wrong: the step subtracts the gradient, so a nudge "
        "shrinks.": landed + inner_lr * times(hessians, landed),
        "The step is taken on the support, so its Jacobian holds the support's Hessian, not the "
        "query's.": landed - inner_lr * times(query_hessians, landed),
        "You multiplied by the Jacobian twice. With φ worked out first, only one factor is left: "
        "the chain rule's.": (
            landed
            - 2 * inner_lr * times(hessians, landed)
            + inner_lr**2 * times(hessians, times(hessians, landed))
        ),
    }
    refuse(answer, ((wrong.mean(0), message) for message, wrong in mistakes.items()))
    if same(answer, len(minima) * expected):
        raise Mistake("You summed over tasks. The meta-loss is their mean, and so is its gradient.")
    if not same(answer, expected):
        raise Mistake(
            f"For one example it is {_numbers(expected)}; yours is {_numbers(answer)}. Write down "
            "φ, then the query's gradient at φ, then the Jacobian."
        )


def _numbers(values: Tensor) -> str:
    return f"({', '.join(f'{value:.3f}' for value in values.tolist())})"


# --- k steps


def check_k_steps(k_step_meta_gradient: Callable) -> None:
    wave = SineTasks(*torch.tensor([1.6, 1.5], dtype=torch.float64).view(2, 1, 1))
    support_x = torch.tensor([-2.2, 0.4, 3.1], dtype=torch.float64).view(1, -1, 1)
    query_x = torch.linspace(-5, 5, 9, dtype=torch.float64).view(1, -1, 1)
    support, query = Examples(support_x, wave(support_x)), Examples(query_x, wave(query_x))
    theta, inner_lr, steps = torch.tensor([2.2, 0.3], dtype=torch.float64), 0.12, 3

    def loss(theta: Tensor, examples: Examples) -> Tensor:
        return task_losses(_wave({"theta": theta}, examples.x), examples.y).sum()

    def gradient(theta: Tensor) -> Tensor:
        return functional.jacobian(lambda at: loss(at, support), theta)

    def hessian(theta: Tensor) -> Tensor:
        return functional.hessian(lambda at: loss(at, support), theta)

    def query_gradient(theta: Tensor) -> Tensor:
        return functional.jacobian(lambda at: loss(at, query), theta)

    path = [theta]
    for _ in range(steps):
        path.append(path[-1] - inner_lr * gradient(path[-1]))

    def product(points: list[Tensor], at: Tensor) -> Tensor:
        """The Jacobians of ``points``, the last one first, times the query's gradient."""
        vector = query_gradient(at)
        for point in reversed(points):
            vector = vector - inner_lr * hessian(point) @ vector
        return vector

    given = (gradient, hessian, query_gradient, theta.clone(), inner_lr)
    expected = _meta_gradient(_wave, theta, Episodes(support, query), inner_lr, steps)
    answer = _vector(k_step_meta_gradient(*given, steps), theta)
    mistakes = {
        "You used the Hessian at θ for every step. Each step has its own, taken where that step "
        "started; they are equal only on a quadratic.": product([theta] * steps, path[-1]),
        "You took each Hessian after the step. The Jacobian of a step belongs to the point where "
        "the step started.": product(path[1:], path[-1]),
        "You used the Hessian at φ, the end, for every step.": product(
            [path[-1]] * steps, path[-1]
        ),
        "The Jacobians are in the wrong order. The last step's meets the query's gradient first; "
        "then go back, step by step, to θ.": product(path[-2::-1], path[-1]),
        "This is first-order MAML: the Jacobians are missing.": query_gradient(path[-1]),
        "The query's gradient belongs to the end of the path, not to θ.": product(path[:-1], theta),
        "Only one Jacobian: you took inner_steps steps, and each has one.": product(
            path[:1], path[-1]
        ),
        "You took one step; take inner_steps, each from where the last one ended.": product(
            path[:1], path[1]
        ),
    }
    refuse(answer, ((wrong, message) for message, wrong in mistakes.items()))
    if not same(answer, expected):
        raise Mistake(
            f"For this example it is {_numbers(expected)}; yours is {_numbers(answer)}. Keep the "
            "points of the path, then walk back along it."
        )
    none = k_step_meta_gradient(*given, 0)
    if not same(_vector(none, theta), query_gradient(theta)):
        raise Mistake("With inner_steps=0 nothing is learned: it is the query's gradient at θ.")


# --- a case in which create_graph matters


def check_fool_first_order(fool_first_order: Callable) -> None:
    case = attempted(fool_first_order())
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
    x, y, query_x, query_y = (point.view(1, 1) for point in points)
    episodes = Episodes(Examples(x[..., None], y), Examples(query_x[..., None], query_y))
    maml = MAML(_linear, {"theta": theta.view(1)}, float(inner_lr))
    before, after = maml.trace(episodes.support).support_loss.flatten().tolist()
    true, first = (
        _meta_gradient(_linear, theta.view(1), episodes, float(inner_lr), order=order).item()
        for order in (2, 1)
    )
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
            "On paper, for one task: the support's gradient at θ is H (θ - minimum). So where does "
            "the step land? And what is the query's gradient there?",
            "φ = θ - α H (θ - m). The query's gradient at φ is H' (φ - m'), with the query's own "
            "Hessian H' and minimum m'. Multiply it by the Jacobian I - α H.",
            "A matrix times a vector for all tasks at once: (H @ v.unsqueeze(-1)).squeeze(-1). "
            "Call the query's gradient g; each task's answer is g - α H g. Return their mean(0).",
        ),
        check=check_quadratic,
        praise="Your closed form equals MAML's meta-gradient.",
    ),
    "k_steps": Exercise(
        hints=(
            "First walk forward and keep every point. Then walk back.",
            "Start with v = query_gradient(last point). For each step, from the last to the "
            "first, replace v by (I - α H) v, with H taken where that step started.",
            "You never need I: v = v - inner_lr * support_hessian(point) @ v, for point in "
            "reversed(points), where points are all but the last.",
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
