"""The baselines of notebook 02: the mean of 500 networks, each trained on a wave of its own."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path

import torch

from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.mean_of_networks import MeanOfNetworks
from metalearn_lite.learners.transfer import draw_networks
from metalearn_lite.recipes import Recipe
from metalearn_lite.recipes.sinusoids import NETWORK, judge
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import cosine, meta_train

NUM_NETWORKS = 500
NUM_POINTS = 20  # of each wave, drawn anew for every iteration
MAX_ERROR = 0.02  # of a network on its own wave, mean over networks, as in the paper
INNER_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)


def train(
    pull: float,
    towards: str,
    one_start: bool,
    generator: torch.Generator,
    save_to: Path | None = None,
    iterations: int = 5_000,
) -> MAML:
    """Finn, Abbeel & Levine (2017), appendix C.1; here all networks are trained at once.

    Args:
        pull, towards: as for ``MeanOfNetworks``.
        one_start: every network begins with the same random parameters, not with its own.
        iterations: fewer only in tests.

    Returns:
        A learner that starts from the mean, with the inner rate that is best on meta-validation
        tasks ("a tuned step size").

    Raises:
        RuntimeError: the networks have not learned their own waves.
    """
    tasks = Sinusoids().draw_tasks(NUM_NETWORKS, generator)
    params = draw_networks(NETWORK, 1 if one_start else NUM_NETWORKS, generator)
    params = {name: value.expand(NUM_NETWORKS, -1, -1) for name, value in params.items()}
    networks = MeanOfNetworks(NETWORK, params, pull=pull, towards=towards)

    def sample(generator: torch.Generator) -> Episodes:
        points = tasks.draw(NUM_POINTS, generator)
        return Episodes(points, points)

    options = {"schedule": cosine, "save_to": save_to, "compile": True}
    meta_train(networks, sample, iterations, generator, outer_lr=5e-3, **options)
    _require_learned(networks, tasks, generator)
    validation = Sinusoids().sample(1000, num_shots=5, num_queries=50, generator=generator)
    return with_best_inner_lr(networks.averaged(), validation)


@torch.no_grad()
def _require_learned(networks, tasks, generator) -> None:
    error = networks.own_losses(tasks.draw(200, generator)).mean().item()
    print(f"mean error of the {NUM_NETWORKS} networks on their own waves: {error:.4f}")
    if not error < MAX_ERROR:
        raise RuntimeError(
            f"the networks' mean error on their own waves is {error:.3f}, not below {MAX_ERROR}: "
            "train for more iterations, or pull less"
        )


def with_best_inner_lr(
    learner: MAML,
    validation: Episodes,
    rates: tuple[float, ...] = INNER_RATES,
    steps: tuple[int, ...] = (1, 5, 10),
) -> MAML:
    """A copy of ``learner`` with the inner rate that suits it best, found on ``validation`` tasks.

    Best is the lowest mean error, averaged over the numbers of ``steps``.
    """
    errors = {}
    for rate in rates:
        tried = copy.copy(learner)
        tried.inner_lr = rate
        errors[rate] = sum(evaluate(tried, validation, inner_steps=k).mean for k in steps)
    best = copy.copy(learner)
    best.inner_lr = min(errors, key=errors.get)
    return best


DATA = (
    f"{NUM_NETWORKS} sinusoids, amplitude 0.1 to 5, phase 0 to π, one network for each, "
    f"trained to a mean error below {MAX_ERROR}"
)

RECIPES = {
    "sinusoid-mean": Recipe(DATA, partial(train, 0.0, "mean", False), judge),
    "sinusoid-mean-one-start": Recipe(
        f"{DATA}; all from one random start", partial(train, 0.0, "mean", True), judge
    ),
    "sinusoid-mean-l2": Recipe(
        f"{DATA}; ℓ2 penalty, λ = 0.003", partial(train, 0.003, "zero", False), judge
    ),
    "sinusoid-mean-pulled": Recipe(
        f"{DATA}; pulled towards their mean, λ = 0.3", partial(train, 0.3, "mean", False), judge
    ),
}
