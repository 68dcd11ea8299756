"""Hints, checks and the package's versions for notebook 10."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

# --- returns_to_go --------------------------------------------------------------------------


def returns_to_go(rewards: Tensor, ended: Tensor, discount: float) -> Tensor:
    """Each step's discounted sum of rewards from there to its episode's end, ``(T, N, H)``.

    Args:
        rewards: ``(T, N, H)``; a row holds one episode or several.
        ended: ``(T, N, H)``, true at the last step of an episode.
        discount: γ; a reward k steps ahead counts γᵏ.
    """
    running, sums = torch.zeros_like(rewards[..., 0]), []
    for step in reversed(range(rewards.shape[-1])):
        running = rewards[..., step] + discount * running * ~ended[..., step]
        sums.append(running)
    return torch.stack(sums[::-1], -1)


def _returns_cases() -> Iterator[tuple[str, Tensor, Tensor, float]]:
    """What is special, rewards, ended, discount. The first case tells all mistakes apart."""
    generator = seeded(10)

    def case(where: str, *shape: int, discount: float, ends: float) -> tuple:
        rewards = torch.randn(shape, generator=generator)
        ended = torch.rand(shape, generator=generator) < ends
        ended[..., -1] = True
        return where, rewards, ended, discount

    several = case("several episodes share a row", 2, 3, 6, discount=0.8, ends=0)
    several[2][:, 0, 2] = several[2][:, 1, 4] = several[2][0, 2, 0] = True
    yield several
    yield case("there are as many rows as steps", 1, 4, 4, discount=0.5, ends=0.4)
    yield case("a row is one episode", 3, 2, 5, discount=0.7, ends=0)
    yield case("a row has one step", 2, 3, 1, discount=0.9, ends=1)
    yield case("each step is an episode of its own", 1, 2, 4, discount=0.9, ends=1)
    yield case("the discount is 1", 2, 1, 7, discount=1.0, ends=0.3)
    yield case("the discount is 0", 1, 2, 3, discount=0.0, ends=0)


def check_returns_to_go(answer: Callable) -> None:
    for where, rewards, ended, discount in _returns_cases():
        given = rewards.clone(), ended.clone()
        result = attempted(answer(rewards, ended, discount))
        if not torch.equal(rewards, given[0]) or not torch.equal(ended, given[1]):
            raise Mistake(
                "You changed rewards or ended in place: whoever handed them to you still needs "
                "them."
            )
        result = of_shape(result, rewards.shape, "one number for each step")
        if same(result, returns_to_go(rewards, ended, discount)):
            continue
        refuse(result, _wrong_returns(rewards, ended, discount))
        raise Mistake(
            f"These are not the returns to go, at least where {where}. Try one row of three "
            "rewards by hand."
        )


def _wrong_returns(rewards: Tensor, ended: Tensor, discount: float) -> Iterator[tuple]:
    never = torch.zeros_like(ended)
    episode = ended.long().cumsum(-1) - ended.long()  # 0 in the first episode of a row, then 1, …
    of_same = (episode.unsqueeze(-1) == episode.unsqueeze(-2)).float()
    steps = torch.arange(rewards.shape[-1], dtype=rewards.dtype)
    first = (of_same == 0).cumprod(-1).sum(-1)  # the step where each one's episode began
    right, row = (returns_to_go(rewards, end, discount) for end in (ended, never))
    yield rewards, "These are the rewards themselves. Add those that are still to come."
    yield row, "Rewards of the next episode leak into the one before."
    yield (
        returns_to_go(rewards, never, 1.0),
        "Neither the discount nor the ends of episodes are heeded.",
    )
    yield (
        returns_to_go(rewards, ended, 1.0),
        "You left out the discount: a reward k steps ahead counts γᵏ.",
    )
    yield (rewards.cumsum(-1), "You added up the past. An action changes only what comes after it.")
    whole = (of_same @ rewards.unsqueeze(-1)).squeeze(-1)
    for each in (whole, right.gather(-1, first)):
        yield each, "Every step got its episode's whole return. Leave out what was before the step."
    yield (
        rewards.sum(-1, keepdim=True).expand_as(rewards),
        "Every step got the whole return of its row. Leave out what was before the step.",
    )
    for own in (right - rewards, (right - rewards) / max(discount, 1e-6)):
        yield own, "You left out the reward of the step itself, which its action earned."
    powers = discount**steps
    for each in (
        (rewards * powers).flip(-1).cumsum(-1).flip(-1),
        right * discount ** (steps - first),
    ):
        yield each, "You discounted from the first step on. Count k from the step where one stands."
    yield (
        right * ~ended,
        "The last step of an episode has a reward too: cut after it, not before.",
    )
    yield (
        returns_to_go(rewards, ended.roll(-1, -1), discount),
        "You cut one step too early: ended marks the last step of an episode.",
    )
    yield (
        returns_to_go(rewards, ended.roll(1, -1), discount),
        "You cut one step too late: ended marks the last step of an episode, and not the first of "
        "the next.",
    )


# --- bounded_step ---------------------------------------------------------------------------


def bounded_step(
    gradient: dict[str, Tensor], inner_lr: float, max_step: float
) -> dict[str, Tensor]:
    """``inner_lr`` times each task's gradient, shortened to ``max_step``.

    A task whose gradient is not finite stays where it is.
    """
    moves = {name: inner_lr * value for name, value in gradient.items()}
    norms = _norms(moves)
    return _scaled(moves, _within(norms, max_step), ~norms.isfinite())


def _norms(moves: dict[str, Tensor]) -> Tensor:
    """Each task's length over all of its numbers, ``(T,)``."""
    return sum(value.square().flatten(1).sum(1) for value in moves.values()).sqrt()


