"""The policies of notebook 10: navigation, the vehicle, and what they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from metalearn_lite.evaluation import Evaluation, evaluate_by_playing
from metalearn_lite.learners.maml import MAML
from metalearn_lite.recipes import Recipe
from metalearn_lite.rl.imitation import Demonstrations, examples
from metalearn_lite.rl.maml_policy_gradient import MAMLPolicyGradient
from metalearn_lite.rl.policies import DeterministicPolicy, GaussianPolicy
from metalearn_lite.rl.trajectories import rollout
from metalearn_lite.tasks.environment import Environment
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.tasks.vehicle import Vehicle
from metalearn_lite.training import cosine, meta_train

NUM_TASKS, NUM_TRAJECTORIES = 20, 20
NUM_JUDGED = 600
NUM_PUBLISHED = 40  # goals under the paper's figures
UPDATES = 3


def train(
    environment: Environment,
    settings: dict[str, Any],
    iterations: int,
    generator: torch.Generator,
    save_to: Path | None = None,
    outer_lr: float = 1e-3,
    std: float = 1.0,
    last: float = 1.0,
) -> MAMLPolicyGradient:
    """20 tasks an iteration, 20 trajectories a task; Adam where the paper has TRPO.

    A policy begins with the standard deviation ``std``, and its last layer multiplied by ``last``.
    """
    policy = GaussianPolicy(environment.observation_size, 100, 100, environment.action_size)
    params = policy.init(generator, std, last)
    learner = MAMLPolicyGradient(policy, params, **settings)
    play = partial(learner.play, environment, NUM_TASKS, NUM_TRAJECTORIES)
    options = {"max_norm": 1.0, "save_to": save_to, "save_every": 50}
    meta_train(learner, play, iterations, generator, outer_lr=outer_lr, schedule=cosine, **options)
    return learner


def train_joint(
    environment: Environment,
    settings: dict[str, Any],
    iterations: int,
    generator: torch.Generator,
    save_to: Path | None = None,
    rates: Sequence[float] = (0.1, 0.05, 0.02, 0.01),
    **options: Any,
) -> MAMLPolicyGradient:
    """Joint training, with the inner rate that suits what came of it best.

    Of four rates, the one with the highest return over three updates, on tasks of its own.
    """
    learner = train(environment, settings, iterations, generator, save_to, **options)
    found = {}
    for rate in rates:
        learner.inner_lr = rate
        same = torch.Generator().manual_seed(1)
        updates = evaluate_by_playing(learner, environment, 50, 40, UPDATES, same)[1:]
        found[rate] = sum(each.mean for each in updates)
    learner.inner_lr = max(found, key=found.get)
    return learner


def judge(
    environment: Environment, learner: MAMLPolicyGradient, updates: int = UPDATES
) -> dict[str, str]:
    """The mean return in 600 new tasks; every update learns from 40 trajectories."""
    found = _played(environment, learner, NUM_JUDGED, updates)
    return {f"return after {updates} updates": str(each) for updates, each in enumerate(found)}


def judge_as_published(
    environment: Environment, learner: MAMLPolicyGradient, updates: int = UPDATES
) -> dict[str, str]:
    """The same, and once more in 40 tasks, as many as the paper's figures rest on."""
    few = _played(environment, learner, NUM_PUBLISHED, updates)
    return judge(environment, learner, updates) | {
        f"return after {updates} updates, {NUM_PUBLISHED} goals": str(each)
        for updates, each in enumerate(few)
    }


def _played(environment, learner, num_tasks: int, updates: int) -> list[Evaluation]:
    generator = torch.Generator().manual_seed(2017)
    return evaluate_by_playing(learner, environment, num_tasks, 40, updates, generator)


def train_imitation(
    iterations: int, generator: torch.Generator, save_to: Path | None = None
) -> MAML:
    """MAML as for sinusoids, on demonstrations: 40 tasks an iteration, two demonstrations each."""
    policy = DeterministicPolicy(2, 100, 100, 2)
    learner = MAML(policy, policy.init(generator), inner_lr=0.1)
    sample = partial(Demonstrations().sample, 40)
    options = {"max_norm": 1.0, "save_to": save_to}
    meta_train(learner, sample, iterations, generator, outer_lr=1e-3, schedule=cosine, **options)
    return learner


@torch.no_grad()
def judge_imitation(learner: MAML) -> dict[str, str]:
    """The return in 600 new tasks, without noise, after steps on one demonstration."""
    generator, demonstrations = torch.Generator().manual_seed(2017), Demonstrations()
    environment = demonstrations.environment
    tasks = environment.sample_tasks(NUM_JUDGED, generator)
    support = examples(demonstrations.show(tasks, 1, generator), 0)
    result = {}
    for steps in range(UPDATES + 1):
        adapted = learner.adapt(support, steps)
        played = rollout(environment, learner.network, adapted, tasks, 1)
        result[f"return after {steps} steps"] = str(Evaluation(played.returns[:, 0]))
    return result


NAVIGATION = "2-D navigation, reward minus the distance, goals drawn anew every iteration"
VEHICLE = "vehicles of unknown inertia and friction, drawn anew every iteration"
# As in the paper: half the rate from the second update on.
NAVIGATING = {"inner_lr": 0.5, "later_lr": 0.5}
# Later updates are trained for as well, with less noise in the actions to begin with: who trembles
# less hits the hundredth around the goal sooner, once an update has brought the mean there.
TWICE = {"inner_steps": 2}
JOINT = {"inner_steps": 0}
NAVIGATE, WITH_GOAL, DRIVE = Navigation(), Navigation(show_goal=True), Vehicle()
# What a torque does shows soon. At first no vehicle keeps its heading, and a free step makes all of
# them spin for good. Advantages keep their size near the heading, so that half a step overshoots.
DRIVING = {"inner_lr": 0.1, "later_lr": 0.25, "discount": 0.95}
DRIVING_MAML = DRIVING | {"max_step": 0.3}
FASTER = {"outer_lr": 3e-3}
DRIVERS = {"outer_lr": 1.5e-3, "std": 0.2, "last": 0.01}

RECIPES = {
    "navigation-maml": Recipe(
        NAVIGATION,
        partial(train, NAVIGATE, NAVIGATING | TWICE, 150, std=0.5, **FASTER),
        partial(judge_as_published, NAVIGATE),
    ),
    "navigation-joint": Recipe(
        NAVIGATION,
        partial(
            train_joint, NAVIGATE, NAVIGATING | JOINT, 150, rates=(0.5, 0.4, 0.3, 0.2), **FASTER
        ),
        partial(judge_as_published, NAVIGATE),
    ),
    "navigation-oracle": Recipe(
        f"{NAVIGATION}; the goal is seen",
        partial(train, WITH_GOAL, NAVIGATING | JOINT, 500, std=0.3, **FASTER),
        partial(judge_as_published, WITH_GOAL, updates=0),
    ),
    "navigation-imitation": Recipe(
        "2-D navigation, two demonstrations of each task",
        partial(train_imitation, 1500),
        judge_imitation,
    ),
    "vehicle-maml": Recipe(
        VEHICLE, partial(train, DRIVE, DRIVING_MAML, 1200, **DRIVERS), partial(judge, DRIVE)
    ),
    "vehicle-joint": Recipe(
        VEHICLE,
        partial(train_joint, DRIVE, JOINT | {"discount": 0.95}, 1200, **DRIVERS),
        partial(judge, DRIVE),
    ),
}
