"""Learning from a stream: predict on a task, be told all about it, learn, and meet the next one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.drift import Detector
from metalearn_lite.learners.follow_the_meta_leader import FollowTheMetaLeader


class OnlineLearner:
    """Trains ``learner`` between rounds, on a buffer of the tasks that it was told about.

    Args:
        learner: a start for each of S streams, changed in place. ``FollowTheMetaLeader`` makes
            this online meta-learning, ``FollowTheLeader`` joint training on all that was seen.
        generator: which tasks of the buffer a step sees.
        steps: Adam steps (Kingma & Ba, 2015) after each round; 0 never learns.
        batch: how many tasks of its stream's buffer a step sees, drawn with replacement.
        outer_lr: the length of these steps.
        window: how many of the newest tasks the buffer keeps; left out: all.
        watch: makes a `drift.Detector` for each stream. It is shown the logarithm of every loss;
            on its alarm that stream's buffer is cut to the newest ``keep`` tasks.
        keep: see ``watch``.
    """

    def __init__(
        self,
        learner: FollowTheMetaLeader,
        generator: torch.Generator,
        *,
        steps: int = 10,
        batch: int = 8,
        outer_lr: float = 1e-3,
        window: int | None = None,
        watch: Callable[[], Detector] | None = None,
        keep: int = 1,
    ):
        checks.count(0, steps=steps)
        checks.count(batch=batch, keep=keep)
        checks.rate(outer_lr=outer_lr)
        if window is not None:
            checks.count(window=window)
        self.learner, self.generator = learner, generator
        self.steps, self.batch, self.window, self.keep = steps, batch, window, keep
        self.detectors = [watch() for _ in range(learner.num_streams)] if watch else []
        self.seen: list[Episodes] = []
        """every task so far, by round"""
        self._buffer: list[Tensor] = []
        self.since = torch.zeros(learner.num_streams, dtype=torch.int64)
        """``(S,)``: the round of the oldest task in each stream's buffer"""
        self.alarms: list[Tensor] = []
        """after each round ``(S,)``, True where the detector gave an alarm"""
        self._optimizer = torch.optim.Adam(learner.params.values(), lr=outer_lr, fused=True)

    @torch.no_grad()
    def adapt(self, support: Examples) -> Any:
        """Each stream's start, adapted to this round's support."""
        return self.learner.adapt(support)

    @torch.no_grad()
    def predict(self, adapted: Any, x: Tensor) -> Tensor:
        """``(S, M)`` values at ``x`` ``(S, M, …)``."""
        return self.learner.predict(adapted, x)

    def observe(self, task: Episodes, losses: Tensor) -> None:
        """All of the round's task is revealed: it goes into the buffer, and learning begins.

        Args:
            task: one task for each stream, S in all.
            losses: ``(S,)``, what was lost on it; for the detectors.
        """
        checks.asked(task)
        if task.num_tasks != self.learner.num_streams or losses.shape != (task.num_tasks,):
            raise ValueError(
                f"{task.num_tasks} tasks with losses {tuple(losses.shape)} for "
                f"{self.learner.num_streams} streams: give each stream one task and one loss"
            )
        self._keep(task)
        number = len(self.seen)
        alarm = torch.zeros(len(losses), dtype=torch.bool)
        for stream, detector in enumerate(self.detectors):
            alarm[stream] = detector.update(math.log(max(losses[stream].item(), 1e-12)))
        self.alarms.append(alarm)
        self.since[alarm] = max(number - self.keep, 0)
        if self.window is not None:
            self.since.clamp_(min=number - self.window)
        for _ in range(self.steps):
            _, gradient = self.learner.meta_gradient(self._some())
            for name, value in self.learner.params.items():
                value.grad = gradient[name].contiguous()
            self._optimizer.step()

    def _some(self) -> Episodes:
        """``batch`` tasks of each stream's buffer, stream by stream."""
        streams = len(self.since)
        sizes = (len(self.seen) - self.since).unsqueeze(1)
        luck = torch.rand(streams, self.batch, generator=self.generator)
        # Rounding may reach the size itself, which is one too far.
        places = self.since.unsqueeze(1) + (luck * sizes).long().clamp(max=sizes - 1)
        chosen = [
            part[places, torch.arange(streams).unsqueeze(1)].flatten(0, 1) for part in self._buffer
        ]
        return Episodes(Examples(*chosen[:2]), Examples(*chosen[2:]))

    def _keep(self, task: Episodes) -> None:
        """Into tensors that double when they are full: to stack all tasks anew takes longer."""
        parts, number = [*task.support, *task.query], len(self.seen)
        if not self._buffer:
            self._buffer = [part.new_empty(64, *part.shape) for part in parts]
        for place, part in enumerate(parts):
            if number == len(self._buffer[place]):
                self._buffer[place] = torch.cat([self._buffer[place]] * 2)
            self._buffer[place][number] = part
        self.seen.append(task)


class Recorder:
    """Plays as ``learner`` does, and keeps what a picture of the stream needs.

    Args:
        learner: an ``OnlineLearner``.
        x: ``(M,)``, where its predictions are kept.
    """

    def __init__(self, learner: OnlineLearner, x: Tensor):
        checks.tensor(x=x)
        self.learner, self._x = learner, x
        self._curves: list[Tensor] = []
        self._since: list[Tensor] = []

    @property
    def curves(self) -> Tensor:
        """``(S, R, M)``: what it said of each round's task, before it was told the answers."""
        if not self._curves:
            return self._x.new_empty(self.learner.learner.num_streams, 0, len(self._x))
        return torch.stack(self._curves, 1)

    @property
    def since(self) -> Tensor:
        """``(S, R)``: the oldest round in the buffer from which it learned for each round."""
        if not self._since:
            return self.learner.since.new_empty(self.learner.learner.num_streams, 0)
        return torch.stack(self._since, 1)

    def adapt(self, support: Examples) -> Any:
        adapted = self.learner.adapt(support)
        x = self._x.view(1, -1, 1).expand(len(support.x), -1, 1)
        self._curves.append(self.learner.predict(adapted, x))
        self._since.append(self.learner.since.clone())
        return adapted

    def predict(self, adapted: Any, x: Tensor) -> Tensor:
        return self.learner.predict(adapted, x)

    def observe(self, task: Episodes, losses: Tensor) -> None:
        self.learner.observe(task, losses)


def play(learner: Any, rounds: Iterable[Episodes]) -> Tensor:
    """Lets ``learner`` meet a stream, task after task, and counts what it loses.

    In each round it adapts to the support and predicts on the query. Only then it is told the
    answers, to learn from them for the rounds to come.

    Args:
        learner: has ``adapt``, ``predict`` and ``observe(task, losses)``.
        rounds: each with one task for each of S streams.

    Returns:
        ``(S, R)``: the mean query loss of each stream in each round.
    """
    losses = []
    for task in rounds:
        predicted = learner.predict(learner.adapt(task.support), task.query.x)
        losses.append(task_losses(predicted, task.query.y))
        learner.observe(task, losses[-1])
    return torch.stack(losses, 1)


def regret(losses: Tensor, best: Tensor) -> Tensor:
    """``(S, R)``: by how much more was lost so far than by ``best``, one start kept all along.

    Both are ``(S, R)``, losses by round. Where ``best`` is only the best *fixed* start and the
    world changes, whoever follows may lose less: then this is negative.
    """
    checks.tensor(losses=losses, best=best)
    if losses.shape != best.shape:
        raise ValueError(f"losses {tuple(losses.shape)} and best {tuple(best.shape)}: one shape")
    return (losses - best).cumsum(-1)
