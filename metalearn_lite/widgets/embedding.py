"""The embedding explorer: prototypes, distances, and how training moves them.

`EmbeddingModel` is plain Python: which snapshot, task and query, in; points, distances and
sentences, out. `EmbeddingExplorer` shows it.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from string import ascii_uppercase as LETTERS
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import Params
from metalearn_lite.widgets import words
from metalearn_lite.widgets.drawings import (
    CLASS_COLORS,
    CLASS_MARKERS,
    RIGHT,
    TINT,
    WRONG,
    class_marks,
    pixels,
)
from metalearn_lite.widgets.kit import (
    Axis,
    Bars,
    Boxes,
    Button,
    Images,
    Line,
    Live,
    Panel,
    Points,
    Scene,
    Slider,
    Try,
    still,
    top_down,
)

MAX_WAYS = 7  # as many as have a colour and a shape of their own
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
        task, snapshot, query: what to look at first. Without ``query`` it is one that training
            changes from wrong to right, where there is one.

    Attributes:
        iterations: the iterations of the snapshots, in order.
        task, snapshot, query: what is looked at, as indices. Change them by the ``select_…``
            methods, which raise ValueError with a sentence for what there is none of.
    """

    def __init__(
        self,
        learner: PrototypicalNetwork,
        snapshots: dict[int, Params],
        episodes: Episodes,
        task: int = 0,
        snapshot: int = 0,
        query: int | None = None,
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
        self.select_snapshot(snapshot)
        self.select_task(task)
        if query is not None:
            self.select_query(query)

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


class EmbeddingExplorer(Live):
    """An `EmbeddingModel` in the page: drawings at their places, distances, and the training.

    A click on a drawing selects it; one on the curve goes to that part of the training.

    Args and errors: as for `EmbeddingModel`.
    """

    by = "snapshot"

    def __init__(
        self,
        learner: PrototypicalNetwork,
        snapshots: dict[int, Params],
        episodes: Episodes,
        **selected: int,
    ):
        super().__init__(EmbeddingModel(learner, snapshots, episodes, **selected))

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        last = len(model.iterations) - 1
        trained = tuple(f"{n:,} of {model.iterations[-1]:,}" for n in model.iterations)
        queries = tuple(f"{i + 1} of {model.num_queries}" for i in range(model.num_queries))
        return Scene(
            (_page(model, frame), _bars(model, frame), _curve(model, frame)),
            (
                Slider("snapshot", "training", model.snapshot, 0, last, texts=trained, play=900),
                Slider("query", "query", model.query, 0, model.num_queries - 1, texts=queries),
                Button("new_episode", "New episode"),
            ),
            (
                Try(
                    "Before any training",
                    "Do the drawings of one class already lie together? Count the frames.",
                    values={"snapshot": 0},
                ),
                Try(
                    "After all of it",
                    "Which drawings still have a frame, and whose letter is nearest to them?",
                    values={"snapshot": last},
                ),
            ),
            sentence=model.sentence(),
            note=model.caveat(),
            code=f"EmbeddingExplorer(learner, snapshots, episodes, task={model.task}, "
            f"snapshot={model.snapshot}, query={model.query})",
        )

    def set(self, name: str, value: int) -> None:
        if name == "snapshot":
            self.model.select_snapshot(int(value))
        else:
            self.model.select_query(int(value))

    def pick(self, key: str, index: int) -> None:
        self.set("query" if key == "queries" else "snapshot", index)

    def new_episode(self) -> None:
        self.model.select_task((self.model.task + 1) % self.model.num_tasks)

    def filmstrip(self, iterations: Sequence[int] | None = None) -> still.Figure:
        """Some snapshots side by side: three from first to last, unless told which iterations.

        Raises:
            ValueError: if there is no snapshot of one of ``iterations``.
        """
        film = self._film(iterations)
        frames = [self.model.frame(snapshot) for snapshot in film]
        titles = [
            f"after {frame.iteration:,} iterations\n"
            f"{frame.num_right} of {self.model.num_queries} right"
            for frame in frames
        ]
        scenes = [
            replace(scene, panels=(scene.panels[0], replace(scene.panels[1], height=280)))
            for scene in self.scenes_at("snapshot", film)
        ]
        return still.strip(scenes, titles)

    def description(self, iterations: Sequence[int] | None = None) -> str:
        """The text alternative of `filmstrip`."""
        sentences = [self.model.sentence(snapshot) for snapshot in self._film(iterations)]
        return (
            f"{len(sentences)} pictures of one {self.model.num_ways}-way episode, each with the "
            "drawings at their places in the embedding above, and one query's distances to the "
            f"prototypes below. {' '.join(sentences)}"
        )

    def _film(self, iterations: Sequence[int] | None) -> list[int]:
        known = self.model.iterations
        if iterations is None:
            return sorted({0, round((len(known) - 1) / 2), len(known) - 1})
        if unknown := set(iterations) - set(known):
            told = ", ".join(map(str, known))
            raise ValueError(f"No snapshot of iteration {min(unknown)}: choose among {told}.")
        return [known.index(iteration) for iteration in iterations]


def _page(model: EmbeddingModel, frame: EmbeddingFrame) -> Panel:
    """The plane: drawings at their points, prototypes, and the regions nearest to them."""
    ways, here = range(model.num_ways), frame.queries[frame.query]
    wrong = frame.predicted != frame.query_classes
    rays = np.full((model.num_ways, 3, 2), np.nan)  # each ends where no line goes on
    rays[:, 0], rays[:, 1] = here, frame.prototypes
    nearest = rays[frame.predicted[frame.query], :2]
    regions = [
        Line(f"region {LETTERS[way]}", *corners.T, color=CLASS_COLORS[way], width=0, fill=TINT)
        for way, corners in enumerate(frame.regions)
    ]
    texts = [
        f"query {i + 1}: {_a(LETTERS[true])}, given {LETTERS[given]}"
        for i, (true, given) in enumerate(zip(frame.query_classes, frame.predicted, strict=True))
    ]
    return Panel(
        "page",
        Axis(-1, 1, ticks=()),
        Axis(-1, 1, ticks=()),
        (
            *regions,
            Line("rays", *rays.reshape(-1, 2).T, color="gray", dash=":", width=1.2),
            Line("nearest", *nearest.T, width=2),
            Boxes("selected", [here[0]], [here[1]], fills=["paper"], edges=["ink"], wide=0.21,
                  tall=0.21),
            Images(
                "queries", *frame.queries.T, pixels(model.query_images), wide=0.17, tall=0.17,
                colors=[CLASS_COLORS[way] for way in frame.query_classes], texts=texts,
                edges=["red" if one else "" for one in wrong], dashed=wrong,
                pick="select this query", fixed=("pixels", "colors"),
            ),
            Points(
                "support", *frame.support.T, label="support", listed=False, size=7,
                colors=[CLASS_COLORS[way] for way in frame.support_classes],
                markers=[CLASS_MARKERS[way] for way in frame.support_classes],
            ),
            *class_marks("prototypes", *frame.prototypes.T, ways, size=20, link="class"),
        ),
        title="letter: prototype · framed: wrong",
        alt="an episode's drawings at their places in the embedding",
        width=400,
        height=400,
        square=True,
        grid=False,
    )  # fmt: skip


def _bars(model: EmbeddingModel, frame: EmbeddingFrame) -> Panel:
    """The selected query's distance to each prototype, and the probabilities they make."""
    places = np.arange(model.num_ways)[::-1]
    true, given = frame.query_classes[frame.query], frame.predicted[frame.query]
    what = "squared distance" if model.learner.distance == "euclidean" else "1 − cosine"
    firsts = [int((model.support_classes == way).argmax()) for way in range(model.num_ways)]
    told = [
        f"{_short(distance)} → {words.percent(probability)}"
        for distance, probability in zip(frame.distances, frame.probabilities, strict=True)
    ]
    told[given] += f" {RIGHT if true == given else WRONG}"
    return Panel(
        "distances",
        Axis(-0.4, 1.7, ticks=()),
        top_down(LETTERS[: model.num_ways]),
        (
            Images(
                "classes", [-0.2] * model.num_ways, places, pixels(model.support_images[firsts]),
                colors=CLASS_COLORS[: model.num_ways], wide=0.32,
                tall=min(0.85, 0.11 * model.num_ways),
                fixed=("x", "y", "pixels", "colors"),
            ),
            Bars(
                "bars", frame.distances / (frame.distances.max() or 1.0), places,
                colors=CLASS_COLORS[: model.num_ways], texts=told, flat=True, link="class",
            ),
        ),
        title=f"{what} → probability",
        alt=f"{what} of the selected query to each prototype, and probabilities",
        width=340,
        height=400,
        grid=False,
    )  # fmt: skip


def _curve(model: EmbeddingModel, frame: EmbeddingFrame) -> Panel:
    """How many of the episode's queries are right, over the training."""
    places = tuple(map(float, range(len(model.iterations))))
    return Panel(
        "training",
        Axis(-0.4, len(places) - 0.6, "iterations", ticks=places,
             names=tuple(f"{iteration:,}" for iteration in model.iterations)),
        Axis(0, model.num_queries * 1.08, "queries right", ticks=(0, model.num_queries)),
        (
            Line("curve", places, model.num_right, color="gray"),
            Points("here", [model.snapshot], [frame.num_right], size=14),
            Points("snapshots", places, model.num_right, label="queries right", listed=False,
                   color="gray", pick="go to this snapshot"),
        ),
        alt="queries right over the training",
        width=280,
        height=400,
    )  # fmt: skip


def _short(distance: float) -> str:
    """Two digits, or all those before the point."""
    return f"{distance:,.0f}" if distance >= 9.95 else f"{distance:.2g}"
