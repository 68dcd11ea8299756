"""Hints, checks and the package's versions for notebook 11."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache

import torch
from torch import Tensor

from metalearn_lite.rl.bandit_players import UCB1, Counts, Thompson
from metalearn_lite.tasks.bandits import seen
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

# --- ucb1 -----------------------------------------------------------------------------------


def ucb1(pulls: Tensor, paid: Tensor, power: float) -> Tensor:
    """The arm of the highest mean payment plus bonus in each game, ``(num_games,)``.

    Args:
        pulls, paid: ``(num_games, num_arms)``.
        power: the bonus reaches up to where an arm's chance to be that good is at most t^-power.
            The authors of UCB1 take 4.
    """
    return _ucb1_scores(pulls, paid, power).argmax(-1)


def _ucb1_scores(pulls: Tensor, paid: Tensor, power: float) -> Tensor:
    player = UCB1(pulls.shape[-1], exploration=math.sqrt(power) / 2, imagined_pulls=0)
    return player.scores(Counts(pulls, paid))


def _counts_cases() -> Iterator[tuple[str, Tensor, Tensor, float]]:
    """What is special, pulls, paid, power. The first case tells all mistakes apart."""
    generator = seeded(11)

    def case(
        where: str, *shape: int, power: float, most: int = 29
    ) -> tuple[str, Tensor, Tensor, float]:
        pulls = torch.randint(1, most + 1, shape, generator=generator).float()
        paid = (torch.rand(shape, generator=generator) * (pulls + 1)).floor()
        return where, pulls, paid, power

    # Enough games that every likely mistake shows in some of them.
    yield case("four arms were pulled up to 30 times and power is 3", 400, 4, power=3.0)
    yield case("there are two arms", 200, 2, power=1.0)
    yield case("power is small", 300, 5, power=0.16)
    yield case("no arm was pulled more than 3 times", 3000, 3, power=4.0, most=3)
    yield case("power is 0", 100, 3, power=0.0)
    yield "there is one game", torch.tensor([[3.0, 1.0]]), torch.tensor([[2.0, 0.0]]), 4.0


def check_ucb1(answer: Callable) -> None:
    for where, pulls, paid, power in _counts_cases():
        scores = _ucb1_scores(pulls, paid, power)
        result = attempted(answer(pulls, paid, power))
        if isinstance(result, Tensor) and result.shape == pulls.shape:
            raise Mistake("These are scores, one for each arm. Return the arm with the highest.")
        result = _arms(result, len(pulls), pulls.shape[1])
        short = scores.amax(1) - scores.gather(1, result.unsqueeze(1)).squeeze(1)
        if (short < 1e-5).all():  # of arms that score alike any one will do
            continue
        refuse(result, _wrong_arms(pulls, paid, power))
        raise Mistake(
            f"Another arm has a higher score in some games, at least where {where}. Put your "
            "bonus b into exp(−2 n b²) for one arm: do you get t to the power of −power?"
        )
    _check_untried(answer)


def _arms(result: object, num_games: int, num_arms: int) -> Tensor:
    if num_games == 1 and isinstance(result, int | Tensor):
        result = torch.as_tensor(result).reshape(-1)
    result = of_shape(result, (num_games,), f"one arm for each of the {num_games} game(s)")
    if not ((result == result.round()) & (result >= 0) & (result < num_arms)).all():
        raise Mistake("An arm is a whole number, counted from 0.")
    return result.long()


def _wrong_arms(pulls: Tensor, paid: Tensor, power: float) -> Iterator[tuple[Tensor, str]]:
    mean, total = paid / pulls, pulls.sum(1, keepdim=True)

    def arms(bonus: Tensor | float) -> Tensor:
        return (mean + bonus).argmax(1)

    right = (power * total.log() / (2 * pulls)).sqrt()
    yield mean.argmax(1), "This is greedy: it adds no bonus, or one that all arms share."
    yield paid.argmax(1), "You compare sums. The mean payment is paid / pulls."
    yield right.argmax(1), "You compare bonuses alone. Add them to the mean payments."
    yield arms(-right), "You took the bonus away. Optimism adds it."
    yield arms(right.square()), "You forgot the square root: it is b² that you solved for."
    for factor in (2.0, 2**0.5):
        yield arms(factor * right), "Your bonus is too long: where did the 2 in exp(−2 n b²) go?"
    yield (
        arms(power * (total.log() / (2 * pulls)).sqrt()),
        "You took power out of the root as it was. Solve for b again: what does the root cover?",
    )
    yield (
        arms((2 * total.log() / pulls).sqrt()),
        "You left out power. (This bonus belongs to a power of 4.)",
    )
    yield (
        arms((power * pulls.log() / (2 * pulls)).sqrt()),
        "ln t: t counts the pulls of all arms together.",
    )
    yield arms((power * total / (2 * pulls)).sqrt()), "You forgot the logarithm of t."
    yield (
        arms((power * pulls.sum().log() / (2 * pulls)).sqrt()),
        "You added the pulls of all games up. Each game has a t of its own.",
    )
    yield (
        arms((power * (total + 1).log() / (2 * pulls)).sqrt()),
        "ln t: t counts the pulls made so far, without the coming one.",
    )
    yield (
        arms((power * total.log10() / (2 * pulls)).sqrt()),
        "log10 is another logarithm. To undo exp take torch.log.",
    )


def _check_untried(answer: Callable) -> None:
    """An arm that nobody has tried: what it may be worth has no bound."""
    pulls = torch.tensor([[1.0, 0, 1, 1], [1, 1, 1, 0], [0, 0, 50, 0], [0, 0, 0, 0], [0, 9, 9, 9]])
    for power in (4.0, 0.16, 0.0):
        result = _arms(attempted(answer(pulls, pulls.clone(), power)), len(pulls), 4)
        if pulls.gather(1, result.unsqueeze(1)).any():
            raise Mistake(
                "An arm that was never pulled is pulled first: nothing is known of it, so nothing "
                "is too good to hope for. You let a well-known arm win."
            )


# --- chance_best ----------------------------------------------------------------------------


def chance_best(pulls: Tensor, paid: Tensor, num_draws: int) -> Tensor:
    """How probable it is that each arm is the best one, estimated from draws: ``(num_arms,)``."""
    counts = (part.expand(num_draws, 1, -1) for part in (pulls, paid))
    best = Thompson(len(pulls)).scores(Counts(*counts)).flatten(0, 1).argmax(-1)
    return torch.bincount(best, minlength=len(pulls)) / num_draws


# Of one game each: pulls, payments, and how many draws are asked for.
BELIEFS = (
    ((30.0, 2.0, 3.0, 4.0), (24.0, 1.0, 1.0, 3.0), 20_000),
    ((5.0, 9.0), (4.0, 5.0), 20_000),
    ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 20_000),
    ((6.0, 0.0, 6.0, 1.0, 2.0), (6.0, 0.0, 0.0, 1.0, 0.0), 30_000),
    ((4.0,), (1.0,), 10),
    ((200.0, 200.0, 200.0), (150.0, 154.0, 0.0), 20_000),  # the last arm is never the best
)
NEAR = 0.03  # six standard errors of a share of 20,000 draws, and more


def check_chance_best(answer: Callable) -> None:
    for place, (pulls, paid, num_draws) in enumerate(BELIEFS):
        torch.manual_seed(seeded(11 + place).initial_seed())
        _check_belief(answer, torch.tensor(pulls), torch.tensor(paid), num_draws)


def _check_belief(answer: Callable, pulls: Tensor, paid: Tensor, num_draws: int) -> None:
    num_arms = len(pulls)
    result = attempted(answer(pulls, paid, num_draws))
    if num_arms == 1 and not getattr(result, "ndim", 1):
        result = torch.as_tensor(result).reshape(1)
    if _lacks_arms(result, num_arms):
        raise Mistake(
            f"Of {num_arms} arms you return {len(result)}: an arm that is the best in none of the "
            "draws is left out. It has a place too, with a share of 0."
        )
    result = of_shape(result, (num_arms,), f"one probability for each of the {num_arms} arm(s)")
    result = result.double()
    if result.isnan().any():
        raise Mistake("There is a NaN. Beta needs two numbers above 0: both counts plus 1.")
    right = _exactly_best(paid + 1, pulls - paid + 1)
    if same(result, right, rtol=0, atol=NEAR):
        return
    refuse(result, _wrong_beliefs(pulls, paid), rtol=0, atol=NEAR)
    if not 0.99 < result.sum() < 1.01:
        raise Mistake(
            f"They sum to {result.sum():.3g}. In every draw exactly one arm is best, so the shares "
            "of all arms sum to one."
        )
    where = "there is one arm" if num_arms == 1 else f"there are {num_arms} arms"
    raise Mistake(
        f"These shares are further off than chance explains, at least where {where}. For each "
        "draw, note which arm is highest; then count."
    )


def _lacks_arms(result: object, num_arms: int) -> bool:
    """Whether these are shares, but of fewer arms."""
    return (
        isinstance(result, Tensor)
        and result.ndim == 1
        and len(result) < num_arms
        and 0.99 < result.double().sum() < 1.01
    )


def _wrong_beliefs(pulls: Tensor, paid: Tensor) -> Iterator[tuple[Tensor, str]]:
    lost, mean = pulls - paid, (paid + 1) / (pulls + 2)
    yield mean.double(), "These are the arms' expected chances. How often is each the best?"
    yield (mean / mean.sum()).double(), "Expected chances, divided by their sum, are not it: draw."
    yield (
        torch.eye(len(pulls), dtype=torch.float64)[mean.argmax()],
        "One arm is always best here: draw every chance anew, `num_draws` times.",
    )
    yield (
        _exactly_best(lost + 1, paid + 1),
        (
            "These are the shares of the *lowest* chance: you swapped the counts (payments come "
            "first in Beta), or took the lowest draw."
        ),
    )
    yield (
        _exactly_best(paid + 1, pulls + 1),
        "The second number is 1 + the pulls that did *not* pay, not 1 + all pulls.",
    )
    if (paid > 0).all() and (lost > 0).all():
        yield (
            _exactly_best(paid, lost),
            "Add 1 to both counts: before the first pull, all chances are equally likely.",
        )
    yield (
        torch.full_like(mean, 1 / len(mean)).double(),
        "You have not looked at the counts: all arms come out alike.",
    )


def _exactly_best(a: Tensor, b: Tensor, num_points: int = 20_001) -> Tensor:
    """How probable it is that each of several Beta(a, b) draws is the largest, by integration."""
    a, b = a.double(), b.double()
    grid = torch.linspace(0, 1, num_points, dtype=torch.float64)[1:-1]
    log_density = (a[:, None] - 1) * grid.log() + (b[:, None] - 1) * (1 - grid).log()
    density = (log_density - log_density.amax(1, keepdim=True)).exp()
    density = density / density.sum(1, keepdim=True)
    below = density.cumsum(1) - density / 2
    others = [below[torch.arange(len(a)) != arm].prod(0) for arm in range(len(a))]
    best = (density * torch.stack(others)).sum(1)
    return best / best.sum()


# --- best_total -----------------------------------------------------------------------------


def best_total(num_pulls: int, known: float) -> float:
    """The most that can be earned on average with one unknown arm and one that pays ``known``.

    The unknown arm pays 1 or 0, with a chance that is uniform in 0 … 1.
    """

    @cache
    def most(left: int, paid: int, failed: int) -> float:
        if left == 0:
            return 0.0
        pays = (paid + 1) / (paid + failed + 2)
        after = 1 + most(left - 1, paid + 1, failed), most(left - 1, paid, failed + 1)
        return max(left * known, pays * after[0] + (1 - pays) * after[1])

    return most(num_pulls, 0, 0)


GAMES = (
    (8, 0.45), (7, 0.6), (2, 0.5), (10, 0.75), (5, 0.4), (1, 0.5), (1, 0.7), (12, 0.65), (3, 0.0),
    (3, 1.0), (6, 0.9), (0, 0.4),
)  # fmt: skip


def check_best_total(answer: Callable) -> None:
    for num_pulls, known in GAMES:
        try:
            result = attempted(answer(num_pulls, known))
        except RecursionError:
            if num_pulls:
                raise
            raise Mistake(
                "A game may have 0 pulls. Yours then never stops: it goes on to less than none."
            ) from None
        if isinstance(result, bool) or not isinstance(result, int | float | Tensor):
            raise Mistake("Return one number: what a whole game pays on average.")
        result = float(of_shape(torch.as_tensor(result), (), "one number"))
        right = best_total(num_pulls, known)
        if abs(result - right) < 1e-4:
            continue
        for wrong, message in _wrong_totals(num_pulls, known):
            if abs(result - wrong) < 1e-4:
                raise Mistake(message)
        raise Mistake(_off(result, right, num_pulls, known))


def _off(result: float, right: float, num_pulls: int, known: float) -> str:
    where = f"in {num_pulls} pulls with known = {known}"
    if math.isnan(result):
        return f"You get no number {where}."
    if result > num_pulls * (1 + known**2) / 2 + 1e-4:
        return (
            f"You earn more {where} than somebody who is told the unknown arm's probability "
            "beforehand. Each pull pays at most once."
        )
    if result > right:
        return f"You earn more {where} than planning can. What is known before each pull?"
    if result < max(num_pulls * known, num_pulls / 2) - 1e-4:
        return f"You earn less {where} than somebody who pulls one arm all the time."
    return (
        f"A better plan earns more {where}. Before each pull compare: the known arm from here on, "
        "or one pull of the other and the best that can follow."
    )


def _wrong_totals(num_pulls: int, known: float) -> Iterator[tuple[float, str]]:
    def total(choose: Callable, pays: Callable, reward: float = 1.0) -> float:
        """With another way to choose, or another belief."""

        @cache
        def most(left: int, paid: int, failed: int) -> float:
            if left == 0:
                return 0.0
            chance = pays(paid, failed)
            won, lost = most(left - 1, paid + 1, failed), most(left - 1, paid, failed + 1)
            pull = chance * (reward + won) + (1 - chance) * lost
            return choose(left, chance, pull)

        return most(num_pulls, 0, 0)

    def laplace(paid: int, failed: int) -> float:
        return (paid + 1) / (paid + failed + 2)

    def share(paid: int, failed: int) -> float:
        return paid / (paid + failed) if paid + failed else 0.5

    def best(left: int, chance: float, pull: float) -> float:
        return max(left * known, pull)

    yield (
        max(num_pulls * known, num_pulls / 2),
        "You chose one arm for the whole game, or did not learn from what it paid. You may change "
        "after each pull, and know more then.",
    )
    yield (
        num_pulls * (1 + known**2) / 2,
        "That is for somebody who is told the unknown arm's probability before the first pull.",
    )
    yield (
        total(lambda left, chance, pull: pull if chance > known else left * known, laplace),
        "Your plan looks one pull ahead: it leaves the unknown arm when that expects less than "
        "known. A pull also tells something, and that may pay later.",
    )
    yield (
        total(best, share),
        "You believe paid / pulls. After one failure the arm would be worth nothing for ever. With "
        "all chances equally likely at first it is (paid + 1) / (pulls + 2).",
    )
    yield total(best, laplace, 0.0), "The pull itself may pay 1: you counted only what follows it."
    for more in (-1, 1):
        if num_pulls + more >= 0:
            yield (
                best_total(num_pulls + more, known),
                f"You played one pull too {'many' if more > 0 else 'few'}.",
            )
    if num_pulls:
        yield (
            best_total(num_pulls, known) / num_pulls,
            "That is per pull. Return the sum over the game.",
        )


# --- play_games -----------------------------------------------------------------------------


def play_games(
    read: Callable,
    choose: Callable,
    pull: Callable,
    empty: Tensor,
    num_games: int,
    num_pulls: int,
    num_arms: int,
) -> Tensor:
    """The rewards of players with a memory, ``(B, num_games, num_pulls)``.

    The memory is kept within a game, and empty at the beginning of each.
    """
    return _games_with()(read, choose, pull, empty, num_games, num_pulls, num_arms)


# Players, games, pulls, arms. The first tells all mistakes apart.
TABLES = ((4, 3, 5, 3), (1, 1, 1, 2), (2, 1, 6, 5), (5, 4, 2, 4))
WIDTH = 6


def check_play_games(answer: Callable) -> None:
    generator = seeded(11)
    for table in TABLES:
        _check_table(answer, _Table(*table, generator))


class _Table:
    """A network of random weights, and what each arm pays whenever it is pulled."""

    def __init__(self, players: int, games: int, pulls: int, arms: int, generator: torch.Generator):
        self.sizes = games, pulls, arms
        self.shape = players, games, pulls
        self.keep, self.enter, self.out = (
            torch.randn(size, WIDTH, generator=generator) for size in (WIDTH, arms + 1, arms)
        )
        self.pays = torch.rand(games, pulls, players, arms, generator=generator)
        self.empty = torch.randn(players, WIDTH, generator=generator)

    def play(self, rollout: Callable) -> tuple[Tensor | None, list[Tensor]]:
        """What ``rollout`` returns, and the memories that it made on its way."""
        (num_games, num_pulls, num_arms), players = self.sizes, len(self.empty)
        memories, made = [], dict.fromkeys(range(num_games), 0)

        def read(memory: Tensor, last: Tensor) -> Tensor:
            memory, last = torch.as_tensor(memory).float(), torch.as_tensor(last)
            if last.shape != (players, num_arms + 1):
                raise Mistake(
                    f"read got {tuple(last.shape)} for what was seen last; expected "
                    f"{(players, num_arms + 1)}: the arm as a one-hot vector, then the reward."
                )
            after = torch.tanh(memory @ self.keep + last.float() @ self.enter)
            memories.append(after)
            return after

        def choose(memory: Tensor) -> Tensor:
            return (memory @ self.out.T).argmax(-1)

        def pull(game: int, arms: Tensor) -> Tensor:
            if game not in made or made[game] == num_pulls:
                raise Mistake(
                    f"Game {game} is pulled once too often: there are {num_games} games of "
                    f"{num_pulls} pulls, numbered from 0."
                )
            made[game] += 1
            return self.pays[game, made[game] - 1].gather(1, arms.long().unsqueeze(1)).squeeze(1)

        return rollout(read, choose, pull, self.empty.clone(), *self.sizes), memories


KNOWN_ROLLOUTS = (
    (
        {"forgets_every_pull": True},
        "You empty the memory at every pull. Then nothing can be learned: within a game it must be "
        "kept.",
    ),
    (
        {"keeps_memory": True, "keeps_last": True},
        "The memory is carried over into the next game, whose bandit is another one. Every game "
        "begins with the empty memory, and with nothing seen.",
    ),
    (
        {"keeps_memory": True},
        "The memory is carried over into the next game, whose bandit is another one. Begin each "
        "game with the empty memory.",
    ),
    (
        {"keeps_last": True},
        "The memory is emptied, but the next game's first reading still shows the last arm and "
        "reward of the game before. Begin with zeros.",
    ),
    (
        {"late_reward": True},
        "What was read mixes two pulls: an arm together with the reward of the pull before it. Arm "
        "and reward of the same pull belong together.",
    ),
    (
        {"late_arm": True},
        "What was read mixes two pulls: a reward together with the arm of the pull before it. Arm "
        "and reward of the same pull belong together.",
    ),
    (
        {"shifted_players": True},
        "The reward stands beside another player's arm. Row b holds what player b pulled and got.",
    ),
    (
        {"reward_first": True},
        "The reward stands before the arms, where arm 0 belongs. First the one-hot arm, then the "
        "reward.",
    ),
    (
        {"reward_in_place": True},
        "The reward is written in the arm's own place, and the last number stays 0. The one-hot "
        "arm is 1 also where nothing was paid; the reward has the last place.",
    ),
    ({"no_reward": True}, "The reward is never read. Without it no arm is better than another."),
    (
        {"reads_late": True},
        "An arm is chosen before anything is read, and read comes after the pull. Read before "
        "choosing: at a game's first pull too, where all that was seen is zeros.",
    ),
    (
        {"chooses_early": True},
        "An arm is chosen from the memory as it was before read. Choose from the memory after it.",
    ),
    ({"no_arm": True}, "The arm is never read. A reward of an unknown arm teaches nothing."),
)


def _check_table(answer: Callable, table: _Table) -> None:
    num_games, num_pulls, _ = table.sizes
    rewards, memories = table.play(answer)
    attempted(rewards)
    right, right_memories = table.play(_games_with())
    if same(rewards, right) and same(memories, right_memories):
        return
    rewards = of_shape(rewards, table.shape, "players, games, pulls")
    for settings, message in KNOWN_ROLLOUTS:
        wrong, wrong_memories = table.play(_games_with(**settings))
        if same(memories, wrong_memories) and same(rewards, wrong):
            raise Mistake(message)
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
    raise Mistake("The memories are right, but not the rewards' places: (players, games, pulls).")


def _games_with(
    forgets_every_pull: bool = False,
    keeps_memory: bool = False,
    keeps_last: bool = False,
    late_reward: bool = False,
    late_arm: bool = False,
    shifted_players: bool = False,
    reward_first: bool = False,
    reward_in_place: bool = False,
    no_reward: bool = False,
    no_arm: bool = False,
    reads_late: bool = False,
    chooses_early: bool = False,
) -> Callable:
    """The right answer, or one with a known mistake in it."""

    def shown(arms: Tensor, rewards: Tensor, num_arms: int) -> Tensor:
        last = seen(arms, rewards.roll(1) if shifted_players else rewards, num_arms)
        if reward_first:
            last = last.roll(1, -1)
        if reward_in_place:
            last[:, :-1] *= last[:, -1:].clone()
        if no_reward or reward_in_place:
            last[:, -1] = 0
        if no_arm:
            last[:, :-1] = 0
        return last

    def play_games(read, choose, pull, empty, num_games, num_pulls, num_arms):
        memory, nothing = empty, torch.zeros(len(empty), num_arms + 1)
        last, games = nothing, []
        for game in range(num_games):
            memory = memory if keeps_memory else empty
            last = last if keeps_last else nothing
            before, paid = None, []
            for _ in range(num_pulls):
                before_reading = memory
                if not reads_late:
                    memory = read(empty if forgets_every_pull else memory, last)
                arms = choose(before_reading if chooses_early else memory)
                rewards = pull(game, arms)
                old_arms, old_rewards = before or (arms, torch.zeros_like(rewards))
                last = shown(
                    old_arms if late_arm else arms,
                    old_rewards if late_reward else rewards,
                    num_arms,
                )
                before = arms, rewards
                if reads_late:
                    memory = read(memory, last)
                paid.append(rewards)
            games.append(torch.stack(paid, 1))
        return torch.stack(games, 1)

    return play_games


EXERCISES = {
    "ucb1": Exercise(
        hints=(
            "First on paper: exp(−2 n b²) = t^(−power). Take the logarithm of both sides, and "
            "solve for b. What should an arm score that was never pulled?",
            "−2 n b² = −power · ln t. And t is pulls.sum(1, keepdim=True): all pulls of a game.",
            "b is (power * t.log() / (2 * pulls)).sqrt(). For untried arms compute with "
            "pulls.clamp(min=1), then scores.masked_fill(pulls == 0, torch.inf).argmax(1).",
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
    "best_total": Exercise(
        hints=(
            "Write a function of what is known before a pull: how many pulls are left, how often "
            "the unknown arm has paid, how often it has failed. With none left it is 0.",
            "Before each pull there are two plans. The known arm from here on: left · known, since "
            "it teaches nothing and so is never left again. Or one pull of the other, and then the "
            "same question with one pull fewer. Take the better.",
            "p = (paid + 1) / (paid + failed + 2), and the second plan is p * (1 + most(left - 1, "
            "paid + 1, failed)) + (1 - p) * most(left - 1, paid, failed + 1).",
        ),
        check=check_best_total,
        praise="You planned through all that can happen: nobody can earn more.",
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
