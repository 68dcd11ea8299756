"""Bernoulli bandits: the smallest tasks in which trying out must pay for itself."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.tasks.environment import Environment


class Bandits(Environment):
    """Slot machines with a few arms, as in Duan et al. (2016), section 3.1.

    A task is the chance of each arm to pay 1, ``(T, num_arms)``, uniform in [0, 1]. An arm that
    does not pay gives 0. An action is the arm to pull. A state is what the last pull showed: the
    arm as a one-hot vector, then the reward. Before the first pull it is all 0.

    Args:
        num_arms: how many arms there are to choose from.
        num_pulls: how many pulls a game has.
    """

    max_observation = 1.0

    def __init__(self, num_arms: int = 5, num_pulls: int = 10):
        checks.count(2, num_arms=num_arms)
        checks.count(num_pulls=num_pulls)
        self.num_actions = num_arms
        self.horizon = num_pulls
        self.observation_size = num_arms + 1

    def sample_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> Tensor:
        checks.count(num_tasks=num_tasks)
        checks.fits(num_tasks=num_tasks, num_arms=self.num_actions)
        return torch.rand(num_tasks, self.num_actions, generator=generator)

    def start(
        self, tasks: Tensor, num_trajectories: int, generator: torch.Generator | None = None
    ) -> Tensor:
        self._check(tasks, num_trajectories)
        size = self.observation_size
        checks.fits(tasks=len(tasks), num_trajectories=num_trajectories, numbers_seen=size)
        return torch.zeros(len(tasks), num_trajectories, self.observation_size)

    def step(
        self, tasks: Tensor, state: Tensor, action: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        chance = self.mean_reward(tasks, action)
        reward = (torch.rand(action.shape, generator=generator) < chance).float()
        return seen(action, reward, self.num_actions), reward

    def _check(self, tasks: Tensor, num_trajectories: int) -> None:
        checks.count(num_trajectories=num_trajectories)
        checks.values(tasks=tasks)
        if tasks.dim() != 2 or tasks.shape[1] != self.num_actions:
            raise ValueError(
                f"tasks has shape {tuple(tasks.shape)}: give the chances of {self.num_actions} "
                f"arms, (T, {self.num_actions})"
            )

    def mean_reward(self, tasks: Tensor, action: Tensor) -> Tensor:
        """What the arms pay on average, ``(T, N)`` for ``action`` ``(T, N)``."""
        return tasks.gather(1, action)


def seen(arms: Tensor, rewards: Tensor, num_arms: int) -> Tensor:
    """What a pull shows: ``(…, num_arms + 1)`` for ``arms`` and ``rewards`` ``(…)``."""
    return torch.cat([F.one_hot(arms, num_arms).float(), rewards.unsqueeze(-1)], -1)
