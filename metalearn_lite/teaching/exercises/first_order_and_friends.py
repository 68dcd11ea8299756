"""Hints and checks for notebook 05. Each answer is compared with the package's own learner."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.meta_sgd import MetaSGD
from metalearn_lite.learners.reptile import Reptile, minibatch
from metalearn_lite.networks import Params
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

INNER_LR, INNER_STEPS, BATCH_SIZE = 0.1, 3, 2
THETA = "theta"


def _bent(params: Params, x: Tensor) -> Tensor:
    """``x`` ``(T, N, 3)`` times the weights, bent: a loss that is no quadratic."""
    return torch.tanh(x @ params[THETA].unsqueeze(-1)) * 2


def _example() -> tuple[Tensor, Episodes]:
    generator = torch.Generator().manual_seed(5)
    x, y = torch.randn(2, 4, 4, 4, generator=generator).split([3, 1], -1)
    halves = [Examples(*half) for half in zip(x, y.squeeze(-1), strict=True)]
    return torch.tensor([0.8, -0.5, 0.3]), Episodes(*halves)


def _gradient(params: Tensor, examples: Examples) -> Tensor:
    """Each task's own gradient ``(T, 3)`` at its own parameters ``(T, 3)``."""
    learner = MAML(_bent, {THETA: params[0]})
    with torch.no_grad():
        return learner.gradient({THETA: params.detach()}, examples, [THETA])[THETA]


def _walk(start: Tensor, batches: list[Examples]) -> list[Tensor]:
    path = [start]
    for batch in batches:
        path.append(path[-1] - INNER_LR * _gradient(path[-1], batch))
    return path


def _vector(result, like: Tensor) -> Tensor:
    result = attempted(result)
    if isinstance(result, Tensor) and result.shape == (4, *like.shape):
        raise Mistake("You have one direction for each task. Meta-training needs their mean.")
    return of_shape(result, like.shape, "one direction for all tasks")


def _refuse(answer: Tensor, expected: Tensor, mistakes: Mapping[str, Tensor], help: str) -> None:
    refuse(answer, ((wrong, message) for message, wrong in mistakes.items()))
    if same(answer, 4 * expected):
        raise Mistake("You summed over tasks. Average, or the direction grows with num_tasks.")
    if not same(answer, expected):
        raise Mistake(help)


def check_first_order(first_order_gradient: Callable) -> None:
    theta, episodes = _example()
    support, query = episodes
    start = theta.expand(4, -1)
    answer = first_order_gradient(
        lambda params: _gradient(params, support),
        lambda params: _gradient(params, query),
        start.clone(),
        INNER_LR,
        INNER_STEPS,
    )
    answer = _vector(answer, theta)
    maml = MAML(_bent, {THETA: theta}, INNER_LR, INNER_STEPS, order=1)
    expected = maml.meta_gradient(episodes)[1][THETA]
    path = _walk(start, [support] * INNER_STEPS)
    _refuse(
        answer,
        expected,
        {
            "You took the query's gradient at θ. First-order MAML takes it at φ, where the steps "
            "end.": _gradient(start, query).mean(0),
            "This is the support's gradient at φ. The task is judged on its query.": _gradient(
                path[-1], support
            ).mean(0),
            "You took one step. Take inner_steps of them.": _gradient(path[1], query).mean(0),
            "This is the way that was walked, not the query's gradient at its end. That is "
            "another method, and it comes next.": (start - path[-1]).mean(0) / INNER_LR,
            "You averaged φ over tasks first. Every task has its own φ: take its gradient "
            "there, then average.": _gradient(
                path[-1].mean(0, keepdim=True).expand(4, -1), query
            ).mean(0),
        },
        "This is not the mean of the queries' gradients at φ. Print φ after each step.",
    )


