"""From rewards to what a policy gradient weighs actions by: returns, baselines, advantages."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks

RIDGE = 1e-5
OBSERVATION_BOUND = 10.0


def returns_to_go(rewards: Tensor, discount: float = 1.0) -> Tensor:
    """The sum of rewards from each step to the end, ``(T, N, H)``.

    Args:
        rewards: ``(T, N, H)``.
        discount: γ; a reward k steps ahead counts γᵏ.
    """
    checks.chance(discount=discount)
    steps = torch.arange(rewards.shape[-1], dtype=rewards.dtype)
    ahead = steps.unsqueeze(1) - steps  # row: the step of the reward; column: where one stands
    return rewards @ torch.where(ahead >= 0, discount ** ahead.clamp(min=0), 0.0)


def generalised_advantages(
    rewards: Tensor, values: Tensor, discount: float, trace_decay: float
) -> Tensor:
    """How much better each action was than expected, ``(T, N, H)`` (Schulman et al., 2016).

    With ``trace_decay`` 1 it is the return to go minus ``values``. With 0 it looks one step ahead
    and trusts ``values`` for the rest.

    Args:
        rewards: ``(T, N, H)``.
        values: the return to go expected before each step, ``(T, N, H)``. After the last step
            nothing is expected.
        discount: γ.
        trace_decay: λ, 0 … 1.
    """
    checks.chance(discount=discount, trace_decay=trace_decay)
    following = torch.cat([values[..., 1:], torch.zeros_like(values[..., :1])], -1)
    surprises = rewards + discount * following - values
    return returns_to_go(surprises, discount * trace_decay)


def linear_baseline(observations: Tensor, returns: Tensor, played: Tensor) -> Tensor:
    """The return to go that can be expected, ``(T, N, H)``: one linear fit for each task.

    The features are those of Duan et al. (2016, "Benchmarking Deep Reinforcement Learning"): the
    observation, its square, the time, its square and cube, and 1. The fit is by ridge regression.

    Args:
        observations: ``(T, N, H, observation_size)``.
        returns: to fit, ``(T, N, H)``.
        played: ``(T, N, H)``, 0 where a trajectory is over: such a step is not fitted, and nothing
            is expected from it.
    """
    seen = observations.double().clamp(-OBSERVATION_BOUND, OBSERVATION_BOUND)
    time = torch.arange(returns.shape[-1], dtype=seen.dtype) / 100
    time = time.unsqueeze(-1).expand(*returns.shape, 1)
    columns = [seen, seen.square(), time, time**2, time**3, torch.ones_like(time)]
    features = (torch.cat(columns, -1) * played.unsqueeze(-1)).flatten(1, 2)
    gram = features.mT @ features
    gram.diagonal(dim1=1, dim2=2).add_(RIDGE)
    target = features.mT @ returns.double().flatten(1).unsqueeze(-1)
    fitted = features @ torch.linalg.solve(gram, target)
    return fitted.view_as(returns).to(returns.dtype)
