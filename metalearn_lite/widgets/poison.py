"""The poison slider: make labels of a support set wrong, and see what every learner makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ipywidgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import answers, chosen
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.robust_prototypes import RobustPrototypes
from metalearn_lite.tasks.characters import Characters
from metalearn_lite.tasks.poison import KINDS, PLACES, poison
from metalearn_lite.widgets import picture, words
from metalearn_lite.widgets.layout import button, row, shrinking, still_figure
from metalearn_lite.widgets.picture import Picture, Sentence, new_figure

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


class PoisonSlider(ipywidgets.VBox):
    """The view of a ``PoisonModel``: the support, all learners' decisions, and controls."""

    def __init__(self, model: PoisonModel):
        self.model = model
        frame = model.frame()
        figure = new_figure(4.7, 2.9)
        self._support = Support(figure.subplots(), frame)
        self.support = Picture(figure, self._support.moving)
        figure = new_figure(4.9, 2.9)
        self._decisions = Decisions(figure.subplots(), frame)
        self.decisions = Picture(figure, self._decisions.moving)
        self.sentence = Sentence()

        self.share = ipywidgets.SelectionSlider(
            options=[(f"{share} %", share) for share in SHARES],
            value=model.share,
            description="wrong labels",
            layout={"width": "330px"},
        )
        self.kind = ipywidgets.Dropdown(options=KINDS, value=model.kind, description="kind")
        self.place = ipywidgets.Dropdown(options=PLACES, value=model.place, description="place")
        for name in ("share", "kind", "place"):
            control = getattr(self, name)
            control.observe(lambda change, name=name: self._set(name, change["new"]), "value")
            control.style.description_width = "80px"
            if name != "share":
                control.layout.width = "220px"
        super().__init__(
            [
                row(shrinking(self.support, 330), shrinking(self.decisions, 330)),
                row(self.share, self.kind, self.place),
                self.sentence,
                row(
                    button("New task", model.new_task, self.show),
                    button("Poison others", model.new_draw, self.show),
                ),
            ]
        )
        self.show()

    def show(self) -> None:
        """Brings the pictures and the sentence up to the model's state."""
        frame = self.model.frame()
        self._support.show(frame)
        self._decisions.show(frame)
        self.support.refresh(alt=f"Support images. {frame.sentence}")
        self.decisions.refresh(alt=f"Decisions. {frame.sentence}")
        self.sentence.text = frame.sentence

    def filmstrip(self, shares: Sequence[int] = (0, 20, 40)) -> Figure:
        """Support and decisions for each share of wrong labels, as a figure that stays."""
        figure = still_figure(4.2 * len(shares), 5.2)
        panels = figure.subplots(2, len(shares), squeeze=False)
        for (above, below), share in zip(panels.T, shares, strict=True):
            frame = self.model.frame(share)
            Support(above, frame)
            Decisions(below, frame)
            above.set_title(f"{share} % wrong, {self.model.kind}", fontsize=picture.FONT_SIZE)
        return figure

    def description(self, shares: Sequence[int] = (0, 20, 40)) -> str:
        """The text alternative of ``filmstrip``: a line for each share."""
        return "\n".join(self.model.frame(share).sentence for share in shares)

    def _set(self, name: str, value: int | str) -> None:
        setattr(self.model, name, value)
        self.show()

    def __repr__(self) -> str:
        return f"PoisonSlider({self.sentence.text!r})"


