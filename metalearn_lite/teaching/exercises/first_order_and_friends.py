"""Hints and checks for notebook 05.

Under each check stands the package's version of the function that it asks for: it is the check's
truth, and runs in the notebook for whoever has not written theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Params
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

THETA = "theta"
NUM_WEIGHTS = 4


def _bent(params: Params, x: Tensor) -> Tensor:
    """``x`` ``(T, N, 4)`` times the weights, bent: a loss that is no quadratic."""
    return torch.tanh(x @ params[THETA].unsqueeze(-1)) * 2


def _gradient(params: Any, examples: Examples) -> Tensor:
    """Each task's own gradient ``(T, 4)`` at its own parameters ``(T, 4)``, by the package."""
    params = torch.as_tensor(params).detach().to(examples.x.dtype)
    _same_shape(params, (len(examples.x), NUM_WEIGHTS))
    with torch.no_grad():
        return MAML(_bent, {THETA: params[0]}).gradient({THETA: params}, examples, [THETA])[THETA]


def _same_shape(params: Tensor, shape: tuple[int, int]) -> None:
    if params.shape != shape:
        raise Mistake(
            f"A gradient is asked for at parameters {tuple(params.shape)}, but these are the "
            f"tasks' own, {shape}: one row for each task."
        )


def _examples(num_tasks: int, generator: torch.Generator, num_examples: int = 4) -> Examples:
    size = (num_tasks, num_examples, NUM_WEIGHTS + 1)
    x, y = torch.randn(size, generator=generator).split([NUM_WEIGHTS, 1], -1)
    return Examples(x, y.squeeze(-1))


def _start(num_tasks: int, generator: torch.Generator) -> Tensor:
    theta = torch.randn(NUM_WEIGHTS, generator=generator) / 2
    return theta.expand(num_tasks, -1).clone()


def _direction(result: Any, num_tasks: int) -> Tensor:
    result = attempted(result)
    if isinstance(result, Tensor) and result.shape == (num_tasks, NUM_WEIGHTS) and num_tasks > 1:
        raise Mistake("You have one direction for each task. Meta-training needs their mean.")
    return of_shape(result, (NUM_WEIGHTS,), "one direction for all tasks")


def _left_alone(given: Tensor, before: Tensor) -> None:
    if not torch.equal(given, before):
        raise Mistake("Your function changed `start` itself. Make new tensors: θ is needed again.")


# --- first_order_gradient -------------------------------------------------------------------


def first_order_gradient(
    support_gradient: Callable[[Tensor], Tensor],
    query_gradient: Callable[[Tensor], Tensor],
    start: Tensor,
    inner_lr: float,
    inner_steps: int,
    adapts: Tensor,
) -> Tensor:
    """First-order MAML's direction ``(num_weights,)``; only weights in ``adapts`` take inner steps.

    Args:
        support_gradient, query_gradient: each task's gradient at its own parameters,
            ``(num_tasks, num_weights)`` both.
        start: θ, once for every task.
        adapts: ``(num_weights,)`` of bool.
    """
    adapted = start
    for _ in range(inner_steps):
        adapted = adapted - inner_lr * adapts * support_gradient(adapted)
    return query_gradient(adapted).mean(0)


class _FirstOrder(NamedTuple):
    """One case of the check: the arguments, and the tasks they were made from."""

    support: Examples
    query: Examples
    start: Tensor
    inner_lr: float
    inner_steps: int
    adapts: Tensor

    def of(self, function: Callable, start: Tensor | None = None) -> Any:
        return function(
            lambda params: _gradient(params, self.support),
            lambda params: _gradient(params, self.query),
            self.start.clone() if start is None else start,
            self.inner_lr,
            self.inner_steps,
            self.adapts.clone(),
        )


