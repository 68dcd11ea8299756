"""Hints, checks and stand-ins for notebook 04. The package's own learners are the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP, Network, Params
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.teaching.comparing import kind_of, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

# --- the inner step


def inner_step(predict: Network, params: Params, x: Tensor, y: Tensor, inner_lr: float) -> Params:
    """The parameters after one gradient step on each task's mean squared error, as MAML takes it.

    Args:
        predict: called as ``predict(params, x)``; answers ``(T, N)``.
        params: each with a task axis, ``(T, …)``.
        x: ``(T, N, 1)``.
        y: ``(T, N)``.
        inner_lr: α.
    """
    return MAML(predict, params, inner_lr).inner_step(params, Examples(x, y))


def _line(params: Params, x: Tensor) -> Tensor:
    """A straight line for each task: the names and shapes of its parameters are no network's."""
    return params["slope"][:, None] * x.squeeze(-1) + params["height"][:, None]


class _Step(NamedTuple):
    """One call of the reader's inner step."""

    predict: Network
    params: Params
    support: Examples
    inner_lr: float


def _steps() -> Iterator[_Step]:
    generator = seeded(4)
    sinusoids = Sinusoids()
    for sizes, num_tasks, num_shots, inner_lr in (
        ((1, 8, 1), 3, 5, 0.1),
        ((1, 6, 4, 1), 2, 3, 0.04),
        ((1, 4, 1), 1, 1, 0.2),
    ):
        network = MLP(*sizes)
        maml = MAML(network, network.init(generator), inner_lr)
        support = sinusoids.sample(num_tasks, num_shots, 1, generator).support
        yield _Step(maml.predict, maml.start(support), support, inner_lr)
    support = sinusoids.sample(4, 2, 1, generator).support
    numbers = torch.randn(2, 4, generator=generator)
    yield _Step(_line, dict(zip(("slope", "height"), numbers, strict=True)), support, 0.05)


def check_inner_step(answer: Callable) -> None:
    for case in _steps():
        predict, start, (x, y), inner_lr = case
        params = {name: value.detach().clone().requires_grad_() for name, value in start.items()}
        stepped = attempted(answer(predict, params, x.clone(), y.clone(), inner_lr))
        if not isinstance(stepped, dict) or stepped.keys() != params.keys():
            raise Mistake("Return a new dict with the same names as params.")
        if not same(params, start):
            raise Mistake("You changed params in place: the next task would not start from θ.")
        expected = inner_step(predict, params, x, y, inner_lr)
        _check_values(case, params, stepped, expected)
        _check_graph(params, stepped, expected)


def _check_values(case: _Step, params: Params, stepped: Params, expected: Params) -> None:
    moves = {name: expected[name] - params[name] for name in params}
    num_tasks, num_points = case.support.y.shape

    def moved(factor: float) -> Params:
        return {name: params[name] + factor * moves[name] for name in params}

    together = {name: move.mean(0, keepdim=True) for name, move in moves.items()}
    mistakes = [
        (moved(0), "Nothing moved: the dict you return holds the parameters it was given."),
        (moved(-1), "You went up the hill: the loss grows along +gradient, so subtract it."),
        (moved(1 / case.inner_lr), "You left out inner_lr: it scales the gradient to a step."),
    ]
    if num_tasks > 1:
        mistakes += [
            (
                moved(1 / num_tasks),
                "Your steps are too short: you averaged over tasks. Average over a task's "
                "examples, then sum over tasks, so that each task's step is its own.",
            ),
            (
                {name: params[name] + move for name, move in together.items()},
                "All tasks took the same step, the mean of theirs. Each takes its own.",
            ),
            (
                {name: params[name] + num_tasks * move for name, move in together.items()},
                "All tasks took the same step, the sum of theirs. Each takes its own.",
            ),
        ]
    if num_points > 1:
        mistakes += [
            (
                moved(num_points),
                "Your steps are too long: you summed over a task's examples. Its loss is the "
                "mean over them.",
            ),
            (
                moved(num_points / num_tasks),
                "You averaged over the wrong axis: axis 0 counts tasks, axis 1 a task's examples.",
            ),
        ]
    refuse(stepped, mistakes)
    unlike = [name for name in params if not same(stepped[name], expected[name])]
    if unlike and len(unlike) < len(params):
        raise Mistake(
            f"Of {', '.join(params)} these are not after the step: {', '.join(unlike)}. Is each "
            "gradient paired with its own parameter, and does every parameter move?"
        )
    if unlike:
        raise Mistake(
            f"With {num_tasks} task(s) of {num_points} point(s), the stepped parameters differ "
            "from θ - α ∇loss. Print one of each."
        )


