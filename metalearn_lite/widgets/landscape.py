"""The landscape: two weights θ as a plane, and the ways in which learning would move them."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.figures import look
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
from metalearn_lite.widgets import picture, words
from metalearn_lite.widgets.layout import row, shrinking, still_figure
from metalearn_lite.widgets.picture import Picture, Sentence, new_figure, plain_axes
from metalearn_lite.widgets.play import Play

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

    Raises:
        ValueError: there is no such surface, or an inner rate or a number of steps below 0.
    """

    def __init__(self, surface: str = "quadratic", inner_lr: float = 0.5, inner_steps: int = 1):
        if not inner_lr > 0:
            raise ValueError(f"inner_lr={inner_lr}: choose a number above 0")
        if not 0 <= inner_steps <= MAX_STEPS:
            raise ValueError(f"inner_steps={inner_steps}: choose 0 to {MAX_STEPS}")
        self.inner_lr, self.inner_steps = inner_lr, inner_steps
        # In 64-bit, so that a direction of nothing but rounding can be told from a true one.
        self._episodes = episodes(torch.float64)
        self._known_for: tuple | None = None
        self.choose(surface)

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
        if now != self._known_for:
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
            self._known, self._known_for = losses.numpy(), now
        return self._known

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
    return "no direction" if math.isnan(cosine) else f"cosine {cosine:.3f}"


def _short(value: float) -> str:
    if value < NOTHING:
        return "0"
    return f"{value:.2f}" if value >= 0.095 else f"{value:.1g}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# The view

STYLES = {  # the widest lies below, so that directions which agree are all to be seen
    TRUE: {"color": look("MAML")["color"], "linewidth": 6, "linestyle": "-"},
    "first-order MAML": {
        "color": look("first-order MAML")["color"],
        "linewidth": 3.5,
        "linestyle": "-",
    },
    "Reptile": {"color": look("Reptile")["color"], "linewidth": 1.6, "linestyle": (0, (2, 1))},
}
MARKERS = ("o", "s", "^")
ARROW = 0.22  # an arrow's length, as part of the plane's side
NUDGE = 0.02  # how far an arrow key moves θ, in the same unit
POWERS = np.arange(-5, 5)  # the levels of the meta-loss, as powers of two
GREYS = [str(grey) for grey in np.linspace(1, 0.65, len(POWERS) + 1)]  # one for each band
LEGEND = {"fontsize": 10, "columnspacing": 1.5, "handlelength": 2, "frameon": False}
HOW_TO = (
    "<p style='line-height: 1.4'>Drag θ, the yellow dot, or reach the chart with Tab and move θ "
    "with the arrow keys. The small marks are each task's inner steps; the hollow mark is where "
    "that task would be solved. Arrows show directions; below are their norms, and the cosines of "
    "their angles to the meta-gradient.</p>"
)
RIGHT = "text-align: right; padding-left: 14px"
SWATCH = "background: white"  # as in the picture; on a dark page black would not show
KEYS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowDown": (0, -1), "ArrowUp": (0, 1)}


