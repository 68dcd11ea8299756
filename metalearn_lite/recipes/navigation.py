"""The policies of notebook 10: navigation, the vehicle, and what they are compared with."""

from __future__ import annotations

from collections.abc import Callable
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
from metalearn_lite.training import constant, cosine, meta_train

NUM_TASKS, NUM_TRAJECTORIES = 20, 20
NUM_JUDGED = 600
UPDATES = 3


def train(
    environment: Environment,
    settings: dict[str, Any],
    iterations: int,
    generator: torch.Generator,
    save_to: Path | None = None,
    outer_lr: float = 1e-3,
    schedule: Callable[[float], float] = cosine,
    std: float = 0.1,
) -> MAMLPolicyGradient:
    """20 tasks an iteration, 20 trajectories a task; Adam where the paper has TRPO.

    A policy begins with means near 0 and the standard deviation ``std``.
    """
    policy = GaussianPolicy(environment.observation_size, 100, 100, environment.action_size)
    params = policy.init(generator, std)
    learner = MAMLPolicyGradient(policy, params, **settings)
    play = partial(learner.play, environment, NUM_TASKS, NUM_TRAJECTORIES)
    options = {"max_norm": 1.0, "save_to": save_to, "save_every": 50}
    meta_train(
        learner, play, iterations, generator, outer_lr=outer_lr, schedule=schedule, **options
    )
    return learner


def train_joint(
    environment: Environment,
    settings: dict[str, Any],
    iterations: int,
    generator: torch.Generator,
    save_to: Path | None = None,
    **options: Any,
) -> MAMLPolicyGradient:
    """Joint training, with the inner rate that suits what came of it best.

    Of four rates, the one with the highest return over three updates, on tasks of its own. At
    MAML's rate it would diverge.
    """
    learner = train(environment, settings, iterations, generator, save_to, **options)
    found = {}
    for rate in (0.1, 0.05, 0.02, 0.01):
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
    generator = torch.Generator().manual_seed(2017)
    found = evaluate_by_playing(learner, environment, NUM_JUDGED, 40, updates, generator)
    return {f"return after {updates} updates": str(each) for updates, each in enumerate(found)}


def train_imitation(
    iterations: int, generator: torch.Generator, save_to: Path | None = None
) -> MAML:
    """MAML as for sinusoids, on demonstrations: 40 tasks an iteration, two demonstrations each."""
    policy = DeterministicPolicy(2, 100, 100, 2)
    learner = MAML(policy, policy.init(generator), inner_lr=0.3)
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


NAVIGATION = "2-D navigation, reward minus the squared distance, goals drawn anew every iteration"
VEHICLE = "vehicles of unknown inertia and friction, drawn anew every iteration"
# The paper halves the rate after the first update. Our advantages keep their size near the goal,
# so that a halved step overshoots there.
MAML_SETTINGS = {"inner_lr": 0.1, "inner_steps": 1, "later_lr": 0.25}
JOINT_SETTINGS = {"inner_steps": 0}

# Minus the distance, as in the authors' code, does not forgive trembling near the goal: later steps
# are shorter still, and training is longer, until the policy draws its actions more narrowly.
DISTANCE_SETTINGS = MAML_SETTINGS | {"later_lr": 0.1, "discount": 0.95}

NAVIGATE, WITH_GOAL, DRIVE = Navigation(), Navigation(show_goal=True), Vehicle()
BY_DISTANCE = Navigation("distance")
MAML_NAVIGATES = partial(train, NAVIGATE, MAML_SETTINGS)
SOON = {"discount": 0.95}  # what a torque does shows soon
# At first no vehicle keeps its heading, and a free step makes all of them spin for good.
DRIVING_MAML = MAML_SETTINGS | SOON | {"max_step": 0.3}
DRIVING = {"outer_lr": 1.5e-3, "std": 0.2}

RECIPES = {
    "navigation-maml": Recipe(NAVIGATION, partial(MAML_NAVIGATES, 300), partial(judge, NAVIGATE)),
    "navigation-maml-half": Recipe(
        NAVIGATION, partial(MAML_NAVIGATES, 40, schedule=constant), partial(judge, NAVIGATE)
    ),
    "navigation-maml-distance": Recipe(
        "2-D navigation, reward minus the distance, goals drawn anew every iteration",
        partial(train, BY_DISTANCE, DISTANCE_SETTINGS, 1600, outer_lr=2e-3),
        partial(judge, BY_DISTANCE),
    ),
    "navigation-joint": Recipe(
        NAVIGATION, partial(train_joint, NAVIGATE, JOINT_SETTINGS, 300), partial(judge, NAVIGATE)
    ),
    "navigation-oracle": Recipe(
        f"{NAVIGATION}; the goal is seen",
        partial(train, WITH_GOAL, JOINT_SETTINGS, 500, outer_lr=3e-3),
        partial(judge, WITH_GOAL, updates=0),
    ),
    "navigation-imitation": Recipe(
        "2-D navigation, two demonstrations of each task",
        partial(train_imitation, 1500),
        judge_imitation,
    ),
    "vehicle-maml": Recipe(
        VEHICLE,
        partial(train, DRIVE, DRIVING_MAML, 1200, **DRIVING),
        partial(judge, DRIVE),
    ),
    "vehicle-joint": Recipe(
        VEHICLE,
        partial(train_joint, DRIVE, JOINT_SETTINGS | SOON, 1200, **DRIVING),
        partial(judge, DRIVE),
    ),
}
