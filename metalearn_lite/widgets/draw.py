"""Draw your own: a few classes and a query from your hand, answered after every stroke.

`DrawModel` is plain Python: strokes and wishes in; images, answers and sentences out.
`DrawYourOwn` shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from string import ascii_uppercase as LETTERS
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.characters.character_set import IMAGE_SIZE, Characters
from metalearn_lite.tasks.characters.pens import PEN_WIDTH, pen_ink
from metalearn_lite.widgets import words
from metalearn_lite.widgets.drawings import (
    CLASS_COLOURS,
    Drawings,
    class_letter,
    class_mark,
    ink_on,
)
from metalearn_lite.widgets.layout import row, shrinking, still_figure
from metalearn_lite.widgets.pad import Pad
from metalearn_lite.widgets.picture import (
    BLACK,
    FONT_SIZE,
    Picture,
    Sentence,
    new_figure,
)

MIN_WAYS, MAX_WAYS = 2, 5
QUERY = MAX_WAYS  # the number of the query's sheet, after those of the classes
LONGER_SIDE = 17.0  # pixels, of the pen's way: what the median character of Omniglot has
SMALLEST = 0.15  # of the pad's side: a smaller drawing is not enlarged more, so a dot stays a dot
BARS_LEGEND = "bars: probability · square: the drawing nearest to the query"
SMALL_PRINT = "margin: 0; line-height: 1.4; font-size: 13.5px; color: var(--jp-ui-font-color2)"

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
            stroke = np.array(points, dtype=np.float32).reshape(-1, 2)
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

    Args:
        strokes: each ``(P, 2)``, points (x, y) from 0 to 1, from the top left.
    """
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    scale = LONGER_SIDE / max((high - low).max(), SMALLEST)
    ways = [(stroke - (low + high) / 2) * scale + IMAGE_SIZE / 2 for stroke in strokes]
    lengths = [np.linalg.norm(np.diff(way, axis=0), axis=1).sum() for way in ways]
    marks = 2 + int(2 * max(lengths))  # half a pixel apart or less
    even = np.stack([_evenly(way, max(marks, 4)) for way in ways])
    ink = pen_ink(torch.from_numpy(even).float().unsqueeze(1))
    return ink.sum((0, 1)).clamp(max=1).numpy()


def _evenly(way: np.ndarray, marks: int) -> np.ndarray:
    """``marks`` points evenly along ``way`` ``(P, 2)`` of pixels; a dot becomes a short dash."""
    walked = np.concatenate([[0], np.linalg.norm(np.diff(way, axis=0), axis=1).cumsum()])
    if walked[-1] < PEN_WIDTH:
        way = way.mean(0) + np.array([(-PEN_WIDTH / 2, 0), (PEN_WIDTH / 2, 0)])
        walked = np.array([0, PEN_WIDTH])
    wanted = np.linspace(0, walked[-1], marks)
    return np.stack([np.interp(wanted, walked, coordinate) for coordinate in way.T], 1)


# The view


