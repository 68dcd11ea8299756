"""Draw your own: a few classes and a query from your hand, answered after every stroke.

`DrawModel` is plain Python: strokes and wishes in; images, answers and sentences out.
`DrawYourOwn` shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from string import ascii_uppercase as LETTERS
from typing import NamedTuple

import numpy as np
import torch

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.characters.character_set import IMAGE_SIZE, Characters
from metalearn_lite.tasks.characters.pens import PEN_WIDTH, pen_ink
from metalearn_lite.widgets import words
from metalearn_lite.widgets.drawings import CLASS_COLORS, pixels
from metalearn_lite.widgets.kit import (
    Axis,
    Bars,
    Boxes,
    Button,
    Choice,
    Images,
    Live,
    Pad,
    Panel,
    Scene,
    Slider,
    Try,
    still,
    top_down,
)

MIN_WAYS, MAX_WAYS = 2, 5
QUERY = MAX_WAYS  # the number of the query's sheet, after those of the classes
LONGER_SIDE = 17.0  # pixels, of the pen's way: what the median character of Omniglot has
SMALLEST = 0.15  # of the pad's side: a smaller drawing is not enlarged more, so a dot stays a dot

# Three signs, and the second once more: as long as its last stroke is missing, it is the first.
EXAMPLE_CLASSES = (
    ([(0.2, 0.2), (0.18, 0.5), (0.22, 0.78), (0.5, 0.8), (0.79, 0.77), (0.8, 0.5), (0.78, 0.22)],),
    (
        [(0.2, 0.3), (0.21, 0.55), (0.2, 0.8), (0.5, 0.79), (0.8, 0.8), (0.82, 0.55), (0.8, 0.28)],
        [(0.49, 0.15), (0.51, 0.5), (0.5, 0.8)],
    ),
    (
        [(0.2, 0.35), (0.5, 0.33), (0.8, 0.34)],
        [(0.15, 0.6), (0.5, 0.62), (0.85, 0.6)],
        [(0.5, 0.12), (0.52, 0.5), (0.49, 0.9)],
    ),
)
EXAMPLE_QUERY = (
    [(0.25, 0.35), (0.24, 0.6), (0.26, 0.82), (0.55, 0.84), (0.75, 0.82)],
    [(0.77, 0.33), (0.74, 0.6), (0.75, 0.83)],
    [(0.53, 0.22), (0.5, 0.5), (0.51, 0.84)],
)


class Example(NamedTuple):
    """Somebody else's drawing of a known character."""

    image: np.ndarray
    """``(28, 28)`` in 0 … 1, ink 1"""
    source: str
    character: int
    drawer: int


@dataclass
class Sheet:
    """What is drawn on one pad: strokes ``(P, 2)``, or else an example, or nothing."""

    strokes: list[np.ndarray] = field(default_factory=list)
    example: Example | None = None

    @property
    def has_ink(self) -> bool:
        return bool(self.strokes) or self.example is not None

    def image(self) -> np.ndarray:
        """``(28, 28)`` in 0 … 1, as the learners see it."""
        if self.strokes:
            return ink_image(self.strokes)
        return self.example.image if self.example else np.zeros((IMAGE_SIZE,) * 2, np.float32)


class Answer(NamedTuple):
    """What one learner says about the query."""

    probabilities: np.ndarray
    """``(num_ways,)``"""
    nearest: int
    """the class whose drawing is most like the query, in this learner's eyes"""
    num_unused: int
    """outputs of its network that have no class now"""

    @property
    def choice(self) -> int:
        return int(self.probabilities.argmax())


class DrawFrame(NamedTuple):
    """All that one picture shows."""

    images: np.ndarray
    """``(num_ways, 28, 28)``"""
    query: np.ndarray
    """``(28, 28)``"""
    answers: dict[str, Answer]
    """by learner; empty while there is nothing to answer"""
    truth: int | None
    """the query's class, where it is known: an example of the same character"""


