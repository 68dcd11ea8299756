"""Per exercise: the right answer, and wrong ones with the words the check must say to each."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from metalearn_lite.teaching.exercises import MODULES


@dataclass(frozen=True)
class Answers:
    right: Any
    wrong: dict[Callable, str]


def all_answers() -> dict[str, Answers]:
    """The answers by the exercise's name, such as "04.inner_step"."""
    found = {}
    for module in MODULES.values():
        found |= import_module(f"{__name__}.{module}").ANSWERS
    return found
