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

CHARACTER_SIZE = 14.8  # pixels, of the height of the alphabet's box, before its drawer's scale
PEN_WIDTH = 1.32  # pixels: the pen of Omniglot, 5 pixels of 105
PEN_BLUR = 0.5  # pixels: standard deviation of that pen's cross-section, one pixel's area included

# A stroke visits points of a box, numbered like the keys of a telephone: 123 above 456 above 789.
# Each of these may be mirrored, turned, rounded or not, and stretched: 7139 is a gate or an arch.
BARS = "28", "28", "17", "46", "46", "13", "19"
SHAPES = (
    *("179", "139", "129", "136", "284", "287"),  # corners and hooks
    *("7139", "3179", "3179", "1397", "1397", "4139", "1795"),  # arches, cups, bowls
    *("183", "1379", "7382", "1346", "72938", "17394"),  # wedges and zigzags
    *("217932", "13971", "317964", "463179", "284562"),  # rings and spirals
    *("314697", "3146971", "13465697", "174639"),  # waves
    *("3749", "31793", "71382", "274938"),  # loops that cross themselves
)


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
    """Points (P, 2) that a pen passes, in units of the alphabet's height, and how it turns there.

    `sharpness` is 2/3 for the roundest way past the points, 1.2 for corners. `track` (24, 2) is
    where the pen goes when nobody's hand shakes.
    """

    def __init__(self, points: Tensor, sharpness: float, track: Tensor | None = None) -> None:
        self.points, self.sharpness = points, sharpness
        self.track = way_of_pen(points, torch.tensor(sharpness), 24) if track is None else track
        self.length = self.track.diff(dim=0).norm(dim=-1).sum().item()

    def moved(self, by: Tensor) -> "Stroke":
        return Stroke(self.points + by, self.sharpness, self.track + by)


