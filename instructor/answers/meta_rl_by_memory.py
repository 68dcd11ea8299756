"""Notebook 11: the reference answers, and known wrong ones with what the check says to them."""

import numpy as np
import torch
from torch.nn import functional as F

from instructor.answers import Answers

# --- ucb1 -----------------------------------------------------------------------------------


def _best(pulls, paid, bonus):
    scores = paid / pulls.clamp(min=0.5) + bonus
    return scores.masked_fill(pulls == 0, torch.inf).argmax(1)


def _bonus(pulls, power):
    return (power * pulls.sum(1, keepdim=True).log() / (2 * pulls.clamp(min=0.5))).sqrt()


def ucb1(pulls, paid, power):
    arms = []
    for n, s in zip(pulls, paid, strict=True):
        if (n == 0).any():
            arms.append((n == 0).nonzero()[0, 0])
        else:
            arms.append((s / n + torch.sqrt(power * n.sum().log() / (2 * n))).argmax())
    return torch.stack(arms)


def ucb1_in_numpy(pulls, paid, power):
    n, s = pulls.double().numpy(), paid.double().numpy()
    t = n.sum(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        scores = s / n + np.sqrt(np.log(t) * power / (2 * n))
    return np.where(n == 0, np.inf, scores).argmax(axis=1)


def greedy(pulls, paid, power):
    return _best(pulls, paid, 0)


def compared_sums(pulls, paid, power):
    return paid.argmax(1)


def bonuses_alone(pulls, paid, power):
    return _best(pulls, 0 * paid, _bonus(pulls, power))


def pessimist(pulls, paid, power):
    return _best(pulls, paid, -_bonus(pulls, power))


def forgot_the_root(pulls, paid, power):
    return _best(pulls, paid, _bonus(pulls, power).square())


def forgot_the_two(pulls, paid, power):
    return _best(pulls, paid, _bonus(pulls, power) * 2**0.5)


def forgot_the_power(pulls, paid, power):
    return _best(pulls, paid, _bonus(pulls, 4))


def power_out_of_the_root(pulls, paid, power):
    return _best(pulls, paid, power * _bonus(pulls, 1))


def logarithm_of_the_arm_s_pulls(pulls, paid, power):
    n = pulls.clamp(min=1)
    return _best(pulls, paid, (power * n.log() / (2 * n)).sqrt())


def counted_the_coming_pull(pulls, paid, power):
    t = pulls.sum(1, keepdim=True) + 1
    return _best(pulls, paid, (power * t.log() / (2 * pulls)).sqrt())


def forgot_the_logarithm(pulls, paid, power):
    return _best(pulls, paid, (power * pulls.sum(1, keepdim=True) / (2 * pulls)).sqrt())


def added_all_games_up(pulls, paid, power):
    return _best(pulls, paid, (power * pulls.sum().log() / (2 * pulls)).sqrt())


def returned_scores(pulls, paid, power):
    return paid / pulls + _bonus(pulls, power)


def forgot_the_untried(pulls, paid, power):
    return (paid / pulls.clamp(min=0.5) + _bonus(pulls, power)).argmax(1)


# --- chance_best ----------------------------------------------------------------------------


def _share_best(a, b, num_draws):
    draws = torch.distributions.Beta(a, b).sample((num_draws,))
    return torch.bincount(draws.argmax(1), minlength=len(a)) / num_draws


def chance_best(pulls, paid, num_draws):
    return _share_best(1 + paid, 1 + pulls - paid, num_draws)


def chance_best_in_numpy(pulls, paid, num_draws):
    chance = np.random.default_rng(0)
    pulls, paid = pulls.numpy(), paid.numpy()
    wins = np.zeros(len(pulls))
    draws = chance.beta(1 + paid, 1 + pulls - paid, size=(num_draws, len(pulls)))
    np.add.at(wins, draws.argmax(1), 1)
    return wins / num_draws


def no_prior(pulls, paid, num_draws):
    return _share_best(paid, pulls - paid, num_draws)


def swapped_the_counts(pulls, paid, num_draws):
    return _share_best(1 + pulls - paid, 1 + paid, num_draws)


def pulls_for_losses(pulls, paid, num_draws):
    return _share_best(1 + paid, 1 + pulls, num_draws)


def ignored_the_counts(pulls, paid, num_draws):
    return _share_best(torch.ones(len(pulls)), torch.ones(len(pulls)), num_draws)


def the_expected_chances(pulls, paid, num_draws):
    return (1 + paid) / (2 + pulls)


def only_the_highest_mean(pulls, paid, num_draws):
    mean = (1 + paid) / (2 + pulls)
    return F.one_hot(mean.argmax(), len(pulls)).float()


def counted_without_dividing(pulls, paid, num_draws):
    return _share_best(1 + paid, 1 + pulls - paid, num_draws) * num_draws


def expected_chances_as_shares(pulls, paid, num_draws):
    mean = (1 + paid) / (2 + pulls)
    return mean / mean.sum()


def _drawn(pulls, paid, num_draws):
    return torch.distributions.Beta(1 + paid, 1 + pulls - paid).sample((num_draws,)).argmax(1)


def one_hot_of_the_arms_that_won(pulls, paid, num_draws):
    return F.one_hot(_drawn(pulls, paid, num_draws)).float().mean(0)


def counted_up_to_the_last_that_won(pulls, paid, num_draws):
    return _drawn(pulls, paid, num_draws).bincount() / num_draws


def only_the_arms_that_won(pulls, paid, num_draws):
    return _drawn(pulls, paid, num_draws).unique(return_counts=True)[1] / num_draws


# --- best_total -----------------------------------------------------------------------------


def best_total(num_pulls, known):
    def most(left, paid, failed):
        if left == 0:
            return 0.0
        p = (paid + 1) / (paid + failed + 2)
        won, lost = most(left - 1, paid + 1, failed), most(left - 1, paid, failed + 1)
        return max(left * known, p * (1 + won) + (1 - p) * lost)

    return most(num_pulls, 0, 0)


def best_total_from_the_end(num_pulls, known):
    """What is still to come, for every number of payments, pull by pull from the last one back."""
    worth = np.zeros(num_pulls + 1)
    for made in reversed(range(num_pulls)):
        p = (np.arange(made + 1) + 1) / (made + 2)
        pull = p * (1 + worth[1:]) + (1 - p) * worth[:-1]
        worth = np.maximum((num_pulls - made) * known, pull)
    return worth.item()


def chose_once(num_pulls, known):
    return num_pulls * max(known, 0.5)


def was_told(num_pulls, known):
    return num_pulls * (1 + known**2) / 2


def _planned(num_pulls, known, laplace=1, ahead=True, counts=1):
    def most(left, paid, failed):
        if left == 0:
            return 0.0
        p = (paid + laplace) / (paid + failed + 2 * laplace) if paid + failed + laplace else 0.5
        if not ahead and p <= known:
            return left * known
        won, lost = most(left - 1, paid + 1, failed), most(left - 1, paid, failed + 1)
        pull = p * (counts + won) + (1 - p) * lost
        return max(left * known, pull) if ahead else pull

    return most(num_pulls, 0, 0)


def looked_one_pull_ahead(num_pulls, known):
    return _planned(num_pulls, known, ahead=False)


def believed_the_share(num_pulls, known):
    return _planned(num_pulls, known, laplace=0)


def forgot_the_pull_s_own_payment(num_pulls, known):
    return _planned(num_pulls, known, counts=0)


def one_pull_too_few(num_pulls, known):
    return best_total(max(num_pulls - 1, 0), known)


def one_pull_too_many(num_pulls, known):
    return best_total(num_pulls + 1, known)


def stopped_at_one_pull_left(num_pulls, known):
    def most(left, paid, failed):
        p = (paid + 1) / (paid + failed + 2)
        if left == 1:
            return max(known, p)
        won, lost = most(left - 1, paid + 1, failed), most(left - 1, paid, failed + 1)
        return max(left * known, p * (1 + won) + (1 - p) * lost)

    return most(num_pulls, 0, 0)


def per_pull(num_pulls, known):
    return best_total(num_pulls, known) / max(num_pulls, 1)


def paid_twice(num_pulls, known):
    return _planned(num_pulls, known, counts=2)


# --- play_games -----------------------------------------------------------------------------


def _seen(arms, rewards, num_arms):
    return torch.cat([F.one_hot(arms, num_arms), rewards.unsqueeze(-1)], -1)


def play_games(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), num_arms + 1), []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            rewards = pull(game, arms)
            last = _seen(arms, rewards, num_arms)
            paid.append(rewards)
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def play_games_in_place(read, choose, pull, empty, num_games, num_pulls, num_arms):
    """Written into one table of rewards in double precision."""
    players = np.arange(len(empty))
    rewards = np.zeros((len(empty), num_games, num_pulls))
    for game in range(num_games):
        memory = read(empty, torch.zeros(len(empty), num_arms + 1))
        for at in range(num_pulls):
            arms = choose(memory)
            rewards[:, game, at] = pull(game, arms).numpy()
            if at < num_pulls - 1:
                last = torch.zeros(len(empty), num_arms + 1)
                last[players, arms] = 1
                last[:, num_arms] = torch.as_tensor(rewards[:, game, at])
                memory = read(memory, last)
    return rewards


