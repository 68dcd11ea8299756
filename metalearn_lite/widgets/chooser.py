"""The chooser: walk along a stream of tasks with an agent that picks the learner for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import fill

import ipywidgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metalearn_lite.figures import looks
from metalearn_lite.rl.choosing import Stream
from metalearn_lite.rl.contextual_bandits import LinUCB, Moment, regret, walk
from metalearn_lite.tasks import mixed
from metalearn_lite.tasks.sinusoids import INPUT
from metalearn_lite.widgets import picture
from metalearn_lite.widgets.layout import row, shrinking, still_figure
from metalearn_lite.widgets.picture import Picture, Sentence, new_figure, plain_axes
from metalearn_lite.widgets.play import Play

VALUES = (-7.0, 7.0)
BELIEFS = (-0.75, 1.5)
MOST_EXPLORATION = 2.0
MAX_LEARNERS = 6  # each with a colour and a marker of its own
LEGEND = {"fontsize": 9.5, "columnspacing": 0.8, "handlelength": 1.3, "frameon": False}


@dataclass(frozen=True)
class Frame:
    """All that a picture of one task shows. Arrays are by learner, ``(K,)``, unless it says so."""

    task: int
    """1 … horizon"""
    support_x: np.ndarray
    """``(N,)``"""
    support_y: np.ndarray
    expected: np.ndarray
    """the reward that the agent expected of each learner, before it was told anything"""
    widths: np.ndarray
    """exploration · uncertainty: how much is added because it is not sure"""
    picked: int
    rewards: np.ndarray
    """what each would have brought; the agent is told that of ``picked``"""
    regret: np.ndarray
    """``(task,)``: the agent's regret, summed up to each task so far"""
    fixed_regret: np.ndarray
    """``(horizon, K)``: the same for one who always picks one learner"""
    sentence: str
    """what the picture shows, for those who cannot see it"""


class ChooserModel:
    """A stream of tasks and a LinUCB agent that chooses among learners. Needs no screen.

    ``task`` (1 … horizon), ``exploration`` and ``seen`` (which features the agent sees, besides
    the one that is always 1) are its state: change them and ask for the next ``frame``.

    Args:
        stream: the first of its streams is shown.
        learners: their names, in the order of ``stream.rewards``.
        features: their names, in the order of ``stream.features``. The first is always 1.
        exploration: how much uncertainty speaks for trying a learner.

    Raises:
        ValueError: names and stream do not fit, or there are more than six learners.
    """

    def __init__(
        self,
        stream: Stream,
        learners: Sequence[str],
        features: Sequence[str],
        exploration: float = 0.5,
    ):
        if len(learners) > MAX_LEARNERS:
            raise ValueError(f"{len(learners)} learners: choose at most {MAX_LEARNERS}")
        counts = (len(learners), len(features))
        expected = (stream.rewards.shape[2], stream.features.shape[2])
        if counts != expected:
            raise ValueError(
                f"{counts[0]} learners and {counts[1]} features are named; the stream has "
                f"{expected[0]} and {expected[1]}"
            )
        self.learners, self.features = list(learners), list(features)
        self.horizon = stream.rewards.shape[1]
        self.exploration = exploration
        self.seen = set(self.features[1:])
        self.task = 1
        self._features, self._rewards = stream.features[:1], stream.rewards[:1]
        self._kinds = [list(mixed.KINDS)[kind] for kind in stream.kinds[0].tolist()]
        self._support = [part[0].flatten(1).numpy() for part in stream.support]
        always = torch.arange(len(learners)).view(-1, 1).expand(-1, self.horizon)
        losses = regret(self._rewards.expand(len(learners), -1, -1), always)
        self._fixed_regret = losses.cumsum(1).T.numpy()
        self._walked: tuple | None = None

    def frame(self, task: int | None = None) -> Frame:
        """What there is to see at ``task`` (``self.task`` unless it is given)."""
        task = min(max(self.task if task is None else task, 1), self.horizon)
        moments = self._walk_to(task)
        now = moments[task - 1]
        x = self._seen_features()[:, task - 1]
        expected = now.beliefs.expected(x)[0].numpy()
        widths = self.exploration * now.beliefs.uncertainty(x)[0].numpy()
        arms = torch.stack([moment.arms for moment in moments[:task]], 1)
        there = ~np.isnan(self._support[1][task - 1])
        lost = regret(self._rewards[:, :task], arms)[0].cumsum(0).numpy()
        frame = Frame(
            task=task,
            support_x=self._support[0][task - 1][there],
            support_y=self._support[1][task - 1][there],
            expected=expected,
            widths=widths,
            picked=int(now.arms),
            rewards=self._rewards[0, task - 1].numpy(),
            regret=lost,
            fixed_regret=self._fixed_regret,
            sentence="",
        )
        return replace(frame, sentence=self._sentence(frame))

    def _seen_features(self) -> torch.Tensor:
        columns = [0, *(i for i, name in enumerate(self.features) if i and name in self.seen)]
        return self._features[:, :, columns]

    def _walk_to(self, task: int) -> list[Moment]:
        """The moments up to ``task``, and those walked before: another task costs little."""
        now = (self.exploration, frozenset(self.seen))
        if now != self._walked:
            features = self._seen_features()
            agent = LinUCB(len(self.learners), features.shape[2], self.exploration)
            # The same luck whatever is changed: what differs is due to the change.
            luck = torch.Generator().manual_seed(0)
            self._walk, self._moments = walk(agent, features, self._rewards, luck), []
            self._walked = now
        while len(self._moments) < task:
            self._moments.append(next(self._walk))
        return self._moments

    def _sentence(self, frame: Frame) -> str:
        kind = self._kinds[frame.task - 1]
        name = self.learners[frame.picked]
        best = int(frame.rewards.argmax())
        fixed = frame.fixed_regret[frame.task - 1]
        said = (
            f"Task {frame.task} of {self.horizon}, {len(frame.support_x)} points of {_one(kind)}"
            f" (the agent is not told): it picked {name}, expecting"
            f" {frame.expected[frame.picked]:.2f} ± {frame.widths[frame.picked]:.2f},"
            f" and got {frame.rewards[frame.picked]:.2f}. "
        )
        if frame.rewards[best] > frame.rewards[frame.picked]:
            said += f"With {self.learners[best]} it would have been {frame.rewards[best]:.2f}."
        else:
            said += "Nothing would have brought more."
        return (
            f"{said} Regret so far {frame.regret[-1]:.1f}; always {self.learners[fixed.argmin()]}: "
            f"{fixed.min():.1f}."
        )


