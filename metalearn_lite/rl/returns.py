"""What an action was worth: sums of later rewards, and how much better than expected."""

from __future__ import annotations

import torch
from torch import Tensor


def generalised_advantages(
    rewards: Tensor, values: Tensor, discount: float, trace_decay: float
) -> Tensor:
    """How much better than expected each action was (Schulman et al., 2016): ``(T, N, H)``.

    Args:
        rewards: ``(T, N, H)``.
        values: ``(T, N, H)``, what was expected from each step on. After the last it is 0.
        discount: how much less a reward counts when it comes one step later.
        trace_decay: 0 trusts ``values`` from the next step on. 1 counts the rewards themselves.
    """
    next_values = torch.cat([values[..., 1:], torch.zeros_like(values[..., :1])], -1)
    surprises = rewards + discount * next_values - values
    advantage, advantages = torch.zeros_like(rewards[..., 0]), []
    for surprise in reversed(surprises.unbind(-1)):
        advantage = surprise + discount * trace_decay * advantage
        advantages.append(advantage)
    return torch.stack(advantages[::-1], -1)
