"""Glyphs: alphabets nobody has ever written, drawn by people who do not exist.

They stand in for Omniglot where it cannot be downloaded, and are tasks of their own without end.
As in Lake et al. (2015), a character is a few pen strokes that start, end or cross on each other,
an alphabet reuses strokes, and each drawer repeats a character with their own hand and its noise.
"""

import math
import random
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from metalearn_lite.tasks.character_set import IMAGE_SIZE, Characters

CHARACTER_SIZE = 14.8  # pixels, of the height of an alphabet's box, before its drawer's scale
PEN_WIDTH = 1.32  # pixels: the pen of Omniglot, 5 pixels of 105
PEN_BLUR = 0.5  # pixels: standard deviation of that pen's cross-section, one pixel's area included

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


class Glyphs(Characters):
    """Random alphabets with the shapes and methods of Omniglot; the same for the same `seed`.

    Args:
        num_alphabets: how many alphabets, each with a style of its own.
        characters_per_alphabet: one number for all, or one number each.
        num_drawers: how many people draw each character once.
        seed: decides everything. Another seed gives alphabets that have nothing in common.

    Raises:
        ValueError: if a number is less than 1, or the numbers of characters are not one for each
            alphabet.
    """

    def __init__(
        self,
        num_alphabets: int = 10,
        characters_per_alphabet: int | Sequence[int] = 24,
        num_drawers: int = 20,
        seed: int = 0,
    ) -> None:
        sizes = characters_per_alphabet
        sizes = [sizes] * num_alphabets if isinstance(sizes, int) else list(sizes)
        if len(sizes) != num_alphabets or min([num_alphabets, num_drawers, *sizes]) < 1:
            raise ValueError(
                f"num_alphabets={num_alphabets}, characters_per_alphabet="
                f"{characters_per_alphabet}, num_drawers={num_drawers}: choose at least 1 of each, "
                "and one number of characters or one for each alphabet."
            )
        images, alphabets, names = [], [], []
        for index, size in enumerate(sizes):
            # Strings seed alike on every machine; each alphabet is the same in a larger set too.
            rng = random.Random(f"glyphs {seed} {index}")
            characters = invent_alphabet(rng, size)
            generator = torch.Generator().manual_seed(rng.getrandbits(60))
            images.append(draw_alphabet(characters, num_drawers, generator))
            alphabets += [f"Glyphs{seed}_{index + 1:02d}"] * size
            names += [f"character{number + 1:02d}" for number in range(size)]
        super().__init__(torch.cat(images), alphabets, names, source="Glyphs")


# Inventing characters


