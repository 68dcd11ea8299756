"""The episode builder: choose ways, shots and queries, and see the episode and who sees what of it.

`EpisodeModel` is plain Python: a request in; drawings, labels and sentences out. `EpisodeBuilder`
shows it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch

from metalearn_lite import checks
from metalearn_lite.tasks.characters import Characters
from metalearn_lite.widgets import words
from metalearn_lite.widgets.drawings import CLASS_COLORS, TINT, board, pixels
from metalearn_lite.widgets.kit import (
    Boxes,
    Button,
    Choice,
    Images,
    Live,
    Panel,
    Scene,
    Slider,
    Switch,
    Texts,
    Try,
    still,
)
from metalearn_lite.widgets.kit.scene import Mark

MAX_WAYS, MAX_SHOTS, MAX_QUERIES = 30, 10, 15
NAMED_WAYS = 10  # more names than these nobody reads

# Who sees what: drawings and labels of the support, drawings and labels of the query.
WATCHERS = {
    "all of it": (True, True, True, True),
    "adapt": (True, True, False, False),
    "predict": (False, False, True, False),
    "the score": (False, False, False, True),
}
USES = {
    "meta-training": "Training may then change the start, so that this query's loss falls.",
    "meta-validation": "Its score may choose a setting, such as a step's length. No weight moves.",
    "meta-test": "Its score is reported. Nothing may be learned from it or chosen by it.",
}
FIRST = {"num_ways": 5, "num_shots": 1, "num_queries": 3, "within_alphabet": False}
FIRST |= {"watcher": "all of it"}


class Half(NamedTuple):
    """The support or the query as one watcher sees it. What is hidden is None."""

    count: int
    images: np.ndarray | None
    """``(count, 28, 28)`` in 0 … 1, ink 1"""
    labels: np.ndarray | None
    """``(count,)``"""
    group: int
    """so many neighbours stay side by side: a class's shots"""


class EpisodeFrame(NamedTuple):
    """All that one picture shows."""

    support: Half
    query: Half
    sentence: str
    small_print: str


