"""The stream player: walk along a stream of tasks and watch buffer, predictions and regret."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import ipywidgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes
from metalearn_lite.figures import looks
from metalearn_lite.learners.online import Recorder, regret
from metalearn_lite.tasks.sinusoids import INPUT
from metalearn_lite.tasks.streams import Streams
from metalearn_lite.widgets import picture, words
from metalearn_lite.widgets.layout import row, shrinking, still_figure
from metalearn_lite.widgets.picture import Picture, Sentence, new_figure, plain_axes
from metalearn_lite.widgets.play import Play

VALUES = (-7.0, 7.0)
MOST_REGRET = 1e4
MAX_LEARNERS = 5  # each with a colour and a marker of its own
LEGEND = {"fontsize": 9.5, "columnspacing": 0.8, "handlelength": 1.5, "frameon": False}


@dataclass(frozen=True)
class Frame:
    """All that a picture of one round shows."""

    round: int
    """1 … R"""
    phases: np.ndarray
    """``(round,)``: each wave's phase so far, 0 … 2π"""
    in_buffer: np.ndarray
    """``(round,)``, True where the wave is in the buffer shown; this round's never is"""
    alarms: np.ndarray
    """rounds after which that buffer was cut by an alarm"""
    x: np.ndarray
    """``(M,)``"""
    wave: np.ndarray
    """``(M,)``: the truth"""
    support_x: np.ndarray
    support_y: np.ndarray
    curves: dict[str, np.ndarray]
    """by learner ``(M,)``: what it says after adapting to the support"""
    losses: dict[str, float]
    """by learner: the query loss of this round"""
    regrets: dict[str, np.ndarray]
    """by learner ``(round,)``: regret against the best start in hindsight, summed up"""
    sentence: str
    """what the picture shows, for those who cannot see it"""


class StreamModel:
    """Streams that learners have played, to be looked at round by round. Needs no screen.

    ``stream`` (0 …), ``round`` (1 … R) and ``buffer_of`` (a learner) are its state: change them
    and ask for the next ``frame``.

    Args:
        streams: the waves, of S streams.
        rounds: their points, as the learners met them.
        records: by learner its ``Recorder`` and its losses ``(S, R)``. Up to five learners.
        best: ``(S, R)``, the losses of the best start in hindsight.
        x: where the recorders kept predictions.

    Raises:
        ValueError: there is no learner, there are more than five, or shapes do not fit.
    """

    def __init__(
        self,
        streams: Streams,
        rounds: Sequence[Episodes],
        records: Mapping[str, tuple[Recorder, Tensor]],
        best: Tensor,
        x: Tensor,
    ):
        if not 1 <= len(records) <= MAX_LEARNERS:
            raise ValueError(f"{len(records)} learners: choose 1 to {MAX_LEARNERS}")
        shape = tuple(streams.phase.shape)
        for name, (_, losses) in records.items():
            if losses.shape != best.shape or tuple(losses.shape) != shape:
                raise ValueError(f"the losses of {name!r} are {tuple(losses.shape)}: give {shape}")
        if len(rounds) != shape[1]:
            raise ValueError(f"{len(rounds)} rounds with points, but the streams have {shape[1]}")
        self.num_streams, self.num_rounds = shape
        self.learners = list(records)
        self.stream, self.round, self.buffer_of = 0, 1, self.learners[0]
        self._streams, self._rounds, self._x = streams, list(rounds), x
        self._curves = {name: one.curves for name, (one, _) in records.items()}
        self._since = {name: one.since for name, (one, _) in records.items()}
        self._alarms = {
            name: torch.stack(one.learner.alarms, 1) for name, (one, _) in records.items()
        }
        self._losses = {name: losses for name, (_, losses) in records.items()}
        self._regrets = {name: regret(losses, best) for name, losses in self._losses.items()}

    def frame(self, round: int | None = None) -> Frame:
        """What there is to see in ``round`` (``self.round`` unless it is given)."""
        checks.choice(self.learners, buffer_of=self.buffer_of)
        stream = min(max(self.stream, 0), self.num_streams - 1)
        number = min(max(self.round if round is None else round, 1), self.num_rounds)
        now = number - 1
        places = np.arange(number)
        since = int(self._since[self.buffer_of][stream, now])
        wave = self._streams.waves(now)
        grid = self._x.view(1, -1, 1).expand(self.num_streams, -1, 1)
        support = self._rounds[now].support
        frame = Frame(
            round=number,
            phases=(self._streams.phase[stream, :number] % (2 * math.pi)).numpy(),
            in_buffer=(places >= since) & (places < now),
            alarms=self._alarms[self.buffer_of][stream, :now].nonzero().flatten().numpy() + 1,
            x=self._x.numpy(),
            wave=wave(grid)[stream].numpy(),
            support_x=support.x[stream].flatten().numpy(),
            support_y=support.y[stream].numpy(),
            curves={n: curves[stream, now].numpy() for n, curves in self._curves.items()},
            losses={n: losses[stream, now].item() for n, losses in self._losses.items()},
            regrets={n: values[stream, :number].numpy() for n, values in self._regrets.items()},
            sentence="",
        )
        return replace(frame, sentence=self._sentence(frame, stream))

    def most_regret(self) -> float:
        """Of the stream shown, the largest regret there is to draw."""
        stream = min(max(self.stream, 0), self.num_streams - 1)
        values = torch.stack([values[stream] for values in self._regrets.values()])
        return float(values.nan_to_num(nan=0, posinf=MOST_REGRET).clamp(1, MOST_REGRET).max())

    def _sentence(self, frame: Frame, stream: int) -> str:
        size = int(frame.in_buffer.sum())
        lost = ", ".join(f"{n} {words.error(v, 1e3)}" for n, v in frame.losses.items())
        regrets = ", ".join(f"{n} {v[-1]:.0f}" for n, v in frame.regrets.items())
        cut = ""
        if len(frame.alarms):
            cut = f" (last cut by an alarm after round {frame.alarms[-1]})"
        return (
            f"Stream {stream + 1}, round {frame.round} of {self.num_rounds}. The buffer of "
            f"{self.buffer_of} holds {words.count(size, 'task')}{cut}. Loss on this wave: {lost}. "
            f"Regret so far: {regrets}."
        )


