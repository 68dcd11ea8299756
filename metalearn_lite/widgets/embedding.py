"""The embedding explorer: prototypes, distances, and how training moves them.

`EmbeddingModel` is plain Python: which snapshot, task and query, in; points, distances and
sentences, out. `EmbeddingExplorer` shows it.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from string import ascii_uppercase as LETTERS
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from torch import Tensor

from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import Params
from metalearn_lite.widgets import words
from metalearn_lite.widgets.drawings import (
    CLASS_COLOURS,
    Drawings,
    class_letter,
    class_mark,
    pale,
)
from metalearn_lite.widgets.layout import row, shrinking, still_figure
from metalearn_lite.widgets.picture import (
    BLACK,
    FONT_SIZE,
    GREY,
    Picture,
    Pointer,
    Sentence,
    new_figure,
    plain_axes,
)
from metalearn_lite.widgets.play import Play

SMALL_PRINT = "margin: 0; line-height: 1.4; font-size: 13.5px; color: var(--jp-ui-font-color2)"
MAX_WAYS = 7  # as many as have a colour and a shape of their own
LEGEND = (
    "drawing: a query · square: the selected query\n"
    "letter: a prototype · ring: given a wrong class\n"
    "tint: the prototype that is nearest on this page"
)
MARGIN = 0.9  # how far from the middle of the page the farthest point lies, in either direction


class EmbeddingFrame(NamedTuple):
    """All that one picture shows. Points are ``(…, 2)`` arrays, from -1 to 1 across the page."""

    iteration: int
    support: np.ndarray
    support_classes: np.ndarray
    queries: np.ndarray
    query_classes: np.ndarray
    prototypes: np.ndarray
    regions: list[np.ndarray]
    """for each class the corners ``(C, 2)`` of where its prototype is the nearest on the page"""
    predicted: np.ndarray
    """``(M,)``: the class each query is given, by distances in all dimensions"""
    query: int
    """the index of the selected query"""
    distances: np.ndarray
    """``(num_ways,)``: from the selected query to each prototype, in all dimensions"""
    probabilities: np.ndarray
    """``(num_ways,)``"""
    share: float
    """how much of the points' variance the plane holds, 0 … 1"""
    num_dimensions: int
    num_misplaced: int
    """queries that stand in the region of another class than the one they are given"""

    @property
    def num_right(self) -> int:
        return int((self.predicted == self.query_classes).sum())


