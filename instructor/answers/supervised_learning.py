"""Notebook 01: the reference answers, and known wrong ones with what the check says to them."""

import torch

from instructor.answers import Answers
from metalearn_lite.evaluation import Evaluation

# --- gradient_step --------------------------------------------------------------------------


def gradient_step(loss, params, learning_rate):
    gradients = torch.autograd.grad(loss(params), list(params.values()))
    return {
        name: params[name] - learning_rate * gradient
        for name, gradient in zip(params, gradients, strict=True)
    }


def went_up(loss, params, learning_rate):
    return gradient_step(loss, params, -learning_rate)


def forgot_learning_rate(loss, params, learning_rate):
    return gradient_step(loss, params, 1.0)


def changed_params_in_place(loss, params, learning_rate):
    stepped = gradient_step(loss, params, learning_rate)
    with torch.no_grad():
        for name, value in params.items():
            value.copy_(stepped[name])
    return params


def one_after_the_other(loss, params, learning_rate):
    moved = dict(params)
    for name in params:
        (gradient,) = torch.autograd.grad(loss(moved), [params[name]])
        moved[name] = (params[name] - learning_rate * gradient).detach()
    return moved


def kept_the_sign_only(loss, params, learning_rate):
    gradients = torch.autograd.grad(loss(params), list(params.values()))
    return {
        name: params[name] - learning_rate * gradient.sign()
        for name, gradient in zip(params, gradients, strict=True)
    }


def let_gradients_add_up(loss, params, learning_rate):
    loss(params).backward()
    return {name: (value - learning_rate * value.grad).detach() for name, value in params.items()}


def returned_params(loss, params, learning_rate):
    gradient_step(loss, params, learning_rate)
    return params


# --- early_stop -----------------------------------------------------------------------------


def early_stop(train_losses, validation_losses, patience):
    best = 0
    for step, loss in enumerate(validation_losses):
        if loss < validation_losses[best]:
            best = step
        elif step - best >= patience:
            break
    return best


def looked_into_the_future(train_losses, validation_losses, patience):
    return validation_losses.index(min(validation_losses))


def followed_the_training_loss(train_losses, validation_losses, patience):
    return early_stop(validation_losses, train_losses, patience)


def returned_where_it_stopped(train_losses, validation_losses, patience):
    best = 0
    for step, loss in enumerate(validation_losses):
        if loss < validation_losses[best]:
            best = step
        elif step - best >= patience:
            return step
    return len(validation_losses) - 1


def took_a_tie_for_better(train_losses, validation_losses, patience):
    best = 0
    for step, loss in enumerate(validation_losses):
        if loss <= validation_losses[best]:
            best = step
        elif step - best >= patience:
            break
    return best


def stopped_at_the_first_rise(train_losses, validation_losses, patience):
    for step in range(1, len(validation_losses)):
        if validation_losses[step] > validation_losses[step - 1]:
            return step - 1
    return len(validation_losses) - 1


def counted_rises_in_a_row(train_losses, validation_losses, patience):
    best = rises = 0
    for step in range(1, len(validation_losses)):
        rises = rises + 1 if validation_losses[step] > validation_losses[step - 1] else 0
        if validation_losses[step] < validation_losses[best]:
            best = step
        if rises == patience:
            break
    return best


def waited_one_step_too_long(train_losses, validation_losses, patience):
    return early_stop(train_losses, validation_losses, patience + 1)


def waited_one_step_too_short(train_losses, validation_losses, patience):
    return early_stop(train_losses, validation_losses, patience - 1)


def always_patience_three(train_losses, validation_losses, patience):
    return early_stop(train_losses, validation_losses, 3)


# --- points_needed --------------------------------------------------------------------------


def points_needed(sizes, errors, threshold):
    for size, row in zip(sizes, errors, strict=True):
        score = Evaluation(row)
        if score.mean + score.interval < threshold:
            return size
    return None


def forgot_the_interval(sizes, errors, threshold):
    return next((s for s, row in zip(sizes, errors, strict=True) if row.mean() < threshold), None)


def took_the_median(sizes, errors, threshold):
    return next((s for s, row in zip(sizes, errors, strict=True) if row.median() < threshold), None)


def took_the_best_seed(sizes, errors, threshold):
    return next((s for s, row in zip(sizes, errors, strict=True) if row.min() < threshold), None)


def used_the_spread_of_seeds(sizes, errors, threshold):
    for size, row in zip(sizes, errors, strict=True):
        if row.mean() + 1.96 * row.std() < threshold:
            return size
    return None


def returned_the_index(sizes, errors, threshold):
    return sizes.index(points_needed(sizes, errors, threshold))


def returned_the_largest_for_none(sizes, errors, threshold):
    return points_needed(sizes, errors, threshold) or sizes[-1]


def raised_where_there_is_none(sizes, errors, threshold):
    rows = zip(sizes, map(Evaluation, errors), strict=True)
    return next(size for size, row in rows if row.mean + row.interval < threshold)


ANSWERS = {
    "01.gradient_step": Answers(
        right=(gradient_step,),
        wrong={
            went_up: "up the hill",
            forgot_learning_rate: "left out learning_rate",
            changed_params_in_place: "in place",
            one_after_the_other: "one after the other",
            kept_the_sign_only: "sign",
            let_gradients_add_up: "adds to what is already",
            returned_params: "Nothing moved",
        },
    ),
    "01.early_stop": Answers(
        right=(early_stop,),
        wrong={
            looked_into_the_future: "whole curve",
            followed_the_training_loss: "followed the training loss",
            returned_where_it_stopped: "where training stopped",
            took_a_tie_for_better: "A tie",
            stopped_at_the_first_rise: "gave up too early",
            counted_rises_in_a_row: "past step 6",
            waited_one_step_too_long: "past step 6",
            waited_one_step_too_short: "You stopped too early",
            always_patience_three: "You stopped too early",
        },
    ),
    "01.points_needed": Answers(
        right=(points_needed,),
        wrong={
            forgot_the_interval: "its interval is not",
            took_the_median: "took the median",
            took_the_best_seed: "luckiest seed",
            used_the_spread_of_seeds: "spread of single seeds",
            returned_the_index: "an index",
            returned_the_largest_for_none: "Return None then",
            raised_where_there_is_none: "raises StopIteration",
        },
    ),
}
