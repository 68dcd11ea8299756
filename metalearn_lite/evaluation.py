"""How good is a learner? Scores on meta-test tasks, with the uncertainty that belongs to them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.base import Learner, task_losses
from metalearn_lite.rl.maml_policy_gradient import MAMLPolicyGradient
from metalearn_lite.tasks.environment import Environment


@dataclass(frozen=True)
class Evaluation:
    """One score per task, and what they say together."""

    scores: Tensor
    """``(T,)``: mean squared error, accuracy in 0 … 1, or the mean return of a policy"""
    diverged: Tensor | None = None
    """``(T,)``, True where an answer is no number; left out: where the score is infinite or NaN"""

    def __post_init__(self) -> None:
        checks.tensor(scores=self.scores)
        if self.scores.dim() != 1 or not len(self.scores):
            raise ValueError(f"scores has shape {tuple(self.scores.shape)}: give (T,), one a task")
        if not self.scores.is_floating_point():
            raise ValueError(f"scores is {self.scores.dtype}: give floats, such as scores.float()")
        if self.diverged is not None and self.diverged.shape != self.scores.shape:
            raise ValueError(f"diverged has shape {tuple(self.diverged.shape)}: give one a score")

    @property
    def num_diverged(self) -> int:
        """How many tasks were adapted to where answers are no numbers."""
        diverged = ~self.scores.isfinite() if self.diverged is None else self.diverged
        return int(diverged.sum())

    @property
    def mean(self) -> float:
        return self.scores.mean().item()

    @property
    def interval(self) -> float:
        """Half the width of the mean's 95 % confidence interval (normal approximation).

        Infinite where a score is.
        """
        if self.scores.isinf().any():
            return math.inf
        return 1.96 * self.scores.std().item() / math.sqrt(len(self.scores))

    @property
    def median(self) -> float:
        return self.scores.median().item()

    def __str__(self) -> str:
        numbers = (self.mean, self.interval, self.median)
        mean, interval, median = (f"{n:.3f}" if n < 1000 else f"{n:.1e}" for n in numbers)
        diverged = f", {self.num_diverged:,} diverged" if self.num_diverged else ""
        return f"{mean} ± {interval} (median {median}, {len(self.scores):,} tasks{diverged})"


def task_scores(predicted: Tensor, y: Tensor) -> Tensor:
    """Each task's score ``(T,)``: squared error where ``y`` is float, else accuracy.

    No number is never a right answer: the error of a task with a NaN is infinite, and a query
    with a NaN among its logits is wrong.

    Raises:
        ValueError: a label is no class of the logits, or shapes do not belong together.
    """
    if y.is_floating_point():
        return task_losses(predicted, y).nan_to_num(nan=torch.inf, posinf=torch.inf)
    checks.logits(predicted, y)
    return (chosen(predicted) == y).float().mean(1)


def chosen(logits: Tensor) -> Tensor:
    """The class that each query is given, ``(T, M)``: -1, none, where a logit is NaN."""
    return logits.argmax(-1).masked_fill(logits.isnan().any(-1), -1)


def ask_alone(learner: Learner, adapted: Any, x: Tensor) -> Tensor:
    """``learner.predict(adapted, x)``, but each of a task's queries is asked in a call of its own.

    A learner whose batch normalisation measures the queries answers differently then.
    """
    return torch.cat([learner.predict(adapted, query) for query in x.split(1, dim=1)], 1)


def evaluate(
    learner: Learner,
    episodes: Episodes,
    num_at_once: int = 200,
    alone: bool = False,
    **adapt_options: Any,
) -> Evaluation:
    """Adapts to each task's support and scores the answers on its query.

    Args:
        learner: any learner.
        episodes: meta-test tasks; at least two, as one task has no interval.
        num_at_once: how many tasks are held in memory together. It changes no score.
        alone: ask each of a task's queries in a call of its own (`ask_alone`).
        adapt_options: handed to ``learner.adapt``, such as ``inner_steps=5``.

    Returns:
        An Evaluation that also knows which tasks diverged: there some answer is no number.
    """
    if episodes.num_tasks < 2:
        raise ValueError(f"{episodes.num_tasks} task has no interval; evaluate at least 2")
    checks.asked(episodes)
    checks.numbers(episodes.query, "query")
    predicted = answers(learner, episodes, num_at_once, alone, **adapt_options)
    scores = task_scores(predicted, episodes.query.y)
    return Evaluation(scores, ~scores.isfinite() | predicted.isnan().flatten(1).any(1))


@torch.no_grad()
def answers(
    learner: Learner,
    episodes: Episodes,
    num_at_once: int = 200,
    alone: bool = False,
    **adapt_options: Any,
) -> Tensor:
    """What the learner says to each task's query: ``(T, M, …)``, logits if it names classes.

    The arguments are those of `evaluate`.
    """
    checks.count(num_at_once=num_at_once)
    ask = partial(ask_alone, learner) if alone else learner.predict
    parts = []
    for start in range(0, episodes.num_tasks, num_at_once):
        support, query = episodes.tasks(start, start + num_at_once)
        parts.append(ask(learner.adapt(support, **adapt_options), query.x))
    return torch.cat(parts)


def exact_interval(wrong: int, total: int) -> tuple[float, float]:
    """The exact binomial 95 % interval of the share ``wrong / total`` (Clopper & Pearson, 1934).

    It holds for few errors, or none, where the normal approximation does not. It takes the answers
    to be independent; those of one task are not quite, as they share its hands.

    Returns:
        The lower and the upper end, in 0 … 1.

    Raises:
        ValueError: unless 0 ≤ wrong ≤ total and total ≥ 1.
    """
    checks.count(total=total)
    checks.count(0, total, wrong=wrong)
    from scipy.stats import binomtest  # here, as it takes longer to import than all of this file

    interval = binomtest(wrong, total).proportion_ci(0.95, method="exact")
    return float(interval.low), float(interval.high)


def evaluate_by_playing(
    learner: MAMLPolicyGradient,
    environment: Environment,
    num_tasks: int,
    num_trajectories: int = 40,
    inner_steps: int = 3,
    generator: torch.Generator | None = None,
    num_at_once: int = 50,
) -> list[Evaluation]:
    """The mean return in new tasks after 0, 1, … ``inner_steps`` updates.

    Each update learns from ``num_trajectories`` trajectories of its task; the mean is over the
    ``num_trajectories`` that the updated policy then plays. A return that is no number counts as
    minus infinity.
    """
    if num_tasks < 2:
        raise ValueError(f"{num_tasks} task has no interval; evaluate at least 2")
    tasks, parts = environment.sample_tasks(num_tasks, generator), []
    for some in tasks.split(num_at_once):
        path = learner.adapt_by_playing(environment, some, num_trajectories, inner_steps, generator)
        parts.append(torch.stack([played.returns.mean(1) for _, played in path]))
    return [Evaluation(scores.nan_to_num(nan=-torch.inf)) for scores in torch.cat(parts, 1)]
