"""The guard rail for a policy: an update that ruins it is taken back."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.learners.guard import Guard, chosen, moved
from metalearn_lite.networks import Params
from metalearn_lite.rl.maml_policy_gradient import MAMLPolicyGradient
from metalearn_lite.rl.trajectories import rollout
from metalearn_lite.tasks.environment import Environment


class GuardedPlay(NamedTuple):
    """Where the guarded updates of ``T`` policies ended."""

    adapted: Params
    """each task's last good policy, ``(T, …)``"""
    returns: Tensor
    """``(steps + 1, T)``: the mean return of the policy kept after 0, 1, … updates"""
    reasons: list[str]
    """a sentence for each task that was stopped, "" for one that was not"""


@torch.no_grad()
def play_guarded(
    learner: MAMLPolicyGradient,
    environment: Environment,
    tasks: Tensor,
    num_trajectories: int,
    inner_steps: int,
    guard: Guard | None = None,
    generator: torch.Generator | None = None,
) -> GuardedPlay:
    """``learner.adapt_by_playing``, watched: a policy that an update ruins is put back.

    The loss is minus the mean return. What an update is worth shows only when it is played, so
    each new policy plays once before it is kept or given up; a task that was stopped plays no more.
    """
    checks.count(0, checks.MOST_STEPS, inner_steps=inner_steps)
    guard, reasons = guard or Guard(), [""] * len(tasks)
    adapted = {
        name: value.detach().expand(len(tasks), *value.shape)
        for name, value in learner.params.items()
    }

    def play(policy: Params):
        return rollout(environment, learner.network, policy, tasks, num_trajectories, generator)

    played = play(learner.params)
    returns, going = [played.returns.mean(1)], torch.ones(len(tasks), dtype=torch.bool)
    for step in range(inner_steps):
        tried = learner.inner_step(adapted, played, step)
        tried = {name: value.detach() for name, value in tried.items()}
        length, known = moved(adapted, tried), going & _numbers(tried)
        # Who has stopped, or would act on no numbers, plays as before: its result is not used.
        after = play(chosen(known, tried, adapted))
        loss = torch.where(known, -after.returns.mean(1), torch.nan)
        going = guard.stop(going, reasons, step + 1, -returns[0], loss, length)
        adapted = chosen(going, tried, adapted)
        returns.append(torch.where(going, -loss, returns[-1]))
        played = after
        if not going.any():
            returns += [returns[-1]] * (inner_steps - step - 1)
            break
    return GuardedPlay(adapted, torch.stack(returns), reasons)


def _numbers(params: Params) -> Tensor:
    """Which tasks' parameters are all finite, ``(T,)``."""
    return torch.stack([value.flatten(1).isfinite().all(1) for value in params.values()]).all(0)
