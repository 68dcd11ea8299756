"""The in-context explorer: place points, and watch learners that read them answer at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import Learner, task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess
from metalearn_lite.tasks.sinusoids import INPUT, Sinusoids
from metalearn_lite.widgets import picture, words
from metalearn_lite.widgets.layout import button, row, shrinking, still_figure
from metalearn_lite.widgets.picture import (
    Picture,
    Pointer,
    Sentence,
    new_figure,
    plain_axes,
    solid_looks,
)
from metalearn_lite.widgets.play import Play

NUM_QUERIES = 121
MAX_POINTS = 20
VALUES = (-6.5, 6.5)
ERRORS = (1e-3, 1e2)
TWO_SIDED_95 = 1.96

MAX_LEARNERS = 4  # each with a colour and a marker of its own, in both charts
LEGEND = {"fontsize": 10, "columnspacing": 1, "handlelength": 1.6, "frameon": False}


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
    points: np.ndarray
    """``(N, 2)``: x and y of all points in their order, those not read yet included"""
    curves: dict[str, np.ndarray]
    """by learner ``(121,)``: its answers"""
    bands: dict[str, np.ndarray]
    """``(2, 121)``: the lower and upper edge of the 95 % band of each learner that has one"""
    errors: dict[str, np.ndarray]
    """by learner ``(count + 1,)``: the squared distance from the wave after 0 … ``count`` points"""
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

    Raises:
        ValueError: there is no learner, or there are more than four.
    """

    def __init__(
        self,
        learners: Mapping[str, Learner],
        generator: torch.Generator,
        num_points: int = 5,
        inner_steps: int = 10,
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
        self.draw_wave(num_points)

    def draw_wave(self, num_points: int) -> None:
        """Another wave, and ``num_points`` random points on it."""
        self.notice = ""
        wave = Sinusoids().draw_tasks(1, self._generator)
        self._wave = wave(self._x.view(1, -1, 1))
        x, y = wave.draw(num_points, self._generator)
        self.points = list(zip(x.flatten().tolist(), y.flatten().tolist(), strict=True))
        self.read = num_points
        self._known: dict[tuple, Answers] = {}

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
        path = [self._answers(tuple(self.points[:number])) for number in range(count + 1)]
        now = path[-1]
        bands = {
            name: np.stack([curve - spread, curve + spread])
            for name, curve, spread in zip(self.learners, now.curves, now.spreads, strict=True)
            if spread.any()
        }
        return Frame(
            count=count,
            x=self._x.numpy(),
            wave=self._wave[0].numpy(),
            points=np.array(self.points).reshape(-1, 2),
            curves=self._by_name(now.curves),
            bands=bands,
            errors=self._by_name(np.stack([answers.errors for answers in path], 1)),
            sentence=self._sentence(count, now, bands),
        )

    def _by_name(self, values: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(self.learners, values, strict=True))

    @torch.no_grad()
    def _answers(self, points: tuple[tuple[float, float], ...]) -> Answers:
        """All learners' answers, unless they are known: one more point costs one more reading."""
        if points not in self._known:
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

    def _sentence(self, count: int, now: Answers, bands: dict[str, np.ndarray]) -> str:
        errors = ", ".join(
            f"{name} {words.error(error, ERRORS[1])}"
            for name, error in self._by_name(now.errors).items()
        )
        if not self.points:
            said = "Click on the chart to place a point. Before any point is read: "
        else:
            said = f"After reading {count} of {words.count(len(self.points), 'point')}: "
        said += f"error {errors}."
        for name, (low, high) in bands.items():
            inside = ((low <= self._wave[0].numpy()) & (self._wave[0].numpy() <= high)).mean()
            said += (
                f" The {name} band is ±{words.error((high - low).mean() / 2, ERRORS[1])} wide on "
                f"average; {inside:.0%} of the wave lies in it."
            )
        return f"{self.notice} {said}".strip()


class InContextExplorer(ipywidgets.VBox):
    """The view of an ``InContextModel``: two charts, a sentence, and controls."""

    def __init__(self, model: InContextModel):
        self.model = model
        frame = model.frame()
        figure = new_figure(4.6, 4.1)
        self._curves = Curves(plain_axes(figure.subplots(), "x", "y"), frame)
        figure.legend(handles=self._curves.named, loc="outside upper left", ncols=3, **LEGEND)
        self.curves = Picture(figure, self._curves.named, on_click=self._clicked)

        figure = new_figure(3.4, 4.1)
        self._errors = Errors(plain_axes(figure.subplots(), "points read", "squared error"), frame)
        self.errors = Picture(figure, self._errors.moving)
        self.sentence = Sentence()

        self.read = ipywidgets.IntSlider(
            model.read, 0, max(1, len(model.points)), description="points read"
        )
        self.read.layout.width = "420px"
        self.read.style.description_width = "80px"
        self.play = Play(value=self.read.value, max=self.read.max)
        ipywidgets.jslink((self.play, "value"), (self.read, "value"))
        self.read.observe(lambda change: self._set_read(change["new"]), "value")
        self.x, self.y = (
            ipywidgets.FloatText(0.0, step=0.5, description=name, layout={"width": "110px"})
            for name in "xy"
        )
        for box in (self.x, self.y):
            box.style.description_width = "20px"
        hint = ipywidgets.Label("Click on the chart, or type:", layout={"margin": "0 0 0 16px"})

        super().__init__(
            [
                row(shrinking(self.curves, 400), shrinking(self.errors, 300)),
                row(self.play, self.read, button("Shuffle the order", model.shuffle, self.show)),
                self.sentence,
                row(
                    button("New wave", lambda: model.draw_wave(5), self.show),
                    button("Undo point", model.undo_point, self.show),
                    button("Clear", model.clear, self.show),
                    hint,
                    self.x,
                    self.y,
                    button("Add point", self._add_point, self.show),
                ),
            ]
        )
        self.show()

    def show(self) -> None:
        """Brings the pictures, the slider and the sentence up to the model's state."""
        self._showing = True  # the slider moves now because the model did, not the other way round
        self.read.max = self.play.max = max(1, len(self.model.points))
        self.read.value = self.model.read
        self._showing = False
        frame = self.model.frame()
        self._curves.show(frame)
        self._errors.show(frame)
        self.curves.refresh(alt=f"Curves over x. {frame.sentence}")
        self.errors.refresh(alt=f"Error after each point. {frame.sentence}")
        self.sentence.text = frame.sentence

    def filmstrip(self, counts: Sequence[int] = (0, 1, 3, 5)) -> Figure:
        """The curves after reading each of ``counts`` points, as a figure that stays."""
        figure = still_figure(2.5 * len(counts), 3.4)
        panels = figure.subplots(1, len(counts), sharey=True, squeeze=False)[0]
        for axes, count in zip(panels, counts, strict=True):
            plain_axes(axes, "x", "y" if axes is panels[0] else "")
            axes.set_title(f"{words.count(count, 'point')} read", fontsize=picture.FONT_SIZE)
            curves = Curves(axes, self.model.frame(count))
        figure.legend(handles=curves.named, loc="outside lower center", ncols=4, **LEGEND)
        return figure

    def description(self, counts: Sequence[int] = (0, 1, 3, 5)) -> str:
        """The text alternative of ``filmstrip``: a line for each picture."""
        return "\n".join(self.model.frame(count).sentence for count in counts)

    def _set_read(self, count: int) -> None:
        if not self._showing:
            self.model.read, self.model.notice = count, ""
            self.show()

    def _add_point(self) -> None:
        self.model.add_point(self.x.value, self.y.value)

    def _clicked(self, pointer: Pointer) -> None:
        self.model.add_point(pointer.x, pointer.y)
        self.show()

    def __repr__(self) -> str:
        return f"InContextExplorer({self.sentence.text!r})"


class Curves:
    """The true wave, the points, every learner's curve and, where it has one, its band."""

    def __init__(self, axes: Axes, frame: Frame):
        axes.set(xlim=INPUT, ylim=VALUES, xticks=(-4, -2, 0, 2, 4), yticks=(-5, 0, 5))
        self._x = frame.x
        styles = solid_looks(frame.curves)
        self.bands = {
            name: axes.fill_between(
                frame.x,
                *band,
                color=styles[name]["color"],
                alpha=0.25,
                linewidth=0,
                label="its 95 % band",
            )
            for name, band in frame.bands.items()
        }
        (self.wave,) = axes.plot(
            frame.x, frame.wave, "--", color=picture.BLACK, linewidth=1.5, label="true wave"
        )
        self.points, self.waiting = (
            axes.plot(
                [],
                [],
                "o",
                color=color,
                markeredgecolor=picture.BLACK,
                markersize=9,
                label=label,
                clip_on=False,
                zorder=10,
                in_layout=False,  # a line without points would pull the layout to the corner
            )[0]
            for color, label in ((picture.YELLOW, "points read"), ("white", "not read yet"))
        )
        self.curves = {
            name: axes.plot(
                frame.x, frame.curves[name], **style, label=name, markevery=(6 + 5 * i, 20)
            )[0]
            for i, (name, style) in enumerate(styles.items())
        }
        self.named = [self.wave, self.points, self.waiting]
        for name, curve in self.curves.items():
            self.named += [curve, *([self.bands[name]] if name in self.bands else [])]
        self.show(frame)

    def show(self, frame: Frame) -> None:
        self.wave.set_ydata(frame.wave)
        self.points.set_data(*frame.points[: frame.count].T)
        self.waiting.set_data(*frame.points[frame.count :].T)
        for name, curve in frame.curves.items():
            self.curves[name].set_ydata(_drawable(curve))
        for name, (low, high) in frame.bands.items():
            there_and_back = np.concatenate([frame.x, frame.x[::-1]])
            edge = _drawable(np.concatenate([low, high[::-1]]))
            self.bands[name].set_verts([np.stack([there_and_back, edge], 1)])


class Errors:
    """Every learner's error after each point so far."""

    def __init__(self, axes: Axes, frame: Frame):
        axes.set(xlim=(-0.5, MAX_POINTS + 0.5), ylim=ERRORS, yscale="log")
        axes.set_xticks((0, 5, 10, 15, 20))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        styles = solid_looks(frame.errors)
        self.lines = {name: axes.plot([], [], **style)[0] for name, style in styles.items()}
        self.moving = list(self.lines.values())
        self.show(frame)

    def show(self, frame: Frame) -> None:
        for name, errors in frame.errors.items():
            self.lines[name].set_data(range(len(errors)), _drawable(errors, ERRORS))


def _drawable(values: np.ndarray, limits: tuple[float, float] = (-50, 50)) -> np.ndarray:
    """``values`` that can be drawn: what is beyond ``limits`` or no number lies on the edge."""
    low, high = limits
    return np.clip(np.nan_to_num(values, nan=high, posinf=high, neginf=low), low, high)
