"""Notebook 06: the reference answers, and known wrong ones with what the check says to them."""

import math
import random
from functools import cache

import numpy as np
import torch
from torch.nn import functional as F

from instructor.answers import Answers
from metalearn_lite.evaluation import evaluate, task_scores
from metalearn_lite.learners.pixels import PixelNearestNeighbour

# --- luck -----------------------------------------------------------------------------------


def luck(num_right, ways):
    chances = [1]  # of 0, 1, 2, … right so far
    for n in ways:
        more = [0] * (len(chances) + 1)
        for k, chance in enumerate(chances):
            more[k] += chance * (1 - 1 / n)
            more[k + 1] += chance / n
        chances = more
    return sum(chances[num_right:])


def luck_by_recursion(num_right, ways):
    @cache
    def at_least(needed, left):
        if needed <= 0:
            return 1
        if needed > left:
            return 0
        p = 1 / ways[left - 1]
        return p * at_least(needed - 1, left - 1) + (1 - p) * at_least(needed, left - 1)

    return at_least(num_right, len(ways))


def luck_in_numpy(num_right, ways):
    chances = np.ones(1)
    for n in ways:
        chances = np.convolve(chances, [1 - 1 / n, 1 / n])
    return chances[num_right:].sum()


def exactly_so_many(num_right, ways):
    return luck(num_right, ways) - luck(num_right + 1, ways)


def more_than_so_many(num_right, ways):
    return luck(num_right + 1, ways)


def fewer(num_right, ways):
    return 1 - luck(num_right, ways)


def at_most(num_right, ways):
    return 1 - luck(num_right + 1, ways)


def _equal_chances(num_right, num_answers, p):
    return sum(
        math.comb(num_answers, k) * p**k * (1 - p) ** (num_answers - k)
        for k in range(num_right, num_answers + 1)
    )


def average_chance(num_right, ways):
    return _equal_chances(num_right, len(ways), sum(1 / n for n in ways) / max(len(ways), 1))


def average_ways(num_right, ways):
    return _equal_chances(num_right, len(ways), len(ways) / max(sum(ways), 1))


def first_ways_for_all(num_right, ways):
    return _equal_chances(num_right, len(ways), 1 / ways[0] if ways else 1)


def tossed_a_coin(num_right, ways):
    return _equal_chances(num_right, len(ways), 0.5)


def one_order(num_right, ways):
    wrong = math.prod(1 - 1 / n for n in ways[num_right:])
    return math.prod(1 / n for n in ways[:num_right]) * wrong


def the_first_are_right(num_right, ways):
    return math.prod(1 / n for n in ways[:num_right])


def normal_approximation(num_right, ways):
    mean = sum(1 / n for n in ways)
    spread = math.sqrt(sum(1 / n * (1 - 1 / n) for n in ways)) or 1.0
    return 0.5 * math.erfc((num_right - mean) / spread / math.sqrt(2))


def drawn(num_right, ways):
    games = [sum(random.random() < 1 / n for n in ways) for _ in range(2000)]
    return sum(game >= num_right for game in games) / len(games)


def none_is_certain_forgotten(num_right, ways):
    return luck(num_right, ways) if num_right else 0.0


# --- nearest_neighbour ----------------------------------------------------------------------


def _differences(support, query):
    return query.flatten(2).unsqueeze(2) - support.flatten(2).unsqueeze(1)


def nearest_neighbour(support, support_y, query):
    differences = query.flatten(2).unsqueeze(2) - support.flatten(2).unsqueeze(1)
    nearest = differences.square().sum(3).argmin(2)
    return support_y.gather(1, nearest)


def by_cdist(support, support_y, query):
    nearest = torch.cdist(query.flatten(2), support.flatten(2)).argmin(dim=2)
    return torch.take_along_dim(support_y, nearest, dim=1)


def one_query_at_a_time_in_numpy(support, support_y, query):
    support, support_y, query = (np.asarray(part) for part in (support, support_y, query))
    answers = np.zeros(query.shape[:2])
    for task in range(len(query)):
        for place, image in enumerate(query[task]):
            squares = (support[task] - image) ** 2
            distances = squares.reshape(len(squares), -1).sum(1)
            answers[task, place] = support_y[task][distances.argmin()]
    return answers


def positions_for_classes(support, support_y, query):
    return _differences(support, query).square().sum(3).argmin(2)


def trusted_the_order(support, support_y, query):
    num_shots = support.shape[1] // (int(support_y.max()) + 1)
    return _differences(support, query).square().sum(3).argmin(2) // num_shots


def farthest(support, support_y, query):
    return support_y.gather(1, _differences(support, query).square().sum(3).argmax(2))


def signs_cancel(support, support_y, query):
    return support_y.gather(1, _differences(support, query).sum(3).abs().argmin(2))


def never_squared(support, support_y, query):
    return support_y.gather(1, _differences(support, query).sum(3).argmin(2))


