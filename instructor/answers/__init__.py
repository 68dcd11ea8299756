"""Per exercise: the right answer, and wrong ones with the words the check must say to each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answers:
    right: Any
    wrong: dict[Callable, str]