def kept_everything(read, choose, pull, empty, num_games, num_pulls, num_arms):
    memory, last, games = empty, torch.zeros(len(empty), num_arms + 1), []
    for game in range(num_games):
        paid = []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen(arms, paid[-1], num_arms)
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def kept_the_memory(read, choose, pull, empty, num_games, num_pulls, num_arms):
    memory, games = empty, []
    for game in range(num_games):
        last, paid = torch.zeros(len(empty), num_arms + 1), []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen(arms, paid[-1], num_arms)
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def kept_the_last_reading(read, choose, pull, empty, num_games, num_pulls, num_arms):
    last, games = torch.zeros(len(empty), num_arms + 1), []
    for game in range(num_games):
        memory, paid = empty, []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen(arms, paid[-1], num_arms)
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def emptied_it_every_pull(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        last, paid = torch.zeros(len(empty), num_arms + 1), []
        for _ in range(num_pulls):
            arms = choose(read(empty, last))
            paid.append(pull(game, arms))
            last = _seen(arms, paid[-1], num_arms)
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def reward_of_the_pull_before(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), num_arms + 1), [torch.zeros(len(empty))]
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            last = _seen(arms, paid[-1], num_arms)
            paid.append(pull(game, arms))
        games.append(torch.stack(paid[1:], 1))
    return torch.stack(games, 1)


