"""Notebook 08: the reference answers, and known wrong ones with what the check says to them."""

import torch
from torch.nn import functional as F

from instructor.answers import Answers

# --- leak -----------------------------------------------------------------------------------


def _together_and_alone(predict, x):
    alone = torch.cat([predict(x[:, [query]]) for query in range(x.shape[1])], 1)
    return predict(x), alone


def leak(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together.softmax(-1) - alone.softmax(-1)).abs().amax(-1)


def asked_in_another_order(predict, x):
    back = predict(x.flip(1)).flip(1)
    return (predict(x).softmax(-1) - back.softmax(-1)).abs().amax(-1)


def asked_one_task_at_a_time(predict, x):
    # What a predict with adapted parameters would refuse, done by repeating the task.
    alone = torch.stack([predict(x[[task] * len(x)])[task] for task in range(len(x))])
    return (predict(x).softmax(-1) - alone.softmax(-1)).abs().amax(-1)


def changes_of_logits(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together - alone).abs().amax(-1)


def flipped_answers(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together.argmax(-1) != alone.argmax(-1)).float()


def rising_probabilities_only(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together.softmax(-1) - alone.softmax(-1)).amax(-1)


def one_number_for_all(predict, x):
    return leak(predict, x).max()


def every_class(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together.softmax(-1) - alone.softmax(-1)).abs()


# --- adapt_head -----------------------------------------------------------------------------


def _head(features, y, weight, bias, inner_lr, steps, gradient):
    for _ in range(steps):
        by_weight, by_bias = gradient(features, y, weight, bias)
        weight, bias = weight - inner_lr * by_weight, bias - inner_lr * by_bias
    return weight, bias


def _error(features, y, weight, bias):
    return (features @ weight + bias).softmax(-1) - F.one_hot(y, weight.shape[-1])


def _gradient(features, y, weight, bias):
    error = _error(features, y, weight, bias)
    return features.transpose(1, 2) @ error / y.shape[1], error.mean(1, keepdim=True)


def adapt_head(features, y, weight, bias, inner_lr, steps):
    return _head(features, y, weight, bias, inner_lr, steps, _gradient)


def uphill(features, y, weight, bias, inner_lr, steps):
    return adapt_head(features, y, weight, bias, -inner_lr, steps)


def gradient_of_the_sum(features, y, weight, bias, inner_lr, steps):
    return adapt_head(features, y, weight, bias, inner_lr * y.shape[1], steps)


def one_head_for_all_tasks(features, y, weight, bias, inner_lr, steps):
    def shared(*tensors):
        return tuple(part.mean(0, keepdim=True).expand_as(part) for part in _gradient(*tensors))

    return _head(features, y, weight, bias, inner_lr, steps, shared)


def first_gradient_for_all_steps(features, y, weight, bias, inner_lr, steps):
    return adapt_head(features, y, weight, bias, inner_lr * steps, 1)


def bias_forgotten(features, y, weight, bias, inner_lr, steps):
    def without(*tensors):
        return _gradient(*tensors)[0], 0.0

    weight, bias = _head(features, y, weight, bias, inner_lr, steps, without)
    return weight, bias.expand(len(features), 1, -1)


def changed_in_place(features, y, weight, bias, inner_lr, steps):
    new_weight, new_bias = adapt_head(features, y, weight, bias, inner_lr, steps)
    weight += new_weight.mean(0) - weight
    return new_weight, new_bias


def weight_only(features, y, weight, bias, inner_lr, steps):
    return adapt_head(features, y, weight, bias, inner_lr, steps)[0]


def one_step_only(features, y, weight, bias, inner_lr, steps):
    return adapt_head(features, y, weight, bias, inner_lr, 1)


# --- cka ------------------------------------------------------------------------------------


def _centred(rows):
    return rows - rows.mean(0)


def _ratio(a, b):
    return (b.T @ a).norm() ** 2 / ((a.T @ a).norm() * (b.T @ b).norm())


def cka(first, second):
    return _ratio(_centred(first), _centred(second))


def not_centred(first, second):
    return _ratio(first, second)


def centred_over_features(first, second):
    return _ratio(_centred(first.T).T, _centred(second.T).T)


def not_scaled(first, second):
    return (_centred(second).T @ _centred(first)).norm() ** 2


def square_forgotten(first, second):
    return cka(first, second).sqrt()


def norms_of_the_layers(first, second):
    a, b = _centred(first), _centred(second)
    return (b.T @ a).norm() ** 2 / (a.norm() * b.norm()) ** 2


def one_number_per_feature(first, second):
    return (_centred(second).T @ _centred(first)).norm(dim=1)


ANSWERS = {
    "08.leak": Answers(
        right=(leak,),
        wrong={
            asked_in_another_order: "You found nothing",
            asked_one_task_at_a_time: "You found nothing",
            changes_of_logits: "changes of logits",
            flipped_answers: "only where the answer flips",
            rising_probabilities_only: "absolute value",
            one_number_for_all: "One number hides",
            every_class: "Expected shape",
        },
    ),
    "08.adapt_head": Answers(
        right=(adapt_head,),
        wrong={
            uphill: "This climbs",
            gradient_of_the_sum: "gradient of the sum",
            one_head_for_all_tasks: "Each task has its own head",
            first_gradient_for_all_steps: "Compute it anew",
            bias_forgotten: "The bias has not moved",
            changed_in_place: "in place",
            weight_only: "Return two tensors",
            one_step_only: "not 3 steps",
        },
    ),
    "08.cka": Answers(
        right=(cka,),
        wrong={
            not_centred: "Centre the columns",
            centred_over_features: "centred each example",
            not_scaled: "It is not scaled",
            square_forgotten: "to be squared",
            norms_of_the_layers: "not of A and B",
            one_number_per_feature: "one number",
        },
    ),
}
