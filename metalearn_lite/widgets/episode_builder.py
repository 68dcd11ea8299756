"""The episode builder: choose ways, shots and queries, and see the episode and who sees what of it.

`EpisodeModel` is plain Python: a request in; drawings, labels and sentences out. `EpisodeBuilder`
shows it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from metalearn_lite.tasks.characters import Characters
from metalearn_lite.widgets import words
from metalearn_lite.widgets.drawings import CLASS_COLOURS, INK, ink_on, pale
from metalearn_lite.widgets.layout import row, still_figure
from metalearn_lite.widgets.picture import BLACK, FONT_SIZE, GREY, Picture, Sentence, new_figure

SMALL_PRINT = "margin: 0; line-height: 1.5; font-size: 13.5px; color: var(--jp-ui-font-color2)"
MAX_WAYS, MAX_SHOTS, MAX_QUERIES = 30, 10, 15
NAMED_WAYS = 10  # more names than these nobody reads
EMPTY = "#ededed"
MAX_SIDE = 110  # pixels: a drawing has 28, and larger ones look no better

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

    Attributes:
        split, num_ways, num_shots, num_queries, within_alphabet: the request. Change them and ask
            for the next ``frame``. The same request gives the same episode until ``draw_again``.
        watcher: who looks, a key of ``WATCHERS``.

    Raises:
        ValueError: a split has another name than those, or there is none.
    """

    def __init__(self, splits: Mapping[str, Characters], generator: torch.Generator):
        if not splits or set(splits) - set(USES):
            raise ValueError(
                f"splits are named {', '.join(splits) or 'not at all'}: "
                f"choose one or more of {', '.join(USES)}"
            )
        self.splits = dict(splits)
        self.split = next(iter(splits))
        self.num_ways, self.num_shots, self.num_queries = 5, 1, 3
        self.within_alphabet = False
        self.watcher = "all of it"
        self._generator = generator
        self._sampled_for: tuple | None = None
        self._names: dict[str, dict[bytes, str]] = {}
        self.draw_again()

    def draw_again(self) -> None:
        """Another episode of the same kind."""
        self._seed = int(torch.randint(2**40, (), generator=self._generator))

    def frame(self, watcher: str | None = None) -> EpisodeFrame:
        """What ``watcher`` sees of the episode. For an impossible request: nothing but why."""
        watcher = self.watcher if watcher is None else watcher
        try:
            self._sample()
        except ValueError as fault:
            nothing = Half(0, None, None, 1)
            return EpisodeFrame(nothing, nothing, f"Impossible: {fault}", self._how_many_tasks())
        sees = WATCHERS[watcher]
        halves = [
            Half(
                len(labels),
                images if sees_images else None,
                labels if sees_labels else None,
                group,
            )
            for (images, labels), sees_images, sees_labels, group in zip(
                (self._support, self._query),
                sees[::2],
                sees[1::2],
                (self.num_shots, 1),
                strict=True,
            )
        ]
        return EpisodeFrame(*halves, self._sentence(watcher), self._small_print())

    def _sample(self) -> None:
        """The episode of this request, unless it is the one at hand."""
        request = (self.split, self.num_ways, self.num_shots, self.num_queries)
        request = (*request, self.within_alphabet, self._seed)
        if request == self._sampled_for:
            return
        generator = torch.Generator().manual_seed(self._seed)
        support, query = self.splits[self.split].sample(
            1,
            self.num_ways,
            self.num_shots,
            self.num_queries,
            generator,
            within_alphabet=self.within_alphabet,
        )
        # The sampler gives the queries in class order, which would give their labels away.
        mixed = torch.randperm(query.y.shape[1], generator=generator)
        self._support = support.x[0, :, 0].numpy(), support.y[0].numpy()
        self._query = query.x[0, mixed, 0].numpy(), query.y[0, mixed].numpy()
        self._classes = [self._name(image) for image in self._support[0][:: self.num_shots]]
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
        named = [f"{label} is {name}" for label, name in enumerate(self._classes[:NAMED_WAYS])]
        more = len(self._classes) - len(named)
        return (
            f"In this episode {', '.join(named)}{f', and {more} more' * bool(more)}. "
            f"{self._how_many_tasks()}"
        )


