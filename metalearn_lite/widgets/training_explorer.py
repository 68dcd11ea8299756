"""The training explorer: one network learns one wave, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ipywidgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import task_losses, trainable
from metalearn_lite.networks import MLP, Params
from metalearn_lite.tasks.sinusoids import INPUT, Sinusoids
from metalearn_lite.widgets import picture, words
from metalearn_lite.widgets.layout import button, row, shrinking, still_figure
from metalearn_lite.widgets.picture import Picture, Sentence, new_figure, plain_axes
from metalearn_lite.widgets.play import Play

NUM_POINTS = (2, 3, 5, 7, 10, 15, 20, 30, 50, 100)
NUM_TEST = 101
VALUES = (-6.5, 6.5)
LOSSES = (1e-3, 1e2)
# The test loss has risen when it is this much above its lowest so far.
RISEN = 1.1
MOST_STEPS = 1_000
LEGEND = {"fontsize": 10, "columnspacing": 1, "handlelength": 1.6, "frameon": False}


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
    ``new_wave`` or ``new_points``, and ask for the next ``frame``. More points are added to those
    there are, and more noise makes the same errors larger. Every run begins with the same network.

    Args:
        network: with one input and one output.
        generator: where the network's parameters, the waves and their points come from.
        num_points: how many training points, 1 to 100.
        learning_rate: of Adam (Kingma & Ba, 2015); each step looks at all training points.
        noise: the standard deviation of what is added to each training point's y.
        max_steps: how many steps a run has.

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
    ):
        checks.count(1, NUM_POINTS[-1], num_points=num_points)
        checks.positive(learning_rate=learning_rate)
        checks.rate(noise=noise)
        checks.count(1, MOST_STEPS, max_steps=max_steps)
        self.num_points = num_points
        self.learning_rate = learning_rate
        self.noise = noise
        self.max_steps = max_steps
        self.step = 0
        self._generator = generator
        self._network = network
        self._start = {name: value.unsqueeze(0) for name, value in network.init(generator).items()}
        self._x = torch.linspace(*INPUT, NUM_TEST).view(1, -1, 1)
        self.new_wave()

    def new_wave(self) -> None:
        """Another wave, with points of its own."""
        self._wave = Sinusoids().draw_tasks(1, self._generator)
        self.new_points()

    def new_points(self) -> None:
        """Other points of the same wave."""
        self._points = self._wave.draw(NUM_POINTS[-1], self._generator)
        self._errors = torch.randn(self._points.y.shape, generator=self._generator)
        self._trained_on: tuple | None = None

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


class TrainingExplorer(ipywidgets.VBox):
    """The view of a ``TrainingModel``: two charts, a sentence, and controls."""

    def __init__(self, model: TrainingModel):
        self.model = model
        figure = new_figure(4.35, 3.9)
        self._curve = Curve(plain_axes(figure.subplots(), "x", "y"))
        figure.legend(handles=self._curve.lines, loc="outside upper left", ncols=3, **LEGEND)
        self.curve = Picture(figure, self._curve.lines)

        figure = new_figure(3.8, 3.9)
        axes = plain_axes(figure.subplots(), "step", "loss (mean squared error)")
        self._losses = Losses(axes, model.max_steps)
        figure.legend(handles=self._losses.lines, loc="outside upper left", ncols=2, **LEGEND)
        self.losses = Picture(figure, self._losses.moving)
        self.sentence = Sentence()

        self.step = ipywidgets.IntSlider(model.step, 0, model.max_steps, description="step")
        self.play = Play(value=model.step, max=model.max_steps, milliseconds=80)
        ipywidgets.jslink((self.play, "value"), (self.step, "value"))
        self.num_points = ipywidgets.SelectionSlider(
            options=sorted({*NUM_POINTS, model.num_points}),
            value=model.num_points,
            description="points",
        )
        self.learning_rate = ipywidgets.FloatLogSlider(
            model.learning_rate,
            min=-3,
            max=0,
            step=0.05,
            description="learning rate",
            readout_format=".2g",
        )
        self.noise = ipywidgets.FloatSlider(
            model.noise, min=0, max=2, step=0.1, description="noise", readout_format=".1f"
        )
        for name in ("step", "num_points", "learning_rate", "noise"):
            slider = getattr(self, name)
            slider.observe(lambda change, name=name: self._set(name, change["new"]), "value")
            slider.layout.width = "420px" if slider is self.step else "265px"
            slider.style.description_width = "95px"

        super().__init__(
            [
                row(shrinking(self.curve, 380), shrinking(self.losses, 330)),
                row(self.play, self.step),
                self.sentence,
                row(self.num_points, self.learning_rate, self.noise),
                row(
                    button("New points", model.new_points, self.show),
                    button("New wave", model.new_wave, self.show),
                ),
            ]
        )
        self.show()

    def show(self) -> None:
        """Brings the pictures and the sentence up to the model's state."""
        frame = self.model.frame()
        self._curve.show(frame)
        self._losses.show(frame)
        self.curve.refresh(alt=f"The network's curve over x. {frame.sentence}")
        self.losses.refresh(alt=f"Training and test loss at each step. {frame.sentence}")
        self.sentence.text = frame.sentence

    def filmstrip(self, steps: Sequence[int] = (0, 15, 60)) -> Figure:
        """The curve after each of ``steps``, and the losses of the run, as a figure that stays."""
        figure = still_figure(2.5 * len(steps) + 3.2, 3.2)
        ratios = [1] * len(steps) + [1.2]
        *panels, last = figure.subplots(1, len(steps) + 1, width_ratios=ratios)
        for axes, step in zip(panels, steps, strict=True):
            plain_axes(axes, "x", "y" if axes is panels[0] else "")
            axes.set_title(f"after {words.count(step, 'step')}", fontsize=picture.FONT_SIZE)
            curve = Curve(axes)
            curve.show(self.model.frame(step))
        losses = Losses(plain_axes(last, "step", "loss"), self.model.max_steps)
        losses.show(self.model.frame(steps[-1]))
        last.set_title("the whole run", fontsize=picture.FONT_SIZE)
        handles = [*curve.lines, *losses.lines]
        figure.legend(handles=handles, loc="outside lower center", ncols=5, **LEGEND)
        return figure

    def description(self, steps: Sequence[int] = (0, 15, 60)) -> str:
        """The text alternative of ``filmstrip``: a line for each step."""
        setting = (
            f"A network learns a wave from {words.count(self.model.num_points, 'point')} "
            f"with learning rate {self.model.learning_rate:.2g} and noise {self.model.noise:.2g}."
        )
        return "\n".join([setting, *(self.model.frame(step).sentence for step in steps)])

    def _set(self, name: str, value: float) -> None:
        setattr(self.model, name, value)
        self.show()

    def __repr__(self) -> str:
        return f"TrainingExplorer({self.sentence.text!r})"


