"""The episode viewer: one few-shot task after another, with the answers of a learner.

`ViewerModel` is plain Python: what to sample and whom to ask in, frames and sentences out.
`EpisodeViewer` shows it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import ascii_uppercase as LETTERS
from typing import Any, NamedTuple

import numpy as np
import torch

from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.base import Learner
from metalearn_lite.tasks.characters import Characters
from metalearn_lite.widgets.drawings import RIGHT, WRONG, board, pixels
from metalearn_lite.widgets.kit import (
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
)

MAX_WAYS, MAX_SHOTS = 20, 5
MAX_DRAWINGS = 60  # more would take a learner so long that a reader waits
MIXED, ONE_ALPHABET = "all alphabets, mixed", "one alphabet per episode"


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
        number, num_ways, num_shots, source, learner: what is shown first; change them by `show`.

    Attributes:
        sources: where an episode's classes may come from: all alphabets, one, or a named one.

    Raises:
        ValueError: without learners, and where `show` does.
    """

    def __init__(
        self,
        pool: Characters,
        learners: dict[str, Learner],
        seed: int = 0,
        *,
        number: int = 0,
        num_ways: int = 5,
        num_shots: int = 1,
        source: str = MIXED,
        learner: str | None = None,
    ):
        if not learners:
            raise ValueError("learners is empty: name at least one to ask.")
        self.pool, self.learners, self.seed = pool, learners, seed
        self.sources = {MIXED: pool, ONE_ALPHABET: pool}
        for name, size in pool.alphabet_sizes.items():
            self.sources[f"only {name} ({size})"] = pool.select([name])
        learner = next(iter(learners)) if learner is None else learner
        self.show(number, num_ways, num_shots, source, learner)

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
        episodes = self.sources[source].sample(
            1,
            num_ways,
            num_shots,
            num_queries,
            torch.Generator().manual_seed(1000 * self.seed + number),
            within_alphabet=source == ONE_ALPHABET,
        )
        self._frame = self._ask(learner, episodes)  # a learner, too, may refuse
        self._episodes = episodes
        self.number, self.num_ways, self.num_shots = number, num_ways, num_shots
        self.source, self.learner = source, learner

    def frame(self, learner: str | None = None) -> ViewerFrame:
        """The episode with the answers of the learner shown, or of another."""
        if learner in (None, self.learner):
            return self._frame
        return self._ask(learner, self._episodes)

    @torch.no_grad()
    def _ask(self, learner: str, episodes: Episodes) -> ViewerFrame:
        (support, _), (queries, labels) = episodes
        asked = self.learners[learner]
        predicted = asked.predict(asked.adapt(episodes.support), queries)
        confidences, answers = predicted.softmax(-1).max(-1)
        num_ways = int(labels.max()) + 1
        return ViewerFrame(
            learner,
            *(_by_class(part, num_ways) for part in (support, queries, answers, confidences)),
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

    def shown(self) -> dict[str, Any]:
        """What is shown, for `show`."""
        names = ("number", "num_ways", "num_shots", "source", "learner")
        return {name: getattr(self, name) for name in names}

    def episode_in_words(self) -> str:
        """Which episode this is."""
        return (
            f"Episode {self.number + 1}, {self.num_ways}-way {self.num_shots}-shot, {self.source}"
        )


def _by_class(values: torch.Tensor, num_ways: int) -> np.ndarray:
    """``(1, ways * count, …)`` in the order of the classes, as ``(count, ways, …)``."""
    values = values[0].unflatten(0, (num_ways, -1)).transpose(0, 1)
    return values.flatten(2, 3).squeeze(2).numpy() if values.dim() > 2 else values.numpy()


def _percent(probability: float) -> str:
    """Whole per cents, and never 100 for what is not quite."""
    return f"{min(100 * probability, 99):.0f}%" if probability < 1 else "100%"


# The view

LABELS, TOP, GAP, ANSWER = 64, 22, 10, 40  # CSS pixels: labels, letters, a gap, an answer
LARGEST = 84
MANY_WAYS = 12  # with more, a column is too narrow for per cents


class EpisodeViewer(Live):
    """A `ViewerModel` in the page: next and previous, ways, shots, alphabets, learner.

    Args and errors: as for `ViewerModel`.
    """

    def __init__(self, pool: Characters, learners: dict[str, Learner], seed: int = 0, **first: Any):
        super().__init__(ViewerModel(pool, learners, seed, **first))

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        most = min(MAX_WAYS, len(model.pool))
        shown = ", ".join(f"{name}={value!r}" for name, value in model.shown().items())
        return Scene(
            (_board(frame),),
            (
                Button("previous", "Previous", enabled=model.number > 0),
                Button("next", "Next episode", primary=True),
                Choice("learner", "learner", model.learner, tuple(model.learners), menu=True),
                Choice("source", "classes from", model.source, tuple(model.sources), menu=True),
                Slider("num_ways", "ways", model.num_ways, 2, MAX_WAYS),
                Slider("num_shots", "shots", model.num_shots, 1, MAX_SHOTS),
            ),
            (
                Try(
                    f"{most} ways",
                    f"Guessing is right once in {most}. How often is the learner?",
                    values={"num_shots": 1, "source": MIXED, "num_ways": most},
                ),
                Try(
                    "Five shots",
                    "Five drawings of each. Then set shots to 1: what does the learner lose?",
                    values={"num_ways": 5, "num_shots": 5},
                ),
                Try(
                    "Other eyes",
                    "Another learner, the same episode. Where does it err, and how sure is it?",
                    press="other_learner",
                ),
            ),
            sentence=f"{model.episode_in_words()}. {model.sentence(frame)}",
            code=f"EpisodeViewer(pool, learners, seed={model.seed}, {shown})",
        )

    def set(self, name: str, value: Any) -> None:
        self.model.show(**self.model.shown() | {name: value})

    def previous(self) -> None:
        self.set("number", self.model.number - 1)

    def next(self) -> None:
        self.set("number", self.model.number + 1)

    def other_learner(self) -> None:
        """The learner after this one, and after the last one the first."""
        names = list(self.model.learners)
        self.set("learner", names[(names.index(self.model.learner) + 1) % len(names)])

    def filmstrip(self, learners: Sequence[str] | None = None) -> still.Figure:
        """The episode as each of ``learners`` answers it (all of them, unless told which)."""
        frames = self._frames(learners)
        titles = [f"{one.title}: {one.right.sum()} of {one.right.size} right" for one in frames]
        scenes = [Scene((_board(frame, 413, 278),)) for frame in frames]
        return still.strip(scenes, titles, columns=2)

    def description(self, learners: Sequence[str] | None = None) -> str:
        """The text alternative of `filmstrip`: a line for each learner."""
        what = (
            f"{self.model.episode_in_words()}. A column is a character: above the line the "
            "drawings to learn from, below it the drawings to recognise."
        )
        return "\n".join([what, *map(self.model.sentence, self._frames(learners))])

    def _frames(self, learners: Sequence[str] | None) -> list[ViewerFrame]:
        names = self.model.learners if learners is None else learners
        return [self.model.frame(name) for name in names]


def _board(frame: ViewerFrame, most: int = 820, height: int = 340) -> Panel:
    """A column for each class: its letter, its support, and its queries with their answers.

    Drawings are as large as all of them fit in, and the board is as wide as they are.
    """
    num_shots, num_ways = frame.support.shape[:2]
    num_queries = len(frame.queries)
    free = height - TOP - GAP - num_queries * ANSWER
    room = (most - LABELS) / num_ways
    cell = min(room, free / (num_shots + num_queries), LARGEST)
    across = min(room, max(cell, ANSWER))
    width = math.ceil(LABELS + across * num_ways)
    columns = LABELS + across * (np.arange(num_ways) + 0.5)
    rows = height - TOP - cell * (np.arange(num_shots) + 0.5)
    below = height - TOP - cell * num_shots - GAP
    asked = below - (cell + ANSWER) * np.arange(num_queries) - cell / 2

    letters = LETTERS[:num_ways]
    paper = {"wide": across * num_ways, "tall": cell * num_shots, "opacity": 0.12}
    parts = [LABELS - 8] * 2, [rows.mean(), asked.mean()], ["support", "queries"]
    marks = [
        Boxes("paper", [columns.mean()], [rows.mean()], fills=["gray"], **paper),
        Texts("letters", columns, np.full(num_ways, height - 10), letters, bold=True),
        Texts("parts", *parts, anchor="end"),
    ]
    # Drawings of a class have one number in all these marks: they light up together.
    style = {"wide": 0.88 * cell, "tall": 0.88 * cell, "link": "class", "fixed": ("pixels",)}
    for row, y in enumerate(rows):
        at, drawn = np.full(num_ways, y), pixels(frame.support[row])
        texts = [f"support of {letter}" for letter in letters]
        marks.append(Images(f"support {row}", columns, at, drawn, texts=texts, **style))
    for row, y in enumerate(asked):
        right, at = frame.right[row], np.full(num_ways, y)
        verdicts = np.where(right, RIGHT, WRONG)
        answers = [LETTERS[way] for way in frame.answers[row]]
        sure = [_percent(one) for one in frame.confidences[row]]
        looks = {
            "edges": np.where(right, "green", "red"),
            "dashed": ~right,
            "texts": [
                f"{letters[way]}, taken for {one} ({sure[way]})" for way, one in enumerate(answers)
            ],
        }
        drawn = pixels(frame.queries[row])
        marks.append(Images(f"queries {row}", columns, at, drawn, **looks, **style))
        first, second = [f"{v} {a}" for v, a in zip(verdicts, answers, strict=True)], sure
        if num_ways > MANY_WAYS:
            first, second = verdicts, answers
        marks.append(Texts(f"answers {row}", columns, at - cell / 2 - 9, first))
        marks.append(Texts(f"chances {row}", columns, at - cell / 2 - 27, second))
    return board("board", width, height, marks, alt="an episode, a column for each class")