class DrawModel:
    """Sheets 0 … 4 of the classes A … E and the sheet ``QUERY``, and what learners make of them.

    With fewer classes than a learner's network has outputs, only the first outputs are used, and
    their probabilities are made to sum to 1.

    Args:
        learners: by the name that the reader will see; each must do 5-way tasks.
        examples: by name, the characters that `draw_example` takes drawings from.
        seed: of which example is drawn.
        filled: begin with an example in each class, such as of the reader's own images, and say
            what the classes are called.

    Attributes:
        num_ways: how many classes there are; the sheets of others wait. See `set_num_ways`.
        source: the name of the examples to take from next.

    Raises:
        ValueError: without learners or examples. All methods: a sentence to show, if there is no
            such sheet or it cannot be done; then nothing has changed.
    """

    def __init__(
        self,
        learners: dict[str, Learner],
        examples: dict[str, Characters],
        seed: int = 0,
        filled: bool = False,
    ):
        if not learners or not examples:
            raise ValueError("Name at least one learner to ask and one set of examples.")
        for name, pool in examples.items():
            if pool.num_characters < MIN_WAYS or pool.num_drawers < 2:
                raise ValueError(
                    f"The {name} are {pool.num_characters} by {pool.num_drawers} drawers: examples "
                    f"must be at least {MIN_WAYS} characters by 2 drawers."
                )
        self.learners, self.examples, self.filled = learners, examples, filled
        self.source = next(iter(examples))
        self.num_ways = min(3, self.examples[self.source].num_characters)
        self.sheets = [Sheet() for _ in range(MAX_WAYS + 1)]
        self._generator = torch.Generator().manual_seed(seed)
        self._adapted: dict | None = None  # kept while the classes stay as they are
        for way in range(self.num_ways if filled else 0):
            self.draw_example(way)

    # Drawing

    def set_num_ways(self, num_ways: int) -> None:
        if not MIN_WAYS <= num_ways <= MAX_WAYS:
            raise ValueError(f"{num_ways} classes: choose {MIN_WAYS} to {MAX_WAYS}.")
        self.num_ways = num_ways
        self._adapted = None

    def add_stroke(self, sheet: int, points: Sequence[Sequence[float]]) -> None:
        """Adds a stroke through ``points`` (x, y), 0 … 1 from the top left; an example goes."""
        try:
            stroke = np.array(points, dtype=float).reshape(-1, 2)
        except (TypeError, ValueError):
            stroke = np.zeros((0, 2))
        if not len(stroke) or not np.isfinite(stroke).all():
            raise ValueError("That stroke has no points: draw it once more.")
        self._change(sheet, Sheet([*self._sheet(sheet).strokes, stroke.clip(0, 1)]))

    def undo(self, sheet: int) -> None:
        """Takes back the last stroke, or the example."""
        if not self._sheet(sheet).has_ink:
            name = "the query" if sheet == QUERY else f"class {LETTERS[sheet]}"
            raise ValueError(f"There is nothing to undo: {name} has no ink.")
        self._change(sheet, Sheet(self._sheet(sheet).strokes[:-1]))

    def clear(self, sheet: int) -> None:
        self._change(sheet, Sheet())

    def clear_all(self) -> None:
        self.sheets = [Sheet() for _ in self.sheets]
        self._adapted = None

    def draw_example(self, sheet: int) -> None:
        """A drawing from ``source``, in place of what is there.

        For a class a character that no other class has; for the query another person's drawing of
        a class that is an example itself.
        """
        examples = [of_class.example for of_class in self.sheets[: self.num_ways]]
        if sheet == QUERY:
            known = [example for example in examples if example]
            if not known:
                raise ValueError(
                    "An example of a query needs a class that is an example: choose one for class "
                    "A first, or draw the query yourself."
                )
            self._draw_from(QUERY, *known[self._draw(len(known))][1:])
        else:
            taken = {
                example.character
                for way, example in enumerate(examples)
                if way != sheet and example and example.source == self.source
            }
            free = sorted(set(range(self.examples[self.source].num_characters)) - taken)
            if not free:
                raise ValueError(
                    f"All {len(taken)} characters of {self.source} are classes already: draw this "
                    "class yourself, or choose fewer."
                )
            self._draw_from(sheet, self.source, free[self._draw(len(free))])

    def draw_query_like(self, way: int) -> None:
        """For the query another person's drawing of class ``way``, which must be an example."""
        example = self._sheet(way).example
        if example is None:
            raise ValueError(f"Class {LETTERS[way]} is no example: draw the query yourself.")
        self._draw_from(QUERY, *example[1:])

    def _draw_from(
        self, sheet: int, source: str, character: int, not_drawer: int | None = None
    ) -> None:
        images = self.examples[source].images[character]
        drawers = [drawer for drawer in range(len(images)) if drawer != not_drawer]
        drawer = drawers[self._draw(len(drawers))]
        image = images[drawer].numpy().astype(np.float32) / 255
        self._change(sheet, Sheet(example=Example(image, source, character, drawer)))

    def draw_all_examples(self) -> None:
        """An example for every class and then for the query."""
        self.clear_all()
        for sheet in (*range(self.num_ways), QUERY):
            self.draw_example(sheet)

    def _sheet(self, sheet: int) -> Sheet:
        if not 0 <= sheet <= QUERY:
            raise ValueError(f"There is no sheet {sheet}: choose 0 to {QUERY}.")
        return self.sheets[sheet]

    def _change(self, sheet: int, new: Sheet) -> None:
        self._sheet(sheet)
        self.sheets[sheet] = new
        if sheet != QUERY:
            self._adapted = None

    def _draw(self, count: int) -> int:
        return int(torch.randint(count, (), generator=self._generator))

    # Answering

    @property
    def missing(self) -> list[int]:
        """The sheets that must have ink before there is an answer."""
        needed = (*range(self.num_ways), QUERY)
        return [sheet for sheet in needed if not self.sheets[sheet].has_ink]

    def frame(self) -> DrawFrame:
        images = np.stack([self.sheets[way].image() for way in range(self.num_ways)])
        query = self.sheets[QUERY].image()
        answers = {} if self.missing else self._ask(images, query)
        return DrawFrame(images, query, answers, self._truth())

    @torch.no_grad()
    def _ask(self, images: np.ndarray, query: np.ndarray) -> dict[str, Answer]:
        drawings = torch.from_numpy(images)[None, :, None]
        support = Examples(drawings, torch.arange(self.num_ways)[None])
        asked = torch.from_numpy(query)[None, None, None]
        if self._adapted is None:
            self._adapted = {name: one.adapt(support) for name, one in self.learners.items()}
        return {
            name: answer(learner, self._adapted[name], drawings, asked)
            for name, learner in self.learners.items()
        }

    def _truth(self) -> int | None:
        query = self.sheets[QUERY].example
        for way in range(self.num_ways):
            own = self.sheets[way].example
            if query and own and query[1:3] == own[1:3]:
                return way
        return None

    # In words

    def sentence(self, frame: DrawFrame) -> str:
        """What to draw next, or each learner's answer."""
        if self.missing:
            first = self.missing[0]
            if first != QUERY:
                return f"Draw class {LETTERS[first]} first: it has no ink."
            return (
                f"Now draw the query: one of the {self.num_ways} classes once more, as you would "
                "write it the next time."
            )
        said = [
            f"{name} says {LETTERS[answer.choice]} ({words.percent(max(answer.probabilities))}; "
            f"nearest drawing {LETTERS[answer.nearest]})"
            for name, answer in frame.answers.items()
        ]
        truth = f" It is class {LETTERS[frame.truth]}." if frame.truth is not None else ""
        return f"The query: {', '.join(said)}.{truth}"

    def class_name(self, way: int) -> str:
        """What the example of class ``way`` is called; empty where there is none.

        Where two alphabets have a character of that name, the alphabet is said, too.
        """
        example = self.sheets[way].example
        if example is None:
            return ""
        pool = self.examples[example.source]
        name = pool.names[example.character]
        several = pool.names.count(name) > 1
        return f"{pool.alphabets[example.character]} {name}" if several else name

    def names(self) -> str:
        """What the classes are called, if that is to be said."""
        named = [(LETTERS[way], self.class_name(way)) for way in range(self.num_ways)]
        said = ", ".join(f"{letter} is {name}" for letter, name in named if name)
        return f"Class {said}." if self.filled and said else ""


