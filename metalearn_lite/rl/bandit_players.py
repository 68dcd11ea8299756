"""Strategies for bandits, from guessing to the textbook's best. None of them is trained.

All have the same three verbs, and so has the trained `RL2` player. ``T`` counts tasks and ``N``
the games of each; all games go on at once.

    memory = player.start(T, N)
    arms = player.choose(memory, generator)
    memory = player.learn(memory, arms, rewards)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.rl.gittins import gittins_table
from metalearn_lite.rl.trajectories import Trajectories, stack_steps
from metalearn_lite.tasks.bandits import Bandits


class Player(Protocol):
    """Whoever can play bandits. What ``memory`` is, only the player knows."""

    def start(self, num_tasks: int, num_games: int) -> Any:
        """The memory before the first pull."""

    def choose(self, memory: Any, generator: torch.Generator | None = None) -> Tensor:
        """The arm to pull in each game: ``(T, N)``."""

    def learn(self, memory: Any, arms: Tensor, rewards: Tensor) -> Any:
        """The memory after pulling ``arms`` ``(T, N)`` and being paid ``rewards`` ``(T, N)``."""


@torch.no_grad()
def play(
    player: Player,
    bandits: Bandits,
    tasks: Tensor,
    num_games: int = 1,
    generator: torch.Generator | None = None,
) -> Trajectories:
    """Lets the player play ``num_games`` games on each of the bandits ``tasks``.

    The result's ``actions`` and ``rewards`` are ``(T, num_games, num_pulls)``.

    Raises:
        ValueError: the player was made for another number of arms, or for shorter games.
    """
    checks.count(num_games=num_games)
    fits_the_game(player, bandits)
    state, memory = bandits.start(tasks, num_games), player.start(len(tasks), num_games)
    steps = []
    for _ in range(bandits.horizon):
        arms = player.choose(memory, generator)
        after, rewards = bandits.step(tasks, state, arms, generator)
        memory = player.learn(memory, arms, rewards)
        steps.append((state, arms, rewards, torch.ones_like(rewards)))
        state = after
    return Trajectories(*stack_steps(steps))


def fits_the_game(player: Player, bandits: Bandits) -> None:
    """Raises ValueError where the player was made for other arms, or for shorter games."""
    arms, pulls = getattr(player, "num_arms", None), getattr(player, "num_pulls", None)
    if arms not in (None, bandits.num_actions):
        raise ValueError(
            f"{type(player).__name__} was made for num_arms={arms}, but the bandits have "
            f"{bandits.num_actions}: give both the same"
        )
    if pulls is not None and pulls < bandits.horizon:
        raise ValueError(
            f"{type(player).__name__} was made for num_pulls={pulls}, but a game has "
            f"{bandits.horizon}: give the player as many or more"
        )


class Counts(NamedTuple):
    """What there is to know about a game so far: each arm's pulls and what they paid."""

    pulls: Tensor
    """``(T, N, num_arms)``"""
    paid: Tensor
    """``(T, N, num_arms)``"""


class CountingPlayer(ABC):
    """Gives each arm a score from its counts and pulls the highest; chance breaks ties."""

    def __init__(self, num_arms: int = 5):
        checks.count(num_arms=num_arms)
        self.num_arms = num_arms

    def start(self, num_tasks: int, num_games: int) -> Counts:
        checks.count(num_tasks=num_tasks, num_games=num_games)
        checks.fits(num_tasks=num_tasks, num_games=num_games, num_arms=self.num_arms)
        nothing = torch.zeros(num_tasks, num_games, self.num_arms)
        return Counts(nothing, nothing)

    def choose(self, memory: Counts, generator: torch.Generator | None = None) -> Tensor:
        return highest(self.scores(memory, generator), generator)

    def learn(self, memory: Counts, arms: Tensor, rewards: Tensor) -> Counts:
        pulled = F.one_hot(arms, self.num_arms).float()
        return Counts(memory.pulls + pulled, memory.paid + pulled * rewards.unsqueeze(-1))

    @abstractmethod
    def scores(self, counts: Counts, generator: torch.Generator | None = None) -> Tensor:
        """How much speaks for each arm, ``(T, N, num_arms)``."""


def highest(scores: Tensor, generator: torch.Generator | None) -> Tensor:
    """The place of the highest of ``scores`` ``(T, N, K)``, ``(T, N)``; chance breaks ties."""
    best = scores == scores.amax(-1, keepdim=True)
    return (best * torch.rand(best.shape, generator=generator)).argmax(-1)


