"""A guard rail: adaptation that runs away is ended with a sentence and the last good state."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Params, beside, lengths

FINE, NO_NUMBER, LOSS, LENGTH = range(4)


class Guarded(NamedTuple):
    """Where a guarded adaptation of ``T`` tasks ended."""

    adapted: Params
    """each task's last good state, ``(T, …)``"""
    steps: Tensor
    """``(T,)``: after how many steps that is"""
    reasons: list[str]
    """a sentence for each task that was stopped, "" for one that was not"""


class Guard:
    """What counts as running away.

    Args:
        max_rise: a loss may rise above that of the start by so many times its size; 1 allows twice
            the first loss.
        max_length: how far one step may move a task's parameters, in Euclidean length.
    """

    def __init__(self, max_rise: float = 1.0, max_length: float = 10.0):
        checks.rate(max_rise=max_rise)
        checks.positive(max_length=max_length)
        self.max_rise, self.max_length = max_rise, max_length

    def judge(self, first: Tensor, loss: Tensor, length: Tensor) -> Tensor:
        """``(T,)``: FINE, or why not: NO_NUMBER before LOSS before LENGTH.

        Args:
            first: ``(T,)``, each task's loss before any step.
            loss: ``(T,)``, its loss after the step that is judged.
            length: ``(T,)``, how far that step went.
        """
        why = torch.full(loss.shape, FINE)
        why[length > self.max_length] = LENGTH
        why[loss > first + self.max_rise * first.abs()] = LOSS
        why[~(loss.isfinite() & length.isfinite())] = NO_NUMBER
        return why

    def stop(
        self,
        going: Tensor,
        reasons: list[str],
        step: int,
        first: Tensor,
        loss: Tensor,
        length: Tensor,
    ) -> Tensor:
        """Which of the tasks that were ``going`` still are after step number ``step`` (from 1).

        For each of them that is stopped, a sentence goes into ``reasons``.
        """
        why = self.judge(first, loss, length)
        for task in (going & (why != FINE)).nonzero().flatten().tolist():
            numbers = (float(part[task]) for part in (first, loss, length))
            reasons[task] = self.sentence(int(why[task]), step, *numbers)
        return going & (why == FINE)

    def sentence(self, why: int, step: int, first: float, loss: float, length: float) -> str:
        """What is said of one task whose step number ``step`` (from 1) was refused."""
        if why == FINE:
            return ""
        said = {
            NO_NUMBER: "it leads to where the answers are no numbers",
            LOSS: f"it takes the loss to {loss:.3g}, and adaptation began at {first:.3g}",
            LENGTH: f"it moves the parameters by {length:.3g}, more than {self.max_length:.3g}",
        }[int(why)]
        kept = "the start" if step == 1 else f"the state after step {step - 1}"
        return f"Stopped before step {step}: {said}. Kept is {kept}. A smaller inner rate may help."


@torch.no_grad()
def adapt_guarded(
    learner: MAML, support: Examples, inner_steps: int | None = None, guard: Guard | None = None
) -> Guarded:
    """``learner.adapt``, watched: a task that runs away keeps its last good state.

    The other tasks go on. No gradient is remembered: this is for use, not for meta-training.
    """
    guard = guard or Guard()
    adapted = {name: value.detach() for name, value in learner.start(support).items()}
    first = task_losses(learner.predict(adapted, support.x), support.y)
    reasons = [""] * len(first)
    steps, going = torch.zeros(len(first), dtype=torch.int64), torch.ones_like(first).bool()
    for step in range(checks.steps(inner_steps, learner.inner_steps, support)):
        tried = learner.inner_step(adapted, support, step)
        loss = task_losses(learner.predict(tried, support.x), support.y)
        going = guard.stop(going, reasons, step + 1, first, loss, moved(adapted, tried))
        adapted = chosen(going, tried, adapted)
        steps += going
        if not going.any():
            break
    return Guarded(adapted, steps, reasons)


def moved(before: Params, after: Params) -> Tensor:
    """How far each task's parameters went, ``(T,)``, in Euclidean length."""
    return lengths(after[name] - value for name, value in before.items())


def chosen(which: Tensor, these: Params, those: Params) -> Params:
    """Task by task the parameters of ``these`` where ``which`` ``(T,)`` is True, else ``those``."""
    return {
        name: torch.where(beside(value, which), value, those[name]) for name, value in these.items()
    }
