"""Drawing by lot, evenly and without putting back."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    """Numbers from 0 to 1, on the CPU."""
    # Drawn where the generator lives; double, because float32 ties would favour low indices.
    device = generator.device if generator is not None else None
    return torch.rand(shape, generator=generator, device=device, dtype=torch.float64).cpu()


def choose(
    num_tasks: int, num_ways: int, total: int, count: int, generator: torch.Generator | None
) -> Tensor:
    """`count` different numbers below `total`, in random order: (num_tasks, num_ways, count)."""
    return uniform((num_tasks, num_ways, total), generator).topk(count).indices