class DrawYourOwn(widgets.VBox):
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
        self.model = DrawModel(learners, examples, seed, filled)
        self.pads = [self._pad(sheet) for sheet in range(MAX_WAYS + 1)]
        figure = new_figure(6.3, 3.0)
        figure.set_layout_engine("none")  # it would give the narrow column no room
        figure.text(0.16, 0.01, BARS_LEGEND, fontsize=FONT_SIZE - 1)
        self._seen = _Seen(figure.add_axes((0, 0.25, 0.13, 0.5)), "as they\nsee it")
        width = 0.84 / len(learners)
        self._bars = [
            _Bars(figure.add_axes((0.16 + place * width, 0.09, width - 0.02, 0.81)), name)
            for place, name in enumerate(learners)
        ]
        moving = [artist for part in (self._seen, *self._bars) for artist in part.moving]
        self.answers = Picture(figure, moving)
        self.sentence, self.caveat = Sentence(), widgets.HTML()
        classes = row(*self.pads[:QUERY])
        classes.layout.grid_gap = "8px"
        asking = row(self.pads[QUERY], shrinking(self.answers, 420))
        asking.layout.grid_gap = "8px"
        super().__init__([*self._controls(), self.sentence, classes, asking, self.caveat])
        self._show()

    def filmstrip(self) -> Figure:
        """Three classes and a query of three strokes, and the answers after each of them.

        If it began filled: the classes that it began with, and a query of each.
        """
        return filmstrip(self.model.learners, self._own)

    def description(self) -> str:
        """The text alternative of `filmstrip`."""
        return description(self.model.learners, self._own)

    @property
    def _own(self) -> Characters | None:
        return next(iter(self.model.examples.values())) if self.model.filled else None

    def _pad(self, sheet: int) -> Pad:
        letter, colour = (
            ("?", "#ffffff")
            if sheet == QUERY
            else (
                LETTERS[sheet],
                CLASS_COLOURS[sheet],
            )
        )
        return Pad(
            "Query" if sheet == QUERY else f"Class {letter}",
            letter,
            (colour, ink_on(colour)),
            180 if sheet == QUERY else 140,
            lambda what, points: self._do(sheet, what, points),
        )

    def _controls(self) -> list[widgets.Widget]:
        model = self.model
        self.ways = widgets.IntSlider(model.num_ways, MIN_WAYS, MAX_WAYS, description="classes")
        self.source = widgets.Dropdown(options=list(model.examples), description="examples from")
        self.ways.style.description_width, self.ways.layout.width = "56px", "230px"
        self.source.style.description_width, self.source.layout.width = "104px", "260px"
        self.all_examples = widgets.Button(description="Examples for all", icon="magic")
        self.clear_all = widgets.Button(description="Clear all", icon="trash")
        self.clear_all.layout.width = "110px"
        self.ways.observe(lambda change: self._try(model.set_num_ways, change.new), "value")
        self.source.observe(lambda change: setattr(model, "source", change.new), "value")
        self.all_examples.on_click(lambda _: self._try(model.draw_all_examples))
        self.clear_all.on_click(lambda _: self._try(model.clear_all))
        return [row(self.ways, self.source, self.all_examples, self.clear_all)]

    def _do(self, sheet: int, what: str, points: list) -> None:
        """What was done to a pad."""
        model = self.model
        if what == "stroke":
            self._try(model.add_stroke, sheet, points)
        else:
            deeds = {"undo": model.undo, "clear": model.clear, "example": model.draw_example}
            self._try(deeds[what], sheet)

    def _try(self, deed, *of) -> None:
        """Does it; where it cannot be done, a sentence says why."""
        try:
            deed(*of)
        except ValueError as refusal:
            self.sentence.text = str(refusal)
        else:
            self._show()

    def _show(self) -> None:
        model = self.model
        frame = model.frame()
        for place, (pad, sheet) in enumerate(zip(self.pads, model.sheets, strict=True)):
            pad.layout.display = None if place < model.num_ways or place == QUERY else "none"
            strokes = [stroke.tolist() for stroke in sheet.strokes]
            pad.show(strokes, sheet.example.image if sheet.example else None)
        for part in (self._seen, *self._bars):
            part.show(frame)
        self.answers.refresh(alt=f"Probabilities as bars. {answers_in_words(frame)}")
        self.sentence.text = model.sentence(frame)
        said = " ".join(filter(None, (escape(model.names()), caveat(frame))))
        self.caveat.value = f"<p style='{SMALL_PRINT}'>{said}</p>"

    def __repr__(self) -> str:
        return f"DrawYourOwn({self.sentence.text!r})"


def filmstrip(learners: dict[str, Learner], own: Characters | None = None) -> Figure:
    """As `DrawYourOwn.filmstrip`, of examples from ``own`` if it is given."""
    frames = _film(learners, own)
    figure = still_figure(2.9 * len(frames), 1.1 + 1.6 * len(learners))
    ratios = (0.6, *[1] * len(learners))
    grid = figure.subplots(1 + len(learners), len(frames), height_ratios=ratios, squeeze=False)
    for column, (title, frame) in zip(grid.T, frames, strict=True):
        _Seen(column[0]).show(frame)
        column[0].set_title(title, fontsize=FONT_SIZE)
        for axes, name in zip(column[1:], learners, strict=True):
            _Bars(axes, name, len(frame.images)).show(frame)
    figure.supxlabel(BARS_LEGEND, fontsize=FONT_SIZE - 1)
    return figure


def description(learners: dict[str, Learner], own: Characters | None = None) -> str:
    """As `DrawYourOwn.description`."""
    frames = _film(learners, own)
    if own is not None:
        names = DrawModel(learners, {"images": own}, filled=True).names()
        return "\n".join(
            [
                f"{names} One drawing of each is given. Above stands a query, below it each "
                "learner's probabilities as bars.",
                *(f"{title.capitalize()}: {answers_in_words(frame)}" for title, frame in frames),
            ]
        )
    return "\n".join(
        [
            "Three classes, one drawing each: A is a cup, B a cup with a bar standing in it, C two "
            "level bars and an upright one. The query is B, drawn stroke by stroke: half of the "
            "cup, the other half, the bar. Below it each learner's probabilities as bars.",
            *(
                f"After {words.count(number, 'stroke')}: {answers_in_words(frame)}"
                for number, (_, frame) in enumerate(frames, 1)
            ),
        ]
    )