def answer(
    learner: Learner, adapted: object, drawings: torch.Tensor, query: torch.Tensor
) -> Answer:
    """What an ``adapted`` learner says about ``query`` ``(1, 1, 1, 28, 28)``.

    A class has one drawing, which for a prototypical network is its prototype: the nearest drawing
    is that of its answer. For any other learner it is the drawing whose outputs are nearest to
    those of the query.

    Args:
        drawings: ``(1, num_ways, 1, 28, 28)``, what ``learner`` was adapted on.
    """
    num_ways = drawings.shape[1]
    if isinstance(learner, PrototypicalNetwork):
        outputs = learner.predict(adapted, query)[0]
        nearest = outputs[0].argmax()
    else:
        # Asked together: batch normalisation would have too little to measure on one image.
        outputs = learner.predict(adapted, torch.cat([drawings, query], 1))[0]
        used = outputs[:, :num_ways]
        nearest = (used[:-1] - used[-1]).square().sum(1).argmin()
    probabilities = outputs[-1, :num_ways].softmax(0).numpy()
    return Answer(probabilities, int(nearest), outputs.shape[1] - num_ways)


def answers_in_words(frame: DrawFrame) -> str:
    """All probabilities, for those who cannot see the bars."""
    said = []
    for name, answer in frame.answers.items():
        ways = zip(LETTERS, map(words.percent, answer.probabilities), strict=False)
        numbers = ", ".join(f"{letter} {percent}" for letter, percent in ways)
        said.append(f"{name}: {numbers}; nearest drawing {LETTERS[answer.nearest]}.")
    return " ".join(said) or "No answers yet."


