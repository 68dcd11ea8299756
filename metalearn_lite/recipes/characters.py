"""The classifier of notebook 06, and what its embedding is judged by."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import Evaluation, evaluate
from metalearn_lite.learners.classifier import FineTunedClassifier
from metalearn_lite.learners.simpleshot import SimpleShot
from metalearn_lite.networks import ConvNet, Params
from metalearn_lite.recipes import Recipe
from metalearn_lite.tasks import characters
from metalearn_lite.tasks.distortions import NUM_SYMMETRIES, distort
from metalearn_lite.training import Optimizers, adam, cosine, meta_train, muon

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
    meta_train(learner, sample, iterations, generator, 2e-3, cosine, optimize, save_to=save_to)
    embedding = {name: value for name, value in learner.params.items() if name != "head"}
    # Batch statistics are for training only: fix them, so that each image is judged alone.
    images = torch.cat([sample(generator=generator).query.x for _ in range(16)])
    return FineTunedClassifier(*network.freeze(embedding, images))


def optimize(params: Params, outer_lr: float) -> Optimizers:
    """Muon, but Adam for the head: to make so large a matrix orthogonal takes too long."""
    embedding = {name: value for name, value in params.items() if name != "head"}
    return [*muon(embedding, outer_lr), *adam({"head": params["head"]}, outer_lr)]


def judge(learner: FineTunedClassifier) -> dict[str, str]:
    """On alphabets of the other minimal set: runs built to the challenge's protocol."""
    pool = characters.standard_split("small1")[2]
    runs = characters.make_runs(pool, NUM_RUNS, torch.Generator().manual_seed(2015))
    known = characters.Omniglot("small1").images.flatten(0, 1)[None, :, None] / 255
    with torch.no_grad():
        centre = learner.embed(known).mean((0, 1))
    simple = SimpleShot(learner.network, learner.params, centre)
    return {
        "challenge error, new head": _error(evaluate(learner, runs, num_at_once=20)),
        "challenge error, SimpleShot": _error(evaluate(simple, runs)),
    }


def _error(result: Evaluation) -> str:
    return f"{100 * (1 - result.mean):.2f} ± {100 * result.interval:.2f} %"


RECIPES = {
    "omniglot-classifier": Recipe(
        "Omniglot minimal set 1 (5 alphabets, 136 characters)", partial(train, 3000), judge
    ),
}
