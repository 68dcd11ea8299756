"""The trajectory explorer: choose a goal and watch policies learn to go there, update by update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ipywidgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from metalearn_lite.rl.maml_policy_gradient import MAMLPolicyGradient
from metalearn_lite.rl.trajectories import Trajectories
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.widgets import picture
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
from metalearn_lite.widgets.words import count

MAX_LEARNERS = 3
GOALS = 0.5  # a goal's two numbers lie between -GOALS and GOALS
PLANE = (-0.75, 0.75)
RETURNS = (-60.0, 2.0)
NUM_SHOWN = 6  # more paths would hide one another
NUDGE = 0.05  # how far an arrow key moves the goal
KEYS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowDown": (0, -1), "ArrowUp": (0, 1)}

LEGEND = {"fontsize": 10, "columnspacing": 1, "handlelength": 1.6, "frameon": False}
STAR = {"color": picture.YELLOW, "markeredgecolor": picture.BLACK, "linestyle": ""}
BEFORE = "#c4c4c4"
HANDLES = [
    Line2D([], [], marker="*", markersize=12, label="goal, unseen", **STAR),
    Line2D([], [], color=picture.BLACK, linewidth=3, label="average path"),
    Line2D([], [], color=picture.BLACK, linewidth=0.8, label="some paths"),
    Line2D([], [], color=BEFORE, linewidth=2, label="paths before"),
]
HINT = "Click in a square to set the goal, or reach the squares with Tab and use the arrow keys."


@dataclass(frozen=True)
class Frame:
    """All that a picture of one moment shows."""

    update: int
    goal: tuple[float, float]
    paths: dict[str, np.ndarray]
    """by learner ``(N, H + 1, 2)``: the places of its trajectories after ``update`` updates"""
    returns: dict[str, np.ndarray]
    """by learner ``(update + 1, 2)``: mean return after 0 … ``update`` updates, and half the width
    of its 95 % interval"""
    misses: dict[str, float]
    """by learner, how far from the goal its paths end, on average"""
    sentence: str
    """what the picture shows, for those who cannot see it"""


class TrajectoryModel:
    """One goal, and policies that learn to reach it by acting. Needs no screen.

    ``goal``, ``update`` and ``seed`` are its state: change them and ask for the next ``frame``.

    Args:
        learners: by name, up to three whose policies move in the plane. They are not changed.
        environment: what they act in; its observation begins with the place.
        goal: the task to begin with.
        num_trajectories: how many each policy plays before an update, and to be looked at.
        max_updates: how many updates there are.
        seed: of all chance in the actions. With the same seed, the same goal gives the same.

    Raises:
        ValueError: there is no learner, or more than three; ``num_trajectories`` is below 2, as
            one has no interval; or ``max_updates`` is below 1.
    """

    def __init__(
        self,
        learners: Mapping[str, MAMLPolicyGradient],
        environment: Navigation,
        goal: tuple[float, float] = (0.3, 0.35),
        num_trajectories: int = 20,
        max_updates: int = 3,
        seed: int = 0,
    ):
        if not 1 <= len(learners) <= MAX_LEARNERS:
            raise ValueError(f"{len(learners)} learners: choose 1 to {MAX_LEARNERS}")
        if num_trajectories < 2:
            raise ValueError(f"num_trajectories={num_trajectories}: choose 2 or more")
        if max_updates < 1:
            raise ValueError(f"max_updates={max_updates}: choose 1 or more")
        self.learners = dict(learners)
        self.environment = environment
        self.num_trajectories = num_trajectories
        self.max_updates = max_updates
        self.seed = seed
        self.update = 0
        self.notice = ""
        self.goal = (0.0, 0.0)
        self._played: tuple | None = None
        self.aim(*goal)

    def aim(self, x: float, y: float) -> None:
        """A new goal. What cannot be a goal is a ``notice``, and the old one stays."""
        if max(abs(x), abs(y)) <= GOALS:  # false for NaN
            self.notice = ""
            self.goal = (round(float(x), 3), round(float(y), 3))
        else:
            place = f"({x:.3g}, {y:.3g})".replace("-", "−")
            self.notice = (
                f"{place} cannot be a goal: goals lie in the dashed square, "
                f"from −{GOALS:g} to {GOALS:g} both ways."
            )

    def frame(self, update: int | None = None) -> Frame:
        """What there is to see after ``update`` updates (``self.update`` unless it is given)."""
        self._play()
        update = min(max(self.update if update is None else update, 0), self.max_updates)
        returns = {name: scores[: update + 1] for name, scores in self._returns.items()}
        paths = {name: places[update] for name, places in self._paths.items()}
        misses = {
            name: float(np.linalg.norm(places[:, -1] - self.goal, axis=-1).mean())
            for name, places in paths.items()
        }
        sentence = self._sentence(update, returns, misses)
        return Frame(update, self.goal, paths, returns, misses, sentence)

    def _play(self) -> None:
        """All updates of all learners, unless they are known: then another update costs nothing."""
        now = (self.goal, self.seed)
        if now == self._played:
            return
        tasks = torch.tensor([self.goal])
        self._paths, self._returns = {}, {}
        for name, learner in self.learners.items():
            generator = torch.Generator().manual_seed(self.seed)
            played = learner.adapt_by_playing(
                self.environment, tasks, self.num_trajectories, self.max_updates, generator
            )
            self._paths[name] = [self._places(trajectories) for _, trajectories in played]
            self._returns[name] = np.array([_mean(trajectories) for _, trajectories in played])
        self._played = now

    def _places(self, trajectories: Trajectories) -> np.ndarray:
        seen = trajectories.observations[..., :2]
        tasks = torch.tensor([self.goal])
        last, _ = self.environment.step(tasks, seen[:, :, -1], trajectories.actions[:, :, -1])
        last = torch.where(trajectories.played[..., -1:].bool(), last[..., :2], seen[:, :, -1])
        return torch.cat([seen, last.unsqueeze(2)], 2)[0].numpy()

    def _sentence(
        self, update: int, returns: dict[str, np.ndarray], misses: dict[str, float]
    ) -> str:
        scores = ", ".join(f"{name} {_score(*score[-1])}" for name, score in returns.items())
        ends = ", ".join(f"{name} {_distance(miss)}" for name, miss in misses.items())
        said = (
            f"Goal ({_signed(self.goal[0], 2)}, {_signed(self.goal[1], 2)}), "
            f"after {count(update, 'update')}: average return of "
            f"{self.num_trajectories} paths {scores}. "
            f"Distance from the goal at the end: {ends}."
        )
        return f"{self.notice} {said}".strip()


class TrajectoryExplorer(ipywidgets.VBox):
    """The view of a ``TrajectoryModel``: a square for each learner, its returns, and controls."""

    def __init__(self, model: TrajectoryModel):
        self.model = model
        frame, names = model.frame(), list(model.learners)
        styles = solid_looks(names)
        figure = new_figure(2.75 * len(names), 3.45)
        panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        self._paths = {
            name: Paths(axes, name, styles[name]["color"], ylabel="y" if i == 0 else "")
            for i, (name, axes) in enumerate(zip(names, panels, strict=True))
        }
        figure.legend(handles=HANDLES, loc="outside upper left", ncols=4, **LEGEND)
        self.squares = Picture(
            figure,
            [artist for paths in self._paths.values() for artist in paths.moving],
            on_click=self._clicked,
            on_key=self._pressed,
            keys=KEYS,
        )
        figure = new_figure(2.9, 3.45)
        axes = plain_axes(figure.subplots(), "updates", "average return")
        self._returns = Returns(axes, frame, model.max_updates)
        figure.legend(handles=self._returns.handles, loc="outside upper left", **LEGEND)
        self.returns = Picture(figure, self._returns.moving)
        self.sentence = Sentence()

        self.update = ipywidgets.IntSlider(
            model.update, 0, model.max_updates, description="updates"
        )
        self.update.layout.width, self.update.style.description_width = "360px", "60px"
        self.update.observe(lambda change: self._scrub(change["new"]), "value")
        self.play = Play(value=model.update, max=model.max_updates, milliseconds=1000)
        ipywidgets.jslink((self.play, "value"), (self.update, "value"))
        self.x, self.y = (
            ipywidgets.FloatText(
                value,
                step=NUDGE,
                description=f"goal {axis}",
                layout={"width": "130px"},
                style={"description_width": "50px"},
            )
            for axis, value in zip("xy", model.goal, strict=True)
        )
        super().__init__(
            [
                row(shrinking(self.squares, 460), shrinking(self.returns, 240)),
                row(self.play, self.update),
                self.sentence,
                row(
                    self.x,
                    self.y,
                    button("Set goal", lambda: model.aim(self.x.value, self.y.value), self.show),
                    button("Other luck", self._other_luck, self.show),
                    ipywidgets.HTML(HINT, layout={"margin": "0 0 0 12px"}),
                ),
            ]
        )
        self.show()

    def show(self) -> None:
        """Brings the pictures and the sentence up to the model's state."""
        frame, before = self.model.frame(), self.model.frame(0)
        for name, paths in self._paths.items():
            paths.show(frame.goal, frame.paths[name], before.paths[name])
        self._returns.show(frame)
        self.squares.refresh(alt=f"Paths in the plane. {frame.sentence}")
        self.returns.refresh(alt=f"Return after each update. {frame.sentence}")
        self.sentence.text = frame.sentence

    def filmstrip(self, updates: Sequence[int] = (0, 1, 2, 3)) -> Figure:
        """A row of squares for each learner, one after each of ``updates``, as a still figure."""
        names = list(self.model.learners)
        styles = solid_looks(names)
        figure = still_figure(2.4 * len(updates), 2.35 * len(names) + 0.5)
        panels = figure.subplots(len(names), len(updates), sharex=True, sharey=True, squeeze=False)
        before = self.model.frame(0)
        for i, name in enumerate(names):
            for j, update in enumerate(updates):
                frame = self.model.frame(update)
                title = f"after {count(update, 'update')}" if i == 0 else ""
                xlabel = "x" if i == len(names) - 1 else ""
                ylabel = "" if j else f"{name}\ny"
                paths = Paths(panels[i, j], title, styles[name]["color"], ylabel, xlabel)
                paths.show(frame.goal, frame.paths[name], before.paths[name])
        figure.legend(handles=HANDLES, loc="outside lower center", ncols=4, **LEGEND)
        return figure

    def description(self, updates: Sequence[int] = (0, 1, 2, 3)) -> str:
        """The text alternative of ``filmstrip``: a line for each number of updates."""
        return "\n".join(self.model.frame(update).sentence for update in updates)

    def _scrub(self, update: int) -> None:
        self.model.update = update
        self.show()

    def _aim(self, x: float, y: float) -> None:
        self.model.aim(x, y)
        self.x.value, self.y.value = self.model.goal
        self.show()

    def _clicked(self, pointer: Pointer) -> None:
        self._aim(pointer.x, pointer.y)

    def _pressed(self, key: str) -> None:
        self._aim(*(at + NUDGE * by for at, by in zip(self.model.goal, KEYS[key], strict=True)))

    def _other_luck(self) -> None:
        self.model.seed += 1
        self.model.notice = ""

    def __repr__(self) -> str:
        return f"TrajectoryExplorer({self.sentence.text!r})"


