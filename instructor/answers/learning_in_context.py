"""Notebook 09: right answers, and known wrong ones with what the check says to them."""

import math

import numpy as np
import torch

from instructor.answers import Answers
from metalearn_lite.episodes import Examples

# --- neural_process -------------------------------------------------------------------------


def _answer(decode, summary, query_x):
    return decode(query_x, summary.unsqueeze(1).expand(-1, query_x.shape[1], -1))


def neural_process(encode, decode, support_x, support_y, mask, query_x):
    real = mask.unsqueeze(-1) > 0
    codes = torch.where(real, encode(support_x, support_y), 0.0)
    summary = codes.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
    return decode(query_x, summary.unsqueeze(1).expand(-1, query_x.shape[1], -1))


def one_task_after_the_other(encode, decode, support_x, support_y, mask, query_x):
    width = encode(support_x, support_y).shape[-1]
    answers = []
    for task in range(len(mask)):
        points = [place for place in range(mask.shape[1]) if mask[task, place] == 1]
        summary = torch.zeros(width, dtype=torch.float64)
        for place in points:
            x, y = support_x[task, place], support_y[task, place]
            summary += encode(x.reshape(1, 1, 1), y.reshape(1, 1))[0, 0].double() / len(points)
        asked = query_x[task].unsqueeze(0)
        answers.append(decode(asked, summary.float().expand(1, asked.shape[1], -1)))
    return torch.cat(answers)


def _masked(encode, support_x, support_y, mask):
    return encode(support_x, support_y) * mask.unsqueeze(-1)


def multiplied_by_the_mask(encode, decode, support_x, support_y, mask, query_x):
    codes = _masked(encode, support_x, support_y, mask)
    return _answer(decode, codes.sum(1) / mask.sum(1, keepdim=True).clamp(min=1), query_x)


def averaged_padding(encode, decode, support_x, support_y, mask, query_x):
    return _answer(decode, encode(support_x, support_y).mean(1), query_x)


def summed_the_codes(encode, decode, support_x, support_y, mask, query_x):
    return _answer(decode, _masked(encode, support_x, support_y, mask).sum(1), query_x)


def divided_by_all(encode, decode, support_x, support_y, mask, query_x):
    return _answer(decode, _masked(encode, support_x, support_y, mask).mean(1), query_x)


def divided_by_zero(encode, decode, support_x, support_y, mask, query_x):
    codes = _masked(encode, support_x, support_y, mask)
    return _answer(decode, codes.sum(1) / mask.sum(1, keepdim=True), query_x)


def divided_by_one_more(encode, decode, support_x, support_y, mask, query_x):
    codes = _masked(encode, support_x, support_y, mask)
    return _answer(decode, codes.sum(1) / (mask.sum(1, keepdim=True) + 1), query_x)


def averaged_over_tasks(encode, decode, support_x, support_y, mask, query_x):
    codes = encode(support_x, support_y)[mask.bool()]
    return _answer(decode, codes.mean(0).expand(len(mask), -1), query_x)


def masked_the_points(encode, decode, support_x, support_y, mask, query_x):
    codes = encode(support_x * mask.unsqueeze(-1), support_y * mask)
    return _answer(decode, codes.sum(1) / mask.sum(1, keepdim=True).clamp(min=1), query_x)


def took_the_largest(encode, decode, support_x, support_y, mask, query_x):
    return _answer(decode, _masked(encode, support_x, support_y, mask).amax(1), query_x)


def one_summary_for_all_queries(encode, decode, support_x, support_y, mask, query_x):
    codes = _masked(encode, support_x, support_y, mask)
    return decode(query_x, codes.sum(1) / mask.sum(1, keepdim=True).clamp(min=1))


# --- attention ------------------------------------------------------------------------------


def _mixed(scores, value, mask):
    hidden = scores.masked_fill(mask.unsqueeze(1) == 0, -math.inf)
    return hidden.softmax(-1).nan_to_num(0.0) @ value