def _check_graph(params: Params, stepped: Params, expected: Params) -> None:
    """The meta-gradient must flow through the step, its Hessian term included."""
    if not all(isinstance(value, Tensor) and value.requires_grad for value in stepped.values()):
        raise Mistake(
            "The result has no history: detach(), .data or numpy cut the meta-gradient off."
        )

    def gradient_through(result: Params) -> list[Tensor | None]:
        total = sum(value.square().sum() for value in result.values())
        values = list(params.values())
        return torch.autograd.grad(total, values, retain_graph=True, allow_unused=True)

    pairs = list(zip(gradient_through(stepped), gradient_through(expected), strict=True))
    if any(mine is None for mine, _ in pairs):
        raise Mistake(
            "The result no longer depends on params: the outer loop has nothing to differentiate. "
            "Start from params themselves, not from copies."
        )
    if not all(same(*pair) for pair in pairs):
        raise Mistake(
            "The values are right, but the gradient through them is not: the inner gradient was "
            "treated as a constant. Give torch.autograd.grad create_graph=True."
        )


# --- the outer loss


class _WithStep(MAML):
    """MAML from a given θ, which takes its inner steps by a given function."""

    def __init__(self, step: Callable, predict: Network, theta: Params, inner_lr: float):
        super().__init__(predict, theta, inner_lr)
        self.params, self.step = theta, step  # θ itself, not a copy: gradients flow back to it

    def predict(self, adapted: Params, x: Tensor) -> Tensor:
        return self.network(adapted, x)

    def inner_step(self, adapted, support, step=0, names=None) -> Params:
        return self.step(self.network, adapted, support.x, support.y, self.inner_lr)


def meta_loss(
    inner_step: Callable,
    predict: Network,
    theta: Params,
    episodes: Episodes,
    inner_lr: float,
    inner_steps: int,
) -> Tensor:
    """The query loss after ``inner_steps`` calls of ``inner_step`` from θ, averaged over tasks.

    Args:
        inner_step: called as ``inner_step(predict, params, x, y, inner_lr)``; ``params`` has a
            task axis.
        predict: called as ``predict(params, x)``; answers ``(T, N)``.
        theta: the initialisation, without a task axis.
        episodes: support and query of ``T`` tasks.
        inner_lr: α.
        inner_steps: k.
    """
    learner = _WithStep(inner_step, predict, theta, inner_lr)
    learner.inner_steps = inner_steps
    return learner.meta_loss(episodes)


def check_meta_loss(answer: Callable) -> None:
    generator = seeded(4)
    network = MLP(1, 8, 1)
    maml = MAML(network, network.init(generator))
    for num_tasks, num_shots, num_queries, steps, inner_lr in (
        (3, 5, 7, 3, 0.03),
        (4, 6, 2, 1, 0.05),
        (2, 3, 5, 0, 0.1),
        (1, 2, 1, 2, 0.05),
    ):
        episodes = Sinusoids().sample(num_tasks, num_shots, num_queries, generator)
        theta = {name: v.detach().clone().requires_grad_() for name, v in maml.params.items()}
        given = (inner_step, maml.predict, theta, episodes, inner_lr)
        result = attempted(answer(*given, steps))
        if not same(theta, maml.params):
            raise Mistake("You changed theta in place. Adapt copies: the outer loop moves θ.")
        _check_loss(result, given, steps)


