"""Exercises: hints on request, and checks that say which mistake was made.

An exercise is named ``NOTEBOOK.NAME``, such as ``04.inner_step``. Its card and its starter cell
are in the notebook; its hints and its check are in this folder, one file per notebook.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from metalearn_lite.teaching import done
from metalearn_lite.teaching.comparing import Mistake, a_or_an
from metalearn_lite.teaching.console import printable
from metalearn_lite.teaching.running import NotAttempted, attempted, mistake_in, notebook_data
from metalearn_lite.teaching.session import standard_session

__all__ = ["Exercise", "Mistake", "Verdict", "attempted", "check", "find", "hint"]

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
    "13": "a_stream_of_tasks",
    "14": "robust_private_unlabelled",
    "15": "bug_clinic",
    "16": "libraries_and_scale",
    "17": "what_came_next",
}


# What `yours` handed out in place of an answer: whoever checks that has not answered.
stepped_in: dict[str, Callable] = {}


class UnknownExercise(KeyError):
    """There is no exercise of this name; the message lists those there are."""

    def __str__(self) -> str:
        return self.args[0]  # a KeyError would show it in quotes


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
        TypeError: ``name`` is no text.
        UnknownExercise: there is none.
    """
    if not isinstance(name, str):
        raise TypeError(
            f'An exercise is named in quotes, such as "04.inner_step"; got {a_or_an(name)}.'
        )
    notebook, _, short = name.partition(".")
    exercises = {}
    if notebook in MODULES:
        exercises = import_module(f"{__name__}.{MODULES[notebook]}").EXERCISES
    if short not in exercises:
        there = ", ".join(f"{notebook}.{key}" for key in exercises) or ", ".join(MODULES)
        raise UnknownExercise(f"no exercise {name!r}. There are: {there}")
    return exercises[short]


def check(name: str, answer: Any) -> Verdict:
    """Tests ``answer`` and says what it found. It never raises because of the answer.

    The session is left as it was found. In the main thread on Linux and macOS an endless loop is
    ended after ten seconds; on Windows, in other threads, and inside of one call into C it is
    not: interrupt the kernel there.
    """
    exercise = find(name)
    if not callable(answer):
        return Verdict(
            "wrong",
            f"check needs the function itself, its name without brackets: it got "
            f"{a_or_an(answer)}.",
        )
    if stepped_in.get(name) is answer:
        return Verdict(
            "not attempted",
            "This is the package's version, which stepped in for yours. Run the cell with your "
            "function again, then this one.",
        )
    with standard_session() as notes:
        try:
            mistake = mistake_in(exercise.check, answer)
        except NotAttempted:
            return Verdict("not attempted", f'Not attempted yet. For a hint: hint("{name}", 1)')
    status, message = ("right", exercise.praise) if mistake is None else ("wrong", mistake)
    if status == "right":
        done.record(name)
    if mistake is not None and (names := notebook_data(answer)):
        message += f" (It reads {', '.join(names)} of the notebook: arguments were meant?)"
    if notes:
        message += f" (In this session {'; '.join(notes)}. The check ran without that.)"
    return Verdict(status, message)


def hint(name: str, level: int = 1) -> None:
    """Prints hint 1, 2 or 3, each telling more than the one before."""
    hints = find(name).hints
    if not isinstance(level, int) or level not in range(1, len(hints) + 1):
        raise ValueError(f"level={level!r}: choose 1 to {len(hints)}")
    print(printable(f"Hint {level} of {len(hints)}: {hints[level - 1]}"))
