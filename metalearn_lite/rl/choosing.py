"""Choosing a learner: what is known of a task before, and what a learner brings afterwards.

The problem is Rice's (1976): given features of a problem, select the algorithm. Here the problems
are tasks, the algorithms are learners, and nothing but the query tells how well it was selected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import Learner, task_losses
from metalearn_lite.tasks import mixed

SIZES = (5, 20)
NUM_FOLDS = 5


def score(predicted: Tensor, y: Tensor) -> Tensor:
    """``(T,)``, 0 … 1: how much of the spread of ``y`` the predictions take away.

    1 - (root mean squared error) / (standard deviation of y), and 0 where that is negative or no
    number. 1 is perfect, 0 no better than the same answer always. Waves of all heights and lines
    are measured alike, and no failure counts more than 1.
    """
    error = task_losses(predicted, y).sqrt()
    spread = y.std(1, correction=0).clamp(min=1e-6)
    return (1 - error / spread).nan_to_num(nan=0.0).clamp(min=0)


@torch.no_grad()
def held_out_score(learner: Learner, support: Examples, num_folds: int = NUM_FOLDS) -> Tensor:
    """``(T,)``: ``score`` on examples of the support that ``learner`` has not seen.

    The support is parted into ``num_folds`` (cross-validation; with as many folds as examples:
    leave one out). Each is predicted by the learner after it has adapted to the others.

    Raises:
        ValueError: the number of examples is no multiple of ``num_folds``.
    """
    num_tasks, count = support.y.shape
    if count % num_folds or num_folds < 2:
        raise ValueError(f"{count} examples cannot be parted into {num_folds} folds of one size")
    places = torch.arange(count).view(-1, num_folds).T  # (folds, examples of a fold)
    others = torch.stack([torch.cat([places[:f], places[f + 1 :]]).flatten() for f in places[:, 0]])
    # Every fold of every task is a task of its own: all of them adapt in one call.
    seen = Examples(*(part[:, others].flatten(0, 1) for part in support))
    asked = support.x[:, places].flatten(0, 1)
    predicted = learner.predict(learner.adapt(seen), asked).unflatten(0, (num_tasks, num_folds))
    return score(predicted.flatten(1), support.y[:, places].flatten(1))


def task_features(support: Examples, probes: Mapping[str, Learner]) -> Tensor:
    """``(T, 3 + probes)``: what can be known of a task before anyone is judged on it.

    A 1; how many examples there are and how far their y spread, both about 0 … 1; and of each
    probe, a learner that costs little, its ``held_out_score``. The query is not even handed over.
    """
    num_tasks, count = support.y.shape
    smallest, largest = SIZES
    size = math.log(count / smallest) / math.log(largest / smallest)
    columns = [torch.ones(num_tasks), torch.full((num_tasks,), size)]
    columns.append(support.y.std(1, correction=0) / 5)
    columns += [held_out_score(probe, support) for probe in probes.values()]
    return torch.stack(columns, 1)


def feature_names(probes: Mapping[str, Learner]) -> list[str]:
    """What the columns of ``task_features`` are called."""
    return ["always 1", "number of points", "spread of y", *(f"{name} fits" for name in probes)]


class Stream(NamedTuple):
    """``S`` streams of ``H`` tasks each, and what every one of ``K`` learners makes of them."""

    features: Tensor
    """``(S, H, D)``"""
    rewards: Tensor
    """``(S, H, K)``: the ``score`` of each learner on the query. An agent sees one of them."""
    kinds: Tensor
    """``(S, H)``: the place of the task's kind in ``mixed.KINDS``. No agent sees it."""
    support: Examples
    """``x`` ``(S, H, 20, 1)`` and ``y`` ``(S, H, 20)``; tasks of 5 points end in NaN"""


@torch.no_grad()
def record(
    learners: Mapping[str, Learner],
    probes: Mapping[str, Learner],
    num_streams: int,
    horizon: int,
    generator: torch.Generator,
) -> Stream:
    """Streams of mixed tasks: each kind and each of ``SIZES`` as likely, in random order."""
    checks.count(num_streams=num_streams, horizon=horizon)
    count = num_streams * horizon
    group = torch.randint(len(mixed.KINDS) * len(SIZES), (count,), generator=generator)
    kinds, sizes = group // len(SIZES), group % len(SIZES)
    features = torch.empty(count, 3 + len(probes))
    rewards = torch.empty(count, len(learners))
    x, y = torch.full((2, count, max(SIZES)), math.nan)
    for place, kind in enumerate(mixed.KINDS.values()):
        for number, size in enumerate(SIZES):
            here = ((kinds == place) & (sizes == number)).nonzero().squeeze(1)
            if not len(here):
                continue
            support, query = mixed.sample(kind, len(here), size, generator=generator)
            features[here] = task_features(support, probes)
            for column, learner in enumerate(learners.values()):
                predicted = learner.predict(learner.adapt(support), query.x)
                rewards[here, column] = score(predicted, query.y)
            x[here, :size], y[here, :size] = support.x.squeeze(-1), support.y
    support = Examples(x.unsqueeze(-1), y)
    parts = (features, rewards, kinds, *support)
    features, rewards, kinds, x, y = (p.unflatten(0, (num_streams, horizon)) for p in parts)
    return Stream(features, rewards, kinds, Examples(x, y))


def one_stream(stream: Stream, place: int, horizon: int) -> Stream:
    """The first ``horizon`` tasks of the stream at ``place``, as a ``Stream`` with ``S`` = 1."""
    features, rewards, kinds, support = stream
    here = slice(place, place + 1), slice(horizon)
    return Stream(features[here], rewards[here], kinds[here], Examples(*(p[here] for p in support)))