class Paths:
    """One learner's square: the goal, some of its paths and their average, and those of before."""

    def __init__(self, axes: Axes, title: str, color: str, ylabel: str = "", xlabel: str = "x"):
        plain_axes(axes, xlabel, ylabel)
        axes.set_title(title, fontsize=picture.FONT_SIZE)
        ticks = (-0.5, 0, 0.5)
        axes.set(xlim=PLANE, ylim=PLANE, xticks=ticks, yticks=ticks, aspect="equal")
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]) * GOALS
        axes.plot(*corners.T, "--", color=picture.GREY, linewidth=1)
        (self.before,) = axes.plot([], [], color=BEFORE, linewidth=0.8)
        (self.now,) = axes.plot([], [], color=color, linewidth=0.8, alpha=0.6)
        (self.outline,) = axes.plot([], [], color="white", linewidth=5, zorder=3)
        (self.average,) = axes.plot([], [], color=color, linewidth=3, zorder=3)
        axes.plot(0, 0, "+", color=picture.BLACK, markersize=9, zorder=4)
        (self.goal,) = axes.plot([], [], marker="*", markersize=15, zorder=5, **STAR)
        self.moving = [self.before, self.now, self.outline, self.average, self.goal]

    def show(self, goal: tuple[float, float], now: np.ndarray, before: np.ndarray) -> None:
        self.goal.set_data([goal[0]], [goal[1]])
        self.now.set_data(*_one_line(now[:NUM_SHOWN]))
        self.before.set_data(*_one_line(before[:NUM_SHOWN]))
        average = _one_line(now.mean(0, keepdims=True))
        self.outline.set_data(*average)
        self.average.set_data(*average)


