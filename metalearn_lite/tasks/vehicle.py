"""A vehicle that must turn to a heading. How heavy it is and how much it is braked is unknown."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.tasks.environment import Environment

INERTIA = (0.1, 5.0)
FRICTION = (0.05, 0.2)
SECONDS = 1.0


class Vehicle(Environment):
    """A torque of at most 1 turns a vehicle towards heading 0.

    A task is the inertia and the friction ``(T, 2)``. The inertia is drawn uniformly on a
    logarithmic scale, 0.1 to 5; the friction uniformly, 0.05 to 0.2. With heading h, turning rate ω
    and torque u: ``dh/dt = ω`` and ``inertia · dω/dt = u - friction · ω``. The torque can be
    changed once a second. So what steadies a heavy vehicle makes a light one swing.

    An observation is the heading in radians, between -π and π, and the turning rate in radians a
    second. A trajectory starts at rest, at any heading. The reward is minus the squared heading.
    """

    horizon = 40
    observation_size = 2
    action_size = 1
    max_action = 1.0
    max_observation = 20.0

    def sample_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> Tensor:
        checks.count(num_tasks=num_tasks)
        checks.fits(num_tasks=num_tasks, numbers_of_a_task=2)
        share = torch.rand(num_tasks, 2, generator=generator)
        low, high = INERTIA
        inertia = low * (high / low) ** share[:, 0]
        friction = FRICTION[0] + (FRICTION[1] - FRICTION[0]) * share[:, 1]
        return torch.stack([inertia, friction], 1)

    def start(
        self, tasks: Tensor, num_trajectories: int, generator: torch.Generator | None = None
    ) -> Tensor:
        checks.count(num_trajectories=num_trajectories)
        checks.fits(tasks=len(tasks), num_trajectories=num_trajectories, numbers_seen=2)
        heading = 2 * torch.rand(len(tasks), num_trajectories, generator=generator) - 1
        return torch.stack([math.pi * heading, torch.zeros_like(heading)], -1)

    def step(
        self, tasks: Tensor, state: Tensor, action: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        heading, rate = state.unbind(-1)
        inertia, friction = tasks.unsqueeze(1).unbind(-1)
        torque = action.squeeze(-1).clamp(-self.max_action, self.max_action)
        # Backward Euler: with any friction the turning rate stays below torque / friction.
        rate = (inertia * rate + SECONDS * torque) / (inertia + SECONDS * friction)
        heading = torch.remainder(heading + SECONDS * rate + math.pi, 2 * math.pi) - math.pi
        return torch.stack([heading, rate], -1), -heading.square()
