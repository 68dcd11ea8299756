"""The landscape: two weights θ as a plane, and the ways in which learning would move them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.reptile import Reptile
from metalearn_lite.networks import Params
from metalearn_lite.tasks.two_weights import (
    AMPLITUDES,
    PHASES,
    SUPPORT_X,
    AmplitudeAndPhase,
    SineAndCosine,
    episodes,
)
from metalearn_lite.widgets import words
from metalearn_lite.widgets.kit import (
    Arrows,
    Axis,
    Choice,
    Drag,
    Heat,
    Line,
    Live,
    Panel,
    Points,
    Scene,
    Slider,
    Table,
    Try,
    solid,
    still,
)

MAX_STEPS = 10
GRID = 41
NOTHING = 1e-9  # a norm below it is rounding


class Surface(NamedTuple):
    """What the two weights mean, and the part of their plane that is shown."""

    network: Callable[[Params, Tensor], Tensor]
    labels: tuple[str, str]
    low: float
    high: float
    """the plane is the square from ``low`` to ``high``"""
    solutions: np.ndarray
    """``(T, 2)``: the θ that makes each task's wave exactly"""
    start: tuple[float, float]


_A, _P = np.array(AMPLITUDES), np.array(PHASES)
SURFACES = {
    "quadratic": Surface(
        network=SineAndCosine(),
        labels=("θ₁, weight of sin x", "θ₂, weight of cos x"),
        low=-3.0,
        high=3.0,
        solutions=np.stack([_A * np.cos(_P), -_A * np.sin(_P)], 1),
        start=(1.5, 1.2),
    ),
    "not quadratic": Surface(
        network=AmplitudeAndPhase(),
        labels=("θ₁, amplitude", "θ₂, phase"),
        low=-1.0,
        high=4.0,
        solutions=np.stack([_A, _P], 1),
        start=(2.5, 0.5),
    ),
}

TRUE = "meta-gradient"
METHODS: dict[str, Callable[..., MAML]] = {
    TRUE: partial(MAML, order=2),
    "first-order MAML": partial(MAML, order=1),
    "Reptile": partial(Reptile, batch_size=sum(map(len, SUPPORT_X))),  # one batch has them all
}


@dataclass(frozen=True)
class Frame:
    """All that a picture of one moment shows."""

    theta: np.ndarray
    """``(2,)``"""
    paths: np.ndarray
    """``(T, steps + 1, 2)``: where each task's inner steps lead from θ"""
    gradients: dict[str, np.ndarray]
    """by method ``(2,)``: what an outer step subtracts from θ, but for its rate"""
    norms: dict[str, float]
    cosines: dict[str, float]
    """by method: the cosine of its angle to the true meta-gradient; NaN where one of them is 0"""
    meta_loss: float
    """at θ: the query loss after the inner steps, averaged over tasks"""
    losses: np.ndarray
    """``(GRID, GRID)``: the meta-loss all over the plane, θ₂ along the first axis"""
    sentence: str
    """what the picture shows, for those who cannot see it"""


