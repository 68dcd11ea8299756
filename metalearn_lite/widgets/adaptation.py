"""The adaptation explorer: give a few points to several initialisations and watch them learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Params
from metalearn_lite.tasks.sinusoids import AMPLITUDE, INPUT, PHASE, SineTasks
from metalearn_lite.widgets import picture, words
from metalearn_lite.widgets.layout import button, row
from metalearn_lite.widgets.picture import (
    Picture,
    Pointer,
    Sentence,
    new_figure,
    plain_axes,
    solid_looks,
)
from metalearn_lite.widgets.play import Play

NUM_QUERIES = 201
MAX_POINTS = 30
VALUES = (-6.5, 6.5)
ERRORS = (1e-3, 1e2)

MAX_LEARNERS = 4  # each with a colour and a marker of its own, in both charts
LEGEND = {"fontsize": 10, "columnspacing": 1, "handlelength": 1.6, "frameon": False}


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


MOST_STEPS = 1_000


class AdaptationModel:
    """One sine wave, some of its points, and learners that adapt to them. Needs no screen.

    ``amplitude``, ``phase``, ``inner_lr``, ``step`` and ``points`` (the support's x) are its
    state: change them and ask for the next ``frame``.

    Args:
        learners: by name, up to four that take the inner steps of ``MAML`` with one and the same
            network, such as ``JointTraining``. They are not changed.
        generator: where random points come from.
        num_points: how many random points to begin with.
        amplitude, phase: the wave ``amplitude · sin(x - phase)``.
        inner_lr: α, for all learners alike.
        max_steps: how many inner steps are taken.

    Raises:
        ValueError: there is no learner, there are more than four, or they do not fit together;
            or a number is out of its range: ``max_steps`` 1 to 1,000, ``num_points`` 0 to 30.
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
        if not 1 <= len(learners) <= MAX_LEARNERS:
            raise ValueError(f"{len(learners)} learners: choose 1 to {MAX_LEARNERS}")
        checks.count(1, MOST_STEPS, max_steps=max_steps)
        _require_alike(learners)
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
        checks.count(0, MAX_POINTS, num_points=num_points)
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
        return Frame(
            step=taken,
            x=self._x.numpy(),
            wave=self._examples(self._x).y[0].numpy(),
            support_x=support.x.flatten().numpy(),
            support_y=support.y.flatten().numpy(),
            curves=self._by_name(self._curves[taken]),
            query_errors=self._by_name(self._query_errors[: taken + 1].T),
            support_errors=self._by_name(self._support_errors[: taken + 1].T),
            sentence=self._sentence(taken),
        )

    def _examples(self, x: Tensor) -> Examples:
        wave = SineTasks(torch.tensor([[self.amplitude]]), torch.tensor([[self.phase]]))
        x = x.reshape(1, -1, 1)
        return Examples(x, wave(x))

    def _by_name(self, values: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(self.learners, values, strict=True))

    @torch.no_grad()
    def _adapt(self) -> None:
        """All steps of all learners, unless they are known: then another step costs nothing."""
        checks.finite(amplitude=self.amplitude, phase=self.phase)
        checks.rate(inner_lr=self.inner_lr)
        now = (self.amplitude, self.phase, self.inner_lr, *self.points)
        if now == self._adapted_to:
            return
        together = _SideBySide(list(self.learners.values()), self.inner_lr)
        num_learners, has_points = len(self.learners), bool(self.points)
        query = self._examples(self._x)
        support = self._examples(torch.tensor(self.points))
        support = Examples(*(part.expand(num_learners, *part.shape[1:]) for part in support))
        with _one_thread():
            trace = together.trace(support, self.max_steps if has_points else 0)
            # As if each step were a task: one prediction for all of them.
            steps = {
                name: torch.cat([at[name] for at in trace.adapted]) for name in together.params
            }
            num_states = len(trace.adapted) * num_learners
            curves = together.predict(steps, query.x.expand(num_states, -1, -1))
            errors = task_losses(curves, query.y.expand_as(curves))
        self._curves = curves.view(-1, num_learners, NUM_QUERIES).numpy()
        self._query_errors = errors.view(-1, num_learners).numpy()
        # The mean over no points is no number.
        self._support_errors = trace.support_loss.numpy()[: None if has_points else 0]
        self._adapted_to = now

    def _sentence(self, step: int) -> str:
        errors = ", ".join(
            f"{name} {words.error(error, ERRORS[1])}"
            for name, error in self._by_name(self._query_errors[step]).items()
        )
        if self.points:
            points = words.count(len(self.points), "point")
            said = f"After {words.count(step, 'step')} on {points}: "
        else:
            said = (
                "Click on the chart to give the learners a point. Until then nothing is learned: "
            )
        said += f"query error {errors}."
        gone = {
            name: np.flatnonzero(~(errors <= ERRORS[1]))
            for name, errors in self._by_name(self._query_errors[: step + 1].T).items()
        }
        left = ", ".join(f"{name} (at step {at[0]})" for name, at in gone.items() if len(at))
        if left:
            said += (
                f" Off the chart: {left}."
                f" An inner rate of {self.inner_lr:.2g} is too long a step for these points."
            )
        return f"{self.notice} {said}".strip()


class _SideBySide(MAML):
    """Several initialisations as the tasks of one learner: one trace adapts them all."""

    def __init__(self, learners: Sequence[MAML], inner_lr: float):
        super().__init__(learners[0].network, learners[0].params, inner_lr)
        self._starts = {
            name: torch.stack([learner.params[name].detach() for learner in learners])
            for name in self.params
        }

    def start(self, support: Examples) -> Params:
        return self._starts


def _require_alike(learners: Mapping[str, MAML]) -> None:
    first, *_ = learners.values()
    for name, learner in learners.items():
        if getattr(type(learner), "inner_step", None) is not MAML.inner_step:
            raise ValueError(f"{name!r} takes other inner steps than MAML: leave it out")
        if {k: v.shape for k, v in learner.params.items()} != {
            k: v.shape for k, v in first.params.items()
        }:
            raise ValueError(
                f"{name!r} has another network than the first learner: give it the same"
            )


@contextmanager
def _one_thread() -> Iterator[None]:
    """A few points are too little work to share: threads would only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class AdaptationExplorer(ipywidgets.VBox):
    """The view of an ``AdaptationModel``: two charts, a sentence, and controls."""

    def __init__(self, model: AdaptationModel):
        self.model = model
        frame = model.frame()
        figure = new_figure(4.35, 3.9)
        self._curves = Curves(plain_axes(figure.subplots(), "x", "y"), frame)
        figure.legend(handles=self._curves.lines, loc="outside upper left", ncols=3, **LEGEND)
        self.curves = Picture(figure, self._curves.lines, on_click=self._clicked)

        figure = new_figure(3.4, 3.9)
        axes = plain_axes(figure.subplots(), "step", "mean squared error")
        self._errors = Errors(axes, frame, model.max_steps)
        handles = [
            Line2D([], [], color=picture.BLACK, linestyle=style, label=label)
            for style, label in (("-", "query error"), (":", "support error"))
        ]
        figure.legend(handles=handles, loc="outside upper left", **LEGEND)
        self.errors = Picture(figure, self._errors.lines)
        self.errors.layout.margin = "0 0 0 12px"
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
            slider.layout.width = "420px" if slider is self.step else "245px"
            slider.style.description_width = "80px"
        self.x = ipywidgets.FloatText(0.0, step=0.5, layout={"width": "70px"})
        hint = ipywidgets.Label(
            "Click on the chart, or type an x:", layout={"margin": "0 4px 0 16px"}
        )

        super().__init__(
            [
                row(self.curves, self.errors),
                row(self.play, self.step),
                self.sentence,
                row(self.amplitude, self.phase, self.inner_lr),
                row(
                    button("New points", lambda: model.draw_points(5), self.show),
                    button("Undo point", model.undo_point, self.show),
                    button("Clear", lambda: model.draw_points(0), self.show),
                    hint,
                    self.x,
                    button("Add point", lambda: model.add_point(self.x.value), self.show),
                ),
            ]
        )
        self.show()

    def show(self) -> None:
        """Brings the pictures and the sentence up to the model's state."""
        frame = self.model.frame()
        self._curves.show(frame)
        self._errors.show(frame)
        self.curves.refresh(alt=f"Curves over x. {frame.sentence}")
        self.errors.refresh(alt=f"Error at each step. {frame.sentence}")
        self.sentence.text = frame.sentence

    def filmstrip(self, steps: Sequence[int] = (0, 1, 5, 10)) -> Figure:
        """The curves after each of ``steps``, side by side, as a figure that stays."""
        # Made by pyplot, as only then a notebook knows how to show it; closed, so that it is
        # shown when it is told to and not once more by itself.
        figure = plt.figure(figsize=(2.5 * len(steps), 3.2), dpi=100, layout="constrained")
        plt.close(figure)
        panels = figure.subplots(1, len(steps), sharey=True, squeeze=False)[0]
        for axes, step in zip(panels, steps, strict=True):
            plain_axes(axes, "x", "y" if axes is panels[0] else "")
            axes.set_title(f"after {words.count(step, 'step')}", fontsize=picture.FONT_SIZE)
            curves = Curves(axes, self.model.frame(step))
        figure.legend(handles=curves.lines, loc="outside lower center", ncols=6, **LEGEND)
        return figure

    def description(self, steps: Sequence[int] = (0, 1, 5, 10)) -> str:
        """The text alternative of ``filmstrip``: a line for each step."""
        task = f"A wave of amplitude {self.model.amplitude:.2g} and phase {self.model.phase:.2g}."
        return "\n".join([task, *(self.model.frame(step).sentence for step in steps)])

    def _set(self, name: str, value: float) -> None:
        setattr(self.model, name, value)
        self.show()

    def _clicked(self, pointer: Pointer) -> None:
        self.model.add_point(pointer.x)
        self.show()

    def __repr__(self) -> str:
        return f"AdaptationExplorer({self.sentence.text!r})"


class Curves:
    """The true wave, the support points and every learner's prediction, over x."""

    def __init__(self, axes: Axes, frame: Frame):
        axes.set(xlim=INPUT, ylim=VALUES, xticks=(-4, -2, 0, 2, 4), yticks=(-5, 0, 5))
        (self.wave,) = axes.plot(
            frame.x, frame.wave, "--", color=picture.BLACK, linewidth=1.5, label="true wave"
        )
        (self.points,) = axes.plot(
            frame.support_x,
            frame.support_y,
            "o",
            color=picture.YELLOW,
            markeredgecolor=picture.BLACK,
            markersize=9,
            label="your points",
            clip_on=False,
            zorder=10,
        )
        styles = solid_looks(frame.curves)
        self.predictions = {
            name: axes.plot(
                frame.x,
                _drawable(frame.curves[name]),
                **styles[name],
                label=name,
                markevery=(10 + 8 * i, 30),
                zorder=3 - i / 10,
            )[0]
            for i, name in enumerate(frame.curves)
        }
        self.lines = [self.wave, self.points, *self.predictions.values()]

    def show(self, frame: Frame) -> None:
        self.wave.set_ydata(frame.wave)
        self.points.set_data(frame.support_x, frame.support_y)
        for name, curve in frame.curves.items():
            self.predictions[name].set_ydata(_drawable(curve))


class Errors:
    """Every learner's query and support error after each step so far."""

    def __init__(self, axes: Axes, frame: Frame, max_steps: int):
        axes.set(xlim=(-0.4, max_steps + 0.4), ylim=ERRORS, yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        self.now = axes.axvline(0, color=picture.BLACK, linewidth=0.8)
        self.support, self.query = {}, {}
        for i, (name, style) in enumerate(solid_looks(frame.curves).items()):
            style = style | {"zorder": 3 - i / 10}
            (self.support[name],) = axes.plot([], [], **style | {"marker": "", "linestyle": ":"})
            (self.query[name],) = axes.plot([], [], **style)
        self.lines = [self.now, *self.support.values(), *self.query.values()]

    def show(self, frame: Frame) -> None:
        self.now.set_xdata([frame.step, frame.step])
        for name in self.query:
            for lines, errors in (
                (self.query, frame.query_errors),
                (self.support, frame.support_errors),
            ):
                lines[name].set_data(range(len(errors[name])), _drawable(errors[name], ERRORS))


def _drawable(values: np.ndarray, limits: tuple[float, float] = (-50, 50)) -> np.ndarray:
    """``values`` that can be drawn: what is beyond ``limits`` or no number lies on the edge."""
    low, high = limits
    return np.clip(np.nan_to_num(values, nan=high, posinf=high, neginf=low), low, high)