def _within(norms: Tensor, bound: float) -> Tensor:
    return (bound / norms.clamp(min=1e-12)).clamp(max=1)


def _scaled(moves: dict[str, Tensor], by: Tensor, standing: Tensor) -> dict[str, Tensor]:
    """Each task's move times ``by`` ``(T,)``; nothing where it is ``standing``."""
    by, standing = by.view(-1, 1, 1), standing.view(-1, 1, 1)
    return {name: (value * by).masked_fill(standing, 0) for name, value in moves.items()}


def _gradient_cases() -> Iterator[tuple[str, dict[str, Tensor], float, float]]:
    """What is special, gradient, inner_lr, max_step."""
    generator = seeded(10)

    def drawn(*sizes: float, bias: int = 2) -> dict[str, Tensor]:
        size = torch.tensor(sizes).view(-1, 1, 1)
        return {
            "weight": size * torch.randn(len(sizes), 3, 2, generator=generator),
            "bias": size * torch.randn(len(sizes), 1, bias, generator=generator),
        }

    # A long gradient, a short one, one that is zero, one that is no number any more.
    gradient = drawn(20.0, 0.5, 0.0, 1.0)
    gradient["bias"][3, 0, 0] = torch.nan
    yield "one gradient is long, one short, one zero and one NaN", gradient, 0.3, 0.5
    yield "there is one task", drawn(5.0, bias=4), 2.0, 3.0
    gradient = drawn(3.0, 1.0, 2.0)
    gradient["weight"][1, 2, 0], gradient["bias"][2, 0, 1] = torch.inf, -torch.inf
    yield "a gradient is infinite", gradient, 0.2, 10.0
    yield "inner_lr is so large that every move is too long", drawn(3.0, 0.01, 1.0, 0.3), 1e4, 0.2
    yield "every move is short", drawn(0.4, 0.1, 0.2, 0.3), 0.1, 2.0
    gradient = drawn(1.0, 2.0)
    gradient["weight"][:, 0, 0] = torch.nan
    yield "no gradient is finite", gradient, 0.5, 1.0


def check_bounded_step(answer: Callable) -> None:
    for where, gradient, inner_lr, max_step in _gradient_cases():
        _check_moves(answer, where, gradient, inner_lr, max_step)


def _check_moves(
    answer: Callable, where: str, gradient: dict[str, Tensor], inner_lr: float, max_step: float
) -> None:
    before = {name: value.clone() for name, value in gradient.items()}
    moves = attempted(answer(gradient, inner_lr, max_step))
    if not isinstance(moves, dict) or moves.keys() != gradient.keys():
        raise Mistake("Return a dict with the same names as gradient.")
    shapes = {name: tuple(value.shape) for name, value in gradient.items()}
    if {name: tuple(getattr(value, "shape", ())) for name, value in moves.items()} != shapes:
        raise Mistake(f"Each move has its gradient's shape: {shapes}.")
    if any(not torch.equal(gradient[n].nan_to_num(), before[n].nan_to_num()) for n in before):
        raise Mistake("You changed the gradient in place. Make new tensors.")

    broken = ~_norms(gradient).isfinite()
    still = _norms(gradient) == 0
    no_number = torch.stack([v.isnan().flatten(1).any(1) for v in moves.values()]).any(0)
    if no_number[still].any():
        raise Mistake("A gradient of zeros gave NaN: you divided by 0. That task stays put.")
    if no_number[~broken].any():
        raise Mistake("The broken task's NaN reached the other tasks: norms are per task.")
    if any(not value[broken].isfinite().all() for value in moves.values()):
        raise Mistake("One task's gradient is no finite number, and it moved along it all the "
                      "same. That task stays put.")  # fmt: skip

    def of_others(values: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: value[~broken] for name, value in values.items()}

    found, right = of_others(moves), of_others(bounded_step(gradient, inner_lr, max_step))
    if not same(found, right):
        if not any(value.any() for value in found.values()):
            raise Mistake("Nobody moved. A broken gradient stops its own task and no other.")
        refuse(found, _wrong_moves(of_others(gradient), inner_lr, max_step))
        raise Mistake(
            f"These moves are not right, at least where {where}. Print each task's norm before "
            "and after."
        )
    if any(value[broken].any() for value in moves.values()):
        raise Mistake("One number of a task's gradient is not finite. Trust none of it: it stays.")