class LandscapeModel:
    """A θ of two weights, three tasks that adapt it, and three methods that would move it.

    ``theta``, ``inner_lr``, ``inner_steps`` and ``surface`` are its state: change them (θ by
    ``move``, the surface by ``choose``) and ask for the next ``frame``.

    All methods see the same inner steps. So Reptile, which does not split a task, is given the
    support alone, all of it at every step.

    Args:
        surface: "quadratic" or "not quadratic".
        inner_lr: α.
        inner_steps: k, from 0 to 10.
        theta: where to begin, in place of the surface's own start.

    Raises:
        ValueError: there is no such surface, or an inner rate or a number of steps below 0.
    """

    def __init__(
        self,
        surface: str = "quadratic",
        inner_lr: float = 0.5,
        inner_steps: int = 1,
        theta: tuple[float, float] | None = None,
    ):
        if not inner_lr > 0:
            raise ValueError(f"inner_lr={inner_lr}: choose a number above 0")
        if not 0 <= inner_steps <= MAX_STEPS:
            raise ValueError(f"inner_steps={inner_steps}: choose 0 to {MAX_STEPS}")
        self.inner_lr, self.inner_steps = inner_lr, inner_steps
        # In 64-bit, so that a direction of nothing but rounding can be told from a true one.
        self._episodes = episodes(torch.float64)
        self._known: dict[tuple, np.ndarray] = {}
        self.choose(surface)
        if theta is not None:
            self.move(*theta)

    def choose(self, name: str) -> None:
        """Another surface, with θ at its start."""
        if name not in SURFACES:
            raise ValueError(f"surface={name!r}: choose {' or '.join(map(repr, SURFACES))}")
        self.surface, self.notice = name, ""
        self.theta = SURFACES[name].start

    def move(self, first: float, second: float) -> None:
        """θ to this place, or to the edge of the plane where it lies beyond it."""
        if not (math.isfinite(first) and math.isfinite(second)):
            self.notice = f"({first}, {second}) is no place on the chart."
            return
        low, high = SURFACES[self.surface].low, SURFACES[self.surface].high
        self.theta = min(max(first, low), high), min(max(second, low), high)
        beyond = self.theta != (first, second)
        self.notice = "The chart ends here." if beyond else ""

    def frame(self) -> Frame:
        """What there is to see now."""
        learners = {name: make(*self._setting()) for name, make in METHODS.items()}
        support, _ = self._episodes
        data = dict.fromkeys(METHODS, self._episodes) | {"Reptile": Episodes(support, support)}
        found = {name: learner.meta_gradient(data[name]) for name, learner in learners.items()}
        gradients = {name: gradient["theta"].numpy() for name, (_, gradient) in found.items()}
        norms = {name: float(np.linalg.norm(gradient)) for name, gradient in gradients.items()}
        path = [adapted["theta"] for adapted in learners[TRUE].trace(support).adapted]
        meta_loss = found[TRUE][0].item()
        cosines = {name: _cosine(gradients[name], gradients[TRUE]) for name in METHODS}
        return Frame(
            theta=np.array(self.theta),
            paths=torch.stack(path, 1).numpy(),
            gradients=gradients,
            norms=norms,
            cosines=cosines,
            meta_loss=meta_loss,
            losses=self._losses(),
            sentence=self._sentence(meta_loss, norms, cosines),
        )

    def _setting(self) -> tuple:
        """What every learner is made from: network, θ, inner rate and number of steps."""
        params = {"theta": torch.tensor(self.theta, dtype=torch.float64)}
        return SURFACES[self.surface].network, params, self.inner_lr, self.inner_steps

    @torch.no_grad()
    def _losses(self) -> np.ndarray:
        """The meta-loss on a grid, unless it is known: where θ is does not change it."""
        now = (self.surface, self.inner_lr, self.inner_steps)
        if now not in self._known:
            if len(self._known) > 2 * MAX_STEPS:
                self._known.clear()
            surface = SURFACES[self.surface]
            along = torch.linspace(surface.low, surface.high, GRID)
            points = torch.cartesian_prod(along, along).flip(1)
            learner = _AtEveryPoint(points, *self._setting())
            support, query = (
                Examples(half.x.repeat(len(points), 1, 1), half.y.repeat(len(points), 1))
                for half in episodes()  # in 32-bit: pictures need no more, and it is faster
            )
            predicted = learner.predict(learner.adapt(support), query.x)
            losses = task_losses(predicted, query.y).view(GRID, GRID, -1).mean(-1)
            self._known[now] = losses.numpy()
        return self._known[now]

    def _sentence(self, meta_loss: float, norms: dict, cosines: dict) -> str:
        first, second = self.theta
        compared = [
            f"{name} norm {_short(norms[name])}"
            + ("" if name == TRUE else f", {_compared(cosines[name])}")
            for name in METHODS
        ]
        steps = words.count(self.inner_steps, "inner step")
        said = (
            f"θ = ({first:.2f}, {second:.2f}). After {steps} at rate {self.inner_lr:.2g} "
            f"the meta-loss is {_short(meta_loss)}. "
            f"{_capital('; '.join(compared))}."
        )
        return f"{self.notice} {said}".strip()


