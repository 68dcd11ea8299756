"""The training explorer: one network learns one wave, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import task_losses, trainable
from metalearn_lite.networks import MLP, Params
from metalearn_lite.tasks.sinusoids import INPUT, SineTasks, Sinusoids
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
    still,
)

NUM_POINTS = (2, 3, 5, 7, 10, 15, 20, 30, 50, 100)
NUM_TEST = 101
VALUES = (-6.5, 6.5)
LOSSES = (1e-3, 1e2)
# The test loss has risen when it is this much above its lowest so far.
RISEN = 1.1
MOST_STEPS = 1_000


@dataclass(frozen=True)
class Frame:
    """All that a picture of one moment shows. Losses are mean squared errors."""

    step: int
    x: np.ndarray
    """``(101,)``, evenly spaced: the test points"""
    wave: np.ndarray
    """``(101,)``, the true values there"""
    train_x: np.ndarray
    train_y: np.ndarray
    curve: np.ndarray
    """``(101,)``, the network's answers after ``step`` steps; need not be finite"""
    train_losses: np.ndarray
    """``(max_steps + 1,)``: the whole run, whatever the step"""
    test_losses: np.ndarray
    """the same on the test points, which have no noise"""
    sentence: str
    """what the picture shows, for those who cannot see it"""