def _many(count: int) -> str:
    return f"{count:,}" if count < 10**9 else f"about 10^{math.floor(math.log10(count))}"


# The view


class EpisodeBuilder(widgets.VBox):
    """The builder: the request's controls, who looks, and the episode as a picture.

    Args: as for `EpisodeModel`.
    """

    def __init__(self, splits: Mapping[str, Characters], generator: torch.Generator):
        self.model = model = EpisodeModel(splits, generator)
        figure = new_figure(7.8, 3.9)
        self._sheets = [
            Sheet(axes, title)
            for axes, title in zip(figure.subplots(1, 2), ("support", "query"), strict=True)
        ]
        self.picture = Picture(figure, self._sheets)
        self.sentence, self.small_print = Sentence(), widgets.HTML()

        self.split = _choice("from which split", list(model.splits))
        self.watcher = _choice("as seen by", list(WATCHERS))
        self.num_ways = _slider("ways", model.num_ways, 2, MAX_WAYS)
        self.num_shots = _slider("shots", model.num_shots, 1, MAX_SHOTS)
        self.num_queries = _slider("queries", model.num_queries, 1, MAX_QUERIES)
        self.within_alphabet = widgets.Checkbox(False, description="one alphabet", indent=False)
        self.within_alphabet.layout = widgets.Layout(width="130px", margin="0 0 0 16px")
        names = ("split", "watcher", "num_ways", "num_shots", "num_queries", "within_alphabet")
        for name in names:
            getattr(self, name).observe(lambda change: self._set(change["owner"]), "value")
        self._named = {getattr(self, name): name for name in names}
        self.again = widgets.Button(description="New episode", icon="refresh")
        self.again.layout = widgets.Layout(width="auto", margin="0 0 0 16px")
        self.again.on_click(lambda _: (model.draw_again(), self.show()))
        super().__init__(
            [
                row(_label("split"), self.split, self.within_alphabet),
                row(self.num_ways, self.num_shots, self.num_queries),
                row(_label("seen by"), self.watcher, self.again),
                self.picture,
                self.sentence,
                self.small_print,
            ]
        )
        self.show()

    def show(self) -> None:
        """Brings the picture and the sentences up to the model's state."""
        frame = self.model.frame()
        for sheet, half in zip(self._sheets, (frame.support, frame.query), strict=True):
            sheet.show(half)
        self.picture.refresh(alt=f"An episode's support and query. {frame.sentence}")
        self.sentence.text = frame.sentence
        self.small_print.value = f"<p style='{SMALL_PRINT}'>{frame.small_print}</p>"

    def filmstrip(self) -> Figure:
        """The episode as each of the watchers sees it, side by side, as a figure that stays."""
        figure = still_figure(2.5 * len(WATCHERS), 4.6)
        grid = figure.subplots(2, len(WATCHERS))
        for watcher, axes in zip(WATCHERS, grid.T, strict=True):
            frame = self.model.frame(watcher)
            says = watcher if watcher == "all of it" else f"seen by {watcher}"
            Sheet(axes[0], f"{says}\n\nsupport").show(frame.support)
            Sheet(axes[1], "query").show(frame.query)
        return figure

    def description(self) -> str:
        """The text alternative of ``filmstrip``."""
        frames = [self.model.frame(watcher) for watcher in WATCHERS]
        return "\n".join([frames[0].small_print, *(frame.sentence for frame in frames)])

    def _set(self, control: widgets.Widget) -> None:
        setattr(self.model, self._named[control], control.value)
        self.show()

    def __repr__(self) -> str:
        return f"EpisodeBuilder({self.sentence.text!r})"


def _slider(name: str, value: int, least: int, most: int) -> widgets.IntSlider:
    slider = widgets.IntSlider(value, least, most, description=name)
    slider.layout.width = "245px"
    slider.style.description_width = "60px"
    return slider


def _label(text: str) -> widgets.Label:
    return widgets.Label(text, layout={"width": "60px", "justify_content": "flex-end"})


def _choice(what: str, options: list[str]) -> widgets.ToggleButtons:
    tooltips = [f"{what}: {option}" for option in options]
    buttons = widgets.ToggleButtons(options=options, tooltips=tooltips)
    buttons.style.button_width = "auto"
    buttons.layout.width = "auto"
    return buttons


