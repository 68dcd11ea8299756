"""The learned optimiser of notebook 12, and those made by hand that it is judged beside."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from metalearn_lite.evaluation import Evaluation
from metalearn_lite.learners.base import task_losses, trainable
from metalearn_lite.learners.learned_optimiser import LearnedOptimiser, Problems, random_starts
from metalearn_lite.learners.recurrent import GRU
from metalearn_lite.networks import MLP, Params
from metalearn_lite.recipes import Recipe
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import cosine, meta_train

NETWORK = MLP(1, 20, 20, 1)
NUM_POINTS = 20
NUM_TEST_TASKS = 200
RATES = {
    torch.optim.SGD: (0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1),
    torch.optim.Adam: (0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1),
}


def draw_problems(num_tasks: int, generator: torch.Generator) -> Problems:
    """Waves with 20 support points, and for each a random network to be trained on them."""
    start = random_starts(NETWORK, num_tasks, generator)
    return Problems(start, Sinusoids().sample(num_tasks, NUM_POINTS, 20, generator))


@torch.no_grad()
def query_losses(path: Iterable[Params], problems: Problems) -> Tensor:
    """``(steps + 1, T)``: the query loss of each network along ``path``."""
    x, y = problems.episodes.query
    return torch.stack([task_losses(NETWORK(params, x).squeeze(-1), y) for params in path])


def by_hand(kind: type[torch.optim.Optimizer], rate: float, problems: Problems, steps: int):
    """What ``LearnedOptimiser.path`` yields, but made by an optimiser of PyTorch.

    SGD and Adam treat every parameter alone. So all tasks can share one optimiser.
    """
    params, support = trainable(problems.start), problems.episodes.support
    optimiser = kind(params.values(), lr=rate)
    yield params
    for _ in range(steps):
        with torch.enable_grad():
            loss = task_losses(NETWORK(params, support.x).squeeze(-1), support.y).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield params


def best_rate(kind: type[torch.optim.Optimizer], problems: Problems, steps: int) -> float:
    """The rate of ``RATES`` with the lowest query loss, averaged over all steps and ``problems``.

    It is the measure that the learned optimiser is trained by. So the comparison is fair.
    """
    losses = {
        rate: query_losses(by_hand(kind, rate, problems, steps), problems)[1:].mean()
        for rate in RATES[kind]
    }
    return min(losses, key=losses.get)


def train(
    iterations: int, generator: torch.Generator, save_to: Path | None = None
) -> LearnedOptimiser:
    """Eight networks are trained at a time, for 40 steps each."""
    network = GRU(inputs=1, width=20)
    learner = LearnedOptimiser(network, network.init(generator), NETWORK.sizes, inner_steps=40)

    def sample(generator: torch.Generator) -> Problems:
        return draw_problems(8, generator)

    settings = {"outer_lr": 1e-2, "schedule": cosine, "max_norm": 1.0, "save_to": save_to}
    meta_train(learner, sample, iterations, generator, **settings)
    return learner


def judge(learner: LearnedOptimiser) -> dict[str, str]:
    """Query error after training new networks on new waves, beside the best SGD and Adam.

    Their rates are chosen on other waves than these.
    """
    validation = draw_problems(100, torch.Generator().manual_seed(2019))
    test = draw_problems(NUM_TEST_TASKS, torch.Generator().manual_seed(2020))
    steps = learner.inner_steps
    with torch.no_grad():
        paths = {"learned": learner.path(test.episodes.support, test.start, 5 * steps)}
        rows = {name: query_losses(path, test) for name, path in paths.items()}
    for kind in RATES:
        rate = best_rate(kind, validation, steps)
        path = by_hand(kind, rate, test, 5 * steps)
        rows[f"{kind.__name__}, rate {rate:g}"] = query_losses(path, test)
    return {
        f"{name}, {count} steps": str(Evaluation(losses[count]))
        for name, losses in rows.items()
        for count in (steps, 5 * steps)
    }


DATA = "sinusoids, amplitude 0.1 to 5, phase 0 to π, 20 points, a random 1-20-20-1 network for each"
RECIPES = {"sinusoid-learned-optimiser": Recipe(DATA, partial(train, 4000), judge)}
