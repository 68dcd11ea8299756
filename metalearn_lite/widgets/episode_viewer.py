"""The episode viewer: one few-shot task after another, with the answers of a learner.

`ViewerModel` is plain Python: what to sample and whom to ask in, frames and sentences out.
`EpisodeViewer` shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase as LETTERS
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metalearn_lite.learners.base import Learner
from metalearn_lite.tasks.characters import Characters
from metalearn_lite.widgets.drawings import Captions, Drawings
from metalearn_lite.widgets.layout import row, still_figure
from metalearn_lite.widgets.picture import (
    CSS_PIXELS_PER_INCH,
    FONT_SIZE,
    GREEN,
    VERMILION,
    Picture,
    Sentence,
    new_figure,
)

MAX_WAYS, MAX_SHOTS = 20, 5
MAX_DRAWINGS = 60  # more would take a learner so long that a reader waits
MIXED, ONE_ALPHABET = "all alphabets, mixed", "one alphabet per episode"
RIGHT, WRONG = "✔", "✘"


class ViewerFrame(NamedTuple):
    """All that one picture shows. A column is a class: a right answer is the query's column."""

    title: str
    support: np.ndarray
    """``(num_shots, num_ways, 28, 28)``"""
    queries: np.ndarray
    """``(num_queries, num_ways, 28, 28)``"""
    answers: np.ndarray
    """``(num_queries, num_ways)``: the class each query is given"""
    confidences: np.ndarray
    """``(num_queries, num_ways)``: the probability the learner gives its answer"""

    @property
    def right(self) -> np.ndarray:
        return self.answers == np.arange(self.answers.shape[1])


