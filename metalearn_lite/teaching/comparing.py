"""How a check compares what an answer returned with what is right, and with what is known wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from metalearn_lite.teaching.exercises import Mistake


def same(a: Any, b: Any, rtol: float = 1e-4, atol: float = 1e-5) -> bool:
    """Whether ``a`` is ``b`` but for rounding and precision.

    Args:
        a, b: numbers or tensors of one shape, or dicts or sequences of them.
    """
    if isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name], rtol, atol) for name in b)
    if isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(*pair, rtol, atol) for pair in zip(a, b, strict=True))
    a, b = (torch.as_tensor(side).detach().double() for side in (a, b))
    return a.shape == b.shape and torch.allclose(a, b, rtol=rtol, atol=atol)


def of_shape(result: Any, shape: Sequence[int], wanted: str) -> Tensor:
    """``result``, if it is a tensor of ``shape``.

    Raises:
        Mistake: it is not. The message says what was ``wanted``, and names both shapes.
    """
    if not isinstance(result, Tensor) or result.shape != tuple(shape):
        raise Mistake(f"Expected shape {tuple(shape)}: {wanted}; got {kind_of(result)}.")
    return result


def kind_of(result: Any) -> str:
    """A tensor's shape, or else the name of the type, for a message."""
    return str(tuple(result.shape)) if isinstance(result, Tensor) else type(result).__name__


def refuse(result: Any, mistakes: Iterable[tuple[Any, str]], **tolerances: float) -> None:
    """Raises ``Mistake`` with the message of the first known wrong result that ``result`` is."""
    for wrong, message in mistakes:
        if same(result, wrong, **tolerances):
            raise Mistake(message)