def _check_loss(result: object, given: tuple, steps: int) -> None:
    step, predict, theta, episodes, inner_lr = given
    (support, query), num_tasks = episodes, episodes.num_tasks
    if not isinstance(result, Tensor) or result.dim() != 0:
        raise Mistake(
            f"Return one number as a tensor that remembers how it was made; got {kind_of(result)}."
        )

    def loss(steps: int, learn_on: Examples = support, judge_on: Examples = query) -> Tensor:
        return meta_loss(step, predict, theta, Episodes(learn_on, judge_on), inner_lr, steps)

    expected = loss(steps)
    mistakes = [
        (
            loss(steps, query, support),
            "Support and query are swapped: you adapted on the query and judged on the support.",
        ),
        (
            loss(steps, support, support),
            "You judged on the support. A learner is judged on what it has not seen.",
        ),
        (
            loss(steps, query, query),
            "You adapted on the query: the answers leaked into the learning.",
        ),
        (
            num_tasks * expected,
            "You summed over tasks. Take the mean, or the loss grows with their number.",
        ),
        (
            num_tasks * query.y.shape[1] * expected,
            "You summed over all queries. Take the mean, or the loss grows with their number.",
        ),
    ]
    if steps:
        after_each = [loss(count) for count in range(steps + 1)]
        mistakes += [
            (after_each[0], "This is the loss at θ: nothing was adapted, or no step was kept."),
            (
                _weights_shared(given, steps),
                "All tasks shared one set of weights, so every step was the sum of all tasks' "
                "steps. Give each task a copy of θ first: the parameters need a task axis.",
            ),
        ]
    if steps > 1:
        mistakes += [
            (
                after_each[1],
                "This is the loss after one step. Take inner_steps, each from where the last one "
                "ended.",
            ),
            (
                sum(after_each[1:]),
                "You added up the query losses after every step. Only where the last step lands "
                "counts.",
            ),
            (
                sum(after_each),
                "You added up the query losses at θ and after every step. Only where the last "
                "step lands counts.",
            ),
            (
                sum(after_each[1:]) / steps,
                "You averaged the query losses after every step. Only where the last step lands "
                "counts.",
            ),
            (after_each[-2], "This is one step short of inner_steps."),
        ]
    mistakes.append((loss(steps + 1), "This is one step more than inner_steps."))
    refuse(result, [(wrong, said) for wrong, said in mistakes if not same(wrong, expected)])
    if not same(result, expected):
        raise Mistake(
            f"With {num_tasks} task(s), {len(support.y[0])} support and {len(query.y[0])} query "
            f"point(s) each, and inner_steps={steps}, the number is not the mean query loss after "
            "the last step."
        )
    _check_gradient(result, expected, theta)


def _weights_shared(given: tuple, steps: int) -> Tensor:
    """The loss where θ was given no task axis: `losses.sum()` then adds up all gradients."""
    _, predict, theta, (support, query), inner_lr = given
    for _ in range(steps):
        theta = inner_step(predict, theta, support.x, support.y, inner_lr)
    return (predict(theta, query.x) - query.y).square().mean()


def _check_gradient(result: Tensor, expected: Tensor, theta: Params) -> None:
    values = list(theta.values())
    if not result.requires_grad:
        raise Mistake("The value is right, but it has no history: its gradient is cut off.")
    mine = torch.autograd.grad(result, values, allow_unused=True)
    if any(part is None for part in mine):
        raise Mistake(
            "The value is right, but its gradient with respect to θ is cut off: somewhere between "
            "θ and the loss stands a detach(), a clone of .data, or a new leaf."
        )
    theirs = torch.autograd.grad(expected, values)
    if not all(same(*pair) for pair in zip(mine, theirs, strict=True)):
        raise Mistake(
            "The value is right, but its gradient with respect to θ is not: something on the way "
            "was treated as a constant."
        )


