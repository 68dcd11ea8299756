"""Three waves and two weights to learn them with: so little that all of learning can be drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.networks import Params
from metalearn_lite.tasks.sinusoids import SineTasks

AMPLITUDES, PHASES = (1.2, 1.6, 2.0), (0.2, 1.5, 2.8)
# Three points tell little about a wave, and each task's three tell something else.
SUPPORT_X = ((-2.2, -2.3, 3.6), (1.6, 4.2, 3.4), (-2.1, 0.6, 2.6))
NUM_QUERIES = 21


class SineAndCosine:
    """``θ₁ sin x + θ₂ cos x``: linear in θ, so every squared loss is a quadratic bowl."""

    def __call__(self, params: Params, x: Tensor) -> Tensor:
        theta = params["theta"].unsqueeze(-2)  # (2,) or (T, 2), and an axis for the examples
        return theta[..., :1] * x.sin() + theta[..., 1:] * x.cos()


class AmplitudeAndPhase:
    """``θ₁ sin(x - θ₂)``: the same waves, but now the curvature depends on where θ is."""

    def __call__(self, params: Params, x: Tensor) -> Tensor:
        theta = params["theta"].unsqueeze(-2)
        return theta[..., :1] * torch.sin(x - theta[..., 1:])


def episodes(dtype: torch.dtype = torch.float32) -> Episodes:
    """The three tasks: three support points of a wave each, 21 query points."""
    amplitude, phase, support = (
        torch.tensor(numbers, dtype=dtype).unsqueeze(-1)
        for numbers in (AMPLITUDES, PHASES, SUPPORT_X)
    )
    waves = SineTasks(amplitude, phase)
    query = torch.linspace(-5, 5, NUM_QUERIES, dtype=dtype).view(1, -1, 1)
    query = query.expand(len(support), -1, -1)
    return Episodes(Examples(support, waves(support)), Examples(query, waves(query)))
