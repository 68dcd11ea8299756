"""The contract of every environment: tasks in which a learner acts, all of them at once.

``T`` is ``num_tasks``, ``N`` counts the trajectories of a task, ``H`` is ``horizon``, the number of
steps in a trajectory that does not end before. An environment keeps nothing: the state goes in and
comes out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Environment(ABC):
    """A distribution of tasks with the same observations and actions.

    An environment has ``num_actions`` where an action is one of a few, an integer from 0. It has
    ``action_size`` and ``max_action`` where an action is that many numbers, each clipped by
    ``step`` to at most ``max_action`` in size.
    """

    horizon: int
    observation_size: int
    max_observation: float
    """no number in an observation is larger in size"""
    num_actions: int | None = None
    action_size: int | None = None
    max_action: float | None = None

    @abstractmethod
    def sample_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> Tensor:
        """What tells tasks apart: ``(T, …)``."""

    @abstractmethod
    def start(
        self, tasks: Tensor, num_trajectories: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """The first state of every trajectory: ``(T, N, …)``."""

    @abstractmethod
    def step(
        self, tasks: Tensor, state: Tensor, action: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """The next state ``(T, N, …)`` and the reward ``(T, N)``.

        Args:
            tasks: as ``sample_tasks`` gives them.
            state: ``(T, N, …)``.
            action: ``(T, N)`` integers, or ``(T, N, action_size)`` numbers.
            generator: the chance in it, if there is any.
        """

    def ended(self, tasks: Tensor, state: Tensor) -> Tensor:
        """Where the step that led to ``state`` was the last, ``(T, N)``: nowhere unless it is said.

        What comes after it is not part of the trajectory.
        """
        return torch.zeros(state.shape[:2], dtype=torch.bool)

    def observe(self, state: Tensor) -> Tensor:
        """What the learner sees: ``(T, N, observation_size)``. Never what tells tasks apart."""
        return state