def _first_order_cases() -> Iterator[_FirstOrder]:
    generator = seeded(5)
    some, every, none = [False, True, False, True], [True] * NUM_WEIGHTS, [False] * NUM_WEIGHTS
    for num_tasks, rate, steps, adapts in (
        (4, 0.15, 3, some),
        (3, 0.2, 4, every),
        (5, 0.3, 1, some[::-1]),
        (1, 0.2, 2, some),
        (3, 0.2, 0, every),
        (3, 0.2, 3, none),
    ):
        support, query = _examples(num_tasks, generator), _examples(num_tasks, generator)
        start = _start(num_tasks, generator)
        yield _FirstOrder(support, query, start, rate, steps, torch.tensor(adapts))


def _first_order_mistakes(case: _FirstOrder) -> Iterator[tuple[Tensor, str]]:
    """What is often mixed up, with what the check says to it."""
    support, query, start, rate, steps, adapts = case

    def walk(adapts: Tensor = adapts, steps: int = steps) -> Tensor:
        params = start
        for _ in range(steps):
            params = params - rate * adapts * _gradient(params, support)
        return params

    end = walk()
    at_end = _gradient(end, query)
    yield (
        (at_end * adapts).mean(0),
        "You left the weights that do not adapt out of the outer step, too. They take no inner "
        "steps, but they are part of θ: how does the query loss depend on them?",
    )
    yield (
        (at_end * ~adapts).mean(0),
        "You kept only the weights that do not adapt. θ is all of them.",
    )
    yield (
        _gradient(walk(torch.ones_like(adapts)), query).mean(0),
        "You let all weights take inner steps. Only those in `adapts` may move.",
    )
    yield (
        _gradient(walk(~adapts), query).mean(0),
        "The wrong weights moved: `adapts` is True for those that take inner steps.",
    )
    yield (
        _gradient(start, query).mean(0),
        "You took the query's gradient at θ. How does the loss of φ, where the steps end, change?",
    )
    yield (
        _gradient(end, support).mean(0),
        "This is the support's gradient at φ. A task is judged on its query.",
    )
    yield (_gradient(walk(steps=1), query).mean(0), "You took one step. Take inner_steps of them.")
    yield (
        _gradient(start - steps * rate * adapts * _gradient(start, support), query).mean(0),
        "You took every inner gradient at θ. Walk: each step begins where the last one ended.",
    )
    yield (
        (start - end).mean(0) / rate,
        "This is the way that was walked, not what the query says at its end. That is another "
        "method, and it comes next.",
    )
    yield (
        _gradient(end.mean(0, keepdim=True).expand_as(start), query).mean(0),
        "You averaged φ over tasks first. Every task has its own φ: take its gradient there, then "
        "average.",
    )
    yield (at_end.sum(0), "You summed over tasks. Average, or the direction grows with num_tasks.")
    yield -at_end.mean(0), "The sign is turned round: meta-training subtracts what you return."


def check_first_order(answer: Callable) -> None:
    """Compares with first-order MAML, where all weights adapt, some, and none."""
    for case in _first_order_cases():
        start = case.start.clone()
        result = _direction(case.of(answer, start), len(start))
        _left_alone(start, case.start)
        expected = case.of(first_order_gradient)
        if same(result, expected):
            continue
        refuse(result, _first_order_mistakes(case))
        raise Mistake(
            f"With {case.inner_steps} inner steps and {int(case.adapts.sum())} of {NUM_WEIGHTS} "
            "weights that adapt, this is not the direction. Say which of θ's numbers the query "
            "loss of φ depends on, and how, if every inner gradient is a constant."
        )


# --- reptile_direction ----------------------------------------------------------------------


def reptile_direction(
    gradient: Callable[[Tensor, Any], Tensor],
    start: Tensor,
    batches: list,
    num_steps: Tensor,
    inner_lr: float,
) -> Tensor:
    """Reptile's direction ``(num_weights,)``, where each task takes its own ``num_steps``."""
    adapted = start
    for step, batch in enumerate(batches):
        walks = (step < num_steps).unsqueeze(1)
        adapted = adapted - inner_lr * walks * gradient(adapted, batch)
    return (start - adapted).mean(0) / inner_lr


