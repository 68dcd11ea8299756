"""Hints and checks for notebook 10."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

INNER_LR = 0.3  # long enough for the second derivative to show
MAX_STEP = 0.5


def check_returns_to_go(returns_to_go: Callable) -> None:
    generator = torch.Generator().manual_seed(10)
    rewards = torch.randn(2, 3, 6, generator=generator)
    ended = torch.zeros(2, 3, 6, dtype=torch.bool)
    ended[:, 0, 2] = ended[:, 1, 4] = ended[0, 2, 0] = ended[..., -1] = True
    discount = 0.8
    before = rewards.clone()
    result = attempted(returns_to_go(rewards, ended, discount))
    if not torch.equal(rewards, before):
        raise Mistake("You changed rewards in place: whoever handed them to you still needs them.")
    result = of_shape(result, rewards.shape, "one number for each step")

    def backwards(discount: float, ended: Tensor, shift: bool = False) -> Tensor:
        running, sums = torch.zeros(2, 3), []
        for step in reversed(range(6)):
            rest = discount * running * ~ended[..., step]
            running = rewards[..., step] + rest
            sums.append(rest if shift else running)
        return torch.stack(sums[::-1], -1)

    never = torch.zeros_like(ended)
    episode = ended.long().cumsum(-1) - ended.long()  # 0 in the first episode of a row, then 1, …
    of_same = (episode.unsqueeze(-1) == episode.unsqueeze(-2)).float()
    whole = (of_same @ rewards.unsqueeze(-1)).squeeze(-1)
    powers = discount ** torch.arange(6.0)
    late_cut = backwards(discount, ended.roll(-1, -1))
    early_cut = backwards(discount, ended) * ~ended
    mistakes = (
        (rewards, "These are the rewards themselves. Add those that are still to come."),
        (backwards(discount, never), "Rewards of the next episode leak into the one before."),
        (backwards(1.0, never), "Neither the discount nor the ends of episodes are heeded."),
        (backwards(1.0, ended), "You left out the discount: a reward k steps ahead counts γᵏ."),
        (rewards.cumsum(-1), "You added up the past. An action changes only what comes after it."),
        (whole, "Every step got its episode's whole return. Leave out what was before the step."),
        (
            rewards.sum(-1, keepdim=True).expand_as(rewards),
            "Every step got the whole return. Leave out what was before the step.",
        ),
        (
            backwards(discount, ended, shift=True),
            "You left out the reward of the step itself, which its action earned.",
        ),
        (
            backwards(discount, ended, shift=True) / discount,
            "You left out the reward of the step itself, which its action earned.",
        ),
        (
            (rewards * powers).flip(-1).cumsum(-1).flip(-1),
            "You discounted from the row's first step. Count k from the step where one stands.",
        ),
        (early_cut, "The last step of an episode has a reward too: cut after it, not before."),
        (late_cut, "You cut one step too early: ended marks the last step of an episode."),
    )
    refuse(result, mistakes)
    if not same(result, backwards(discount, ended)):
        raise Mistake("These are not the returns to go. Try one row of three rewards by hand.")


def check_meta_gradient(meta_gradient: Callable) -> None:
    generator = torch.Generator().manual_seed(10)
    theta = torch.randn(3, generator=generator)
    before, after = (
        (
            torch.randn(2, 4, 5, 2, generator=generator),
            torch.randn(2, 4, 5, generator=generator),
            torch.randn(2, 4, 5, generator=generator),
        )
        for _ in range(2)
    )

    def log_prob(params: Tensor, observations: Tensor, actions: Tensor) -> Tensor:
        """Actions drawn around a linear function; ``params`` is ``(3,)`` or ``(T, 3)``."""
        if params.shape not in ((3,), (2, 3)):
            raise Mistake(
                f"log_prob got parameters of shape {tuple(params.shape)}. They are (D,) for all "
                "tasks alike, or (num_tasks, D) with a row for each task."
            )
        params = params.expand(2, 3)[:, None, None]
        mean = (params[..., :2] * observations).sum(-1)
        return -0.5 * ((actions - mean) * torch.exp(-params[..., 2])).square() - params[..., 2]

    def objectives(params: Tensor, played: tuple) -> Tensor:
        observations, actions, advantages = played
        return (log_prob(params, observations, actions) * advantages).mean((1, 2))

    def solution(
        create_graph: bool = True,
        judge: tuple = after,
        sign: float = 1,
        inner_lr: float = INNER_LR,
        share: bool = False,
    ) -> Tensor:
        leaf = theta.clone().requires_grad_()
        start = leaf.expand(2, 3)
        total = objectives(start, before).sum()
        (uphill,) = torch.autograd.grad(total, start, create_graph=create_graph)
        uphill = uphill.mean(0, keepdim=True).expand(2, 3) if share else uphill
        outer = objectives(start + sign * inner_lr * uphill, judge).mean()
        return torch.autograd.grad(outer, leaf)[0]

    leaf = theta.clone().requires_grad_()
    result = attempted(meta_gradient(log_prob, leaf, before, after, INNER_LR))
    if not torch.equal(leaf.detach(), theta):
        raise Mistake("You changed theta in place. A step makes new parameters.")
    result = of_shape(result, (3,), "one number for each number of theta")

    alone = theta.clone().requires_grad_()
    (unadapted,) = torch.autograd.grad(objectives(alone, after).mean(), alone)
    (on_before,) = torch.autograd.grad(objectives(alone, before).mean(), alone)
    right = solution()
    mistakes = (
        (solution(create_graph=False), "The inner gradient was treated as a constant: this is "
         "first-order MAML. Give the inner torch.autograd.grad create_graph=True."),
        (unadapted, "This is the gradient without adapting: joint training. Take the step first."),
        (on_before, "This is the inner gradient alone. Judge the adapted policy on `after`."),
        (solution(judge=before), "You judged the adapted policy on the trajectories it learned "
         "from. It has played others since: `after`."),
        (solution(sign=-1), "The inner step went downhill. Advantages are to grow: add."),
        (-right, "The sign is wrong: return the gradient that leads uphill."),
        (solution(inner_lr=1.0), "You left out inner_lr."),
        (solution(share=True), "All tasks took one and the same step. Each task has its own."),
        (
            solution(inner_lr=INNER_LR / 2),
            "Your inner step is 2 times too short, as there are 2 tasks: sum over tasks before "
            "you differentiate, so that each task's step is its own.",
        ),
        (2 * right, "You summed over tasks. Average, or more tasks mean longer outer steps."),
    )  # fmt: skip
    refuse(result, mistakes)
    if not same(result, right):
        raise Mistake("This is not the gradient through the step. Compare φ for one task by hand.")


def check_bounded_step(bounded_step: Callable) -> None:
    generator = torch.Generator().manual_seed(10)
    # A long gradient, a short one, one that is zero, one that is no number any more.
    sizes = torch.tensor([20.0, 0.5, 0.0, 1.0])
    gradient = {
        "weight": torch.randn(4, 3, 2, generator=generator) * sizes[:, None, None],
        "bias": torch.randn(4, 1, 2, generator=generator) * sizes[:, None, None],
    }
    gradient["bias"][3, 0, 0] = torch.nan
    before = {name: value.clone() for name, value in gradient.items()}
    moves = attempted(bounded_step(gradient, INNER_LR, MAX_STEP))
    if not isinstance(moves, dict) or moves.keys() != gradient.keys():
        raise Mistake("Return a dict with the same names as gradient.")
    shapes = {name: tuple(value.shape) for name, value in gradient.items()}
    if {name: tuple(value.shape) for name, value in moves.items()} != shapes:
        raise Mistake(f"Each move has its gradient's shape: {shapes}.")
    if any(not torch.equal(gradient[n].nan_to_num(), before[n].nan_to_num()) for n in before):
        raise Mistake("You changed the gradient in place. Make new tensors.")

    if any(value[:3].isnan().any() for value in moves.values()):
        if any(value[2].isnan().any() for value in moves.values()):
            raise Mistake("A gradient of zeros gave NaN: you divided by 0. That task stays put.")
        raise Mistake("The broken task's NaN reached the other tasks: norms are per task.")
    if any(not value[3].isfinite().all() for value in moves.values()):
        raise Mistake("One task's gradient is NaN, and it moved along it. That task stays put.")

    raw = {name: INNER_LR * value[:3] for name, value in gradient.items()}

    def norms(values: dict[str, Tensor]) -> Tensor:
        return sum(value.square().flatten(1).sum(1) for value in values.values()).sqrt()

    def scaled(values: dict[str, Tensor], by: Tensor) -> dict[str, Tensor]:
        return {name: value * by[:, None, None] for name, value in values.items()}

    tiny = 1e-12
    whole = norms(raw).square().sum().sqrt()
    unbounded = norms({name: value[:3] for name, value in gradient.items()}).clamp(min=tiny)
    squares = norms(raw).square().clamp(min=tiny)
    each = {
        name: value
        * (MAX_STEP / value.flatten(1).norm(dim=1).clamp(min=tiny)).clamp(max=1)[:, None, None]
        for name, value in raw.items()
    }
    mistakes = (
        (raw, "Nothing is bounded: the first task's move is far longer than max_step."),
        (
            scaled(raw, (MAX_STEP / whole).clamp(max=1).expand(3)),
            "You took one norm over all tasks: one wild task then shortens everybody's step.",
        ),
        (each, "You bounded each tensor by itself. A task's move is all of its tensors together."),
        (
            scaled(raw, MAX_STEP / norms(raw).clamp(min=tiny)),
            "You made short moves longer. The bound is a most, not a length for all.",
        ),
        (
            scaled(raw, (MAX_STEP / unbounded).clamp(max=1)),
            "You bounded the gradient, not the move: multiply by inner_lr first.",
        ),
        (
            {name: value.clamp(-MAX_STEP, MAX_STEP) for name, value in raw.items()},
            "You clamped each number: that changes the direction, and the norm stays unbounded.",
        ),
        (
            scaled(raw, (MAX_STEP / squares).clamp(max=1)),
            "You divided by the squared norm. Take the root.",
        ),
        (
            {name: -value for name, value in scaled(raw, _within(norms(raw), MAX_STEP)).items()},
            "The sign is wrong: the gradient leads uphill, and uphill is where returns grow.",
        ),
    )
    found = {name: value[:3] for name, value in moves.items()}
    refuse(found, mistakes)
    right = scaled(raw, _within(norms(raw), MAX_STEP))
    if not same(found, right):
        raise Mistake("These moves are not right. Print each task's norm before and after.")
    if any(value[3].any() for value in moves.values()):
        raise Mistake("One number of a task's gradient is NaN. Trust none of it: it stays put.")


def _within(norms: Tensor, bound: float) -> Tensor:
    return (bound / norms.clamp(min=1e-12)).clamp(max=1)


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