def attention(query, key, value, mask):
    scores = query @ key.transpose(1, 2) / key.shape[-1] ** 0.5
    scores = scores.masked_fill(mask.unsqueeze(1) == 0, -math.inf)
    told = torch.where(mask.unsqueeze(-1) > 0, value, 0.0)
    return scores.softmax(-1).nan_to_num(0.0) @ told


def attention_in_numpy(query, key, value, mask):
    query, key, value, mask = (part.numpy().astype(float) for part in (query, key, value, mask))
    mixed = np.zeros((*query.shape[:2], value.shape[2]))
    for task in range(len(query)):
        places = np.flatnonzero(mask[task])
        if len(places) == 0:
            continue
        for asked in range(query.shape[1]):
            scores = key[task, places] @ query[task, asked] / np.sqrt(key.shape[2])
            weights = np.exp(scores - scores.max())
            mixed[task, asked] = weights @ value[task, places] / weights.sum()
    return mixed


def attended_to_empty_places(query, key, value, mask):
    return (query @ key.mT / key.shape[-1] ** 0.5).softmax(-1) @ value


def gave_empty_places_a_score_of_zero(query, key, value, mask):
    return (query @ key.mT / key.shape[-1] ** 0.5 * mask.unsqueeze(1)).softmax(-1) @ value


def gave_empty_places_a_low_score(query, key, value, mask):
    scores = query @ key.mT / key.shape[-1] ** 0.5
    return scores.masked_fill(mask.unsqueeze(1) == 0, -1e9).softmax(-1) @ value


def masked_after_the_softmax(query, key, value, mask):
    weights = (query @ key.mT / key.shape[-1] ** 0.5).softmax(-1)
    return (weights * mask.unsqueeze(1)) @ value


def not_divided(query, key, value, mask):
    return _mixed(query @ key.mT, value, mask)


def divided_by_d(query, key, value, mask):
    return _mixed(query @ key.mT / key.shape[-1], value, mask)


def divided_by_the_root_of_n(query, key, value, mask):
    return _mixed(query @ key.mT / key.shape[1] ** 0.5, value, mask)


def softmax_over_the_queries(query, key, value, mask):
    weights = (query @ key.mT / key.shape[-1] ** 0.5).softmax(1)
    return (weights * mask.unsqueeze(1)) @ value


def without_a_softmax(query, key, value, mask):
    return (query @ key.mT / key.shape[-1] ** 0.5 * mask.unsqueeze(1)) @ value


def best_match_alone(query, key, value, mask):
    hidden = (query @ key.mT).masked_fill(mask.unsqueeze(1) == 0, -math.inf)
    return torch.stack([rows[best] for rows, best in zip(value, hidden.argmax(-1), strict=True)])


def exp_that_overflows(query, key, value, mask):
    powers = (query @ key.mT / key.shape[-1] ** 0.5).exp() * mask.unsqueeze(1)
    total = powers.sum(-1, keepdim=True)
    return torch.where(total > 0, powers / total, 0.0) @ value


def nan_where_nothing_is(query, key, value, mask):
    scores = query @ key.mT / key.shape[-1] ** 0.5
    return scores.masked_fill(mask.unsqueeze(1) == 0, -math.inf).softmax(-1) @ value


def mixed_nan_with_weight_zero(query, key, value, mask):
    return _mixed(query @ key.mT / key.shape[-1] ** 0.5, value, mask)


def removed_nan_at_the_end(query, key, value, mask):
    return _mixed(query @ key.mT / key.shape[-1] ** 0.5, value, mask).nan_to_num(0.0)


def added_zero_times_infinity(query, key, value, mask):
    scores = query @ key.mT / key.shape[-1] ** 0.5 - (1 - mask.unsqueeze(1)) * math.inf
    return scores.softmax(-1) @ value


def plain_average(query, key, value, mask):
    share = mask / mask.sum(1, keepdim=True).clamp(min=1)
    return (share.unsqueeze(1) @ value).expand(-1, query.shape[1], -1)


def returned_the_weights(query, key, value, mask):
    scores = query @ key.mT / key.shape[-1] ** 0.5
    return scores.masked_fill(mask.unsqueeze(1) == 0, -math.inf).softmax(-1)


