"""The best that can be done on short bandits, exactly: plan for everything that may be seen."""

from __future__ import annotations

from functools import cache
from math import comb, factorial

from metalearn_lite import checks

MOST_STATES = 500_000
State = tuple[tuple[int, int], ...]


def best_reward(num_arms: int = 5, num_pulls: int = 10) -> float:
    """What no player can exceed on average, if each chance is uniform in [0, 1].

    Dynamic programming over all that can be known in a game: how often each arm paid and how
    often it did not. The arms' order does not matter. For 5 arms, 10 pulls take a tenth of a
    second and 20 pulls ten seconds: this is why longer games need other strategies.
    """

    checks.count(1, 1_000, num_arms=num_arms, num_pulls=num_pulls)
    if (states := comb(num_pulls + 2 * num_arms, num_pulls) // factorial(num_arms)) > MOST_STATES:
        raise ValueError(
            f"num_arms={num_arms} and num_pulls={num_pulls}: some {states:,} states are too many "
            f"to plan for; choose fewer, for {MOST_STATES:,} at most"
        )

    @cache
    def best(known: State, pulls: int) -> float:
        if pulls == 0:
            return 0.0
        worths = []
        for place, (paid, not_paid) in enumerate(known):
            if place and known[place - 1] == known[place]:
                continue  # an arm just like the one before it
            others = known[:place] + known[place + 1 :]
            won = best(tuple(sorted((*others, (paid + 1, not_paid)))), pulls - 1)
            lost = best(tuple(sorted((*others, (paid, not_paid + 1)))), pulls - 1)
            chance = (paid + 1) / (paid + not_paid + 2)
            worths.append(chance * (1 + won) + (1 - chance) * lost)
        return max(worths)

    return best(((0, 0),) * num_arms, num_pulls)
