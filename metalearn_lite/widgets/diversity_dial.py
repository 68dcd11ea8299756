"""The diversity dial: how many training tasks there were, and what that made of the learner.

This is the model alone: what there is to see, without a drawing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Record = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]
"""by run, such as "64/0" (64 tasks, seed 0): what `recipes.diversity.judge` found"""

ROWS = ("seen", "unseen")
NAMES = (
    "learner, list",
    "learner, new",
    "best guess, list",
    "best guess, new",
    "ridge, new",
)
"""who, and on which tasks: those of the list, or new ones"""
PLACES = {"list": "seen", "new": "unseen"}
NEARLY_ONE = 0.02
"""where the two ceilings' answers differ by less than this, nobody can lean to one of them"""


@dataclass(frozen=True)
class Curve:
    """The mean over the runs, and the lowest and the highest of them: arrays of one length."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Frame:
    """All that a picture of one moment shows."""

    counts: tuple[int, ...]
    """numbers of training tasks, in order"""
    place: int
    """which of them the dial shows"""
    read: int
    """how many examples have been read"""
    curves: dict[str, Curve]
    """by name the error after ``read`` examples, over ``counts``"""
    reading: dict[str, Curve]
    """by name the error at this count, over 0, 1, … examples read"""
    leaning: np.ndarray
    """over ``counts``: 0 where the learner's answers on new tasks are the best guess's, 1 where
    they are ridge's; NaN where these two say the same"""
    num_runs: int
    sentence: str
    """what the picture shows, for those who cannot see it"""

    @property
    def count(self) -> int:
        return self.counts[self.place]

    def error(self, name: str) -> float:
        """The mean error at this count, after ``read`` examples."""
        return float(self.reading[name].mean[self.read])


class DiversityDialModel:
    """Recorded learners, one for each number of training tasks. Needs no screen.

    ``place`` and ``read`` are its state: change them and ask for the next ``frame``.

    Args:
        record: what ``recipes.diversity.load()`` gives. Runs on tasks that are always new are
            left out: the dial has no place for them.

    Raises:
        ValueError: there is no run, or their numbers do not fit together.
    """

    def __init__(self, record: Record):
        runs: dict[int, list[Mapping]] = {}
        for name, run in record.items():
            count, _, seed = name.partition("/")
            if count == "fresh":
                continue
            if not (count.isdecimal() and seed.isdecimal()):
                raise ValueError(f"a run is called {name!r}: name it COUNT/SEED, such as 64/0")
            runs.setdefault(int(count), []).append(run)
        if not runs:
            raise ValueError("the record holds no run: there is nothing to show")
        self.counts = tuple(sorted(runs))
        self._runs = {count: runs[count] for count in self.counts}
        lengths = {
            len(run.get(row, {}).get(column, ()))
            for found in runs.values()
            for run in found
            for row in ROWS
            for column in ("learner", "ridge", "best guess", "to ridge", "to best guess")
        }
        if len(lengths) != 1 or lengths == {0}:
            raise ValueError(
                "every run needs, for each row and column, one number for each of 0, 1, … "
                f"examples; here there are {', '.join(map(str, sorted(lengths)))} numbers"
            )
        self.most_read = lengths.pop() - 1
        self.place, self.read = 0, self.most_read

    def frame(self, place: int | None = None, read: int | None = None) -> Frame:
        """What there is to see at a place and length; left out, at those of the state."""
        place = _within(self.place if place is None else place, len(self.counts) - 1)
        read = _within(self.read if read is None else read, self.most_read)
        over_counts = {name: _curve(self._values(name)[:, :, read]) for name in NAMES}
        here = self._runs[self.counts[place]]
        frame = Frame(
            counts=self.counts,
            place=place,
            read=read,
            curves=over_counts,
            reading={name: _curve(self._values(name)[place].T) for name in NAMES},
            leaning=self._leaning(read),
            num_runs=len(here),
            sentence="",
        )
        return Frame(**vars(frame) | {"sentence": self._sentence(frame)})

    def _values(self, name: str) -> np.ndarray:
        """``(counts, runs, lengths)``; NaN where a count has fewer runs than others."""
        column, _, where = name.partition(", ")
        return self._column(PLACES[where], column)

    def _column(self, row: str, column: str) -> np.ndarray:
        most = max(map(len, self._runs.values()))
        values = np.full((len(self.counts), most, self.most_read + 1), np.nan)
        for place, runs in enumerate(self._runs.values()):
            for number, run in enumerate(runs):
                values[place, number] = run[row][column]
        return values

    def _leaning(self, read: int) -> np.ndarray:
        to_ridge, to_guess = (
            np.nanmean(self._column("unseen", column)[:, :, read], 1)
            for column in ("to ridge", "to best guess")
        )
        together = to_ridge + to_guess
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(together > NEARLY_ONE, to_guess / together, np.nan)

    def _sentence(self, frame: Frame) -> str:
        examples = f"{frame.read} example" + "s" * (frame.read != 1)
        said = (
            f"Trained on {frame.count:,} tasks. After {examples}, error on these tasks "
            f"{_short(frame.error('learner, list'))} (best guess "
            f"{_short(frame.error('best guess, list'))}), on new ones "
            f"{_short(frame.error('learner, new'))} (best guess "
            f"{_short(frame.error('best guess, new'))}, ridge {_short(frame.error('ridge, new'))})."
        )
        leaning = frame.leaning[frame.place]
        if np.isnan(leaning):
            return f"{said} Best guess and ridge say nearly the same here."
        if leaning > 0.5:
            return f"{said} On new tasks it answers more like ridge: it learns the task."
        return f"{said} On new tasks it answers more like the best guess: it knows its list."


def _within(value: int, most: int) -> int:
    return min(max(int(value), 0), most)


def _curve(values: np.ndarray) -> Curve:
    """Of ``values`` ``(points, runs)``, NaN where there is no such run."""
    return Curve(np.nanmean(values, 1), np.nanmin(values, 1), np.nanmax(values, 1))


def _short(error: float) -> str:
    return f"{error:.2f}" if error < 10 else f"{error:.0f}"