def caveat(frame: DrawFrame) -> str:
    """What the numbers do not tell, in words; empty where there is nothing."""
    num_ways = len(frame.images)
    return " ".join(
        f"{name}'s network has {num_ways + answer.num_unused} outputs. With {num_ways} classes "
        f"only the first {num_ways} are used, and their probabilities are made to sum to 1."
        for name, answer in frame.answers.items()
        if answer.num_unused
    )


def ink_image(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """What Omniglot's pen leaves along ``strokes``, ``(28, 28)`` in 0 … 1, ink 1.

    The drawing is centred and brought to the size that characters of Omniglot have, width and
    height alike. The pen is not: its line is as wide in a large drawing as in a small one.

    The site draws the same in the page (``site/static/strokes.js``); a test holds them together.

    Args:
        strokes: each ``(P, 2)``, points (x, y) from 0 to 1, from the top left.
    """
    points = np.concatenate(strokes).astype(float)
    low, high = points.min(0), points.max(0)
    scale = LONGER_SIDE / max((high - low).max(), SMALLEST)
    ways = [(stroke - (low + high) / 2) * scale + IMAGE_SIZE / 2 for stroke in strokes]
    marks = 2 + int(2 * max(_walked(way)[-1] for way in ways))  # half a pixel apart or less
    even = np.stack([_evenly(way, max(marks, 4)) for way in ways])
    ink = pen_ink(torch.from_numpy(even).float().unsqueeze(1))
    return ink.sum((0, 1)).clamp(max=1).numpy()


def _walked(way: np.ndarray) -> np.ndarray:
    """How far the pen has come at each point of ``way`` ``(P, 2)``."""
    return np.concatenate([[0], np.linalg.norm(np.diff(way, axis=0), axis=1).cumsum()])


def _evenly(way: np.ndarray, marks: int) -> np.ndarray:
    """``marks`` points evenly along ``way`` ``(P, 2)`` of pixels; a dot becomes a short dash."""
    walked = _walked(way)
    if walked[-1] < PEN_WIDTH:
        way = way.mean(0) + np.array([(-PEN_WIDTH / 2, 0), (PEN_WIDTH / 2, 0)])
        walked = np.array([0, PEN_WIDTH])
    wanted = np.linspace(0, walked[-1], marks)
    return np.stack([np.interp(wanted, walked, coordinate) for coordinate in way.T], 1)


# The view


class DrawYourOwn(Live):
    """Pads to draw on, and the answers. With examples it works without drawing, and by keyboard.

    Args and errors: as for `DrawModel`.
    """

    def __init__(
        self,
        learners: dict[str, Learner],
        examples: dict[str, Characters],
        seed: int = 0,
        filled: bool = False,
    ):
        super().__init__(DrawModel(learners, examples, seed, filled))

    def scene(self) -> Scene:
        model = self.model
        frame = model.frame()
        return Scene(
            (
                *(_pad(way, model.sheets[way]) for way in (*range(model.num_ways), QUERY)),
                _seen(frame),
                *(_answers(frame, name) for name in model.learners),
            ),
            (
                Slider("num_ways", "classes", model.num_ways, MIN_WAYS, MAX_WAYS),
                Choice("source", "examples from", model.source, tuple(model.examples), menu=True),
                Button("draw_all_examples", "Examples for all"),
                Button("clear_all", "Clear all"),
            ),
            (
                Try(
                    "All but one stroke",
                    "The query is B without its bar. Draw the bar: who changes their mind?",
                    values={"num_ways": len(EXAMPLE_CLASSES)},
                    press="all_but_one_stroke",
                ),
                Try(
                    "Somebody else's hand",
                    "Each class and the query are by different people. Who sees through it?",
                    press="draw_all_examples",
                ),
            ),
            sentence=model.sentence(frame),
            note=" ".join(filter(None, (model.names(), caveat(frame)))),
        )

    def set(self, name: str, value: int | str) -> None:
        if name == "num_ways":
            self.model.set_num_ways(value)
        else:
            self.model.source = value

    def draw(self, pad: str, what: str, points: Sequence[tuple[float, float]] = ()) -> None:
        sheet = int(pad.removeprefix("pad "))
        if what == "stroke":
            self.model.add_stroke(sheet, points)
        else:
            deeds = {"undo": self.model.undo, "clear": self.model.clear}
            deeds.get(what, self.model.draw_example)(sheet)

    def all_but_one_stroke(self) -> None:
        _draw_the_signs(self.model)
        for stroke in EXAMPLE_QUERY[:-1]:
            self.model.add_stroke(QUERY, stroke)

    def filmstrip(self) -> still.Figure:
        """Three classes and a query of three strokes, and the answers after each of them.

        If it began filled: the classes that it began with, and a query of each.
        """
        titles, frames = zip(*self._film(), strict=True)
        learners = list(self.model.learners)
        scenes = [
            Scene(
                (replace(_seen(frame), title=""), *(_answers(frame, name) for name in learners)),
            )
            for frame in frames
        ]
        panels = ("seen", *(f"answers {name}" for name in learners))
        return still.strip(scenes, titles, panels=panels)

    def description(self) -> str:
        """The text alternative of `filmstrip`."""
        film = self._film()
        if self.model.filled:
            names = DrawModel(self.model.learners, self._own(), filled=True).names()
            return "\n".join(
                [
                    f"{names} One drawing of each is given. Above stands a query, below it each "
                    "learner's probabilities as bars.",
                    *(f"{title.capitalize()}: {answers_in_words(frame)}" for title, frame in film),
                ]
            )
        return "\n".join(
            [
                "Three classes, one drawing each: A is a cup, B a cup with a bar standing in it, C "
                "two level bars and an upright one. The query is B, drawn stroke by stroke: half "
                "of the cup, the other half, the bar. Below it each learner's probabilities as "
                "bars.",
                *(
                    f"After {words.count(number, 'stroke')}: {answers_in_words(frame)}"
                    for number, (_, frame) in enumerate(film, 1)
                ),
            ]
        )

    def _own(self) -> dict[str, Characters]:
        return {"images": next(iter(self.model.examples.values()))}

    def _film(self) -> list[tuple[str, DrawFrame]]:
        """What the signs show after each stroke of the query; or, filled, a query of each class."""
        learners, frames = self.model.learners, []
        if self.model.filled:
            model = DrawModel(learners, self._own(), filled=True)
            for way in range(model.num_ways):
                model.draw_query_like(way)
                frames.append((f"another {model.class_name(way)}", model.frame()))
            return frames
        model = DrawModel(learners, {"glyphs": Glyphs(1, MAX_WAYS, 2)})  # of which none is drawn
        _draw_the_signs(model)
        for number, stroke in enumerate(EXAMPLE_QUERY, 1):
            model.add_stroke(QUERY, stroke)
            frames.append((f"the query after {words.count(number, 'stroke')}", model.frame()))
        return frames


def _draw_the_signs(model: DrawModel) -> None:
    model.clear_all()
    for way, strokes in enumerate(EXAMPLE_CLASSES):
        for stroke in strokes:
            model.add_stroke(way, stroke)


def _pad(number: int, sheet: Sheet) -> Pad:
    letter = "?" if number == QUERY else LETTERS[number]
    heading = "Query" if number == QUERY else f"Class {letter}"
    what = "an example" if sheet.example else words.count(len(sheet.strokes), "stroke")
    return Pad(
        f"pad {number}",
        heading,
        letter=letter,
        color="ink" if number == QUERY else CLASS_COLORS[number],
        size=180 if number == QUERY else 140,
        strokes=[stroke.round(4).tolist() for stroke in sheet.strokes],
        example=pixels(sheet.example.image) if sheet.example else None,
        description=[f"{heading}: {what if sheet.has_ink else 'no ink'}"],
    )


def _seen(frame: DrawFrame) -> Panel:
    """The query as the learners see it."""
    return Panel(
        "seen",
        Axis(-1, 1),
        Axis(-1, 1),
        (Images("query", [0], [0], pixels(frame.query[None]), wide=1.7, tall=1.7),),
        title="as they see it",
        alt="the query as the learners see it",
        width=150,
        height=180,
        square=True,
        bare=True,
    )


def _answers(frame: DrawFrame, name: str) -> Panel:
    """One learner's answer: for each class its drawing and its probability, as bar and number."""
    num_ways, answer = len(frame.images), frame.answers.get(name)
    places, colors = np.arange(num_ways)[::-1], CLASS_COLORS[:num_ways]
    says = "no answer yet" if answer is None else f"says {LETTERS[answer.choice]}"
    bars, nearest = {}, ()
    if answer is not None:
        bars = {
            "x": answer.probabilities,
            "y": places,
            "colors": colors,
            "texts": list(map(words.percent, answer.probabilities)),
        }
        nearest = ([-0.22], [places[answer.nearest]])
    return Panel(
        f"answers {name}",
        Axis(-0.45, 1.35, ticks=()),
        top_down(LETTERS[:num_ways]),
        (
            Images(f"{name} drawings", [-0.22] * num_ways, places, pixels(frame.images),
                   colors=colors, wide=0.28, tall=0.86, link="class"),
            Boxes(f"{name} nearest", *nearest, edges=["ink"] * len(nearest[:1]), wide=0.32,
                  tall=0.96, texts=["the nearest drawing"] * len(nearest[:1])),
            Bars(f"{name} bars", **bars, label="probability", listed=False, flat=True,
                 link="class"),
        ),
        title=f"{name}: {says}",
        alt=f"{name}: probabilities of the classes; a square marks the nearest drawing",
        width=400,
        height=230,
        grid=False,
    )  # fmt: skip
