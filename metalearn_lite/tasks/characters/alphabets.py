"""Inventing the alphabets of Glyphs: characters of a few strokes, all in one style.

As in Lake et al. (2015), a character is a few pen strokes that start, end or cross on each other,
and an alphabet reuses strokes.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor

from metalearn_lite.tasks.characters.strokes import (
    Stroke,
    crowded,
    difference,
    distances_between,
    whole_track,
)

# A stroke visits points of a box, numbered like the keys of a telephone: 123 above 456 above 789.
# An alphabet mirrors, turns, rounds and stretches some of these: 7139 becomes its gate or its arch.
BARS = "28", "28", "17", "46", "46", "13", "19"
SHAPES = (
    *("179", "139", "129", "136", "284", "287"),  # corners and hooks
    *("7139", "3179", "3179", "1397", "1397", "4139", "1795"),  # arches, cups, bowls
    *("183", "1379", "7382", "1346", "72938", "17394"),  # wedges and zigzags
    *("217932", "13971", "317964", "463179", "284562"),  # rings and spirals
    *("314697", "3146971", "13465697", "174639"),  # waves
    *("3749", "31793", "71382", "274938"),  # loops that cross themselves
)
MIRRORED = "123456789", "321654987", "789456123", "987654321"
TURNED = "123456789", "123456789", "147258369"


class _Style:
    """What the characters of one alphabet have in common: habits, and strokes to choose from."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.width = min(max(rng.gauss(0.97, 0.12), 0.8), 1.25)  # of the box; its height is 1
        self.columns = 0.0, rng.uniform(0.4, 0.6) * self.width, self.width
        self.rows = 0.0, rng.uniform(0.35, 0.65), 1.0
        self.roundness = rng.betavariate(0.5, 0.5)  # some scripts are all corners, some all curves
        self.bow = 0.15 * rng.random() * self.roundness
        self.length = rng.uniform(2.8, 4.2)  # of all strokes of a character
        # How often a stroke is a bar, is one again, runs on into the next, or does not touch it.
        self.bars = rng.uniform(0.1, 0.7) * (1 - 0.8 * self.roundness)
        self.repeats = rng.uniform(0.0, 0.4)
        self.cursive = rng.random() ** 0.5 * self.roundness
        self.apart = 0.12 * rng.random() ** 3
        self.single = rng.uniform(0, 0.3)  # how many of the simpler strokes may stand alone
        # Many alphabets have a stem or a headline that most of their characters begin with.
        self.framed = rng.choice([0, 0, 0.4, 0.8, 0.9])
        self.frame = self.stretched((0, 2, 0, 2), rng.choice(["17", "28", "28", "39", "13", "13"]))
        self.straight = [self.stretched(self.box(), rng.choice(BARS)) for _ in range(8)]
        self.shapes = [self.new_shape() for _ in range(rng.randint(4, 8))]

    def new_shape(self) -> list[Stroke]:
        """A stroke with turns, stretched to different boxes."""
        rng = self.rng
        path = rng.choice(SHAPES)
        for keys in rng.choice(MIRRORED), rng.choice(TURNED):
            path = path.translate(str.maketrans("123456789", keys))
        sharpness = rng.uniform(0.67, 0.75) if rng.random() < self.roundness else 1.15
        closed = path[0] in (path[-1], path[-2])
        cuts = (0, 0) if closed else (rng.uniform(-0.1, 0.5), rng.uniform(-0.1, 0.5))
        boxes = [(0, 2, 0, 2), *(self.box() for _ in range(3))]
        return [self.stretched(box, path, sharpness, cuts) for box in boxes]

    def box(self) -> tuple[int, int, int, int]:
        """Left, right, top and bottom: the whole of the alphabet's box, a half or a quarter."""
        spans = (0, 1), (1, 2), (0, 2), (0, 2)
        return *self.rng.choice(spans), *self.rng.choice(spans)

    def stretched(
        self,
        box: tuple[int, int, int, int],
        path: str,
        sharpness: float = 1.0,
        cuts: tuple[float, float] = (0, 0),
    ) -> Stroke:
        left, right = self.columns[box[0]], self.columns[box[1]]
        top, bottom = self.rows[box[2]], self.rows[box[3]]
        steps = [divmod(int(key) - 1, 3) for key in path]
        points = torch.tensor(
            [(left + (right - left) * x / 2, top + (bottom - top) * y / 2) for y, x in steps]
        )
        if len(points) == 2:  # a hand may stray halfway too
            across = (points[1] - points[0]).flip(0) * torch.tensor([1.0, -1.0])
            middle = points.mean(0) + self.rng.uniform(-self.bow, self.bow) * across
            points = torch.stack([points[0], middle, points[1]])
        start, end = points[0].lerp(points[1], cuts[0]), points[-1].lerp(points[-2], cuts[1])
        return Stroke(torch.stack([start, *points[1:-1], end]), sharpness)

    def stroke(self) -> Stroke:
        if self.rng.random() < self.bars:
            return self.rng.choice(self.straight)
        # The first shapes are the most common.
        index = int(self.rng.random() ** 1.5 * len(self.shapes))
        return self.rng.choice(self.shapes[index])


