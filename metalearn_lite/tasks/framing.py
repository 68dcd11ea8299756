"""Where on the paper, and how large, a character was drawn: taken out of its image."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

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
    images = x.reshape(-1, *x.shape[-3:])
    size = images.shape[-1]
    dark = images[:, 0] > INK
    top, bottom = _extent(dark.any(2))
    left, right = _extent(dark.any(1))
    side = (MARGIN * torch.maximum(bottom - top, right - left)).clamp(min=SMALLEST)
    windows = torch.zeros(len(images), 2, 3)
    windows[:, 0, 0] = windows[:, 1, 1] = side / size
    windows[:, 0, 2] = (left + right) / size - 1
    windows[:, 1, 2] = (top + bottom) / size - 1
    # Twice as fine and then averaged, so that a frame larger than the image loses no thin line.
    grid = F.affine_grid(windows, [len(images), 1, 2 * size, 2 * size], align_corners=False)
    fine = F.grid_sample(images, grid, mode="bicubic", align_corners=False)
    larger = F.avg_pool2d(fine.clamp(0, 1), 2)
    return torch.where(dark.any(2).any(1)[:, None, None, None], larger, images).view_as(x)


def _extent(dark: Tensor) -> tuple[Tensor, Tensor]:
    """The first and the last edge of what is ``True`` in each row of ``dark`` ``(num, S)``."""
    size = dark.shape[1]
    place = torch.arange(size)
    first = torch.where(dark, place, size).amin(1)
    last = torch.where(dark, place, -1).amax(1) + 1
    return first.float(), last.float()
