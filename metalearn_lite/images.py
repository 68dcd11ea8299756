"""Operations on character images: frame, distort, turn.

Images are ``(…, 1, S, S)`` floats, paper 0 and ink 1. Each function refuses what is no tensor or
holds other numbers (pixels of 0 to 255 must be divided by 255), and warns once of white paper.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks

NUM_SYMMETRIES = 8
INK = 0.35  # a pixel darker than this belongs to the character
MARGIN = 1.2  # the frame's side, for a character whose longer side is 1
SMALLEST = 8.0  # pixels: a smaller frame would blow a dot up to a blot


def frame(x: Tensor) -> Tensor:
    """Centres every character and scales it, width and height alike, to fill its image.

    Readers of print and handwriting have long begun like this (LeCun et al., 1998, centre and
    scale the digits of MNIST). An image without ink stays as it is.

    Args:
        x: square images ``(…, 1, S, S)``, paper 0 and ink 1.
    """
    checks.pixels(x)
    images = x.reshape(-1, *x.shape[-3:])
    size = images.shape[-1]
    dark = images[:, 0] > INK
    top, bottom = _extent(dark.any(2))
    left, right = _extent(dark.any(1))
    side = (MARGIN * torch.maximum(bottom - top, right - left)).clamp(min=SMALLEST)
    windows = images.new_zeros(len(images), 2, 3)
    windows[:, 0, 0] = windows[:, 1, 1] = side / size
    windows[:, 0, 2] = (left + right) / size - 1
    windows[:, 1, 2] = (top + bottom) / size - 1
    # Twice as fine and then averaged, so that a frame larger than the image loses no thin line.
    grid = F.affine_grid(windows, [len(images), 1, 2 * size, 2 * size], align_corners=False)
    fine = F.grid_sample(images, grid, mode="bicubic", align_corners=False)
    larger = F.avg_pool2d(fine.clamp(0, 1), 2)
    return torch.where(dark.any(2).any(1)[:, None, None, None], larger, images).view_as(x)


def distort(
    x: Tensor,
    generator: torch.Generator | None = None,
    strength: float = 1.0,
    symmetry: Tensor | None = None,
) -> Tensor:
    """Turns, stretches, slants, shifts and bends every image, each in its own random way.

    Args:
        x: square images ``(…, 1, S, S)``.
        strength: 1 is about what hands do (a turn of 9°, a shift of 0.7 pixels in 28); 0 nothing.
        symmetry: ``(…)`` numbers 0 to 7: which symmetry of the square each image is put in.
    """
    checks.pixels(x)
    checks.rate(strength=strength)
    if symmetry is not None:
        checks.labels(symmetry, NUM_SYMMETRIES, "symmetry")
    images = x.flatten(0, -4)
    grid = _random_grids(len(images), images.shape[-1], strength, generator)
    if symmetry is not None:
        grid = torch.einsum("nhwj,nij->nhwi", grid, symmetries()[symmetry.flatten()])
    return F.grid_sample(images, grid.to(images.dtype), align_corners=False).view_as(x)


def symmetric_versions(x: Tensor) -> list[Tensor]:
    """``x`` ``(…, S, S)`` as it is, turned by 90°, 180° and 270°, and the mirror image of each."""
    checks.tensor(x=x)
    versions = [turned(x, quarters) for quarters in range(4)]
    return [*versions, *(version.flip(-1) for version in versions)]


def symmetries() -> Tensor:
    """The eight ways to turn and mirror a square, as matrices ``(8, 2, 2)``; the first is none."""
    angles = torch.arange(4) * (math.pi / 2)
    turns = torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], 1)
    turns = turns.view(4, 2, 2).round()
    return torch.cat([turns, turns @ torch.diag(torch.tensor([-1.0, 1.0]))])


def turned(images: Tensor, quarters: int) -> Tensor:
    """``images`` ``(…, S, S)`` turned anticlockwise by ``quarters`` of a full turn."""
    return torch.rot90(images, quarters, (-2, -1))


def _extent(dark: Tensor) -> tuple[Tensor, Tensor]:
    """The first and the last edge of what is ``True`` in each row of ``dark`` ``(num, S)``."""
    size = dark.shape[1]
    place = torch.arange(size)
    first = torch.where(dark, place, size).amin(1)
    last = torch.where(dark, place, -1).amax(1) + 1
    return first.float(), last.float()


def _random_grids(
    num: int, size: int, strength: float, generator: torch.Generator | None
) -> Tensor:
    """Where each pixel of each distorted image comes from: ``(num, size, size, 2)``.

    The bending is an elastic distortion (Simard, Steinkraus & Platt, 2003): a smooth random field
    of small displacements.
    """
    normal = strength * torch.randn(num, 6, generator=generator)
    turn, slant, stretch = 0.15 * normal[:, 0], 0.085 * normal[:, 1], (0.085 * normal[:, 2:4]).exp()
    rotation = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()], 1).view(-1, 2, 2)
    shape = torch.stack([stretch[:, 0], slant, torch.zeros(num), stretch[:, 1]], 1).view(-1, 2, 2)
    knots = 0.05 * strength * torch.randn(num, 2, 5, 5, generator=generator)
    bend = F.interpolate(knots, size=(size, size), mode="bicubic", align_corners=True)
    pixels = F.affine_grid(torch.eye(2, 3)[None], [1, 1, size, size], align_corners=False)[0]
    moved = torch.einsum("hwj,nij->nhwi", pixels, rotation @ shape)
    return moved + bend.permute(0, 2, 3, 1) + 0.05 * normal[:, None, None, 4:]