class Curve:
    """The true wave, the training points and the network's answers, over x."""

    def __init__(self, axes: Axes):
        axes.set(xlim=INPUT, ylim=VALUES, xticks=(-4, -2, 0, 2, 4), yticks=(-5, 0, 5))
        (self.wave,) = axes.plot([], [], "--", color=picture.BLACK, linewidth=1.5)
        self.wave.set_label("true wave")
        (self.points,) = axes.plot([], [], "o", color=picture.YELLOW, markersize=7, zorder=4)
        self.points.set(markeredgecolor=picture.BLACK, label="training points")
        (self.network,) = axes.plot([], [], color=picture.BLUE, linewidth=2, label="network")
        self.lines = [self.wave, self.points, self.network]

    def show(self, frame: Frame) -> None:
        self.wave.set_data(frame.x, frame.wave)
        self.points.set_data(frame.train_x, frame.train_y)
        # Far beyond the axes matplotlib cannot draw; what is no number, it leaves out.
        self.network.set_data(frame.x, np.clip(frame.curve, -50, 50))


class Losses:
    """Training and test loss at each step of the run, and where in it we are."""

    def __init__(self, axes: Axes, max_steps: int):
        axes.set(xlim=(-0.02 * max_steps, 1.02 * max_steps), ylim=LOSSES, yscale="log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        self.now = axes.axvline(0, color=picture.BLACK, linewidth=0.8)
        (self.train,) = axes.plot([], [], "o:", color=picture.ORANGE, label="training loss")
        (self.test,) = axes.plot([], [], "s-", color=picture.BLUE, label="test loss")
        self.lines = [self.train, self.test]
        self.moving = [self.now, *self.lines]

    def show(self, frame: Frame) -> None:
        self.now.set_xdata([frame.step, frame.step])
        for line, losses in ((self.train, frame.train_losses), (self.test, frame.test_losses)):
            line.set_data(range(len(losses)), np.clip(losses, *LOSSES))
            line.set_markevery([frame.step])


def _copy(params: Params) -> Params:
    return {name: value.detach().clone() for name, value in params.items()}
