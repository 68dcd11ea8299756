"""2-D navigation: the reinforcement-learning tasks of Finn, Abbeel & Levine (2017), section 5.3."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.tasks.environment import Environment

REWARDS = ("distance", "squared")
LARGEST_MOVE = 0.1
NEAR = 0.01


class Navigation(Environment):
    """A point starts at the origin and should reach a goal that it does not see.

    A task is its goal ``(T, 2)``, uniform in [-0.5, 0.5]². An observation is the place, an action
    the next move: two numbers from -1 to 1, in units of the largest move, 0.1. It is over when both
    coordinates are within 0.01 of the goal's.

    Args:
        reward: "distance" gives minus the distance to the goal, as the authors' code does and as
            the paper's figures are measured. "squared" gives minus its square, as the text says.
        show_goal: an observation is the place and the goal. Nothing is left to find out: a policy
            trained on this is the "oracle" of the paper.
    """

    horizon = 100
    action_size = 2
    max_action = 1.0
    max_observation = 10.0

    def __init__(self, reward: str = "distance", show_goal: bool = False):
        checks.choice(REWARDS, reward=reward)
        self.reward = reward
        self.show_goal = show_goal
        self.observation_size = 4 if show_goal else 2

    def sample_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> Tensor:
        checks.count(num_tasks=num_tasks)
        checks.fits(num_tasks=num_tasks, numbers_of_a_task=2)
        return torch.rand(num_tasks, 2, generator=generator) - 0.5

    def start(
        self, tasks: Tensor, num_trajectories: int, generator: torch.Generator | None = None
    ) -> Tensor:
        checks.count(num_trajectories=num_trajectories)
        checks.fits(tasks=len(tasks), num_trajectories=num_trajectories, numbers_seen=2)
        place = torch.zeros(len(tasks), num_trajectories, 2)
        return self._state(tasks, place)

    def step(
        self, tasks: Tensor, state: Tensor, action: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        move = LARGEST_MOVE * action.clamp(-self.max_action, self.max_action)
        place = state[..., :2] + move
        squared = (place - tasks.unsqueeze(1)).square().sum(-1)
        reward = -(squared if self.reward == "squared" else squared.sqrt())
        return self._state(tasks, place), reward

    def ended(self, tasks: Tensor, state: Tensor) -> Tensor:
        return ((state[..., :2] - tasks.unsqueeze(1)).abs() < NEAR).all(-1)

    def _state(self, tasks: Tensor, place: Tensor) -> Tensor:
        if not self.show_goal:
            return place
        return torch.cat([place, tasks.unsqueeze(1).expand_as(place)], -1)