def check_reptile(reptile_direction: Callable) -> None:
    theta, episodes = _example()
    start = theta.expand(4, -1)
    examples = Examples(*(torch.cat(halves, 1) for halves in zip(*episodes, strict=True)))
    batches = [minibatch(examples, BATCH_SIZE, step) for step in range(INNER_STEPS)]
    answer = _vector(reptile_direction(_gradient, start.clone(), batches, INNER_LR), theta)
    reptile = Reptile(_bent, {THETA: theta}, INNER_LR, INNER_STEPS, BATCH_SIZE)
    expected = reptile.meta_gradient(episodes)[1][THETA]
    path = _walk(start, batches)
    at_theta = sum(_gradient(start, batch) for batch in batches)
    _refuse(
        answer,
        expected,
        {
            "The sign is turned round: the outer step subtracts what you return, so it must point "
            "from φ to θ.": -expected,
            "You left out the division by inner_lr: then a short inner step would also mean a "
            "short outer one.": INNER_LR * expected,
            "You took every gradient at θ. Walk: each step begins where the last one "
            "ended.": at_theta.mean(0),
            "This is the last gradient alone, which is what first-order MAML would take. Reptile "
            "uses the whole way.": _gradient(path[-2], batches[-1]).mean(0),
            "You divided by the number of steps, too. Divide by inner_lr alone.": expected
            / INNER_STEPS,
        },
        "This is not (θ - φ) / α, averaged over tasks. Print φ after each minibatch.",
    )


def check_rate(rate_step: Callable) -> None:
    theta, episodes = _example()
    support, query = episodes
    start, outer_lr = theta.expand(4, -1), 0.01
    before = _gradient(start, support)
    after = _gradient(start - INNER_LR * before, query)
    answer = attempted(rate_step(INNER_LR, before.clone(), after.clone(), outer_lr))
    answer = torch.as_tensor(answer, dtype=torch.float32)
    if answer.dim() != 0:
        raise Mistake(
            f"One rate for all weights and tasks is one number; yours has the shape "
            f"{tuple(answer.shape)}. Which sums and means are missing?"
        )
    learner = MetaSGD(_bent, {THETA: theta}, INNER_LR, inner_steps=1)
    # There a rate is in units of inner_lr, and every weight has one.
    slope = learner.meta_gradient(episodes)[1][f"rate.{THETA}"].sum() / INNER_LR
    mistakes = {
        "The rate went the wrong way. φ = θ - α ∇L: a longer step moves φ along minus the "
        "support's gradient, so the slope has a minus sign.": -slope,
        "You updated the rate with the gradient that belongs to θ. How does the meta-loss change "
        "when α changes?": after.sum(1).mean(),
        "You multiplied the support's gradient by itself. One of the two is the query's, at "
        "φ.": -before.square().sum(1).mean(),
        "You averaged the two gradients over tasks before you multiplied. A task's two gradients "
        "belong together: multiply, then average.": -(before.mean(0) * after.mean(0)).sum(),
        "You averaged over the weights. A product of two vectors is summed over them.": slope / 3,
        "You summed over tasks. The meta-loss is their mean.": 4 * slope,
    }
    for message, wrong in mistakes.items():
        if torch.isclose(answer, INNER_LR - outer_lr * wrong, rtol=1e-4):
            raise Mistake(message)
    if torch.isclose(answer, slope, rtol=1e-4):
        raise Mistake("This is the slope itself. Return the rate after one step down that slope.")
    if not torch.isclose(answer, INNER_LR - outer_lr * slope, rtol=1e-4):
        raise Mistake("This is not the rate after one gradient step on the meta-loss.")
    against = torch.as_tensor(rate_step(INNER_LR, before.clone(), -after.clone(), 10.0))
    if against < 0:
        raise Mistake(
            "The right step, but here it makes the rate negative, and then learning climbs. Stop "
            "at 0."
        )


EXERCISES = {
    "first_order_gradient": Exercise(
        hints=(
            "Walk to φ first. Nothing needs to be remembered of the way.",
            "inner_steps times: params = params - inner_lr * support_gradient(params).",
            "One more line: the query_gradient at the φ of every task, averaged over the first "
            "axis.",
        ),
        check=check_first_order,
        praise="This is first-order MAML's direction. No second derivative was needed.",
    ),
    "reptile_direction": Exercise(
        hints=(
            "There is no query here. What counts is where the walk ends.",
            "For each batch in order: params = params - inner_lr * gradient(params, batch).",
            "Return the way back, from φ to θ, divided by inner_lr, as a mean over tasks.",
        ),
        check=check_reptile,
        praise="This is Reptile's direction: two subtractions and no outer gradient at all.",
    ),
    "rate_step": Exercise(
        hints=(
            "Lengthen the step a little. Where does φ move? What does the query loss make of it?",
            "φ = θ - α g, so dφ/dα = -g. The chain rule: the slope of one task is -(g · q), with "
            "g the support's gradient at θ and q the query's at φ.",
            "Multiply, sum over the weights, average over tasks, change the sign. Then "
            "rate - outer_lr * slope, but not below 0.",
        ),
        check=check_rate,
        praise="You can learn the inner rate. Meta-SGD does this for every weight.",
    ),
}
