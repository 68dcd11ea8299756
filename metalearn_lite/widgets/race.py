"""The race: a recorded training run of several methods, played back side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import ipywidgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from metalearn_lite.figures import looks
from metalearn_lite.widgets import picture
from metalearn_lite.widgets.layout import row, shrinking, still_figure
from metalearn_lite.widgets.picture import Picture, Sentence, new_figure, plain_axes
from metalearn_lite.widgets.play import Play

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

    Raises:
        ValueError: there are no methods or too many, or their numbers do not fit together.
    """

    def __init__(self, record: Record):
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
        self.stop = 0
        self.across = "seconds"

    def seconds(self, stop: int) -> float:
        """How long the slowest method had trained at ``stop``."""
        return max(numbers["seconds"][stop] for numbers in self.record.values())

    def furthest(self, across: str) -> float:
        """The largest x there is."""
        return max(numbers[across][-1] for numbers in self.record.values())

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


class Race(ipywidgets.VBox):
    """The view of a ``RaceModel``: curves, a table of leaders, and controls."""

    def __init__(self, model: RaceModel):
        self.model = model
        figure = new_figure(6.2, 4.4)
        self._curves = Curves(plain_axes(figure.subplots()), model)
        self._curves.show(model.frame())
        figure.legend(handles=self._curves.keys, loc="outside upper left", ncols=3, **LEGEND)
        self.picture = Picture(figure, self._curves.moving)
        # Both x-axes take the same room, so one layout serves both. It costs half of a drawing.
        figure.set_layout_engine("none")
        self.table = ipywidgets.HTML(layout={"margin": "0 0 0 12px"})
        self.sentence = Sentence()

        stops = [(f"{model.seconds(stop):.1f} s", stop) for stop in range(model.num_stops)]
        self.time = ipywidgets.SelectionSlider(
            options=stops, description="time", layout={"width": "420px"}
        )
        self.play = Play(max=model.num_stops - 1, milliseconds=250)
        ipywidgets.jslink((self.play, "value"), (self.time, "index"))
        self.across = ipywidgets.ToggleButtons(options=ACROSS)
        self.across.style.button_width = "100px"
        self.time.observe(lambda change: self._set("stop", change["new"]), "value")
        self.across.observe(lambda change: self._set("across", change["new"]), "value")
        super().__init__(
            [
                row(shrinking(self.picture, 380), self.table),
                row(self.play, self.time),
                row(ipywidgets.Label("x-axis:"), self.across),
                self.sentence,
            ]
        )
        self.show()

    def show(self, layout: bool = False) -> None:
        """Brings picture, table and sentence up to the model's state."""
        frame = self.model.frame()
        self._curves.show(frame)
        self.picture.refresh(alt=f"Error over {frame.across}. {frame.sentence}", layout=layout)
        self.table.value = _table(frame)
        self.sentence.text = frame.sentence

    def filmstrip(self, seconds: Sequence[float] = (2, 8)) -> Figure:
        """The race after each of ``seconds`` and at its end, the end once more over iterations."""
        moments = [*map(self._stop_at, seconds), self.model.num_stops - 1]
        panels = [(stop, "seconds") for stop in moments] + [(moments[-1], "iterations")]
        figure = still_figure(2.9 * len(panels), 3.8)
        all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (stop, across) in zip(all_axes, panels, strict=True):
            curves = Curves(plain_axes(axes), self.model)
            curves.show(self.model.frame(stop, across))
            title = f"{self.model.seconds(stop):.0f} s" + ", by iterations" * (across != "seconds")
            axes.set_title(title, fontsize=picture.FONT_SIZE)
            axes.label_outer()
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(across)
        figure.legend(handles=curves.keys, loc="outside lower center", ncols=4, **LEGEND)
        return figure

    def description(self, seconds: Sequence[float] = (2, 8)) -> str:
        """The text alternative of ``filmstrip``: a line for each moment, then the last table."""
        stops = [*map(self._stop_at, seconds), self.model.num_stops - 1]
        last = self.model.frame(stops[-1])
        return "\n".join([self.model.frame(stop).sentence for stop in stops] + ["", *_rows(last)])

    def _stop_at(self, seconds: float) -> int:
        stops = range(self.model.num_stops)
        return min(stops, key=lambda stop: abs(self.model.seconds(stop) - seconds))

    def _set(self, name: str, value: int | str) -> None:
        setattr(self.model, name, value)
        self.show(layout=name == "across")

    def __repr__(self) -> str:
        return f"Race({self.sentence.text!r})"


class Curves:
    """Every method's error so far, with its interval at the head of the curve."""

    def __init__(self, axes: Axes, model: RaceModel):
        self.axes, self.model = axes, model
        errors = np.concatenate([numbers["error"] for numbers in model.record.values()])
        least = float(np.nanmin(errors))
        axes.set(yscale="log", ylim=(0.75 * least, WORST), ylabel="error (MSE)")
        ticks = [tick for tick in (0.1, 0.2, 0.3, 0.5, 1, 2, 4) if 0.75 * least < tick < WORST]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        self.lines, self.heads, self.bars, self.keys = {}, {}, {}, []
        for method, style in looks(model.record).items():
            style = style | {"linewidth": 1.8, "markersize": 8}
            self.keys += axes.plot([], [], **style, label=method)
            (self.lines[method],) = axes.plot([], [], **style | {"marker": ""}, alpha=0.9)
            (self.heads[method],) = axes.plot(
                [], [], **style | {"linestyle": ""}, markeredgecolor="white", clip_on=False
            )
            (self.bars[method],) = axes.plot([], [], color=style["color"], linewidth=1.2)
        self.moving = [
            artist for kind in (self.lines, self.bars, self.heads) for artist in kind.values()
        ]

    def show(self, frame: Frame) -> None:
        self.axes.set_xlim(0, 1.03 * self.model.furthest(frame.across))
        self.axes.set_xlabel(
            "seconds of training" if frame.across == "seconds" else "iterations",
            fontsize=picture.FONT_SIZE,
        )
        for method, (x, errors) in frame.curves.items():
            drawable = picture.drawable(errors, DRAWN)
            self.lines[method].set_data(x, drawable)
            self.heads[method].set_data(x[-1:], drawable[-1:])
            around = np.array([-1, 1]) * frame.intervals[method]
            self.bars[method].set_data(x[[-1, -1]], picture.drawable(errors[-1] + around, DRAWN))


LEGEND = {"fontsize": 10, "columnspacing": 1, "handlelength": 2.4, "frameon": False}


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


def _table(frame: Frame) -> str:
    """The table of leaders as HTML."""
    head = "".join(
        f"<th style='text-align:left;padding-right:12px'>{title}</th>"
        for title in ("", "method", "error", "iterations")
    )
    body = "".join(
        f"<tr><td>{'=' if place.tied else ''}{number}.</td>"
        f"<td style='padding-right:12px'>{escape(place.method)}</td>"
        f"<td style='padding-right:12px'>{_error(place)}</td>"
        f"<td style='text-align:right'>{place.iterations:,}</td></tr>"
        for number, place in enumerate(frame.places, 1)
    )
    return (
        "<table style='line-height:1.6'><caption style='caption-side:bottom;text-align:left'>"
        "= level with the first: their intervals overlap"
        f"</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
