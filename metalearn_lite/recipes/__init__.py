"""The command line that makes each checkpoint again.

A recipe says how a learner is made, how it is trained, and how it is judged. Run one with
``python -m metalearn_lite train RECIPE``. A file is named after what it trains and lists it in
``RECIPES``; that is all it takes for a recipe to be found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import torch

from metalearn_lite.evaluation import Evaluation
from metalearn_lite.learners.base import Learner

SMALL1 = "Omniglot minimal set 1 (5 alphabets, 136 characters)"
SMALL2 = "Omniglot minimal set 2 (5 alphabets, 156 characters)"


@dataclass(frozen=True)
class Recipe:
    """``train`` takes a generator and a file for unfinished runs; ``judge`` takes a learner."""

    data: str
    train: Callable[[torch.Generator, Path | None], Learner]
    judge: Callable[[Learner], dict[str, str]]
    seed: int = 0


@cache
def _modules() -> dict[str, str]:
    """By name of a recipe the file in this folder that has it in its ``RECIPES``."""
    files: dict[str, str] = {}
    for file in sorted(module.name for module in iter_modules(__path__)):
        for name in getattr(import_module(f"{__name__}.{file}"), "RECIPES", ()):
            if name in files:
                raise ValueError(
                    f"two recipes are called {name!r}, in {files[name]}.py and in {file}.py: "
                    "rename one of them"
                )
            files[name] = file
    return files


def __getattr__(name: str) -> dict[str, str]:
    """``MODULES``, made when it is first asked for: the files import from this one."""
    if name == "MODULES":
        return _modules()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def find(name: str) -> Recipe:
    """The recipe called ``name``.

    Raises:
        KeyError: there is none; the message lists those there are.
    """
    modules = _modules()
    if name not in modules:
        raise KeyError(f"no recipe {name!r}. There are: {', '.join(modules)}")
    return import_module(f"{__name__}.{modules[name]}").RECIPES[name]


def accuracy(result: Evaluation) -> str:
    """As a card says it: the share that is right, with its 95 % interval."""
    return f"{100 * result.mean:.2f} ± {100 * result.interval:.2f} %"


def error(result: Evaluation) -> str:
    """The share that is wrong, likewise."""
    return f"{100 * (1 - result.mean):.2f} ± {100 * result.interval:.2f} %"
