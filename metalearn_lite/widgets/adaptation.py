"""The adaptation explorer: give a few points to several initialisations and watch them learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.devices import one_thread
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Params
from metalearn_lite.tasks.sinusoids import AMPLITUDE, INPUT, PHASE, SineTasks
from metalearn_lite.widgets import words
from metalearn_lite.widgets.kit import (
    Axis,
    Button,
    Drag,
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

NUM_QUERIES = 201
MAX_POINTS = 30
VALUES = (-6.5, 6.5)
ERRORS = (1e-3, 1e2)

MAX_LEARNERS = 4  # each with a colour and a marker of its own, in both charts


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
        points: the x of the points to begin with, in place of random ones.
        amplitude, phase: the wave ``amplitude · sin(x - phase)``.
        inner_lr: α, for all learners alike.
        max_steps: how many inner steps are taken.
        step: after how many of them to look first.

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
        points: Sequence[float] | None = None,
        step: int = 0,
    ):
        if not 1 <= len(learners) <= MAX_LEARNERS:
            raise ValueError(f"{len(learners)} learners: choose 1 to {MAX_LEARNERS}")
        checks.count(1, MOST_STEPS, max_steps=max_steps)
        _require_alike(learners)
        self.learners = dict(learners)
        self.amplitude, self.phase = amplitude, phase
        self.inner_lr = inner_lr
        self.max_steps = max_steps
        self.step = step
        self.points: list[float] = []
        self.notice = ""
        self._generator = generator
        self._x = torch.linspace(*INPUT, NUM_QUERIES)
        self._adapted_to: tuple | None = None
        if points is None:
            self.draw_points(num_points)
        for x in points or ():
            self.add_point(x)

    def move_point(self, index: int, x: float) -> None:
        """The support point of this number to another place on the wave."""
        self.notice = ""
        low, high = INPUT
        self.points[index] = min(max(float(x), low), high)

    def remove_point(self, index: int) -> None:
        """Takes the support point of this number away."""
        self.notice = ""
        del self.points[index]

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
        with one_thread():
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


class AdaptationExplorer(Live):
    """An `AdaptationModel` in the page: curves over x, errors over steps, and controls."""

    by = "step"

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        return Scene(
            panels=(_curves(frame), _errors(frame, model.max_steps)),
            controls=(
                Slider("step", "step", model.step, high=model.max_steps, play=600),
                Slider("inner_lr", "inner rate", model.inner_lr, -3, 0, 0.05, log=True, digits=2),
                Slider("amplitude", "amplitude", model.amplitude, *AMPLITUDE, 0.1),
                Slider("phase", "phase", model.phase, *PHASE, 0.05, unit="rad"),
                Button("new_points", "New points"),
                Button("undo", "Undo point", enabled=bool(model.points)),
                Button("clear", "Clear", enabled=bool(model.points)),
            ),
            tries=(
                Try(
                    "One half only",
                    "All points lie left of 0. Who fills in the other half after ten steps?",
                    values={"step": model.max_steps, "inner_lr": 0.01},
                    press="left_half",
                ),
                Try(
                    "No point at all",
                    "Nothing to learn from. Which start is nearest to the wave as it is?",
                    values={"step": 0},
                    press="clear",
                ),
                Try(
                    "A hundred times the rate",
                    "Watch the errors from the first step on: who leaves the chart?",
                    values={"inner_lr": 1.0, "step": model.max_steps},
                    press="new_points",
                ),
            ),
            sentence=frame.sentence,
            code=self._code(),
        )

    def drag(self, key: str, index: int, x: float, y: float) -> None:
        self.model.move_point(index, x)

    def remove(self, key: str, index: int) -> None:
        self.model.remove_point(index)

    def click(self, panel: str, x: float, y: float) -> None:
        self.model.add_point(x)

    def new_points(self) -> None:
        self.model.draw_points(5)

    def undo(self) -> None:
        self.model.undo_point()

    def clear(self) -> None:
        self.model.draw_points(0)

    def left_half(self) -> None:
        """Five points on the left half of the wave."""
        self.model.draw_points(0)
        for x in (-4.5, -3.6, -2.7, -1.8, -0.9):
            self.model.add_point(x)

    def filmstrip(self, steps: Sequence[int] = (0, 1, 5, 10)) -> still.Figure:
        """The curves after each of ``steps``, side by side, as a figure that stays."""
        titles = [f"after {words.count(step, 'step')}" for step in steps]
        return still.strip(self.scenes_at("step", steps), titles, panels=("curves",))

    def description(self, steps: Sequence[int] = (0, 1, 5, 10)) -> str:
        """The text alternative of ``filmstrip``: a line for each step."""
        task = f"A wave of amplitude {self.model.amplitude:.2g} and phase {self.model.phase:.2g}."
        return "\n".join([task, *(self.model.frame(step).sentence for step in steps)])

    def _code(self) -> str:
        model = self.model
        points = ", ".join(f"{x:.4g}" for x in model.points)
        return (
            f"AdaptationExplorer(AdaptationModel(learners, generator, points=[{points}], "
            f"amplitude={model.amplitude:.3g}, phase={model.phase:.3g}, "
            f"inner_lr={model.inner_lr:.3g}, step={model.step}))"
        )


def _curves(frame: Frame) -> Panel:
    """The true wave, the support points and every learner's prediction, over x."""
    predictions = [
        Line(
            f"curve {name}",
            label=name,
            x=frame.x,
            y=frame.curves[name],
            fixed=("x",),
            every=(10 + 8 * i, 30),
            **style,
        )
        for i, (name, style) in enumerate(solid(list(frame.curves)).items())
    ]
    return Panel(
        "curves",
        Axis(*INPUT, "x", ticks=(-4, -2, 0, 2, 4)),
        Axis(*VALUES, "y", ticks=(-5, 0, 5)),
        (
            Line(
                "wave",
                frame.x,
                frame.wave,
                label="true wave",
                dash="--",
                width=1.5,
                fixed=("x", "y"),
            ),
            *reversed(predictions),
            Points(
                "points",
                frame.support_x,
                frame.support_y,
                label="your points",
                color="yellow",
                edge="ink",
                size=11,
                drag=Drag("a point", along="wave", removable=True),
            ),
        ),
        alt="curves over x",
        width=460,
        height=360,
        click="add a point",
        click_along="wave",
    )


def _errors(frame: Frame, max_steps: int) -> Panel:
    """Every learner's query and support error after each step so far."""
    lines = [
        Line(
            f"{kind} error {name}",
            np.arange(len(errors[name])),
            errors[name],
            label=f"{kind} error, {name}",
            listed=False,
            link="step",
            **style | ({"marker": "", "dash": ":"} if kind == "support" else {}),
        )
        for kind, errors in (("support", frame.support_errors), ("query", frame.query_errors))
        for name, style in reversed(solid(list(errors)).items())
    ]
    return Panel(
        "errors",
        Axis(-0.4, max_steps + 0.4, "step"),
        Axis(*ERRORS, "mean squared error", log=True),
        (
            Line("query", label="query error"),
            Line("support", label="support error", dash=":"),
            Rules("now", [frame.step]),
            *lines,
        ),
        alt="error at each step",
        width=380,
        height=360,
    )
