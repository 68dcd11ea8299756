"""A recurrent policy with a critic beside it: the network of RL²."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.networks import Params


class RecurrentActorCritic:
    """A gated recurrent unit (Cho et al., 2014) that chooses actions, and a critic beside it.

    The critic is for training only, so it may know more than the player: it sees the memory, the
    task itself and how much time is left (an asymmetric critic: Pinto et al., 2018). The player
    sees none of that.

    Args:
        observation_size: how many numbers an observation has.
        num_actions: how many actions there are to choose from.
        task_size: how many numbers a task is, for the critic.
        width: how many numbers the memory has.
    """

    def __init__(self, observation_size: int, num_actions: int, task_size: int, width: int = 64):
        checks.count(observation_size=observation_size, num_actions=num_actions)
        checks.count(task_size=task_size, width=width)
        self.observation_size = observation_size
        self.num_actions = num_actions
        self.task_size = task_size
        self.width = width
        self.settings = (observation_size, num_actions, task_size, width)

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws parameters: uniform within 1/√inputs. The first policy is nearly a uniform one."""
        width = self.width
        shapes = {
            "input.weight": (3 * width, self.observation_size),
            "memory.weight": (3 * width, width),
            "input.bias": (3 * width,),
            "memory.bias": (3 * width,),
            "action.weight": (self.num_actions, width),
            "action.bias": (self.num_actions,),
            "critic.weight1": (width, width + self.task_size + 1),
            "critic.bias1": (width,),
            "critic.weight2": (1, width),
            "critic.bias2": (1,),
        }
        bound = 1 / math.sqrt(width)
        params = {
            name: torch.empty(shape).uniform_(-bound, bound, generator=generator)
            for name, shape in shapes.items()
        }
        params["action.weight"] *= 0.1
        params["action.bias"] *= 0.0
        return params

    def read(self, params: Params, memory: Tensor, observation: Tensor) -> Tensor:
        """The memory ``(B, width)`` after one observation ``(B, observation_size)``."""
        return torch.gru_cell(observation, memory, *_cell(params))

    def read_all(self, params: Params, observations: Tensor) -> Tensor:
        """The memory after each of the observations ``(H, B, …)``: ``(H, B, width)``.

        The same as ``read`` from an empty memory on, in one call of PyTorch's GRU.
        """
        empty = observations.new_zeros(1, observations.shape[1], self.width)
        memories, _ = torch.gru(
            observations, empty, _cell(params), True, 1, 0.0, False, False, False
        )
        return memories

    def logits(self, params: Params, memory: Tensor) -> Tensor:
        """For each action, ``(…, num_actions)``, given the memory ``(…, width)``."""
        return F.linear(memory, params["action.weight"], params["action.bias"])

    def values(self, params: Params, memories: Tensor, tasks: Tensor) -> Tensor:
        """What the critic expects from each step on, ``(H, B)``.

        Args:
            memories: ``(H, B, width)``.
            tasks: ``(B, task_size)``.
        """
        horizon = len(memories)
        left = torch.arange(horizon, 0, -1, dtype=memories.dtype).unsqueeze(1)
        time = (left / horizon).expand(horizon, len(tasks)).unsqueeze(-1)
        known = torch.cat([memories, tasks.expand(horizon, *tasks.shape), time], -1)
        hidden = F.linear(known, params["critic.weight1"], params["critic.bias1"]).relu()
        per_step = F.linear(hidden, params["critic.weight2"], params["critic.bias2"]).squeeze(-1)
        return left * per_step


def _cell(params: Params) -> tuple[Tensor, ...]:
    names = ("input.weight", "memory.weight", "input.bias", "memory.bias")
    return tuple(params[name] for name in names)
