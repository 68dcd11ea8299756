"""RL² on bandits and in the convention game: policies whose memory does the learning."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from metalearn_lite.evaluation import Evaluation
from metalearn_lite.recipes import Recipe
from metalearn_lite.rl import bandit_players, convention_players
from metalearn_lite.rl.bandit_players import Player
from metalearn_lite.rl.convention_players import Deducer, RuledOut
from metalearn_lite.rl.rl2 import RL2, RecurrentActorCritic, practice
from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.tasks.conventions import Conventions
from metalearn_lite.tasks.environment import Environment
from metalearn_lite.training import cosine, meta_train

NUM_ARMS = 5
NUM_TEST_TASKS = 10_000
TEST_SEED = 1_000
AT_ONCE = 512
OUTER_LR = 1e-2
SHORT = {0: Bandits(NUM_ARMS, 10)}
LONG = {0: Bandits(NUM_ARMS, 10), 0.15: Bandits(NUM_ARMS, 30), 0.27: Bandits(NUM_ARMS, 100)}
PARTNERS = {0: Conventions()}


def players(num_pulls: int) -> dict[str, Player]:
    """The strategies that RL² is measured against, by name."""
    return {
        "random": bandit_players.RandomPlayer(NUM_ARMS),
        "greedy": bandit_players.Greedy(NUM_ARMS),
        "ε-greedy": bandit_players.EpsilonGreedy(NUM_ARMS),
        "Thompson": bandit_players.Thompson(NUM_ARMS),
        "UCB1": bandit_players.UCB1(NUM_ARMS),
        "Gittins": bandit_players.Gittins(NUM_ARMS, num_pulls),
    }


def train(
    lessons: dict[float, Environment],
    iterations: int,
    generator: torch.Generator,
    unfinished: Path | None = None,
    num_tasks: int = AT_ONCE,
    **settings: float,
) -> RL2:
    """Trains on the lessons one after the other: see `practice`. ``settings`` go to `RL2`."""
    game = lessons[0]
    task_size = game.sample_tasks(1, torch.Generator()).numel()
    network = RecurrentActorCritic(game.observation_size, game.num_actions, task_size)
    learner = RL2(network, network.init(generator), **settings)
    meta_train(
        learner,
        practice(learner, lessons, num_tasks),
        iterations,
        generator,
        outer_lr=OUTER_LR,
        schedule=cosine,
        max_norm=1.0,
        save_to=unfinished,
        save_every=50,
    )
    return learner


def bandit_rewards(player: Player, num_pulls: int, num_tasks: int) -> Evaluation:
    """A player's reward in a game of ``num_pulls`` on the first ``num_tasks`` test bandits."""
    generator = torch.Generator().manual_seed(TEST_SEED)
    bandits = Bandits(NUM_ARMS, num_pulls)
    tasks = bandits.sample_tasks(num_tasks, generator)
    games = bandit_players.play(player, bandits, tasks, generator=generator)
    return Evaluation(games.returns.squeeze(1))


def judge_bandits(lengths: tuple[int, ...], learner: RL2) -> dict[str, str]:
    return {
        f"{name}, {num_pulls} pulls": _written(bandit_rewards(player, num_pulls, NUM_TEST_TASKS))
        for num_pulls in lengths
        for name, player in {"RL²": learner, **players(num_pulls)}.items()
    }


def strangers() -> dict[str, Conventions]:
    """Kinds of partners by name. RL² is trained with the first kind only."""
    return {
        "one-to-one": Conventions(),
        "that slip in 1 round of 10": Conventions(slip=0.1),
        "that choose freely": Conventions(partners="free"),
    }


def judge_conventions(learner: RL2) -> dict[str, str]:
    result = {}
    for kind, game in strangers().items():
        for name, play in (
            ("RL²", learner.play),
            ("ruling out", partial(convention_players.play, RuledOut())),
            ("deducing", partial(convention_players.play, Deducer())),
        ):
            generator = torch.Generator().manual_seed(TEST_SEED)
            tasks = game.sample_tasks(NUM_TEST_TASKS, generator)
            returns = play(game, tasks, generator=generator).returns
            result[f"{name}, partners {kind}"] = _written(Evaluation(returns.squeeze(1)))
    return result


def _written(rewards: Evaluation) -> str:
    tasks = f"{len(rewards.scores):,} tasks"
    return f"{rewards.mean:.2f} ± {rewards.interval:.2f} ({tasks})"


BANDITS = f"bandits with {NUM_ARMS} arms, chances uniform in 0 … 1, drawn anew for every iteration"

RECIPES = {
    "bandits-rl2-10": Recipe(
        data=f"{BANDITS}; games of 10 pulls",
        train=partial(train, SHORT, 1000),
        judge=partial(judge_bandits, (10,)),
    ),
    "bandits-rl2-100": Recipe(
        data=f"{BANDITS}; games of 10, then 30, then 100 pulls",
        train=partial(train, LONG, 2000),
        judge=partial(judge_bandits, (10, 100, 500)),
    ),
    "conventions-rl2": Recipe(
        data="the convention game, 4 signals, 20 rounds, one-to-one partners drawn anew for "
        "every iteration",
        train=partial(train, PARTNERS, 1500, entropy_weight=0.1),
        judge=judge_conventions,
    ),
}