# --- an interval of the median


def median_interval(errors: Tensor) -> tuple[float, float]:
    """Two of ``errors`` that enclose the true median with a chance of at least 95 %.

    They are the k-th smallest and the k-th largest, with the largest k that keeps the promise; 0
    and infinity where none does. Nothing is assumed about how the errors are distributed.
    """
    ordered = sorted(errors.tolist())
    rank = _rank(len(ordered))
    return (ordered[rank - 1], ordered[-rank]) if rank else (0.0, math.inf)


def _rank(num_errors: int, one_in: int = 40) -> int:
    """The largest k such that fewer than k heads in ``num_errors`` tosses are as rare as that."""
    ways, fewer, rank = 1, 0, 0
    while one_in * (fewer + ways) <= 2**num_errors:
        fewer += ways
        ways = ways * (num_errors - rank) // (rank + 1)
        rank += 1
    return rank


def _samples() -> Iterator[tuple[str, Tensor]]:
    """Errors as they come, most of them with a long tail to the right."""
    generator = seeded(4)

    def some(number: int) -> Tensor:
        return torch.randn(number, generator=generator).exp()

    for number in (17, 24, 40):
        yield f"{number} errors", some(number)
    yield "30 errors, many of them equal", (3 * some(30)).round()
    diverged = some(26)
    diverged[torch.tensor([3, 11, 19, 20])] = math.inf
    yield "26 errors, four of them infinite", diverged
    for number in (6, 5, 1, 9, 101):
        yield f"{number} error(s)", some(number)
    yield "2,000 errors", some(2000)


def check_interval(answer: Callable) -> None:
    for said, errors in _samples():
        given = errors.clone()
        result = attempted(answer(given))
        if not torch.equal(given, errors):
            raise Mistake("You sorted the errors in place. Sort a copy: others need their order.")
        try:
            low, high = (float(end) for end in result)
        except (TypeError, ValueError, RuntimeError):
            raise Mistake("Return two numbers: the lower and the upper end.") from None
        expected = median_interval(errors)
        _refuse_interval(errors, (low, high), expected)
        if low > high:
            raise Mistake("The lower end comes first.")
        if not same((low, high), expected):
            raise Mistake(_how_wrong(errors, (low, high), expected, said))


