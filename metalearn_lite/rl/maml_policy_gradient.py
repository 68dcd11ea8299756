"""MAML for policies: an initialisation from which one policy-gradient step learns a task."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.learners.base import Trace
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Params, beside, lengths
from metalearn_lite.rl.policies import Policy
from metalearn_lite.rl.returns import generalised_advantages, linear_baseline, returns_to_go
from metalearn_lite.rl.trajectories import Trajectories, rollout
from metalearn_lite.tasks.environment import Environment

SAMPLING = ("dropped", "lvc", "dice", "e-maml")
Batch = Sequence[Trajectories]


class MAMLPolicyGradient(MAML):
    """MAML with policy gradients (Finn, Abbeel & Levine, 2017, section 5.3).

    An inner step plays ``N`` trajectories with the policy as it is and takes one step of policy
    gradient. The meta-gradient makes the policies *after* such steps better. It goes through the
    inner gradient, and that is where care is needed: the trajectories were drawn by a policy that
    depends on θ as well. Another θ would have played others.

    A batch is a list of ``Trajectories``: those played before inner step 1, 2, … k, and at the end
    those played with the adapted policies. It has one entry for a learner without inner steps:
    that is joint training.

    Args:
        network: a policy.
        params: the initialisation θ to start from.
        inner_lr: α, the length of an inner step.
        inner_steps: k, how many inner steps are taken in meta-training.
        later_lr: what ``inner_lr`` is multiplied by from the second inner step on.
        max_step: no inner step of a task moves its parameters further than this, in Euclidean
            length; a longer one is shortened. None lets every step be as long as it comes out.
        sampling: what the meta-gradient makes of the chance in the trajectories before a step.
            "dropped": nothing, as a plain differentiation of the inner gradient does. "dice": all
            of it that changes the inner gradient's expectation (Foerster et al., 2018). "lvc",
            low-variance curvature: the same but for effects across time steps, which are noisy
            (Rothfuss et al., 2019, where it is one part of ProMP).
            "e-maml": actions that led to a good adaptation become likelier (Stadie et al., 2018).
        discount: γ.
        trace_decay: λ of the generalised advantages.
        normalise: divide each task's advantages by their standard deviation in the inner step.
    """

    def __init__(
        self,
        network: Policy,
        params: Params,
        inner_lr: float = 0.1,
        inner_steps: int = 1,
        later_lr: float = 0.5,
        max_step: float | None = None,
        sampling: str = "lvc",
        discount: float = 0.99,
        trace_decay: float = 1.0,
        normalise: bool = True,
    ):
        if sampling not in SAMPLING:
            raise ValueError(f"sampling={sampling!r}: choose one of {', '.join(SAMPLING)}")
        if max_step is not None and not max_step > 0:
            raise ValueError(f"max_step={max_step}: choose a length above 0, or None for no bound")
        checks.chance(discount=discount, trace_decay=trace_decay)
        checks.rate(later_lr=later_lr)
        super().__init__(network, params, inner_lr, inner_steps)
        self.later_lr = later_lr
        self.max_step = max_step
        self.sampling = sampling
        self.discount = discount
        self.trace_decay = trace_decay
        self.normalise = normalise

    def start(self, trajectories: Trajectories) -> Params:
        """φ before the first step: θ, seen once by every task."""
        return self._everywhere(len(trajectories.rewards))

    def _everywhere(self, num_tasks: int) -> Params:
        return {name: value.expand(num_tasks, *value.shape) for name, value in self.params.items()}

    def advantages(self, trajectories: Trajectories) -> Tensor:
        """How much better each action was than expected, ``(T, N, H)``."""
        observations, _, rewards, played = trajectories
        expected = linear_baseline(observations, returns_to_go(rewards, self.discount), played)
        return generalised_advantages(rewards, expected, self.discount, self.trace_decay)

    def surrogate(self, adapted: Params, trajectories: Trajectories) -> Tensor:
        """Its gradient is the policy gradient, per step: ``(T,)``. Here ``sampling`` matters.

        All kinds have the same first derivative, and differ in the second.
        """
        advantages = self.advantages(trajectories)
        if self.normalise:
            advantages = _normalised(advantages, trajectories.played)
        log_prob = self.network.log_prob(adapted, *trajectories[:2])
        if self.sampling in ("lvc", "dice"):
            # The likelihood under other parameters, over that under these: 1 in value.
            ratio = torch.exp(log_prob - log_prob.detach())
            if self.sampling == "dice":
                until = (log_prob - log_prob.detach()).cumsum(-1)
                before = torch.cat([torch.zeros_like(until[..., :1]), until[..., :-1]], -1)
                ratio = (ratio - 1) * torch.exp(before)
            log_prob = ratio
        return _mean(log_prob * advantages, trajectories.played)

    def inner_step(self, adapted: Params, support: Trajectories, step: int = 0) -> Params:
        """φ + α ∇φ of the surrogate, for every task at once; shortened to ``max_step``."""
        remember = torch.is_grad_enabled() and any(v.requires_grad for v in adapted.values())
        if not remember:
            adapted = {name: value.detach().requires_grad_() for name, value in adapted.items()}
        with torch.enable_grad():
            surrogate = self.surrogate(adapted, support)
            gradient = torch.autograd.grad(
                surrogate.sum(), list(adapted.values()), create_graph=remember
            )
        rate = self.inner_lr * (1.0 if step == 0 else self.later_lr)
        moves = [rate * part for part in gradient]
        if self.max_step is not None:
            scale = torch.clamp(self.max_step / (lengths(moves) + 1e-12), max=1.0)
            moves = [move * beside(move, scale) for move in moves]
        return {n: v + move for (n, v), move in zip(adapted.items(), moves, strict=True)}

    def adapt(self, support: Batch) -> Params:
        """φ after one inner step for each entry of ``support``."""
        adapted = self.start(support[0])
        for step, trajectories in enumerate(support):
            adapted = self.inner_step(adapted, trajectories, step)
        return adapted

    def predict(self, adapted: Params, x: Tensor) -> Tensor:
        """What the policies' networks say of observations ``x`` ``(T, M, observation_size)``."""
        return self.network(adapted, x)

    @torch.no_grad()
    def trace(self, support: Batch) -> Trace:
        """φ after 0, 1, … steps; the support loss is minus the mean return before each step."""
        path = [self.start(support[0])]
        for step, trajectories in enumerate(support):
            path.append(self.inner_step(path[-1], trajectories, step))
        return Trace(path, torch.stack([-played.returns.mean(1) for played in support]))

    @torch.no_grad()
    def adapt_by_playing(
        self,
        environment: Environment,
        tasks: Tensor,
        num_trajectories: int,
        inner_steps: int | None = None,
        generator: torch.Generator | None = None,
    ) -> list[tuple[Params, Trajectories]]:
        """φ after 0, 1, … ``inner_steps`` steps, each with the trajectories it plays.

        Each step learns from the trajectories played just before it.
        """
        adapted = self._everywhere(len(tasks))
        adapted = {name: value.detach() for name, value in adapted.items()}
        path = []
        for step in range((self.inner_steps if inner_steps is None else inner_steps) + 1):
            if step > 0:
                adapted = self.inner_step(adapted, path[-1][1], step - 1)
                adapted = {name: value.detach() for name, value in adapted.items()}
            # The first policy is the same for all tasks, and cheaper to ask without a task axis.
            params = adapted if step > 0 else self.params
            played = rollout(environment, self.network, params, tasks, num_trajectories, generator)
            path.append((adapted, played))
        return path

    def play(
        self,
        environment: Environment,
        num_tasks: int,
        num_trajectories: int,
        generator: torch.Generator | None = None,
    ) -> list[Trajectories]:
        """A batch for ``meta_gradient``: new tasks, played before and after each inner step."""
        tasks = environment.sample_tasks(num_tasks, generator)
        path = self.adapt_by_playing(environment, tasks, num_trajectories, None, generator)
        return [played for _, played in path]

    def task_losses(self, batch: Batch) -> Tensor:
        """Their gradient is minus that of each task's reward per step after adapting: ``(T,)``.

        With several inner steps, what is played after each of them counts.
        """
        return sum(self._losses(batch))

    def _losses(self, batch: Batch) -> list[Tensor]:
        """``task_losses``, apart for what is played after each inner step."""
        adapted, score = self.start(batch[0]), 0.0
        if len(batch) == 1:
            return [self._loss(adapted, batch[0])]
        losses = []
        for step, (before, after) in enumerate(pairwise(batch)):
            if self.sampling == "e-maml":
                log_prob = self.network.log_prob(adapted, *before[:2])
                score = score + (log_prob * before.played).sum((1, 2))
            adapted = self.inner_step(adapted, before, step)
            loss = self._loss(adapted, after)
            if self.sampling == "e-maml":
                loss = loss - score * _better_than_others(_mean(after.rewards, after.played))
            losses.append(loss)
        return losses

    def _loss(self, params: Params, played: Trajectories) -> Tensor:
        log_prob = self.network.log_prob(params, *played[:2])
        return -_mean(log_prob * self.advantages(played), played.played)

    def meta_loss(self, batch: Batch) -> Tensor:
        """The mean of ``task_losses``, each game's in units of its advantages' spread: a scalar.

        So what is played after a late step, where less is left to gain, counts as much as the rest.
        """
        spreads = [self.advantages(one)[one.played.bool()].std() for one in batch[1:] or batch]
        parts = zip(self._losses(batch), spreads, strict=True)
        return sum(loss.mean() / spread for loss, spread in parts)

    def meta_gradient(self, batch: Batch) -> tuple[Tensor, Params]:
        """Minus the mean return after adapting, and what meta-training descends."""
        _, gradient = super().meta_gradient(batch)
        return -batch[-1].returns.mean(), gradient


def _mean(values: Tensor, played: Tensor) -> Tensor:
    """Each task's mean over the steps that were played, ``(T,)``."""
    return (values * played).sum((1, 2)) / played.sum((1, 2))


def _normalised(advantages: Tensor, played: Tensor) -> Tensor:
    """With mean 0 and standard deviation 1 over each task's steps that were played."""
    centred = advantages - _mean(advantages, played).view(-1, 1, 1)
    spread = _mean(centred.square(), played).sqrt().view(-1, 1, 1)
    return centred / (spread + 1e-8)


def _better_than_others(values: Tensor) -> Tensor:
    """Each task's value ``(T,)`` minus the mean of the other tasks' values."""
    if len(values) == 1:
        return values
    return (values - values.mean()) * len(values) / (len(values) - 1)