class RandomPlayer(CountingPlayer):
    """Never looks at what it was paid."""

    def scores(self, counts: Counts, generator: torch.Generator | None = None) -> Tensor:
        return torch.zeros_like(counts.pulls)


class Greedy(CountingPlayer):
    """Pulls the arm that looks best: the highest mean of what is expected to be its chance.

    The expectation starts from a uniform chance: after 3 payments in 4 pulls it is
    (3 + 1) / (4 + 2).
    """

    def scores(self, counts: Counts, generator: torch.Generator | None = None) -> Tensor:
        return (counts.paid + 1) / (counts.pulls + 2)


class EpsilonGreedy(Greedy):
    """As `Greedy`, but with probability ``epsilon`` pulls any arm."""

    def __init__(self, num_arms: int = 5, epsilon: float = 0.05):
        super().__init__(num_arms)
        checks.chance(epsilon=epsilon)
        self.epsilon = epsilon

    def choose(self, memory: Counts, generator: torch.Generator | None = None) -> Tensor:
        greedy = super().choose(memory, generator)
        any_arm = torch.randint(self.num_arms, greedy.shape, generator=generator)
        explores = torch.rand(greedy.shape, generator=generator) < self.epsilon
        return torch.where(explores, any_arm, greedy)


class UCB1(CountingPlayer):
    """Optimism: scores an arm by how good it may still be (Auer, Cesa-Bianchi & Fischer, 2002).

    The score is the mean payment + ``exploration`` · √(2 ln t / pulls), where t counts all pulls.
    An arm never pulled comes first. With the defaults it earns what Duan et al. (2016) report
    of UCB1, within 2 % (`benchmarks/bandit_players.py` has the table, and other variants).

    Args:
        exploration: 1 is UCB1 as its authors state it, which holds for payments of any
            distribution in [0, 1]. It is far too careful for short games.
        imagined_pulls: counts as if each arm had been pulled this often before and had paid half
            of the time. 2 is what a uniform chance says. 0 is UCB1 as its authors state it: then
            the first pulls go once round all arms, whatever they pay.
    """

    def __init__(self, num_arms: int = 5, exploration: float = 0.2, imagined_pulls: float = 2):
        super().__init__(num_arms)
        checks.rate(exploration=exploration, imagined_pulls=imagined_pulls)
        self.exploration = exploration
        self.imagined_pulls = imagined_pulls

    def scores(self, counts: Counts, generator: torch.Generator | None = None) -> Tensor:
        pulls = counts.pulls + self.imagined_pulls
        mean = (counts.paid + self.imagined_pulls / 2) / pulls
        bonus = (2 * pulls.sum(-1, keepdim=True).clamp(min=1).log() / pulls).sqrt()
        return (mean + self.exploration * bonus).where(pulls > 0, torch.inf)


class Thompson(CountingPlayer):
    """Draws a chance for each arm from what it may be, and pulls the highest (Thompson, 1933).

    What it may be is Beta(1 + payments, 1 + other pulls): the chances are uniform at first.

    Args:
        optimistic: a drawn chance below the arm's mean counts as the mean (May et al., 2012).
    """

    def __init__(self, num_arms: int = 5, optimistic: bool = False):
        super().__init__(num_arms)
        self.optimistic = optimistic

    def scores(self, counts: Counts, generator: torch.Generator | None = None) -> Tensor:
        a, b = counts.paid + 1, counts.pulls - counts.paid + 1
        first, second = (torch._standard_gamma(part, generator=generator) for part in (a, b))
        drawn = first / (first + second)
        return torch.maximum(drawn, a / (a + b)) if self.optimistic else drawn


class Gittins(CountingPlayer):
    """Pulls the arm of the highest Gittins index, from this project's own `gittins_table`.

    Args:
        num_pulls: the length of the longest game.
        discount: the index is for a game that never ends, in which a later reward counts that much
            less with every pull. Left out, it is 1 − 1 / ``num_pulls``: such a game is over after
            ``num_pulls`` pulls on average, if one takes it to end by chance.
    """

    def __init__(self, num_arms: int = 5, num_pulls: int = 10, discount: float | None = None):
        super().__init__(num_arms)
        checks.count(2 if discount is None else 1, num_pulls=num_pulls)
        if discount is not None:
            checks.finite(discount=discount)
        self.num_pulls = num_pulls
        self.discount = 1 - 1 / num_pulls if discount is None else discount
        self.table = gittins_table(num_pulls, self.discount).float()

    def scores(self, counts: Counts, generator: torch.Generator | None = None) -> Tensor:
        paid, pulls = counts.paid.long(), counts.pulls.long()
        return self.table[paid, pulls - paid]
