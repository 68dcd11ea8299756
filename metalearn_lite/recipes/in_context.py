"""The learners of notebook 09, which learn by reading, and the table they are judged by."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.in_context import InContextLearner, first_examples
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess, EncodeDecode
from metalearn_lite.learners.recurrent import GRU, RecurrentLearner
from metalearn_lite.learners.transformer import Transformer, TransformerLearner
from metalearn_lite.recipes import Recipe
from metalearn_lite.tasks.linear import LinearRegression
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import cosine, meta_train, muon

World = Sinusoids | LinearRegression
LONGEST = 10  # examples in a context, in training
LENGTHS = (0, 1, 3, 5, 10, 20, 40)
NUM_TEST_TASKS = 4000


def of_some_length(
    world: World, num_tasks: int, longest: int, generator: torch.Generator
) -> Episodes:
    """Tasks with 10 query points, and a support of 0 to ``longest`` points, the same for all."""
    support, query = world.sample(num_tasks, longest, 10, generator)
    length = int(torch.randint(longest + 1, (), generator=generator))
    return Episodes(first_examples(support, length), query)


def train(
    kind: type[InContextLearner],
    network: EncodeDecode | GRU | Transformer,
    world: World,
    iterations: int,
    generator: torch.Generator,
    save_to: Path | None = None,
) -> Learner:
    """64 tasks at a time, each batch with a context of another length.

    Muon for the transformer. The others learn faster, and each iteration costs less, with Adam.
    """
    learner = kind(network, network.init(generator))
    sample = partial(of_some_length, world, 64, LONGEST)
    settings = {"outer_lr": 3e-3, "max_norm": 10.0}
    if kind is TransformerLearner:
        settings = {"outer_lr": 1e-3, "optimize": muon}
    meta_train(learner, sample, iterations, generator, schedule=cosine, save_to=save_to, **settings)
    return learner


def judge(world: World, learner: Learner) -> dict[str, str]:
    """Mean squared error on new tasks after reading each of ``LENGTHS`` examples."""
    generator = torch.Generator().manual_seed(2018)
    support, query = world.sample(NUM_TEST_TASKS, max(LENGTHS), 50, generator)
    return {
        f"error after {length} examples": str(
            evaluate(learner, Episodes(first_examples(support, length), query))
        )
        for length in LENGTHS
    }


WAVES, LINES = Sinusoids(), LinearRegression(5)
DATA = {
    WAVES: "sinusoids, amplitude 0.1 to 5, phase 0 to π, drawn anew for every iteration",
    LINES: "linear regression, 5 inputs, weights and inputs standard normal, drawn anew always",
}


def recipe(kind: type, network, world: World, iterations: int) -> Recipe:
    return Recipe(
        DATA[world], partial(train, kind, network, world, iterations), partial(judge, world)
    )


RECIPES = {
    "sinusoid-neural-process": recipe(ConditionalNeuralProcess, EncodeDecode(1), WAVES, 20_000),
    "sinusoid-recurrent": recipe(RecurrentLearner, GRU(1), WAVES, 20_000),
    "sinusoid-transformer": recipe(TransformerLearner, Transformer(1), WAVES, 4000),
    "linear-neural-process": recipe(ConditionalNeuralProcess, EncodeDecode(5), LINES, 20_000),
    "linear-recurrent": recipe(RecurrentLearner, GRU(5), LINES, 20_000),
    "linear-transformer": recipe(TransformerLearner, Transformer(5), LINES, 5000),
}