class _Walks(NamedTuple):
    """One case of the check."""

    start: Tensor
    batches: list[Examples]
    num_steps: Tensor
    inner_lr: float

    def of(self, function: Callable, start: Tensor | None = None) -> Any:
        start = self.start.clone() if start is None else start
        return function(_gradient, start, list(self.batches), self.num_steps.clone(), self.inner_lr)


def _reptile_cases() -> Iterator[_Walks]:
    generator = seeded(50)
    for rate, most, num_steps in (
        (0.15, 4, [4, 1, 2, 3]),
        (0.2, 3, [3, 3, 3]),
        (0.3, 5, [0, 5, 2]),
        (0.25, 4, [2, 1, 2]),  # more minibatches than anyone takes
        (0.2, 3, [2]),
        (0.2, 2, [0, 0]),
    ):
        num_tasks = len(num_steps)
        batches = [_examples(num_tasks, generator, 2) for _ in range(most)]
        yield _Walks(_start(num_tasks, generator), batches, torch.tensor(num_steps), rate)


def _reptile_mistakes(case: _Walks) -> Iterator[tuple[Tensor, str]]:
    start, batches, num_steps, rate = case

    def end(num_steps: Tensor = num_steps, at_start: bool = False) -> Tensor:
        params = start
        for step, batch in enumerate(batches):
            slope = _gradient(start if at_start else params, batch)
            params = params - rate * (step < num_steps).unsqueeze(1) * slope
        return params

    def told(params: Tensor) -> Tensor:
        return (start - params).mean(0) / rate

    right = told(end())
    for among_all, message in (
        (
            torch.full_like(num_steps, len(batches)),
            "You let every task take all minibatches. A task stops after its own num_steps.",
        ),
        (
            num_steps.min().expand_as(num_steps),
            "You stopped every task when the first one stopped. The others walk on.",
        ),
        (
            num_steps + 1,
            "Your tasks take one step too many: with num_steps 2, the minibatches 0 and 1.",
        ),
        (num_steps - 1, "Your tasks stop one step too early: with num_steps 2, two are taken."),
    ):
        yield told(end(among_all)), message
    walked = num_steps.clamp(min=1).unsqueeze(1)
    yield (
        ((start - end()) / rate / walked).mean(0),
        "You divided each task's way by its number of steps. Divide by inner_lr alone: who walks "
        "far counts more.",
    )
    yield (
        right / len(batches),
        "You divided by the number of steps, too. Divide by inner_lr alone.",
    )
    yield (
        right * len(num_steps) / (num_steps > 0).sum().clamp(min=1),
        "You averaged over the tasks that walked. The mean is over all tasks: who stays at θ pulls "
        "nowhere, and counts.",
    )
    yield (
        -right,
        "The sign is turned round: the outer step subtracts what you return, so it must point from "
        "φ to θ.",
    )
    yield (
        rate * right,
        "You left out the division by inner_lr: then a short inner step would also mean a short "
        "outer one.",
    )
    yield (
        told(end(at_start=True)),
        "You took every gradient at θ. Walk: each step begins where the last one ended.",
    )
    yield (
        len(num_steps) * right,
        "You summed over tasks. Average, or the direction grows with num_tasks.",
    )


def check_reptile(answer: Callable) -> None:
    """Compares with Reptile, where tasks take the same number of steps, others, and none."""
    for case in _reptile_cases():
        start = case.start.clone()
        result = _direction(case.of(answer, start), len(start))
        _left_alone(start, case.start)
        if same(result, case.of(reptile_direction)):
            continue
        refuse(result, _reptile_mistakes(case))
        raise Mistake(
            f"With {len(case.batches)} minibatches and num_steps {case.num_steps.tolist()}, this "
            "is not (θ - φ) / α, averaged over tasks. Print φ after each minibatch: which rows "
            "change?"
        )


