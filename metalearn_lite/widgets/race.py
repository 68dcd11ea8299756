"""The race: a recorded training run of several methods, played back side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from metalearn_lite.widgets.kit import (
    Axis,
    Choice,
    Line,
    Live,
    Panel,
    Points,
    Scene,
    Slider,
    Spans,
    Table,
    Try,
    dashed,
    still,
)

Record = Mapping[str, Mapping[str, Sequence[float]]]
"""by method: the ``seconds``, ``iterations``, ``error`` and ``interval`` of every stop"""

NEEDED = ("seconds", "iterations", "error", "interval")
ACROSS = ("seconds", "iterations")
WORST = 6.0
"""always answering 0 gives about 4: a method above this is off the chart"""
DRAWN = (1e-3, WORST)

MAX_METHODS = 8  # each with a colour and a marker of its own


@dataclass(frozen=True)
class Place:
    """A row of the table of leaders."""

    method: str
    error: float
    interval: float
    iterations: int
    tied: bool
    """its interval overlaps that of the first: the two cannot be told apart"""


@dataclass(frozen=True)
class Frame:
    """All that a picture of one moment shows."""

    seconds: float
    across: str
    """what the x-axis counts: "seconds" or "iterations" """
    curves: dict[str, tuple[np.ndarray, np.ndarray]]
    """by method: x and error of every stop so far"""
    intervals: dict[str, float]
    """by method: half the width of the error's 95 % interval now"""
    places: list[Place]
    """the smallest error first"""
    sentence: str
    """what the picture shows, for those who cannot see it"""


class RaceModel:
    """A recorded race. Needs no screen.

    ``stop`` and ``across`` are its state: change them and ask for the next ``frame``.

    Args:
        record: by method, as many numbers for each of ``NEEDED`` as there were stops. At a stop
            all methods had trained for about the same time.
        stop, across: where to look first, and what the x-axis counts.

    Raises:
        ValueError: there are no methods or too many, or their numbers do not fit together.
    """

    def __init__(self, record: Record, stop: int = 0, across: str = "seconds"):
        if not 1 <= len(record) <= MAX_METHODS:
            raise ValueError(f"{len(record)} methods: choose 1 to {MAX_METHODS}")
        counts = {
            (method, name): len(numbers.get(name, ()))
            for method, numbers in record.items()
            for name in NEEDED
        }
        most = max(counts.values())
        for (method, name), count in counts.items():
            if count < max(most, 2):
                raise ValueError(
                    f"{method!r} has {count} numbers for {name!r}: every method needs one for "
                    f"each of the {max(most, 2)} stops"
                )
        self.record = {
            method: {name: np.asarray(numbers[name], float) for name in NEEDED}
            for method, numbers in record.items()
        }
        self.num_stops = most
        self.stop = stop
        self.across = across

    def seconds(self, stop: int) -> float:
        """How long the slowest method had trained at ``stop``."""
        return max(numbers["seconds"][stop] for numbers in self.record.values())

    def furthest(self, across: str) -> float:
        """The largest x there is."""
        return max(numbers[across][-1] for numbers in self.record.values())

    @cached_property
    def last_tie(self) -> int:
        """The last stop at which the first is not alone; the last of all if there is none."""
        ties = [any(place.tied for place in self._places(stop)) for stop in range(self.num_stops)]
        return max((stop for stop, tied in enumerate(ties) if tied), default=self.num_stops - 1)

    def frame(self, stop: int | None = None, across: str | None = None) -> Frame:
        """What there is to see at ``stop`` (``self.stop`` unless it is given)."""
        stop = min(max(self.stop if stop is None else stop, 0), self.num_stops - 1)
        across = self.across if across is None else across
        if across not in ACROSS:
            raise ValueError(f"across={across!r}: choose 'seconds' or 'iterations'")
        places = self._places(stop)
        return Frame(
            seconds=self.seconds(stop),
            across=across,
            curves={
                method: (numbers[across][: stop + 1], numbers["error"][: stop + 1])
                for method, numbers in self.record.items()
            },
            intervals={m: float(n["interval"][stop]) for m, n in self.record.items()},
            places=places,
            sentence=self._sentence(stop, places),
        )

    def _places(self, stop: int) -> list[Place]:
        def number(method: str, name: str) -> float:
            return float(np.nan_to_num(self.record[method][name][stop], nan=np.inf, posinf=np.inf))

        methods = sorted(self.record, key=lambda method: number(method, "error"))
        best = number(methods[0], "error") + number(methods[0], "interval")
        return [
            Place(
                method,
                number(method, "error"),
                number(method, "interval"),
                int(self.record[method]["iterations"][stop]),
                tied=position > 0 and number(method, "error") - number(method, "interval") <= best,
            )
            for position, method in enumerate(methods)
        ]

    def _sentence(self, stop: int, places: list[Place]) -> str:
        first, *_, last = places
        if stop == 0:
            return "At the start nobody has learned anything. Press Play."
        said = f"After {self.seconds(stop):.1f} s {first.method} leads with {_error(first)}"
        tied = [place.method for place in places if place.tied]
        if tied:
            said += f", within the intervals of {_listed(tied)}"
        if len(places) > 1:
            said += f". Last is {last.method} with {_error(last)}"
        gone = [place.method for place in places if place.error > WORST]
        if gone:
            said += f". Off the chart: {_listed(gone)}"
        return said + "."


