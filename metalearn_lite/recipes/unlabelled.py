"""The learners of notebook 14 that see no label, beside `omniglot-conv-prototypical` that does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import ConvClassifier
from metalearn_lite.recipes import SMALL1, Recipe
from metalearn_lite.recipes.convolutional import DIMENSIONS, ITERATIONS, NUM_WAYS, WIDTH, judge
from metalearn_lite.recipes.omniglot import distorted
from metalearn_lite.tasks import characters
from metalearn_lite.tasks.unlabelled import AugmentedTasks, ClusteredTasks, clusters, principal
from metalearn_lite.training import cosine, meta_train, muon

NUM_TASKS = 8
Sampler = Callable[..., Episodes]


def without_labels(pool: characters.Characters) -> torch.Tensor:
    """All images of ``pool`` ``(M, 1, 28, 28)``, and nothing about whose they are."""
    return pool.images.flatten(0, 1).unsqueeze(1).float() / 255


def augmented(images: torch.Tensor) -> Sampler:
    """UMTRA's tasks."""
    return partial(AugmentedTasks(images).sample, NUM_TASKS, NUM_WAYS, 3)


def clustered(images: torch.Tensor) -> Sampler:
    """CACTUs' tasks, of ten partitions into 200 clusters."""
    tasks = ClusteredTasks(images, clusters(principal(images), 200, 10))
    return partial(tasks.sample, NUM_TASKS, NUM_WAYS, 1, 3)


def train(
    tasks: Callable[[torch.Tensor], Sampler],
    iterations: int,
    generator: torch.Generator,
    save_to: Path | None = None,
) -> Learner:
    """As `recipes.convolutional.train` trains its prototypical network, on other tasks.

    The same body from the same start, as many tasks of the same size; each task is turned,
    mirrored and distorted there and here. Only who says what belongs together differs.
    """
    network = ConvClassifier(DIMENSIONS, WIDTH)
    start = torch.Generator().manual_seed(generator.initial_seed())
    learner = PrototypicalNetwork(network, network.init(start))
    draw = tasks(without_labels(characters.Omniglot("small1")))

    def sample(generator: torch.Generator) -> Episodes:
        return distorted(draw(generator=generator), generator)

    optimize = partial(muon, but=("scale", "shift", "weight5"))
    options = {"schedule": cosine, "optimize": optimize, "max_norm": 10.0, "save_to": save_to}
    meta_train(learner, sample, iterations, generator, outer_lr=1e-3, **options)
    return learner


RECIPES = {
    name: Recipe(f"{SMALL1}, without its labels", partial(train, tasks, ITERATIONS), judge)
    for name, tasks in {"omniglot-umtra": augmented, "omniglot-cactus": clustered}.items()
}
