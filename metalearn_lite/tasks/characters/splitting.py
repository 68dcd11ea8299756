"""Dividing characters into parts that share none."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise

import torch

from metalearn_lite import checks


def divide(
    groups: Sequence[Hashable], sizes: Sequence[float], generator: torch.Generator | None, what: str
) -> list[list[int]]:
    """The places in ``groups`` of each part; places of one group stay together.

    Args:
        sizes: shares of the different groups that sum to 1, or whole numbers of them.
        generator: shuffles the groups; without one always in the same way.
        what: what a group is, for messages.
    """
    unique = list(dict.fromkeys(groups))
    ends = _ends(sizes, len(unique), what)
    generator = generator or torch.Generator().manual_seed(0)
    order = torch.randperm(len(unique), generator=generator).tolist()
    parts = []
    for start, end in pairwise([0, *ends]):
        chosen = {unique[i] for i in order[start:end]}
        parts.append([i for i, group in enumerate(groups) if group in chosen])
    return parts


def _ends(sizes: Sequence[float], total: int, what: str) -> list[int]:
    """Where each part ends, of ``total`` in a row."""
    checks.finite(**{f"sizes[{place}]": size for place, size in enumerate(sizes)})
    sums = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    if all(isinstance(size, int) for size in sizes):
        if sum(sizes) > total:
            raise ValueError(f"sizes={tuple(sizes)} need {sum(sizes)} {what}; there are {total}.")
        ends = sums
    elif abs(sums[-1] - 1) < 1e-6:
        ends = [round(total * part) for part in sums]
    else:
        raise ValueError(f"sizes={tuple(sizes)} must be whole numbers, or shares that sum to 1.")
    if not ends or min(end - start for start, end in pairwise([0, *ends])) < 1:
        parts = len(sizes)
        remedy = f"{parts} parts need {parts} {what} or more"
        if parts and total >= parts:
            remedy = (
                f"whole numbers such as {(total - parts + 1, *[1] * (parts - 1))} leave none so"
            )
        raise ValueError(f"sizes={tuple(sizes)} leave a part of {total} {what} empty: {remedy}.")
    return ends