class Race(Live):
    """A `RaceModel` in the page: curves, a table of leaders, and controls."""

    by = "stop"

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        last = model.num_stops - 1
        times = tuple(f"{model.seconds(stop):.1f} s" for stop in range(last + 1))
        return Scene(
            (_curves(frame, model), _table(frame)),
            (
                Slider("stop", "time", model.stop, high=last, texts=times, play=250),
                Choice("across", "x-axis", model.across, ACROSS),
            ),
            (
                Try("After a tenth of the time", "Who leads? Remember the name, then move the time "
                    "to its end.", values={"stop": max(1, last // 10), "across": "seconds"}),
                Try("By iterations", "All stopped at the same time, and yet some lines are short: "
                    "whose iterations are dear?", values={"stop": last, "across": "iterations"}),
                Try("Too close to call", "The last moment at which the first is not alone. "
                    "The table marks with = who is level with it.",
                    values={"stop": model.last_tie, "across": "seconds"}),
            ),
            sentence=frame.sentence,
            code=f"Race(RaceModel(record, stop={model.stop}, across={model.across!r}))",
        )  # fmt: skip

    def filmstrip(self, seconds: Sequence[float] = (2, 8)) -> still.Figure:
        """The race after each of ``seconds`` and at its end, the end once more over iterations."""
        model, stops = self.model, self._stops(seconds)
        before, model.across = model.across, "seconds"
        scenes = self.scenes_at("stop", stops)
        model.across = "iterations"
        scenes += self.scenes_at("stop", stops[-1:])
        model.across = before
        titles = [f"{model.seconds(stop):.0f} s" for stop in stops]
        return still.strip(scenes, [*titles, f"{titles[-1]}, by iterations"], panels=("errors",))

    def description(self, seconds: Sequence[float] = (2, 8)) -> str:
        """The text alternative of ``filmstrip``: a line for each moment, then the last table."""
        frames = [self.model.frame(stop) for stop in self._stops(seconds)]
        return "\n".join([frame.sentence for frame in frames] + ["", *_rows(frames[-1])])

    def _stops(self, seconds: Sequence[float]) -> list[int]:
        """The stops nearest to these seconds, and the last."""
        stops = range(self.model.num_stops)
        nearest = (
            min(stops, key=lambda stop: abs(self.model.seconds(stop) - at)) for at in seconds
        )
        return [*nearest, stops[-1]]


def _curves(frame: Frame, model: RaceModel) -> Panel:
    """Every method's error so far, with its interval at the head of the curve."""
    errors = np.concatenate([numbers["error"] for numbers in model.record.values()])
    least = 0.75 * float(np.nanmin(errors))
    ticks = tuple(tick for tick in (0.1, 0.2, 0.3, 0.5, 1, 2, 4) if least < tick < WORST)
    styles = dashed(list(model.record))
    names = [Line(f"look {method}", label=method, **style) for method, style in styles.items()]
    lines = [
        Line(method, x, _drawable(errors), label=method, listed=False, link="stop",
             **styles[method] | {"marker": ""})
        for method, (x, errors) in frame.curves.items()
    ]  # fmt: skip
    x, error = np.array([(x[-1], errors[-1]) for x, errors in frame.curves.values()]).T
    around = np.array(list(frame.intervals.values()))
    colors = [style["color"] for style in styles.values()]
    markers = [style["marker"] for style in styles.values()]
    now = {place.method: _error(place) for place in frame.places}
    texts = [f"{method}: {now[method]}" for method in styles]
    return Panel(
        "errors",
        Axis(0, 1.03 * model.furthest(frame.across),
             "seconds of training" if frame.across == "seconds" else "iterations"),
        Axis(least, WORST, "error (MSE)", log=True, ticks=ticks),
        (
            *names,
            *lines,
            Spans("intervals", x, _drawable(error - around), _drawable(error + around),
                  colors=colors, fixed=("colors",)),
            Points("heads", x, _drawable(error), colors=colors, markers=markers, texts=texts,
                   edge="paper", size=10, fixed=("colors", "markers")),
        ),
        alt=f"error over {frame.across}",
        width=560,
        height=380,
    )  # fmt: skip


def _table(frame: Frame) -> Table:
    """The leaders."""
    styles = dashed(list(frame.curves))
    return Table(
        "leaders",
        ("method", "error", "iterations"),
        [
            (f"{'=' if place.tied else ''}{number}. {place.method}", _error(place),
             f"{place.iterations:,}")
            for number, place in enumerate(frame.places, 1)
        ],
        swatches=[styles[place.method]["color"] for place in frame.places],
        caption="= level with the first, by interval",
    )  # fmt: skip


def _drawable(errors: np.ndarray) -> np.ndarray:
    """What is off the chart, or no number, lies on its edge."""
    return np.clip(np.nan_to_num(errors, nan=WORST), *DRAWN)


def _error(place: Place) -> str:
    if not place.error <= WORST:
        return "an error off the chart"
    return f"{place.error:.2f} ± {place.interval:.2f}"


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _rows(frame: Frame) -> list[str]:
    """The table of leaders as lines of text."""
    return [
        f"{number}. {place.method:18} {_error(place):>13} {place.iterations:8,} iterations"
        + ("   (level with the first)" if place.tied else "")
        for number, place in enumerate(frame.places, 1)
    ]
