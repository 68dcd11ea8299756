"""Notebook 09: the reference answers, and known wrong ones with what the check says to them."""

import torch

from instructor.answers import Answers
from metalearn_lite.episodes import Examples

# --- neural_process -------------------------------------------------------------------------


def _answer(decode, summary, query_x):
    return decode(query_x, summary.unsqueeze(1).expand(-1, query_x.shape[1], -1))


def neural_process(encode, decode, support_x, support_y, mask, query_x):
    codes = encode(support_x, support_y) * mask.unsqueeze(-1)
    summary = codes.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
    return _answer(decode, summary, query_x)


def averaged_padding(encode, decode, support_x, support_y, mask, query_x):
    return _answer(decode, encode(support_x, support_y).mean(1), query_x)


def summed_the_codes(encode, decode, support_x, support_y, mask, query_x):
    codes = encode(support_x, support_y) * mask.unsqueeze(-1)
    return _answer(decode, codes.sum(1), query_x)


def divided_by_all(encode, decode, support_x, support_y, mask, query_x):
    codes = encode(support_x, support_y) * mask.unsqueeze(-1)
    return _answer(decode, codes.mean(1), query_x)


def divided_by_zero(encode, decode, support_x, support_y, mask, query_x):
    codes = encode(support_x, support_y) * mask.unsqueeze(-1)
    return _answer(decode, codes.sum(1) / mask.sum(1, keepdim=True), query_x)


def averaged_over_tasks(encode, decode, support_x, support_y, mask, query_x):
    codes = encode(support_x, support_y)[mask.bool()]
    return _answer(decode, codes.mean(0).expand(len(mask), -1), query_x)


def masked_the_points(encode, decode, support_x, support_y, mask, query_x):
    codes = encode(support_x * mask.unsqueeze(-1), support_y * mask)
    return _answer(decode, codes.sum(1) / mask.sum(1, keepdim=True).clamp(min=1), query_x)


def took_the_largest(encode, decode, support_x, support_y, mask, query_x):
    codes = encode(support_x, support_y) * mask.unsqueeze(-1)
    return _answer(decode, codes.amax(1), query_x)


def one_summary_for_all_queries(encode, decode, support_x, support_y, mask, query_x):
    codes = encode(support_x, support_y) * mask.unsqueeze(-1)
    return decode(query_x, codes.sum(1) / mask.sum(1, keepdim=True).clamp(min=1))


# --- order_effect ---------------------------------------------------------------------------


def _changes(learner, support, shuffled, query_x):
    before = learner.predict(learner.adapt(support), query_x)
    return learner.predict(learner.adapt(shuffled), query_x) - before


def order_effect(learner, support, query_x, order):
    shuffled = Examples(support.x[:, order], support.y[:, order])
    return _changes(learner, support, shuffled, query_x).abs().max().item()


def moved_x_alone(learner, support, query_x, order):
    shuffled = Examples(support.x[:, order], support.y)
    return _changes(learner, support, shuffled, query_x).abs().max().item()


def moved_the_tasks(learner, support, query_x, order):
    shuffled = Examples(support.x[order], support.y[order])
    return _changes(learner, support, shuffled, query_x).abs().max().item()


def moved_the_query(learner, support, query_x, order):
    adapted = learner.adapt(support)
    before, after = (learner.predict(adapted, x) for x in (query_x, query_x[:, order]))
    return (after - before).abs().max().item()


def adapted_once(learner, support, query_x, order):
    adapted = learner.adapt(support)
    before, after = (learner.predict(adapted, query_x) for _ in range(2))
    return (after - before).abs().max().item()


def took_the_mean(learner, support, query_x, order):
    shuffled = Examples(support.x[:, order], support.y[:, order])
    return _changes(learner, support, shuffled, query_x).abs().mean().item()


def forgot_abs(learner, support, query_x, order):
    shuffled = Examples(support.x[:, order], support.y[:, order])
    return _changes(learner, support, shuffled, query_x).mean().item()


