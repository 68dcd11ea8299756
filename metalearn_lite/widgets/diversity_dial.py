"""The diversity dial: how many training tasks there were, and what that made of the learner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from metalearn_lite import checks
from metalearn_lite.widgets import words
from metalearn_lite.widgets.kit import (
    Axis,
    Band,
    Line,
    Live,
    Panel,
    Points,
    Rules,
    Scene,
    Slider,
    Try,
    solid,
    still,
)

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
        count, read: where to look first; left out, at the fewest tasks, after all examples.

    Raises:
        ValueError: there is no run, their numbers do not fit together, or there is no such place.
    """

    def __init__(self, record: Record, count: int | None = None, read: int | None = None):
        runs: dict[int, list[Mapping]] = {}
        for name, run in record.items():
            tasks, _, seed = name.partition("/")
            if tasks == "fresh":
                continue
            if not (tasks.isdecimal() and seed.isdecimal()):
                raise ValueError(f"a run is called {name!r}: name it COUNT/SEED, such as 64/0")
            runs.setdefault(int(tasks), []).append(run)
        if not runs:
            raise ValueError("the record holds no run: there is nothing to show")
        self.counts = tuple(sorted(runs))
        self._runs = {tasks: runs[tasks] for tasks in self.counts}
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
        self.read = self.most_read if read is None else read
        checks.count(0, self.most_read, read=self.read)
        self.turn_to(self.counts[0] if count is None else count)

    def turn_to(self, count: int) -> None:
        """The place of those runs that had ``count`` training tasks."""
        self.place = self.place_of(count)

    def place_of(self, count: int) -> int:
        """Where ``count`` training tasks stand among all counts.

        Raises:
            ValueError: no run had so many.
        """
        words.require(
            count in self.counts,
            f"nothing was trained on {count} tasks: choose {', '.join(map(str, self.counts))}",
        )
        return self.counts.index(count)

    @property
    def turn(self) -> int | None:
        """The first place whose answers on new tasks are more like ridge's, all examples read."""
        places = np.flatnonzero(self._leaning(self.most_read) > 0.5)
        return int(places[0]) if len(places) else None

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
        examples = words.count(frame.read, "example")
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


# The view

ERRORS = (1e-3, 10.0)
LEARNER, GUESS, RIDGE = "transformer", "best guess", "ridge"
LINES = {
    # by name: who it is, how it is called, and its dash, which says on which tasks
    "best guess, list": (GUESS, "best guess, its list", "--"),
    "best guess, new": (GUESS, "best guess, new tasks", "-"),
    "ridge, new": (RIDGE, "ridge, new tasks", "-"),
    "learner, list": (LEARNER, "transformer, its list", "--"),
    "learner, new": (LEARNER, "transformer, new tasks", "-"),
}
OWN = ("learner, list", "learner, new")
MOST_TICKS = 3  # of counts: the numbers of all would lie on one another
GO_THERE = "go to this number of tasks"
READ_SO_MANY = "read so many examples"


class DiversityDial(Live):
    """A `DiversityDialModel` in the page: errors over tasks and examples, and whose answers."""

    by = "count"

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        return Scene(
            (_counts(frame), _leaning(frame), _reading(frame, model.most_read)),
            (
                Slider("count", "training tasks", frame.count, stops=frame.counts,
                       texts=tuple(f"{count:,}" for count in frame.counts), play=900),
                Slider("read", "examples read", frame.read, high=model.most_read, play=600),
            ),
            self._tries(),
            sentence=frame.sentence,
            note=_note(frame),
            code=f"DiversityDial(DiversityDialModel(diversity.load(), count={frame.count}, "
            f"read={frame.read}))",
        )  # fmt: skip

    def set(self, name: str, value: float) -> None:
        if name == "count":
            self.model.turn_to(int(value))
        else:
            self.model.read = int(value)

    def pick(self, key: str, index: int) -> None:
        if key.startswith("reading"):
            self.model.read = index
        else:
            self.model.place = index

    def filmstrip(self, counts: Sequence[int] = (2, 16, 4096)) -> still.Figure:
        """Errors at each of ``counts``, then whose answers at all of them: a figure that stays."""
        frames, most_read = self._frames(counts), self.model.most_read
        scenes = [Scene((_reading(one, most_read, listed=True), _leaning(one))) for one in frames]
        titles = [f"{count:,} training task{'s' * (count != 1)}" for count in counts]
        return still.strip(scenes, titles, panels=("reading",), end=("leaning",))

    def description(self, counts: Sequence[int] = (2, 16, 4096)) -> str:
        """The text alternative of ``filmstrip``: a line for each number of tasks."""
        return "\n".join(frame.sentence for frame in self._frames(counts))

    def _frames(self, counts: Sequence[int]) -> list[Frame]:
        return [self.model.frame(self.model.place_of(count)) for count in counts]

    def _tries(self) -> tuple[Try, ...]:
        model = self.model
        first, last, whole = model.counts[0], model.counts[-1], {"read": model.most_read}
        shortest = Try(
            "The shortest list",
            "All examples are read. On its list it is nearly perfect; whose answers does it give "
            "on new tasks?",
            values=whole | {"count": first},
        )
        longest = Try(
            "The longest list",
            "Its list and new tasks cost the same now. Who still does better on the list, and who "
            "on new tasks?",
            values=whole | {"count": last},
        )
        unread = Try(
            "Nothing read",
            "Without an example ridge answers 0. On new tasks the transformer does worse. What "
            "does it answer, and why does that pay on its list?",
            values={"count": first, "read": 0},
        )
        turning = ()
        if model.turn:
            turning = (
                Try(
                    "Before it turns",
                    "Go one stop further. On which side of the dotted line are its answers on new "
                    "tasks before, and on which after?",
                    values=whole | {"count": model.counts[model.turn - 1]},
                ),
            )
        return shortest, *turning, longest, unread


