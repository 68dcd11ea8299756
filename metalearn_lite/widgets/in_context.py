"""The in-context explorer: place points, and watch learners that read them answer at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import Learner, task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess
from metalearn_lite.tasks.sinusoids import INPUT, SineTasks, Sinusoids
from metalearn_lite.widgets import words
from metalearn_lite.widgets.kit import (
    Axis,
    Band,
    Button,
    Drag,
    Line,
    Live,
    Panel,
    Points,
    Scene,
    Slider,
    Try,
    solid,
    still,
)

NUM_QUERIES = 121
MAX_POINTS = 20
VALUES = (-6.5, 6.5)
ERRORS = (1e-3, 1e2)
TWO_SIDED_95 = 1.96
MOST_KNOWN = 500
BESIDE = 0.3
"""a point further than this from the wave is no point of it: a hand does not hit it exactly"""

MAX_LEARNERS = 4  # each with a colour and a marker of its own, in both charts


class Answers(NamedTuple):
    """What the learners say about the wave, having read the same points."""

    curves: np.ndarray
    """``(learners, 121)``"""
    spreads: np.ndarray
    """the same shape: half the width of the 95 % band, 0 for a learner that has none"""
    errors: np.ndarray
    """``(learners,)``, mean squared"""


@dataclass(frozen=True)
class Frame:
    """All that a picture of one moment shows."""

    count: int
    """how many points have been read"""
    x: np.ndarray
    """``(121,)``, evenly spaced"""
    wave: np.ndarray
    """``(121,)``, the true values there"""
    beside: int | None
    """the first of the points read that lies beside the wave: from there on nobody has an error"""
    points: np.ndarray
    """``(N, 2)``: x and y of all points in their order, those not read yet included"""
    curves: dict[str, np.ndarray]
    """by learner ``(121,)``: its answers"""
    bands: dict[str, np.ndarray]
    """``(2, 121)``: the lower and upper edge of the 95 % band of each learner that has one"""
    errors: dict[str, np.ndarray]
    """by learner ``(count + 1,)``: the squared distance from the wave after 0 … ``count`` points;
    NaN where a point beside the wave has been read"""
    sentence: str
    """what the picture shows, for those who cannot see it"""


class InContextModel:
    """A sine wave, some points in their order, and learners that read them. Needs no screen.

    ``points`` and ``read`` (how many of them the learners may see) are its state: change them and
    ask for the next ``frame``.

    Args:
        learners: by name, up to four learners of sinusoids. A conditional neural process gets a
            band. They are not changed.
        generator: where waves, random points and random orders come from.
        num_points: how many random points to begin with.
        inner_steps: how many gradient steps a ``MAML`` among the learners takes.
        wave: its amplitude and phase, in place of random ones.
        points: x and y of the points to begin with, in place of random ones.
        read: how many of them have been read; all unless it is given.

    Raises:
        ValueError: there is no learner, or there are more than four.
    """

    def __init__(
        self,
        learners: Mapping[str, Learner],
        generator: torch.Generator,
        num_points: int = 5,
        inner_steps: int = 10,
        wave: tuple[float, float] | None = None,
        points: Sequence[tuple[float, float]] | None = None,
        read: int | None = None,
    ):
        if not 1 <= len(learners) <= MAX_LEARNERS:
            raise ValueError(f"{len(learners)} learners: choose 1 to {MAX_LEARNERS}")
        self.learners = dict(learners)
        self.inner_steps = inner_steps
        self.points: list[tuple[float, float]] = []
        self.read = 0
        self.notice = ""
        self._generator = generator
        self._x = torch.linspace(*INPUT, NUM_QUERIES)
        self.draw_wave(num_points, wave)
        if points is not None:
            self.points = [(float(x), float(y)) for x, y in points]
        self.read = len(self.points) if read is None else read

    def draw_wave(self, num_points: int = 5, wave: tuple[float, float] | None = None) -> None:
        """Another wave, at random or of this amplitude and phase, and random points on it."""
        self.notice = ""
        self._task = Sinusoids().draw_tasks(1, self._generator)
        if wave is not None:
            self._task = SineTasks(*torch.tensor(wave).view(2, 1, 1))
        self._wave = self._task(self._x.view(1, -1, 1))
        x, y = self._task.draw(num_points, self._generator)
        self.points = list(zip(x.flatten().tolist(), y.flatten().tolist(), strict=True))
        self.read = num_points
        self._known: dict[tuple, Answers] = {}

    @property
    def wave(self) -> tuple[float, float]:
        """Its amplitude and phase."""
        return self._task.amplitude.item(), self._task.phase.item()

    def move_point(self, index: int, x: float, y: float) -> None:
        """The point of this number to another place on the chart."""
        self.notice = ""
        place = np.clip((x, y), (INPUT[0], VALUES[0]), (INPUT[1], VALUES[1]))
        self.points[index] = tuple(place.tolist())

    def remove_point(self, index: int) -> None:
        """Takes the point of this number away."""
        self.notice = ""
        del self.points[index]
        self.read -= index < self.read

    def draw_line(self) -> None:
        """Three points of a straight line, in place of all there are."""
        self.notice = ""
        self.points, self.read = [(-3.0, -3.0), (0.0, 0.0), (3.0, 3.0)], 3

    def add_point(self, x: float, y: float) -> None:
        """One more point, wherever it is. What cannot be done is a ``notice``."""
        for name, value, (low, high) in (("x", x, INPUT), ("y", y, VALUES)):
            if not low <= value <= high:
                self.notice = (
                    f"{name} = {value:g} is not on the chart: choose from {low:g} to {high:g}."
                )
                return
        if len(self.points) >= MAX_POINTS:
            self.notice = f"{MAX_POINTS} points are all this chart takes. Undo one first."
            return
        self.notice = ""
        self.points = [*self.points, (float(x), float(y))]
        self.read = len(self.points)

    def undo_point(self) -> None:
        """Takes the newest point away."""
        self.notice = "" if self.points else "There is no point to take away."
        self.points = self.points[:-1]
        self.read = len(self.points)

    def clear(self) -> None:
        """Takes all points away; the wave stays."""
        self.notice = ""
        self.points, self.read = [], 0

    def shuffle(self) -> None:
        """The same points in another order."""
        self.notice = "" if len(self.points) > 1 else "It takes two points to have an order."
        order = torch.randperm(len(self.points), generator=self._generator).tolist()
        if order == sorted(order):  # this, too, is a random order, but none that shows anything
            order.reverse()
        self.points = [self.points[place] for place in order]

    def frame(self, count: int | None = None) -> Frame:
        """What there is to see after ``count`` points (``self.read`` unless it is given)."""
        count = min(max(self.read if count is None else count, 0), len(self.points))
        beside = self._beside(count)
        judged = count if beside is None else beside
        path = [self._answers(tuple(self.points[:number])) for number in range(judged + 1)]
        now = self._answers(tuple(self.points[:count]))
        errors = np.full((len(self.learners), count + 1), np.nan)
        known = np.stack([answers.errors for answers in path], 1)
        errors[:, : judged + 1] = np.nan_to_num(known, nan=np.inf, posinf=np.inf)
        bands = {
            name: np.stack([curve - spread, curve + spread])
            for name, curve, spread in zip(self.learners, now.curves, now.spreads, strict=True)
            if spread.any()
        }
        return Frame(
            count=count,
            x=self._x.numpy(),
            wave=self._wave[0].numpy(),
            beside=beside,
            points=np.array(self.points).reshape(-1, 2),
            curves=self._by_name(now.curves),
            bands=bands,
            errors=self._by_name(errors),
            sentence=self._sentence(count, now, bands, beside),
        )

    def _beside(self, count: int) -> int | None:
        x, y = torch.tensor(self.points[:count]).view(-1, 2).unbind(1)
        off = (self._task(x.view(1, -1, 1))[0] - y).abs() > BESIDE
        return off.nonzero()[0].item() if off.any() else None

    def _by_name(self, values: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(self.learners, values, strict=True))

    @torch.no_grad()
    def _answers(self, points: tuple[tuple[float, float], ...]) -> Answers:
        """All learners' answers, unless they are known: one more point costs one more reading."""
        if points not in self._known:
            if len(self._known) > MOST_KNOWN:
                self._known.clear()
            x, y = torch.tensor(points).view(1, -1, 2).unbind(-1)
            support = Examples(x.unsqueeze(-1), y)
            answers = [self._ask(learner, support) for learner in self.learners.values()]
            curves, spreads = (torch.cat(values) for values in zip(*answers, strict=True))
            errors = task_losses(curves, self._wave.expand_as(curves))
            self._known[points] = Answers(curves.numpy(), spreads.numpy(), errors.numpy())
        return self._known[points]

    def _ask(self, learner: Learner, support: Examples) -> tuple[Tensor, Tensor]:
        x = self._x.view(1, -1, 1)
        if isinstance(learner, ConditionalNeuralProcess):
            distribution = learner.distribution(learner.adapt(support), x)
            return distribution.mean, TWO_SIDED_95 * distribution.stddev
        if isinstance(learner, MAML):
            # Without a point there is nothing to step along.
            steps = self.inner_steps if support.y.numel() else 0
            curve = learner.predict(learner.adapt(support, inner_steps=steps), x)
        else:
            curve = learner.predict(learner.adapt(support), x)
        return curve, torch.zeros_like(curve)

    def _sentence(
        self, count: int, now: Answers, bands: dict[str, np.ndarray], beside: int | None
    ) -> str:
        errors = ", ".join(
            f"{name} {words.error(error, ERRORS[1])}"
            for name, error in self._by_name(now.errors).items()
        )
        if not self.points:
            said = "Click on the chart to place a point. Before any point is read"
        else:
            said = f"After reading {count} of {words.count(len(self.points), 'point')}"
        if beside is None:
            said += f": error {errors}."
        else:
            said += (
                f" there is no error: point {beside + 1} lies beside the wave, so that no true "
                "curve is known."
            )
        for name, (low, high) in bands.items():
            width = words.error((high - low).mean() / 2, ERRORS[1])
            said += f" The {name} band is ±{width} wide on average"
            inside = ((low <= self._wave[0].numpy()) & (self._wave[0].numpy() <= high)).mean()
            said += f"; {inside:.0%} of the wave lies in it." if beside is None else "."
        return f"{self.notice} {said}".strip()


