"""Conventions: a game for two in which the other player is the task."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.tasks.environment import Environment

PARTNERS = ("one-to-one", "free")


class Conventions(Environment):
    """You and a partner see a signal, and are paid 1 if both of you do the same.

    The partner follows a convention that you do not know: for each signal, an action. You never
    see what the partner does, only whether it was what you did. A task is the partner:
    ``(T, num_signals, num_signals)``, how likely each action (column) is at each signal (row).
    There are as many actions as signals.

    Every round's signal is drawn evenly. A state, all of which is observed, is this round's
    signal as a one-hot vector, then what the last round showed, as a table with a row for each
    signal and a column for each action: 1 where an action paid, −1 where it did not, 0 elsewhere.
    In the first round there is no last one: all 0.

    Args:
        num_signals: how many signals there are, and how many actions.
        num_rounds: how many rounds a game has.
        partners: "one-to-one" partners use every action for exactly one signal, so that what you
            learn of one signal tells you something of the others. "free" partners choose for each
            signal on its own.
        slip: how often the partner does not look and takes any action.
    """

    max_observation = 1.0

    def __init__(
        self,
        num_signals: int = 4,
        num_rounds: int = 20,
        partners: str = "one-to-one",
        slip: float = 0.0,
    ):
        checks.count(2, num_signals=num_signals)
        checks.count(num_rounds=num_rounds)
        checks.choice(PARTNERS, partners=partners)
        checks.chance(slip=slip)
        self.num_actions = num_signals
        self.horizon = num_rounds
        self.partners = partners
        self.slip = slip
        self.observation_size = num_signals + num_signals**2

    def sample_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> Tensor:
        checks.count(num_tasks=num_tasks)
        checks.fits(num_tasks=num_tasks, num_signals=self.num_actions, num_actions=self.num_actions)
        shape = (num_tasks, self.num_actions)
        if self.partners == "one-to-one":
            convention = torch.rand(shape, generator=generator).argsort(1)
        else:
            convention = torch.randint(self.num_actions, shape, generator=generator)
        certain = F.one_hot(convention, self.num_actions).float()
        return (1 - self.slip) * certain + self.slip / self.num_actions

    def start(
        self, tasks: Tensor, num_trajectories: int, generator: torch.Generator | None = None
    ) -> Tensor:
        checks.count(num_trajectories=num_trajectories)
        checks.values(tasks=tasks)
        size = self.observation_size
        checks.fits(tasks=len(tasks), num_trajectories=num_trajectories, numbers_seen=size)
        shape = (len(tasks), num_trajectories)
        nothing = torch.zeros(*shape, self.num_actions**2)
        return torch.cat([self._signals(shape, generator), nothing], -1)

    def step(
        self, tasks: Tensor, state: Tensor, action: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        seen = state[..., : self.num_actions]
        chances = seen @ tasks  # of the partner's actions: (T, N, A)
        chance = chances.gather(-1, action.unsqueeze(-1)).squeeze(-1)
        reward = (torch.rand(action.shape, generator=generator) < chance).float()
        signal = self._signals(action.shape, generator)
        done = F.one_hot(action, self.num_actions).float()
        sign = (2 * reward - 1)[..., None, None]
        shown = sign * seen.unsqueeze(-1) * done.unsqueeze(-2)
        return torch.cat([signal, shown.flatten(-2)], -1), reward

    def _signals(self, shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
        drawn = torch.randint(self.num_actions, shape, generator=generator)
        return F.one_hot(drawn, self.num_actions).float()
