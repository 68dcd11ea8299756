"""Policies: networks whose output is a distribution over actions."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from metalearn_lite.networks import MLP, Params


class Policy(Protocol):
    """A network that acts. ``params`` may carry a task axis, as for every network."""

    def sample(
        self, params: Params, observation: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """An action for each observation ``(T, N, observation_size)``."""

    def log_prob(self, params: Params, observations: Tensor, actions: Tensor) -> Tensor:
        """How likely the actions were: ``(T, N, H)``, natural logarithms."""


class CategoricalPolicy(MLP):
    """Chooses one of a few actions. The network's outputs are the logits of a softmax."""

    def sample(
        self, params: Params, observation: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """One action, an integer from 0, for each observation ``(T, N, O)``: ``(T, N)``."""
        probabilities = self(params, observation).softmax(-1)
        chosen = torch.multinomial(probabilities.flatten(0, -2), 1, generator=generator)
        return chosen.view(probabilities.shape[:-1])

    def log_prob(self, params: Params, observations: Tensor, actions: Tensor) -> Tensor:
        """``(T, N, H)``, for observations ``(T, N, H, O)`` and actions ``(T, N, H)``."""
        logits = self(params, observations.flatten(1, 2)).unflatten(1, actions.shape[1:])
        return logits.log_softmax(-1).gather(-1, actions.unsqueeze(-1)).squeeze(-1)