def _ends(ordered: Tensor, rank: int) -> tuple[float, float]:
    rank = min(max(rank, 1), (len(ordered) + 1) // 2)
    return ordered[rank - 1].item(), ordered[-rank].item()


def _refuse_interval(errors: Tensor, found: tuple, expected: tuple) -> None:
    ordered, number = errors.sort().values, len(errors)
    mean, median = errors.mean().item(), errors.median().item()
    half = 1.96 * errors.std().item() / math.sqrt(number) if number > 1 else 0.0
    rank = _rank(number)
    finite = errors[errors.isfinite()]
    inner = torch.tensor([0.025, 0.975])
    mistakes = [
        (
            (mean - half, mean + half),
            "This is the interval of the mean. The mean follows the worst tasks; the median does "
            "not.",
        ),
        (
            (median - half, median + half),
            "You put the mean's interval around the median: it is as wide as the worst tasks make "
            "it.",
        ),
        (
            (median - 1.2533 * half, median + 1.2533 * half),
            "This holds where errors are distributed normally. Here they have a long tail: use "
            "nothing but their order.",
        ),
        (
            tuple(errors.quantile(inner).tolist()),
            "Between these two lie 95 % of the tasks. Where does their *median* lie?",
        ),
        (_ends(ordered, int(0.025 * number)), "Between these two lie 95 % of the tasks. Where does "
         "their *median* lie?"),
    ]  # fmt: skip
    if rank:
        mistakes += [
            (
                (errors[rank - 1].item(), errors[-rank].item()),
                "The places are right, but the errors stand in the order in which they were drawn.",
            ),
            (
                median_interval(finite),
                "You left out the tasks that diverged. A failure is a task, too.",
            ),
            (
                _ends(ordered, _rank(number, 20)),
                "This leaves 5 % outside at either end: 10 % in all.",
            ),
            (
                (ordered[rank - 1].item(), ordered[-rank - 1].item()),
                "The two ends stand at unequal distances from the two ends of the list: the k-th "
                "largest is [-k], the k-th smallest [k - 1].",
            ),
            (
                (ordered[rank].item(), ordered[-rank].item()),
                "The two ends stand at unequal distances from the two ends of the list: the k-th "
                "largest is [-k], the k-th smallest [k - 1].",
            ),
        ]
    else:
        told = f"With {number} error(s) even all of them together keep no such promise. Then the "
        mistakes.insert(0, (_ends(ordered, 1), f"{told}answer is (0, ∞)."))
    refuse(found, [(wrong, said) for wrong, said in mistakes if not same(wrong, expected)])


def _how_wrong(errors: Tensor, found: tuple, expected: tuple, said: str) -> str:
    if not all(any(same(end, error) for error in errors) for end in found):
        if expected == (0.0, math.inf):
            return f"For {said} no two of them keep the promise: there the answer is (0, ∞)."
        return f"For {said}, at least one of your two numbers is none of the errors."
    if found[0] <= expected[0] and found[1] >= expected[1]:
        return (
            f"For {said} yours encloses the true median often enough, but a larger k would, too. "
            "Count exactly: how likely is it that fewer than k errors lie below it?"
        )
    if found[0] >= expected[0] and found[1] <= expected[1]:
        return f"For {said} the true median lies outside of yours in more than 5 % of all cases."
    return f"For {said} these are not the k-th smallest and the k-th largest of one k."


EXERCISES = {
    "inner_step": Exercise(
        hints=(
            "Three lines: the prediction, each task's mean squared error, its gradient.",
            "torch.autograd.grad(loss, list(params.values()), …) gives one gradient per "
            "parameter, in order. loss must be one number: sum the tasks' losses.",
            "The gradient must stay a function of params, or the outer loop cannot "
            "differentiate it: create_graph=True. Build the new dict with zip.",
        ),
        check=check_inner_step,
        praise="Your step is θ - α ∇loss, and the meta-gradient flows through it.",
    ),
    "meta_loss": Exercise(
        hints=(
            "Adapt on one half of each task, judge on the other. And what does every task need of "
            "its own before its first step?",
            "theta's tensors have no task axis, and inner_step wants one. value.expand(num_tasks, "
            "*value.shape) shows one tensor to every task, and keeps the gradient.",
            "Call inner_step(predict, adapted, *episodes.support, inner_lr) inner_steps times, "
            "each time on the result of the last; then predict(adapted, episodes.query.x).",
        ),
        check=check_meta_loss,
        praise="Your meta-loss and its gradient equal the package's.",
    ),
    "interval": Exercise(
        hints=(
            "Forget how large the errors are. A task's error lies below the true median with a "
            "chance of one half. So how many of n errors will lie below it?",
            "As many as heads in n tosses of a coin. The true median lies below the k-th smallest "
            "error when fewer than k tosses show heads. It lies above the k-th largest just as "
            "often. Each may happen in 2.5 % of all cases at most.",
            "j heads in n tosses have the chance math.comb(n, j) / 2**n, or quicker "
            "scipy.stats.binom.pmf(j, n, 0.5). Add these up for j = 0, 1, … as long as the sum "
            "stays at or below 0.025; k is how many you added. Then ordered[k - 1] and "
            "ordered[-k], or (0, ∞) if k is 0.",
        ),
        check=check_interval,
        praise="Two errors enclose the true median, and nothing was assumed but a coin.",
    ),
}