def mixed_the_tasks(support, support_y, query):
    everyone = support.flatten(0, 1).flatten(1)
    nearest = (query.flatten(2).unsqueeze(2) - everyone).square().sum(3).argmin(2)
    return support_y.flatten()[nearest]


def _of_class(support, support_y, query):
    distances = _differences(support, query).square().sum(3)
    ways = range(int(support_y.max()) + 1)
    mine = [support_y[:, None] == way for way in ways]
    sums = torch.stack([distances.masked_fill(~own, 0).sum(2) for own in mine])
    return sums, torch.stack([own.sum(2) for own in mine]).clamp(min=1)


def near_in_sum(support, support_y, query):
    return _of_class(support, support_y, query)[0].argmin(0)


def mean_image(support, support_y, query):
    belongs = F.one_hot(support_y).float()
    means = (belongs / belongs.sum(1, keepdim=True)).transpose(1, 2) @ support.flatten(2)
    return (query.flatten(2).unsqueeze(2) - means.unsqueeze(1)).square().sum(3).argmin(2)


def largest_overlap(support, support_y, query):
    overlap = query.flatten(2) @ support.flatten(2).transpose(1, 2)
    return support_y.gather(1, overlap.argmax(2))


def argmin_over_queries(support, support_y, query):
    return _differences(support, query).square().sum(3).argmin(1)


def absolute_differences(support, support_y, query):
    return support_y.gather(1, _differences(support, query).abs().sum(3).argmin(2))


def first_tasks_classes(support, support_y, query):
    return support_y[0][_differences(support, query).square().sum(3).argmin(2)]


def in_place(support, support_y, query):
    nearest = _differences(support, query).square().sum(3).argmin(2)
    query.zero_()
    return support_y.gather(1, nearest)


# --- ways_by_shots --------------------------------------------------------------------------


def _tables(learner, pool, all_ways, all_shots, num_tasks, generator):
    rows = []
    for ways in all_ways:
        episodes = [pool.sample(num_tasks, ways, k, generator=generator) for k in all_shots]
        rows.append([evaluate(learner, each) for each in episodes])
    means = torch.tensor([[cell.mean for cell in row] for row in rows])
    return means, torch.tensor([[cell.interval for cell in row] for row in rows])


def ways_by_shots(learner, pool, all_ways, all_shots, num_tasks, generator):
    means = torch.zeros(len(all_ways), len(all_shots))
    intervals = torch.zeros(len(all_ways), len(all_shots))
    for i, ways in enumerate(all_ways):
        for j, shots in enumerate(all_shots):
            episodes = pool.sample(num_tasks, ways, shots, generator=generator)
            result = evaluate(learner, episodes)
            means[i, j], intervals[i, j] = result.mean, result.interval
    return means, intervals


def by_hand_in_numpy(learner, pool, all_ways, all_shots, num_tasks, generator):
    means, intervals = [], []
    for ways in all_ways:
        scores = []
        for shots in all_shots:
            support, query = pool.sample(num_tasks, ways, shots, generator=generator)
            with torch.no_grad():
                said = learner.predict(learner.adapt(support), query.x).argmax(-1)
            scores.append((said == query.y).numpy().mean(axis=1))
        means.append([one.mean() for one in scores])
        intervals.append([1.96 * one.std() / num_tasks**0.5 for one in scores])
    return np.array(means), np.array(intervals)


def rows_for_columns(*arguments):
    return tuple(table.T for table in _tables(*arguments))


def shots_first(learner, pool, all_ways, all_shots, num_tasks, generator):
    means, intervals = _tables(learner, pool, all_shots, all_ways, num_tasks, generator)
    return means.T, intervals.T


def errors(*arguments):
    means, intervals = _tables(*arguments)
    return 1 - means, intervals


def per_cents(*arguments):
    means, intervals = _tables(*arguments)
    return 100 * means, 100 * intervals


def forgot_the_generator(learner, pool, all_ways, all_shots, num_tasks, generator):
    return _tables(learner, pool, all_ways, all_shots, num_tasks, None)


def other_queries(learner, pool, all_ways, all_shots, num_tasks, generator):
    for ways in all_ways:
        for shots in all_shots:
            pool.sample(num_tasks, ways, shots, 1, generator)
    return _tables(learner, pool, all_ways, all_shots, num_tasks, generator)


def a_fixed_number_of_tasks(learner, pool, all_ways, all_shots, num_tasks, generator):
    return _tables(learner, pool, all_ways, all_shots, 40 + num_tasks, generator)


def forgot_the_root(learner, pool, all_ways, all_shots, num_tasks, generator):
    means, intervals = _tables(learner, pool, all_ways, all_shots, num_tasks, generator)
    return means, intervals * num_tasks**0.5