# --- rate_step ------------------------------------------------------------------------------


def rate_step(
    rates: Tensor,
    rate_of: Tensor,
    support_gradients: Tensor,
    query_gradients: Tensor,
    outer_lr: float,
) -> Tensor:
    """The inner rates ``(num_rates,)`` after one step down the slope of the mean query loss.

    Args:
        rate_of: ``(num_weights,)``: the place in ``rates`` of each weight's rate.
        support_gradients, query_gradients: of each task at θ, and at φ, ``(T, num_weights)``.
    """
    slopes = -(support_gradients * query_gradients).mean(0)
    summed = torch.zeros_like(rates).index_add(0, rate_of, slopes)
    return (rates - outer_lr * summed).clamp(min=0)


class _Rates(NamedTuple):
    rates: Tensor
    rate_of: Tensor
    support: Tensor
    query: Tensor
    outer_lr: float

    def of(self, function: Callable) -> Any:
        return function(*(part.clone() for part in self[:4]), self.outer_lr)


def _rate_cases() -> Iterator[_Rates]:
    generator = seeded(500)
    for num_tasks, rates, rate_of, outer_lr in (
        (4, [0.3, 0.1, 0.2], [0, 0, 1, 2, 1, 0], 0.02),
        (3, [0.25], [0] * 5, 0.02),
        (3, [0.1, 0.2, 0.3, 0.4], [2, 0, 3, 1], 0.02),  # a rate for every weight
        (5, [0.2, 0.3, 0.1], [1, 0, 1, 1], 0.02),  # one that no weight has
        (1, [0.5, 0.1], [1, 0, 1], 0.03),
        (4, [0.05, 0.02, 0.0], [0, 1, 2, 0, 1, 2], 0.5),  # some would fall below 0
    ):
        size = (num_tasks, len(rate_of))
        support, query = torch.randn(2, *size, generator=generator)
        yield _Rates(torch.tensor(rates), torch.tensor(rate_of), support, query, outer_lr)


def _rate_mistakes(case: _Rates) -> Iterator[tuple[Tensor, str]]:
    rates, rate_of, support, query, outer_lr = case

    def by_rate(slopes: Tensor) -> Tensor:
        return torch.zeros_like(rates).index_add(0, rate_of, slopes)

    def after(slopes: Tensor) -> Tensor:
        return (rates - outer_lr * slopes).clamp(min=0)

    each = -(support * query).mean(0)
    slopes = by_rate(each)
    counts = by_rate(torch.ones_like(each)).clamp(min=1)
    overwritten = torch.zeros_like(rates)
    for place, slope in zip(rate_of.tolist(), each, strict=True):
        overwritten[place] = slope
    wrong_way = (
        "The rate went the wrong way. A longer step moves φ further along minus the support's "
        "gradient: mind that minus in the slope."
    )
    of_theta = (
        "You updated the rate with the gradient that belongs to θ. How does the query loss change "
        "when the rate changes?"
    )
    itself = "You multiplied the support's gradient by itself. One of the two is the query's, at φ."
    yield (
        rates - outer_lr * slopes,
        "The right step, but a rate became negative, and then learning climbs. Stop at 0.",
    )
    yield (
        rates + (-outer_lr * slopes).clamp(min=0),
        "Your rates can only grow: you stopped the step at 0, and it is the rate that may not fall "
        "below 0.",
    )
    yield (rates - outer_lr * slopes).abs(), "A rate below 0 was turned round. Stop at 0."
    yield after(-slopes), wrong_way
    yield after(by_rate(query.mean(0))), of_theta
    yield after(by_rate(support.mean(0))), of_theta
    yield after(by_rate(-support.square().mean(0))), itself
    yield (
        after(by_rate(-query.square().mean(0))),
        "You multiplied the query's gradient by itself. One of the two is the support's, at θ.",
    )
    yield (
        after(by_rate(-support.mean(0) * query.mean(0))),
        "You averaged the two gradients over tasks before you multiplied. A task's two gradients "
        "belong together: multiply, then average.",
    )
    yield (
        after(slopes / counts),
        "You averaged over the weights that share a rate. The loss feels all of them: add up.",
    )
    yield (
        after(slopes.sum().expand_as(rates)),
        "Every rate got the slope of all weights together. A rate feels only its own weights.",
    )
    yield (
        after(overwritten),
        "Weights that share a rate overwrote each other: `slopes[rate_of] = …` and `+= …` keep the "
        "last of them. Their slopes must be added up.",
    )
    yield after(slopes * len(support)), "You summed over tasks. The meta-loss is their mean."
    yield (after(slopes / outer_lr), "You left out outer_lr: how far the step down the slope goes.")
    yield slopes, "This is the slope itself. Return the rates after one step down that slope."
    yield ((-outer_lr * slopes), "This is the change alone. Return the rates after the change.")


