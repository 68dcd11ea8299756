"""Contextual bandits: an agent sees features, picks one arm, and is told that arm's reward only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks


class Beliefs(NamedTuple):
    """Of each arm a ridge regression from features to reward: ``S`` streams, ``K`` arms.

    An arm's regression knows nothing of the other arms ("disjoint" in Li et al., 2010).
    """

    covariance: Tensor
    """``(S, K, D, D)``: A⁻¹, where A = ridge · I + the sum of x xᵀ over the arm's tasks"""
    evidence: Tensor
    """``(S, K, D)``: b, the sum of reward · x over the arm's tasks"""

    @property
    def weights(self) -> Tensor:
        """The ridge solution A⁻¹b, ``(S, K, D)``."""
        return (self.covariance @ self.evidence.unsqueeze(-1)).squeeze(-1)

    def direction(self, features: Tensor) -> Tensor:
        """A⁻¹x, ``(S, K, D)``, for ``features`` x ``(S, D)``."""
        return (self.covariance @ features.unsqueeze(1).unsqueeze(-1)).squeeze(-1)

    def expected(self, features: Tensor) -> Tensor:
        """x · A⁻¹b: the reward of each arm that ``features`` let expect, ``(S, K)``."""
        return (self.direction(features) * self.evidence).sum(2)

    def uncertainty(self, features: Tensor) -> Tensor:
        """√(xᵀA⁻¹x), ``(S, K)``: large where an arm has not been tried on anything like x."""
        return (self.direction(features) * features.unsqueeze(1)).sum(2).clamp(min=0).sqrt()


class ContextualAgent(ABC):
    """Plays ``S`` streams at once, each with beliefs of its own.

    Args:
        num_arms: K.
        num_features: D. Let one feature be 1 always: it serves as a bias.
        exploration: how much an arm's uncertainty speaks for trying it; 0 is greedy.
        ridge: what A begins with; the larger, the longer an arm is held to be worth 0.
    """

    def __init__(
        self, num_arms: int, num_features: int, exploration: float = 1.0, ridge: float = 1.0
    ):
        checks.count(num_arms=num_arms, num_features=num_features)
        checks.rate(exploration=exploration)
        checks.positive(ridge=ridge)
        self.num_arms, self.num_features = num_arms, num_features
        self.exploration, self.ridge = exploration, ridge

    def start(self, num_streams: int) -> Beliefs:
        """What is believed before the first task: every arm is worth 0, and nothing is sure."""
        checks.count(num_streams=num_streams)
        numbers = self.num_arms * self.num_features**2
        checks.fits(num_streams=num_streams, numbers_of_a_stream=numbers)
        covariance = torch.eye(self.num_features) / self.ridge
        return Beliefs(
            covariance.repeat(num_streams, self.num_arms, 1, 1),
            torch.zeros(num_streams, self.num_arms, self.num_features),
        )

    @abstractmethod
    def scores(self, beliefs: Beliefs, features: Tensor, generator: torch.Generator) -> Tensor:
        """``(S, K)``: the arm with the largest is chosen."""

    def choose(self, beliefs: Beliefs, features: Tensor, generator: torch.Generator) -> Tensor:
        """An arm for each stream, ``(S,)``; among equals each is as likely as the others."""
        scores = self.scores(beliefs, features, generator)
        best = scores == scores.amax(1, keepdim=True)
        return torch.multinomial(best.float(), 1, generator=generator).squeeze(1)

    def learn(self, beliefs: Beliefs, features: Tensor, arms: Tensor, rewards: Tensor) -> Beliefs:
        """The beliefs after one more task per stream: ``arms`` and ``rewards`` are ``(S,)``.

        One more x changes A⁻¹ by a product of two vectors (Sherman & Morrison, 1950), so nothing
        has to be inverted again.
        """
        picked = F.one_hot(arms, self.num_arms).to(features.dtype)
        direction = beliefs.direction(features)
        shrink = 1 + (direction * features.unsqueeze(1)).sum(2)
        less = direction.unsqueeze(3) * direction.unsqueeze(2) * (picked / shrink)[..., None, None]
        more = (picked * rewards.unsqueeze(1)).unsqueeze(2) * features.unsqueeze(1)
        return Beliefs(beliefs.covariance - less, beliefs.evidence + more)


class LinUCB(ContextualAgent):
    """LinUCB (Li, Chu, Langford & Schapire, 2010): be optimistic where you are unsure."""

    def scores(self, beliefs: Beliefs, features: Tensor, generator: torch.Generator) -> Tensor:
        """The upper end of an interval for each arm: expected + exploration · uncertainty."""
        return beliefs.expected(features) + self.exploration * beliefs.uncertainty(features)


class LinearThompson(ContextualAgent):
    """Thompson sampling with linear rewards (Agrawal & Goyal, 2013), here disjoint.

    It draws the weights that could be true, and does what would be best if they were.
    """

    def scores(self, beliefs: Beliefs, features: Tensor, generator: torch.Generator) -> Tensor:
        """Each arm's reward under weights drawn from N(A⁻¹b, exploration² · A⁻¹).

        An arm's reward is one number, so it is drawn itself: from a normal distribution around the
        expected reward, with standard deviation exploration · uncertainty.
        """
        noise = torch.randn(beliefs.evidence.shape[:2], generator=generator)
        return beliefs.expected(features) + self.exploration * noise * beliefs.uncertainty(features)


class Moment(NamedTuple):
    """One task of every stream: what was believed before it, what was picked, what it brought."""

    beliefs: Beliefs
    arms: Tensor
    """``(S,)``"""
    rewards: Tensor
    """``(S,)``"""


def walk(
    agent: ContextualAgent, features: Tensor, rewards: Tensor, generator: torch.Generator
) -> Iterator[Moment]:
    """Lets ``agent`` walk through ``S`` streams of ``H`` tasks, moment by moment.

    Args:
        features: ``(S, H, D)``.
        rewards: ``(S, H, K)``: what each arm would bring. The agent sees those it picks.
    """
    beliefs = agent.start(len(features))
    for x, all_rewards in zip(features.unbind(1), rewards.unbind(1), strict=True):
        arms = agent.choose(beliefs, x, generator)
        reward = all_rewards.gather(1, arms.unsqueeze(1)).squeeze(1)
        yield Moment(beliefs, arms, reward)
        beliefs = agent.learn(beliefs, x, arms, reward)


class Choices(NamedTuple):
    """What was picked, and what it brought: ``(S, H)`` each, over ``H`` tasks."""

    arms: Tensor
    rewards: Tensor


def play(
    agent: ContextualAgent, features: Tensor, rewards: Tensor, generator: torch.Generator
) -> Choices:
    """All choices of a ``walk``."""
    moments = [moment[1:] for moment in walk(agent, features, rewards, generator)]
    return Choices(*(torch.stack(part, 1) for part in zip(*moments, strict=True)))


def regret(rewards: Tensor, arms: Tensor) -> Tensor:
    """What each choice ``(S, H)`` lost against the best arm of *its* task, seen in hindsight."""
    return rewards.amax(-1) - rewards.gather(-1, arms.unsqueeze(-1)).squeeze(-1)
