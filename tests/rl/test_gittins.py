"""The index against its definition, and the Gittins player against the best of all strategies."""

from functools import cache

import pytest
import torch

from metalearn_lite.rl.gittins import gittins_table


def worth_of_going_on(a: int, b: int, level: float, discount: float, ahead: int) -> float:
    """Of an arm that paid a - 1 times of a + b - 2, against ``level`` for ever: plain recursion."""

    @cache
    def worth(a: int, b: int, ahead: int) -> float:
        retire = level / (1 - discount)
        mean = a / (a + b)
        if ahead == 0:
            return max(retire, mean / (1 - discount))
        return max(retire, going_on(a, b, ahead))

    def going_on(a: int, b: int, ahead: int) -> float:
        mean, next_ = a / (a + b), ahead - 1
        later = mean * worth(a + 1, b, next_) + (1 - mean) * worth(a, b + 1, next_)
        return mean + discount * later

    return going_on(a, b, ahead) - level / (1 - discount)


@pytest.mark.parametrize("discount", [0.5, 0.9])
@pytest.mark.parametrize(("successes", "failures"), [(0, 0), (1, 0), (0, 1), (2, 3)])
def test_at_its_index_an_arm_is_worth_as_much_as_the_steady_payment(discount, successes, failures):
    index = gittins_table(5, discount)[successes, failures].item()
    a, b = successes + 1, failures + 1
    assert worth_of_going_on(a, b, index - 2e-4, discount, 120) > 0
    assert worth_of_going_on(a, b, index + 2e-4, discount, 120) < 0


def test_known_indices():
    """The uniform arm before its first pull, as tabulated by Gittins, Glazebrook & Weber (2011)."""
    assert gittins_table(0, 0.9)[0, 0].item() == pytest.approx(0.7029, abs=1e-4)
    assert gittins_table(0, 0.99)[0, 0].item() == pytest.approx(0.8699, abs=1e-4)


def test_more_levels_and_a_longer_plan_change_nothing_that_matters():
    closer = gittins_table(30, 0.95, num_ahead=500, num_levels=2001)
    wrong = (gittins_table(30, 0.95) - closer).abs()
    assert wrong[~wrong.isnan()].max() < 5e-4
    assert wrong[~wrong.isnan()].mean() < 1e-5


def test_an_index_lies_above_the_mean_and_grows_with_success():
    table = gittins_table(20, 0.9)
    successes, failures = torch.meshgrid(torch.arange(21.0), torch.arange(21.0), indexing="ij")
    known = ~table.isnan()
    assert torch.equal(known, successes + failures <= 20)
    assert (table > (successes + 1) / (successes + failures + 2))[known].all()
    assert (table.diff(dim=0) > 0)[known[1:]].all()
    assert (table.diff(dim=1) < 0)[known[:, 1:]].all()


DEPTH = 16


@cache
def value(state: tuple[int, int, int, int], by_index: bool, depth: int = DEPTH) -> float:
    """Two arms, discount 0.5, by dynamic programming over what was seen: (a1, b1, a2, b2)."""
    if depth == 0:
        return 0.0
    arms = []
    for arm in (0, 2):
        a, b = state[arm : arm + 2]
        won, lost = list(state), list(state)
        won[arm] += 1
        lost[arm + 1] += 1
        chance = a / (a + b)
        later = chance * value(tuple(won), by_index, depth - 1) + (1 - chance) * value(
            tuple(lost), by_index, depth - 1
        )
        arms.append(chance + 0.5 * later)
    if not by_index:
        return max(arms)
    table = gittins_table(DEPTH, 0.5)
    indices = [table[state[arm] - 1, state[arm + 1] - 1].item() for arm in (0, 2)]
    return arms[0] if indices[0] >= indices[1] else arms[1]


def test_pulling_the_highest_index_is_best_where_the_theorem_says_so():
    """What lies beyond 16 pulls is worth less than 0.5¹⁶ · 2 = 3e-5."""
    best = value((1, 1, 1, 1), False)
    assert value((1, 1, 1, 1), True) == pytest.approx(best, abs=3e-5)
    greedy = 1.0  # either arm, for ever: 0.5 / (1 - 0.5)
    assert best > greedy + 0.05


@pytest.mark.parametrize("discount", [0.0, 1.0])
def test_an_impossible_discount_is_refused(discount):
    with pytest.raises(ValueError, match="between 0 and 1"):
        gittins_table(5, discount)