def returned_all_changes(learner, support, query_x, order):
    shuffled = Examples(support.x[:, order], support.y[:, order])
    return _changes(learner, support, shuffled, query_x).abs()


# --- gradient_step --------------------------------------------------------------------------


def _times(matrix, vector):
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def _scores(support_x, query_x, inner_lr):
    return 2 * inner_lr / support_x.shape[1] * query_x @ support_x.transpose(1, 2)


def gradient_step(weights, support_x, support_y, query_x, inner_lr):
    scores = _scores(support_x, query_x, inner_lr)
    residuals = support_y - _times(support_x, weights)
    return scores, _times(query_x, weights) + _times(scores, residuals)


def with_a_softmax(weights, support_x, support_y, query_x, inner_lr):
    scores = torch.softmax(query_x @ support_x.transpose(1, 2), -1)
    residuals = support_y - _times(support_x, weights)
    return scores, _times(query_x, weights) + _times(scores, residuals)


def forgot_the_two(weights, support_x, support_y, query_x, inner_lr):
    scores = _scores(support_x, query_x, inner_lr) / 2
    residuals = support_y - _times(support_x, weights)
    return scores, _times(query_x, weights) + _times(scores, residuals)


def forgot_the_mean(weights, support_x, support_y, query_x, inner_lr):
    scores = 2 * inner_lr * query_x @ support_x.transpose(1, 2)
    residuals = support_y - _times(support_x, weights)
    return scores, _times(query_x, weights) + _times(scores, residuals)


def forgot_inner_lr(weights, support_x, support_y, query_x, inner_lr):
    scores = _scores(support_x, query_x, 1.0)
    residuals = support_y - _times(support_x, weights)
    return scores, _times(query_x, weights) + _times(scores, residuals)


def attended_to_y(weights, support_x, support_y, query_x, inner_lr):
    scores = _scores(support_x, query_x, inner_lr)
    return scores, _times(query_x, weights) + _times(scores, support_y)


def started_from_zero(weights, support_x, support_y, query_x, inner_lr):
    scores = _scores(support_x, query_x, inner_lr)
    return scores, _times(scores, support_y)


def forgot_the_start(weights, support_x, support_y, query_x, inner_lr):
    scores = _scores(support_x, query_x, inner_lr)
    return scores, _times(scores, support_y - _times(support_x, weights))


def stepped_away(weights, support_x, support_y, query_x, inner_lr):
    scores = _scores(support_x, query_x, inner_lr)
    residuals = _times(support_x, weights) - support_y
    return scores, _times(query_x, weights) + _times(scores, residuals)


ANSWERS = {
    "09.neural_process": Answers(
        right=(neural_process,),
        wrong={
            averaged_padding: "padding",
            summed_the_codes: "added the codes up",
            divided_by_all: "divided by N",
            divided_by_zero: "NaN",
            averaged_over_tasks: "averaged over tasks",
            masked_the_points: "counts as a point",
            took_the_largest: "average code",
            one_summary_for_all_queries: "Every query point",
        },
    ),
    "09.order_effect": Answers(
        right=(order_effect,),
        wrong={
            moved_x_alone: "moved x but not y",
            moved_the_tasks: "put the tasks in another order",
            moved_the_query: "put the query in another order",
            adapted_once: "adapt again",
            took_the_mean: "mean change",
            forgot_abs: "cancelled",
            returned_all_changes: "one number",
        },
    ),
    "09.gradient_step": Answers(
        right=(gradient_step,),
        wrong={
            with_a_softmax: "no softmax",
            forgot_the_two: "factor 2",
            forgot_the_mean: "divide by N",
            forgot_inner_lr: "left out inner_lr",
            attended_to_y: "residuals",
            started_from_zero: "step from w = 0",
            forgot_the_start: "where the step starts",
            stepped_away: "away from the examples",
        },
    ),
}