def never_read_the_reward(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), num_arms + 1), []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen(arms, torch.zeros(len(empty)), num_arms)
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def arm_of_the_pull_before(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), num_arms + 1), []
        old = None
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen(arms if old is None else old, paid[-1], num_arms)
            old = arms
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def reward_of_another_player(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), num_arms + 1), []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen(arms, paid[-1].roll(1), num_arms)
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def reward_before_the_arms(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), num_arms + 1), []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen(arms, paid[-1], num_arms).roll(1, -1)
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def reward_in_the_arm_s_place(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), num_arms + 1), []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = F.pad(F.one_hot(arms, num_arms) * paid[-1].unsqueeze(-1), (0, 1))
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def never_read_the_arm(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), num_arms + 1), []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = F.pad(paid[-1].unsqueeze(-1), (num_arms, 0))
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def axes_in_another_order(read, choose, pull, empty, num_games, num_pulls, num_arms):
    return play_games(read, choose, pull, empty, num_games, num_pulls, num_arms).transpose(0, 1)


def first_pull_unread(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        memory, paid = empty, []
        for _ in range(num_pulls):
            arms = choose(memory)
            paid.append(pull(game, arms))
            memory = read(memory, _seen(arms, paid[-1], num_arms))
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def chose_before_reading(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), num_arms + 1), []
        for _ in range(num_pulls):
            arms = choose(memory)
            memory = read(memory, last)
            paid.append(pull(game, arms))
            last = _seen(arms, paid[-1], num_arms)
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def another_arm_s_place(read, choose, pull, empty, num_games, num_pulls, num_arms):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), num_arms + 1), []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen((arms + 1) % num_arms, paid[-1], num_arms)
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


