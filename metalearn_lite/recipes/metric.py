"""The ways to compare of notebook 07, on equal terms: one embedding, one stream of episodes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.matching import MatchingNetwork
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.learners.relation import RelationNetwork
from metalearn_lite.learners.siamese import SiameseNetwork
from metalearn_lite.networks import ConvNet
from metalearn_lite.recipes import SMALL1, Recipe, accuracy
from metalearn_lite.recipes.omniglot import distorted
from metalearn_lite.tasks import characters
from metalearn_lite.training import cosine, meta_train, muon

CHANNELS = (16, 32, 64, 64)
ITERATIONS = 3000
NUM_TASKS = 400


def sample(pool: characters.Characters, generator: torch.Generator) -> Episodes:
    """One 20-way task of 120 distorted images: by a coin 1 shot and 5 queries, or 5 and 1."""
    num_shots = 1 if torch.rand((), generator=generator) < 0.5 else 5
    return distorted(pool.sample(1, 20, num_shots, 6 - num_shots, generator), generator)


def train(
    kind: type[Learner],
    settings: dict[str, str],
    iterations: int,
    generator: torch.Generator,
    save_to: Path | None = None,
) -> Learner:
    """A learner of ``kind`` on minimal set 1.

    Whatever the kind, the embedding starts from the same numbers and sees the same images.
    """
    network = ConvNet(CHANNELS)
    # A generator of its own: some kinds draw more parameters, and would shift the episodes.
    start = torch.Generator().manual_seed(generator.initial_seed())
    learner = kind(network, kind.init(network, start), **settings)
    episodes = partial(sample, characters.Omniglot("small1"))
    # The weights of a relation network's MLP are so tall that Muon's steps, whose length grows with
    # height over width, would overshoot.
    optimize = partial(muon, but=("relation_mlp",))
    options = {"schedule": cosine, "optimize": optimize, "save_to": save_to}
    meta_train(learner, episodes, iterations, generator, outer_lr=2e-3, **options)
    return learner


def judge(learner: Learner) -> dict[str, str]:
    """Accuracy on characters never trained on, on the same tasks for all learners."""
    pool = characters.standard_split("small1")[2]
    result = {}
    for num_ways, num_queries in ((5, 5), (20, 2)):
        for num_shots in (1, 5):
            generator = torch.Generator().manual_seed(2017)
            tasks = pool.sample(NUM_TASKS, num_ways, num_shots, num_queries, generator)
            result[f"{num_ways}-way {num_shots}-shot accuracy"] = accuracy(
                evaluate(learner, tasks, num_at_once=20)
            )
    return result


KINDS = {
    "omniglot-siamese": (SiameseNetwork, {}),
    "omniglot-matching": (MatchingNetwork, {}),
    "omniglot-prototypical": (PrototypicalNetwork, {}),
    "omniglot-prototypical-cosine": (PrototypicalNetwork, {"distance": "cosine"}),
    "omniglot-relation": (RelationNetwork, {}),
}
RECIPES = {
    name: Recipe(SMALL1, partial(train, kind, settings, ITERATIONS), judge)
    for name, (kind, settings) in KINDS.items()
}