class EmbeddingModel:
    """One task after another, seen through snapshots of a prototypical network in training.

    The picture is a shadow: every snapshot's points are projected on the two directions in which
    they vary most (principal components, Pearson, 1901). Those directions are free to turn or flip
    from one snapshot to the next, so each plane is turned to agree with the next later one
    (orthogonal Procrustes, Schönemann, 1966), beginning at the last. Each page has a scale of its
    own, as embeddings can grow or shrink many times over. Distances and probabilities are always
    those of all dimensions.

    Args:
        learner: the network, and how it compares. Its own ``params`` are left alone.
        snapshots: by iteration, *copies* of ``learner.params`` made during training.
        episodes: the tasks to look at, of at most 7 ways.

    Attributes:
        iterations: the iterations of the snapshots, in order.
        task, snapshot, query: what is looked at, as indices. Change them by the ``select_…``
            methods, which raise ValueError with a sentence for what there is none of.
    """

    def __init__(
        self, learner: PrototypicalNetwork, snapshots: dict[int, Params], episodes: Episodes
    ):
        if not snapshots:
            raise ValueError("snapshots is empty: store a copy of learner.params at least once")
        _require_copies(snapshots)
        num_ways = int(episodes.support.y.max()) + 1
        if num_ways > MAX_WAYS:
            raise ValueError(f"num_ways={num_ways}: the explorer shows at most {MAX_WAYS} classes")
        self.learner = learner
        self.snapshots = dict(sorted(snapshots.items()))
        self.iterations = list(self.snapshots)
        self.episodes = episodes
        self.num_ways = num_ways
        self.snapshot = 0
        self.select_task(0)

    @property
    def num_tasks(self) -> int:
        return self.episodes.num_tasks

    @property
    def num_queries(self) -> int:
        return self.episodes.query.y.shape[1]

    @property
    def num_right(self) -> list[int]:
        """At each snapshot: how many queries of this task are given their own class."""
        return [int((view.predicted == self.query_classes).sum()) for view in self._views]

    # What to look at

    def select_task(self, task: int) -> None:
        """Embeds the task at every snapshot, so that all else is only looked up.

        The query selected is one that training changes from wrong to right, where there is one.
        """
        _require_index("task", task, self.num_tasks)
        self.task = task
        (self.support_images, support_y), (self.query_images, query_y) = (
            (half.x[0, :, 0].numpy(), half.y[0].numpy()) for half in self.episodes.tasks(task)
        )
        self.support_classes, self.query_classes = support_y, query_y
        self._views = self._look()
        wrong_then_right = (self._views[0].predicted != query_y) & (
            self._views[-1].predicted == query_y
        )
        self.query = int(wrong_then_right.argmax())

    def select_snapshot(self, snapshot: int) -> None:
        _require_index("snapshot", snapshot, len(self.iterations))
        self.snapshot = snapshot

    def select_query(self, query: int) -> None:
        _require_index("query", query, self.num_queries)
        self.query = query

    def select_nearest_query(self, x: float, y: float) -> None:
        """The query whose point is nearest to (x, y) in the plane of the picture."""
        if not np.isfinite([x, y]).all():
            raise ValueError(f"({x}, {y}) is no place in the picture")
        queries = self._views[self.snapshot].queries
        self.query = int(np.square(queries - (x, y)).sum(1).argmin())

    # What is to be seen

    def frame(self, snapshot: int | None = None) -> EmbeddingFrame:
        """What the selected snapshot, or another one, shows of the selected task and query."""
        snapshot = self.snapshot if snapshot is None else snapshot
        _require_index("snapshot", snapshot, len(self.iterations))
        view = self._views[snapshot]
        return EmbeddingFrame(
            iteration=self.iterations[snapshot],
            support=view.support,
            support_classes=self.support_classes,
            queries=view.queries,
            query_classes=self.query_classes,
            prototypes=view.prototypes,
            regions=view.regions,
            predicted=view.predicted,
            query=self.query,
            distances=view.distances[self.query],
            probabilities=view.probabilities[self.query],
            share=view.share,
            num_dimensions=view.num_dimensions,
            num_misplaced=view.num_misplaced,
        )

    def sentence(self, snapshot: int | None = None) -> str:
        """The frame in words: what changed, and the selected query."""
        frame = self.frame(snapshot)
        true, given = frame.query_classes[frame.query], frame.predicted[frame.query]
        return (
            f"After {frame.iteration:,} iterations {frame.num_right} of {self.num_queries} queries "
            f"are right. Query {frame.query + 1} is {_a(LETTERS[true])}; "
            f"nearest prototype: {LETTERS[given]} (probability {frame.probabilities[given]:.2f})"
            f"{', which is right' if true == given else ', which is wrong'}."
        )

    def caveat(self, snapshot: int | None = None) -> str:
        """What the picture cannot show, in words."""
        frame = self.frame(snapshot)
        stand = "stands" if frame.num_misplaced == 1 else "stand"
        return (
            f"The page is a flat shadow of {frame.num_dimensions} dimensions, magnified. It "
            f"holds {frame.share:.0%} of their variance: {frame.num_misplaced} of "
            f"{self.num_queries} queries {stand} in the tint of a prototype that is not truly "
            "their nearest. Distances and answers use all dimensions."
        )

    def distances_in_words(self) -> str:
        """The selected query's distances and probabilities, for those who cannot see the bars."""
        frame = self.frame()
        rows = [
            f"{LETTERS[way]} {_short(distance)}, probability {probability:.2f}"
            for way, (distance, probability) in enumerate(
                zip(frame.distances, frame.probabilities, strict=True)
            )
        ]
        return (
            f"Distances of query {frame.query + 1} to the prototypes: {'; '.join(rows)}. Queries "
            f"right at each snapshot: {', '.join(map(str, self.num_right))}."
        )

    def _look(self) -> list[_View]:
        """The selected task at every snapshot."""
        seen = [self._embed(params) for params in self.snapshots.values()]
        planes, shares = zip(*(shadow(torch.cat(points)) for points, _ in seen), strict=True)
        planes = aligned(planes)
        views = []
        for (points, logits), plane, share in zip(seen, planes, shares, strict=True):
            support, queries, prototypes = (
                part.numpy() for part in filled(plane).split([len(group) for group in points])
            )
            views.append(
                _View(
                    support=support,
                    queries=queries,
                    prototypes=prototypes,
                    regions=nearest_regions(prototypes),
                    distances=self._distances(logits).numpy(),
                    probabilities=logits.softmax(1).numpy(),
                    predicted=logits.argmax(1).numpy(),
                    share=share,
                    num_dimensions=points[0].shape[1],
                )
            )
        return views

    @torch.no_grad()
    def _embed(self, params: Params) -> tuple[list[Tensor], Tensor]:
        """Support, query and prototype points ``(…, D)``, and the queries' logits ``(M, W)``."""
        learner = copy.copy(self.learner)
        learner.params = params
        support, query = self.episodes.tasks(self.task)
        prototypes, queries = learner.adapt(support), learner.embed(query.x)
        logits = learner.compare(queries, prototypes)
        points = [learner.embed(support.x), queries, prototypes]
        return [group[0].double() for group in points], logits[0].double()

    def _distances(self, logits: Tensor) -> Tensor:
        """Squared distances, or for a cosine how far it is from 1."""
        if self.learner.distance == "cosine":
            return 1 - logits / self.learner.sharpness
        return (-logits).clamp(min=0)