def _one(kind: str) -> str:
    singular = kind.removesuffix("s")
    return f"{'an' if singular[0] in 'aeiou' else 'a'} {singular}"


class Chooser(ipywidgets.VBox):
    """The view of a ``ChooserModel``: three charts, a sentence, and controls."""

    def __init__(self, model: ChooserModel):
        self.model = model
        frame = model.frame()
        figure = new_figure(2.0, 3.6)
        self._support = Support(plain_axes(figure.subplots(), "x", "y"), frame)
        self.support = Picture(figure, [self._support.points])

        figure = new_figure(3.1, 3.6)
        self._beliefs = BeliefBars(plain_axes(figure.subplots(), "reward"), model.learners, frame)
        figure.legend(handles=self._beliefs.legend, loc="outside upper left", ncols=2, **LEGEND)
        self.beliefs = Picture(figure, self._beliefs.moving)

        figure = new_figure(2.65, 3.6)
        self._regret = Regret(
            plain_axes(figure.subplots(), "task", "regret, summed up"), model.learners, frame
        )
        figure.legend(handles=self._regret.legend, loc="outside upper left", ncols=2, **LEGEND)
        self.regret = Picture(figure, [self._regret.agent])
        self.sentence = Sentence()

        self.task = ipywidgets.IntSlider(model.task, 1, model.horizon, description="task")
        self.task.layout.width = "420px"
        self.play = Play(value=model.task, max=model.horizon, milliseconds=400)
        ipywidgets.jslink((self.play, "value"), (self.task, "value"))
        self.exploration = ipywidgets.FloatSlider(
            model.exploration, min=0, max=MOST_EXPLORATION, step=0.1, description="exploration"
        )
        self.exploration.layout.width = "320px"
        for slider, name in ((self.task, "task"), (self.exploration, "exploration")):
            slider.style.description_width = "80px"
            slider.observe(lambda change, name=name: self._set(name, change["new"]), "value")
        self.seen = {
            name: ipywidgets.Checkbox(True, description=name, indent=False)
            for name in model.features[1:]
        }
        for box in self.seen.values():
            box.layout.width = "auto"
            box.layout.margin = "0 8px 0 0"
            box.observe(lambda _: self._set("seen", self._ticked()), "value")
        label = ipywidgets.Label("The agent sees:", layout={"margin": "0 8px 0 0"})
        super().__init__(
            [
                row(
                    shrinking(self.support, 160),
                    shrinking(self.beliefs, 250),
                    shrinking(self.regret, 215),
                ),
                row(self.play, self.task),
                self.sentence,
                row(self.exploration),
                row(label, *self.seen.values()),
            ]
        )
        self.show()

    def show(self) -> None:
        """Brings the pictures and the sentence up to the model's state."""
        frame = self.model.frame()
        for part in (self._support, self._beliefs, self._regret):
            part.show(frame)
        self.support.refresh(alt=f"Support of the task. {frame.sentence}")
        self.beliefs.refresh(alt=f"What the agent believes. {frame.sentence}")
        self.regret.refresh(alt=f"Regret so far. {frame.sentence}")
        self.sentence.text = frame.sentence

    def filmstrip(self, tasks: Sequence[int] = (1, 20, 100)) -> Figure:
        """Support and beliefs at each of ``tasks``, then the regret: a figure that stays."""
        figure = still_figure(3 * len(tasks) + 3.6, 5.2)
        states, end = figure.subfigures(1, 2, width_ratios=(3 * len(tasks), 3.6))
        panels = states.subplots(2, len(tasks), squeeze=False, height_ratios=(1, 1.15))
        for column, task in enumerate(tasks):
            frame, first = self.model.frame(task), column == 0
            above, below = panels[:, column]
            Support(plain_axes(above, "x", "y" if first else ""), frame)
            above.set_title(f"task {task}", fontsize=picture.FONT_SIZE)
            bars = BeliefBars(plain_axes(below, "reward"), self.model.learners, frame)
            if not first:
                below.set_yticklabels([])
        regrets = Regret(plain_axes(end.subplots(), "task", "regret"), self.model.learners, frame)
        regrets.agent.axes.set_title(f"up to task {tasks[-1]}", fontsize=picture.FONT_SIZE)
        for part, lines, columns in ((states, bars.legend, 4), (end, regrets.legend, 2)):
            part.legend(handles=lines, loc="outside lower center", ncols=columns, **LEGEND)
        return figure

    def description(self, tasks: Sequence[int] = (1, 20, 100)) -> str:
        """The text alternative of ``filmstrip``: a line for each task."""
        return "\n".join(self.model.frame(task).sentence for task in tasks)

    def _ticked(self) -> set[str]:
        return {name for name, box in self.seen.items() if box.value}

    def _set(self, name: str, value) -> None:
        setattr(self.model, name, value)
        self.show()

    def __repr__(self) -> str:
        return f"Chooser({self.sentence.text!r})"


