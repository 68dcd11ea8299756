"""Modified Hausdorff distance: a yardstick for how hard one-shot tasks are. It learns nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.pixels import PixelNearestNeighbour


class ModifiedHausdorff(PixelNearestNeighbour):
    """How far, on average, is the ink of one image from the nearest ink of the other?

    The larger of the two directions counts (Dubuisson & Jain, 1994). Images are first moved so
    that their ink is centred, as Lake et al. (2015) do for the baseline of their challenge.
    Otherwise this is ``PixelNearestNeighbour`` with another distance.
    """

    def distances(self, x: Tensor, support: Examples) -> Tensor:
        """``(T, M, N)``: from each image of ``x`` to each support image, in pixels."""
        ink, other_ink = _centred_ink(x), _centred_ink(support.x)
        there = _mean_distance(ink, _distance_map(other_ink))
        back = _mean_distance(other_ink, _distance_map(ink)).transpose(1, 2)
        return torch.maximum(there, back)


def _centred_ink(x: Tensor) -> Tensor:
    """Where there is ink, ``(T, N, S, S)``, moved to bring its mean to the middle."""
    ink = (x.squeeze(2) > 0.4).to(x.dtype)
    size = ink.shape[-1]
    places = torch.arange(size, dtype=ink.dtype)
    amount = ink.sum((2, 3)).clamp(min=1)
    rows = torch.arange(size)
    for axis in (2, 3):
        mean = (ink.sum(5 - axis) * places).sum(2) / amount
        shift = (mean - size / 2).round().long()
        source = (rows + shift.unsqueeze(-1)) % size
        source = source.unsqueeze(3 if axis == 2 else 2).expand_as(ink)
        ink = ink.gather(axis, source)
    return ink


def _distance_map(ink: Tensor) -> Tensor:
    """For every pixel the distance to the nearest ink: ``(T, N, S²)``.

    The nearest ink of each row first, then the nearest of the rows (squares of distances add up).
    """
    size = ink.shape[-1]
    axis = torch.arange(size, dtype=ink.dtype)
    squares = (axis - axis.unsqueeze(1)).square()
    nearest = []
    for paper in ink == 0:  # (N, S, S), a task at a time: S³ numbers an image are many
        in_row = squares.masked_fill(paper.unsqueeze(2), 4.0 * size**2).amin(3)
        nearest.append((in_row.transpose(1, 2).unsqueeze(2) + squares).amin(3).transpose(1, 2))
    return torch.stack(nearest).sqrt().flatten(2)


def _mean_distance(ink: Tensor, distance_map: Tensor) -> Tensor:
    """``(T, M, N)``: the mean of each map ``(T, N, S²)`` over each ink ``(T, M, S, S)``."""
    ink = ink.flatten(2)
    return ink @ distance_map.transpose(1, 2) / ink.sum(2, keepdim=True).clamp(min=1)