class _View(NamedTuple):
    """One snapshot's part of a frame, for every query."""

    support: np.ndarray
    queries: np.ndarray
    prototypes: np.ndarray
    regions: list[np.ndarray]
    distances: np.ndarray
    probabilities: np.ndarray
    predicted: np.ndarray
    share: float
    num_dimensions: int

    @property
    def num_misplaced(self) -> int:
        steps = self.queries[:, None] - self.prototypes
        return int((np.square(steps).sum(2).argmin(1) != self.predicted).sum())


# The picture's plane


def shadow(points: Tensor) -> tuple[Tensor, float]:
    """``points`` ``(P, D)`` on the plane in which they vary most, and its share of the variance.

    The plane's axes, ``(P, 2)`` around the points' mean, point to where the farthest point is.

    Raises:
        ValueError: for fewer than two dimensions or points.
    """
    if min(points.shape) < 2:
        raise ValueError(f"{tuple(points.shape)} points and dimensions span no plane")
    centred = points - points.mean(0)
    left, sizes, _ = torch.linalg.svd(centred, full_matrices=False)
    plane = left[:, :2] * sizes[:2]
    farthest = plane.gather(0, plane.abs().argmax(0, keepdim=True))
    plane = torch.where(farthest < 0, -plane, plane)
    total = float(sizes.square().sum())
    return plane, float(sizes[:2].square().sum()) / total if total > 0 else 1.0


def aligned(planes: Sequence[Tensor]) -> list[Tensor]:
    """Each plane ``(P, 2)`` turned or mirrored to lie as near as it can on the one after it."""
    path = [planes[-1]]
    for plane in reversed(planes[:-1]):
        left, _, right = torch.linalg.svd(plane.T @ path[-1])
        path.append(plane @ left @ right)
    return path[::-1]


def filled(plane: Tensor) -> Tensor:
    """``plane`` ``(P, 2)`` shrunk or magnified to fill the page, which is from -1 to 1."""
    return plane * MARGIN / plane.abs().max().clamp(min=1e-9)


def nearest_regions(centres: np.ndarray) -> list[np.ndarray]:
    """For each of ``centres`` ``(W, 2)`` the corners of its Voronoi cell within the page."""
    regions = []
    for index, centre in enumerate(centres):
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=float)
        for other in np.delete(centres, index, axis=0):
            towards = other - centre
            corners = _cut(corners, (corners - (centre + other) / 2) @ towards)
        regions.append(corners)
    return regions


def _cut(corners: np.ndarray, height: np.ndarray) -> np.ndarray:
    """The part of a convex polygon where ``height``, linear and given at its corners, is ≤ 0."""
    kept = []
    for i in range(len(corners)):
        j = (i + 1) % len(corners)
        if height[i] <= 0:
            kept.append(corners[i])
        if (height[i] <= 0) != (height[j] <= 0):
            kept.append(
                corners[i] + (corners[j] - corners[i]) * height[i] / (height[i] - height[j])
            )
    return np.array(kept).reshape(-1, 2)


# Refusing


def _require_index(what: str, index: int, count: int) -> None:
    if not 0 <= index < count:
        raise ValueError(f"There is no {what} {index}: choose 0 to {count - 1}.")


def _require_copies(snapshots: dict[int, Params]) -> None:
    """Storing ``learner.params`` itself would make every snapshot the last one."""
    owners: dict[int, int] = {}
    for iteration, params in snapshots.items():
        for value in params.values():
            if (first := owners.setdefault(value.data_ptr(), iteration)) != iteration:
                raise ValueError(
                    f"The snapshots {first} and {iteration} share their memory, so they are one "
                    "and the same. Store copies: {name: value.detach().clone() for name, value in "
                    "learner.params.items()}"
                )