class _Style:
    """What the characters of one alphabet have in common."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.roundness = rng.betavariate(0.6, 0.6)  # some scripts are all corners, some all curves
        self.width = min(max(rng.gauss(0.97, 0.12), 0.8), 1.25)
        self.columns = 0.0, rng.uniform(0.4, 0.6) * self.width, self.width
        self.rows = 0.0, rng.uniform(0.35, 0.65), 1.0
        self.bars = rng.uniform(0.1, 0.7) * (1 - 0.7 * self.roundness)
        self.bow = 0.15 * rng.random() * self.roundness
        self.repeats = rng.uniform(0.0, 0.4)
        self.cursive = rng.random() ** 0.5 * self.roundness
        self.single = rng.uniform(0, 0.3)  # how many of the shapes may stand alone
        self.apart = 0.2 * rng.random() ** 3
        self.length = rng.uniform(2.8, 4.2)
        self.framed = rng.choice([0, 0, 0.4, 0.8, 0.9])
        frame = rng.choice(["17", "28", "28", "39", "13", "13"])
        self.frame = self.stretched((0, 2, 0, 2), frame)
        self.shapes = [self.new_shape() for _ in range(rng.randint(4, 8))]
        self.straight = [rng.choice(BARS) for _ in range(3)]

    def new_shape(self) -> tuple[str, float, tuple[float, float]]:
        """A path over the box's points, how sharply it turns, and how much its ends are cut."""
        mirrored = self.rng.choice(["123456789", "321654987", "789456123", "987654321"])
        turned = self.rng.choice(["123456789", "123456789", "147258369"])
        path = self.rng.choice(SHAPES).translate(str.maketrans("123456789", mirrored))
        path = path.translate(str.maketrans("123456789", turned))
        rounded = self.rng.random() < self.roundness
        sharpness = self.rng.uniform(0.67, 0.75) if rounded else 1.15
        cuts = self.rng.choice([0, 0, 0.3, 0.5]), self.rng.choice([0, 0, 0.3, 0.5])
        return path, sharpness, cuts

    def stretched(
        self,
        box: tuple[int, int, int, int],
        path: str,
        sharpness: float = 1.0,
        cuts: tuple[float, float] = (0, 0),
    ) -> Stroke:
        left, right = self.columns[box[0]], self.columns[box[1]]
        top, bottom = self.rows[box[2]], self.rows[box[3]]
        keys = [int(key) - 1 for key in path]
        xs = [left + (right - left) * (key % 3) / 2 for key in keys]
        ys = [top + (bottom - top) * (key // 3) / 2 for key in keys]
        points = torch.tensor([xs, ys]).T
        if len(points) == 2:  # a hand may stray halfway too
            across = points.diff(dim=0)[0].flip(0) * torch.tensor([1.0, -1.0])
            middle = points.mean(0) + self.rng.uniform(-1, 1) * self.bow * across
            points = torch.stack([points[0], middle, points[1]])
        ends = [points[0].lerp(points[1], cuts[0]), points[-1].lerp(points[-2], cuts[1])]
        return Stroke(torch.stack([ends[0], *points[1:-1], ends[1]]), sharpness)

    def stroke(self) -> Stroke:
        rng = self.rng
        spans = [(0, 2), (0, 2), (0, 1), (1, 2)]
        box = (*rng.choice(spans), *rng.choice(spans))
        if rng.random() < self.bars:
            return self.stretched(box, rng.choice(self.straight))
        shape = rng.choices(self.shapes, [0.7**i for i in range(len(self.shapes))])[0]
        if len(shape[0]) > 4:  # needs room
            box = rng.choice([(0, 2, 0, 2), (0, 2, 0, 2), (0, 2, *box[2:]), (*box[:2], 0, 2)])
        return self.stretched(box, *shape)


def invent_alphabet(rng: random.Random, num_characters: int) -> list[list[Stroke]]:
    """The strokes of each of `num_characters` characters, all in one style."""
    style = _Style(rng)
    characters: list[list[Stroke]] = []
    tracks: list[Tensor] = []
    different = 0.16
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
            different *= 0.99  # a style may not have so many characters so different
    if __import__("os").environ.get("DBG"): print(len(characters), round(different,3))
    return characters


def _invent_character(style: _Style) -> list[Stroke]:
    """Its strokes; none if they do not look like writing."""
    rng = style.rng
    strokes = [style.frame] if rng.random() < style.framed else [style.stroke()]
    wanted = style.length * rng.uniform(0.7, 1.25)
    for _ in range(8):
        if sum(stroke.length for stroke in strokes) > 0.75 * wanted:
            break
        new = _repeated(style, strokes[-1]) if rng.random() < style.repeats else style.stroke()
        new = _joined(style, strokes, new)
        if new is None or _crowded([*strokes, new]) > 0.35:
            continue
        last = strokes[-1]
        ends = torch.cdist(last.points[[0, -1]], new.points[[0, -1]])
        if rng.random() < style.cursive and ends.min() < 0.5 and len(last.points) < 8:
            nearest = ends.argmin().item()  # the pen stays down from one stroke to the next
            first = last.points if nearest >= 2 else last.points.flip(0)
            then = new.points.flip(0) if nearest % 2 else new.points
            then = then[1:] if ends.min() < 0.1 else then
            new = Stroke(torch.cat([first, then]), min(last.sharpness, new.sharpness))
            strokes.pop()
        strokes.append(new)
    length = sum(stroke.length for stroke in strokes)
    track = _track(strokes)
    width, height = (track.amax(0) - track.amin(0)).tolist()
    fills = height > 0.85 and width > 0.5 * style.width
    if len(strokes) == 1 and len(strokes[0].points) < 6 and rng.random() > style.single:
        return []
    return strokes if fills and 0.7 * wanted < length < 1.3 * wanted else []


def _repeated(style: _Style, stroke: Stroke) -> Stroke:
    """The stroke again beside or below itself, or its mirror image."""
    middle = torch.tensor([style.columns[2] / 2, 0.5])
    if style.rng.random() < 0.4:
        sign = torch.tensor(style.rng.choice([(-1, 1), (1, -1)]))
        return Stroke((stroke.points - middle) * sign + middle, stroke.sharpness)
    shift = style.rng.choice([(style.columns[1], 0), (0, style.rows[1]), (0, 0.33)])
    return stroke.moved(torch.tensor(shift))


def _joined(style: _Style, strokes: list[Stroke], new: Stroke) -> Stroke | None:
    """`new` where it meets the others, unless that is far away."""
    others = _track(strokes)
    distances = torch.cdist(new.track, others)
    if style.rng.random() >= style.apart:
        nearest = distances.argmin().item()
        here, there = divmod(nearest, len(others))
        by = others[there] - new.track[here]
        if by.norm() > 0.3:
            return None
        new = new.moved(by)
    return new


def _crowded(strokes: list[Stroke]) -> float:
    """How much of the ink has other ink beside it, that the pen leaves earlier or later."""
    track = _track(strokes)
    when = torch.cat([torch.linspace(0, s.length, 24) + 9 * i for i, s in enumerate(strokes)])
    apart = torch.cdist(track, track)
    apart[(when.unsqueeze(1) - when).abs() < 0.4] = 9
    return (apart.amin(1) < 0.15).float().mean().item()


def _track(strokes: list[Stroke]) -> Tensor:
    return torch.cat([stroke.track for stroke in strokes])


def _difference(track: Tensor, other: Tensor) -> float:
    """How far the ink of one character is from that of the other, where they are least alike."""
    distances = torch.cdist(track, other)
    return torch.maximum(distances.amin(0).mean(), distances.amin(1).mean()).item()


# Drawing them


def way_of_pen(points: Tensor, sharpness: Tensor, marks: int) -> Tensor:
    """Where a pen passing `points` (..., P, 2) leaves its marks, evenly spaced: (..., marks, 2).

    It starts at the first point and ends at the last. In between it goes from halfway to halfway
    between points, each time a Bézier curve with its two handles towards the point it passes.
    """
    halfway = (points[..., 1:, :] + points[..., :-1, :]) / 2
    halfway = torch.cat([points[..., :1, :], halfway[..., 1:-1, :], points[..., -1:, :]], dim=-2)
    start, corner, end = (
        p.unsqueeze(-2) for p in (halfway[..., :-1, :], points[..., 1:-1, :], halfway[..., 1:, :])
    )
    handles = start.lerp(corner, sharpness), end.lerp(corner, sharpness)
    t = torch.linspace(0, 1, 13).unsqueeze(-1)
    way = (1 - t) ** 3 * start + t**3 * end
    way = way + 3 * t * (1 - t) * ((1 - t) * handles[0] + t * handles[1])
    way = way.flatten(-3, -2)

    steps = way.diff(dim=-2)
    walked = pad(steps.norm(dim=-1).cumsum(-1), (1, 0))
    wanted = walked[..., -1:] * torch.linspace(0, 1, marks)
    index = (torch.searchsorted(walked, wanted, right=True) - 1).clamp(max=steps.shape[-2] - 1)
    at = index.unsqueeze(-1).expand(*index.shape, 2)
    share = (wanted - walked.gather(-1, index)) / walked.diff(dim=-1).gather(-1, index).clamp(min=1e-6)
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
    owner = torch.tensor([i for i, strokes in enumerate(characters) for _ in strokes])
    strokes = [stroke for character in characters for stroke in character]
    sharpness = torch.tensor([stroke.sharpness for stroke in strokes]).view(-1, 1, 1, 1, 1)
    tracks = [_track(character) for character in characters]
    middles = torch.stack([(track.amax(0) + track.amin(0)) / 2 for track in tracks])
    most = max(len(stroke.points) for stroke in strokes)
    # A stroke with fewer points ends in copies of its last.
    lengths = torch.tensor([len(stroke.points) for stroke in strokes])
    index = torch.arange(most).minimum(lengths.unsqueeze(1) - 1)[:, None, :, None]
    points = [pad(stroke.points, (0, 0, 0, most - len(stroke.points))) for stroke in strokes]
    points = CHARACTER_SIZE * (torch.stack(points) - middles[owner].unsqueeze(1))

    shape = len(owner), num_drawers
    # A hand's error at one point carries on to the next.
    drift = 0.6 * noise(*shape, most, 2).cumsum(2) + 0.8 * noise(*shape, 1, 2)
    sloppiness = (0.35 * noise(1, num_drawers, 1, 1)).exp()
    points = points.unsqueeze(1) + sloppiness * drift
    points = points.gather(2, index.expand(*shape, -1, 2))

    shape = len(characters), num_drawers
    scale = (0.14 * noise(1, num_drawers) + 0.09 * noise(*shape)).exp().clamp(max=1.4)
    aspect = (0.10 * noise(1, num_drawers) + 0.10 * noise(*shape)).exp()
    slant = 0.10 * noise(1, num_drawers) + 0.05 * noise(*shape)
    turn = 0.04 * noise(1, num_drawers) + 0.05 * noise(*shape)
    affine = torch.stack([scale * aspect, turn, -slant - turn, scale / aspect], dim=-1)
    points = points @ affine.unflatten(-1, (2, 2))[owner]
    # Nobody writes beyond the paper.
    counts = [len(character) for character in characters]
    reach = points.abs().amax((2, 3)).split(counts)
    reach = torch.stack([of_strokes.amax(0) for of_strokes in reach])
    points = points * (12.5 / reach).clamp(max=1)[owner, :, None, None]
    room = (IMAGE_SIZE / 2 - 0.5 - reach.unsqueeze(-1)).clamp(min=0.5)
    place = (0.9 * noise(1, num_drawers, 2) + noise(*shape, 2)).clamp(-room, room)
    points = points + place[owner].unsqueeze(2) + IMAGE_SIZE / 2

    # Marks of the pen are close enough to leave no gaps.
    marks = int(22 * max(stroke.length for stroke in strokes)) + 2
    ink = torch.zeros(*shape, IMAGE_SIZE, IMAGE_SIZE)
    ink.index_add_(0, owner, _ink(way_of_pen(points, sharpness, marks)))
    return (ink.clamp(max=1) * 255).round().to(torch.uint8)


def _ink(way: Tensor) -> Tensor:
    """What a soft pen leaves along `way` (S, D, marks + 1, 2), as ink (S, D, 28, 28).

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
