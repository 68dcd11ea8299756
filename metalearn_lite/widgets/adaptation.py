"""The adaptation explorer: give a few points to several initialisations and watch them learn."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.tasks.sinusoids import AMPLITUDE, INPUT, PHASE, SineTasks
from metalearn_lite.widgets import picture
from metalearn_lite.widgets.picture import Picture, Pointer, Sentence, new_figure, plain_axes
from metalearn_lite.widgets.play import Play

NUM_QUERIES = 201
MAX_POINTS = 30
VALUES = (-6.5, 6.5)
ERRORS = (1e-3, 1e2)

# Each learner has a colour and a marker of its own, in both charts.
STYLES = (
    {"color": picture.BLUE, "marker": "o"},
    {"color": picture.VERMILION, "marker": "s"},
    {"color": picture.GREEN, "marker": "^"},
    {"color": picture.PURPLE, "marker": "D"},
)


@dataclass(frozen=True)
class Frame:
    """All that a picture of one moment shows. Errors are mean squared errors."""

    step: int
    x: np.ndarray
    """``(201,)``, evenly spaced: the query points"""
    wave: np.ndarray
    """``(201,)``, the true values there"""
    support_x: np.ndarray
    support_y: np.ndarray
    curves: dict[str, np.ndarray]
    """by learner ``(201,)``: its prediction after ``step`` steps; need not be finite"""
    query_errors: dict[str, np.ndarray]
    """by learner ``(step + 1,)``: the error on the query points after 0 … ``step`` steps"""
    support_errors: dict[str, np.ndarray]
    """the same on the support points; empty where there are none"""
    sentence: str
    """what the picture shows, for those who cannot see it"""


class AdaptationModel:
    """One sine wave, some of its points, and learners that adapt to them. Needs no screen.

    ``amplitude``, ``phase``, ``inner_lr``, ``step`` and ``points`` (the support's x) are its
    state: change them and ask for the next ``frame``.

    Args:
        learners: by name, up to four that adapt in inner steps, such as ``MAML`` and
            ``JointTraining``. They are not changed.
        generator: where random points come from.
        num_points: how many random points to begin with.
        amplitude, phase: the wave ``amplitude · sin(x - phase)``.
        inner_lr: α, for all learners alike.
        max_steps: how many inner steps are taken.

    Raises:
        ValueError: there is no learner or there are more than four, or ``max_steps`` is below 1.
    """

    def __init__(
        self,
        learners: Mapping[str, MAML],
        generator: torch.Generator,
        num_points: int = 5,
        amplitude: float = 3.0,
        phase: float = 1.0,
        inner_lr: float = 0.01,
        max_steps: int = 10,
    ):
        if not 1 <= len(learners) <= len(STYLES):
            raise ValueError(f"{len(learners)} learners: choose 1 to {len(STYLES)}")
        if max_steps < 1:
            raise ValueError(f"max_steps={max_steps}: choose 1 or more")
        self.learners = dict(learners)
        self.amplitude, self.phase = amplitude, phase
        self.inner_lr = inner_lr
        self.max_steps = max_steps
        self.step = 0
        self.points: list[float] = []
        self.notice = ""
        self._generator = generator
        self._x = torch.linspace(*INPUT, NUM_QUERIES)
        self._adapted_to: tuple | None = None
        self._trajectories: dict[str, Trajectory] = {}
        self.draw_points(num_points)

    def add_point(self, x: float) -> None:
        """One more support point, on the wave at ``x``. What cannot be done is a ``notice``."""
        low, high = INPUT
        if not low <= x <= high:
            self.notice = f"x = {x:g} is not on the chart: choose from {low:g} to {high:g}."
        elif len(self.points) >= MAX_POINTS:
            self.notice = f"{MAX_POINTS} points are all this chart takes. Undo one first."
        else:
            self.notice = ""
            self.points.append(float(x))

    def undo_point(self) -> None:
        """Takes the newest point away."""
        self.notice = "" if self.points else "There is no point to take away."
        self.points = self.points[:-1]

    def draw_points(self, num_points: int) -> None:
        """New points at random, in place of all there are; 0 clears them."""
        self.notice = ""
        x = torch.empty(num_points).uniform_(*INPUT, generator=self._generator)
        self.points = x.tolist()

    def frame(self, step: int | None = None) -> Frame:
        """What there is to see after ``step`` inner steps (``self.step`` unless it is given)."""
        self._adapt()
        step = min(max(self.step if step is None else step, 0), self.max_steps)
        # Without a point there is nothing to step along.
        taken = step if self.points else 0
        support = self._examples(torch.tensor(self.points))
        ways = self._trajectories
        return Frame(
            step=taken,
            x=self._x.numpy(),
            wave=self._examples(self._x).y[0].numpy(),
            support_x=support.x.flatten().numpy(),
            support_y=support.y.flatten().numpy(),
            curves={name: way.curves[taken] for name, way in ways.items()},
            query_errors={name: way.query_errors[: taken + 1] for name, way in ways.items()},
            support_errors={name: way.support_errors[: taken + 1] for name, way in ways.items()},
            sentence=self._sentence(taken),
        )

    def _examples(self, x: Tensor) -> Examples:
        wave = SineTasks(torch.tensor([[self.amplitude]]), torch.tensor([[self.phase]]))
        x = x.reshape(1, -1, 1)
        return Examples(x, wave(x))

    def _adapt(self) -> None:
        """Every learner's trajectory, unless it is known: then another step costs nothing."""
        now = (self.amplitude, self.phase, self.inner_lr, *self.points)
        if now == self._adapted_to:
            return
        query = self._examples(self._x)
        support = self._examples(torch.tensor(self.points))
        for name, learner in self.learners.items():
            learner = copy.copy(learner)
            learner.inner_lr = self.inner_lr
            self._trajectories[name] = _trajectory(learner, support, query, self.max_steps)
        self._adapted_to = now

    def _sentence(self, step: int) -> str:
        errors = ", ".join(
            f"{name} {_error(way.query_errors[step])}" for name, way in self._trajectories.items()
        )
        if self.points:
            said = f"After {_count(step, 'step')} on {_count(len(self.points), 'point')}: "
        else:
            said = (
                "Click on the chart to give the learners a point. Until then nothing is learned: "
            )
        said += f"query error {errors}."
        gone = {
            name: np.flatnonzero(~(way.query_errors[: step + 1] <= ERRORS[1]))
            for name, way in self._trajectories.items()
        }
        left = ", ".join(f"{name} (at step {at[0]})" for name, at in gone.items() if len(at))
        if left:
            said += (
                f" Off the chart: {left}."
                f" An inner rate of {self.inner_lr:.2g} is too long a step for these points."
            )
        return f"{self.notice} {said}".strip()


@dataclass(frozen=True)
class Trajectory:
    """One learner's predictions and errors; entry 0 is its initialisation."""

    curves: np.ndarray
    """``(steps + 1, 201)``"""
    query_errors: np.ndarray
    support_errors: np.ndarray


@torch.no_grad()
def _trajectory(learner: MAML, support: Examples, query: Examples, num_steps: int) -> Trajectory:
    has_points = support.y.numel() > 0
    trace = learner.trace(support, inner_steps=num_steps if has_points else 0)
    curves = torch.cat([learner.predict(adapted, query.x) for adapted in trace.adapted])
    errors = task_losses(curves, query.y.expand_as(curves))
    support_errors = trace.support_loss[:, 0].numpy() if has_points else np.empty(0)
    return Trajectory(curves.numpy(), errors.numpy(), support_errors)


class AdaptationExplorer(ipywidgets.VBox):
    """The view of an ``AdaptationModel``: two charts, a sentence, and controls."""

    def __init__(self, model: AdaptationModel):
        self.model = model
        frame = model.frame()
        self._curves = CurveChart(new_figure(4.35, 3.9), frame)
        self._errors = ErrorChart(new_figure(3.4, 3.9), frame, model.max_steps)
        self._curve_picture = Picture(
            self._curves.figure, self._curves.moving, on_click=self._clicked
        )
        self._error_picture = Picture(self._errors.figure, self._errors.moving)
        self.sentence = Sentence()

        self.step = ipywidgets.IntSlider(model.step, 0, model.max_steps, description="step")
        self.play = Play(value=model.step, max=model.max_steps)
        ipywidgets.jslink((self.play, "value"), (self.step, "value"))
        self.amplitude = ipywidgets.FloatSlider(
            model.amplitude, min=AMPLITUDE[0], max=AMPLITUDE[1], step=0.1, description="amplitude"
        )
        self.phase = ipywidgets.FloatSlider(
            model.phase, min=PHASE[0], max=PHASE[1], step=0.05, description="phase (rad)"
        )
        self.inner_lr = ipywidgets.FloatLogSlider(
            model.inner_lr, min=-3, max=0, step=0.05, description="inner rate", readout_format=".2g"
        )
        for name in ("step", "amplitude", "phase", "inner_lr"):
            slider = getattr(self, name)
            slider.observe(lambda change, name=name: self._set(name, change["new"]), "value")
            slider.layout.width = "420px" if slider is self.step else "250px"
            slider.style.description_width = "80px"
        self.x = ipywidgets.FloatText(0.0, step=0.5, layout={"width": "70px"})
        hint = ipywidgets.Label(
            "Click on the chart, or type an x:", layout={"margin": "0 4px 0 16px"}
        )

        super().__init__(
            [
                _row(self._curve_picture, self._error_picture),
                _row(self.play, self.step),
                self.sentence,
                _row(self.amplitude, self.phase, self.inner_lr),
                _row(
                    _button("New points", "Five new points at random", self._new_points),
                    _button("Undo point", "Take the newest point away", self._undo),
                    _button("Clear", "Take all points away", self._clear),
                    hint,
                    self.x,
                    _button("Add point", "A point on the wave at this x", self._add),
                ),
            ]
        )
        self.show()

    def show(self) -> None:
        """Brings the pictures and the sentence up to the model's state."""
        frame = self.model.frame()
        self._curves.show(frame)
        self._errors.show(frame)
        self._curve_picture.alt = f"Curves over x. {frame.sentence}"
        self._error_picture.alt = f"Error at each step. {frame.sentence}"
        self._curve_picture.refresh()
        self._error_picture.refresh()
        self.sentence.text = frame.sentence

    def filmstrip(self, steps: Sequence[int] = (0, 1, 5, 10)) -> Figure:
        """The curves after each of ``steps``, side by side, as a figure that stays."""
        return filmstrip(self.model, steps)

    def description(self, steps: Sequence[int] = (0, 1, 5, 10)) -> str:
        """The text alternative of ``filmstrip``."""
        return description(self.model, steps)

    def _set(self, name: str, value: float) -> None:
        setattr(self.model, name, value)
        self.show()

    def _clicked(self, pointer: Pointer) -> None:
        self.model.add_point(pointer.x)
        self.show()

    def _add(self, _) -> None:
        self.model.add_point(self.x.value)
        self.show()

    def _undo(self, _) -> None:
        self.model.undo_point()
        self.show()

    def _clear(self, _) -> None:
        self.model.draw_points(0)
        self.show()

    def _new_points(self, _) -> None:
        self.model.draw_points(5)
        self.show()

    def __repr__(self) -> str:
        return f"AdaptationExplorer({self.sentence.text!r})"


class CurveChart:
    """The true wave, the support points and every learner's prediction over x."""

    def __init__(self, figure: Figure, frame: Frame):
        self.figure = figure
        axes = plain_axes(figure.subplots(), "x", "y")
        self.lines = draw_curves(axes, frame)
        self.moving = list(self.lines.values())
        figure.legend(
            handles=self.moving,
            loc="outside upper left",
            ncols=3,
            columnspacing=1,
            handlelength=1.6,
            fontsize=picture.FONT_SIZE - 1,
            frameon=False,
        )

    def show(self, frame: Frame) -> None:
        self.lines["true wave"].set_ydata(frame.wave)
        self.lines["your points"].set_data(frame.support_x, frame.support_y)
        for name, curve in frame.curves.items():
            self.lines[name].set_ydata(_clipped(curve))


class ErrorChart:
    """Every learner's query and support error after each step so far."""

    def __init__(self, figure: Figure, frame: Frame, max_steps: int):
        self.figure = figure
        axes = plain_axes(figure.subplots(), "step", "mean squared error")
        axes.set(xlim=(-0.4, max_steps + 0.4), ylim=ERRORS, yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        self.now = axes.axvline(0, color=picture.GREY, linewidth=1)
        self.query, self.support = {}, {}
        for (name, style), z in zip(_styles(frame).items(), (9, 8, 7, 6), strict=False):
            color = style["color"]
            (self.support[name],) = axes.plot([], [], ":", color=color, linewidth=2, zorder=z)
            (self.query[name],) = axes.plot([], [], **style, linewidth=2, markersize=6, zorder=z)
        self.moving = [self.now, *self.support.values(), *self.query.values()]
        figure.legend(
            handles=[
                axes.plot([], [], "-", color=picture.BLACK, label="query error")[0],
                axes.plot([], [], ":", color=picture.BLACK, label="support error")[0],
            ],
            loc="outside upper left",
            fontsize=picture.FONT_SIZE,
            frameon=False,
        )

    def show(self, frame: Frame) -> None:
        self.now.set_xdata([frame.step, frame.step])
        for lines, errors in (
            (self.query, frame.query_errors),
            (self.support, frame.support_errors),
        ):
            for name, values in errors.items():
                lines[name].set_data(range(len(values)), _clipped(values, ERRORS))


def draw_curves(axes: Axes, frame: Frame) -> dict:
    """Draws a frame's curves and points into ``axes``; the lines by name."""
    axes.set(xlim=INPUT, ylim=VALUES)
    axes.set(xticks=(-4, -2, 0, 2, 4), yticks=(-5, 0, 5))
    lines = {}
    (lines["true wave"],) = axes.plot(
        frame.x, frame.wave, "--", color=picture.BLACK, linewidth=1.5, label="true wave"
    )
    (lines["your points"],) = axes.plot(
        frame.support_x,
        frame.support_y,
        "o",
        color=picture.YELLOW,
        markeredgecolor=picture.BLACK,
        markersize=9,
        label="your points",
        zorder=10,
        clip_on=False,
    )
    for first, (name, style) in enumerate(_styles(frame).items()):
        (lines[name],) = axes.plot(
            frame.x,
            _clipped(frame.curves[name]),
            **style,
            linewidth=2,
            markersize=6,
            markevery=(10 + 8 * first, 30),
            label=name,
        )
    return lines


def filmstrip(model: AdaptationModel, steps: Sequence[int] = (0, 1, 5, 10)) -> Figure:
    """The curves after each of ``steps``, side by side."""
    # Made by pyplot, as only then a notebook knows how to show it; closed, so that it is shown
    # when it is told to and not once more by itself.
    figure = plt.figure(figsize=(2.5 * len(steps), 3.2), dpi=100, layout="constrained")
    plt.close(figure)
    panels = figure.subplots(1, len(steps), sharey=True, squeeze=False)[0]
    for axes, step in zip(panels, steps, strict=True):
        frame = model.frame(step)
        plain_axes(axes, "x", "y" if axes is panels[0] else "")
        axes.set_title(f"after {_count(step, 'step')}", fontsize=picture.FONT_SIZE)
        lines = draw_curves(axes, frame)
    figure.legend(
        handles=list(lines.values()),
        loc="outside lower center",
        ncols=len(lines),
        fontsize=picture.FONT_SIZE,
        frameon=False,
    )
    return figure


def description(model: AdaptationModel, steps: Sequence[int] = (0, 1, 5, 10)) -> str:
    """What ``filmstrip`` shows, in words."""
    task = f"A wave of amplitude {model.amplitude:.2g} and phase {model.phase:.2g}."
    return "\n".join([task, *(model.frame(step).sentence for step in steps)])


def _styles(frame: Frame) -> dict[str, dict]:
    return dict(zip(frame.curves, STYLES, strict=False))


def _clipped(values: np.ndarray, limits: tuple[float, float] = (-50, 50)) -> np.ndarray:
    """``values`` that can be drawn: what is beyond ``limits`` or no number lies on the edge."""
    low, high = limits
    return np.clip(np.nan_to_num(values, nan=high, posinf=high, neginf=low), low, high)


def _error(value: float) -> str:
    if not value <= ERRORS[1]:
        return "off the chart"
    return f"{value:.2f}" if value >= 0.095 else f"{value:.1g}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _row(*children: ipywidgets.Widget) -> ipywidgets.Box:
    layout = ipywidgets.Layout(
        display="flex", flex_flow="row wrap", align_items="center", grid_gap="4px 8px"
    )
    return ipywidgets.Box(children, layout=layout)


def _button(label: str, tooltip: str, action) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label, tooltip=tooltip, layout={"width": "auto"})
    button.on_click(action)
    return button