# --- order_effect ---------------------------------------------------------------------------


def _changes(learner, support, shuffled, query_x):
    before = learner.predict(learner.adapt(support), query_x)
    return learner.predict(learner.adapt(shuffled), query_x) - before


def _in_order(support, order):
    return Examples(support.x[:, order], support.y[:, order])


def order_effect(learner, support, query_x, order):
    shuffled = Examples(support.x[:, order], support.y[:, order])
    before = learner.predict(learner.adapt(support), query_x)
    after = learner.predict(learner.adapt(shuffled), query_x)
    return (after - before).abs().max().item()


def one_answer_after_the_other(learner, support, query_x, order):
    places = [int(place) for place in order]
    x = torch.stack([support.x[:, place] for place in places], 1)
    y = torch.stack([support.y[:, place] for place in places], 1)
    states = learner.adapt(support), learner.adapt(Examples(x, y))
    before, after = (
        np.asarray(learner.predict(state, query_x).detach(), dtype=np.float64) for state in states
    )
    largest = 0.0
    for old, new in zip(before.ravel(), after.ravel(), strict=True):
        largest = max(largest, abs(new - old))
    return largest


def moved_x_alone(learner, support, query_x, order):
    shuffled = Examples(support.x[:, order], support.y)
    return _changes(learner, support, shuffled, query_x).abs().max().item()


def moved_the_tasks(learner, support, query_x, order):
    shuffled = Examples(support.x[order], support.y[order])
    return _changes(learner, support, shuffled, query_x).abs().max().item()


def moved_to_the_places(learner, support, query_x, order):
    shuffled = _in_order(support, order.argsort())
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
    return _changes(learner, support, _in_order(support, order), query_x).abs().mean().item()


def took_the_square(learner, support, query_x, order):
    return _changes(learner, support, _in_order(support, order), query_x).square().max().item()


def forgot_abs(learner, support, query_x, order):
    return _changes(learner, support, _in_order(support, order), query_x).mean().item()


def upwards_only(learner, support, query_x, order):
    return _changes(learner, support, _in_order(support, order), query_x).max().item()


def returned_all_changes(learner, support, query_x, order):
    return _changes(learner, support, _in_order(support, order), query_x).abs()


# --- gradient_step --------------------------------------------------------------------------


def _times(matrix, vector):
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def _scores(support_x, query_x, inner_lr):
    return 2 * inner_lr / support_x.shape[1] * query_x @ support_x.transpose(1, 2)


def gradient_step(weights, support_x, support_y, query_x, inner_lr):
    scores = 2 * inner_lr / support_x.shape[1] * query_x @ support_x.transpose(1, 2)
    residuals = support_y - _times(support_x, weights)
    return scores, _times(query_x, weights) + _times(scores, residuals)


def with_the_sign_in_the_scores(weights, support_x, support_y, query_x, inner_lr):
    scores = -_scores(support_x, query_x, inner_lr)
    errors = _times(support_x, weights) - support_y
    return scores, _times(query_x, weights) + _times(scores, errors)


def gradient_step_in_numpy(weights, support_x, support_y, query_x, inner_lr):
    w, x, y, asked = (
        part.numpy().astype(np.float64) for part in (weights, support_x, support_y, query_x)
    )
    residuals = y - np.einsum("tnd,td->tn", x, w)
    scores = np.einsum("tmd,tnd->tmn", asked, x) * 2 * inner_lr / x.shape[1]
    stepped = w + 2 * inner_lr * np.einsum("tn,tnd->td", residuals, x) / x.shape[1]
    return scores, np.einsum("tmd,td->tm", asked, stepped)


def with_a_softmax(weights, support_x, support_y, query_x, inner_lr):
    scores = torch.softmax(query_x @ support_x.transpose(1, 2), -1)
    residuals = support_y - _times(support_x, weights)
    return scores, _times(query_x, weights) + _times(scores, residuals)


def bare_products(weights, support_x, support_y, query_x, inner_lr):
    scores = query_x @ support_x.transpose(1, 2)
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