class Support:
    """The points of one task."""

    def __init__(self, axes: Axes, frame: Frame):
        axes.set(xlim=INPUT, ylim=VALUES, xticks=(-4, 0, 4), yticks=(-5, 0, 5))
        (self.points,) = axes.plot(
            [], [], "o", color=picture.YELLOW, markeredgecolor=picture.BLACK, markersize=8
        )
        self.show(frame)

    def show(self, frame: Frame) -> None:
        self.points.set_data(frame.support_x, np.clip(frame.support_y, *VALUES))


class BeliefBars:
    """Per learner what is expected (a bar), how unsure that is (a line), and what it brings."""

    def __init__(self, axes: Axes, learners: Sequence[str], frame: Frame):
        places = np.arange(len(learners))
        axes.set(xlim=BELIEFS, ylim=(len(learners) - 0.4, -0.6), xticks=(0, 0.5, 1))
        named = [fill(name, 14) for name in learners]
        axes.set_yticks(places, named, fontsize=picture.FONT_SIZE)
        axes.axvline(0, color=picture.BLACK, linewidth=0.8)
        self._places = places
        colors = [style["color"] for style in looks(learners).values()]
        self.bars = axes.barh(places, np.zeros(len(learners)), 0.5, color=colors, alpha=0.55)
        self.widths = [
            axes.plot([], [], "|-", color=picture.BLACK, linewidth=1.5, markersize=9)[0]
            for _ in places
        ]
        (self.would,) = axes.plot(
            [], [], "o", markerfacecolor="white", markeredgecolor=picture.BLACK, markersize=8
        )
        (self.got,) = axes.plot([], [], "o", color=picture.VERMILION, markersize=10, zorder=5)
        (self.pick,) = axes.plot([], [], ">", color=picture.VERMILION, markersize=11, zorder=5)
        for line, label in (
            (self.pick, "picked"),
            (self.got, "got"),
            (self.would, "would have got"),
            (self.widths[0], "expected, ± unsure"),
        ):
            line.set_label(label)
        self.legend = [self.pick, self.got, self.would, self.widths[0]]
        self.moving = [*self.bars, *self.widths, self.would, self.got, self.pick]
        self.show(frame)

    def show(self, frame: Frame) -> None:
        low, high = frame.expected - frame.widths, frame.expected + frame.widths
        for place, bar, line in zip(self._places, self.bars, self.widths, strict=True):
            bar.set_width(frame.expected[place])
            line.set_data([low[place], high[place]], [place, place])
        others = self._places != frame.picked
        self.would.set_data(frame.rewards[others], self._places[others])
        self.got.set_data([frame.rewards[frame.picked]], [frame.picked])
        self.pick.set_data([BELIEFS[0] + 0.09], [frame.picked])


class Regret:
    """The agent's regret so far, and that of always picking one learner."""

    def __init__(self, axes: Axes, learners: Sequence[str], frame: Frame):
        horizon = len(frame.fixed_regret)
        tasks = np.arange(1, horizon + 1)
        axes.set(xlim=(0, horizon * 1.02), ylim=(0, frame.fixed_regret.max() * 1.05))
        few = {
            "linestyle": "-",
            "linewidth": 1.2,
            "markersize": 5,
            "markevery": max(1, horizon // 5),
        }
        fixed = [
            axes.plot(tasks, losses, **style | few, label=name)[0]
            for (name, style), losses in zip(
                looks(learners).items(), frame.fixed_regret.T, strict=True
            )
        ]
        (self.agent,) = axes.plot(
            [0], [0], color=picture.VERMILION, linewidth=3, label="the agent", in_layout=False
        )
        self.legend = [self.agent, *fixed]
        self.show(frame)

    def show(self, frame: Frame) -> None:
        self.agent.set_data(np.arange(frame.task + 1), np.concatenate([[0], frame.regret]))