def _a(letter: str) -> str:
    return f"an {letter}" if letter in "AEF" else f"a {letter}"


# The view


class EmbeddingExplorer(widgets.VBox):
    """The explorer: a training scrubber with Play, a choice of query, and new episodes.

    Clicking a drawing selects it; clicking the curve goes to that part of the training.

    Args and errors: as for `EmbeddingModel`.
    """

    def __init__(
        self, learner: PrototypicalNetwork, snapshots: dict[int, Params], episodes: Episodes
    ):
        self.model = EmbeddingModel(learner, snapshots, episodes)
        figure = new_figure(4.2, 4.7)
        self._page = _Page(figure.subplots(), self.model)
        self.page = Picture(figure, self._page.moving, on_click=self._click)
        figure = new_figure(3.75, 4.7)
        header, bars, curve = figure.subplots(3, 1, height_ratios=(1, 3.2, 1.6))
        self._bars, self._curve = _Bars(bars, self.model, header), _Curve(curve, self.model)
        moving = self._bars.moving + self._curve.moving
        self.charts = Picture(figure, moving, on_click=self._click)
        self.sentence, self.caveat = Sentence(), widgets.HTML()
        pictures = row(shrinking(self.page, 360), shrinking(self.charts, 330))
        super().__init__([*self._controls(), pictures, self.sentence, self.caveat])
        self._select_task(0)

    def filmstrip(self, iterations: Sequence[int] | None = None) -> Figure:
        """Some snapshots side by side: three from first to last, unless told which iterations.

        Raises:
            ValueError: if there is no snapshot of one of ``iterations``.
        """
        return filmstrip(self.model, iterations)

    def description(self, iterations: Sequence[int] | None = None) -> str:
        """The text alternative of `filmstrip`."""
        return description(self.model, iterations)

    def _controls(self) -> list[widgets.Widget]:
        model = self.model
        self.play = Play(max=len(model.iterations) - 1, milliseconds=900)
        trained = [f"{n:,} of {model.iterations[-1]:,}" for n in model.iterations]
        self.training = _slider("training", trained)
        queries = [f"{i + 1} of {model.num_queries}" for i in range(model.num_queries)]
        self.query = _slider("query", queries)
        self.new_episode = widgets.Button(description="New episode", icon="refresh")
        widgets.link((self.play, "value"), (self.training, "index"))
        self.training.observe(self._select, "index")
        self.query.observe(self._select, "index")
        self.new_episode.on_click(lambda _: self._select_task((model.task + 1) % model.num_tasks))
        self.new_episode.layout.width = "auto"
        return [row(self.play, self.training), row(self.new_episode, self.query)]

    def _click(self, pointer: Pointer) -> None:
        if pointer.axes is self._page.axes:
            self.model.select_nearest_query(pointer.x, pointer.y)
            self.query.index = self.model.query
        elif pointer.axes is self._curve.axes:
            self.training.index = min(max(round(pointer.x), 0), len(self.model.iterations) - 1)

    def _select(self, _) -> None:
        self.model.select_snapshot(self.training.index)
        self.model.select_query(self.query.index)
        self._show()

    def _select_task(self, task: int) -> None:
        self.model.select_task(task)
        for part in (self._page, self._bars, self._curve):
            part.new_task()
        if self.query.index == self.model.query:
            self._show()
        self.query.index = self.model.query

    def _show(self) -> None:
        frame, sentence = self.model.frame(), self.model.sentence()
        for part in (self._page, self._bars, self._curve):
            part.show(frame)
        where = "An episode's drawings at their places in the embedding."
        self.page.refresh(alt=f"{where} {sentence}")
        self.charts.refresh(alt=self.model.distances_in_words())
        self.sentence.text = sentence
        self.caveat.value = f"<p style='{SMALL_PRINT}'>{self.model.caveat()}</p>"

    def __repr__(self) -> str:
        return f"EmbeddingExplorer({self.sentence.text!r})"


