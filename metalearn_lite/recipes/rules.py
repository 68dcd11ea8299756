"""The learned rules of reinforcement learning of notebook 17, beside REINFORCE."""

from __future__ import annotations

from functools import cache, partial
from itertools import product
from pathlib import Path

import torch

from metalearn_lite.evaluation import Evaluation
from metalearn_lite.networks import MLP
from metalearn_lite.recipes import Recipe
from metalearn_lite.rl.learned_rule import LearnedRule, Lives, Walks, lived
from metalearn_lite.rl.policies import GaussianPolicy
from metalearn_lite.rl.rules import NUM_SEEN, Reinforce, Rule
from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.training import cosine, meta_train

World = Bandits | Walks

NETWORK = MLP(NUM_SEEN, 16, 1)
NUM_UPDATES, NUM_TRAJECTORIES = 5, 10
HORIZON, STD = 20, 0.5
NUM_TEST_TASKS = {"bandits": 10_000, "walks": 2_000}
NUM_CHOSEN_ON = {"bandits": 3_000, "walks": 500}
FADINGS = (0.0, 0.25, 0.5, 1.0, 1.5)
RATES = {"bandits": (1, 2, 3, 5, 8, 12, 20), "walks": (0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)}
CHOSEN = {
    ("bandits", 10): (8, 0.0),
    ("bandits", 100): (2, 0.0),
    ("walks", NUM_UPDATES): (0.7, 1.0),
}
"""REINFORCE's rate and fading by kind of world and length: what `choose` finds"""


def bandits(num_pulls: int, num_arms: int = 5) -> Bandits:
    return Bandits(num_arms, num_pulls)


def walks(num_updates: int = NUM_UPDATES) -> Walks:
    """Notebook 10's navigation made small: 20 steps, and a policy of one layer.

    Its mean is the same everywhere at first, no move at all; its standard deviation is a half.
    """
    environment = Navigation()
    environment.horizon = HORIZON
    policy = GaussianPolicy(environment.observation_size, environment.action_size)
    params = policy.init(torch.Generator().manual_seed(0), STD, last=0.0)
    return Walks(environment, policy, params, num_updates, NUM_TRAJECTORIES)


def kind_of(world: World) -> str:
    return "bandits" if isinstance(world, Bandits) else "walks"


def draw(world: World, num_tasks: int, generator: torch.Generator) -> Lives:
    tasks = world if isinstance(world, Bandits) else world.environment
    seed = torch.randint(2**31, (), generator=generator)
    return Lives(world, tasks.sample_tasks(num_tasks, generator), int(seed))


def judged_on(world: World, num_tasks: int | None = None) -> Lives:
    """Tasks that no rule is trained on, the same for all."""
    num_tasks = num_tasks or NUM_TEST_TASKS[kind_of(world)]
    return draw(world, num_tasks, torch.Generator().manual_seed(2025))


@cache
def choose(kind: str, length: int) -> tuple[float, float]:
    """REINFORCE's rate and fading that earn most, on validation tasks."""
    world = bandits(length) if kind == "bandits" else walks(length)
    lives = draw(world, NUM_CHOSEN_ON[kind], torch.Generator().manual_seed(1992))
    tried = product(RATES[kind], FADINGS)
    return max(tried, key=lambda both: lived(Reinforce(*both), lives).mean().item())


def train(
    world: World,
    num_tasks: int,
    iterations: int,
    scale: float,
    generator: torch.Generator,
    save_to: Path | None = None,
) -> LearnedRule:
    """Sixteen pairs an iteration, in each the same new tasks for all."""
    rule = LearnedRule(NETWORK, NETWORK.init(generator), num_pairs=16, spread=0.1, scale=scale)
    meta_train(
        rule, partial(draw, world, num_tasks), iterations, generator,
        outer_lr=0.02, schedule=cosine, save_to=save_to, save_every=50,
    )  # fmt: skip
    return rule


def judge_bandits(rule: LearnedRule) -> dict[str, str]:
    """Rewards beside those of REINFORCE, whose rate is chosen for each length of the game."""
    result = {}
    for num_pulls in (10, 100):
        lives = judged_on(bandits(num_pulls))
        result |= _beside(rule, lives, f"{num_pulls} pulls", CHOSEN["bandits", num_pulls])
    for num_arms in (2, 20):
        lives = judged_on(bandits(10, num_arms))
        players = rule.for_arms(num_arms), CHOSEN["bandits", 10]
        result |= _beside(players[0], lives, f"{num_arms} arms, 10 pulls", players[1])
    return result


def judge_walks(rule: LearnedRule) -> dict[str, str]:
    """Returns before each update and after the last, beside REINFORCE with the rate chosen."""
    by_hand = CHOSEN["walks", NUM_UPDATES]
    result = _beside(rule, judged_on(walks()), "whole life", by_hand)
    rows = {"learned": returns_of(rule), "REINFORCE": returns_of(Reinforce(*by_hand))}
    for name, played in rows.items():
        for updates, returns in enumerate(played):
            result[f"{name}, after {updates} updates"] = _written(returns)
    return result


def returns_of(rule: Rule, num_tasks: int | None = None) -> list[Evaluation]:
    """The mean returns of walks in test tasks, before each update and after the last."""
    (*made_of, num_updates, num_trajectories), tasks, seed = judged_on(walks(), num_tasks)
    generator = torch.Generator().manual_seed(seed)
    played = rule.practise(*made_of, tasks, num_updates, num_trajectories, generator)
    return [Evaluation(part.returns.mean(1)) for part in played]


def _beside(rule: Rule, lives: Lives, where: str, chosen: tuple[float, float]) -> dict[str, str]:
    num_arms = rule.num_arms
    ours, theirs = lived(rule, lives), lived(Reinforce(*chosen).for_arms(num_arms), lives)
    rate, fading = chosen
    by_hand = f"REINFORCE (rate {rate:g}, fading {fading:g})"
    rows = {"learned": ours, by_hand: theirs, "learned - REINFORCE": ours - theirs}
    return {f"{name}, {where}": _written(Evaluation(scores)) for name, scores in rows.items()}


def _written(result: Evaluation) -> str:
    return f"{result.mean:.2f} ± {result.interval:.2f} ({len(result.scores):,} tasks)"


RECIPES = {
    "rule-bandits": Recipe(
        data="bandits with 5 arms, chances uniform in 0 … 1, games of 10 pulls, drawn anew for "
        "every iteration",
        train=partial(train, bandits(10), 128, 600, 3.0),
        judge=judge_bandits,
    ),
    "rule-walks": Recipe(
        data=f"2-D navigation, goals drawn anew for every iteration; {HORIZON} steps a walk, "
        f"{NUM_TRAJECTORIES} walks an update, {NUM_UPDATES} updates a life, a policy of one layer",
        train=partial(train, walks(), 24, 300, 1.0),
        judge=judge_walks,
    ),
}