class ViewerModel:
    """Numbered episodes of any ways and shots, and what each learner answers.

    An episode depends on its number and on what was asked for, never on the learner: all of them
    can be compared on the same one, and going back finds it again.

    Args:
        pool: the characters that episodes are sampled from.
        learners: by the name that the reader will see.
        seed: of all episodes.

    Attributes:
        number, num_ways, num_shots, source, learner: what is shown; change them by `show`.
        sources: where an episode's classes may come from: all alphabets, one, or a named one.

    Raises:
        ValueError: without learners, and where `show` does.
    """

    def __init__(self, pool: Characters, learners: dict[str, Learner], seed: int = 0):
        if not learners:
            raise ValueError("learners is empty: name at least one to ask.")
        self.pool, self.learners, self.seed = pool, learners, seed
        self.sources = {MIXED: pool, ONE_ALPHABET: pool}
        for name, size in pool.alphabet_sizes.items():
            self.sources[f"only {name} ({size})"] = pool.select([name])
        self.show(0, 5, 1, MIXED, next(iter(learners)))

    def show(self, number: int, num_ways: int, num_shots: int, source: str, learner: str) -> None:
        """Turns to an episode.

        Raises:
            ValueError: if there is no such episode; then nothing has changed.
        """
        if number < 0:
            raise ValueError("This is the first episode: go on to the next.")
        if not (2 <= num_ways <= MAX_WAYS and 1 <= num_shots <= MAX_SHOTS):
            raise ValueError(
                f"num_ways={num_ways}, num_shots={num_shots}: the viewer has room for 2 to "
                f"{MAX_WAYS} ways and 1 to {MAX_SHOTS} shots."
            )
        num_queries = min(2, MAX_DRAWINGS // num_ways - num_shots)  # of each class
        if num_queries < 1:
            raise ValueError(
                f"num_ways={num_ways}, num_shots={num_shots}: with a query of each class these "
                f"are {num_ways * (num_shots + 1)} drawings, and the viewer has room for "
                f"{MAX_DRAWINGS}. Choose at most {MAX_DRAWINGS // num_ways - 1} shots."
            )
        for what, known in ((source, self.sources), (learner, self.learners)):
            if what not in known:
                raise ValueError(f"There is no {what!r}: choose from {', '.join(known)}.")
        self._episodes = self.sources[source].sample(
            1,
            num_ways,
            num_shots,
            num_queries,
            torch.Generator().manual_seed(1000 * self.seed + number),
            within_alphabet=source == ONE_ALPHABET,
        )
        self.number, self.num_ways, self.num_shots = number, num_ways, num_shots
        self.source, self.learner = source, learner

    @torch.no_grad()
    def frame(self, learner: str | None = None) -> ViewerFrame:
        """The episode with the answers of the learner shown, or of another."""
        learner = self.learner if learner is None else learner
        support, query = self._episodes
        asked = self.learners[learner]
        confidences, answers = asked.predict(asked.adapt(support), query.x).softmax(-1).max(-1)
        return ViewerFrame(
            learner, *map(self._by_class, (support.x, query.x, answers, confidences))
        )

    def sentence(self, frame: ViewerFrame) -> str:
        """A frame in words: how many are right, and what the others were taken for."""
        total = frame.right.size
        wrong = [
            f"{LETTERS[way]} taken for {LETTERS[frame.answers[query, way]]} "
            f"({_percent(frame.confidences[query, way])})"
            for query, way in np.argwhere(~frame.right)
        ]
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        mistakes = f" Wrong: {', '.join(wrong[:4])}{more}." if wrong else ""
        return (
            f"{frame.title}: {total - len(wrong)} of {total} queries right, where guessing would "
            f"get about {total / self.num_ways:.0f}.{mistakes}"
        )

    def episode_in_words(self) -> str:
        """Which episode this is."""
        return (
            f"Episode {self.number + 1}, {self.num_ways}-way {self.num_shots}-shot, {self.source}"
        )

    def _by_class(self, values: torch.Tensor) -> np.ndarray:
        """``(1, ways * count, …)`` in the order of the classes, as ``(count, ways, …)``."""
        values = values[0].unflatten(0, (self.num_ways, -1)).transpose(0, 1)
        return values.flatten(2, 3).squeeze(2).numpy() if values.dim() > 2 else values.numpy()


def _percent(probability: float) -> str:
    """Whole per cents, and never 100 for what is not quite."""
    return f"{min(100 * probability, 99):.0f}%" if probability < 1 else "100%"


# The view


class EpisodeViewer(widgets.VBox):
    """The viewer: next and previous, by button or arrow key; ways, shots, alphabets, learner.

    Args and errors: as for `ViewerModel`.
    """

    def __init__(self, pool: Characters, learners: dict[str, Learner], seed: int = 0):
        self.model = ViewerModel(pool, learners, seed)
        figure = new_figure(8.4, 3.9)
        self._board = _Board(figure.subplots(), 8.4, 3.9)
        keys = {"ArrowLeft": -1, "ArrowRight": 1}
        self.picture = Picture(
            figure, self._board.moving, on_key=lambda key: self._turn(keys[key]), keys=keys
        )
        self.sentence = Sentence()
        super().__init__([*self._controls(), self.picture, self.sentence])
        self._show()

    def filmstrip(self, learners: Sequence[str] | None = None) -> Figure:
        """The episode as each of ``learners`` answers it (all of them, unless told which)."""
        learners = list(self.model.learners) if learners is None else learners
        rows = -(-len(learners) // 2)
        width, height = 4.3, 2.9
        figure = still_figure(2 * width, rows * height)
        panels = list(figure.subplots(rows, 2, squeeze=False).flat)
        for axes in panels:
            axes.axis("off")
        for axes, learner in zip(panels, learners, strict=False):
            frame = self.model.frame(learner)
            _Board(axes, width, height).show(frame)
            title = f"{frame.title}: {frame.right.sum()} of {frame.right.size} right"
            axes.set_title(title, fontsize=FONT_SIZE)
        return figure

    def description(self, learners: Sequence[str] | None = None) -> str:
        """The text alternative of `filmstrip`: a line for each learner."""
        learners = list(self.model.learners) if learners is None else learners
        return "\n".join(
            [
                f"{self.model.episode_in_words()}. A column is a character: above the line the "
                "drawings to learn from, below it the drawings to recognise.",
                *(self.model.sentence(self.model.frame(learner)) for learner in learners),
            ]
        )

    def _controls(self) -> list[widgets.Widget]:
        model = self.model
        self.previous = widgets.Button(description="Previous", icon="arrow-left")
        self.next = widgets.Button(
            description="Next episode", icon="arrow-right", button_style="primary"
        )
        self.previous.on_click(lambda _: self._turn(-1))
        self.next.on_click(lambda _: self._turn(1))
        self.learner = widgets.Dropdown(options=list(model.learners), description="learner")
        self.source = widgets.Dropdown(options=list(model.sources), description="classes from")
        self.ways = widgets.IntSlider(model.num_ways, 2, MAX_WAYS, description="ways")
        self.shots = widgets.IntSlider(model.num_shots, 1, MAX_SHOTS, description="shots")
        for control in (self.learner, self.source, self.ways, self.shots):
            control.style.description_width = "84px"
            control.layout.width = "290px"
            control.observe(lambda _: self._turn(0), "value")
        return [
            row(self.ways, self.shots),
            row(self.source, self.learner),
            row(self.previous, self.next),
        ]

    def _turn(self, by: int) -> None:
        """To the episode that the controls ask for; where there is none, a sentence says why."""
        try:
            self.model.show(
                self.model.number + by,
                self.ways.value,
                self.shots.value,
                self.source.value,
                self.learner.value,
            )
        except ValueError as refusal:
            self.sentence.text = f"{refusal} The picture stays as it was."
        else:
            self._show()

    def _show(self) -> None:
        frame = self.model.frame()
        self._board.show(frame)
        words = f"{self.model.episode_in_words()}. {self.model.sentence(frame)}"
        self.picture.refresh(alt=f"An episode, a column for each class. {words}")
        self.sentence.text = words

    def __repr__(self) -> str:
        return f"EpisodeViewer({self.sentence.text!r})"


class _Board:
    """A column for each class: its letter, its support, and its queries with their answers.

    Coordinates are CSS pixels from the top left. Drawings are as large as all of them fit in.
    """

    LABELS, TOP, GAP, ANSWER = 64, 22, 12, 36  # row labels, letters, a gap, an answer's two lines
    LARGEST = 84

    def __init__(self, axes: Axes, width: float, height: float):
        self.width, self.height = CSS_PIXELS_PER_INCH * width, CSS_PIXELS_PER_INCH * height
        axes.set(xlim=(0, self.width), ylim=(self.height, 0))
        axes.axis("off")
        self._paper = axes.add_patch(Rectangle((0, 0), 0, 0, facecolor="#f0f0f0", linewidth=0))
        self._drawings = Drawings(axes, 10)
        right, wrong = {"colors": GREEN}, {"colors": VERMILION, "linestyles": (0, (2, 1))}
        self._right = axes.add_collection(LineCollection([], linewidths=2, **right))
        self._wrong = axes.add_collection(LineCollection([], linewidths=2, **wrong))
        self._captions = Captions(axes, FONT_SIZE - 1)
        self.moving = [self._paper, self._drawings, self._right, self._wrong, self._captions]

    def show(self, frame: ViewerFrame) -> None:
        num_shots, num_ways = frame.support.shape[:2]
        num_queries = len(frame.queries)
        free = self.height - self.TOP - self.GAP - num_queries * self.ANSWER
        room = (self.width - self.LABELS) / num_ways
        cell = min(room, free / (num_shots + num_queries), self.LARGEST)
        left = self.LABELS + (room - cell) * num_ways / 2
        columns = left + cell * (np.arange(num_ways) + 0.5)
        below = self.TOP + num_shots * cell + self.GAP
        rows = [self.TOP + cell * (shot + 0.5) for shot in range(num_shots)]
        asked = [below + (cell + self.ANSWER) * query + cell / 2 for query in range(num_queries)]

        places = np.stack(np.meshgrid(columns, [*rows, *asked]), -1).reshape(-1, 2)
        drawn = np.concatenate([frame.support, frame.queries]).reshape(-1, 28, 28)
        self._drawings.size = 0.88 * cell * 72 / CSS_PIXELS_PER_INCH
        self._drawings.set_images(drawn)
        self._drawings.set_points(places)
        self._paper.set_bounds(left, self.TOP, cell * num_ways, cell * num_shots)

        right, queries = frame.right.flatten(), places[num_shots * num_ways :]
        corners = 0.45 * cell * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])
        self._right.set_segments(queries[right, None] + corners)
        self._wrong.set_segments(queries[~right, None] + corners)

        answers, confidences = frame.answers.flatten(), frame.confidences.flatten()
        marks = np.where(right, RIGHT, WRONG)
        said = [f"{mark} {LETTERS[way]}" for mark, way in zip(marks, answers, strict=True)]
        letters = np.stack([columns, np.full(num_ways, 4)], 1)
        labels = [(left - 32, np.mean(part) - 8) for part in (rows, asked)]
        under = queries + np.array([0, 0.5 * cell])
        self._captions.set_texts(
            [*LETTERS[:num_ways], "support", "queries", *said, *map(_percent, confidences)],
            np.concatenate([letters, labels, under, under + np.array([0, self.ANSWER / 2 - 1])]),
        )
