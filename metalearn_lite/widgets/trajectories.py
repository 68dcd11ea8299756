"""The trajectory explorer: choose a goal and watch policies learn to go there, update by update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from metalearn_lite.rl.maml_policy_gradient import MAMLPolicyGradient
from metalearn_lite.rl.trajectories import Trajectories
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.widgets.kit import (
    Axis,
    Button,
    Drag,
    Line,
    Live,
    Panel,
    Points,
    Scene,
    Slider,
    Spans,
    Try,
    solid,
    still,
)
from metalearn_lite.widgets.words import count

MAX_LEARNERS = 3
GOALS = 0.5  # a goal's two numbers lie between -GOALS and GOALS
PLANE = (-0.75, 0.75)
RETURNS = (-60.0, 2.0)
NUM_SHOWN = 6  # more paths would hide one another
NOTE = "Drag the goal, or click in a square. With the keyboard: Tab to it, then the arrow keys."


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
        update: after how many of them to look first.
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
        update: int = 0,
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
        self.update = update
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


class TrajectoryExplorer(Live):
    """A `TrajectoryModel` in the page: a square for each learner, its returns, and controls."""

    by = "update"

    def scene(self) -> Scene:
        model = self.model
        frame, before = model.frame(), model.frame(0)
        return Scene(
            (
                *(
                    _square(name, style["color"], frame, before, key=i == 0)
                    for i, (name, style) in enumerate(solid(list(model.learners)).items())
                ),
                _returns(frame, model.max_updates),
            ),
            (
                Slider("update", "updates", model.update, high=model.max_updates, play=1000),
                Button("other_luck", "Other luck"),
            ),
            (
                Try(
                    "A goal in the corner",
                    "Both learn the whole way there. Whose first update goes further?",
                    values={"update": 1},
                    press="corner",
                ),
                Try(
                    "A goal at the start",
                    "Before any update: who already stands there, and who wanders off?",
                    values={"update": 0},
                    press="middle",
                ),
            ),
            sentence=frame.sentence,
            note=NOTE,
            code=f"TrajectoryExplorer(TrajectoryModel(learners, environment, goal={model.goal}, "
            f"seed={model.seed}, update={model.update}))",
        )

    def drag(self, key: str, index: int, x: float, y: float) -> None:
        self.model.aim(*(min(max(place, -GOALS), GOALS) for place in (x, y)))

    def click(self, panel: str, x: float, y: float) -> None:
        self.model.aim(x, y)

    def other_luck(self) -> None:
        self.model.seed += 1
        self.model.notice = ""

    def corner(self) -> None:
        self.model.aim(GOALS, -GOALS)

    def middle(self) -> None:
        self.model.aim(0, 0)

    def filmstrip(self, updates: Sequence[int] = (0, 1, 2, 3)) -> still.Figure:
        """A row of squares for each learner, one after each of ``updates``, as a still figure."""
        titles = [f"after {count(update, 'update')}" for update in updates]
        squares = [f"square {name}" for name in self.model.learners]
        return still.strip(self.scenes_at("update", updates), titles, panels=squares)

    def description(self, updates: Sequence[int] = (0, 1, 2, 3)) -> str:
        """The text alternative of ``filmstrip``: a line for each number of updates."""
        return "\n".join(self.model.frame(update).sentence for update in updates)


def _square(name: str, color: str, frame: Frame, before: Frame, key: bool) -> Panel:
    """One learner's square: the goal, some of its paths and their average, and those of before.

    One of the squares has the ``key`` to them all.
    """
    keys = (
        Line("before", label="paths before", color="gray", width=0.8, opacity=0.8),
        Line("some", label="some paths", width=0.8),
        Line("average", label="average path", width=3),
        Points("unseen", label="goal, unseen", color="yellow", edge="ink", marker="*", size=14),
    )
    paths = frame.paths[name]
    average = _one_line(paths.mean(0, keepdims=True))
    corners = GOALS * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]).T
    axis = {"low": PLANE[0], "high": PLANE[1], "ticks": (-0.5, 0, 0.5)}
    return Panel(
        f"square {name}",
        Axis(**axis, label="x"),
        Axis(**axis, label="y"),
        (
            *(keys if key else ()),
            Line(f"{name} goals", *corners, color="gray", dash="--", width=1, fixed=("x", "y")),
            Line(
                f"{name} before",
                *_one_line(before.paths[name][:NUM_SHOWN]),
                color="gray",
                label="paths before",
                listed=False,
                width=0.8,
                opacity=0.8,
                fixed=("x", "y"),
            ),
            Line(
                f"{name} now",
                *_one_line(paths[:NUM_SHOWN]),
                color=color,
                label="some paths",
                listed=False,
                width=0.8,
                opacity=0.9,
            ),
            Line(f"{name} outline", *average, color="paper", width=6),
            Line(
                f"{name} average",
                *average,
                color=color,
                label="average path",
                listed=False,
                width=3,
            ),
            Points(f"{name} start", [0], [0], marker="+", size=10, fixed=("x", "y")),
            Points(
                f"{name} goal",
                [frame.goal[0]],
                [frame.goal[1]],
                label="goal, unseen",
                listed=False,
                color="yellow",
                edge="ink",
                marker="*",
                size=18,
                drag=Drag("the goal"),
            ),
        ),
        title=name,
        alt=f"paths of {name} in the plane",
        width=340,
        height=312,
        square=True,
        click="set the goal",
    )


def _returns(frame: Frame, max_updates: int) -> Panel:
    """Every learner's average return after each update so far, with its 95 % interval."""
    marks = []
    for name, style in reversed(solid(list(frame.returns)).items()):
        mean, interval = np.nan_to_num(frame.returns[name], nan=RETURNS[0]).T
        mean = mean.clip(*RETURNS)
        at = np.arange(len(mean))
        marks.append(
            Spans(f"interval {name}", at, mean - interval, mean + interval, color=style["color"])
        )
        marks.append(Line(f"return {name}", at, mean, label=name, link="update", **style))
    return Panel(
        "returns",
        Axis(-0.3, max_updates + 0.3, "updates", ticks=tuple(range(max_updates + 1))),
        Axis(*RETURNS, "average return"),
        tuple(marks),
        alt="average return after each update",
        width=320,
        height=312,
    )


def _one_line(paths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Paths ``(N, H + 1, 2)`` as the x and y of one line with gaps between them."""
    gap = np.full_like(paths[:, :1], np.nan)
    inside = np.nan_to_num(paths, nan=-9, posinf=9, neginf=-9).clip(-9, 9).round(3)
    places = np.concatenate([inside, gap], 1).reshape(-1, 2)
    return places[:, 0], places[:, 1]


def _mean(trajectories: Trajectories) -> tuple[float, float]:
    returns = trajectories.returns[0]
    return returns.mean().item(), 1.96 * returns.std().item() / len(returns) ** 0.5


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