class LandscapeExplorer(ipywidgets.VBox):
    """The view of a ``LandscapeModel``: the plane with θ to drag, a table, and controls."""

    def __init__(self, model: LandscapeModel):
        self.model = model
        figure = new_figure(5.0, 4.6)
        self._plane = Plane(figure.subplots())
        figure.legend(handles=self._plane.handles, loc="outside upper left", ncols=3, **LEGEND)
        self._plane.add_scale(figure)
        self._plane.show(model)
        self.plane = Picture(
            figure,
            self._plane.moving,
            on_drag=lambda pointer: self.move(pointer.x, pointer.y),
            on_key=self._pressed,
            keys=KEYS,
        )
        self.table, self.sentence = ipywidgets.HTML(), Sentence()
        self.surface = ipywidgets.ToggleButtons(
            options=list(SURFACES), value=model.surface, style={"button_width": "136px"}
        )
        self.inner_lr = ipywidgets.FloatSlider(
            model.inner_lr, min=0.02, max=1, step=0.02, description="inner rate"
        )
        self.inner_steps = ipywidgets.IntSlider(
            model.inner_steps, 0, MAX_STEPS, description="inner steps"
        )
        self.play = Play(value=model.inner_steps, max=MAX_STEPS)
        ipywidgets.jslink((self.play, "value"), (self.inner_steps, "value"))
        for name in ("inner_lr", "inner_steps"):
            slider = getattr(self, name)
            slider.observe(lambda change, name=name: self._set(name, change["new"]), "value")
            slider.layout.width, slider.style.description_width = "285px", "75px"
        self.surface.observe(lambda change: self._choose(change["new"]), "value")
        controls = [
            ipywidgets.HTML(HOW_TO),
            self.surface,
            self.inner_lr,
            self.inner_steps,
            self.play,
            self.table,
        ]
        beside = ipywidgets.VBox(controls, layout={"margin": "0 0 0 8px", "width": "300px"})
        super().__init__([row(shrinking(self.plane, 380), beside), self.sentence])
        self.show()

    def show(self, layout: bool = False) -> None:
        """Brings picture, table and sentence up to the model's state."""
        frame = self._plane.show(self.model)
        self.plane.refresh(alt=f"The plane of θ. {frame.sentence}", layout=layout)
        self.table.value = _table(frame)
        self.sentence.text = frame.sentence

    def filmstrip(self, inner_rates: Sequence[float] = (0.1, 0.5, 0.8)) -> Figure:
        """The plane at each of ``inner_rates``, side by side, as a figure that stays."""
        figure = still_figure(3.5 * len(inner_rates), 4.2)
        panels = figure.subplots(1, len(inner_rates), sharey=True, squeeze=False)[0]
        for axes, model in zip(panels, self._at(inner_rates), strict=True):
            plane = Plane(axes)
            plane.show(model)
            axes.set_title(f"inner rate {model.inner_lr:.2g}", fontsize=picture.FONT_SIZE)
            axes.set_ylabel(axes.get_ylabel() if axes is panels[0] else "")
        handles = [*plane.handles, plane.hollow]
        figure.legend(handles=handles, loc="outside lower center", ncols=7, **LEGEND)
        return figure

    def description(self, inner_rates: Sequence[float] = (0.1, 0.5, 0.8)) -> str:
        """The text alternative of ``filmstrip``: a line for each inner rate."""
        return "\n".join(model.frame().sentence for model in self._at(inner_rates))

    def _at(self, inner_rates: Sequence[float]) -> Iterator[LandscapeModel]:
        """The model as it is now, but for its inner rate."""
        for inner_lr in inner_rates:
            model = copy.copy(self.model)
            model.inner_lr = inner_lr
            yield model

    def _set(self, name: str, value: float) -> None:
        setattr(self.model, name, value)
        self.show()

    def _choose(self, surface: str) -> None:
        self.model.choose(surface)
        self.show(layout=True)

    def move(self, first: float, second: float) -> None:
        """θ to this place."""
        self.model.move(first, second)
        self.show()

    def _pressed(self, key: str) -> None:
        surface = SURFACES[self.model.surface]
        nudge = NUDGE * (surface.high - surface.low)
        self.move(*(at + nudge * by for at, by in zip(self.model.theta, KEYS[key], strict=True)))

    def __repr__(self) -> str:
        return f"LandscapeExplorer({self.sentence.text!r})"


