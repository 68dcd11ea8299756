"""2-D navigation: the reinforcement-learning tasks of Finn, Abbeel & Levine (2017), section 5.3."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite.tasks.environment import Environment

REWARDS = ("squared", "distance")


class Navigation(Environment):
    """A point starts at the origin and should reach a goal that it does not see.

    A task is its goal ``(T, 2)``, uniform in [-0.5, 0.5]². An observation is the place, an action
    the next move.

    Args:
        reward: "squared" gives minus the squared distance to the goal, as the paper says.
            "distance" gives minus the distance, as the authors' code does.
        show_goal: an observation is the place and the goal. Nothing is left to find out: a policy
            trained on this is the "oracle" of the paper.
    """

    horizon = 100
    action_size = 2
    max_action = 0.1
    max_observation = 10.0

    def __init__(self, reward: str = "squared", show_goal: bool = False):
        if reward not in REWARDS:
            raise ValueError(f"reward={reward!r}: choose 'squared' or 'distance'")
        self.reward = reward
        self.show_goal = show_goal
        self.observation_size = 4 if show_goal else 2

    def sample_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> Tensor:
        return torch.rand(num_tasks, 2, generator=generator) - 0.5

    def start(
        self, tasks: Tensor, num_trajectories: int, generator: torch.Generator | None = None
    ) -> Tensor:
        place = torch.zeros(len(tasks), num_trajectories, 2)
        return self._state(tasks, place)

    def step(
        self, tasks: Tensor, state: Tensor, action: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        place = state[..., :2] + action.clamp(-self.max_action, self.max_action)
        squared = (place - tasks.unsqueeze(1)).square().sum(-1)
        reward = -(squared if self.reward == "squared" else squared.sqrt())
        return self._state(tasks, place), reward

    def _state(self, tasks: Tensor, place: Tensor) -> Tensor:
        if not self.show_goal:
            return place
        return torch.cat([place, tasks.unsqueeze(1).expand_as(place)], -1)
