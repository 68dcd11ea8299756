"""Exercises: hints on request, and checks that say which mistake was made.

An exercise is named ``NOTEBOOK.NAME``, such as ``04.inner_step``. Its card and its starter cell
are in the notebook; its hints and its check are in this folder, one file per notebook.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from metalearn_lite.teaching.console import printable

MODULES = {
    "00": "start_here",
    "01": "supervised_learning",
    "02": "tasks_and_episodes",
    "03": "maml_mathematics",
    "04": "maml_on_sinusoids",
    "05": "first_order_and_friends",
    "06": "few_shot_characters",
    "07": "learning_a_metric",
    "08": "maml_on_omniglot",
    "09": "learning_in_context",
    "10": "meta_rl_by_gradient",
    "11": "meta_rl_by_memory",
    "12": "choosing_how_to_learn",
}


class Mistake(Exception):
    """Raised by a check; its message tells the learner what went wrong."""


class NotAttempted(Exception):
    """The starter cell has not been changed yet."""


@dataclass(frozen=True)
class Exercise:
    """``check`` is called with the learner's answer and raises ``Mistake`` where it is wrong."""

    hints: tuple[str, str, str]
    check: Callable[[Any], None]
    praise: str


@dataclass(frozen=True)
class Verdict:
    """What ``check`` found: ``status`` is "right", "wrong" or "not attempted"."""

    status: str
    message: str

    @property
    def passed(self) -> bool:
        return self.status == "right"

    def __repr__(self) -> str:
        mark = {"right": "✔", "wrong": "✗", "not attempted": "○"}[self.status]
        return printable(f"{mark} {self.message}")


def find(name: str) -> Exercise:
    """The exercise called ``name``.

    Raises:
        KeyError: there is none; the message lists those there are.
    """
    notebook, _, short = name.partition(".")
    exercises = {}
    if notebook in MODULES:
        exercises = import_module(f"{__name__}.{MODULES[notebook]}").EXERCISES
    if short not in exercises:
        there = ", ".join(f"{notebook}.{key}" for key in exercises) or ", ".join(MODULES)
        raise KeyError(f"no exercise {name!r}. There are: {there}")
    return exercises[short]


def check(name: str, answer: Any) -> Verdict:
    """Tests ``answer`` and says what it found. It never raises because of the answer."""
    exercise = find(name)
    try:
        exercise.check(answer)
    except (NotAttempted, NotImplementedError):
        return Verdict("not attempted", f'Not attempted yet. For a hint: hint("{name}", 1)')
    except Mistake as mistake:
        return Verdict("wrong", str(mistake))
    except Exception as error:
        line = traceback.extract_tb(error.__traceback__)[-1]
        where = f" (line {line.lineno}: {line.line})" if line.line else ""
        return Verdict("wrong", f"Your code raised {type(error).__name__}: {error}{where}")
    return Verdict("right", exercise.praise)


def hint(name: str, level: int = 1) -> None:
    """Prints hint 1, 2 or 3, each telling more than the one before."""
    hints = find(name).hints
    if level not in range(1, len(hints) + 1):
        raise ValueError(f"level={level!r}: choose 1 to {len(hints)}")
    print(printable(f"Hint {level} of {len(hints)}: {hints[level - 1]}"))


def attempted(result: Any) -> Any:
    """``result``, unless it is what an unchanged starter returns."""
    if result is None or result is Ellipsis:
        raise NotAttempted
    return result