class Plane:
    """The plane of θ: the meta-loss in shades and lines, the tasks' paths, and the directions."""

    def __init__(self, axes: Axes):
        self.axes = plain_axes(axes)
        axes.grid(False)
        axes.set_aspect("equal")
        self.bands = PathCollection([], edgecolors="#999999", linewidths=0.6)
        axes.add_collection(self.bands, autolim=False)
        self.paths = [
            axes.plot([], [], color=picture.PURPLE, marker=marker, markersize=5, linewidth=1.2)[0]
            for marker in MARKERS
        ]
        self.solutions = [
            axes.plot([], [], marker, color=picture.PURPLE, markersize=13, fillstyle="none")[0]
            for marker in MARKERS
        ]
        self.arrows = {name: axes.plot([], [], **style)[0] for name, style in STYLES.items()}
        (self.theta,) = axes.plot(
            [], [], "o", color=picture.YELLOW, markeredgecolor=picture.BLACK, markersize=14
        )
        self.handles = [
            *(Line2D([], [], **style, label=name) for name, style in STYLES.items()),
            *(
                Line2D([], [], color=picture.PURPLE, marker=marker, label=f"task {i}")
                for i, marker in enumerate(MARKERS, 1)
            ),
        ]
        hollow = {"color": picture.PURPLE, "fillstyle": "none", "linestyle": "", "markersize": 11}
        self.hollow = Line2D([], [], marker="o", label="a task solved", **hollow)
        *broad, thinnest = self.arrows.values()  # Reptile's would vanish below the paths
        tasks = [*self.solutions, *self.paths]
        self.moving = [self.bands, *broad, *tasks, thinnest, self.theta]
        # Pictures draw in this order too: from below to above.
        for order, artist in enumerate(self.moving):
            artist.set_zorder(1 + order / 100)

    def add_scale(self, figure: Figure) -> None:
        """What the shades mean, beside the plane."""
        scale = ScalarMappable(
            BoundaryNorm(POWERS, len(GREYS), extend="both"), ListedColormap(GREYS)
        )
        bar = figure.colorbar(scale, ax=self.axes, shrink=0.85, aspect=30, pad=0.02)
        bar.set_label("meta-loss (mean squared error)", fontsize=picture.FONT_SIZE)
        bar.set_ticks(POWERS[::2], labels=[f"{2.0**power:.2g}" for power in POWERS[::2]])

    def show(self, model: LandscapeModel) -> Frame:
        """Brings the artists up to the model's state, and returns its frame."""
        frame, surface = model.frame(), SURFACES[model.surface]
        low, high = surface.low, surface.high
        self.axes.set(xlim=(low, high), ylim=(low, high))
        self.axes.set_xlabel(surface.labels[0])
        self.axes.set_ylabel(surface.labels[1])
        self._show_losses(frame.losses, low, high)
        for path, line, solution, mark in zip(
            frame.paths, self.paths, surface.solutions, self.solutions, strict=True
        ):
            line.set_data(*path.T)
            mark.set_data(*solution[:, None])
        for name, arrow in self.arrows.items():
            self._point(arrow, frame, name, ARROW * (high - low))
        self.theta.set_data(*frame.theta[:, None])
        return frame

    def _show_losses(self, losses: np.ndarray, low: float, high: float) -> None:
        along = np.linspace(low, high, GRID)
        powers = np.log2(np.clip(losses, 1e-9, 1e9))
        contours = contour_generator(along, along, powers, fill_type="OuterCode")
        levels = [-np.inf, *POWERS, np.inf]
        paths, colors = [], []
        for grey, bounds in zip(GREYS, itertools.pairwise(levels), strict=True):
            for corners, codes in zip(*contours.filled(*bounds), strict=True):
                paths.append(Path(corners, codes))
                colors.append(grey)
        self.bands.set_paths(paths)
        self.bands.set_facecolor(colors)

    def _point(self, arrow: Line2D, frame: Frame, name: str, length: float) -> None:
        """The arrow from θ to where this method would go, or none where it would stay."""
        if frame.norms[name] < NOTHING:
            arrow.set_data([], [])
            return
        step = -frame.gradients[name] / frame.norms[name]
        arrow.set_data(*(frame.theta + np.outer([0, length], step)).T)
        arrow.set(marker=(3, 0, np.degrees(np.arctan2(step[1], step[0])) - 90), markevery=[1])
        arrow.set_markersize(5 + 2.5 * arrow.get_linewidth())


def _table(frame: Frame) -> str:
    """Norms and cosines, for the eye; the sentence holds them too."""
    rows = "".join(
        f"<tr><td><span style='{SWATCH}; color: {STYLES[name]['color']}'>▬▶</span> {name}</td>"
        f"<td style='{RIGHT}'>{_short(frame.norms[name])}</td>"
        f"<td style='{RIGHT}'>{_compared(frame.cosines[name]).removeprefix('cosine ')}</td></tr>"
        for name in METHODS
    )
    return (
        f"<p>meta-loss at θ: <b>{_short(frame.meta_loss)}</b></p>"
        f"<table style='line-height: 1.5; white-space: nowrap'><tr><td></td>"
        f"<th style='{RIGHT}'>norm</th><th style='{RIGHT}'>cosine</th></tr>{rows}</table>"
    )