def _counts(frame: Frame) -> Panel:
    """Errors over the number of training tasks, after as many examples as have been read."""
    here = frame.counts[frame.place]
    heads = [
        Points(f"counts {name}, now", [here], _on_chart([frame.error(name)]), listed=False,
               edge="paper", size=13, **_style(name))
        for name in OWN
    ]  # fmt: skip
    return Panel(
        "counts",
        _count_axis(frame),
        Axis(*ERRORS, "squared error above the noise", log=True),
        (
            Rules("counts now", [here]),
            *_lines("counts", frame.counts, frame.curves, GO_THERE, "count", listed=True),
            *heads,
        ),
        title="after so many examples",
        alt="errors by number of training tasks",
        width=360,
        height=310,
    )


def _leaning(frame: Frame) -> Panel:
    """Whose answers the learner's are nearer to on new tasks, over the number of training tasks."""
    here, lean = frame.counts[frame.place], frame.leaning[[frame.place]]
    head = ([here], lean) if np.isfinite(lean).all() else ()
    style = solid([LEARNER, GUESS, RIDGE])[LEARNER]
    return Panel(
        "leaning",
        _count_axis(frame),
        Axis(-0.05, 1.05, "its answers on new tasks", ticks=(0, 0.5, 1),
             names=("best guess’s", "halfway", "ridge’s")),
        (
            Rules("halfway", [0.5], dash=":", flat=True),
            Rules("leaning now", [here]),
            Line("leaning learner", frame.counts, frame.leaning, label="transformer, new tasks",
                 listed=False, link="count", pick=GO_THERE, fixed=("x",), **style),
            Points("leaning here", *head, listed=False, edge="paper", size=13, **style),
        ),
        title="whose answers?",
        alt="whose answers it gives on new tasks, by number of training tasks",
        width=300,
        height=310,
    )  # fmt: skip


def _reading(frame: Frame, most_read: int, listed: bool = False) -> Panel:
    """Errors over the examples read, at this number of training tasks."""
    heads = [
        Points(f"reading {name}, now", [frame.read], _on_chart([frame.error(name)]), listed=False,
               edge="paper", size=13, **_style(name))
        for name in OWN
    ]  # fmt: skip
    return Panel(
        "reading",
        Axis(-0.02 * most_read, 1.02 * most_read, "examples read"),
        Axis(*ERRORS, "squared error above the noise", log=True),
        (
            Rules("reading now", [frame.read]),
            *_lines("reading", range(most_read + 1), frame.reading, READ_SO_MANY, "read", listed),
            *heads,
        ),
        title="with so many training tasks",
        alt="errors by examples read",
        width=320,
        height=310,
    )


def _lines(
    panel: str, x: Sequence[int], curves: Mapping[str, Curve], pick: str, link: str, listed: bool
) -> list[Band | Line]:
    """Each one's line; below them the learner's bands, from the lowest run to the highest."""
    bands = [
        Band(f"{panel} {name}, runs", x, _on_chart(curves[name].low), _on_chart(curves[name].high),
             color=_style(name)["color"], opacity=0.25, fixed=("x",))
        for name in OWN
    ]  # fmt: skip
    lines = [
        Line(f"{panel} {name}", x, _on_chart(curves[name].mean), label=label, dash=dash, link=link,
             listed=listed, pick=pick if name in OWN else "", fixed=("x",),
             **_style(name))
        for name, (_, label, dash) in LINES.items()
    ]  # fmt: skip
    return [*bands, *lines]


def _style(name: str) -> dict[str, str]:
    return solid([LEARNER, GUESS, RIDGE])[LINES[name][0]]


def _on_chart(errors: Sequence[float] | np.ndarray) -> np.ndarray:
    """What is off the chart lies on its edge."""
    return np.clip(errors, *ERRORS)


def _count_axis(frame: Frame) -> Axis:
    counts = frame.counts
    some = counts[:: -(-len(counts) // MOST_TICKS)]
    names = tuple(f"{count:,}" for count in some)
    return Axis(counts[0] / 1.3, counts[-1] * 1.3, "training tasks", log=True, ticks=some,
                names=names)  # fmt: skip


def _note(frame: Frame) -> str:
    return (
        "Solid: new tasks; dashed: tasks of its list. A line is the mean of "
        f"{words.count(frame.num_runs, 'run')}, a band goes from the lowest to the highest. What "
        f"is below {ERRORS[0]:g} lies on the edge. A click on a mark of the transformer goes there."
    )
