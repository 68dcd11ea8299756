"""Where the work is done: on another device, such as a GPU, for a training; on one thread."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from metalearn_lite.learners.base import Learner
from metalearn_lite.resuming import held


def usable(device: torch.device | str | None, learner: Any) -> torch.device | None:
    """``device``, if ``learner`` can be trained on it.

    Raises:
        ValueError: there is no such device here, or the learner plays games.
    """
    if device is None:
        return None
    try:
        device = torch.device(device)
    except RuntimeError:
        raise ValueError(
            f"device={device!r}: choose cpu, or cuda on a machine with a GPU"
        ) from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device={str(device)!r}: this PyTorch finds no GPU that it can use; "
            "leave it out, to train on the CPU"
        )
    if device.type != "cpu" and not isinstance(learner, Learner):
        raise ValueError(
            f"device={str(device)!r}: {type(learner).__name__} learns from games, which are "
            "played on the CPU; leave it out"
        )
    if device == torch.device("cuda"):  # where there are several processes, each has its own
        place = int(os.environ.get("LOCAL_RANK", 0)) % torch.cuda.device_count()
        device = torch.device("cuda", place)
    return device


@contextmanager
def lent(learner: Any, device: torch.device | None) -> Iterator[None]:
    """While inside, all tensors of ``learner`` are on ``device``; then its own hold the result."""
    if device is None:
        yield
        return
    own = dict(learner.params)
    there = device.type != "meta"  # on "meta" there are only shapes, of which nothing comes back
    learner.params.update({n: v.detach().to(device).requires_grad_() for n, v in own.items()})
    beside = {n: v for n, v in held(learner).items() if isinstance(getattr(learner, n), Tensor)}
    vars(learner).update(moved_to(device, beside))
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in own.items() if there else ():
                value.copy_(learner.params[name])
        learner.params.update(own)
        back = {n: getattr(learner, n).to(v.device) for n, v in beside.items()} if there else beside
        vars(learner).update(back)


def moved_to(device: torch.device | None, batch: Any) -> Any:
    """All tensors in a batch on ``device``: of episodes, or of tuples and dictionaries of them."""
    if device is None:
        return batch
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {name: moved_to(device, value) for name, value in batch.items()}
    if isinstance(batch, tuple):
        parts = [moved_to(device, part) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
    return batch


@contextmanager
def one_thread() -> Iterator[None]:
    """A few small tasks are too little work to share: threads would only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