class Stroke:
    """Points (P, 2) that a pen passes, in units of the height of its alphabet's box.

    Attributes:
        sharpness: 2/3 for the roundest way past the points, more for corners; see `way_of_pen`.
        track: (24, 2), where the pen goes if the hand does not shake, evenly spaced.
        length: of the track.
    """

    def __init__(self, points: Tensor, sharpness: float, track: Tensor | None = None) -> None:
        self.points, self.sharpness = points, sharpness
        self.track = way_of_pen(points, torch.tensor(sharpness), 24) if track is None else track
        self.length = self.track.diff(dim=0).norm(dim=-1).sum().item()

    def moved(self, by: Tensor) -> "Stroke":
        return Stroke(self.points + by, self.sharpness, self.track + by)


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
        track = _track(strokes)
        track = track - (track.amax(0) + track.amin(0)) / 2
        if all(_difference(track, other) > different for other in tracks):
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
        if new is None or _crowded([*strokes, new]) > 0.38:
            continue
        if rng.random() < style.cursive:
            strokes[-1:] = _run_on(strokes[-1], new)
        else:
            strokes.append(new)
    width, height = (_track(strokes).amax(0) - _track(strokes).amin(0)).tolist()
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
    others = _track(strokes)
    nearest = _distances(new.track, others).argmin().item()
    by = others[nearest % len(others)] - new.track[nearest // len(others)]
    return new.moved(by) if by.norm() < 0.3 else None


def _run_on(last: Stroke, new: Stroke) -> list[Stroke]:
    """Both as one stroke, if an end of one is near an end of the other."""
    gaps = _distances(last.points[[0, -1]], new.points[[0, -1]])
    if gaps.min() > 0.5 or len(last.points) > 7:
        return [last, new]
    end, start = divmod(gaps.argmin().item(), 2)
    first = last.points if end == 1 else last.points.flip(0)
    then = new.points if start == 0 else new.points.flip(0)
    then = then[1:] if gaps.min() < 0.1 else then
    return [Stroke(torch.cat([first, then]), min(last.sharpness, new.sharpness))]


def _crowded(strokes: list[Stroke]) -> float:
    """How much of the ink has other ink beside it, that the pen leaves earlier or later."""
    track = _track(strokes)
    when = torch.cat([torch.linspace(0, s.length, 24) + 9 * i for i, s in enumerate(strokes)])
    distances = _distances(track, track)
    distances[(when.unsqueeze(1) - when).abs() < 0.4] = 9
    return (distances.amin(1) < 0.15).float().mean().item()


def _difference(track: Tensor, other: Tensor) -> float:
    """How far any ink of either character is from all ink of the other (Hausdorff's distance)."""
    distances = _distances(track, other)
    return torch.maximum(distances.amin(0).amax(), distances.amin(1).amax()).item()


def _distances(points: Tensor, others: Tensor) -> Tensor:
    # Rounded, so that no machine's last digit decides which of two equal distances is less.
    exact = torch.cdist(points, others, compute_mode="donot_use_mm_for_euclid_dist")
    return exact.round(decimals=4)


def _track(strokes: list[Stroke]) -> Tensor:
    return torch.cat([stroke.track for stroke in strokes])


# Drawing them


def way_of_pen(points: Tensor, sharpness: Tensor, marks: int) -> Tensor:
    """Where a pen passing `points` (..., P, 2) leaves its marks, evenly spaced: (..., marks, 2).

    It starts at the first point and ends at the last. In between it goes from halfway to halfway
    between points, each time on a Bézier curve whose handles reach for the point it passes.
    """
    halfway = (points[..., 1:-2, :] + points[..., 2:-1, :]) / 2
    halfway = torch.cat([points[..., :1, :], halfway, points[..., -1:, :]], dim=-2).unsqueeze(-2)
    start, end = halfway[..., :-1, :, :], halfway[..., 1:, :, :]
    passed = points[..., 1:-1, :].unsqueeze(-2)
    leaving, arriving = start.lerp(passed, sharpness), end.lerp(passed, sharpness)
    t = torch.linspace(0, 1, 13).unsqueeze(-1)
    way = (1 - t) ** 3 * start + t**3 * end
    way = way + 3 * t * (1 - t) * ((1 - t) * leaving + t * arriving)
    way = way.flatten(-3, -2)

    steps = way.diff(dim=-2)
    lengths = steps.norm(dim=-1)
    walked = pad(lengths.cumsum(-1), (1, 0))
    wanted = walked[..., -1:] * torch.linspace(0, 1, marks)
    index = (torch.searchsorted(walked, wanted, right=True) - 1).clamp(max=steps.shape[-2] - 1)
    share = (wanted - walked.gather(-1, index)) / lengths.gather(-1, index).clamp(min=1e-6)
    at = index.unsqueeze(-1).expand(*index.shape, 2)
    return way.gather(-2, at) + share.unsqueeze(-1) * steps.gather(-2, at)


def draw_alphabet(
    characters: list[list[Stroke]], num_drawers: int, generator: torch.Generator
) -> Tensor:
    """Each character by each drawer, uint8 (num_characters, num_drawers, 28, 28), ink 255.

    A drawer has a scale, proportions, slant, place on the paper and sloppiness of their own, the
    same in every character of the alphabet; the rest of the noise is new in each drawing.
    """

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    # All strokes of all characters stand in one row. Axes: stroke, drawer, point, (x, y).
    strokes = [stroke for character in characters for stroke in character]
    counts = [len(character) for character in characters]
    owner = torch.arange(len(characters)).repeat_interleave(torch.tensor(counts))
    tracks = [_track(character) for character in characters]
    middles = torch.stack([(track.amax(0) + track.amin(0)) / 2 for track in tracks])
    last = torch.tensor([len(stroke.points) - 1 for stroke in strokes])
    most = int(last.max()) + 1
    points = torch.stack([pad(s.points, (0, 0, 0, most - len(s.points))) for s in strokes])
    points = CHARACTER_SIZE * (points - middles[owner].unsqueeze(1)).unsqueeze(1)
    sharpness = torch.tensor([stroke.sharpness for stroke in strokes]).view(-1, 1, 1, 1, 1)

    shape = len(strokes), num_drawers
    # A hand's error at one point carries on to the next.
    drift = 0.65 * noise(*shape, most, 2).cumsum(2) + 0.65 * noise(*shape, 1, 2)
    points = points + drift * (0.35 * noise(1, num_drawers, 1, 1)).exp().clamp(max=1.5)
    # A stroke with fewer points than others stays at its last.
    index = torch.arange(most).minimum(last.unsqueeze(1))
    points = points.gather(2, index[:, None, :, None].expand_as(points))

    shape = len(characters), num_drawers
    scale = (0.14 * noise(1, num_drawers) + 0.09 * noise(*shape)).exp().clamp(max=1.4)
    aspect = (0.10 * noise(1, num_drawers) + 0.10 * noise(*shape)).exp()
    slant = 0.10 * noise(1, num_drawers) + 0.05 * noise(*shape)
    turn = 0.04 * noise(1, num_drawers) + 0.05 * noise(*shape)
    affine = torch.stack([scale * aspect, turn, -slant - turn, scale / aspect], dim=-1)
    points = points @ affine.unflatten(-1, (2, 2))[owner]

    # Nobody writes beyond the paper.
    reach = points.abs().amax((2, 3)).split(counts)
    reach = torch.stack([of_strokes.amax(0) for of_strokes in reach]).unsqueeze(-1)
    points = points * (12.5 / reach).clamp(max=1)[owner].unsqueeze(-1)
    room = (IMAGE_SIZE / 2 - 0.5 - reach).clamp(min=0.5)
    place = (0.8 * noise(1, num_drawers, 2) + 0.9 * noise(*shape, 2)).clamp(-room, room)
    points = points + place[owner].unsqueeze(2) + IMAGE_SIZE / 2

    marks = int(20 * max(stroke.length for stroke in strokes)) + 2  # a pixel apart or less
    ink = torch.zeros(*shape, IMAGE_SIZE, IMAGE_SIZE)
    ink.index_add_(0, owner, pen_ink(way_of_pen(points, sharpness, marks)))
    return (ink.clamp(max=1) * 255).round().to(torch.uint8)


def pen_ink(way: Tensor) -> Tensor:
    """What a soft pen leaves along `way` (S, D, marks, 2), as ink (S, D, 28, 28).

    The pen's mark is a Gaussian, so a mark is a product of one factor for its column and one for
    its row, and all marks of a stroke add up in one matrix product.
    """
    steps = way.diff(dim=2)
    centres = torch.arange(IMAGE_SIZE) + 0.5
    offsets = (way[:, :, :-1] + steps / 2).unsqueeze(-1) - centres
    marks = (offsets.square() / (-2 * PEN_BLUR**2)).exp() / (PEN_BLUR * math.sqrt(2 * math.pi))
    columns, rows = marks.unbind(-2)
    amount = PEN_WIDTH * steps.norm(dim=-1, keepdim=True)
    return (rows * amount).transpose(-1, -2) @ columns
