"""The poison slider: make labels of a support set wrong, and see what every learner makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import answers, chosen
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.robust_prototypes import RobustPrototypes
from metalearn_lite.tasks.characters import Characters
from metalearn_lite.tasks.poison import KINDS, PLACES, poison
from metalearn_lite.widgets import words
from metalearn_lite.widgets.drawings import pixels
from metalearn_lite.widgets.kit import (
    Axis,
    Boxes,
    Button,
    Choice,
    Images,
    Live,
    Panel,
    Scene,
    Slider,
    Texts,
    Try,
    still,
    top_down,
)

NUM_WAYS, NUM_SHOTS, NUM_QUERIES = 5, 10, 5
NUM_SHOWN = 2
"""queries of each class that are drawn; all count"""
LETTERS = "ABCDE"
SHARES = (0, 10, 20, 30, 40)
"""per cent: whole examples of ten"""
MAX_LEARNERS = 6
SIZE = 28


@dataclass(frozen=True)
class Frame:
    """All that a picture of one moment shows."""

    images: np.ndarray
    """``(5, 10, 28, 28)``: the support, a row for each true class; ink 1"""
    said: np.ndarray
    """``(5, 10)``: the class that each label says"""
    weights: np.ndarray
    """``(5, 10)`` in 0 … 1: what the reweighted prototypes make of each example; 1 without them"""
    queries: np.ndarray
    """``(25, 28, 28)``, five of each class in turn"""
    truth: np.ndarray
    """``(25,)``"""
    decisions: dict[str, np.ndarray]
    """by learner ``(25,)``: the class it gives each query; -1 where it gives none"""
    sentence: str
    """what the picture shows, for those who cannot see it"""

    @property
    def wrong(self) -> np.ndarray:
        """``(5, 10)``: True where the label is not the row's."""
        return self.said != np.arange(NUM_WAYS)[:, None]

    @property
    def right(self) -> dict[str, int]:
        """By learner how many of the 25 queries it names rightly."""
        return {name: int((said == self.truth).sum()) for name, said in self.decisions.items()}


class PoisonModel:
    """A task of five characters, ten examples each, and learners that adapt to it. No screen.

    ``share`` (per cent), ``kind`` and ``place`` are its state: change them and ask for the next
    ``frame``. The same state always gives the same frame.

    Args:
        learners: by name, up to six learners of characters. They are not changed.
        pool: where characters come from.
        generator: draws the tasks, and what is poisoned in them.

    Raises:
        ValueError: there is no learner, or there are more than six.
    """

    def __init__(
        self, learners: Mapping[str, Learner], pool: Characters, generator: torch.Generator
    ):
        if not 1 <= len(learners) <= MAX_LEARNERS:
            raise ValueError(f"{len(learners)} learners: choose 1 to {MAX_LEARNERS}")
        self.learners = dict(learners)
        self.share, self.kind, self.place = 0, KINDS[0], PLACES[0]
        self._pool, self._generator = pool, generator
        self.new_task()

    def new_task(self) -> None:
        """Five other characters, and other people's hands."""
        self._task = self._pool.sample(1, NUM_WAYS, NUM_SHOTS, NUM_QUERIES, self._generator)
        self.new_draw()

    def new_draw(self) -> None:
        """The same images; chance picks others of them to be poisoned."""
        self._seed = int(torch.randint(2**31, (1,), generator=self._generator))
        self._known: dict[tuple, Frame] = {}

    def frame(self, share: int | None = None) -> Frame:
        """What there is to see with ``share`` per cent wrong (``self.share`` unless given)."""
        share = self.share if share is None else share
        checks.choice(SHARES, share=share)
        state = (share, self.kind, self.place)
        if state not in self._known:
            self._known[state] = self._made(*state)
        return self._known[state]

    @torch.no_grad()
    def _made(self, share: int, kind: str, place: str) -> Frame:
        generator = torch.Generator().manual_seed(self._seed)
        support, query = self._task
        poisoned = poison(support, share / 100, kind, place, generator).support
        episodes = Episodes(poisoned, query)
        decisions = {
            name: chosen(answers(learner, episodes))[0].numpy()
            for name, learner in self.learners.items()
        }
        frame = Frame(
            images=support.x.view(NUM_WAYS, NUM_SHOTS, SIZE, SIZE).numpy(),
            said=poisoned.y.view(NUM_WAYS, NUM_SHOTS).numpy(),
            weights=self._weights(poisoned).reshape(NUM_WAYS, NUM_SHOTS),
            queries=query.x.view(-1, SIZE, SIZE).numpy(),
            truth=query.y[0].numpy(),
            decisions=decisions,
            sentence="",
        )
        said = self._sentence(share, kind, place, frame)
        return Frame(**{**vars(frame), "sentence": said})

    def _weights(self, support) -> np.ndarray:
        for learner in self.learners.values():
            if isinstance(learner, RobustPrototypes) and learner.center == "reweighted":
                weights = learner.weights(learner.embed(support.x), support.y)[0]
                return (weights / weights.max()).numpy()
        return np.ones(support.y.numel())

    def _sentence(self, share: int, kind: str, place: str, frame: Frame) -> str:
        number = int(frame.wrong[0].sum())
        if not number:
            said = "Every label is right."
        else:
            where = {
                "anywhere": "drawn by chance",
                "middle": "the most typical ones",
                "edge": "the least typical ones",
            }[place]
            how = "each says any other class" if kind == "random" else "all say the next class"
            said = (
                f"{share} % of the labels are wrong, {number} of 10 in each class ({where}; {how})."
            )
        right = ", ".join(f"{name} {count}" for name, count in frame.right.items())
        said += f" Of 25 queries these are named rightly: {right}."
        faded = frame.wrong & (frame.weights < 0.5)
        if number and (frame.weights < 1).any():
            said += (
                f" Reweighting counts {words.count(int(faded.sum()), 'wrong label')} of "
                f"{int(frame.wrong.sum())} by less than half, and "
                f"{int((~frame.wrong & (frame.weights < 0.5)).sum())} of the right ones."
            )
        return said


