"""The character learners of notebooks 00 and 07, and what they are judged by."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import Evaluation, evaluate
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import MLP, ConvNet
from metalearn_lite.recipes import Recipe
from metalearn_lite.tasks import characters
from metalearn_lite.tasks.distortions import NUM_SYMMETRIES, distort
from metalearn_lite.training import cosine, meta_train, muon

NUM_RUNS = 1000


def distorted(
    pool: characters.Characters,
    num_tasks: int,
    num_ways: int,
    num_queries: int,
    within_alphabet: bool,
    generator: torch.Generator,
) -> Episodes:
    """One-shot episodes in which each image is distorted, and each task turned and mirrored.

    A sign and its mirror image are different signs. So a task is put as a whole in one of the
    eight symmetries, support and query alike.
    """
    episodes = pool.sample(num_tasks, num_ways, 1, num_queries, generator, within_alphabet)
    of_task = torch.randint(NUM_SYMMETRIES, (num_tasks, 1), generator=generator)
    return Episodes(
        *(Examples(distort(x, generator, symmetry=of_task.expand_as(y)), y) for x, y in episodes)
    )


def train_protonet(
    set_name: str, iterations: int, generator: torch.Generator, save_to: Path | None = None
) -> Learner:
    """A prototypical network for the one-shot challenge, from one minimal set alone.

    Trained as it is tested: 20 characters of one alphabet, five such tasks at a time.
    """
    network = ConvNet(norm="batch")
    learner = PrototypicalNetwork(network, network.init(generator), "cosine", sharpness=20.0)
    sample = partial(distorted, characters.Omniglot(set_name), 5, 20, 1, True)
    meta_train(learner, sample, iterations, generator, 2e-3, cosine, muon, save_to)
    # Batch statistics are for training only: fix them, so that each image is judged alone.
    images = torch.cat([sample(generator=generator).support.x for _ in range(20)])
    frozen, params = network.freeze(learner.params, images)
    return PrototypicalNetwork(frozen, params, "cosine", learner.sharpness, all_symmetries=True)


def judge_protonet(set_name: str, learner: Learner) -> dict[str, str]:
    """On alphabets of the other minimal set: runs built to the challenge's protocol."""
    alphabets = characters.standard_split(set_name)[2]
    generator = torch.Generator().manual_seed(2015)
    runs = characters.make_runs(alphabets, NUM_RUNS, generator)
    large_enough = [name for name, size in alphabets.alphabet_sizes.items() if size >= 20]
    plain = PrototypicalNetwork(learner.network, learner.params, learner.distance)
    return {
        "runs built from": ", ".join(large_enough),
        "challenge error": _error(evaluate(learner, runs, num_at_once=20)),
        "challenge error without symmetries": _error(evaluate(plain, runs)),
    }


def train_maml(iterations: int, generator: torch.Generator, save_to: Path | None = None) -> Learner:
    """MAML for 5-way 1-shot with a fully connected network, as in Finn et al. (2017), section 5.2.

    Ours has no batch normalisation (so no answer depends on other queries) and two hidden layers.
    """
    network = MLP(28 * 28, 128, 64, 5)
    learner = MAML(network, network.init(generator), inner_lr=0.1, inner_steps=3)
    sample = partial(distorted, characters.Omniglot("small1"), 16, 5, 3, False)
    meta_train(learner, sample, iterations, generator, 1e-3, cosine, save_to=save_to)
    return learner


def judge_maml(learner: Learner) -> dict[str, str]:
    """Accuracy on 1,000 tasks, 5-way 1-shot, of characters never trained on."""
    pool = characters.standard_split("small1")[2]
    episodes = pool.sample(1000, 5, 1, 5, torch.Generator().manual_seed(2017))
    return {"5-way 1-shot accuracy": str(evaluate(learner, episodes))}


def _error(result: Evaluation) -> str:
    return f"{100 * (1 - result.mean):.2f} ± {100 * result.interval:.2f} %"


RECIPES = {
    "omniglot-protonet": Recipe(
        "Omniglot minimal set 1 (5 alphabets, 136 characters)",
        partial(train_protonet, "small1", 5000),
        partial(judge_protonet, "small1"),
    ),
    "omniglot-protonet-small2": Recipe(
        "Omniglot minimal set 2 (5 alphabets, 156 characters)",
        partial(train_protonet, "small2", 5000),
        partial(judge_protonet, "small2"),
    ),
    "omniglot-maml": Recipe(
        "Omniglot minimal set 1 (5 alphabets, 136 characters)",
        partial(train_maml, 8000),
        judge_maml,
    ),
}