class InContextExplorer(Live):
    """An `InContextModel` in the page: curves over x, errors over points read, and controls."""

    by = "read"

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        number = len(model.points)
        return Scene(
            (_curves(frame), _errors(frame)),
            (
                Slider("read", "points read", model.read, high=max(1, number), play=600),
                Button("shuffle", "Shuffle the order", enabled=number > 1),
                Button("draw_wave", "New wave"),
                Button("undo_point", "Undo point", enabled=number > 0),
                Button("clear", "Clear", enabled=number > 0),
            ),
            (
                Try("Another order", "The same points, read in another order. Which curve moves, "
                    "and which stay?", press="shuffle"),
                Try("Nothing read", "What does each answer before the first point, and how wide is "
                    "the band? Then let the points come one by one.", values={"read": 0}),
                Try("A straight line", "Three points of a line, and all that these learners know "
                    "is waves. Who draws a line, and who a wave?", press="draw_line"),
            ),
            sentence=frame.sentence,
            code=self._code(),
        )  # fmt: skip

    def set(self, name: str, value: int) -> None:
        self.model.read, self.model.notice = value, ""

    def click(self, panel: str, x: float, y: float) -> None:
        self.model.add_point(x, y)

    def drag(self, key: str, index: int, x: float, y: float) -> None:
        self.model.move_point(index, x, y)

    def remove(self, key: str, index: int) -> None:
        self.model.remove_point(index)

    def filmstrip(self, counts: Sequence[int] = (0, 1, 3, 5)) -> still.Figure:
        """The curves after reading each of ``counts`` points, as a figure that stays."""
        titles = [f"{words.count(count, 'point')} read" for count in counts]
        return still.strip(self.scenes_at("read", counts), titles, panels=("curves",))

    def description(self, counts: Sequence[int] = (0, 1, 3, 5)) -> str:
        """The text alternative of ``filmstrip``: a line for each picture."""
        return "\n".join(self.model.frame(count).sentence for count in counts)

    def _code(self) -> str:
        model = self.model
        amplitude, phase = model.wave
        points = ", ".join(f"({x:.4g}, {y:.4g})" for x, y in model.points)
        return (
            "InContextExplorer(InContextModel(learners, generator, "
            f"inner_steps={model.inner_steps}, wave=({amplitude:.4g}, {phase:.4g}), "
            f"points=[{points}], read={model.read}))"
        )