class TrainingModel:
    """A wave, some noisy points of it, and a network that descends their loss. Needs no screen.

    ``num_points``, ``learning_rate``, ``noise`` and ``step`` are its state: change them, or call
    ``new_wave``, ``new_points`` or ``move_point``, and ask for the next ``frame``. More points are
    added to those there are, and more noise makes the same errors larger, except of points that
    were put where they are. Every run begins with the same network.

    Args:
        network: with one input and one output.
        generator: where the network's parameters, the waves and their points come from.
        num_points: how many training points, 1 to 100.
        learning_rate: of Adam (Kingma & Ba, 2015); each step looks at all training points.
        noise: the standard deviation of what is added to each training point's y.
        max_steps: how many steps a run has.
        step: after how many of them to look first.
        wave: its amplitude and phase, in place of random ones.
        points: x and y of the training points to begin with, in place of ``num_points`` random
            ones.

    Raises:
        ValueError: one of them is out of its range.
    """

    def __init__(
        self,
        network: MLP,
        generator: torch.Generator,
        num_points: int = 10,
        learning_rate: float = 0.03,
        noise: float = 0.0,
        max_steps: int = 60,
        step: int = 0,
        wave: tuple[float, float] | None = None,
        points: Sequence[tuple[float, float]] | None = None,
    ):
        num_points = num_points if points is None else len(points)
        checks.count(1, NUM_POINTS[-1], num_points=num_points)
        checks.positive(learning_rate=learning_rate)
        checks.rate(noise=noise)
        checks.count(1, MOST_STEPS, max_steps=max_steps)
        self.num_points = num_points
        self.learning_rate = learning_rate
        self.noise = noise
        self.max_steps = max_steps
        self.step = step
        self._generator = generator
        self._network = network
        self._start = {name: value.unsqueeze(0) for name, value in network.init(generator).items()}
        self._x = torch.linspace(*INPUT, NUM_TEST).view(1, -1, 1)
        self.new_wave(wave)
        for index, place in enumerate(points or ()):
            self.move_point(index, *place)

    def new_wave(self, wave: tuple[float, float] | None = None) -> None:
        """Another wave, of this amplitude and phase or at random, with points of its own."""
        self._wave = Sinusoids().draw_tasks(1, self._generator)
        if wave is not None:
            self._wave = SineTasks(*torch.tensor(wave).view(2, 1, 1))
        self.new_points()

    def new_points(self) -> None:
        """Other points of the same wave."""
        self._points = self._wave.draw(NUM_POINTS[-1], self._generator)
        self._errors = torch.randn(self._points.y.shape, generator=self._generator)
        self._trained_on: tuple | None = None

    def move_point(self, index: int, x: float, y: float) -> None:
        """A training point to another place, where noise no longer moves it."""
        for place, value, (low, high) in ((self._points.x, x, INPUT), (self._points.y, y, VALUES)):
            place[0, index] = min(max(value, low), high)
        self._errors[0, index] = 0
        self._trained_on = None

    @property
    def seed(self) -> int:
        """of the generator: with the same network begins every run"""
        return self._generator.initial_seed()

    @property
    def wave(self) -> tuple[float, float]:
        """Its amplitude and phase."""
        return self._wave.amplitude.item(), self._wave.phase.item()

    @property
    def points(self) -> list[tuple[float, float]]:
        """x and y of each training point."""
        return list(zip(*(part.flatten().tolist() for part in self.train), strict=True))

    @property
    def train(self) -> Examples:
        """The training points: ``x`` ``(1, num_points, 1)``, ``y`` ``(1, num_points)``."""
        y = self._points.y + self.noise * self._errors
        return Examples(self._points.x[:, : self.num_points], y[:, : self.num_points])

    @property
    def test(self) -> Examples:
        """101 points of the wave, evenly spaced and without noise."""
        return Examples(self._x, self._wave(self._x))

    def frame(self, step: int | None = None) -> Frame:
        """What there is to see after ``step`` steps (``self.step`` unless it is given)."""
        self._run()
        step = min(max(self.step if step is None else step, 0), self.max_steps)
        (train_x, train_y), test = self.train, self.test
        return Frame(
            step=step,
            x=test.x.flatten().numpy(),
            wave=test.y.flatten().numpy(),
            train_x=train_x.flatten().numpy(),
            train_y=train_y.flatten().numpy(),
            curve=self._curves[step].numpy(),
            train_losses=self._train_losses.numpy(),
            test_losses=self._test_losses.numpy(),
            sentence=self._sentence(step),
        )

    def _run(self) -> None:
        """All steps, unless they are known: then another step costs nothing."""
        now = (self.num_points, self.learning_rate, self.noise)
        if now == self._trained_on:
            return
        params, train = trainable(self._start), self.train
        # Fused, since a network this small learns faster than Python gets round to it.
        optimizer = torch.optim.Adam(params.values(), self.learning_rate, fused=True)
        states = [_copy(params)]
        for _ in range(self.max_steps):
            optimizer.zero_grad()
            task_losses(self._network(params, train.x), train.y).sum().backward()
            optimizer.step()
            states.append(_copy(params))
        # As if each step were a task: one prediction for all of them.
        steps = {name: torch.cat([state[name] for state in states]) for name in params}
        self._curves, self._test_losses = self._judge(steps, self.test)
        _, self._train_losses = self._judge(steps, train)
        self._trained_on = now

    def _judge(self, steps: Params, points: Examples) -> tuple[Tensor, Tensor]:
        """What the network of each step answers, ``(steps, N)``, and its loss ``(steps,)``."""
        x, y = (part.expand(self.max_steps + 1, *part.shape[1:]) for part in points)
        answers = self._network(steps, x).squeeze(-1)
        return answers, task_losses(answers, y)

    def _sentence(self, step: int) -> str:
        after = f"After {words.count(step, 'step')} on {words.count(self.num_points, 'point')}"
        train, test = self._train_losses[: step + 1], self._test_losses[: step + 1]
        now, unseen = (words.error(losses[-1], LOSSES[1]) for losses in (train, test))
        said = f"{after}: training loss {now}, test loss {unseen}."
        off = ~(torch.maximum(train, test) <= LOSSES[1])
        if off.any():
            return (
                f"{said} At step {off.nonzero()[0].item()} the loss left the chart: a learning "
                f"rate of {self.learning_rate:.2g} is too large, and a step lands higher than it "
                "started. Move it down."
            )
        lowest, at = test.min(0)
        if test[-1] > RISEN * lowest:
            least = words.error(lowest, LOSSES[1])
            said += f" The test loss was lower at step {at.item()}: {least}."
        return said


