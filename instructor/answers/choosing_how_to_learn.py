"""Notebook 12: the reference answers, and known wrong ones with what the check says to them."""

import math

import torch

from instructor.answers import Answers
from metalearn_lite.episodes import Episodes, Examples

# --- task_features --------------------------------------------------------------------------


def _columns(spread, error):
    return torch.stack([torch.ones_like(spread), spread, error], 1)


def _nearest(x):
    return (torch.cdist(x, x) + torch.diag(torch.full((x.shape[1],), torch.inf))).argmin(2)


def _errors(x, y):
    return (y.gather(1, _nearest(x)) - y).square()


def task_features(task):
    x, y = task.support
    return _columns(y.std(1), _errors(x, y).mean(1))


def peeked_at_the_querys_spread(task):
    x, y = task.support
    return _columns(task.query.y.std(1), _errors(x, y).mean(1))


def judged_on_the_query(task):
    (x, y), query = task
    nearest = torch.cdist(query.x, x).argmin(2)
    return _columns(y.std(1), (y.gather(1, nearest) - query.y).square().mean(1))


def pooled_both_halves(task):
    halves = zip(*task, strict=True)
    both = Examples(*(torch.cat(parts, 1) for parts in halves))
    return task_features(Episodes(both, both))


def found_itself(task):
    x, y = task.support
    nearest = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").argmin(2)
    return _columns(y.std(1), (y.gather(1, nearest) - y).square().mean(1))


def one_spread_for_all(task):
    x, y = task.support
    return _columns(y.std().expand(len(y)), _errors(x, y).mean(1))


def averaged_over_tasks(task):
    x, y = task.support
    return _columns(y.std(1), _errors(x, y).mean().expand(len(y)))


def nearest_in_y(task):
    y = task.support.y
    return _columns(y.std(1), _errors(y.unsqueeze(2), y).mean(1))


def forgot_the_one(task):
    return task_features(task)[:, 1:]


def took_the_variance(task):
    x, y = task.support
    return _columns(y.var(1), _errors(x, y).mean(1))


# --- upper_bounds ---------------------------------------------------------------------------


def upper_bounds(covariance, evidence, features, exploration):
    direction = covariance @ features
    return (direction * evidence).sum(1) + exploration * (direction @ features).sqrt()


def greedy(covariance, evidence, features, exploration):
    return (covariance @ features * evidence).sum(1)


def forgot_the_root(covariance, evidence, features, exploration):
    direction = covariance @ features
    return (direction * evidence).sum(1) + exploration * (direction @ features)


def lower_bounds(covariance, evidence, features, exploration):
    direction = covariance @ features
    return (direction * evidence).sum(1) - exploration * (direction @ features).sqrt()


def evidence_as_weights(covariance, evidence, features, exploration):
    direction = covariance @ features
    return evidence @ features + exploration * (direction @ features).sqrt()


def inverted_again(covariance, evidence, features, exploration):
    return upper_bounds(torch.linalg.inv(covariance), evidence, features, exploration)


def forgot_exploration(covariance, evidence, features, exploration):
    return upper_bounds(covariance, evidence, features, 1.0)


def only_curious(covariance, evidence, features, exploration):
    return exploration * (covariance @ features @ features).sqrt()


# --- log_scaled -----------------------------------------------------------------------------


def log_scaled(gradient, p):
    border = math.exp(-p)
    large = gradient.abs() >= border
    size = gradient.abs().clamp(min=border).log() / p
    return size, torch.where(large, gradient.sign(), gradient / border)


def log_of_zero(gradient, p):
    return gradient.abs().log() / p, log_scaled(gradient, p)[1]


def forgot_p(gradient, p):
    size, sign = log_scaled(gradient, p)
    return size * p, sign


def always_the_sign(gradient, p):
    return log_scaled(gradient, p)[0], gradient.sign()


def small_ones_as_they_are(gradient, p):
    large = gradient.abs() >= math.exp(-p)
    return log_scaled(gradient, p)[0], torch.where(large, gradient.sign(), gradient)


def lost_the_sign(gradient, p):
    size, sign = log_scaled(gradient, p)
    return size, sign.abs()


def base_ten(gradient, p):
    size, sign = log_scaled(gradient, p)
    return size / math.log(10), sign


def one_number(gradient, p):
    return log_scaled(gradient, p)[0]


ANSWERS = {
    "12.task_features": Answers(
        right=(task_features,),
        wrong={
            peeked_at_the_querys_spread: "peeked at the query",
            judged_on_the_query: "peeked at the query",
            pooled_both_halves: "peeked at the query",
            found_itself: "itself",
            one_spread_for_all: "each task has its own",
            averaged_over_tasks: "averaged over tasks",
            nearest_in_y: "nearest y",
            forgot_the_one: "shape (4, 3)",
            took_the_variance: "variance",
        },
    ),
    "12.upper_bounds": Answers(
        right=(upper_bounds,),
        wrong={
            greedy: "expected reward alone",
            forgot_the_root: "square root",
            lower_bounds: "lower end",
            evidence_as_weights: "not yet the weights",
            inverted_again: "A⁻¹ already",
            forgot_exploration: "left out exploration",
            only_curious: "left out the expected reward",
        },
    ),
    "12.log_scaled": Answers(
        right=(log_scaled,),
        wrong={
            log_of_zero: "infinity",
            forgot_p: "divide the logarithm by p",
            always_the_sign: "does not jump",
            small_ones_as_they_are: "eᵖ times g",
            lost_the_sign: "sign is lost",
            base_ten: "natural logarithm",
            one_number: "two tensors",
        },
    ),
}
