"""Checks run in a standard session, and the reader's is put back as it was found."""

from __future__ import annotations

import inspect
import math
import random
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

SEED = 17
# What a global setting is asked with, and what it is set with.
SETTINGS = (
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
)


def _functions(owner: Any) -> dict[str, Any]:
    """The public functions of a module or class, those that it inherits left out."""
    return {
        name: value
        for name, value in vars(owner).items()
        if callable(value) and not name.startswith("_")
    }


OWNERS = (torch, torch.Tensor, torch.autograd, torch.linalg, torch.testing, F, math)
ORIGINALS = {owner: _functions(owner) for owner in OWNERS}


def _replaced(owner: Any, originals: dict[str, Any]) -> list[str]:
    """Names that no longer mean what they meant, but for what torch wraps by itself."""
    now = vars(owner)
    names = [
        name
        for name, original in originals.items()
        if now.get(name) is not original
        and inspect.unwrap(now.get(name)) is not inspect.unwrap(original)
    ]
    if isinstance(owner, type):  # a new method may hide one of the parents'
        hidden = {name for parent in owner.__mro__[1:] for name in vars(parent)}
        names += sorted(hidden & (_functions(owner).keys() - originals.keys()))
    return names


def _put(owner: Any, names: Iterable[str], wanted: dict[str, Any]) -> None:
    """Sets ``names`` to what is ``wanted``, and deletes those that are not."""
    for name in names:
        if name in wanted:
            setattr(owner, name, wanted[name])
        elif name in vars(owner):
            delattr(owner, name)


@contextmanager
def _own_functions() -> Iterator[list[str]]:
    """Torch's own functions in place; yields the names of what was not. Then all is as before."""
    found = {owner: dict(vars(owner)) for owner in OWNERS}
    replaced = {owner: _replaced(owner, originals) for owner, originals in ORIGINALS.items()}
    try:
        for owner, names in replaced.items():
            _put(owner, names, ORIGINALS[owner])
        yield [f"{owner.__name__}.{name}" for owner, names in replaced.items() for name in names]
    finally:
        for owner, before in found.items():
            names = {*replaced[owner], *_replaced(owner, ORIGINALS[owner])}
            _put(owner, names, before)


@contextmanager
def standard_session() -> Iterator[list[str]]:
    """Gradients on, float32, the CPU, torch's own functions; yields what was found otherwise.

    Whoever draws without a generator draws by chance, but the same at every check: a verdict must
    not hang on luck. Random states, global settings and warning filters are put back, too. Open
    figures, printed text and files are left as the answer made them.
    """
    with ExitStack() as stack:
        replaced = stack.enter_context(_own_functions())
        notes = [f"{name} was replaced: restart the kernel" for name in replaced]
        for get, put in SETTINGS:
            stack.callback(_restore, get, put, get())
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())  # noqa: NPY002  as readers do
        used = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
        stack.enter_context(torch.random.fork_rng(devices=used))
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(SEED)
        stack.enter_context(warnings.catch_warnings())

        if not torch.is_grad_enabled():
            notes.append("gradients were off")
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        dtype, device = torch.get_default_dtype(), torch.get_default_device()
        if dtype != torch.float32:
            notes.append(f"the default dtype was {dtype}")
            torch.set_default_dtype(torch.float32)
        stack.callback(_restore, torch.get_default_device, _set_default_device, device)
        if device.type != "cpu":
            notes.append(f"the default device was {device}")
            stack.enter_context(torch.device("cpu"))
        yield notes


def _restore(get: Callable[[], Any], put: Callable[[Any], None], found: Any) -> None:
    if get() != found:  # setting some of them takes a second
        put(found)


def _set_default_device(found: torch.device) -> None:
    """Sets none for the CPU, as in a fresh session."""
    torch.set_default_device(None if found.type == "cpu" else found)
