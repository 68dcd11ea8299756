"""The best reward against all strategies tried out, and how near the players come to it."""

from functools import cache
from itertools import product

import pytest
import torch

from metalearn_lite.rl.bandit_planning import best_reward
from metalearn_lite.rl.bandit_players import Counts, Gittins, Greedy, Thompson, play
from metalearn_lite.tasks.bandits import Bandits


def test_two_pulls_of_two_arms_by_hand():
    """1/2; then 2/3 by staying with an arm that paid, 1/2 by leaving one that did not."""
    assert best_reward(2, 2) == pytest.approx(1 / 2 + (2 / 3 + 1 / 2) / 2)


def test_one_pull_is_worth_its_chance():
    assert best_reward(7, 1) == pytest.approx(1 / 2)


def test_no_strategy_for_three_pulls_is_better():
    """All 128 strategies: an arm for each history. Chances on a fine grid instead of drawn."""
    grid = (torch.arange(50, dtype=torch.float64) + 0.5) / 50
    chance = torch.cartesian_prod(grid, grid)  # the middles of cells: exact up to the last digits
    histories = [(), (0,), (1,), (0, 0), (0, 1), (1, 0), (1, 1)]
    best = 0.0
    for arms in product((0, 1), repeat=len(histories)):
        strategy = dict(zip(histories, arms, strict=True))
        total = torch.zeros(len(chance), dtype=torch.float64)
        for paid in product((0, 1), repeat=3):
            likely = torch.ones_like(total)
            for pull in range(3):
                pays = chance[:, strategy[paid[:pull]]]
                likely = likely * (pays if paid[pull] else 1 - pays)
            total += likely * sum(paid)
        best = max(best, total.mean().item())
    assert best_reward(2, 3) == pytest.approx(best, abs=2e-4)


@pytest.mark.parametrize(
    ("num_arms", "num_pulls", "gap"), [(2, 6, 0.002), (2, 10, 0.002), (3, 8, 0.005)]
)
def test_gittins_comes_within_a_small_gap_of_the_best(num_arms, num_pulls, gap):
    """Its index is for games without end, so a short game leaves a gap. Both rewards are exact."""
    player = Gittins(num_arms, num_pulls)

    @cache
    def reward(pulls, paid, left):
        if left == 0:
            return 0.0
        scores = player.scores(Counts(torch.tensor([[pulls]]), torch.tensor([[paid]])))[0, 0]
        arm = scores.argmax().item()
        more = tuple(count + (place == arm) for place, count in enumerate(pulls))
        won = tuple(count + (place == arm) for place, count in enumerate(paid))
        chance = (paid[arm] + 1) / (pulls[arm] + 2)
        later = chance * (1 + reward(more, won, left - 1))
        return later + (1 - chance) * reward(more, paid, left - 1)

    exact, best = (
        reward((0,) * num_arms, (0,) * num_arms, num_pulls),
        best_reward(num_arms, num_pulls),
    )
    assert best * (1 - gap) <= exact <= best + 1e-9


def test_on_ten_pulls_of_five_arms_nobody_is_better_and_gittins_is_close():
    best = best_reward(5, 10)
    bandits, generator = Bandits(5, 10), torch.Generator().manual_seed(0)
    tasks = bandits.sample_tasks(40_000, generator)
    for player, share in ((Gittins(5, 10), 0.99), (Greedy(5), 0.98), (Thompson(5), 0.86)):
        returns = play(player, bandits, tasks, generator=generator).returns
        noise = 3 * returns.std().item() / len(returns) ** 0.5
        assert share * best - noise < returns.mean().item() < best + noise


def test_what_would_take_for_ever_is_refused():
    assert best_reward(2, 30) > 15
    with pytest.raises(ValueError, match=r"num_arms=5 and num_pulls=100: some .* states are too"):
        best_reward(5, 100)
    with pytest.raises(ValueError, match="num_pulls=0: choose 1 to 1,000"):
        best_reward(5, 0)
