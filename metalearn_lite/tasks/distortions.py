"""Small distortions of images: what another hand, or another day, does to the same character."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

NUM_SYMMETRIES = 8


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
    images = x.flatten(0, -4)
    grid = _random_grids(len(images), images.shape[-1], strength, generator)
    if symmetry is not None:
        grid = torch.einsum("nhwj,nij->nhwi", grid, symmetries()[symmetry.flatten()])
    return F.grid_sample(images, grid, align_corners=False).view_as(x)


def symmetric_versions(x: Tensor) -> list[Tensor]:
    """``x`` ``(…, S, S)`` as it is, turned by 90°, 180° and 270°, and the mirror image of each."""
    turned = [torch.rot90(x, quarters, (-2, -1)) for quarters in range(4)]
    return [*turned, *(version.flip(-1) for version in turned)]


def symmetries() -> Tensor:
    """The eight ways to turn and mirror a square, as matrices ``(8, 2, 2)``; the first is none."""
    angles = torch.arange(4) * (math.pi / 2)
    turns = torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], 1)
    turns = turns.view(4, 2, 2).round()
    return torch.cat([turns, turns @ torch.diag(torch.tensor([-1.0, 1.0]))])


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