class StreamPlayer(ipywidgets.VBox):
    """The view of a ``StreamModel``: three charts, a sentence, and controls."""

    def __init__(self, model: StreamModel):
        self.model = model
        frame = model.frame()
        figure = new_figure(2.75, 3.5)
        axes = plain_axes(figure.subplots(), "round", "phase of the wave (rad)")
        self._buffer = Buffer(axes, frame, model.num_rounds)
        figure.legend(handles=self._buffer.legend, loc="outside upper left", ncols=2, **LEGEND)
        self.buffer = Picture(figure, self._buffer.moving)

        figure = new_figure(2.5, 3.5)
        self._curves = Curves(plain_axes(figure.subplots(), "x", "y"), frame)
        figure.legend(handles=self._curves.legend, loc="outside upper left", ncols=2, **LEGEND)
        self.curves = Picture(figure, self._curves.moving)

        self._regret_figure = new_figure(2.6, 3.5)
        axes = plain_axes(self._regret_figure.subplots(), "round", "regret, summed up")
        self._regret = Regret(axes, frame, model.num_rounds, model.most_regret())
        self._regret_figure.legend(
            handles=self._regret.legend, loc="outside upper left", ncols=1, **LEGEND
        )
        self.regret = Picture(self._regret_figure, self._regret.legend)
        self.sentence = Sentence()

        self.round = ipywidgets.IntSlider(model.round, 1, model.num_rounds, description="round")
        self.round.layout.width = "420px"
        self.play = Play(value=model.round, max=model.num_rounds, milliseconds=400)
        ipywidgets.jslink((self.play, "value"), (self.round, "value"))
        self.stream = ipywidgets.IntSlider(1, 1, model.num_streams, description="stream")
        self.stream.layout.width = "260px"
        self.buffer_of = ipywidgets.Dropdown(options=model.learners, description="buffer of")
        self.buffer_of.layout.width = "280px"
        for control in (self.round, self.stream, self.buffer_of):
            control.style.description_width = "70px"
        self.round.observe(lambda change: self._set(round=change["new"]), "value")
        self.stream.observe(lambda change: self._set(stream=change["new"] - 1), "value")
        self.buffer_of.observe(lambda change: self._set(buffer_of=change["new"]), "value")
        super().__init__(
            [
                row(
                    shrinking(self.buffer, 220),
                    shrinking(self.curves, 200),
                    shrinking(self.regret, 210),
                ),
                row(self.play, self.round),
                self.sentence,
                row(self.stream, self.buffer_of),
            ]
        )
        self.show()

    def show(self, layout: bool = False) -> None:
        """Brings the pictures and the sentence up to the model's state."""
        frame = self.model.frame()
        for part in (self._buffer, self._curves, self._regret):
            part.show(frame)
        if layout:
            self._regret.scale(self.model.most_regret())
        self.buffer.refresh(alt=f"The stream and the buffer. {frame.sentence}")
        self.curves.refresh(alt=f"Predictions on this wave. {frame.sentence}")
        self.regret.refresh(alt=f"Regret so far. {frame.sentence}", layout=layout)
        self.sentence.text = frame.sentence

    def filmstrip(self, rounds: Sequence[int] = (10, 30, 80)) -> Figure:
        """Buffer and predictions in each of ``rounds``, then the regret: a figure that stays."""
        figure = still_figure(2.9 * len(rounds) + 3.2, 5.4)
        states, end = figure.subfigures(1, 2, width_ratios=(2.9 * len(rounds), 3.2))
        panels = states.subplots(2, len(rounds), squeeze=False)
        for column, number in enumerate(rounds):
            frame, first = self.model.frame(number), column == 0
            above, below = panels[:, column]
            axes = plain_axes(above, "round", "phase (rad)" if first else "")
            buffer = Buffer(axes, frame, self.model.num_rounds)
            above.set_title(f"round {number}", fontsize=picture.FONT_SIZE)
            curves = Curves(plain_axes(below, "x", "y" if first else ""), frame)
        axes = plain_axes(end.subplots(), "round", "regret, summed up")
        last = Regret(axes, frame, self.model.num_rounds, self.model.most_regret())
        axes.set_title(f"up to round {rounds[-1]}", fontsize=picture.FONT_SIZE)
        handles = [*buffer.legend, *curves.legend[:2]]
        states.legend(handles=handles, loc="outside lower center", ncols=5, **LEGEND)
        end.legend(handles=last.legend, loc="outside lower center", ncols=1, **LEGEND)
        return figure

    def description(self, rounds: Sequence[int] = (10, 30, 80)) -> str:
        """The text alternative of ``filmstrip``: a line for each round."""
        return "\n".join(self.model.frame(number).sentence for number in rounds)

    def _set(self, **state) -> None:
        for name, value in state.items():
            setattr(self.model, name, value)
        self.show(layout="stream" in state)

    def __repr__(self) -> str:
        return f"StreamPlayer({self.sentence.text!r})"


