"""Policies: networks whose output is a distribution over actions."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

from metalearn_lite import checks
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


class GaussianPolicy(MLP):
    """Draws each number of an action from a normal distribution.

    ``GaussianPolicy(2, 100, 100, 2)`` is the policy of Finn, Abbeel & Levine (2017) for navigation.
    The network gives the means. The logarithms of the standard deviations, ``log_std``, are
    parameters as well; they do not depend on the observation.
    """

    def init(
        self, generator: torch.Generator | None = None, std: float = 1.0, last: float = 0.01
    ) -> Params:
        """As ``MLP.init``, with a last layer a hundred times smaller: all means begin near 0.

        ``std`` is the standard deviation to begin with. With ``last`` 1 the last layer is as it
        comes: means begin further from 0, and a gradient step moves them more.
        """
        checks.positive(std=std)
        checks.finite(last=last)
        params = super().init(generator)
        for kind in ("weight", "bias"):
            params[f"{kind}{len(self.sizes) - 1}"] *= last
        return params | {"log_std": torch.full((1, self.sizes[-1]), math.log(std))}

    def mean(self, params: Params, observation: Tensor) -> Tensor:
        """``(T, N, action_size)`` for observations ``(T, N, O)``; one more axis passes through."""
        rows = observation.flatten(1, -2)
        return self(params, rows).unflatten(1, observation.shape[1:-1])

    def sample(
        self, params: Params, observation: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """One action for each observation ``(T, N, O)``: ``(T, N, action_size)``, not clipped."""
        mean = self.mean(params, observation)
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype)
        return mean + noise * params["log_std"].exp()

    def log_prob(self, params: Params, observations: Tensor, actions: Tensor) -> Tensor:
        """``(T, N, H)``, for ``(T, N, H, O)`` and actions ``(T, N, H, action_size)``."""
        log_std = params["log_std"].unsqueeze(-2)
        surprise = (actions - self.mean(params, observations)) * torch.exp(-log_std)
        each = -0.5 * surprise.square() - log_std - 0.5 * math.log(2 * math.pi)
        return each.sum(-1)


class DeterministicPolicy(MLP):
    """Does what the network says, without chance: for learning from demonstrations."""

    def sample(
        self, params: Params, observation: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """The action for each observation ``(T, N, O)``: ``(T, N, action_size)``, not clipped."""
        return self(params, observation)