def check_rate(answer: Callable) -> None:
    """Compares with one step down the slope, for rates of many weights, of one, and of none."""
    for case in _rate_cases():
        result = attempted(case.of(answer))
        if not isinstance(result, Tensor) and isinstance(result, int | float):
            result = torch.tensor(float(result))
        if isinstance(result, Tensor) and result.shape == () and len(case.rates) == 1:
            result = result.reshape(1)
        fewer = len(case.rates) < len(case.rate_of)
        if fewer and isinstance(result, Tensor) and result.shape == (len(case.rate_of),):
            raise Mistake(
                "You have a rate for every weight. Those with the same number in rate_of share "
                "one: the answer has the shape of `rates`."
            )
        result = of_shape(result, case.rates.shape, "one number for each rate")
        if same(result, case.of(rate_step)):
            continue
        refuse(result, _rate_mistakes(case))
        raise Mistake(
            f"For {len(case.rate_of)} weights with {len(case.rates)} rates, this is not where one "
            "gradient step on the mean query loss ends. Try one task and two weights on paper."
        )


EXERCISES = {
    "first_order_gradient": Exercise(
        hints=(
            "Two questions, one after the other. Where do the inner steps end? And if φ is θ plus "
            "a fixed shift, what is the slope of the query loss with respect to θ?",
            "Walk: inner_steps times, params - inner_lr * support_gradient(params), where `adapts` "
            "is True; where it is False, a weight keeps its value from θ.",
            "A nudge of any weight of θ, adapting or not, nudges the same weight of φ by as much. "
            "So ask query_gradient at φ once, keep all its columns, and average over the tasks.",
        ),
        check=check_first_order,
        praise="This is first-order MAML's direction. No second derivative was needed.",
    ),
    "reptile_direction": Exercise(
        hints=(
            "There is no query here. What counts is where each task's walk ends.",
            "All tasks can walk together if those that have arrived stand still: in step s a task "
            "moves only if s < num_steps. As (num_tasks, 1), that multiplies the step.",
            "moves = (step < num_steps).reshape(-1, 1); params = params - inner_lr * moves * "
            "gradient(params, batch). In the end the way back from φ to θ, as in the formula.",
        ),
        check=check_reptile,
        praise="This is Reptile's direction: subtractions, and no outer gradient at all.",
    ),
    "rate_step": Exercise(
        hints=(
            "Take one weight. Lengthen its step a little: where does its φ move, and what does the "
            "query loss make of that? Then think of all weights that share the rate.",
            "φ = θ - rate · g, weight by weight: a rate larger by 1 moves φ by -g. A weight of φ "
            "that moves by 1 changes the query loss by q. Chain the two.",
            "A weight's slope is -(g · q), averaged over tasks. Add up the slopes of the weights "
            "that share a rate (index_add_, or a loop). Then rates - outer_lr * slopes, and where "
            "that is below 0: 0.",
        ),
        check=check_rate,
        praise="You can learn inner rates: one for all weights, one a layer, or one for each.",
    ),
}