class Sheet(Artist):
    """Cells in rows that fill ``axes`` as large as they fit: a drawing, and its label on a chip."""

    def __init__(self, axes: Axes, title: str):
        super().__init__()
        axes.set_axis_off()
        axes.set_title(title, fontsize=FONT_SIZE)
        axes.add_artist(self)
        self._half = Half(0, None, None, 1)

    def show(self, half: Half) -> None:
        """Draws ``half`` from the next refresh on."""
        self._half = half

    def draw(self, renderer) -> None:
        if not self._half.count:
            return
        box = self.axes.bbox
        page = paint(self._half, int(box.width), int(box.height))
        context = renderer.new_gc()
        left = box.x0 + (box.width - page.shape[1]) / 2
        renderer.draw_image(context, round(left), round(box.y1 - page.shape[0]), page[::-1])
        context.restore()


def paint(half: Half, width: int, height: int) -> np.ndarray:
    """``half`` as pixels ``(at most height, at most width, 4)`` uint8. All cells at once."""
    columns, side = best_grid(half.count, half.group, width, height)
    num_rows = -(-half.count // columns)
    gap, chip = max(1, side // 24), max(7, round(0.34 * side))
    drawing = side - gap - chip // 2
    page = np.full((num_rows * columns, side, side, 4), 255, np.uint8)
    cells = page[: half.count, : side - gap, : side - gap]
    if half.labels is None:
        cells[..., :3], ink = _rgb(EMPTY), _rgb(BLACK)
    else:
        colours = np.array([_rgb(colour) for colour in CLASS_COLOURS])
        tints = np.array([_rgb(pale(colour)) for colour in CLASS_COLOURS])
        of_class = half.labels % len(CLASS_COLOURS)
        cells[..., :3] = tints[of_class, None, None]
        ink = (colours[of_class, None, None] * INK).astype(np.uint8)
    if half.images is not None:
        covered = _enlarged(half.images, drawing)[..., None].astype(np.uint16)
        corner = cells[:, -drawing:, -drawing:, :3]
        corner[:] = (corner * (255 - covered) + ink * covered) // 255
    if half.labels is not None:
        chips = np.array([_chip(str(label), chip) for label in range(half.labels.max() + 1)])
        cells[:, :chip, :chip] = chips[half.labels]
    elif half.images is not None:
        cells[:, :chip, :chip] = _chip("?", chip)
    rows = page.reshape(num_rows, columns, side, side, 4).swapaxes(1, 2)
    return rows.reshape(num_rows * side, columns * side, 4)


def _enlarged(images: np.ndarray, side: int) -> np.ndarray:
    """``images`` ``(N, H, W)`` in 0 … 1 as ``(N, side, side)`` uint8, in one go."""
    tower = Image.fromarray(np.uint8(images.reshape(-1, images.shape[2]) * 255))
    return np.asarray(tower.resize((side, side * len(images)))).reshape(-1, side, side)


def best_grid(count: int, group: int, width: int, height: int) -> tuple[int, int]:
    """How many square cells to put side by side, whole groups of them, and the side in pixels.

    Of the grids whose cells are nearly as large as can be, the one with the fewest empty cells.
    """

    def side(columns: int) -> int:
        return min(width // columns, height // -(-count // columns), MAX_SIDE)

    sides = {columns: side(columns) for columns in range(group, count + group, group)}
    large = [columns for columns in sides if sides[columns] >= 0.8 * max(sides.values())]
    best = min(large, key=lambda columns: (-count % columns, -sides[columns]))
    return best, sides[best]


@cache
def _chip(text: str, side: int) -> np.ndarray:
    """A square with ``text`` on it, ``(side, side, 4)``: a label on its class's colour, or "?"."""
    colour = CLASS_COLOURS[int(text) % len(CLASS_COLOURS)] if text != "?" else GREY
    chip = Image.new("RGBA", (side, side), (*_rgb(colour).tolist(), 255))
    font = ImageFont.load_default(size=max(6, round((0.8 if len(text) == 1 else 0.7) * side)))
    middle = (side / 2, side / 2)
    ImageDraw.Draw(chip).text(middle, text, fill=ink_on(colour), font=font, anchor="mm")
    return np.asarray(chip)


def _rgb(colour) -> np.ndarray:
    return np.round(255 * np.array(to_rgb(colour))).astype(np.uint8)