def spread_of_tasks(learner, pool, all_ways, all_shots, num_tasks, generator):
    means, intervals = _tables(learner, pool, all_ways, all_shots, num_tasks, generator)
    return means, intervals / 1.96 * num_tasks**0.5


def one_standard_error(*arguments):
    means, intervals = _tables(*arguments)
    return means, intervals / 1.96


def whole_width(*arguments):
    means, intervals = _tables(*arguments)
    return means, 2 * intervals


def answers_for_tasks(learner, pool, all_ways, all_shots, num_tasks, generator):
    means, _ = _tables(learner, pool, all_ways, all_shots, num_tasks, generator)
    num_answers = 5 * num_tasks * torch.tensor(all_ways).unsqueeze(1)
    return means, 1.96 * (means * (1 - means) / num_answers).sqrt()


def scored_on_support(learner, pool, all_ways, all_shots, num_tasks, generator):
    rows = []
    for ways in all_ways:
        episodes = [pool.sample(num_tasks, ways, k, generator=generator) for k in all_shots]
        support = [each.support for each in episodes]
        said = [learner.predict(learner.adapt(s), s.x) for s in support]
        rows.append([task_scores(a, s.y).mean() for a, s in zip(said, support, strict=True)])
    means = torch.tensor(rows)
    return means, torch.zeros_like(means)


def learner_ignored(learner, pool, all_ways, all_shots, num_tasks, generator):
    return _tables(PixelNearestNeighbour(), pool, all_ways, all_shots, num_tasks, generator)


def means_only(*arguments):
    return 0.5


ANSWERS = {
    "06.luck": Answers(
        right=(luck, luck_by_recursion, luck_in_numpy),
        wrong={
            exactly_so_many: "exactly so many",
            more_than_so_many: "more than so many",
            fewer: "chance of fewer",
            at_most: "at most so many",
            average_chance: "average chance",
            average_ways: "average number of classes",
            first_ways_for_all: "first number of classes",
            tossed_a_coin: "tossed a coin",
            one_order: "one certain order",
            the_first_are_right: "the first answers to be right",
            normal_approximation: "normal approximation",
            drawn: "you drew",
            none_is_certain_forgotten: "for at least 0 right",
        },
        equal={
            "luck_in_numpy: line 4: np.convolve(chances, [1 - 1 / n, 1 / n]) -> "
            "np.convolve([1 - 1 / n, 1 / n], chances)": "either may be laid over the other",
            "luck: line 4: 1 -> 2": "an entry more, which stays 0",
            "luck_by_recursion: line 8: 1 -> 2": "the answers come in another order, which does "
            "not matter",
        },
    ),
    "06.nearest_neighbour": Answers(
        right=(nearest_neighbour, by_cdist, one_query_at_a_time_in_numpy),
        wrong={
            positions_for_classes: "positions in the support",
            trusted_the_order: "order of the support",
            farthest: "farthest images",
            signs_cancel: "cancel",
            never_squared: "can be negative",
            mixed_the_tasks: "in the other task",
            near_in_sum: "near in sum",
            mean_image: "mean image",
            largest_overlap: "largest overlap",
            argmin_over_queries: "got (2, 9)",
            absolute_differences: "Sum the squares",
            first_tasks_classes: "first task's",
            in_place: "Work on copies",
        },
        equal={
            "nearest_neighbour: line 2: query.flatten(2).unsqueeze(2) - "
            "support.flatten(2).unsqueeze(1) -> support.flatten(2).unsqueeze(1) - "
            "query.flatten(2).unsqueeze(2)": "the differences are squared",
            "nearest_neighbour: line 3: differences.square().sum -> differences.square().mean": (
                "all images have the same number of pixels"
            ),
            "one_query_at_a_time_in_numpy: line 6: support[task] - image -> image - "
            "support[task]": "the differences are squared",
            "one_query_at_a_time_in_numpy: line 7: squares.reshape(len(squares), -1).sum -> "
            "squares.reshape(len(squares), -1).mean": "all images have the same number of pixels",
            "one_query_at_a_time_in_numpy: line 4: query -> support": "as many tasks in both",
            "one_query_at_a_time_in_numpy: line 7: 1 -> 2": "numpy reads -2 as -1 there",
        },
    ),
    "06.ways_by_shots": Answers(
        right=(ways_by_shots, by_hand_in_numpy),
        wrong={
            rows_for_columns: "yours are swapped",
            shots_first: "sample takes ways first",
            errors: "These are errors",
            per_cents: "per cents",
            forgot_the_generator: "Hand the generator on",
            other_queries: "Leave num_queries",
            a_fixed_number_of_tasks: "and no others",
            forgot_the_root: "left out √n",
            spread_of_tasks: "single tasks spread",
            one_standard_error: "one standard error",
            whole_width: "whole width",
            answers_for_tasks: "counted every answer",
            scored_on_support: "scored the support",
            learner_ignored: "use the learner given",
            means_only: "Return two tables",
        },
    ),
}
