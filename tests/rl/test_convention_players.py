"""The players against exact expectations, and those against enumeration."""

from itertools import permutations, product

import pytest
import torch

from metalearn_lite.rl.convention_players import (
    Deducer,
    RuledOut,
    best_payment,
    one_by_one_payment,
    play,
    random_payment,
)
from metalearn_lite.tasks.conventions import Conventions


def payments(player, conventions, num_tasks=10_000):
    generator = torch.Generator().manual_seed(0)
    tasks = conventions.sample_tasks(num_tasks, generator)
    return play(player, conventions, tasks, generator=generator).returns


def assert_mean(returns, expected):
    assert returns.mean() == pytest.approx(
        expected, abs=4 * returns.std().item() / len(returns) ** 0.5
    )


@pytest.mark.parametrize("partners", ["one-to-one", "free"])
@pytest.mark.parametrize(("num_signals", "num_rounds"), [(2, 3), (3, 8), (4, 20)])
def test_ruling_out_is_paid_what_the_formula_says(num_signals, num_rounds, partners):
    returns = payments(RuledOut(num_signals), Conventions(num_signals, num_rounds, partners))
    assert_mean(returns, one_by_one_payment(num_signals, num_rounds))


@pytest.mark.parametrize(("num_signals", "num_rounds"), [(2, 3), (3, 8)])
def test_deducing_comes_as_close_to_the_best_as_can_be_told(num_signals, num_rounds):
    returns = payments(Deducer(num_signals), Conventions(num_signals, num_rounds))
    assert_mean(returns, best_payment(num_signals, num_rounds))


@pytest.mark.slow
def test_deducing_four_signals_is_worth_almost_three_payments_more():
    assert random_payment(4, 20) == 5
    assert one_by_one_payment(4, 20) == pytest.approx(14.149, abs=1e-3)
    assert best_payment(4, 20) == pytest.approx(17.0, abs=1e-3)
    assert_mean(payments(Deducer(4), Conventions(4, 20)), best_payment(4, 20))


def test_the_best_payment_is_that_of_the_best_of_all_strategies():
    """Two rounds, three signals: every strategy is tried, on every partner and pair of signals."""
    partners = list(permutations(range(3)))
    total = 0.0
    for first, second in product(range(3), repeat=2):
        total += max(
            sum(
                (partner[first] == guess)
                + (partner[second] == (if_paid if partner[first] == guess else if_not))
                for partner in partners
            )
            for guess, if_paid, if_not in product(range(3), repeat=3)
        ) / len(partners)
    assert best_payment(3, 2) == pytest.approx(total / 9)


def test_two_signals_need_one_round():
    assert best_payment(2, 5) == pytest.approx(0.5 + 4)


def test_a_deducer_starts_anew_when_the_partner_is_not_one_to_one():
    player = Deducer(2)
    memory = player.start(1, 1)
    for signal in (0, 1):
        memory = player.learn(
            memory, torch.tensor([[signal]]), torch.tensor([[0]]), torch.tensor([[1.0]])
        )
    assert memory.all()
