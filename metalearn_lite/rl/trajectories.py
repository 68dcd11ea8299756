"""Trajectories: what happened while a policy acted."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.networks import Params
from metalearn_lite.rl.policies import Policy
from metalearn_lite.tasks.environment import Environment


class Trajectories(NamedTuple):
    """``N`` trajectories of ``H`` steps in each of ``T`` tasks."""

    observations: Tensor
    """``(T, N, H, observation_size)``: what the policy saw before each action"""
    actions: Tensor
    """``(T, N, H)`` integers, or ``(T, N, H, action_size)`` numbers as drawn, before clipping"""
    rewards: Tensor
    """``(T, N, H)``, 0 after the end"""
    played: Tensor
    """``(T, N, H)``: 1.0 up to the last step of a trajectory, 0.0 after its end"""

    @property
    def returns(self) -> Tensor:
        """Each trajectory's sum of rewards, ``(T, N)``."""
        return self.rewards.sum(-1)


def stack_steps(steps: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """Observations, actions, rewards …, step by step ``(T, N, …)``, as ``(T, N, H, …)`` each."""
    return tuple(torch.stack(part, 2) for part in zip(*steps, strict=True))


@torch.no_grad()
def rollout(
    environment: Environment,
    policy: Policy,
    params: Params,
    tasks: Tensor,
    num_trajectories: int,
    generator: torch.Generator | None = None,
) -> Trajectories:
    """Lets the policy act for ``horizon`` steps, in all tasks and trajectories at once.

    A trajectory that has ended stays where it is, and earns nothing.

    Args:
        params: the policy's, shared by all tasks or with a task axis.
        tasks: ``(T, …)``, from ``environment.sample_tasks``.
    """
    checks.count(num_trajectories=num_trajectories)
    state = environment.start(tasks, num_trajectories, generator)
    played = torch.ones(state.shape[:2])
    steps = []
    for _ in range(environment.horizon):
        observation = environment.observe(state)
        action = policy.sample(params, observation, generator)
        after, reward = environment.step(tasks, state, action, generator)
        steps.append((observation, action, reward * played, played))
        going_on = played.view(*played.shape, *[1] * (state.dim() - 2)).bool()
        state = torch.where(going_on, after, state)
        played = played * ~environment.ended(tasks, state)
    return Trajectories(*stack_steps(steps))
