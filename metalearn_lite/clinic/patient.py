"""A patient of the bug clinic: sick code, its repaired twin, and the experiment that tells them."""

from __future__ import annotations

import difflib
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

WARDS = {
    "gradients": "Gradients and losses",
    "data": "Data",
    "evaluation": "Evaluation",
    "statistics": "Statistics",
    "articles": "Articles",
}


@dataclass(frozen=True)
class Patient:
    """Code with a fault, as small as it can be read, beside the same code without it.

    The names of the code tell what it is meant to be, not what is wrong with it: who reads the
    complaint and the sick code can still guess.
    """

    number: str
    """its place in the list of faults: "1" … "24", with a letter where one place has two faults"""
    ward: str
    """one of ``WARDS``"""
    name: str
    """what it has, in two or three words; the diagnosis says it in a sentence"""
    complaint: str
    """what a user would report"""
    sick: Callable
    healed: Callable
    """the twin: the same arguments, the same kind of answer"""
    experiment: Callable[[Callable, int], float]
    """called with a twin and a seed; gives one number"""
    measures: str
    """what that number is, with its unit"""
    line: float
    """where the number has to be"""
    above: bool
    """whether it passes at the line and above it, or at the line and below it"""
    diagnosis: str
    """what is wrong and how to mend it; told last"""

    def examine(self, code: Callable | None = None, seed: int = 0) -> float:
        """What the experiment measures of ``code``; without one, of the sick twin."""
        return float(self.experiment(self.sick if code is None else code, seed))

    def passes(self, code: Callable, seed: int = 0) -> bool:
        """Whether what the experiment measures of ``code`` is fine."""
        return self.fine(self.examine(code, seed))

    def fine(self, number: float) -> bool:
        """Whether ``number`` is on the right side of the line. A NaN is on neither."""
        return number >= self.line if self.above else number <= self.line

    @property
    def bound(self) -> str:
        """The line in words: ``at most 0.001``."""
        return f"at {'least' if self.above else 'most'} {self.line:g}"

    def source(self, healed: bool = False) -> str:
        """The code of one twin, with what both of them are asked for."""
        return inspect.getsource(self.healed if healed else self.sick).rstrip()

    def source_of_experiment(self) -> str:
        """The code that measures, whatever twin it is given."""
        return inspect.getsource(self.experiment).rstrip()

    def repair(self) -> str:
        """Where the twins differ: ``-`` the sick lines, ``+`` those that heal.

        In the order of the code, with up to two lines around them that both have.
        """
        lines = [_body(twin) for twin in (self.sick, self.healed)]
        _, _, _, *found = difflib.unified_diff(*lines, n=2, lineterm="")
        shown = ["  …" if line.startswith("@@") else f"{line[0]} {line[1:]}" for line in found]
        return "\n".join(line.rstrip() for line in shown)

    def admission(self) -> str:
        """Who comes, and with what: the complaint and the sick code. Nothing is told yet."""
        return _wrapped(f"Patient {self.number}. “{self.complaint}”") + "\n\n" + self.source()

    def findings(self, seeds: range = range(3)) -> str:
        """What the experiment says of both twins, the diagnosis, and the repair line by line."""
        rows = [
            f"  {called:7}" + "".join(f"{self.examine(twin, seed):>12.4g}" for seed in seeds)
            for called, twin in (("sick", self.sick), ("healed", self.healed))
        ]
        return "\n".join(
            [
                _wrapped(f"Experiment: {self.measures}."),
                f"Passes: {self.bound}. With seeds {', '.join(map(str, seeds))}:",
                *rows,
                "",
                _wrapped(f"Diagnosis ({self.name}): {self.diagnosis}"),
                "",
                self.repair(),
            ]
        )


def _body(twin: Callable) -> list[str]:
    """The lines of a function after its signature and docstring."""
    lines = inspect.getsource(twin).splitlines()
    end = next(place for place, line in enumerate(lines) if line.rstrip().endswith('"""'))
    return textwrap.dedent("\n".join(lines[end + 1 :])).splitlines()


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 96)
