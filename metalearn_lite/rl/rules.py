"""Rules of reinforcement learning: how a policy changes after it acted.

A rule looks at every action alone and gives it a weight. The policy's parameters then move by the
sum of weight · ∇ log π(action). What it looks at, ``NUM_SEEN`` numbers, means the same in every
task, so one rule can serve many kinds of tasks and policies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.networks import Params
from metalearn_lite.rl.policies import GaussianPolicy
from metalearn_lite.rl.returns import returns_to_go
from metalearn_lite.rl.trajectories import Trajectories, rollout
from metalearn_lite.tasks.environment import Environment

NUM_SEEN = 3


def seen_of(advantage: Tensor, chance: Tensor, updates: float) -> Tensor:
    """What a rule looks at, ``(…, 3)``, of actions ``(…)``.

    Args:
        advantage: how much better it went than what it is compared with.
        chance: how likely the action was, 0 … 1; of numbers, its density over the highest there is.
        updates: how often the policy has changed before: 0, 1, 2, … It is seen as
            1 / (1 + updates).
    """
    return torch.stack([advantage, chance, torch.full_like(advantage, 1 / (1 + updates))], -1)


class Learning(NamedTuple):
    """Policies for bandits while they learn, and what they were paid so far."""

    preferences: Tensor
    """``(T, N, num_arms)``: the logits of each policy, 0 at first"""
    paid: Tensor
    """``(T, N)``"""
    pulls: int


class Rule(ABC):
    """How a policy changes. ``weights`` is the rule; the rest is what follows from it.

    As a bandit player it has the verbs of `bandit_players`, for bandits of ``num_arms``.
    """

    num_arms: int

    @abstractmethod
    def weights(self, seen: Tensor) -> Tensor:
        """The weight of each action, ``(…)``, for what is seen of it, ``(…, 3)``."""

    def for_arms(self, num_arms: int) -> Self:
        """The same rule, playing bandits of another size."""
        checks.count(2, num_arms=num_arms)
        other = copy(self)
        other.num_arms = num_arms
        return other

    def start(self, num_tasks: int, num_games: int) -> Learning:
        """Before the first pull all arms are alike."""
        checks.count(num_tasks=num_tasks, num_games=num_games)
        checks.fits(num_tasks=num_tasks, num_games=num_games, num_arms=self.num_arms)
        alike = torch.zeros(num_tasks, num_games, self.num_arms)
        return Learning(alike, alike[..., 0], 0)

    def choose(self, memory: Learning, generator: torch.Generator | None = None) -> Tensor:
        """An arm for each game ``(T, N)``, drawn as the policy says."""
        chances = memory.preferences.softmax(-1)
        noise = torch.empty_like(chances).exponential_(generator=generator)
        return (chances / noise).argmax(-1)

    @torch.no_grad()
    def learn(self, memory: Learning, arms: Tensor, rewards: Tensor) -> Learning:
        """One update after each pull. It is compared with the mean of what was paid before.

        That mean begins as if one more pull had paid a half.
        """
        chances = memory.preferences.softmax(-1)
        chance = chances.gather(-1, arms.unsqueeze(-1)).squeeze(-1)
        advantage = rewards - (memory.paid + 0.5) / (memory.pulls + 1)
        weight = self.weights(seen_of(advantage, chance, memory.pulls)).unsqueeze(-1)
        slope = F.one_hot(arms, self.num_arms) - chances  # of log π(arm) in the preferences
        preferences = memory.preferences + weight * slope
        return Learning(preferences, memory.paid + rewards, memory.pulls + 1)

    @torch.no_grad()
    def practise(
        self,
        environment: Environment,
        policy: GaussianPolicy,
        start: Params,
        tasks: Tensor,
        num_updates: int,
        num_trajectories: int,
        generator: torch.Generator | None = None,
    ) -> list[Trajectories]:
        """What a policy plays in each task before each update, and after the last.

        Args:
            start: the policy's parameters before the first, the same in every task.
        """
        checks.count(0, checks.MOST_STEPS, num_updates=num_updates)
        params = {name: value.expand(len(tasks), *value.shape) for name, value in start.items()}
        played = [rollout(environment, policy, params, tasks, num_trajectories, generator)]
        for updates in range(num_updates):
            params = self.update(policy, params, played[-1], updates)
            played.append(rollout(environment, policy, params, tasks, num_trajectories, generator))
        return played

    def update(
        self, policy: GaussianPolicy, params: Params, played: Trajectories, updates: int = 0
    ) -> Params:
        """The parameters ``(T, …)`` after one update: the mean over all steps played counts.

        An action's return to go is compared with those of the other trajectories at the same step,
        in units of the spread of all these differences in a task.
        """
        ahead, on = returns_to_go(played.rewards), played.played
        count = on.sum((1, 2), keepdim=True)
        better = (ahead - (ahead * on).sum(1, keepdim=True) / on.sum(1, keepdim=True).clamp(1)) * on
        better = better / ((better.square().sum((1, 2), keepdim=True) / count).sqrt() + 1e-6)
        moved = {name: value.detach().requires_grad_() for name, value in params.items()}
        with torch.enable_grad():
            log_prob = policy.log_prob(moved, *played[:2])
        with torch.no_grad():
            likeliest = policy.mean(moved, played.observations)
            highest = policy.log_prob(moved, played.observations, likeliest)
            seen = seen_of(better, (log_prob - highest).exp(), updates)
            weight = self.weights(seen) * on / count
        slopes = torch.autograd.grad(log_prob, list(moved.values()), weight)
        return {n: value.detach() + s for (n, value), s in zip(moved.items(), slopes, strict=True)}


class Reinforce(Rule):
    """The rule made by hand (Williams, 1992): an action weighs as much as it did better.

    Args:
        rate: what that is multiplied by.
        fading: from update to update the rate falls as 1 / (1 + updates) to this power.
        num_arms: of the bandits that it plays.
    """

    def __init__(self, rate: float = 1.0, fading: float = 0.0, num_arms: int = 5):
        checks.rate(rate=rate, fading=fading)
        checks.count(2, num_arms=num_arms)
        self.rate = rate
        self.fading = fading
        self.num_arms = num_arms

    def weights(self, seen: Tensor) -> Tensor:
        advantage, _, new = seen.unbind(-1)
        return self.rate * new**self.fading * advantage
