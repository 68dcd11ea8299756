"""The stream player: walk along a stream of tasks and watch buffer, predictions and regret."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.online import Recorder, regret
from metalearn_lite.tasks.sinusoids import INPUT
from metalearn_lite.tasks.streams import Streams
from metalearn_lite.widgets import words
from metalearn_lite.widgets.kit import (
    Axis,
    Choice,
    Line,
    Live,
    Panel,
    Points,
    Rules,
    Scene,
    Slider,
    Try,
    dashed,
    still,
)

VALUES = (-7.0, 7.0)
MOST_REGRET = 1e4
MAX_LEARNERS = 5  # each with a colour and a marker of its own


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
        stream, round: where to look first.

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
        stream: int = 0,
        round: int = 1,
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
        self.stream, self.round, self.buffer_of = stream, round, self.learners[0]
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


class StreamPlayer(Live):
    """A `StreamModel` in the page: the stream, this round's predictions, regret, and controls."""

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        return Scene(
            (
                _buffer(frame, model.num_rounds),
                _curves(frame),
                _regret(frame, model.num_rounds, model.most_regret()),
            ),
            (
                Slider("round", "round", model.round, 1, model.num_rounds, play=400),
                Slider("stream", "stream", model.stream + 1, 1, model.num_streams),
                Choice("buffer_of", "buffer of", model.buffer_of, tuple(model.learners), menu=True),
            ),
            (
                Try(
                    "The first jump",
                    "The wave has just become another. Whose loss is high, and what is the buffer "
                    "still full of?",
                    press="first_jump",
                ),
                Try(
                    "The end",
                    "Point at a round: where did each learner's regret grow fastest?",
                    values={"round": model.num_rounds},
                ),
            ),
            sentence=frame.sentence,
            code=f"StreamPlayer(StreamModel(streams, rounds, records, best, x, "
            f"stream={model.stream}, round={model.round}))",
        )

    def set(self, name: str, value: int | str) -> None:
        setattr(self.model, name, value - 1 if name == "stream" else value)

    def first_jump(self) -> None:
        """The round in which the phase has changed most from one round to the next."""
        phases = self.model.frame(self.model.num_rounds).phases
        steps = np.abs(np.angle(np.exp(1j * np.diff(phases))))
        self.model.round = int((steps > 0.5 * steps.max()).argmax()) + 2

    def filmstrip(self, rounds: Sequence[int] = (10, 30, 80)) -> still.Figure:
        """Buffer and predictions in each of ``rounds``, then the regret: a figure that stays."""
        scenes = self.scenes_at("round", rounds)
        titles = [f"round {number}" for number in rounds]
        return still.strip(scenes, titles, panels=("buffer", "curves"), end=("regret",))

    def description(self, rounds: Sequence[int] = (10, 30, 80)) -> str:
        """The text alternative of ``filmstrip``: a line for each round."""
        return "\n".join(self.model.frame(number).sentence for number in rounds)


def _buffer(frame: Frame, num_rounds: int) -> Panel:
    """Every wave's phase so far: full where it is in the buffer, hollow where it is not."""
    number = np.arange(1, frame.round + 1)
    colors = ["blue" if held else "paper" for held in frame.in_buffer[:-1]]
    key = {"size": 7, "edge": "ink"}
    return Panel(
        "buffer",
        Axis(-1, num_rounds + 3, "round"),
        Axis(
            -0.4, 2 * math.pi + 0.4, "phase of the wave (rad)", ticks=(0, math.pi, 2 * math.pi),
            names=("0", "π", "2π"),
        ),
        (
            Points("held", label="in the buffer", color="blue", **key),
            Points("out", label="not in it", color="paper", **key),
            Points(
                "waves", number[:-1], frame.phases[:-1], label="a wave", listed=False,
                colors=colors, link="round", **key,
            ),
            Points("now", number[-1:], frame.phases[-1:], label="now", color="red", marker="D",
                   size=11),
            Points("alarms", frame.alarms, np.full(len(frame.alarms), 0.1), label="alarm",
                   marker="|", size=18),
        ),
        title="the stream",
        alt="the stream and what of it is in the buffer",
        width=340,
        height=320,
    )  # fmt: skip


def _curves(frame: Frame) -> Panel:
    """The true wave of this round, its support, and every learner's prediction."""
    return Panel(
        "curves",
        Axis(*INPUT, "x", ticks=(-4, 0, 4)),
        Axis(*VALUES, "y", ticks=(-5, 0, 5)),
        (
            Line("wave", frame.x, frame.wave, label="true wave", dash="--", width=1.5,
                 fixed=("x",)),
            *_lines("curve", {name: (frame.x, curve) for name, curve in frame.curves.items()}),
            Points("support", frame.support_x, frame.support_y.clip(*VALUES), label="support",
                   color="yellow", edge="ink", size=10),
        ),
        title="this round",
        alt="predictions on this round's wave",
        width=310,
        height=320,
    )  # fmt: skip


def _regret(frame: Frame, num_rounds: int, most: float) -> Panel:
    """Every learner's regret up to this round."""
    number = np.arange(1, frame.round + 1)
    drawn = {
        name: (number, np.nan_to_num(values, nan=MOST_REGRET).clip(-MOST_REGRET, MOST_REGRET))
        for name, values in frame.regrets.items()
    }
    return Panel(
        "regret",
        Axis(0, num_rounds + 1, "round"),
        Axis(-0.1 * most, 1.05 * most, "regret, summed up"),
        (Rules("nothing", [0], flat=True), *_lines("regret", drawn, listed=True, link="round")),
        title="regret",
        alt="each learner's regret so far",
        width=330,
        height=320,
    )


def _lines(kind: str, values: dict, listed: bool = False, link: str = "") -> list[Line]:
    return [
        Line(
            f"{kind} {name}", x, y, label=name, listed=listed, link=link, width=1.6,
            every=(0, max(1, len(x) // 5)), **style,
        )
        for (name, style), (x, y) in zip(
            dashed(list(values)).items(), values.values(), strict=True
        )
    ]  # fmt: skip