def _wrong_moves(gradient: dict[str, Tensor], inner_lr: float, max_step: float) -> Iterator[tuple]:
    raw = {name: inner_lr * value for name, value in gradient.items()}
    norms = _norms(raw)
    nobody = torch.zeros_like(norms).bool()

    def scaled(by: Tensor) -> dict[str, Tensor]:
        return _scaled(raw, by, nobody)

    yield raw, "Nothing is bounded: a task's move is far longer than max_step."
    yield (
        scaled(_within(norms.square().sum().sqrt(), max_step).expand_as(norms)),
        "You took one norm over all tasks: one wild task then shortens everybody's step.",
    )
    each = {
        name: value * _within(value.flatten(1).norm(dim=1), max_step).view(-1, 1, 1)
        for name, value in raw.items()
    }
    yield each, "You bounded each tensor by itself. A task's move is all of its tensors together."
    yield (
        scaled(max_step / norms.clamp(min=1e-12)),
        "You made short moves longer. The bound is a most, not a length for all.",
    )
    yield (
        scaled(_within(_norms(gradient), max_step)),
        "You bounded the gradient, not the move: multiply by inner_lr first.",
    )
    yield (
        {name: value.clamp(-max_step, max_step) for name, value in raw.items()},
        "You clamped each number: that changes the direction, and the norm stays unbounded.",
    )
    yield (
        scaled(_within(norms.square(), max_step)),
        "You divided by the squared norm. Take the root.",
    )
    yield (
        scaled(-_within(norms, max_step)),
        "The sign is wrong: the gradient leads uphill, and uphill is where returns grow.",
    )
    yield (
        scaled((norms <= max_step).float()),
        "You dropped the moves that are too long. Shorten them: their direction is good.",
    )
    yield (
        _scaled(gradient, _within(_norms(gradient), max_step), nobody),
        "You left out inner_lr: a move is inner_lr times the gradient.",
    )


# --- meta_gradient --------------------------------------------------------------------------

Played = tuple[Tensor, Tensor, Tensor]


def meta_gradient(
    log_prob: Callable, theta: Tensor, before: Played, after: Played, inner_lr: float
) -> Tensor:
    """The gradient ``(D,)`` of the adapted policies' mean objective on ``after``, by ``theta``.

    Each task takes one step uphill on ``before``, and the gradient goes through that step.
    """
    return _through_the_step(log_prob, theta, before, after, inner_lr)


def _objectives(log_prob: Callable, params: Tensor, played: Played) -> Tensor:
    observations, actions, advantages = played
    return (log_prob(params, observations, actions) * advantages).mean((1, 2))


def _through_the_step(
    log_prob: Callable,
    theta: Tensor,
    before: Played,
    after: Played,
    inner_lr: float,
    create_graph: bool = True,
    share: bool = False,
) -> Tensor:
    start = theta.expand(len(before[0]), -1)
    total = _objectives(log_prob, start, before).sum()
    (uphill,) = torch.autograd.grad(total, start, create_graph=create_graph)
    uphill = uphill.mean(0, keepdim=True) if share else uphill
    adapted = start + inner_lr * uphill
    return torch.autograd.grad(_objectives(log_prob, adapted, after).mean(), theta)[0]


# Tasks, trajectories, steps, inner rate. The rate is long enough for the second derivative to show.
PLAYED = ((2, 4, 5, 0.3), (3, 2, 1, 0.5), (1, 3, 4, 0.2), (2, 5, 3, 0.0), (4, 1, 2, 0.4))


def check_meta_gradient(answer: Callable) -> None:
    generator = seeded(10)
    for num_tasks, *shape, inner_lr in PLAYED:
        theta = 0.5 * torch.randn(3, generator=generator)
        before, after = (_drawn_games((num_tasks, *shape), generator) for _ in range(2))
        _check_one_gradient(answer, theta, before, after, inner_lr)


def _drawn_games(shape: tuple[int, ...], generator: torch.Generator) -> Played:
    observations = torch.randn(*shape, 2, generator=generator)
    actions, advantages = (torch.randn(shape, generator=generator) for _ in range(2))
    return observations, actions, advantages


