"""Drawing the characters of Glyphs: every drawer has a hand of their own, with its noise."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from metalearn_lite.tasks.characters.character_set import IMAGE_SIZE
from metalearn_lite.tasks.characters.strokes import Stroke, way_of_pen, whole_track

CHARACTER_SIZE = 14.8  # pixels, of the height of an alphabet's box, before its drawer's scale
PEN_WIDTH = 1.32  # pixels: the pen of Omniglot, 5 pixels of 105
PEN_BLUR = 0.5  # pixels: standard deviation of that pen's cross-section, one pixel's area included


def draw_alphabet(
    characters: list[list[Stroke]], num_drawers: int, generator: torch.Generator
) -> Tensor:
    """Each character by each drawer, uint8 (num_characters, num_drawers, 28, 28), ink 255.

    A drawer has a scale, proportions, slant, place on the paper and sloppiness of their own, the
    same in every character of the alphabet; the rest of the noise is new in each drawing.
    """
    # All strokes of all characters stand in one row. Axes: stroke, drawer, point, (x, y).
    strokes = [stroke for character in characters for stroke in character]
    counts = torch.tensor([len(character) for character in characters])
    owner = torch.arange(len(characters)).repeat_interleave(counts)
    points = _shaken(_centred(characters), strokes, num_drawers, generator)
    points = _placed(points, owner, generator)
    sharpness = torch.tensor([stroke.sharpness for stroke in strokes]).view(-1, 1, 1, 1, 1)
    marks = int(20 * max(stroke.length for stroke in strokes)) + 2  # a pixel apart or less
    ink = torch.zeros(len(characters), num_drawers, IMAGE_SIZE, IMAGE_SIZE)
    ink.index_add_(0, owner, pen_ink(way_of_pen(points, sharpness, marks)))
    return (ink.clamp(max=1) * 255).round().to(torch.uint8)


def _centred(characters: list[list[Stroke]]) -> list[Tensor]:
    """Each stroke's points (P, 2) in pixels from the middle of its character."""
    points = []
    for character in characters:
        track = whole_track(character)
        middle = (track.amax(0) + track.amin(0)) / 2
        points += [CHARACTER_SIZE * (stroke.points - middle) for stroke in character]
    return points


def _shaken(
    points: list[Tensor], strokes: list[Stroke], num_drawers: int, generator: torch.Generator
) -> Tensor:
    """The points as the hand of each drawer hits them: (strokes, drawers, most points, 2)."""
    last = torch.tensor([len(stroke.points) - 1 for stroke in strokes])
    most = int(last.max()) + 1
    wanted = torch.stack([pad(each, (0, 0, 0, most - len(each))) for each in points]).unsqueeze(1)
    shape = len(strokes), num_drawers
    # A hand's error at one point carries on to the next.
    drift = 0.65 * _noise(generator, *shape, most, 2).cumsum(2)
    drift = drift + 0.65 * _noise(generator, *shape, 1, 2)
    sloppy = (0.35 * _noise(generator, 1, num_drawers, 1, 1)).exp().clamp(max=1.5)
    # A stroke with fewer points than others stays at its last.
    index = torch.arange(most).minimum(last.unsqueeze(1))
    hit = wanted + drift * sloppy
    return hit.gather(2, index[:, None, :, None].expand_as(hit))


def _placed(points: Tensor, owner: Tensor, generator: torch.Generator) -> Tensor:
    """The points as each drawer stretches, slants, turns and places a character on the paper."""
    num_drawers, num_characters = points.shape[1], int(owner[-1]) + 1
    drawer, drawing = (1, num_drawers), (num_characters, num_drawers)

    def noise(same: float, new: float, *axes: int) -> Tensor:
        """Of a drawer, the same in all characters, and of each drawing."""
        own = same * _noise(generator, *drawer, *axes)
        return own + new * _noise(generator, *drawing, *axes)

    scale = noise(0.14, 0.09).exp().clamp(max=1.4)
    aspect = noise(0.10, 0.10).exp()
    slant = noise(0.10, 0.05)
    turn = noise(0.04, 0.05)
    affine = torch.stack([scale * aspect, turn, -slant - turn, scale / aspect], dim=-1)
    points = points @ affine.unflatten(-1, (2, 2))[owner]

    # Nobody writes beyond the paper.
    reach = points.abs().amax((2, 3)).split(owner.bincount().tolist())
    reach = torch.stack([of_strokes.amax(0) for of_strokes in reach]).unsqueeze(-1)
    points = points * (12.5 / reach).clamp(max=1)[owner].unsqueeze(-1)
    room = (IMAGE_SIZE / 2 - 0.5 - reach).clamp(min=0.5)
    place = noise(0.8, 0.9, 2).clamp(-room, room)
    return points + place[owner].unsqueeze(2) + IMAGE_SIZE / 2


def _noise(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator)


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
