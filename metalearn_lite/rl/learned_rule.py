"""A learned rule of reinforcement learning, found by evolution strategies."""

from __future__ import annotations

from copy import copy
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.learners.base import trainable
from metalearn_lite.networks import MLP, Params
from metalearn_lite.rl.bandit_players import play
from metalearn_lite.rl.evolution import evolution_gradient
from metalearn_lite.rl.policies import GaussianPolicy
from metalearn_lite.rl.rules import NUM_SEEN, Rule
from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.tasks.environment import Environment


class Walks(NamedTuple):
    """Tasks of many steps, and how a policy practises in them: see `Rule.practise`."""

    environment: Environment
    policy: GaussianPolicy
    start: Params
    num_updates: int
    num_trajectories: int


class Lives(NamedTuple):
    """What a rule is scored on: tasks, how policies practise in them, the seed of all chance."""

    world: Bandits | Walks
    tasks: Tensor
    seed: int


def lived(rule: Rule, lives: Lives) -> Tensor:
    """What a policy earns in each task while it changes by the rule, ``(T,)``.

    Of bandits it is the reward of one game, of walks the mean return over all that is played.
    """
    world, tasks, seed = lives
    generator = torch.Generator().manual_seed(seed)
    if isinstance(world, Bandits):
        return play(rule, world, tasks, generator=generator).returns.squeeze(1)
    played = rule.practise(*world[:3], tasks, *world[3:], generator=generator)
    return torch.stack([part.returns.mean(1) for part in played]).mean(0)


class LearnedRule(Rule):
    """A rule that is a small network, the same for every action of every policy.

    Nobody tells it that what went well should be done more often. It is scored by what policies
    earn over their whole life while they change by it, and evolution strategies raise the score.
    That a learned rule should weigh ∇ log π is the idea of Oh et al. (2020). DiscoRL (Oh et al.,
    2025) does it at scale, and differentiates through the updates.

    Args:
        network: from three numbers to one.
        params: where its parameters start, ``network.init(generator)``.
        num_pairs: how many ways evolution looks in an iteration.
        spread: how far.
        scale: a weight is this times what the network answers.
        num_arms: of the bandits that it plays.
    """

    shares_tasks = False

    def __init__(
        self,
        network: MLP,
        params: Params,
        num_pairs: int = 16,
        spread: float = 0.1,
        scale: float = 1.0,
        num_arms: int = 5,
    ):
        checks.count(num_pairs=num_pairs)
        checks.positive(spread=spread, scale=scale)
        checks.count(2, num_arms=num_arms)
        self.network = network
        self.params = trainable(params)
        self.num_pairs = num_pairs
        self.spread = spread
        self.scale = scale
        self.num_arms = num_arms

    def advance(self, progress: float) -> None:
        """Called by ``meta_train``; early and late it trains alike."""
        checks.chance(progress=progress)

    @torch.no_grad()
    def weights(self, seen: Tensor) -> Tensor:
        rows = seen.reshape(1, -1, NUM_SEEN)
        return self.scale * self.network(self.params, rows).view(seen.shape[:-1])

    def meta_gradient(self, lives: Lives) -> tuple[Tensor, Params]:
        """Minus the mean of all scores, and what is descended to raise it.

        All the rules that evolution tries meet the same tasks and the same chance.
        """

        def score(params: Params) -> float:
            tried = copy(self)
            tried.params = params
            return lived(tried, lives).mean().item()

        generator = torch.Generator().manual_seed(lives.seed)
        mean, uphill = evolution_gradient(
            score, self.params, self.num_pairs, self.spread, generator
        )
        return torch.tensor(-mean), {name: -value for name, value in uphill.items()}
