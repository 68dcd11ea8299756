"""Strokes of a pen: the way it takes past a few points, and how near two ways come."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


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

    def moved(self, by: Tensor) -> Stroke:
        return Stroke(self.points + by, self.sharpness, self.track + by)


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


def crowded(strokes: list[Stroke]) -> float:
    """How much of the ink has other ink beside it, that the pen leaves earlier or later."""
    track = whole_track(strokes)
    when = torch.cat([torch.linspace(0, s.length, 24) + 9 * i for i, s in enumerate(strokes)])
    distances = distances_between(track, track)
    distances[(when.unsqueeze(1) - when).abs() < 0.4] = 9
    return (distances.amin(1) < 0.15).float().mean().item()


def difference(track: Tensor, other: Tensor) -> float:
    """How far any ink of either character is from all ink of the other (Hausdorff's distance)."""
    distances = distances_between(track, other)
    return torch.maximum(distances.amin(0).amax(), distances.amin(1).amax()).item()


def distances_between(points: Tensor, others: Tensor) -> Tensor:
    # Rounded, so that no machine's last digit decides which of two equal distances is less.
    exact = torch.cdist(points, others, compute_mode="donot_use_mm_for_euclid_dist")
    return exact.round(decimals=4)


def whole_track(strokes: list[Stroke]) -> Tensor:
    return torch.cat([stroke.track for stroke in strokes])