class Support:
    """Ten images of each class in a row; a wrong label is written in, with a frame around it."""

    def __init__(self, axes: Axes, frame: Frame):
        axes.set_yticks(range(NUM_WAYS), [f"true {letter}" for letter in LETTERS])
        axes.set_xticks([])
        axes.tick_params(length=0, labelsize=picture.FONT_SIZE)
        axes.grid(False)
        axes.spines[:].set_visible(False)
        self.image = axes.imshow(
            np.ones((NUM_WAYS * SIZE, NUM_SHOTS * SIZE)),
            cmap="gray",
            vmin=0,
            vmax=1,
            extent=(-0.5, NUM_SHOTS - 0.5, NUM_WAYS - 0.5, -0.5),
        )
        self.frames = axes.scatter([], [], marker="s", s=330, facecolors="none", linewidths=1.8)
        self.frames.set_edgecolor(picture.VERMILION)
        self.letters = [
            [
                axes.text(
                    place + 0.3, way - 0.24, "", color="white", fontsize=9, weight="bold",
                    ha="center", va="center",
                    bbox={"boxstyle": "square,pad=0.15", "fc": picture.VERMILION, "lw": 0},
                )
                for place in range(NUM_SHOTS)
            ]
            for way in range(NUM_WAYS)
        ]  # fmt: skip
        axes.set_xlabel("framed: a wrong label · pale: counts little", fontsize=9)
        self.moving = [self.image, self.frames, *(t for texts in self.letters for t in texts)]
        self.show(frame)

    def show(self, frame: Frame) -> None:
        ink = frame.images * (0.2 + 0.8 * frame.weights[..., None, None])
        self.image.set_data(1 - ink.transpose(0, 2, 1, 3).reshape(NUM_WAYS * SIZE, -1))
        ways, places = frame.wrong.nonzero()
        self.frames.set_offsets(np.stack([places, ways], 1) if len(ways) else np.empty((0, 2)))
        for way, texts in enumerate(self.letters):
            for place, text in enumerate(texts):
                text.set_text(LETTERS[frame.said[way, place]])
                text.set_visible(bool(frame.wrong[way, place]))


class Decisions:
    """Some queries, and below each the class that every learner gives it; a wrong one is boxed."""

    def __init__(self, axes: Axes, frame: Frame):
        self.names = list(frame.decisions)
        self.shown = [
            way * NUM_QUERIES + place for way in range(NUM_WAYS) for place in range(NUM_SHOWN)
        ]
        number = len(self.shown)
        axes.set(xlim=(-0.5, number + 0.9), ylim=(len(self.names) + 0.5, -0.6))
        axes.set_yticks(range(len(self.names) + 1), ["query", *self.names])
        axes.set_xticks([])
        axes.tick_params(length=0, labelsize=picture.FONT_SIZE)
        axes.grid(False)
        axes.spines[:].set_visible(False)
        self.image = axes.imshow(
            np.ones((SIZE, number * SIZE)),
            cmap="gray",
            vmin=0,
            vmax=1,
            extent=(-0.5, number - 0.5, 0.5, -0.5),
            aspect="auto",
        )
        axes.set_xlabel("boxed: a wrong answer · bold: right of 25", fontsize=9)
        style = {"ha": "center", "va": "center", "fontsize": picture.FONT_SIZE}
        self.cells = [
            [axes.text(place, line, "", **style) for place in range(number)]
            for line in range(1, len(self.names) + 1)
        ]
        self.totals = [
            axes.text(number + 0.2, line, "", weight="bold", **style)
            for line in range(1, len(self.names) + 1)
        ]
        self.moving = [self.image, *(t for line in self.cells for t in line), *self.totals]
        self.show(frame)

    def show(self, frame: Frame) -> None:
        self.image.set_data(1 - np.concatenate([frame.queries[q] for q in self.shown], 1))
        for line, name in enumerate(self.names):
            for text, query in zip(self.cells[line], self.shown, strict=True):
                given = frame.decisions[name][query]
                wrong = given != frame.truth[query]
                text.set_text(LETTERS[given] if given >= 0 else "–")
                text.set_color("white" if wrong else picture.BLACK)
                edge = {"boxstyle": "square,pad=0.2", "fc": picture.VERMILION, "lw": 0}
                text.set_bbox(edge if wrong else None)
            self.totals[line].set_text(str(frame.right[name]))