ANSWERS = {
    "11.ucb1": Answers(
        right=(ucb1, ucb1_in_numpy),
        wrong={
            greedy: "This is greedy",
            compared_sums: "compare sums",
            bonuses_alone: "compare bonuses alone",
            pessimist: "Optimism adds it",
            forgot_the_root: "square root",
            forgot_the_two: "where did the 2",
            forgot_the_power: "left out power",
            power_out_of_the_root: "out of the root",
            logarithm_of_the_arm_s_pulls: "all arms together",
            counted_the_coming_pull: "without the coming one",
            forgot_the_logarithm: "forgot the logarithm",
            added_all_games_up: "a t of its own",
            returned_scores: "These are scores",
            forgot_the_untried: "never pulled is pulled first",
        },
        equal={
            "ucb1: line 3: zip(pulls, paid, strict=True) -> zip(pulls, paid)": "both are as long",
            "ucb1: line 3: True -> False": "both are as long",
            "ucb1: line 4: 0 -> -1": "0 / 0 is NaN, which argmax takes for the largest",
            "ucb1: line 5: 0 -> -1": "the last untried arm instead of the first",
            "ucb1_in_numpy: line 6: 0 -> -1": "0 / 0 is NaN, which argmax takes for the largest",
            "ucb1_in_numpy: line 4: np.errstate(all='ignore') -> np.errstate()": "only warns",
        },
    ),
    "11.chance_best": Answers(
        right=(chance_best, chance_best_in_numpy),
        wrong={
            no_prior: "Add 1 to both counts",
            swapped_the_counts: "swapped the counts",
            pulls_for_losses: "did *not* pay",
            ignored_the_counts: "not looked at the counts",
            the_expected_chances: "expected chances. How often",
            one_hot_of_the_arms_that_won: "It has a place too",
            counted_up_to_the_last_that_won: "It has a place too",
            only_the_arms_that_won: "It has a place too",
            expected_chances_as_shares: "divided by their sum",
            only_the_highest_mean: "always best",
            counted_without_dividing: "They sum to",
        },
        equal={
            "chance_best_in_numpy: line 2: 0 -> 1": "another seed of its own draws",
        },
    ),
    "11.best_total": Answers(
        right=(best_total, best_total_from_the_end),
        wrong={
            chose_once: "one arm for the whole game",
            was_told: "told the unknown arm's probability before the first pull",
            looked_one_pull_ahead: "looks one pull ahead",
            believed_the_share: "believe paid / pulls",
            forgot_the_pull_s_own_payment: "only what follows it",
            one_pull_too_few: "too few",
            one_pull_too_many: "too many",
            stopped_at_one_pull_left: "may have 0 pulls",
            per_pull: "per pull",
            paid_twice: "pays at most once",
        },
    ),
    "11.play_games": Answers(
        right=(play_games, play_games_in_place),
        wrong={
            kept_everything: "and with nothing seen",
            kept_the_memory: "Begin each game with the empty memory",
            kept_the_last_reading: "Begin with zeros",
            emptied_it_every_pull: "within a game it must be kept",
            reward_of_the_pull_before: "an arm together with the reward of the pull before",
            arm_of_the_pull_before: "a reward together with the arm of the pull before",
            reward_of_another_player: "beside another player's arm",
            reward_before_the_arms: "stands before the arms",
            reward_in_the_arm_s_place: "in the arm's own place",
            never_read_the_reward: "The reward is never read",
            never_read_the_arm: "The arm is never read",
            axes_in_another_order: "players, games, pulls",
            first_pull_unread: "before anything is read",
            chose_before_reading: "as it was before read",
            another_arm_s_place: "not what it should be",
        },
    ),
}
