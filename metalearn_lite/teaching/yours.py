"""What a reader wrote runs what follows in the notebook, as soon as its check passes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import torch

from metalearn_lite.teaching.comparing import a_or_an, as_tensors
from metalearn_lite.teaching.console import printable
from metalearn_lite.teaching.exercises import check, stepped_in

WHICH = {
    "right": "✔ {name}: your own function runs from here.",
    "wrong": "✗ {name}: its check refuses your function, so the package's runs from here.",
    "not attempted": "○ {name}: not attempted yet, so the package's version runs from here.",
}


def yours(name: str, answer: Callable, package_version: Callable) -> Callable:
    """``answer``, if exercise ``name``'s check passes, else ``package_version``; says which.

    An answer that returns arrays, lists or another precision than it was given comes back in a
    wrapper: its results are then tensors, of its arguments' precision. Where these are plain
    numbers, as Python's are in double precision, so are the results.

    Raises:
        TypeError: ``package_version`` is no function.
        KeyError: there is no exercise ``name``; the message lists those there are.
    """
    if not callable(package_version):
        raise TypeError(f"package_version must be a function, not {a_or_an(package_version)}")
    watched = _Watched(answer) if callable(answer) else answer
    status = "not attempted" if answer is package_version else check(name, watched).status
    print(printable(WHICH[status].format(name=name)))
    if status == "right":
        return answer if watched.returns_tensors else watched
    stepped_in[name] = package_version
    return package_version


class _Watched:
    """A function whose results are made tensors, and which knows whether any was not."""

    def __init__(self, answer: Callable):
        functools.update_wrapper(self, answer)  # takes over attributes, so before our own
        self.returns_tensors = True
        self.answer = answer

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self.answer(*args, **kwargs)
        made = as_tensors(result, _precision([*args, *kwargs.values()]))
        if _unlike(made, result):
            self.returns_tensors = False
            return made
        return result


def _precision(given: Iterable[Any]) -> torch.dtype:
    """Of the first floating-point tensor among the arguments; else torch's own.

    Double if all of them are plain numbers and text.
    """
    given = list(given)
    if given and all(isinstance(value, int | float | str) for value in given):
        return torch.float64
    for value in given:
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            return value.dtype
        parts = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list | tuple):
            found = _precision(parts)
            if found != torch.get_default_dtype():
                return found
    return torch.get_default_dtype()


def _unlike(made: Any, result: Any) -> bool:
    """Whether making tensors changed anything; a tuple or dict is always made anew."""
    if type(made) is not type(result):
        return True
    if isinstance(made, dict):
        made, result = list(made.values()), list(result.values())
    if isinstance(made, list | tuple):
        return any(_unlike(*pair) for pair in zip(made, result, strict=True))
    return made is not result and isinstance(made, torch.Tensor)
