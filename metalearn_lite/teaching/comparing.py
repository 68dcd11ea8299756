"""How a check compares what an answer returned with what is right, and with what is known wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


class Mistake(Exception):
    """Raised by a check; its message tells the learner what went wrong."""


def converted(result: Any) -> Any:
    """What an answer returned, as the checks read it: precision and container are free.

    As ``as_tensors`` in float32; and one number in a list is that number.
    """
    result = as_tensors(result, torch.float32)
    single = isinstance(result, Tensor) and result.shape == (1,)
    return result.squeeze(0) if single else result


def as_tensors(result: Any, precision: torch.dtype) -> Any:
    """Arrays and lists of numbers as tensors, floating-point tensors in ``precision``.

    A tuple, a dict, or a list of tensors stays, with its parts converted; in a dict, which holds
    parameters, numbers become tensors too.
    """
    if isinstance(result, dict):
        return {name: _parameter(value, precision) for name, value in result.items()}
    return _part(result, precision)


def _parameter(value: Any, precision: torch.dtype) -> Any:
    value = _part(value, precision)
    return torch.tensor(value, dtype=torch.float64) if isinstance(value, float) else value


def _part(result: Any, precision: torch.dtype = torch.float32) -> Any:
    if isinstance(result, np.generic):
        return result.item()
    if isinstance(result, tuple):
        parts = [_part(part, precision) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    if isinstance(result, list):
        result = _list(result, precision)
    elif isinstance(result, np.ndarray):
        result = _tensor(result.copy())  # torch takes no negative strides
    if not isinstance(result, Tensor):
        return result
    if result.dtype == torch.bool and result.dim() == 0:
        return result.item()
    return result.to(precision) if result.is_floating_point() else result


def _list(values: list, precision: torch.dtype) -> Any:
    if not any(isinstance(value, Tensor | np.ndarray) for value in values):
        numbers = _tensor(values)
        if isinstance(numbers, Tensor):
            # Read as numbers of torch's own precision, so a higher one reads them once more.
            rounded = numbers.is_floating_point() and precision == torch.float64
            return torch.tensor(values, dtype=precision) if rounded else numbers
        return [_part(value, precision) for value in values]
    if all(isinstance(value, Tensor) and value.dim() == 0 for value in values):
        return torch.stack(values)  # keeps the graph
    return [_part(value, precision) for value in values]


def _tensor(values: Any) -> Any:
    try:
        return torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError):
        return values


def same(a: Any, b: Any, rtol: float = 1e-4, atol: float = 1e-5) -> bool:
    """Whether ``a`` is ``b`` but for rounding and precision.

    Args:
        a, b: numbers or tensors of one shape, or dicts or sequences of them.
    """
    if isinstance(b, dict):
        if not isinstance(a, dict) or a.keys() != b.keys():
            return False
        return all(same(a[name], b[name], rtol, atol) for name in b)
    if isinstance(b, list | tuple):
        if not isinstance(a, list | tuple) and not getattr(a, "ndim", 0):
            return False
        return len(a) == len(b) and all(same(*pair, rtol, atol) for pair in zip(a, b, strict=True))
    a, b = _tensor(_part(a)), torch.as_tensor(b)
    if not isinstance(a, Tensor) or a.shape != b.shape:
        return False
    a, b = (side.detach().double() for side in (a, b))
    return torch.allclose(a, b, rtol=rtol, atol=atol)


def of_shape(result: Any, shape: Sequence[int], wanted: str) -> Tensor:
    """``result``, if it is a tensor of ``shape``.

    Raises:
        Mistake: it is not. The message says what was ``wanted``, and names both shapes.
    """
    if isinstance(result, list | tuple):
        result = _rows(result)
    if not isinstance(result, Tensor) or result.shape != tuple(shape):
        raise Mistake(f"Expected shape {tuple(shape)}: {wanted}; got {kind_of(result)}.")
    return result


def _rows(values: Sequence) -> Any:
    """Rows of numbers as one tensor, if they fit."""
    rows = [_tensor(_part(row)) for row in values]
    fits = len({row.shape if isinstance(row, Tensor) else None for row in rows}) == 1
    return torch.stack(rows) if fits and isinstance(rows[0], Tensor) else values


def kind_of(result: Any) -> str:
    """A tensor's shape, or else the name of the type, for a message."""
    return str(tuple(result.shape)) if isinstance(result, Tensor) else type(result).__name__


def a_or_an(value: Any) -> str:
    """The value's type with its article, for a message."""
    kind = "None" if value is None else type(value).__name__
    return kind if value is None else f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"


def refuse(result: Any, mistakes: Iterable[tuple[Any, str]], **tolerances: float) -> None:
    """Raises ``Mistake`` with the message of the first known wrong result that ``result`` is."""
    for wrong, message in mistakes:
        if same(result, wrong, **tolerances):
            raise Mistake(message)