def filmstrip(model: EmbeddingModel, iterations: Sequence[int] | None = None) -> Figure:
    """As `EmbeddingExplorer.filmstrip`, of the model's task and query."""
    snapshots = _film(model, iterations)
    figure = still_figure(2.9 * len(snapshots), 5.8)
    grid = figure.subplots(2, len(snapshots), height_ratios=(3.2, 1.9), squeeze=False)
    for column, snapshot in zip(grid.T, snapshots, strict=True):
        frame = model.frame(snapshot)
        # Small drawings and large marks: here nobody can select what lies below.
        for part in _Page(column[0], model, 13, prototype_size=13), _Bars(column[1], model):
            part.show(frame)
        column[0].set_xlabel("")
        column[0].set_title(
            f"after {frame.iteration:,} iterations\n{frame.num_right} of {model.num_queries} right",
            fontsize=FONT_SIZE,
        )
    figure.supxlabel(LEGEND.replace("\n", " · ", 1), fontsize=FONT_SIZE - 1)
    return figure


def description(model: EmbeddingModel, iterations: Sequence[int] | None = None) -> str:
    """As `EmbeddingExplorer.description`, of the model's task and query."""
    sentences = [model.sentence(snapshot) for snapshot in _film(model, iterations)]
    return (
        f"{len(sentences)} pictures of one {model.num_ways}-way episode, each with the "
        "drawings at their places in the embedding above, and one query's distances to the "
        f"prototypes below. {' '.join(sentences)}"
    )


def _film(model: EmbeddingModel, iterations: Sequence[int] | None) -> list[int]:
    if iterations is None:
        last = len(model.iterations) - 1
        return sorted({0, round(last / 2), last})
    if unknown := set(iterations) - set(model.iterations):
        known = ", ".join(map(str, model.iterations))
        raise ValueError(f"No snapshot of iteration {min(unknown)}: choose among {known}.")
    return [model.iterations.index(iteration) for iteration in iterations]


# The artists of each chart: made once, told by `new_task` and `show` what to look like.


class _Page:
    """The plane: drawings at their points, prototypes, and the regions nearest to them."""

    def __init__(
        self,
        axes: Axes,
        model: EmbeddingModel,
        drawing_size: float = 24,
        prototype_size: float = 15,
    ):
        self.axes, self.model = axes, model
        axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=[], yticks=[])
        axes.set_xlabel(LEGEND, fontsize=FONT_SIZE - 1)
        colours = CLASS_COLOURS[: model.num_ways]
        self._regions = [
            axes.add_patch(Polygon([(0, 0)], facecolor=pale(colour), linewidth=0))
            for colour in colours
        ]
        (self._rays,) = axes.plot([], [], ":", color=GREY, linewidth=1.2)
        (self._nearest,) = axes.plot([], [], color=BLACK, linewidth=2)
        ring = {"color": "none", "markeredgecolor": BLACK}
        (self._wrong,) = axes.plot([], [], "o", markersize=1.15 * drawing_size, **ring)
        (self._selected,) = axes.plot([], [], "s", markersize=1.2 * drawing_size, **ring)
        self._selected.set(markerfacecolor="white", markeredgewidth=2)
        self._queries = Drawings(axes, drawing_size)
        ways = range(model.num_ways)
        self._supports = [class_mark(axes, way, 0.25 * drawing_size) for way in ways]
        self._prototypes = [class_mark(axes, way, prototype_size) for way in ways]
        self._letters = [class_letter(axes, way, 0.48 * prototype_size) for way in ways]
        self.moving = [
            *(*self._regions, self._rays, self._nearest, self._wrong, self._selected),
            *(self._queries, *self._supports, *self._prototypes, *self._letters),
        ]
        self.new_task()
        self.show(model.frame())

    def new_task(self) -> None:
        colours = [CLASS_COLOURS[way] for way in self.model.query_classes]
        self._queries.set_images(self.model.query_images, colours)

    def show(self, frame: EmbeddingFrame) -> None:
        here, chosen = frame.queries[frame.query], frame.predicted[frame.query]
        rays = np.full((len(frame.prototypes), 3, 2), np.nan)  # each ends where no line goes on
        rays[:, 0], rays[:, 1] = here, frame.prototypes
        self._rays.set_data(*rays.reshape(-1, 2).T)
        self._nearest.set_data(*rays[chosen, :2].T)
        self._selected.set_data(*here[:, None])
        self._wrong.set_data(*frame.queries[frame.predicted != frame.query_classes].T)
        self._queries.set_points(frame.queries)
        for way, place in enumerate(frame.prototypes):
            self._regions[way].set_xy(frame.regions[way])
            self._supports[way].set_data(*frame.support[frame.support_classes == way].T)
            self._prototypes[way].set_data(*place[:, None])
            self._letters[way].set_data(*place[:, None])