class EpisodeModel:
    """One episode of one task, as asked for.

    Args:
        splits: by name, the characters to sample from: "meta-training", "meta-validation",
            "meta-test".
        generator: where episodes come from.
        split, num_ways, num_shots, num_queries, within_alphabet: the request. Change them and ask
            for the next ``frame``. The same request gives the same episode until ``draw_again``.
        watcher: who looks, a key of ``WATCHERS``.
        seed: of the first episode, to see it again; by default the generator's.

    Raises:
        ValueError: a split has another name than those, or there is none; or there is no such
            ``split`` or ``watcher``.
    """

    def __init__(
        self,
        splits: Mapping[str, Characters],
        generator: torch.Generator,
        *,
        split: str | None = None,
        num_ways: int = 5,
        num_shots: int = 1,
        num_queries: int = 3,
        within_alphabet: bool = False,
        watcher: str = "all of it",
        seed: int | None = None,
    ):
        if not splits or set(splits) - set(USES):
            raise ValueError(
                f"splits are named {', '.join(splits) or 'not at all'}: "
                f"choose one or more of {', '.join(USES)}"
            )
        self.splits = dict(splits)
        self.split = next(iter(splits)) if split is None else split
        checks.choice(list(splits), split=self.split)
        checks.choice(list(WATCHERS), watcher=watcher)
        self.num_ways, self.num_shots, self.num_queries = num_ways, num_shots, num_queries
        self.within_alphabet, self.watcher = within_alphabet, watcher
        self._generator = generator
        self._sampled_for: tuple | None = None
        self._names: dict[str, dict[bytes, str]] = {}
        self.seed = self._draw() if seed is None else seed

    def draw_again(self) -> None:
        """Another episode of the same kind."""
        self.seed = self._draw()

    def _draw(self) -> int:
        return int(torch.randint(2**20, (), generator=self._generator))

    def frame(self, watcher: str | None = None) -> EpisodeFrame:
        """What ``watcher`` sees of the episode. For an impossible request: nothing but why."""
        watcher = self.watcher if watcher is None else watcher
        try:
            self._sample()
        except ValueError as fault:
            nothing = Half(0, None, None, 1)
            return EpisodeFrame(nothing, nothing, f"Impossible: {fault}", self._how_many_tasks())
        parts = (*self._support, *self._query)
        seen = [part if sees else None for part, sees in zip(parts, WATCHERS[watcher], strict=True)]
        support = Half(len(parts[1]), *seen[:2], self.num_shots)
        query = Half(len(parts[3]), *seen[2:], 1)
        return EpisodeFrame(support, query, self._sentence(watcher), self._small_print())

    def _sample(self) -> None:
        """The episode of this request, unless it is the one at hand."""
        sizes = (self.num_ways, self.num_shots, self.num_queries)
        request = (self.split, *sizes, self.within_alphabet, self.seed)
        if request == self._sampled_for:
            return
        generator = torch.Generator().manual_seed(self.seed)
        characters = self.splits[self.split]
        support, query = characters.sample(1, *sizes, generator, self.within_alphabet)
        # The sampler gives the queries in class order, which would give their labels away.
        mixed = torch.randperm(query.y.shape[1], generator=generator)
        self._support = support.x[0, :, 0].numpy(), support.y[0].numpy()
        self._query = query.x[0, mixed, 0].numpy(), query.y[0, mixed].numpy()
        self.classes = [self._name(image) for image in self._support[0][:: self.num_shots]]
        self._sampled_for = request

    def _name(self, image: np.ndarray) -> str:
        """Which character a drawing is of. The sampler does not tell, as learners may not know."""
        if self.split not in self._names:
            characters = self.splits[self.split]
            self._names[self.split] = {
                drawing.tobytes(): f"{alphabet} {name}".replace("character", "").replace("_", " ")
                for drawings, alphabet, name in zip(
                    characters.images.numpy(), characters.alphabets, characters.names, strict=True
                )
                for drawing in drawings
            }
        return self._names[self.split][np.round(image * 255).astype(np.uint8).tobytes()]

    def num_tasks(self) -> int:
        """How many different sets of characters the request can draw."""
        characters = self.splits[self.split]
        sizes = characters.alphabet_sizes.values() if self.within_alphabet else [len(characters)]
        return sum(math.comb(size, self.num_ways) for size in sizes)

    def _how_many_tasks(self) -> str:
        characters, count = self.splits[self.split], self.num_tasks()
        return (
            f"{self.split} has {len(characters)} characters of {len(characters.alphabet_sizes)} "
            f"alphabet{'s' * (len(characters.alphabet_sizes) > 1)}. "
            f"They make {_many(count)} different {self.num_ways}-way tasks"
            f"{' within an alphabet' * self.within_alphabet}. {USES[self.split]}"
        )

    def _sentence(self, watcher: str) -> str:
        num_support, num_query = (len(half[1]) for half in (self._support, self._query))
        support, query = (words.count(number, "drawing") for number in (num_support, num_query))
        seen = {
            "all of it": f"support {support}, query {query}, all with their labels",
            "adapt": f"adapt sees {support} with their labels, and nothing of the query",
            "predict": (
                f"predict sees {query} without labels, and of the support "
                "only what adapt made of it"
            ),
            "the score": (
                f"the score sees {words.count(num_query, 'label')} and the answers, and no drawing"
            ),
        }
        kind = f"{self.num_ways}-way {self.num_shots}-shot, {self.split}"
        return f"{kind}{', one alphabet' * self.within_alphabet}: {seen[watcher]}."

    def _small_print(self) -> str:
        named = [f"{label} is {name}" for label, name in enumerate(self.classes[:NAMED_WAYS])]
        more = len(self.classes) - len(named)
        return (
            f"In this episode {', '.join(named)}{f', and {more} more' * bool(more)}. "
            f"{self._how_many_tasks()}"
        )


def _many(count: int) -> str:
    return f"{count:,}" if count < 10**9 else f"about 10^{math.floor(math.log10(count))}"


# The view

WIDTH, HEIGHT = 420, 252
MAX_SIDE = 84  # CSS pixels: a drawing has 28, and larger ones look no better
ROOM, ROOM_ALONE = 26, 18  # CSS pixels of a cell that has room for a number

TRIES = (
    Try(
        "What predict sees",
        "The queries are mixed. Why must they not come class by class?",
        values=FIRST | {"watcher": "predict"},
    ),
    Try(
        "Twelve ways, one alphabet",
        "Which of them could you mix up? And how many such tasks are there?",
        values=FIRST | {"num_ways": 12, "within_alphabet": True, "watcher": "adapt"},
    ),
    Try(
        "More than there is",
        "30 ways, 10 shots and 15 queries: what is there too little of?",
        values={"num_ways": 30, "num_shots": 10, "num_queries": 15},
    ),
)