def _film(
    learners: dict[str, Learner], own: Characters | None = None
) -> list[tuple[str, DrawFrame]]:
    """What the example strokes show after each stroke of the query; or a query of each class."""
    if own is not None:
        model = DrawModel(learners, {"images": own}, filled=True)
        frames = []
        for way in range(model.num_ways):
            model.draw_query_like(way)
            frames.append((f"another {model.class_name(way)}", model.frame()))
        return frames
    model = DrawModel(learners, {"glyphs": Glyphs(1, MAX_WAYS, 2)})  # of which none is drawn
    for way, strokes in enumerate(EXAMPLE_CLASSES):
        for stroke in strokes:
            model.add_stroke(way, stroke)
    frames = []
    for number, stroke in enumerate(EXAMPLE_QUERY, 1):
        model.add_stroke(QUERY, stroke)
        frames.append((f"the query after {words.count(number, 'stroke')}", model.frame()))
    return frames


class _Seen:
    """The query as the learners see it."""

    def __init__(self, axes: Axes, caption: str = ""):
        axes.set(xlim=(-1, 1), ylim=(-1, 1))
        axes.axis("off")
        axes.text(0, -0.5, caption, ha="center", va="top", fontsize=FONT_SIZE - 1)
        self._query = Drawings(axes, 42)
        self._query.set_points(np.zeros((1, 2)))
        self._query.set_images(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE)))
        self.moving = [self._query]

    def show(self, frame: DrawFrame) -> None:
        self._query.set_images(frame.query[None])


class _Bars:
    """One learner's answer: for each class its drawing and its probability, as bar and number."""

    def __init__(self, axes: Axes, name: str, num_rows: int = MAX_WAYS):
        self._name, ways = name, np.arange(num_rows)
        axes.set(xlim=(-0.62, 1.4), ylim=(num_rows - 0.45, -0.55), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        # Not a title, whose place would depend on what it says.
        style = {"transform": axes.transAxes, "va": "bottom", "fontsize": FONT_SIZE}
        self._title = axes.text(0, 1.02, name, **style)
        self._bars = axes.barh(ways, np.zeros(num_rows), height=0.56)
        self._numbers = [axes.text(0, way, "", va="center", fontsize=FONT_SIZE) for way in ways]
        self._marks = [(class_mark(axes, way, 14), class_letter(axes, way, 6.5)) for way in ways]
        for way, bar in enumerate(self._bars):
            bar.set(facecolor=CLASS_COLOURS[way], edgecolor=BLACK)
        (self._nearest,) = axes.plot([], [], "s", color="none", markeredgecolor=BLACK)
        self._nearest.set(markersize=31, markeredgewidth=2, clip_on=False)
        self._drawings = Drawings(axes, 28)
        marks = [mark for pair in self._marks for mark in pair]
        self.moving = [
            *(self._title, *self._bars, *self._numbers, *marks, self._nearest, self._drawings)
        ]

    def show(self, frame: DrawFrame) -> None:
        num_ways, answer = len(frame.images), frame.answers.get(self._name)
        self._drawings.set_images(frame.images)
        self._drawings.set_points(np.stack([np.full(num_ways, -0.2), np.arange(num_ways)], 1))
        says = "no answer yet" if answer is None else f"says {LETTERS[answer.choice]}"
        self._title.set_text(f"{self._name}: {says}")
        rows = zip(self._bars, self._numbers, self._marks, strict=True)
        for way, (bar, number, marks) in enumerate(rows):
            for mark in marks:
                mark.set_data(*([-0.48], [way]) if way < num_ways else ([], []))
            known = answer is not None and way < num_ways
            probability = answer.probabilities[way] if known else 0
            chosen = known and way == answer.choice
            bar.set(width=probability, linewidth=2 if chosen else 0, alpha=1 if chosen else 0.45)
            number.set(x=probability + 0.03, weight="bold" if chosen else "normal")
            number.set_text(words.percent(probability) if known else "")
        self._nearest.set_data(*([-0.2], [answer.nearest]) if answer else ([], []))