def answers_alone(weights, support_x, support_y, query_x, inner_lr):
    return gradient_step(weights, support_x, support_y, query_x, inner_lr)[1]


ANSWERS = {
    "09.neural_process": Answers(
        right=(neural_process, one_task_after_the_other),
        wrong={
            multiplied_by_the_mask: "0 times NaN",
            averaged_padding: "averaged over padding",
            summed_the_codes: "added the codes up",
            divided_by_all: "divided by N",
            divided_by_zero: "you divided by 0",
            divided_by_one_more: "one point more than there are",
            averaged_over_tasks: "averaged over tasks",
            masked_the_points: "counts as a point",
            took_the_largest: "the largest of the codes",
            one_summary_for_all_queries: "Every query point",
        },
        equal={
            "neural_process: line 3: 0.0 -> 0.0": "half of 0 is 0",
            "one_task_after_the_other: line 9: 0 -> -1": "the only task is the first and the last",
        },
    ),
    "09.attention": Answers(
        right=(attention, attention_in_numpy),
        wrong={
            attended_to_empty_places: "attended to empty places",
            gave_empty_places_a_score_of_zero: "a score of 0",
            gave_empty_places_a_low_score: "you mixed what stands in them",
            masked_after_the_softmax: "no longer sum to 1",
            not_divided: "divided by √d",
            divided_by_d: "divided by √d",
            divided_by_the_root_of_n: "divided by √d",
            softmax_over_the_queries: "softmax runs over the queries",
            without_a_softmax: "need not be positive",
            best_match_alone: "best match alone",
            exp_that_overflows: "NaN for very large or",
            nan_where_nothing_is: "nothing to attend to",
            mixed_nan_with_weight_zero: "0 is not enough",
            removed_nan_at_the_end: "at the end",
            added_zero_times_infinity: "0 times infinity",
            plain_average: "plain average",
            returned_the_weights: "These are the weights",
        },
        equal={
            "attention: line 4: 0.0 -> 0.0": "half of 0 is 0",
            "attention: line 4: 0.0 -> 1.0": "its weight is 0: any finite number will do",
        },
    ),
    "09.order_effect": Answers(
        right=(order_effect, one_answer_after_the_other),
        wrong={
            moved_x_alone: "moved x but not y",
            moved_the_tasks: "put the tasks in another order",
            moved_to_the_places: "Place i gets example",
            moved_the_query: "put the query in another order",
            adapted_once: "adapt again",
            took_the_mean: "mean change",
            took_the_square: "square of the change",
            forgot_abs: "cancelled",
            upwards_only: "in one direction",
            returned_all_changes: "one number",
        },
        equal={
            "order_effect: line 5: after - before -> before - after": "abs() follows",
            "one_answer_after_the_other: line 7: np.asarray(learner.predict(state, query_x)."
            "detach(), dtype=np.float64) -> np.asarray(learner.predict(state, query_x).detach())": (
                "float32 is precise enough"
            ),
            "one_answer_after_the_other: line 9: 0.0 -> 0.0": "half of 0 is 0",
            "one_answer_after_the_other: line 10: True -> False": "both are equally long",
            "one_answer_after_the_other: line 10: zip(before.ravel(), after.ravel(), strict=True) "
            "-> zip(before.ravel(), after.ravel())": "both are equally long",
            "one_answer_after_the_other: line 11: new - old -> old - new": "abs() follows",
        },
    ),
    "09.gradient_step": Answers(
        right=(gradient_step, with_the_sign_in_the_scores, gradient_step_in_numpy),
        wrong={
            with_a_softmax: "no softmax",
            bare_products: "bare products",
            forgot_the_two: "factor 2",
            forgot_the_mean: "divide by N",
            forgot_inner_lr: "left out inner_lr",
            attended_to_y: "Attend to the residuals",
            started_from_zero: "step from w = 0",
            forgot_the_start: "where the step starts",
            stepped_away: "away from the examples",
            answers_alone: "Return two tensors",
        },
    ),
}
