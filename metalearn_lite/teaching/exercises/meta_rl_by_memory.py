"""Hints and checks for notebook 11."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from metalearn_lite.tasks.bandits import seen
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted


def check_ucb1(ucb1: Callable) -> None:
    generator = torch.Generator().manual_seed(11)
    # Enough games that every likely mistake shows in some of them.
    pulls = torch.randint(1, 30, (400, 4), generator=generator).float()
    paid = (torch.rand(400, 4, generator=generator) * (pulls + 1)).floor()
    mean, total = paid / pulls, pulls.sum(1, keepdim=True)

    result = attempted(ucb1(pulls, paid))
    if isinstance(result, Tensor) and result.shape == pulls.shape:
        raise Mistake("These are scores, one for each arm. Return the arm with the highest.")
    result = of_shape(result, (400,), "one arm for each of the 400 games")

    def arms(bonus: Tensor | float) -> Tensor:
        return (mean + bonus).argmax(1)

    right = (2 * total.log() / pulls).sqrt()
    everything = pulls.sum()
    mistakes = (
        (mean.argmax(1), "This is greedy: it never adds the bonus."),
        (paid.argmax(1), "You compare sums. The mean payment is paid / pulls."),
        (right.argmax(1), "You compare bonuses alone. Add them to the mean payments."),
        (arms(-right), "You took the bonus away. Optimism adds it."),
        (arms(2 * total.log() / pulls), "You forgot the square root."),
        (arms((total.log() / pulls).sqrt()), "The 2 in √(2 ln t / n) is missing."),
        (arms((2 * pulls.log() / pulls).sqrt()), "ln t: t counts the pulls of all arms together."),
        (arms((2 * total / pulls).sqrt()), "You forgot the logarithm of t."),
        (
            arms((2 * everything.log() / pulls).sqrt()),
            "You added the pulls of all games up. Each game has a t of its own.",
        ),
        (arms((2 * total.log10() / pulls).sqrt()), "log10 is another logarithm. Take torch.log."),
    )
    refuse(result, mistakes)
    if not same(result, arms(right)):
        games = int((result != arms(right)).sum())
        raise Mistake(
            f"Another arm has the highest score in {games} of 400 games. Try one by hand."
        )

    # An arm nobody has tried: what it may be worth has no bound.
    pulls = torch.tensor([[1.0, 0, 1, 1], [1, 1, 1, 0], [0, 0, 50, 0], [0, 0, 0, 0]])
    paid = torch.tensor([[1.0, 0, 1, 1], [1, 1, 1, 0], [0, 0, 50, 0], [0, 0, 0, 0]])
    untried = pulls.gather(1, ucb1(pulls, paid).long().unsqueeze(1))
    if untried.any():
        raise Mistake(
            "An arm that was never pulled is pulled first: nothing is known of it, so nothing is "
            "too good to hope for. You let a well-known arm win."
        )


def check_chance_best(chance_best: Callable) -> None:
    pulls = torch.tensor([30.0, 2, 3, 4])
    paid = torch.tensor([24.0, 1, 1, 3])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        result = attempted(chance_best(pulls, paid, 20_000))
    result = of_shape(result, (4,), "one probability for each of the 4 arms")
    result = result.double()
    if result.isnan().any():
        raise Mistake("There is a NaN. Beta needs two numbers above 0: both counts plus 1.")

    def exact(a: Tensor, b: Tensor) -> Tensor:
        return _chance_best(a.double(), b.double())

    lost, mean = pulls - paid, (paid + 1) / (pulls + 2)
    mistakes = (
        (mean.double(), "These are the arms' expected chances. How often is each the best?"),
        ((mean / mean.sum()).double(), "Expected chances, divided by their sum, are not it: draw."),
        (
            torch.eye(4, dtype=torch.float64)[mean.argmax()],
            "One arm is always best here: draw every chance anew, `num_draws` times.",
        ),
        (exact(lost + 1, paid + 1), "You swapped the counts: payments come first in Beta."),
        (
            exact(paid + 1, pulls + 1),
            "The second number is 1 + the pulls that did *not* pay, not 1 + all pulls.",
        ),
        (
            exact(paid, lost),
            "Add 1 to both counts: before the first pull, all chances are equally likely.",
        ),
        (
            exact(torch.ones(4), torch.ones(4)),
            "You have not looked at the counts: all arms come out alike.",
        ),
    )
    right = exact(paid + 1, lost + 1)
    if same(result, right, rtol=0, atol=0.03):
        return
    refuse(result, mistakes, rtol=0, atol=0.03)
    if not 0.99 < result.sum() < 1.01:
        raise Mistake(
            f"They sum to {result.sum():.3g}. In every draw exactly one arm is best: sum 1."
        )
    raise Mistake(
        f"For these counts the probabilities are {', '.join(f'{p:.2f}' for p in right.tolist())}."
    )


def _chance_best(a: Tensor, b: Tensor, num_points: int = 20_001) -> Tensor:
    """How probable it is that each of several Beta(a, b) draws is the largest, by integration."""
    grid = torch.linspace(0, 1, num_points, dtype=torch.float64)[1:-1]
    log_density = (a[:, None] - 1) * grid.log() + (b[:, None] - 1) * (1 - grid).log()
    density = (log_density - log_density.amax(1, keepdim=True)).exp()
    density = density / density.sum(1, keepdim=True)
    below = density.cumsum(1) - density / 2
    others = [below[torch.arange(len(a)) != arm].prod(0) for arm in range(len(a))]
    best = (density * torch.stack(others)).sum(1)
    return best / best.sum()


NUM_ARMS = 3


def check_play_games(play_games: Callable) -> None:
    generator = torch.Generator().manual_seed(11)
    num_players, num_games, num_pulls, width = 4, 3, 5, 6
    keep, enter, out = (
        torch.randn(size, width, generator=generator) for size in (width, NUM_ARMS + 1, NUM_ARMS)
    )
    # What each arm pays, whenever it is pulled: another amount every time.
    pays = torch.rand(num_games, num_pulls, num_players, NUM_ARMS, generator=generator)
    empty = torch.randn(num_players, width, generator=generator)

    def attempt(play: Callable) -> tuple[Tensor | None, list[Tensor]]:
        memories, made = [], dict.fromkeys(range(num_games), 0)

        def read(memory: Tensor, last: Tensor) -> Tensor:
            if last.shape != (num_players, NUM_ARMS + 1):
                raise Mistake(
                    f"read got {tuple(last.shape)} for what was seen last; expected "
                    f"{(num_players, NUM_ARMS + 1)}: the arm as a one-hot vector, then the reward."
                )
            after = torch.tanh(memory @ keep + last.float() @ enter)
            memories.append(after)
            return after

        def choose(memory: Tensor) -> Tensor:
            return (memory @ out.T).argmax(-1)

        def pull(game: int, arms: Tensor) -> Tensor:
            if game not in made or made[game] == num_pulls:
                raise Mistake(
                    f"Game {game} is pulled once too often: there are {num_games} games of "
                    f"{num_pulls} pulls, numbered from 0."
                )
            made[game] += 1
            return pays[game, made[game] - 1].gather(1, arms.long().unsqueeze(1)).squeeze(1)

        return play(read, choose, pull, empty.clone(), num_games, num_pulls), memories

    rewards, memories = attempt(play_games)
    attempted(rewards)
    expected = (num_players, num_games, num_pulls)
    of_shape(rewards, expected, "players, games, pulls")
    for settings, message in (
        (
            {"forgets_every_pull": True},
            "You empty the memory at every pull. Then nothing can be learned: within a game it "
            "must be kept.",
        ),
        (
            {"keeps_memory": True, "keeps_last": True},
            "The memory is carried over into the next game, whose bandit is another one. Every "
            "game begins with the empty memory, and with nothing seen.",
        ),
        (
            {"keeps_memory": True},
            "The memory is carried over into the next game, whose bandit is another one. Begin "
            "each game with the empty memory.",
        ),
        (
            {"keeps_last": True},
            "The memory is emptied, but the next game's first reading still shows the last arm "
            "and reward of the game before. Begin with zeros.",
        ),
        (
            {"late_reward": True},
            "What was read mixes two pulls: an arm together with the reward of the pull before "
            "it. Arm and reward of the same pull belong together.",
        ),
        (
            {"no_reward": True},
            "The reward is never read. Without it no arm is better than another.",
        ),
        ({"no_arm": True}, "The arm is never read. A reward of an unknown arm teaches nothing."),
    ):
        wrong, wrong_memories = attempt(_games_with(**settings))
        if same(rewards, wrong) and same(memories, wrong_memories):
            raise Mistake(message)
    right, right_memories = attempt(_games_with())
    if len(memories) != len(right_memories):
        raise Mistake(
            f"read was called {len(memories)} times; once before each of the "
            f"{num_games * num_pulls} pulls is enough."
        )
    if not same(memories, right_memories):
        pairs = zip(memories, right_memories, strict=True)
        place = next(i for i, pair in enumerate(pairs) if not same(*pair))
        game, pull = divmod(place, num_pulls)
        raise Mistake(
            f"At pull {pull} of game {game} (both from 0) the memory is not what it should be. "
            "Print what you give to read there."
        )
    if not same(rewards, right):
        raise Mistake(
            "The memories are right, but not the rewards' places: (players, games, pulls)."
        )


def _games_with(
    forgets_every_pull: bool = False,
    keeps_memory: bool = False,
    keeps_last: bool = False,
    late_reward: bool = False,
    no_reward: bool = False,
    no_arm: bool = False,
) -> Callable:
    """The right answer, or one with a known mistake in it."""

    def play_games(read, choose, pull, empty, num_games, num_pulls):
        memory, nothing = empty, torch.zeros(len(empty), NUM_ARMS + 1)
        last, games = nothing, []
        for game in range(num_games):
            memory = memory if keeps_memory else empty
            last = last if keeps_last else nothing
            before, paid = torch.zeros(len(empty)), []
            for _ in range(num_pulls):
                memory = read(empty if forgets_every_pull else memory, last)
                arms = choose(memory)
                rewards = pull(game, arms)
                last = seen(arms, before if late_reward else rewards, NUM_ARMS)
                if no_reward:
                    last[:, -1] = 0
                if no_arm:
                    last[:, :-1] = 0
                before = rewards
                paid.append(rewards)
            games.append(torch.stack(paid, 1))
        return torch.stack(games, 1)

    return play_games


EXERCISES = {
    "ucb1": Exercise(
        hints=(
            "For each arm: its mean payment, plus a bonus that is large while it was pulled "
            "rarely. Then argmax over the arms. What should an arm score that was never pulled?",
            "t is pulls.sum(1, keepdim=True): all pulls of a game. The bonus is "
            "(2 * t.log() / pulls).sqrt().",
            "0 / 0 and 1 / 0 happen for untried arms. Compute with pulls.clamp(min=1), then "
            "scores.masked_fill(pulls == 0, torch.inf).argmax(1).",
        ),
        check=check_ucb1,
        praise="Every arm gets its chance, and the rarely tried the benefit of the doubt.",
    ),
    "chance_best": Exercise(
        hints=(
            "What is known of an arm is a Beta distribution of its two counts. Draw a chance for "
            "every arm, look which is highest, and do so very often.",
            "torch.distributions.Beta(1 + paid, 1 + pulls - paid).sample((num_draws,)) is "
            "(num_draws, num_arms): each row is one way the world may be.",
            "best = draws.argmax(1) says which arm wins in each row. Then "
            "torch.bincount(best, minlength=len(pulls)) / num_draws.",
        ),
        check=check_chance_best,
        praise="That is how often Thompson sampling pulls each arm.",
    ),
    "play_games": Exercise(
        hints=(
            "Two loops: games outside, pulls inside. What is set at the start of a game, and what "
            "is handed on from pull to pull?",
            "At the start of a game: memory = empty, and what was seen last is all zeros. At each "
            "pull: read what was seen last, choose from the memory, pull, and note what was seen.",
            "last = torch.cat([F.one_hot(arms, num_arms), rewards.unsqueeze(-1)], -1), both of "
            "this pull. Stack the rewards of a game along axis 1, then the games along axis 1.",
        ),
        check=check_play_games,
        praise="Kept within a game, emptied between games, and each reward beside its own arm.",
    ),
}