class PoisonSlider(Live):
    """A `PoisonModel` in the page: the support, all learners' decisions, and controls."""

    by = "share"

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        return Scene(
            (_support(frame), _decisions(frame)),
            (
                Slider("share", "wrong labels", model.share, stops=SHARES, unit="%", play=1000),
                Choice("kind", "kind", model.kind, tuple(KINDS)),
                Choice("place", "place", model.place, tuple(PLACES)),
                Button("new_task", "New task"),
                Button("new_draw", "Poison others"),
            ),
            (
                Try(
                    "Four in ten, all to the next class",
                    "The wrong labels agree with one another. Who still names most queries?",
                    values={"share": 40, "kind": "targeted", "place": "anywhere"},
                ),
                Try(
                    "Two in ten, the least typical",
                    "Framed and pale: which wrong labels did reweighting find?",
                    values={"share": 20, "kind": "random", "place": "edge"},
                ),
            ),
            sentence=frame.sentence,
        )

    def filmstrip(self, shares: Sequence[int] = (0, 20, 40)) -> still.Figure:
        """Support and decisions for each share of wrong labels, as a figure that stays."""
        titles = [f"{share} % wrong, {self.model.kind}" for share in shares]
        return still.strip(self.scenes_at("share", shares), titles)

    def description(self, shares: Sequence[int] = (0, 20, 40)) -> str:
        """The text alternative of ``filmstrip``: a line for each share."""
        return "\n".join(self.model.frame(share).sentence for share in shares)


def _support(frame: Frame) -> Panel:
    """Ten images of each class in a row; a wrong label is written in, with a frame around it."""
    ways, places = np.indices((NUM_WAYS, NUM_SHOTS)).reshape(2, -1)
    rows, wrong = NUM_WAYS - 1 - ways, frame.wrong.ravel()
    said = [LETTERS[label] for label in frame.said.ravel()]
    texts = [
        f"a true {LETTERS[way]}, labelled {label}, counts {weight:.2f}"
        for way, label, weight in zip(ways, said, frame.weights.ravel(), strict=True)
    ]
    corners = (places[wrong] + 0.3, rows[wrong] + 0.28)
    return Panel(
        "support",
        Axis(-0.6, NUM_SHOTS - 0.4, "framed: wrong · pale: counts little", ticks=()),
        top_down([f"true {letter}" for letter in LETTERS]),
        (
            Images(
                "images", places, rows, pixels(frame.images.reshape(-1, SIZE, SIZE)), wide=0.9,
                tall=0.9, fades=0.2 + 0.8 * frame.weights.ravel(), texts=texts,
                edges=["red" if one else "" for one in wrong], fixed=("x", "y", "pixels"),
            ),
            Boxes("badges", *corners, fills=["paper"] * wrong.sum(), edges=["red"] * wrong.sum(),
                  wide=0.36, tall=0.4),
            Texts(
                "labels", *corners, [label for label, one in zip(said, wrong, strict=True) if one],
                bold=True, size=11,
            ),
        ),
        title="support",
        alt="the support: ten images of each class, wrong labels framed",
        width=500,
        height=290,
        grid=False,
    )  # fmt: skip


def _decisions(frame: Frame) -> Panel:
    """Some queries, and below each the class that every learner gives it; a wrong one is boxed."""
    names = list(frame.decisions)
    shown = [way * NUM_QUERIES + place for way in range(NUM_WAYS) for place in range(NUM_SHOWN)]
    number, top = len(shown), len(names)
    lines, places = np.indices((len(names), number)).reshape(2, -1)
    given = np.stack([frame.decisions[name][shown] for name in names]).ravel()
    wrong = given != frame.truth[shown][places]
    rows = top - 1 - lines
    return Panel(
        "decisions",
        Axis(-0.6, number + 0.9, "boxed: wrong · right: correct of 25", ticks=()),
        top_down(["query", *names]),
        (
            Images("queries", np.arange(number), [top] * number, pixels(frame.queries[shown]),
                   wide=0.95, tall=0.95, fixed=("x", "y", "pixels")),
            Boxes("wrong", places[wrong], rows[wrong], edges=["red"] * wrong.sum(), wide=0.8,
                  tall=0.75),
            Texts(
                "given", places, rows, [LETTERS[label] if label >= 0 else "–" for label in given],
                size=13,
            ),
            Texts(
                "right", [number + 0.2] * top, range(top - 1, -1, -1),
                [str(frame.right[name]) for name in names], bold=True, size=13,
            ),
        ),
        title="decisions",
        alt="the class that each learner gives ten of the queries",
        width=500,
        height=290,
        grid=False,
    )  # fmt: skip