def _curves(frame: Frame) -> Panel:
    """The wave, the points, every learner's curve and, where it has one, its band."""
    x, styles = frame.x, solid(list(frame.curves))
    read, waiting = frame.count, len(frame.points) - frame.count
    true, left = {"x": x, "y": frame.wave}, {}
    if frame.beside is not None:
        true, left = left, true
    dashed = {"fixed": ("x", "y"), "dash": "--", "width": 1.5}
    # Not to be seen until it lights up: the point read last before an error. After 0 there is none.
    last = np.concatenate([[[np.nan, np.nan]], frame.points]).T
    return Panel(
        "curves",
        Axis(*INPUT, "x", ticks=(-4, -2, 0, 2, 4)),
        Axis(*VALUES, "y", ticks=(-5, 0, 5)),
        (
            *(Band(f"band {name}", x, *edges, label=f"{name}, 95 % band", opacity=0.25,
                   color=styles[name]["color"], fixed=("x",))
              for name, edges in frame.bands.items()),
            Line("left wave", **left, **dashed, label="a wave no longer followed", listed=False,
                 color="gray", opacity=0.5),
            Line("wave", **true, **dashed, label="true wave"),
            *(Line(f"curve {name}", x, curve, label=name, fixed=("x",), every=(6 + 5 * i, 20),
                   **styles[name]) for i, (name, curve) in enumerate(frame.curves.items())),
            Points("read", label="points read", color="yellow", edge="ink", size=11),
            Points("waiting", label="not read yet", color="paper", edge="ink", size=11),
            Line("last read", *last, opacity=0, link="count"),
            Points("points", *frame.points.T, colors=["yellow"] * read + ["paper"] * waiting,
                   edge="ink", size=11, drag=Drag("a point", removable=True)),
        ),
        alt="curves over x",
        width=460,
        height=340,
        click="add a point",
    )  # fmt: skip


def _errors(frame: Frame) -> Panel:
    """Every learner's error after each point so far."""
    lines = [
        Line(f"error {name}", np.arange(frame.count + 1), np.clip(frame.errors[name], *ERRORS),
             label=name, listed=False, link="count", **style)
        for name, style in solid(list(frame.errors)).items()
    ]  # fmt: skip
    return Panel(
        "errors",
        Axis(-0.5, MAX_POINTS + 0.5, "points read", ticks=(0, 5, 10, 15, 20)),
        Axis(*ERRORS, "squared error", log=True),
        tuple(lines),
        alt="error after each point",
        width=340,
        height=340,
    )
