"""The classifier of notebook 06, and what its embedding is judged by."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.images import NUM_SYMMETRIES, distort
from metalearn_lite.learners.classifier import FineTunedClassifier
from metalearn_lite.learners.simpleshot import SimpleShot
from metalearn_lite.networks import ConvNet
from metalearn_lite.recipes import SMALL1, Recipe, error
from metalearn_lite.tasks import characters
from metalearn_lite.training import cosine, meta_train, muon

NUM_RUNS = 1000


def labelled(pool: characters.Characters, num_images: int, generator: torch.Generator) -> Episodes:
    """One big task without support: distorted images, each with its class among all of ``pool``.

    A sign and its turned or mirrored image are different signs, so there are eight classes for
    every character.
    """
    shape = (1, num_images)
    character = torch.randint(pool.num_characters, shape, generator=generator)
    drawer = torch.randint(pool.num_drawers, shape, generator=generator)
    symmetry = torch.randint(NUM_SYMMETRIES, shape, generator=generator)
    x = pool.images[character, drawer].unsqueeze(2).float() / 255
    x, y = distort(x, generator, symmetry=symmetry), character * NUM_SYMMETRIES + symmetry
    return Episodes(Examples(x[:, :0], y[:, :0]), Examples(x, y))


def train(
    iterations: int, generator: torch.Generator, save_to: Path | None = None
) -> FineTunedClassifier:
    """A plain classifier of all characters of minimal set 1; its head is not kept."""
    pool, network = characters.Omniglot("small1"), ConvNet(norm="batch")
    head = torch.zeros(9 * network.channels[-1], NUM_SYMMETRIES * pool.num_characters)
    learner = FineTunedClassifier(network, network.init(generator) | {"head": head})
    sample = partial(labelled, pool, 128)
    # To make a matrix as large as the head orthogonal takes too long.
    optimize = partial(muon, but=("head",))
    options = {"schedule": cosine, "optimize": optimize, "save_to": save_to}
    meta_train(learner, sample, iterations, generator, outer_lr=2e-3, **options)
    embedding = {name: value for name, value in learner.params.items() if name != "head"}
    # Batch statistics are for training only: fix them, so that each image is judged alone.
    images = torch.cat([sample(generator=generator).query.x for _ in range(16)])
    return FineTunedClassifier(*network.freeze(embedding, images))


def judge(learner: FineTunedClassifier) -> dict[str, str]:
    """On alphabets of the other minimal set: runs built to the challenge's protocol."""
    pool = characters.standard_split("small1")[2]
    runs = characters.make_runs(pool, NUM_RUNS, torch.Generator().manual_seed(2015))
    known = characters.Omniglot("small1").images.flatten(0, 1)[None, :, None] / 255
    with torch.no_grad():
        centre = learner.embed(known).mean((0, 1))
    simple = SimpleShot(learner.network, learner.params, centre)
    return {
        "challenge error, new head": error(evaluate(learner, runs, num_at_once=20)),
        "challenge error, SimpleShot": error(evaluate(simple, runs)),
    }


RECIPES = {"omniglot-classifier": Recipe(SMALL1, partial(train, 3000), judge)}
