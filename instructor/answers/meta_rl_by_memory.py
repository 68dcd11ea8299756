"""Notebook 11: the reference answers, and known wrong ones with what the check says to them."""

import torch
from torch.nn import functional as F

from instructor.answers import Answers

# --- ucb1 -----------------------------------------------------------------------------------


def _best(pulls, paid, bonus):
    scores = paid / pulls.clamp(min=1) + bonus
    return scores.masked_fill(pulls == 0, torch.inf).argmax(1)


def _bonus(pulls):
    return (2 * pulls.sum(1, keepdim=True).log() / pulls.clamp(min=1)).sqrt()


def ucb1(pulls, paid):
    return _best(pulls, paid, _bonus(pulls))


def greedy(pulls, paid):
    return _best(pulls, paid, 0)


def compared_sums(pulls, paid):
    return paid.argmax(1)


def pessimist(pulls, paid):
    return _best(pulls, paid, -_bonus(pulls))


def forgot_the_root(pulls, paid):
    return _best(pulls, paid, _bonus(pulls).square())


def forgot_the_two(pulls, paid):
    return _best(pulls, paid, _bonus(pulls) / 2**0.5)


def logarithm_of_the_arm_s_pulls(pulls, paid):
    return _best(pulls, paid, (2 * pulls.clamp(min=1).log() / pulls.clamp(min=1)).sqrt())


def forgot_the_logarithm(pulls, paid):
    return _best(pulls, paid, (2 * pulls.sum(1, keepdim=True) / pulls.clamp(min=1)).sqrt())


def added_all_games_up(pulls, paid):
    return _best(pulls, paid, (2 * pulls.sum().log() / pulls.clamp(min=1)).sqrt())


def returned_scores(pulls, paid):
    return paid / pulls + _bonus(pulls)


def forgot_the_untried(pulls, paid):
    return (paid / pulls.clamp(min=1) + _bonus(pulls)).argmax(1)


# --- chance_best ----------------------------------------------------------------------------


def _share_best(a, b, num_draws):
    draws = torch.distributions.Beta(a, b).sample((num_draws,))
    return torch.bincount(draws.argmax(1), minlength=len(a)) / num_draws


def chance_best(pulls, paid, num_draws):
    return _share_best(1 + paid, 1 + pulls - paid, num_draws)


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


def averaged_the_draws(pulls, paid, num_draws):
    draws = torch.distributions.Beta(1 + paid, 1 + pulls - paid).sample((num_draws,))
    return draws.mean(0)


# --- play_games -----------------------------------------------------------------------------


def _seen(arms, rewards):
    return torch.cat([F.one_hot(arms, 3), rewards.unsqueeze(-1)], -1)


def play_games(read, choose, pull, empty, num_games, num_pulls):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), 4), []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            rewards = pull(game, arms)
            last = _seen(arms, rewards)
            paid.append(rewards)
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def kept_everything(read, choose, pull, empty, num_games, num_pulls):
    memory, last, games = empty, torch.zeros(len(empty), 4), []
    for game in range(num_games):
        paid = []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen(arms, paid[-1])
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def kept_the_memory(read, choose, pull, empty, num_games, num_pulls):
    memory, games = empty, []
    for game in range(num_games):
        last, paid = torch.zeros(len(empty), 4), []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen(arms, paid[-1])
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def kept_the_last_reading(read, choose, pull, empty, num_games, num_pulls):
    last, games = torch.zeros(len(empty), 4), []
    for game in range(num_games):
        memory, paid = empty, []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen(arms, paid[-1])
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def emptied_it_every_pull(read, choose, pull, empty, num_games, num_pulls):
    games = []
    for game in range(num_games):
        last, paid = torch.zeros(len(empty), 4), []
        for _ in range(num_pulls):
            arms = choose(read(empty, last))
            paid.append(pull(game, arms))
            last = _seen(arms, paid[-1])
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def reward_of_the_pull_before(read, choose, pull, empty, num_games, num_pulls):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), 4), [torch.zeros(len(empty))]
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            last = _seen(arms, paid[-1])
            paid.append(pull(game, arms))
        games.append(torch.stack(paid[1:], 1))
    return torch.stack(games, 1)


def never_read_the_reward(read, choose, pull, empty, num_games, num_pulls):
    games = []
    for game in range(num_games):
        memory, last, paid = empty, torch.zeros(len(empty), 4), []
        for _ in range(num_pulls):
            memory = read(memory, last)
            arms = choose(memory)
            paid.append(pull(game, arms))
            last = _seen(arms, torch.zeros(len(empty)))
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


def axes_in_another_order(read, choose, pull, empty, num_games, num_pulls):
    return play_games(read, choose, pull, empty, num_games, num_pulls).transpose(0, 1)


def first_pull_unread(read, choose, pull, empty, num_games, num_pulls):
    games = []
    for game in range(num_games):
        memory, paid = empty, []
        for _ in range(num_pulls):
            arms = choose(memory)
            paid.append(pull(game, arms))
            memory = read(memory, _seen(arms, paid[-1]))
        games.append(torch.stack(paid, 1))
    return torch.stack(games, 1)


ANSWERS = {
    "11.ucb1": Answers(
        right=(ucb1,),
        wrong={
            greedy: "never adds the bonus",
            compared_sums: "compare sums",
            pessimist: "Optimism adds it",
            forgot_the_root: "square root",
            forgot_the_two: "The 2",
            logarithm_of_the_arm_s_pulls: "all arms together",
            forgot_the_logarithm: "forgot the logarithm",
            added_all_games_up: "a t of its own",
            returned_scores: "These are scores",
            forgot_the_untried: "never pulled is pulled first",
        },
    ),
    "11.chance_best": Answers(
        right=(chance_best,),
        wrong={
            no_prior: "Add 1 to both counts",
            swapped_the_counts: "swapped the counts",
            pulls_for_losses: "did *not* pay",
            ignored_the_counts: "not looked at the counts",
            the_expected_chances: "expected chances",
            only_the_highest_mean: "always best",
            counted_without_dividing: "They sum to",
            averaged_the_draws: "expected chances",
        },
    ),
    "11.play_games": Answers(
        right=(play_games,),
        wrong={
            kept_everything: "and with nothing seen",
            kept_the_memory: "Begin each game with the empty memory",
            kept_the_last_reading: "Begin with zeros",
            emptied_it_every_pull: "within a game it must be kept",
            reward_of_the_pull_before: "mixes two pulls",
            never_read_the_reward: "never read",
            axes_in_another_order: "players, games, pulls",
            first_pull_unread: "not what it should be",
        },
    ),
}