class Buffer:
    """Every wave's phase so far: full where it is in the buffer, hollow where it is not."""

    def __init__(self, axes: Axes, frame: Frame, num_rounds: int):
        axes.set(xlim=(0, num_rounds + 1), ylim=(-0.2, 2 * math.pi + 0.2))
        axes.set_yticks((0, math.pi, 2 * math.pi), ("0", "π", "2π"))
        edge = {"markeredgecolor": picture.BLACK, "linestyle": "", "markersize": 5}
        (self.out,) = axes.plot([], [], "o", markerfacecolor="white", label="not in it", **edge)
        (self.held,) = axes.plot([], [], "o", color=picture.BLUE, label="in the buffer", **edge)
        (self.now,) = axes.plot(
            [], [], "D", color=picture.VERMILION, markersize=9, linestyle="", label="now"
        )
        (self.alarms,) = axes.plot(
            [], [], "|", color=picture.BLACK, markersize=16, markeredgewidth=2, linestyle=""
        )
        self.alarms.set_label("alarm")
        self.legend = [self.held, self.out, self.now, self.alarms]
        self.moving = self.legend
        self.show(frame)

    def show(self, frame: Frame) -> None:
        number = np.arange(1, frame.round + 1)
        out = ~frame.in_buffer
        out[-1] = False
        self.held.set_data(number[frame.in_buffer], frame.phases[frame.in_buffer])
        self.out.set_data(number[out], frame.phases[out])
        self.now.set_data(number[-1:], frame.phases[-1:])
        self.alarms.set_data(frame.alarms, np.full(len(frame.alarms), 0.1))


class Curves:
    """The true wave of this round, its support, and every learner's prediction."""

    def __init__(self, axes: Axes, frame: Frame):
        axes.set(xlim=INPUT, ylim=VALUES, xticks=(-4, 0, 4), yticks=(-5, 0, 5))
        (self.wave,) = axes.plot([], [], "--", color=picture.BLACK, linewidth=1.5)
        (self.points,) = axes.plot(
            [], [], "o", color=picture.YELLOW, markeredgecolor=picture.BLACK, markersize=8
        )
        self.wave.set_label("true wave")
        self.points.set_label("support")
        self.predictions = _lines(axes, frame)
        self.points.set_zorder(10)
        self.legend = [self.wave, self.points]
        self.moving = [self.wave, *self.predictions.values(), self.points]
        self.show(frame)

    def show(self, frame: Frame) -> None:
        self.wave.set_data(frame.x, frame.wave)
        self.points.set_data(frame.support_x, np.clip(frame.support_y, *VALUES))
        for name, curve in frame.curves.items():
            edge = 10 * VALUES[1]
            drawn = np.clip(np.nan_to_num(curve, nan=edge, posinf=edge, neginf=-edge), -edge, edge)
            self.predictions[name].set_data(frame.x, drawn)
            self.predictions[name].set_markevery(max(1, len(frame.x) // 5))


class Regret:
    """Every learner's regret up to this round."""

    def __init__(self, axes: Axes, frame: Frame, num_rounds: int, most: float):
        self._axes = axes
        axes.set(xlim=(0, num_rounds + 1))
        axes.axhline(0, color=picture.BLACK, linewidth=0.8)
        self.lines = _lines(axes, frame)
        self.legend = list(self.lines.values())
        self.scale(most)
        self.show(frame)

    def scale(self, most: float) -> None:
        self._axes.set_ylim(-0.1 * most, 1.05 * most)

    def show(self, frame: Frame) -> None:
        for name, values in frame.regrets.items():
            drawn = np.clip(np.nan_to_num(values, nan=MOST_REGRET), -MOST_REGRET, MOST_REGRET)
            self.lines[name].set_data(np.arange(1, frame.round + 1), drawn)
            self.lines[name].set_markevery(max(1, frame.round // 5))


def _lines(axes: Axes, frame: Frame) -> dict:
    few = {"linewidth": 1.6, "markersize": 5}
    return {
        name: axes.plot([], [], **style | few, label=name)[0]
        for name, style in looks(frame.curves).items()
    }
