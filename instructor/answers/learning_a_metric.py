"""Notebook 07: the reference answers, and known wrong ones with what the check says to them."""

import torch
from torch.nn import functional as F

from instructor.answers import Answers

# --- prototypes -----------------------------------------------------------------------------


def prototypes(embedded, y, num_ways):
    belongs = F.one_hot(y, num_ways).float()
    means = belongs / belongs.sum(1, keepdim=True)
    return means.transpose(1, 2) @ embedded


def sum_for_mean(embedded, y, num_ways):
    return F.one_hot(y, num_ways).float().transpose(1, 2) @ embedded


def mean_of_all(embedded, y, num_ways):
    return embedded.mean(1, keepdim=True).expand(-1, num_ways, -1)


def trusted_the_order(embedded, y, num_ways):
    return embedded.unflatten(1, (num_ways, -1)).mean(2)


def mixed_the_tasks(embedded, y, num_ways):
    means = torch.stack([embedded[y == way].mean(0) for way in range(num_ways)])
    return means.expand(len(y), -1, -1)


def first_example_only(embedded, y, num_ways):
    first = (y.unsqueeze(1) == torch.arange(num_ways)[None, :, None]).float().argmax(2)
    return torch.stack([e[f] for e, f in zip(embedded, first, strict=True)])


# --- attention ------------------------------------------------------------------------------


def attention(support, support_y, query, num_ways):
    cosine = F.normalize(query, dim=-1) @ F.normalize(support, dim=-1).transpose(1, 2)
    return cosine.softmax(2) @ F.one_hot(support_y, num_ways).float()


def softmax_over_queries(support, support_y, query, num_ways):
    cosine = F.normalize(query, dim=-1) @ F.normalize(support, dim=-1).transpose(1, 2)
    return cosine.softmax(1) @ F.one_hot(support_y, num_ways).float()


def dot_product(support, support_y, query, num_ways):
    weights = (query @ support.transpose(1, 2)).softmax(2)
    return weights @ F.one_hot(support_y, num_ways).float()


def weights_only(support, support_y, query, num_ways):
    cosine = F.normalize(query, dim=-1) @ F.normalize(support, dim=-1).transpose(1, 2)
    return cosine.softmax(2)


def no_softmax(support, support_y, query, num_ways):
    cosine = F.normalize(query, dim=-1) @ F.normalize(support, dim=-1).transpose(1, 2)
    return cosine @ F.one_hot(support_y, num_ways).float()


# --- paired_difference ----------------------------------------------------------------------


def paired_difference(first, second):
    difference = first - second
    return difference.mean(), 1.96 * difference.std() / len(difference) ** 0.5


def as_if_on_other_tasks(first, second):
    variance = first.var() + second.var()
    return (first - second).mean(), 1.96 * (variance / len(first)).sqrt()


def spread_of_single_tasks(first, second):
    difference = first - second
    return difference.mean(), 1.96 * difference.std()


def divided_by_the_number_of_tasks(first, second):
    difference = first - second
    return difference.mean(), 1.96 * difference.std() / len(difference)


def one_standard_error(first, second):
    difference = first - second
    return difference.mean(), difference.std() / len(difference) ** 0.5


def whole_width(first, second):
    mean, half = paired_difference(first, second)
    return mean, 2 * half


def sign_turned(first, second):
    return paired_difference(second, first)


def sizes_of_differences(first, second):
    difference = (first - second).abs()
    return difference.mean(), 1.96 * difference.std() / len(difference) ** 0.5


def one_number(first, second):
    return (first - second).mean()


# --- calibration_error ----------------------------------------------------------------------


def calibration_error(confidence, right, num_bins):
    bins = (confidence * num_bins).long().clamp(max=num_bins - 1)
    error = 0.0
    for number in range(num_bins):
        inside = bins == number
        if inside.any():
            gap = right[inside].float().mean() - confidence[inside].mean()
            error += inside.float().mean() * gap.abs()
    return error


def _gaps(confidence, right, num_bins):
    bins = (confidence * num_bins).long().clamp(max=num_bins - 1)
    inside = [bins == number for number in bins.unique()]
    gaps = torch.stack([right[i].float().mean() - confidence[i].mean() for i in inside])
    return gaps, torch.stack([i.float().mean() for i in inside])


def bins_not_weighted(confidence, right, num_bins):
    return _gaps(confidence, right, num_bins)[0].abs().mean()


def gaps_cancel(confidence, right, num_bins):
    gaps, shares = _gaps(confidence, right, num_bins)
    return (gaps * shares).sum().abs()


def each_prediction_alone(confidence, right, num_bins):
    return (right.float() - confidence).abs().mean()


def worst_bin(confidence, right, num_bins):
    return _gaps(confidence, right, num_bins)[0].abs().max()


ANSWERS = {
    "07.prototypes": Answers(
        right=(prototypes,),
        wrong={
            sum_for_mean: "sum of a class",
            mean_of_all: "mean of all examples",
            trusted_the_order: "order of the examples",
            mixed_the_tasks: "mixed the tasks",
            first_example_only: "not the class means",
        },
    ),
    "07.paired_difference": Answers(
        right=(paired_difference,),
        wrong={
            as_if_on_other_tasks: "as if they were others",
            spread_of_single_tasks: "how far single tasks spread",
            divided_by_the_number_of_tasks: "square root of the number of tasks, once",
            one_standard_error: "one standard error",
            whole_width: "whole width",
            sign_turned: "sign is turned",
            sizes_of_differences: "Keep the signs",
            one_number: "Return two numbers",
        },
    ),
    "07.attention": Answers(
        right=(attention,),
        wrong={
            softmax_over_queries: "over the queries",
            dot_product: "dot product",
            weights_only: "attention weights",
            no_softmax: "no softmax",
        },
    ),
    "07.calibration_error": Answers(
        right=(calibration_error,),
        wrong={
            bins_not_weighted: "Weigh each bin",
            gaps_cancel: "must not cancel",
            each_prediction_alone: "each prediction alone",
            worst_bin: "worst bin",
        },
    ),
}