def _check_one_gradient(
    answer: Callable, theta: Tensor, before: Played, after: Played, inner_lr: float
) -> None:
    num_tasks = len(before[0])

    def log_prob(params: Tensor, observations: Tensor, actions: Tensor) -> Tensor:
        """Actions drawn around a linear function; ``params`` is ``(3,)`` or ``(T, 3)``."""
        if params.shape not in ((3,), (num_tasks, 3)):
            raise Mistake(
                f"log_prob got parameters of shape {tuple(params.shape)}. They are (D,) for all "
                "tasks alike, or (num_tasks, D) with a row for each task."
            )
        params = params.expand(num_tasks, 3)[:, None, None]
        mean = (params[..., :2] * observations).sum(-1)
        return -0.5 * ((actions - mean) * torch.exp(-params[..., 2])).square() - params[..., 2]

    leaf = theta.clone().requires_grad_()
    result = attempted(answer(log_prob, leaf, before, after, inner_lr))
    if not torch.equal(leaf.detach(), theta):
        raise Mistake("You changed theta in place. A step makes new parameters.")
    result = of_shape(result, (3,), "one number for each number of theta")

    def solution(judge: Played = after, rate: float = inner_lr, **settings: bool) -> Tensor:
        leaf = theta.clone().requires_grad_()
        return _through_the_step(log_prob, leaf, before, judge, rate, **settings)

    right = solution()
    if same(result, right):
        return
    alone = theta.clone().requires_grad_()
    (on_before,) = torch.autograd.grad(_objectives(log_prob, alone, before).mean(), alone)
    mistakes = (
        (solution(create_graph=False), "The inner gradient was treated as a constant: this is "
         "first-order MAML. Give the inner torch.autograd.grad create_graph=True."),
        (solution(rate=0.0), "This is the gradient without adapting: joint training. Take the "
         "step first."),
        (on_before, "This is the inner gradient alone. Judge the adapted policy on `after`."),
        (solution(judge=before), "You judged the adapted policy on the trajectories it learned "
         "from. It has played others since: `after`."),
        (solution(rate=-inner_lr), "The inner step went downhill. Advantages are to grow: add."),
        (-right, "The sign is wrong: return the gradient that leads uphill."),
        (solution(rate=1.0), "You left out inner_lr."),
        (solution(share=True), "All tasks took one and the same step. Each task has its own."),
        (solution(rate=inner_lr / num_tasks), "Your inner step is too short, and the more so the "
         "more tasks there are: sum over tasks before you differentiate, so that each task's "
         "step is its own."),
        (num_tasks * right, "You summed over tasks. Average, or more tasks mean longer outer "
         "steps."),
    )  # fmt: skip
    refuse(result, mistakes)
    where = "inner_lr is 0" if inner_lr == 0 else f"there are {num_tasks} task(s)"
    raise Mistake(
        f"This is not the gradient through the step, at least where {where}. Compare φ for one "
        "task by hand."
    )


EXERCISES = {
    "returns_to_go": Exercise(
        hints=(
            "Walk backwards, from the last step to the first, and keep a running sum.",
            "At each step: running = reward + discount · running. What must running be where the "
            "episode ended?",
            "running = rewards[..., step] + discount * running * ~ended[..., step]. Collect them "
            "in a list, turn it round, and torch.stack(…, -1).",
        ),
        check=check_returns_to_go,
        praise="Each step is credited with what came after it, and with nothing else.",
    ),
    "meta_gradient": Exercise(
        hints=(
            "Three parts: each task's objective on `before`, one step uphill for each task, the "
            "adapted policies' objective on `after`.",
            "start = theta.expand(num_tasks, -1) gives every task its copy. Sum the objectives "
            "over tasks and differentiate with respect to start, with create_graph=True.",
            "adapted = start + inner_lr * uphill. Then torch.autograd.grad of the mean over tasks "
            "of the objective on `after`, with respect to theta.",
        ),
        check=check_meta_gradient,
        praise="The gradient passes through the step, second derivative included.",
    ),
    "bounded_step": Exercise(
        hints=(
            "The move is inner_lr · gradient. Find each task's norm over all of its tensors.",
            "Square, flatten(1), sum(1), add up over the tensors, take the root: one norm per "
            "task. The factor is max_step / norm, but at most 1. Mind a norm of 0.",
            "factor = (max_step / norm.clamp(min=1e-12)).clamp(max=1). Where norm is not finite, "
            "the move is zeros: torch.where, as 0 · NaN is NaN.",
        ),
        check=check_bounded_step,
        praise="No task goes further than max_step, and a broken gradient moves nothing.",
    ),
}