def invent_alphabet(rng: random.Random, num_characters: int) -> list[list[Stroke]]:
    """The strokes of each of `num_characters` characters, all in one style."""
    style = _Style(rng)
    characters: list[list[Stroke]] = []
    tracks: list[Tensor] = []
    different = 0.35
    while len(characters) < num_characters:
        strokes = _invent_character(style)
        if not strokes:
            continue
        track = whole_track(strokes)
        track = track - (track.amax(0) + track.amin(0)) / 2
        if all(difference(track, other) > different for other in tracks):
            characters.append(strokes)
            tracks.append(track)
        else:
            different *= 0.995  # its strokes may not make so many characters so different
            if rng.random() < 0.1:
                style.shapes.append(style.new_shape())
    return characters


def _invent_character(style: _Style) -> list[Stroke]:
    """Its strokes; none if they do not look like writing."""
    rng = style.rng
    strokes = [style.frame] if rng.random() < style.framed else [style.stroke()]
    wanted = style.length * rng.uniform(0.7, 1.25)
    for _ in range(12):
        if sum(stroke.length for stroke in strokes) > 0.75 * wanted:
            break
        new = _repeated(style, strokes[-1]) if rng.random() < style.repeats else style.stroke()
        if rng.random() >= style.apart:
            new = _touching(strokes, new)
        if new is None or crowded([*strokes, new]) > 0.38:
            continue
        if rng.random() < style.cursive:
            strokes[-1:] = _run_on(strokes[-1], new)
        else:
            strokes.append(new)
    width, height = (whole_track(strokes).amax(0) - whole_track(strokes).amin(0)).tolist()
    length = sum(stroke.length for stroke in strokes)
    fits = height > 0.8 and width > 0.5 * style.width and 0.65 * wanted < length < 1.3 * wanted
    simple = len(strokes) == 1 and len(strokes[0].points) < 6
    return strokes if fits and not (simple and rng.random() > style.single) else []


def _repeated(style: _Style, stroke: Stroke) -> Stroke:
    """The stroke again beside or below itself, or its mirror image."""
    if style.rng.random() < 0.4:
        middle = torch.tensor([style.width / 2, 0.5])
        sign = torch.tensor(style.rng.choice([(-1, 1), (1, -1)]))
        return Stroke((stroke.points - middle) * sign + middle, stroke.sharpness)
    shift = style.rng.choice([(style.columns[1], 0), (0, style.rows[1]), (0, 0.33)])
    return stroke.moved(torch.tensor(shift))


def _touching(strokes: list[Stroke], new: Stroke) -> Stroke | None:
    """`new` moved to touch the others, if that is not far."""
    others = whole_track(strokes)
    nearest = distances_between(new.track, others).argmin().item()
    by = others[nearest % len(others)] - new.track[nearest // len(others)]
    return new.moved(by) if by.norm() < 0.3 else None


def _run_on(last: Stroke, new: Stroke) -> list[Stroke]:
    """Both as one stroke, if an end of one is near an end of the other."""
    gaps = distances_between(last.points[[0, -1]], new.points[[0, -1]])
    if gaps.min() > 0.5 or len(last.points) > 7:
        return [last, new]
    end, start = divmod(gaps.argmin().item(), 2)
    first = last.points if end == 1 else last.points.flip(0)
    then = new.points if start == 0 else new.points.flip(0)
    then = then[1:] if gaps.min() < 0.1 else then
    return [Stroke(torch.cat([first, then]), min(last.sharpness, new.sharpness))]