class TrainingExplorer(Live):
    """A `TrainingModel` in the page: the curve over x, the losses over steps, and controls."""

    by = "step"

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        counts = tuple(sorted({*NUM_POINTS, model.num_points}))
        usual = {"noise": 0.0, "learning_rate": 0.03, "step": model.max_steps}
        return Scene(
            (_curve(frame), _losses(frame)),
            (
                Slider("step", "step", model.step, high=model.max_steps, play=80),
                Slider("num_points", "points", model.num_points, stops=counts),
                Slider("learning_rate", "learning rate", model.learning_rate, -3, 0, 0.05,
                       log=True, digits=2),
                Slider("noise", "noise", model.noise, 0, 2, 0.1, digits=2),
                Button("new_points", "New points"),
                Button("new_wave", "New wave"),
            ),
            (
                Try("Three points", "The training loss sinks to nothing. What does the test loss "
                    "do, and where does the curve leave the wave?",
                    values=usual | {"num_points": 3}),
                Try("A hundred points", "Now both losses end close together. Where is the curve "
                    "still wrong?", values=usual | {"num_points": 100}),
                Try("Too long a step", "At which step do the losses leave the chart? Move the rate "
                    "down until they stay.",
                    values=usual | {"num_points": 10, "learning_rate": 1.0}),
            ),
            sentence=frame.sentence,
            code=self._code(),
        )  # fmt: skip

    def drag(self, key: str, index: int, x: float, y: float) -> None:
        if key == "points":
            self.model.move_point(index, x, y)
        else:
            self.model.step = round(min(max(x, 0), self.model.max_steps))

    def filmstrip(self, steps: Sequence[int] = (0, 15, 60)) -> still.Figure:
        """The curve after each of ``steps``, and the losses of the run, as a figure that stays."""
        titles = [f"after {words.count(step, 'step')}" for step in steps]
        scenes = self.scenes_at("step", steps)
        return still.strip(scenes, titles, panels=("curve",), end=("losses",))

    def description(self, steps: Sequence[int] = (0, 15, 60)) -> str:
        """The text alternative of ``filmstrip``: a line for each step."""
        setting = (
            f"A network learns a wave from {words.count(self.model.num_points, 'point')} "
            f"with learning rate {self.model.learning_rate:.2g} and noise {self.model.noise:.2g}."
        )
        return "\n".join([setting, *(self.model.frame(step).sentence for step in steps)])

    def _code(self) -> str:
        model = self.model
        amplitude, phase = model.wave
        points = ", ".join(f"({x:.4g}, {y:.4g})" for x, y in model.points)
        return (
            f"TrainingExplorer(TrainingModel(network, torch.Generator().manual_seed({model.seed}), "
            f"learning_rate={model.learning_rate:.3g}, noise={model.noise:.2g}, "
            f"max_steps={model.max_steps}, step={model.step}, "
            f"wave=({amplitude:.4g}, {phase:.4g}), points=[{points}]))"
        )


def _curve(frame: Frame) -> Panel:
    """The true wave, the training points and the network's answers, over x."""
    return Panel(
        "curve",
        Axis(*INPUT, "x", ticks=(-4, -2, 0, 2, 4)),
        Axis(*VALUES, "y", ticks=(-5, 0, 5)),
        (
            Line("wave", frame.x, frame.wave, label="true wave", dash="--", width=1.5,
                 fixed=("x", "y")),
            Line("network", frame.x, frame.curve, label="network", color="blue", fixed=("x",)),
            Points("points", frame.train_x, frame.train_y, label="training points", color="yellow",
                   edge="ink", size=9, fixed=("x", "y"), drag=Drag("a training point")),
        ),
        alt="the network's curve over x",
        width=440,
    )  # fmt: skip


def _losses(frame: Frame) -> Panel:
    """Training and test loss at each step of the run, and where in it we are."""
    most, step = len(frame.train_losses) - 1, frame.step
    lines, heads = [], []
    for kind, losses, first, style, dash in (
        ("training", frame.train_losses, 5, {"color": "dark orange", "marker": "o"}, ":"),
        ("test", frame.test_losses, 10, {"color": "blue", "marker": "s"}, "-"),
    ):
        losses = np.clip(losses, *LOSSES)  # what is off the chart lies on its edge
        lines.append(Line(f"{kind} loss", np.arange(most + 1), losses, label=f"{kind} loss",
                          fixed=("x", "y"), link="step", dash=dash, every=(first, 10),
                          **style))  # fmt: skip
        heads.append(Points(f"{kind} now", [step], losses[[step]], edge="paper", size=11,
                            drag=Drag("the step", along=f"{kind} loss", carries=("now",)),
                            **style))  # fmt: skip
    return Panel(
        "losses",
        Axis(-0.02 * most, 1.02 * most, "step"),
        Axis(*LOSSES, "loss (mean squared error)", log=True),
        (Rules("now", [step]), *lines, *heads),
        alt="training and test loss at each step",
        width=380,
    )


def _copy(params: Params) -> Params:
    return {name: value.detach().clone() for name, value in params.items()}
