"""Notebook 07: the reference answers, and known wrong ones with what the check says to them."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from instructor.answers import Answers

# --- prototypes -----------------------------------------------------------------------------


def prototypes(embedded, y, num_ways):
    belongs = F.one_hot(y, num_ways).float()
    means = belongs / belongs.sum(1, keepdim=True)
    return means.transpose(1, 2) @ embedded


def one_class_at_a_time_in_numpy(embedded, y, num_ways):
    embedded, y = embedded.double().numpy(), y.numpy()
    result = np.zeros((len(y), num_ways, embedded.shape[2]))
    for task in range(len(y)):
        for way in range(num_ways):
            result[task, way] = embedded[task][y[task] == way].mean(axis=0)
    return result


def sum_for_mean(embedded, y, num_ways):
    return F.one_hot(y, num_ways).float().transpose(1, 2) @ embedded


def divided_by_all(embedded, y, num_ways):
    return sum_for_mean(embedded, y, num_ways) / y.shape[1]


def divided_by_equal_shots(embedded, y, num_ways):
    return sum_for_mean(embedded, y, num_ways) * num_ways / y.shape[1]


def mean_of_all(embedded, y, num_ways):
    return embedded.mean(1, keepdim=True).expand(-1, num_ways, -1)


def trusted_the_order(embedded, y, num_ways):
    return torch.stack([part.mean(1) for part in embedded.tensor_split(num_ways, 1)], 1)


def mixed_the_tasks(embedded, y, num_ways):
    means = torch.stack([embedded[y == way].mean(0) for way in range(num_ways)])
    return means.expand(len(y), -1, -1)


def first_tasks_classes(embedded, y, num_ways):
    return torch.stack([embedded[:, y[0] == way].mean(1) for way in range(num_ways)], 1)


def first_example_only(embedded, y, num_ways):
    first = (y.unsqueeze(1) == torch.arange(num_ways)[None, :, None]).float().argmax(2)
    return torch.stack([e[f] for e, f in zip(embedded, first, strict=True)])


def of_length_1(embedded, y, num_ways):
    return F.normalize(prototypes(embedded, y, num_ways), dim=-1)


# --- tasks_needed ---------------------------------------------------------------------------


def tasks_needed(first, second):
    difference = first - second
    gap, spread = difference.mean().abs(), difference.std()
    if gap == 0:
        return math.inf
    return max(2, math.floor((1.96 * spread / gap) ** 2) + 1)


def counted_up_in_numpy(first, second):
    difference = first.double().numpy() - second.double().numpy()
    if difference.mean() == 0:
        return math.inf
    number = 2
    while 1.96 * difference.std(ddof=1) / number**0.5 >= abs(difference.mean()):
        number += 1
    return number


def _number(spread, gap):
    return math.inf if gap == 0 else max(2, math.floor((1.96 * spread / gap) ** 2) + 1)


def as_if_on_other_tasks(first, second):
    spread = math.hypot(first.std(), second.std())
    return _number(spread, float((first - second).mean()))


def without_the_square(first, second):
    difference = first - second
    gap = float(difference.mean().abs())
    return math.inf if gap == 0 else max(2, math.floor(1.96 * float(difference.std()) / gap) + 1)


def one_standard_error(first, second):
    difference = first - second
    return _number(float(difference.std()) / 1.96, float(difference.mean()))


def whole_width(first, second):
    difference = first - second
    return _number(2 * float(difference.std()), float(difference.mean()))


def variance_of_all(first, second):
    difference = first - second
    return _number(float(difference.std(correction=0)), float(difference.mean()))


def sizes_of_differences(first, second):
    difference = (first - second).abs()
    return _number(float(difference.std()), float(difference.mean()))


def one_too_few(first, second):
    return tasks_needed(first, second) - 1


def not_whole(first, second):
    difference = first - second
    gap = float(difference.mean())
    return math.inf if gap == 0 else (1.96 * float(difference.std()) / gap) ** 2


def to_add(first, second):
    return max(2, tasks_needed(first, second) - len(first))


def divided_by_the_tasks_tried(first, second):
    difference = first - second
    return _number(float(difference.std()) / len(first) ** 0.5, float(difference.mean()))


def first_must_be_ahead(first, second):
    difference = first - second
    if difference.mean() <= 0:
        return 0
    return tasks_needed(first, second)


def one_is_enough(first, second):
    number = tasks_needed(first, second)
    return 1 if number == 2 else number


# --- attention ------------------------------------------------------------------------------


def attention(support, support_y, query, num_ways, sharpness):
    cosine = F.normalize(query, dim=-1) @ F.normalize(support, dim=-1).transpose(1, 2)
    return (sharpness * cosine).softmax(2) @ F.one_hot(support_y, num_ways).float()


def one_query_at_a_time_in_numpy(support, support_y, query, num_ways, sharpness):
    def length_1(points):
        lengths = np.sqrt((points**2).sum(-1, keepdims=True))
        return points / np.where(lengths > 0, lengths, 1.0)

    support, query = (length_1(part.double().numpy()) for part in (support, query))
    result = np.zeros((*query.shape[:2], num_ways))
    for task, queries in enumerate(query):
        for place, one in enumerate(queries):
            logits = sharpness * support[task] @ one
            weights = np.exp(logits - logits.max())
            weights = weights / weights.sum()
            for number, way in enumerate(support_y[task]):
                result[task, place, way] += weights[number]
    return result


def _cosine(support, query):
    return F.normalize(query, dim=-1) @ F.normalize(support, dim=-1).transpose(1, 2)


def softmax_over_queries(support, support_y, query, num_ways, sharpness):
    weights = (sharpness * _cosine(support, query)).softmax(1)
    return weights @ F.one_hot(support_y, num_ways).float()


def dot_product(support, support_y, query, num_ways, sharpness):
    weights = (sharpness * query @ support.transpose(1, 2)).softmax(2)
    return weights @ F.one_hot(support_y, num_ways).float()


def one_length_only(support, support_y, query, num_ways, sharpness):
    weights = (sharpness * query @ F.normalize(support, dim=-1).transpose(1, 2)).softmax(2)
    return weights @ F.one_hot(support_y, num_ways).float()


def weights_only(support, support_y, query, num_ways, sharpness):
    return (sharpness * _cosine(support, query)).softmax(2)


def no_softmax(support, support_y, query, num_ways, sharpness):
    return sharpness * _cosine(support, query) @ F.one_hot(support_y, num_ways).float()


def sharpness_left_out(support, support_y, query, num_ways, sharpness):
    return attention(support, support_y, query, num_ways, 1.0)


def divided_by_the_sharpness(support, support_y, query, num_ways, sharpness):
    return attention(support, support_y, query, num_ways, 1 / sharpness)


def softmax_over_classes(support, support_y, query, num_ways, sharpness):
    cosine = sharpness * _cosine(support, query)
    return (cosine @ F.one_hot(support_y, num_ways).float()).softmax(2)


def class_means_first(support, support_y, query, num_ways, sharpness):
    means = torch.nan_to_num(prototypes(support, support_y, num_ways))
    return (sharpness * _cosine(means, query)).softmax(2)


def averaged_the_weights(support, support_y, query, num_ways, sharpness):
    counts = F.one_hot(support_y, num_ways).sum(1, keepdim=True).clamp(min=1)
    return attention(support, support_y, query, num_ways, sharpness) / counts


def logarithms(support, support_y, query, num_ways, sharpness):
    return attention(support, support_y, query, num_ways, sharpness).log()


def plain_exponentials(support, support_y, query, num_ways, sharpness):
    weights = (sharpness * _cosine(support, query)).exp()
    weights = weights / weights.sum(2, keepdim=True)
    return weights @ F.one_hot(support_y, num_ways).float()


def divided_by_a_length_of_zero(support, support_y, query, num_ways, sharpness):
    lengths = query.norm(dim=-1).unsqueeze(2) * support.norm(dim=-1).unsqueeze(1)
    weights = (sharpness * (query @ support.transpose(1, 2)) / lengths).softmax(2)
    return weights @ F.one_hot(support_y, num_ways).float()


# --- calibration_error ----------------------------------------------------------------------


def calibration_error(confidence, right, num_bins):
    bins = (confidence * num_bins).long().clamp(max=num_bins - 1)
    error = 0
    for number in range(num_bins):
        inside = bins == number
        if inside.any():
            gap = right[inside].float().mean() - confidence[inside].mean()
            error += inside.float().mean() * gap.abs()
    return error


def by_histogram_in_numpy(confidence, right, num_bins):
    confidence, right = confidence.double().numpy(), right.double().numpy()
    said, _ = np.histogram(confidence, num_bins, range=(0, 1), weights=confidence)
    was_right, _ = np.histogram(confidence, num_bins, range=(0, 1), weights=right)
    return np.abs(said - was_right).sum() / len(confidence)


def _gaps(confidence, right, num_bins):
    bins = (confidence * num_bins).long().clamp(max=num_bins - 1)
    inside = [bins == number for number in bins.unique()]
    gaps = torch.stack([right[i].float().mean() - confidence[i].mean() for i in inside])
    return gaps, torch.stack([i.float().mean() for i in inside])


def sure_ones_fall_out(confidence, right, num_bins):
    error = 0.0
    for number in range(num_bins):
        inside = (confidence >= number / num_bins) & (confidence < (number + 1) / num_bins)
        if inside.any():
            gap = right[inside].float().mean() - confidence[inside].mean()
            error += inside.float().mean() * gap.abs()
    return error


def a_bin_of_their_own(confidence, right, num_bins):
    bins = (confidence * num_bins).long()
    inside = [bins == number for number in bins.unique()]
    gaps = torch.stack([right[i].float().mean() - confidence[i].mean() for i in inside])
    return (gaps.abs() * torch.stack([i.float().mean() for i in inside])).sum()


def bins_not_weighted(confidence, right, num_bins):
    return _gaps(confidence, right, num_bins)[0].abs().mean()


def empty_bins_weighted(confidence, right, num_bins):
    return _gaps(confidence, right, num_bins)[0].abs().sum() / num_bins


def gaps_cancel(confidence, right, num_bins):
    gaps, shares = _gaps(confidence, right, num_bins)
    return (gaps * shares).sum().abs()


def each_prediction_alone(confidence, right, num_bins):
    return (right.float() - confidence).abs().mean()


def worst_bin(confidence, right, num_bins):
    return _gaps(confidence, right, num_bins)[0].abs().max()


def squared_gaps(confidence, right, num_bins):
    gaps, shares = _gaps(confidence, right, num_bins)
    return (gaps.square() * shares).sum()


def middles_of_bins(confidence, right, num_bins):
    bins = (confidence * num_bins).long().clamp(max=num_bins - 1)
    return sum(
        (bins == n).float().mean() * (right[bins == n].float().mean() - (n + 0.5) / num_bins).abs()
        for n in bins.unique().tolist()
    )


def bins_of_equal_numbers(confidence, right, num_bins):
    order = confidence.argsort()
    return sum(
        len(part) / len(order) * (right[part].float().mean() - confidence[part].mean()).abs()
        for part in order.chunk(num_bins)
    )


def borders_below(confidence, right, num_bins):
    bins = (confidence * num_bins).ceil().long().clamp(min=1) - 1
    inside = [bins == number for number in bins.unique()]
    gaps = torch.stack([right[i].float().mean() - confidence[i].mean() for i in inside])
    return (gaps.abs() * torch.stack([i.float().mean() for i in inside])).sum()


def empty_bins_are_nan(confidence, right, num_bins):
    bins = (confidence * num_bins).long().clamp(max=num_bins - 1)
    inside = [bins == number for number in range(num_bins)]
    gaps = torch.stack([right[i].float().mean() - confidence[i].mean() for i in inside])
    return (gaps.abs() * torch.stack([i.float().mean() for i in inside])).sum()


def printed_number(confidence, right, num_bins):
    return 0.1404


ANSWERS = {
    "07.prototypes": Answers(
        right=(prototypes, one_class_at_a_time_in_numpy),
        wrong={
            sum_for_mean: "sum of a class",
            divided_by_all: "number of all examples",
            divided_by_equal_shots: "the same number",
            mean_of_all: "mean of all examples",
            trusted_the_order: "order of the examples",
            mixed_the_tasks: "mixed the tasks",
            first_tasks_classes: "first task's y",
            first_example_only: "not the class means",
            of_length_1: "length 1",
        },
        equal={
            "prototypes: line 4: means.transpose(1, 2) -> means.transpose(2, 1)": (
                "the same two axes change places"
            ),
            "one_class_at_a_time_in_numpy: line 4: y -> embedded": "both count the tasks",
        },
    ),
    "07.tasks_needed": Answers(
        right=(tasks_needed, counted_up_in_numpy),
        wrong={
            as_if_on_other_tasks: "as if they were others",
            without_the_square: "by the root of their number",
            one_standard_error: "one standard error is as long",
            whole_width: "whole width",
            variance_of_all: "less 1",
            sizes_of_differences: "Keep the signs",
            one_too_few: "too few",
            not_whole: "come whole",
            to_add: "tasks to add",
            divided_by_the_tasks_tried: "divided by the number of tasks",
            first_must_be_ahead: "second may be ahead",
            one_is_enough: "the same difference on every task",
        },
        equal={
            "tasks_needed: line 2: first - second -> second - first": "the size of the mean counts",
            "counted_up_in_numpy: line 6: 1.96 * difference.std(ddof=1) / number ** 0.5 >= "
            "abs(difference.mean()) -> 1.96 * difference.std(ddof=1) / number ** 0.5 > "
            "abs(difference.mean())": "a tie of the two, to the last digit, has chance 0",
            "counted_up_in_numpy: line 3: difference.mean -> difference.sum": "0 is 0",
        },
    ),
    "07.attention": Answers(
        right=(attention, one_query_at_a_time_in_numpy),
        wrong={
            softmax_over_queries: "over the queries",
            dot_product: "dot product",
            one_length_only: "one side only",
            weights_only: "attention weights",
            no_softmax: "no softmax",
            sharpness_left_out: "left out the sharpness",
            divided_by_the_sharpness: "divided by the sharpness",
            softmax_over_classes: "added up first",
            class_means_first: "prototypical network",
            averaged_the_weights: "averaged the weights",
            logarithms: "logarithms of the probabilities",
            plain_exponentials: "too large for a float",
            divided_by_a_length_of_zero: "divided by zero",
        },
        equal={
            "one_query_at_a_time_in_numpy: line 4: 1.0 -> 0.5": "zeros stay zeros",
            "one_query_at_a_time_in_numpy: line 4: 1.0 -> 2.0": "zeros stay zeros",
            "one_query_at_a_time_in_numpy: line 4: return points / np.where(lengths > 0, lengths, "
            "1.0) -> return -(points / np.where(lengths > 0, lengths, 1.0))": "both sides turn "
            "round, so their product stays",
        },
    ),
    "07.calibration_error": Answers(
        right=(calibration_error, by_histogram_in_numpy),
        wrong={
            sure_ones_fall_out: "falls out of all",
            a_bin_of_their_own: "bin of its own",
            bins_not_weighted: "Weigh each bin",
            empty_bins_weighted: "the same weight, empty ones",
            gaps_cancel: "must not cancel",
            each_prediction_alone: "each answer alone. Average",
            worst_bin: "worst bin",
            squared_gaps: "squared the gaps",
            middles_of_bins: "middle of each bin",
            bins_of_equal_numbers: "equally wide",
            borders_below: "belongs to the upper one",
            empty_bins_are_nan: "hold no answer",
            printed_number: "another number",
        },
        equal={
            "calibration_error: line 7: right[inside].float().mean() - confidence[inside].mean() "
            "-> confidence[inside].mean() - right[inside].float().mean()": "its size is taken",
            "by_histogram_in_numpy: line 5: said - was_right -> was_right - said": "its size is "
            "taken",
        },
    ),
}
