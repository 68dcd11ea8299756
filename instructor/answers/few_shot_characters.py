"""Notebook 06: the reference answers, and known wrong ones with what the check says to them."""

import math

import torch

from instructor.answers import Answers
from metalearn_lite.evaluation import evaluate

# --- nearest_neighbour ----------------------------------------------------------------------


def _differences(support, query):
    return query.flatten(2).unsqueeze(2) - support.flatten(2).unsqueeze(1)


def nearest_neighbour(support, support_y, query):
    nearest = _differences(support, query).square().sum(3).argmin(2)
    return support_y.gather(1, nearest)


def positions_for_classes(support, support_y, query):
    return _differences(support, query).square().sum(3).argmin(2)


def trusted_the_order(support, support_y, query):
    num_shots = support.shape[1] // (int(support_y.max()) + 1)
    return _differences(support, query).square().sum(3).argmin(2) // num_shots


def farthest(support, support_y, query):
    return support_y.gather(1, _differences(support, query).square().sum(3).argmax(2))


def signs_cancel(support, support_y, query):
    return support_y.gather(1, _differences(support, query).sum(3).abs().argmin(2))


def mixed_the_tasks(support, support_y, query):
    everyone = support.flatten(0, 1).flatten(1)
    nearest = (query.flatten(2).unsqueeze(2) - everyone).square().sum(3).argmin(2)
    return support_y.flatten()[nearest]


def near_on_average(support, support_y, query):
    distances = _differences(support, query).square().sum(3)
    ways = range(int(support_y.max()) + 1)
    sums = [distances.masked_fill(support_y[:, None] != way, 0).sum(2) for way in ways]
    return torch.stack(sums).argmin(0)


def argmin_over_queries(support, support_y, query):
    return _differences(support, query).square().sum(3).argmin(1)


def absolute_differences(support, support_y, query):
    return support_y.gather(1, _differences(support, query).abs().sum(3).argmin(2))


# --- ways_by_shots --------------------------------------------------------------------------


def _tables(learner, pool, all_ways, all_shots, num_tasks, generator):
    rows = []
    for ways in all_ways:
        episodes = [pool.sample(num_tasks, ways, k, generator=generator) for k in all_shots]
        rows.append([evaluate(learner, each) for each in episodes])
    means = torch.tensor([[cell.mean for cell in row] for row in rows])
    return means, torch.tensor([[cell.interval for cell in row] for row in rows])


def ways_by_shots(*arguments):
    return _tables(*arguments)


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


def forgot_the_root(learner, pool, all_ways, all_shots, num_tasks, generator):
    means, intervals = _tables(learner, pool, all_ways, all_shots, num_tasks, generator)
    return means, intervals * num_tasks**0.5


def whole_width(*arguments):
    means, intervals = _tables(*arguments)
    return means, 2 * intervals


def answers_for_tasks(learner, pool, all_ways, all_shots, num_tasks, generator):
    means, _ = _tables(learner, pool, all_ways, all_shots, num_tasks, generator)
    num_answers = 5 * num_tasks * torch.tensor(all_ways).unsqueeze(1)
    return means, 1.96 * (means * (1 - means) / num_answers).sqrt()


def scored_on_support(learner, pool, all_ways, all_shots, num_tasks, generator):
    means, intervals = _tables(learner, pool, all_ways, all_shots, num_tasks, generator)
    return torch.ones_like(means), torch.zeros_like(intervals)


def means_only(*arguments):
    return 0.5


# --- luck -----------------------------------------------------------------------------------


def _exactly(k, num_answers, num_ways):
    p = 1 / num_ways
    return math.comb(num_answers, k) * p**k * (1 - p) ** (num_answers - k)


def luck(num_right, num_answers, num_ways):
    return sum(_exactly(k, num_answers, num_ways) for k in range(num_right, num_answers + 1))


def exactly_so_many(num_right, num_answers, num_ways):
    return _exactly(num_right, num_answers, num_ways)


def more_than_so_many(num_right, num_answers, num_ways):
    return luck(num_right + 1, num_answers, num_ways)


def fewer(num_right, num_answers, num_ways):
    return 1 - luck(num_right, num_answers, num_ways)


def at_most(num_right, num_answers, num_ways):
    return 1 - luck(num_right + 1, num_answers, num_ways)


def tossed_a_coin(num_right, num_answers, num_ways):
    return luck(num_right, num_answers, 2)


def one_order(num_right, num_answers, num_ways):
    p = 1 / num_ways
    return p**num_right * (1 - p) ** (num_answers - num_right)


def others_ignored(num_right, num_answers, num_ways):
    return (1 / num_ways) ** num_right


def normal_approximation(num_right, num_answers, num_ways):
    mean = num_answers / num_ways
    spread = math.sqrt(mean * (1 - 1 / num_ways))
    return 0.5 * math.erfc((num_right - mean) / spread / math.sqrt(2))


ANSWERS = {
    "06.luck": Answers(
        right=(luck,),
        wrong={
            exactly_so_many: "exactly so many",
            more_than_so_many: "more than so many",
            fewer: "chance of fewer",
            at_most: "at most so many",
            tossed_a_coin: "tossed a coin",
            one_order: "one certain order",
            others_ignored: "may be wrong",
            normal_approximation: "normal approximation",
        },
    ),
    "06.nearest_neighbour": Answers(
        right=(nearest_neighbour,),
        wrong={
            positions_for_classes: "positions in the support",
            trusted_the_order: "order of the support",
            farthest: "farthest images",
            signs_cancel: "cancel",
            mixed_the_tasks: "in the other task",
            near_on_average: "near on average",
            argmin_over_queries: "got (2, 9)",
            absolute_differences: "Sum the squares",
        },
    ),
    "06.ways_by_shots": Answers(
        right=(ways_by_shots,),
        wrong={
            rows_for_columns: "yours are swapped",
            shots_first: "sample takes ways first",
            errors: "These are errors",
            per_cents: "per cents",
            forgot_the_generator: "Hand the generator on",
            forgot_the_root: "left out √n",
            whole_width: "whole width",
            answers_for_tasks: "counted every answer",
            scored_on_support: "scored the support",
            means_only: "Return two tables",
        },
    ),
}