class EpisodeBuilder(Live):
    """An `EpisodeModel` in the page: the request's controls, who looks, and the episode.

    Args and errors: as for `EpisodeModel`.
    """

    def __init__(
        self, splits: Mapping[str, Characters], generator: torch.Generator, **request: Any
    ):
        super().__init__(EpisodeModel(splits, generator, **request))

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        # Their names would tell more than the others know.
        names = model.classes if model.watcher == "all of it" else []
        asked = {name: getattr(model, name) for name in ("split", *FIRST, "seed")}
        other = [f"{name}={value!r}" for name, value in asked.items() if FIRST.get(name) != value]
        return Scene(
            (_half("support", frame.support, names), _half("query", frame.query, names)),
            (
                Choice("split", "split", model.split, tuple(model.splits)),
                Switch("within_alphabet", "one alphabet", model.within_alphabet),
                Slider("num_ways", "ways", model.num_ways, 2, MAX_WAYS),
                Slider("num_shots", "shots", model.num_shots, 1, MAX_SHOTS),
                Slider("num_queries", "queries", model.num_queries, 1, MAX_QUERIES),
                Choice("watcher", "seen by", model.watcher, tuple(WATCHERS)),
                Button("draw_again", "New episode"),
            ),
            TRIES,
            sentence=frame.sentence,
            note=frame.small_print,
            code=f"EpisodeBuilder(splits, generator, {', '.join(other)})",
        )

    def filmstrip(self) -> still.Figure:
        """The episode as each of the watchers sees it, side by side, as a figure that stays."""
        titles = [name if name == "all of it" else f"seen by {name}" for name in WATCHERS]
        scenes = [
            replace(scene, panels=tuple(map(_cropped, scene.panels)))
            for scene in self.scenes_at("watcher", list(WATCHERS))
        ]
        return still.strip(scenes, titles)

    def description(self) -> str:
        """The text alternative of ``filmstrip``."""
        frames = [self.model.frame(watcher) for watcher in WATCHERS]
        return "\n".join([frames[0].small_print, *(frame.sentence for frame in frames)])


def _half(key: str, half: Half, names: Sequence[str]) -> Panel:
    """Cells in rows, as large as they fit: each drawing in its class's colour, with its number.

    Where the colours begin again frames are dashed, and then missing.
    """
    count, number = half.count, len(CLASS_COLORS)
    columns, side = best_grid(count, half.group, WIDTH, HEIGHT) if count else (1, 1)
    row, column = np.divmod(np.arange(count), columns)
    x = (WIDTH - columns * side) / 2 + side * (column + 0.5)
    y = HEIGHT - side * (row + 0.5)
    size = {"wide": 0.92 * side, "tall": 0.92 * side}
    labels = [] if half.labels is None else half.labels.tolist()
    colors = [CLASS_COLORS[label % number] for label in labels]
    said = [f"label {label}" for label in labels] or ["no label to be seen"] * count
    if names:
        said = [f"{text}: {names[label]}" for text, label in zip(said, labels, strict=True)]
    tints = colors or ["gray"] * count
    marks: list[Mark] = [Boxes(f"{key} cards", x, y, fills=tints, texts=said, opacity=TINT, **size)]
    if labels:
        edges = [colors[i] if label < 2 * number else "" for i, label in enumerate(labels)]
        dashed = [label >= number for label in labels]
        marks.append(Boxes(f"{key} frames", x, y, edges=edges, dashed=dashed, **size))
    numbers = [str(label) for label in labels]
    corner = 0.0
    if half.images is not None:
        # A number stands in the corner, and the drawing a little aside.
        numbers = numbers or ["?"] * count
        corner = 0.46 * side - 4
        aside = 4 if side >= ROOM else 0
        size = {"wide": 0.92 * side - 2 * aside, "tall": 0.92 * side - 2 * aside}
        drawn = pixels(half.images)
        marks.append(Images(f"{key} drawings", x + aside, y - aside, drawn, colors=colors, **size))
    if numbers and side >= (ROOM if corner else ROOM_ALONE):
        places = x - corner, y + max(0, corner - 7)
        anchor = "start" if corner else "middle"
        marks.append(Texts(f"{key} numbers", *places, numbers, bold=True, anchor=anchor))
    alt = f"the {key} in rows, drawings and labels"
    return board(key, WIDTH, HEIGHT, marks, title=key, alt=alt)


def _cropped(half: Panel) -> Panel:
    """Without the room for more rows of cells."""
    cells = half.marks[0]
    low = min(cells.y) - cells.tall / 1.84 if len(cells.y) else 0
    return replace(half, y=replace(half.y, low=low), height=round(HEIGHT - low))


def best_grid(count: int, group: int, width: int, height: int) -> tuple[int, int]:
    """How many square cells to put side by side, whole groups of them, and the side in pixels.

    Of the grids whose cells are nearly as large as can be, the one with the fewest empty cells.
    """

    def side(columns: int) -> int:
        return min(width // columns, height // -(-count // columns), MAX_SIDE)

    sides = {columns: side(columns) for columns in range(group, count + group, group)}
    large = [columns for columns in sides if sides[columns] >= 0.9 * max(sides.values())]
    best = min(large, key=lambda columns: (-count % columns, -sides[columns]))
    return best, sides[best]