class _AtEveryPoint(MAML):
    """Each of ``points`` ``(P, 2)`` is θ for every task: one adaptation is all of them."""

    def __init__(self, points: Tensor, *setting):
        super().__init__(*setting)
        self._points = points

    def start(self, support: Examples) -> Params:
        return {"theta": self._points.repeat_interleave(len(support.x) // len(self._points), 0)}


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    return float(a @ b / math.prod(lengths)) if min(lengths) > NOTHING else math.nan


def _compared(cosine: float) -> str:
    # Read aloud, a hyphen is no minus.
    return "no direction" if math.isnan(cosine) else f"cosine {cosine:.3f}".replace("-", "−")


def _short(value: float) -> str:
    if value < NOTHING:
        return "0"
    return f"{value:.2f}" if value >= 0.095 else f"{value:.1g}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# The view

WIDTHS = {TRUE: 6, "first-order MAML": 3.5, "Reptile": 1.6}
"""the widest lies below, so that directions which agree are all to be seen"""
MARKERS = ("o", "s", "^")
ARROW = 0.22  # an arrow's length, as part of the plane's side
POWERS = tuple(range(-5, 5))  # the levels of the meta-loss, as powers of two
NOTE = (
    "Drag θ, or reach it with Tab and use the arrow keys. The small marks are each task's inner "
    "steps; the hollow mark is where that task would be solved. An arrow is a direction; its norm, "
    "and the cosine of its angle to the meta-gradient, stand in the table."
)


class LandscapeExplorer(Live):
    """A `LandscapeModel` in the page: the plane with θ to drag, a table, and controls."""

    by = "inner_steps"

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        return Scene(
            panels=(_plane(SURFACES[model.surface], frame), _table(frame)),
            controls=(
                Choice("surface", "surface", model.surface, tuple(SURFACES), beside="methods"),
                Slider("inner_lr", "inner rate", model.inner_lr, 0.02, 1, 0.02, beside="methods"),
                Slider(
                    "inner_steps",
                    "inner steps",
                    model.inner_steps,
                    0,
                    MAX_STEPS,
                    play=600,
                    beside="methods",
                ),
            ),
            tries=(
                Try(
                    "Not a single inner step",
                    "Two arrows lie on each other and one is gone. Which, and why?",
                    values={"surface": "quadratic", "inner_steps": 0},
                ),
                Try(
                    "A tiny inner rate",
                    "Do the three methods still disagree? Read the cosines.",
                    values={"surface": "quadratic", "inner_steps": 1, "inner_lr": 0.02},
                ),
                Try(
                    "A curved surface",
                    "Two steps of full rate. Drag θ about: where does first order point elsewhere?",
                    values={"surface": "not quadratic", "inner_steps": 2, "inner_lr": 0.5},
                ),
            ),
            sentence=frame.sentence,
            note=NOTE,
            code=self._code(),
        )

    def set(self, name: str, value: float | str) -> None:
        if name == "surface":
            if value != self.model.surface:
                self.model.choose(value)
        else:
            setattr(self.model, name, value)

    def drag(self, key: str, index: int, x: float, y: float) -> None:
        self.model.move(x, y)

    def filmstrip(self, inner_rates: Sequence[float] = (0.1, 0.5, 0.8)) -> still.Figure:
        """The plane at each of ``inner_rates``, side by side, as a figure that stays."""
        titles = [f"inner rate {rate:.2g}" for rate in inner_rates]
        scenes = self.scenes_at("inner_lr", inner_rates)
        return still.strip(scenes, titles, panels=("plane",))

    def description(self, inner_rates: Sequence[float] = (0.1, 0.5, 0.8)) -> str:
        """The text alternative of ``filmstrip``: a line for each inner rate."""
        return "\n".join(scene.sentence for scene in self.scenes_at("inner_lr", inner_rates))

    def _code(self) -> str:
        model = self.model
        return (
            f"LandscapeExplorer(LandscapeModel({model.surface!r}, inner_lr={model.inner_lr:.3g}, "
            f"inner_steps={model.inner_steps}, theta=({model.theta[0]:.4g}, {model.theta[1]:.4g})))"
        )


def _colors() -> dict[str, str]:
    names = {method: "MAML" if method == TRUE else method for method in METHODS}
    looks = solid(list(names.values()))
    return {method: looks[name]["color"] for method, name in names.items()}


def _plane(surface: Surface, frame: Frame) -> Panel:
    """The meta-loss in shades, the tasks' paths, and the directions of the methods."""
    colors, (first, second) = _colors(), frame.theta
    arrows = []
    for name, width in WIDTHS.items():
        # No arrow where the method would stay.
        step = -frame.gradients[name] / max(frame.norms[name], NOTHING)
        dx, dy = ARROW * (surface.high - surface.low) * step
        at = ([first], [second], [dx], [dy]) if frame.norms[name] > NOTHING else ()
        dash = (2, 1) if name == "Reptile" else "-"
        arrows.append(
            Arrows(f"to {name}", *at, label=name, color=colors[name], width=width, dash=dash)
        )
    paths = [
        Line(
            f"path {i}",
            *path.T,
            label=f"task {i}",
            color="pink",
            marker=marker,
            width=1.2,
            link="inner step",
        )
        for i, (path, marker) in enumerate(zip(frame.paths, MARKERS, strict=True), 1)
    ]
    solutions = [
        Points(
            f"solution {i}",
            [x],
            [y],
            label=f"task {i} solved",
            listed=False,
            color="pink",
            marker=marker,
            size=15,
            hollow=True,
            fixed=("x", "y"),
        )
        for i, ((x, y), marker) in enumerate(zip(surface.solutions, MARKERS, strict=True), 1)
    ]
    *broad, thinnest = arrows  # Reptile's would vanish below the paths
    return Panel(
        "plane",
        Axis(surface.low, surface.high, surface.labels[0]),
        Axis(surface.low, surface.high, surface.labels[1]),
        (
            Heat(
                "loss",
                np.log2(np.clip(frame.losses, 1e-9, 1e9)),
                label="meta-loss",
                color="gray",
                low=POWERS[0] - 1,
                high=POWERS[-1] + 1,
                steps=POWERS,
                names=tuple(f"{2.0**power:.2g}" for power in (POWERS[0], POWERS[-1])),
                fixed=("values",),
            ),
            *broad,
            *solutions,
            *paths,
            Points("solved", label="a task solved", color="pink", size=11, hollow=True),
            thinnest,
            Points(
                "theta",
                [first],
                [second],
                label="θ",
                color="yellow",
                edge="ink",
                size=16,
                drag=Drag("θ", carries=tuple(arrow.key for arrow in arrows)),
            ),
        ),
        alt="the plane of θ",
        width=500,
        height=472,
        square=True,
        grid=False,
    )


def _table(frame: Frame) -> Table:
    colors = _colors()
    cosines = {name: _compared(frame.cosines[name]).removeprefix("cosine ") for name in METHODS}
    return Table(
        "methods",
        ("", "norm", "cosine"),
        [
            *((name, _short(frame.norms[name]), cosines[name]) for name in METHODS),
            ("meta-loss at θ", _short(frame.meta_loss), ""),
        ],
        swatches=[*(colors[name] for name in METHODS), ""],
    )
