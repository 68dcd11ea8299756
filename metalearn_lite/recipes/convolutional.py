"""The learners of notebooks 08 and 17 on equal terms: one body, one stream of episodes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.anil import ANIL
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.batch_norm import NoNorm, PerStepNorm, SupportNorm
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.learners.ridge_head import RidgeHead
from metalearn_lite.networks import ConvClassifier, Params
from metalearn_lite.recipes import SMALL1, Recipe, accuracy
from metalearn_lite.recipes.omniglot import distorted
from metalearn_lite.tasks import characters
from metalearn_lite.training import cosine, meta_train, muon

NUM_WAYS, WIDTH, DIMENSIONS = 5, 32, 64
INNER_LR = 0.4  # and one inner step, as in the paper
ITERATIONS = 1500
NUM_TASKS = 1000


def new_ridge_head(network: ConvClassifier, params: Params) -> RidgeHead:
    """With strength and scale where training hardly moves them: chosen on validation tasks."""
    ten = torch.tensor(10.0)
    return RidgeHead(network, params | {"log_strength": ten.log(), "log_scale": ten.log()})


EMBED = (PrototypicalNetwork, new_ridge_head)
"""for these the network's outputs are coordinates, not classes"""


def sample(pool: characters.Characters, generator: torch.Generator, num_tasks: int = 8) -> Episodes:
    """5-way 1-shot tasks of distorted images, with 3 queries a class."""
    return distorted(pool.sample(num_tasks, NUM_WAYS, 1, 3, generator), generator)


def train(
    make: Callable[..., Learner],
    iterations: int,
    generator: torch.Generator,
    save_to: Path | None = None,
) -> Learner:
    """What ``make(network, params)`` returns, trained on minimal set 1.

    Whatever the learner, its body starts from the same numbers and it sees the same images.
    """
    network = ConvClassifier(DIMENSIONS if make in EMBED else NUM_WAYS, WIDTH)
    # A generator of its own: a head of another size would shift the episodes.
    start = torch.Generator().manual_seed(generator.initial_seed())
    learner = make(network, network.init(start))
    episodes = partial(sample, characters.Omniglot("small1"))
    # A head of five outputs and the scales and shifts of several steps are matrices too, but they
    # map nothing from many directions to many.
    optimize = partial(muon, but=("scale", "shift", "weight5"))
    options = {"schedule": cosine, "optimize": optimize, "max_norm": 10.0, "save_to": save_to}
    meta_train(learner, episodes, iterations, generator, outer_lr=1e-3, **options)
    if isinstance(learner, PerStepNorm):
        learner.keep_statistics(episodes(generator, num_tasks=160))
    return learner


def judge(learner: Learner) -> dict[str, str]:
    """Accuracy on characters never trained on, on the same tasks for all learners.

    Each task's 25 queries are asked together, as published results are, and each in a call of its
    own. Where the two differ, queries have told each other something.
    """
    pool = characters.standard_split("small1")[2]
    tasks = pool.sample(NUM_TASKS, NUM_WAYS, 1, 5, torch.Generator().manual_seed(2017))
    result = {}
    for alone, how in ((False, "queries together"), (True, "each query alone")):
        result[f"accuracy, {how}"] = accuracy(evaluate(learner, tasks, alone=alone))
    return result


KINDS = {
    "omniglot-conv-maml": partial(MAML, inner_lr=INNER_LR),
    "omniglot-conv-fomaml": partial(MAML, inner_lr=INNER_LR, order=1),
    "omniglot-conv-anil": partial(ANIL, inner_lr=INNER_LR),
    "omniglot-conv-support-norm": partial(SupportNorm, inner_lr=INNER_LR),
    "omniglot-conv-no-norm": partial(NoNorm, inner_lr=INNER_LR),
    "omniglot-conv-per-step-norm": partial(PerStepNorm, inner_lr=INNER_LR),
    "omniglot-conv-prototypical": PrototypicalNetwork,
    "omniglot-conv-ridge": new_ridge_head,
}
RECIPES = {
    name: Recipe(SMALL1, partial(train, kind, ITERATIONS), judge) for name, kind in KINDS.items()
}
