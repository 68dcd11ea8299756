"""Per exercise: right answers, in two styles, and wrong ones with what the check says to each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module

from metalearn_lite.teaching.exercises import MODULES


@dataclass(frozen=True)
class Answers:
    """``equal`` names the mutants of right answers that the check lets pass, and why it may.

    Its keys are the answer's name, a colon, and what the mutant changes.
    """

    right: tuple[Callable, ...]
    wrong: dict[Callable, str]
    equal: dict[str, str] = field(default_factory=dict)


def all_answers() -> dict[str, Answers]:
    """The answers by the exercise's name, such as "04.inner_step"."""
    found = {}
    for module in MODULES.values():
        found |= import_module(f"{__name__}.{module}").ANSWERS
    return found
