"""The command line that makes each checkpoint again.

A recipe says how a learner is made, how it is trained, and how it is judged. Run one with
``python -m metalearn_lite train RECIPE``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch

from metalearn_lite.evaluation import Evaluation
from metalearn_lite.learners.base import Learner

SMALL1 = "Omniglot minimal set 1 (5 alphabets, 136 characters)"
SMALL2 = "Omniglot minimal set 2 (5 alphabets, 156 characters)"

MODULES = {
    "sinusoid-maml": "sinusoids",
    "sinusoid-maml-10-shot": "sinusoids",
    "sinusoid-joint": "sinusoids",
    "sinusoid-fomaml": "sinusoids",
    "sinusoid-reptile": "sinusoids",
    "sinusoid-anil": "sinusoids",
    "sinusoid-meta-sgd": "sinusoids",
    "sinusoid-l2": "sinusoids",
    "sinusoid-imaml": "sinusoids",
    "sinusoid-maml-plus-plus": "sinusoids",
    "sinusoid-maml-5-steps": "sinusoids",
    "sinusoid-first-order-first": "sinusoids",
    "sinusoid-multi-step": "sinusoids",
    "sinusoid-learned-rates": "sinusoids",
    "sinusoid-all-rates": "sinusoids",
    "sinusoid-mean": "baselines",
    "sinusoid-mean-one-start": "baselines",
    "sinusoid-mean-l2": "baselines",
    "sinusoid-mean-pulled": "baselines",
    "sinusoid-neural-process": "in_context",
    "sinusoid-recurrent": "in_context",
    "sinusoid-transformer": "in_context",
    "linear-neural-process": "in_context",
    "linear-recurrent": "in_context",
    "linear-transformer": "in_context",
    "omniglot-classifier": "characters",
    "omniglot-maml": "omniglot",
    "omniglot-protonet": "omniglot",
    "omniglot-elastic": "omniglot",
    "omniglot-elastic-small2": "omniglot",
    "glyphs-elastic": "omniglot",
    "omniglot-siamese": "metric",
    "omniglot-matching": "metric",
    "omniglot-prototypical": "metric",
    "omniglot-prototypical-cosine": "metric",
    "omniglot-relation": "metric",
    "omniglot-conv-maml": "convolutional",
    "omniglot-conv-fomaml": "convolutional",
    "omniglot-conv-anil": "convolutional",
    "omniglot-conv-support-norm": "convolutional",
    "omniglot-conv-no-norm": "convolutional",
    "omniglot-conv-per-step-norm": "convolutional",
    "omniglot-conv-prototypical": "convolutional",
    "bandits-rl2-10": "memory",
    "bandits-rl2-100": "memory",
    "conventions-rl2": "memory",
    "navigation-maml": "navigation",
    "navigation-joint": "navigation",
    "navigation-oracle": "navigation",
    "navigation-imitation": "navigation",
    "vehicle-maml": "navigation",
    "vehicle-joint": "navigation",
    "sinusoid-learned-optimiser": "learned_optimiser",
}


@dataclass(frozen=True)
class Recipe:
    """``train`` takes a generator and a file for unfinished runs; ``judge`` takes a learner."""

    data: str
    train: Callable[[torch.Generator, Path | None], Learner]
    judge: Callable[[Learner], dict[str, str]]
    seed: int = 0


def find(name: str) -> Recipe:
    """The recipe called ``name``.

    Raises:
        KeyError: there is none; the message lists those there are.
    """
    if name not in MODULES:
        raise KeyError(f"no recipe {name!r}. There are: {', '.join(MODULES)}")
    return import_module(f"{__name__}.{MODULES[name]}").RECIPES[name]


def accuracy(result: Evaluation) -> str:
    """As a card says it: the share that is right, with its 95 % interval."""
    return f"{100 * result.mean:.2f} ± {100 * result.interval:.2f} %"


def error(result: Evaluation) -> str:
    """The share that is wrong, likewise."""
    return f"{100 * (1 - result.mean):.2f} ± {100 * result.interval:.2f} %"
