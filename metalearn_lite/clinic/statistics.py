"""The ward of statistics: every number right, and the sentence about it wrong."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite.clinic.instruments import generator
from metalearn_lite.clinic.patient import Patient

# 14a


def is_better(first: Tensor, second: Tensor) -> bool:
    """Whether one may say that the first is better: accuracies on the same tasks, ``(T,)`` each."""
    return bool(first.mean() > second.mean())


def is_better_healed(first: Tensor, second: Tensor) -> bool:
    """The same, only where the 95 % interval of the difference lies above 0."""
    difference = first - second
    half = 1.96 * difference.std() / len(difference) ** 0.5
    return bool(difference.mean() - half > 0)


def false_alarms(code, seed: int) -> float:
    """How often two learners of one skill are told apart, of 500 comparisons on 32 tasks."""
    draws = generator(seed)
    skill = 0.6 + 0.3 * torch.rand(500, 1, 32, 1, generator=draws)
    right = torch.rand(500, 2, 32, 25, generator=draws) < skill
    accuracy = right.float().mean(-1)
    return sum(code(*pair) for pair in accuracy) / 500


# 14b


def reported_accuracy(validation: Tensor, test: Tensor) -> float:
    """The one number for the abstract, from each checkpoint's accuracies ``(C, T)`` on tasks."""
    return test.mean(1).max().item()


def reported_accuracy_healed(validation: Tensor, test: Tensor) -> float:
    """The same, of the checkpoint that was chosen on other tasks."""
    chosen = validation.mean(1).argmax()
    return test[chosen].mean().item()


def too_high(code, seed: int) -> float:
    """By how much the report is above the truth, 0.8 for all 50 checkpoints: a mean of 100."""
    draws = generator(seed)
    right = torch.rand(100, 2, 50, 50, 5, generator=draws) < 0.8
    accuracy = right.float().mean(-1)
    return sum(code(*halves) for halves in accuracy) / 100 - 0.8


WARD = (
    Patient(
        number="14a",
        ward="statistics",
        name="no interval",
        complaint="Ours has 76.1 % on 32 test tasks, the baseline 75.0 %: ours is better. But each "
        "time we draw other test tasks, another method wins.",
        sick=is_better,
        healed=is_better_healed,
        experiment=false_alarms,
        measures="share of comparisons of two equal learners that find one better",
        line=0.08,
        above=False,
        diagnosis="Of two equal learners one always has the larger mean. A difference is told with "
        "the interval of the difference, task by task, and from enough tasks.",
    ),
    Patient(
        number="14b",
        ward="statistics",
        name="the best of many checkpoints",
        complaint="The best of our 50 checkpoints has 86 % on the test tasks. Reviewers who ran it "
        "on tasks of their own got 80 %.",
        sick=reported_accuracy,
        healed=reported_accuracy_healed,
        experiment=too_high,
        measures="how far the reported accuracy is above the true one",
        line=0.01,
        above=False,
        diagnosis="The largest of many noisy numbers is large by luck. Choose on validation tasks; "
        "then look at the test tasks once, whatever they say.",
    ),
)
