"""How well can the convention game be played? Exact answers, and players that give them.

A player's verbs, ``T`` tasks and ``N`` games each, all at once:

    memory = player.start(T, N)
    actions = player.choose(memory, signals, generator)
    memory = player.learn(memory, signals, actions, rewards)
"""

from __future__ import annotations

from functools import cache
from itertools import permutations
from math import comb
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.rl.bandit_players import highest
from metalearn_lite.rl.trajectories import Trajectories, stack_steps
from metalearn_lite.tasks.conventions import Conventions

MOST_SIGNALS = 8  # their conventions are 8! = 40,320
MOST_ROUNDS = 1_000


class Guesser(Protocol):
    """Whoever can play the convention game with signals told apart from payments."""

    def start(self, num_tasks: int, num_games: int) -> Any:
        """The memory before the first round."""

    def choose(
        self, memory: Any, signals: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """An action for each of the signals ``(T, N)``: ``(T, N)``."""

    def learn(self, memory: Any, signals: Tensor, actions: Tensor, rewards: Tensor) -> Any:
        """The memory after being paid ``rewards`` for ``actions``, all ``(T, N)``."""


@torch.no_grad()
def play(
    player: Guesser,
    conventions: Conventions,
    tasks: Tensor,
    num_games: int = 1,
    generator: torch.Generator | None = None,
) -> Trajectories:
    """Lets the player play ``num_games`` games with each of the partners ``tasks``."""
    checks.count(num_games=num_games)
    state = conventions.start(tasks, num_games, generator)
    memory, steps = player.start(len(tasks), num_games), []
    for _ in range(conventions.horizon):
        signals = state[..., : conventions.num_actions].argmax(-1)
        actions = player.choose(memory, signals, generator)
        after, rewards = conventions.step(tasks, state, actions, generator)
        memory = player.learn(memory, signals, actions, rewards)
        steps.append((state, actions, rewards, torch.ones_like(rewards)))
        state = after
    return Trajectories(*stack_steps(steps))


class RuledOut:
    """Remembers for each signal what did not pay, and tries something else. Stays with what paid.

    It takes every signal on its own: that no two signals have the same action, it does not know.
    Its memory is ``(T, N, num_signals, num_signals)``: 0 where nothing is known, 1 where an action
    paid, −1 where it did not.
    """

    def __init__(self, num_signals: int = 4):
        checks.count(num_signals=num_signals)
        self.num_signals = num_signals

    def start(self, num_tasks: int, num_games: int) -> Tensor:
        checks.count(num_tasks=num_tasks, num_games=num_games)
        checks.fits(num_tasks=num_tasks, num_games=num_games, known=self.num_signals**2)
        return torch.zeros(num_tasks, num_games, self.num_signals, self.num_signals)

    def choose(
        self, memory: Tensor, signals: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        known = _row(memory, signals)
        return highest(known, generator)

    def learn(self, memory: Tensor, signals: Tensor, actions: Tensor, rewards: Tensor) -> Tensor:
        place = _place(signals, actions, self.num_signals)
        return torch.where(place, (2 * rewards - 1)[..., None, None], memory)


class Deducer:
    """Keeps every one-to-one convention that is still possible; takes the likeliest action.

    Its memory is ``(T, N, number of conventions)``, True where possible. Where none is left, the
    partner is not one-to-one, and it starts anew.
    """

    def __init__(self, num_signals: int = 4):
        checks.count(1, MOST_SIGNALS, num_signals=num_signals)
        self.num_signals = num_signals
        tables = torch.tensor(list(permutations(range(num_signals))))
        self.tables = F.one_hot(tables, num_signals).float()  # (P, signals, actions)

    def start(self, num_tasks: int, num_games: int) -> Tensor:
        checks.count(num_tasks=num_tasks, num_games=num_games)
        checks.fits(num_tasks=num_tasks, num_games=num_games, conventions=len(self.tables))
        return torch.ones(num_tasks, num_games, len(self.tables), dtype=torch.bool)

    def choose(
        self, memory: Tensor, signals: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        counts = torch.einsum("tnp,psa->tnsa", memory.float(), self.tables)
        return highest(_row(counts, signals), generator)

    def learn(self, memory: Tensor, signals: Tensor, actions: Tensor, rewards: Tensor) -> Tensor:
        agrees = self.tables[:, signals, actions].movedim(0, -1) == rewards.unsqueeze(-1)
        memory = memory & agrees
        return memory | ~memory.any(-1, keepdim=True)


def _row(table: Tensor, signals: Tensor) -> Tensor:
    """Each game's row of ``table`` ``(T, N, S, A)`` at its signal: ``(T, N, A)``."""
    index = signals[..., None, None].expand(*signals.shape, 1, table.shape[-1])
    return table.gather(2, index).squeeze(2)


def _place(signals: Tensor, actions: Tensor, num_signals: int) -> Tensor:
    """True at each game's signal and action: ``(T, N, S, A)``."""
    row, column = F.one_hot(signals, num_signals), F.one_hot(actions, num_signals)
    return (row.unsqueeze(-1) * column.unsqueeze(-2)).bool()


def random_payment(num_signals: int = 4, num_rounds: int = 20) -> float:
    """What guessing is paid on average in a whole game."""
    checks.count(num_signals=num_signals, num_rounds=num_rounds)
    return num_rounds / num_signals


def one_by_one_payment(num_signals: int = 4, num_rounds: int = 20) -> float:
    """What `RuledOut` is paid on average in a whole game, exactly.

    A signal's right action is found at its first, second, … visit, each as likely. How often a
    signal comes is binomial.
    """
    checks.count(num_signals=num_signals)
    checks.count(1, MOST_ROUNDS, num_rounds=num_rounds)
    total = 0.0
    for visits in range(num_rounds + 1):
        often = comb(num_rounds, visits) * (num_signals - 1) ** (num_rounds - visits)
        found = sum(visits - first for first in range(min(visits, num_signals)))
        total += often / num_signals**num_rounds * found
    return total  # (found / num_signals) for each of num_signals signals


def best_payment(num_signals: int = 4, num_rounds: int = 20) -> float:
    """What no player can exceed on average with one-to-one partners, by dynamic programming.

    What is known in a game is the set of one-to-one conventions that are still possible.
    """
    checks.count(1, 5, num_signals=num_signals)
    checks.count(1, MOST_ROUNDS, num_rounds=num_rounds)
    tables = list(permutations(range(num_signals)))
    says = {
        (signal, action): sum(
            1 << number for number, table in enumerate(tables) if table[signal] == action
        )
        for signal in range(num_signals)
        for action in range(num_signals)
    }

    @cache
    def best(possible: int, rounds: int) -> float:
        if rounds == 0 or possible.bit_count() == 1:
            return float(rounds)
        total = 0.0
        for signal in range(num_signals):
            worths = []
            for action in range(num_signals):
                yes, no = possible & says[signal, action], possible & ~says[signal, action]
                chance = yes.bit_count() / possible.bit_count()
                worth = chance * (1 + best(yes, rounds - 1)) if yes else 0.0
                worths.append(worth + (1 - chance) * best(no, rounds - 1) if no else worth)
            total += max(worths)
        return total / num_signals

    return best((1 << len(tables)) - 1, num_rounds)
