"""The sinusoid learners of notebooks 04 and 05, and the table they are judged by."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.anil import ANIL
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.implicit_maml import ImplicitMAML
from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.maml_plus_plus import MAMLPlusPlus
from metalearn_lite.learners.meta_sgd import MetaSGD
from metalearn_lite.learners.regularised import RegularisedMAML
from metalearn_lite.learners.reptile import Reptile
from metalearn_lite.networks import MLP
from metalearn_lite.recipes import Recipe
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import constant, cosine, meta_train

NETWORK = MLP(1, 40, 40, 1)
PUBLISHED = {"MAML": (0.67, 0.38, 0.35), "joint training": (2.41, 2.23, 2.19)}
"""mean squared error after 1, 5 and 10 steps on 5 points, by Finn, Abbeel & Levine (2017)"""
ITERATIONS = 50_000  # of MAML and of joint training, which is compared with it


def train(
    make: Callable[..., MAML],
    num_shots: int,
    iterations: int,
    schedule: Callable[[float], float],
    generator: torch.Generator,
    save_to: Path | None = None,
    max_norm: float = math.inf,
) -> Learner:
    """The tasks and the outer loop of Finn, Abbeel & Levine (2017), section 5.1: 25 tasks, Adam.

    The paper's own setting is one inner step of rate 0.01, 10 shots and a constant outer rate. It
    is trained here too, since a few tasks diverge from where it ends. Ours has 5 shots and an outer
    rate that falls to 0.

    Args:
        make: the learner, called with the network and its first parameters.
        max_norm: as for ``meta_train``. With several inner steps, now and then a task runs away.
    """
    learner = make(NETWORK, NETWORK.init(generator))
    sample = partial(Sinusoids().sample, 25, num_shots)
    options = {"schedule": schedule, "max_norm": max_norm, "save_to": save_to, "compile": True}
    meta_train(learner, sample, iterations, generator, outer_lr=1e-3, **options)
    return learner


def judge(learner: MAML) -> dict[str, str]:
    """Mean squared error on 10,000 new tasks after 0, 1, 5 and 10 steps on 5 support points."""
    generator = torch.Generator().manual_seed(2017)
    episodes = Sinusoids().sample(10_000, num_shots=5, num_queries=100, generator=generator)
    return {
        f"error after {steps} steps": str(evaluate(learner, episodes, inner_steps=steps))
        for steps in (0, 1, 5, 10)
    }


DATA = "sinusoids, amplitude 0.1 to 5, phase 0 to π, drawn anew for every iteration"

# All steps are judged. So in these, each step's loss counts alike to the end.
FIVE_STEPS = partial(MAMLPlusPlus, inner_steps=5, last_step_share=0.2)
PLAIN = partial(FIVE_STEPS, multi_step=False, learned_rates=False)

FRIENDS = {
    "sinusoid-fomaml": (partial(MAML, inner_lr=0.005, inner_steps=5, order=1), 30_000),
    "sinusoid-reptile": (partial(Reptile, inner_lr=0.01, inner_steps=5), 60_000),
    "sinusoid-anil": (partial(ANIL, inner_lr=0.01, inner_steps=5), 50_000),
    "sinusoid-meta-sgd": (partial(MetaSGD, inner_lr=0.01, inner_steps=1), 60_000),
    "sinusoid-l2": (partial(RegularisedMAML, inner_lr=0.01, inner_steps=5, strength=1.0), 40_000),
    "sinusoid-imaml": (partial(ImplicitMAML, inner_lr=0.005, inner_steps=16, strength=2.0), 15_000),
    "sinusoid-maml-plus-plus": (FIVE_STEPS, 40_000),
    # What each change of MAML++ adds by itself. First-order for the first tenth, as long as the
    # rest has it, ends in a meta-loss of infinity after 2,642 iterations.
    "sinusoid-maml-5-steps": (PLAIN, 40_000),
    "sinusoid-first-order-first": (partial(PLAIN, first_order_until=0.05), 40_000),
    "sinusoid-multi-step": (partial(PLAIN, multi_step=True), 40_000),
    "sinusoid-learned-rates": (partial(PLAIN, learned_rates=True), 40_000),
    "sinusoid-all-rates": (partial(FIVE_STEPS, per_parameter=True), 60_000),
}

RECIPES = {
    "sinusoid-maml": Recipe(DATA, partial(train, MAML, 5, ITERATIONS, cosine), judge),
    "sinusoid-maml-10-shot": Recipe(DATA, partial(train, MAML, 10, 70_000, constant), judge),
    "sinusoid-joint": Recipe(DATA, partial(train, JointTraining, 5, ITERATIONS, cosine), judge),
} | {
    name: Recipe(DATA, partial(train, make, 5, iterations, cosine, max_norm=10.0), judge)
    for name, (make, iterations) in FRIENDS.items()
}