class Returns:
    """Every learner's average return after each update so far, with its 95 % interval."""

    def __init__(self, axes: Axes, frame: Frame, max_updates: int):
        axes.set(xlim=(-0.3, max_updates + 0.3), ylim=RETURNS)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        self.means, self.intervals = {}, {}
        for i, (name, style) in enumerate(solid_looks(frame.returns).items()):
            style = style | {"zorder": 3 - i / 10}
            (self.intervals[name],) = axes.plot([], [], **style | {"marker": "_"})
            (self.means[name],) = axes.plot([], [], **style, label=name, clip_on=False)
        self.handles = list(self.means.values())
        self.moving = [*self.intervals.values(), *self.handles]

    def show(self, frame: Frame) -> None:
        for name, scores in frame.returns.items():
            steps = np.arange(len(scores))
            mean, interval = _drawable(scores, *RETURNS).T[0], np.nan_to_num(scores[:, 1])
            ends = np.stack([mean - interval, mean + interval, np.full_like(mean, np.nan)], 1)
            self.means[name].set_data(steps, mean)
            self.intervals[name].set_data(np.repeat(steps, 3), ends.flatten())


def _mean(trajectories: Trajectories) -> tuple[float, float]:
    returns = trajectories.returns[0]
    return returns.mean().item(), 1.96 * returns.std().item() / len(returns) ** 0.5


def _one_line(paths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Paths ``(N, H + 1, 2)`` as the x and y of one line with gaps between them."""
    gap = np.full_like(paths[:, :1], np.nan)
    places = np.concatenate([_drawable(paths, -9, 9), gap], 1).reshape(-1, 2)
    return places[:, 0], places[:, 1]


def _drawable(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """``values`` that can be drawn: what is beyond the limits or no number lies on the edge."""
    return np.clip(np.nan_to_num(values, nan=low, posinf=high, neginf=low), low, high)


def _score(mean: float, interval: float) -> str:
    if not np.isfinite(mean):
        return "no number: its update was too long"
    digits = 1 if abs(mean) < 1000 else 0
    return f"{_signed(mean, digits)} ± {interval:.{digits}f}"


def _distance(miss: float) -> str:
    return f"{miss:.2f}" if miss < 100 else "off the chart"  # also where it is no number


def _signed(value: float, digits: int) -> str:
    """With a real minus sign, and none before a zero."""
    return f"{value:.{digits}f}".replace("-", "−" if round(value, digits) else "")