class _Bars:
    """The selected query's distance to each prototype, and the probabilities they make."""

    def __init__(self, axes: Axes, model: EmbeddingModel, header: Axes | None = None):
        self.axes, self.model = axes, model
        ways = np.arange(model.num_ways)
        axes.set(xlim=(-0.55, 1.7), ylim=(model.num_ways - 0.4, -0.6), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        what = "squared distance" if model.learner.distance == "euclidean" else "1 − cosine"
        axes.set_title(f"{what} → probability", fontsize=FONT_SIZE)
        self._bars = axes.barh(ways, np.ones(len(ways)), height=0.62)
        self._numbers = [axes.text(0, way, "", va="center", fontsize=FONT_SIZE) for way in ways]
        for way, bar in enumerate(self._bars):
            bar.set(facecolor=CLASS_COLOURS[way], edgecolor=BLACK)
            class_mark(axes, way, 15).set_data([-0.44], [way])
            class_letter(axes, way, 7).set_data([-0.44], [way])
        self._drawings = Drawings(axes, 24)
        self._drawings.set_points(np.stack([np.full(len(ways), -0.18), ways], 1))
        self.moving = [*self._bars, *self._numbers, self._drawings]
        self._header = None
        if header is not None:
            header.set(xlim=(0, 1), ylim=(0, 1))
            header.axis("off")
            self._header = header.text(0.25, 0.5, "", va="center", fontsize=FONT_SIZE)
            self._query = Drawings(header, 48)
            self._query.set_points(np.array([[0.1, 0.5]]))
            self.moving += [self._header, self._query]
        self.new_task()
        self.show(model.frame())

    def new_task(self) -> None:
        model = self.model
        firsts = [int((model.support_classes == way).argmax()) for way in range(model.num_ways)]
        colours = CLASS_COLOURS[: model.num_ways]
        self._drawings.set_images(model.support_images[firsts], colours)

    def show(self, frame: EmbeddingFrame) -> None:
        true, given = frame.query_classes[frame.query], frame.predicted[frame.query]
        longest = frame.distances.max() or 1.0
        for way, (bar, number) in enumerate(zip(self._bars, self._numbers, strict=True)):
            distance = frame.distances[way]
            bar.set(width=distance / longest, linewidth=2 if way == given else 0)
            bar.set_alpha(1 if way == given else 0.45)
            number.set(x=distance / longest + 0.03, weight="bold" if way == given else "normal")
            number.set_text(f"{_short(distance)} → {words.percent(frame.probabilities[way])}")
        if self._header is not None:
            self._query.set_images(self.model.query_images[[frame.query]], [CLASS_COLOURS[true]])
            verdict = "✔ right" if true == given else "✘ wrong"
            self._header.set_text(
                f"Query {frame.query + 1} is {_a(LETTERS[true])}.\n"
                f"Nearest prototype: {LETTERS[given]}  {verdict}"
            )


class _Curve:
    """How many of the episode's queries are right, over the training."""

    def __init__(self, axes: Axes, model: EmbeddingModel):
        self.axes, self.model = plain_axes(axes, "iterations", "queries right"), model
        places = range(len(model.iterations))
        axes.set(xlim=(-0.4, len(places) - 0.6), ylim=(0, model.num_queries * 1.08))
        axes.set_xticks(places, [f"{iteration:,}" for iteration in model.iterations])
        axes.set_yticks([0, model.num_queries])
        (self._line,) = axes.plot([], [], "o-", color=GREY, markersize=4)
        (self._here,) = axes.plot([], [], "o", color=BLACK, markersize=9)
        self.moving = [self._line, self._here]
        self.new_task()
        self.show(model.frame())

    def new_task(self) -> None:
        self._line.set_data(range(len(self.model.iterations)), self.model.num_right)

    def show(self, frame: EmbeddingFrame) -> None:
        self._here.set_data([self.model.iterations.index(frame.iteration)], [frame.num_right])


def _short(distance: float) -> str:
    """Two digits, or all those before the point."""
    return f"{distance:,.0f}" if distance >= 9.95 else f"{distance:.2g}"


def _slider(name: str, texts: list[str]) -> widgets.SelectionSlider:
    """A slider over ``texts``, which are its read-out; its ``index`` says which."""
    slider = widgets.SelectionSlider(options=texts, description=name)
    slider.layout = widgets.Layout(flex="1 1 240px", width="auto", max_width="560px")
    slider.style.description_width = "70px"
    return slider
