"""The character learners of notebooks 00 and 07, and what they are judged by."""

from __future__ import annotations

from copy import copy
from functools import partial
from pathlib import Path

import torch

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.images import NUM_SYMMETRIES, distort, frame
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.elastic import ElasticPrototypes
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import MLP, ConvNet
from metalearn_lite.recipes import SMALL1, SMALL2, Recipe, error
from metalearn_lite.tasks import characters
from metalearn_lite.training import cosine, meta_train, muon

NUM_RUNS = 1000


def distorted(episodes: Episodes, generator: torch.Generator) -> Episodes:
    """``episodes`` with each image distorted, and each task turned and mirrored.

    A sign and its mirror image are different signs. So a task is put as a whole in one of the
    eight symmetries, support and query alike.
    """
    of_task = torch.randint(NUM_SYMMETRIES, (episodes.num_tasks, 1), generator=generator)
    return Episodes(
        *(Examples(distort(x, generator, symmetry=of_task.expand_as(y)), y) for x, y in episodes)
    )


def framed(pool: characters.Characters) -> characters.Characters:
    """The same characters, each centred and scaled to fill its image."""
    images = frame(pool.images.unsqueeze(2).float() / 255).squeeze(2)
    images = (255 * images).round().to(torch.uint8)
    return characters.Characters(images, pool.alphabets, pool.names, pool.source)


def train_one_shot(
    kind: type[PrototypicalNetwork],
    settings: dict[str, str | float],
    network: ConvNet,
    set_name: str | None,
    iterations: int,
    generator: torch.Generator,
    save_to: Path | None = None,
) -> Learner:
    """A learner for the one-shot challenge. Its real images are one minimal set, or none.

    Trained as it is tested: 20 characters of one alphabet by one person each, five such runs at a
    time. Five alphabets of real signs are few, so four that are made up (`Glyphs`) join them.
    """
    learner = kind(network, kind.init(network, generator), **settings)
    pool = characters.Glyphs(4, 200)
    if set_name is not None:
        pool = characters.join(characters.Omniglot(set_name), pool)
    pool = framed(pool)

    def sample(generator: torch.Generator) -> Episodes:
        return distorted(characters.make_runs(pool, 5, generator), generator)

    options = {"schedule": cosine, "optimize": muon, "save_to": save_to}
    meta_train(learner, sample, iterations, generator, outer_lr=2e-3, **options)
    # Batch statistics are for training only: fix them, so that each image is judged alone.
    images = torch.cat([sample(generator).support.x for _ in range(20)])
    frozen, params = network.freeze(learner.params, images)
    return kind(frozen, params, **settings, framed=True, all_symmetries=True)


def judge_one_shot(set_name: str, learner: Learner) -> dict[str, str]:
    """On alphabets of the other minimal set: runs built to the challenge's protocol.

    And on the runs that judge the learner of the other set, whose alphabets this one was trained
    on. What it misreads there is not hard because it is new.
    """
    alphabets = characters.standard_split(set_name)[2]
    trained_on = characters.standard_split("small2" if set_name == "small1" else "small1")[2]
    plain = copy(learner)
    plain.all_symmetries = False
    return {
        "runs built from": _large_enough(alphabets),
        "challenge error": _challenge_error(learner, alphabets),
        "challenge error without symmetries": _challenge_error(plain, alphabets),
        "challenge error, alphabets trained on": _challenge_error(learner, trained_on),
    }


def judge_without_real_images(learner: Learner) -> dict[str, str]:
    """On runs of either minimal set, none of which it has seen."""
    return {
        f"challenge error, runs built from {_large_enough(alphabets)}": _challenge_error(
            learner, alphabets
        )
        for alphabets in map(characters.Omniglot, ("small1", "small2"))
    }


def _large_enough(alphabets: characters.Characters) -> str:
    return ", ".join(name for name, size in alphabets.alphabet_sizes.items() if size >= 20)


def _challenge_error(learner: Learner, alphabets: characters.Characters) -> str:
    runs = characters.make_runs(alphabets, NUM_RUNS, torch.Generator().manual_seed(2015))
    return error(evaluate(learner, runs, num_at_once=1))


def train_maml(iterations: int, generator: torch.Generator, save_to: Path | None = None) -> Learner:
    """MAML for 5-way 1-shot with a fully connected network, as in Finn et al. (2017), section 5.2.

    Ours has no batch normalisation (so no answer depends on other queries) and two hidden layers.
    """
    network = MLP(28 * 28, 128, 64, 5)
    learner = MAML(network, network.init(generator), inner_lr=0.1, inner_steps=3)
    pool = characters.Omniglot("small1")

    def sample(generator: torch.Generator) -> Episodes:
        return distorted(pool.sample(16, 5, 1, 3, generator), generator)

    options = {"schedule": cosine, "save_to": save_to}
    meta_train(learner, sample, iterations, generator, outer_lr=1e-3, **options)
    return learner


def judge_maml(learner: Learner) -> dict[str, str]:
    """Accuracy on 1,000 tasks, 5-way 1-shot, of characters never trained on."""
    pool = characters.standard_split("small1")[2]
    episodes = pool.sample(1000, 5, 1, 5, torch.Generator().manual_seed(2017))
    return {"5-way 1-shot accuracy": str(evaluate(learner, episodes))}


PLAIN = PrototypicalNetwork, {"distance": "cosine", "sharpness": 20.0}, ConvNet(norm="batch")
ELASTIC = ElasticPrototypes, {}, ConvNet((32, 64, 128, 64), norm="batch", num_unpooled=2)

# No recipe looks at the official runs: they must choose nothing. Once a checkpoint is committed,
# `python -m metalearn_lite challenge` is run, and what it says is written by hand, with the date,
# into the card's line "official challenge".
RECIPES = {
    "omniglot-protonet": Recipe(
        f"{SMALL1}, and Glyphs",
        partial(train_one_shot, *PLAIN, "small1", 7000),
        partial(judge_one_shot, "small1"),
    ),
    "omniglot-elastic": Recipe(
        f"{SMALL1}, and Glyphs",
        partial(train_one_shot, *ELASTIC, "small1", 4500),
        partial(judge_one_shot, "small1"),
    ),
    "omniglot-elastic-small2": Recipe(
        f"{SMALL2}, and Glyphs",
        partial(train_one_shot, *ELASTIC, "small2", 4500),
        partial(judge_one_shot, "small2"),
    ),
    "glyphs-elastic": Recipe(
        "Glyphs, no real image",
        partial(train_one_shot, *ELASTIC, None, 1500),
        judge_without_real_images,
    ),
    "omniglot-maml": Recipe(SMALL1, partial(train_maml, 8000), judge_maml),
}
