"""The chooser: walk along a stream of tasks with an agent that picks the learner for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from metalearn_lite.rl.choosing import Stream
from metalearn_lite.rl.contextual_bandits import LinUCB, Moment, regret, walk
from metalearn_lite.tasks import mixed
from metalearn_lite.tasks.sinusoids import INPUT
from metalearn_lite.widgets.kit import (
    Axis,
    Bars,
    Line,
    Live,
    Panel,
    Points,
    Rules,
    Scene,
    Slider,
    Spans,
    Switch,
    Try,
    solid,
    still,
    top_down,
)

VALUES = (-7.0, 7.0)
BELIEFS = (-0.75, 1.5)
MOST_EXPLORATION = 2.0
MAX_LEARNERS = 6  # each with a colour and a marker of its own


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
        task: the task to begin with.

    Raises:
        ValueError: names and stream do not fit, or there are more than six learners.
    """

    def __init__(
        self,
        stream: Stream,
        learners: Sequence[str],
        features: Sequence[str],
        exploration: float = 0.5,
        task: int = 1,
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
        self.task = task
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


class Chooser(Live):
    """A `ChooserModel` in the page: a task, what the agent believes, its regret, and controls."""

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        return Scene(
            (_support(frame), _beliefs(frame, model.learners), _regret(frame, model.learners)),
            (
                Slider("task", "task", model.task, 1, model.horizon, play=400),
                Slider("exploration", "exploration", model.exploration, 0, MOST_EXPLORATION, 0.1),
                *(
                    Switch(name, name, name in model.seen, group="The agent sees")
                    for name in model.features[1:]
                ),
            ),
            (
                Try(
                    "Blind",
                    "It sees no feature, only that there is a task. What becomes of its regret?",
                    values=dict.fromkeys(model.features[1:], False) | {"task": model.horizon},
                ),
                Try(
                    "Sure of itself",
                    "No exploration: does it ever find out what it did not try?",
                    values=dict.fromkeys(model.features[1:], True)
                    | {"exploration": 0.0, "task": model.horizon},
                ),
            ),
            sentence=frame.sentence,
            code=""
            if len(model.seen) < len(model.features) - 1
            else f"Chooser(ChooserModel("
            f"stream, learners, features, exploration={model.exploration:.2g}, task={model.task}))",
        )

    def set(self, name: str, value: float | bool) -> None:
        if isinstance(value, bool):
            self.model.seen = self.model.seen | {name} if value else self.model.seen - {name}
        else:
            setattr(self.model, name, value)

    def filmstrip(self, tasks: Sequence[int] = (1, 20, 100)) -> still.Figure:
        """Support and beliefs at each of ``tasks``, then the regret: a figure that stays."""
        scenes = self.scenes_at("task", tasks)
        titles = [f"task {task}" for task in tasks]
        return still.strip(scenes, titles, panels=("support", "beliefs"), end=("regret",))

    def description(self, tasks: Sequence[int] = (1, 20, 100)) -> str:
        """The text alternative of ``filmstrip``: a line for each task."""
        return "\n".join(self.model.frame(task).sentence for task in tasks)


def _support(frame: Frame) -> Panel:
    """The points of one task. One beyond the chart lies at its edge."""
    y = frame.support_y.clip(*VALUES)
    return Panel(
        "support",
        Axis(*INPUT, "x", ticks=(-4, 0, 4)),
        Axis(VALUES[0] - 0.6, VALUES[1] + 0.6, "y", ticks=(-5, 0, 5)),
        (
            Points(
                "points", frame.support_x, y, label="a point", listed=False, color="yellow",
                edge="ink", size=10,
            ),
        ),
        title="the task",
        alt="the points of the task",
        width=250,
        height=330,
    )  # fmt: skip


def _beliefs(frame: Frame, learners: Sequence[str]) -> Panel:
    """Per learner what is expected (a bar), how unsure that is (a line), and what it brings."""
    places = np.arange(len(learners))[::-1]
    others = np.arange(len(learners)) != frame.picked
    picked = [places[frame.picked]]
    colors = [style["color"] for style in solid(learners).values()]
    return Panel(
        "beliefs",
        Axis(*BELIEFS, "reward", ticks=(-0.5, 0, 0.5, 1)),
        top_down(learners),
        (
            Rules("nothing", [0]),
            Bars(
                "expected", frame.expected, places, label="expected", listed=False, colors=colors,
                opacity=0.85, thick=0.5, flat=True, link="learner",
            ),
            Spans(
                "unsure", places, frame.expected - frame.widths, frame.expected + frame.widths,
                label="expected, ± unsure", flat=True, link="learner",
            ),
            Points(
                "would", frame.rewards[others], places[others], label="would have got",
                hollow=True, size=10,
            ),
            Points("got", [frame.rewards[frame.picked]], picked, label="got", color="red", size=12),
            Points(
                "pick", [BELIEFS[0] + 0.09], picked, label="picked", color="red", marker=">",
                size=13,
            ),
        ),
        title="what the agent believes",
        alt="what the agent expects of each learner, and what each would bring",
        width=380,
        height=330,
    )  # fmt: skip


def _regret(frame: Frame, learners: Sequence[str]) -> Panel:
    """The agent's regret so far, and that of always picking one learner."""
    horizon = len(frame.fixed_regret)
    fixed = [
        Line(
            f"always {name}", np.arange(1, horizon + 1), losses, label=f"always {name}",
            width=1.2, every=(0, max(1, horizon // 5)), fixed=("x", "y"), **style,
        )
        for (name, style), losses in zip(
            solid(learners).items(), frame.fixed_regret.T, strict=True
        )
    ]  # fmt: skip
    return Panel(
        "regret",
        Axis(0, horizon * 1.02, "task"),
        Axis(0, float(frame.fixed_regret.max()) * 1.05, "regret, summed up"),
        (
            *fixed,
            Line(
                "agent", np.arange(frame.task + 1), np.concatenate([[0], frame.regret]),
                label="the agent", color="red", width=3.5,
            ),
        ),
        title="regret",
        alt="regret so far, of the agent and of always picking one learner",
        width=340,
        height=330,
    )  # fmt: skip
