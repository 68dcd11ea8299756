"""Notebook 01: right answers, and known wrong ones with what the check says to them."""

import math

import numpy as np
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


def step_in_numpy(loss, params, learning_rate):
    copies = {name: value.detach().clone().requires_grad_() for name, value in params.items()}
    loss(copies).backward()
    return {
        name: copy.detach().numpy().astype("float64") - learning_rate * copy.grad.numpy()
        for name, copy in copies.items()
    }


def went_up(loss, params, learning_rate):
    return gradient_step(loss, params, -learning_rate)


def forgot_learning_rate(loss, params, learning_rate):
    return gradient_step(loss, params, 1.0)


def wrote_a_rate_into_the_code(loss, params, learning_rate):
    return gradient_step(loss, params, 0.5)


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


def made_every_step_equally_long(loss, params, learning_rate):
    gradients = torch.autograd.grad(loss(params), list(params.values()))
    length = torch.cat([gradient.flatten() for gradient in gradients]).norm() + 1e-12
    return {
        name: params[name] - learning_rate * gradient / length
        for name, gradient in zip(params, gradients, strict=True)
    }


def returned_the_gradients(loss, params, learning_rate):
    return dict(zip(params, torch.autograd.grad(loss(params), list(params.values())), strict=True))


def returned_the_move(loss, params, learning_rate):
    gradients = returned_the_gradients(loss, params, learning_rate)
    return {name: -learning_rate * gradient for name, gradient in gradients.items()}


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


def stop_in_numpy(train_losses, validation_losses, patience):
    losses = np.array(validation_losses)
    before = np.append(np.inf, np.minimum.accumulate(losses)[:-1])
    record = np.where(losses < before, np.arange(len(losses)), 0)
    best = np.maximum.accumulate(record)
    waited = np.arange(len(losses)) - best
    over = np.flatnonzero(waited == patience)
    return best[over[0]] if over.size else best[-1]


def took_step_0_for_nothing(train_losses, validation_losses, patience):
    best = None
    for step, loss in enumerate(validation_losses):
        if not best or loss < validation_losses[best]:
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


def counted_from_one(train_losses, validation_losses, patience):
    return early_stop(train_losses, validation_losses, patience) + 1


def returned_the_loss(train_losses, validation_losses, patience):
    return validation_losses[early_stop(train_losses, validation_losses, patience)] + 0.5


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


def never_gave_patience_back(train_losses, validation_losses, patience):
    best = waited = 0
    for step, loss in enumerate(validation_losses[1:], 1):
        if loss < validation_losses[best]:
            best = step
        else:
            waited += 1
        if waited == patience:
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
    edge = [Evaluation(row).mean + Evaluation(row).interval for row in errors]
    needed = sizes[0]
    for place, high in enumerate(edge):
        if high > threshold:
            if place == len(edge) - 1:
                return None
            share = math.log(high / threshold) / math.log(high / edge[place + 1])
            needed = sizes[place] * (sizes[place + 1] / sizes[place]) ** share
    return needed


def points_in_numpy(sizes, errors, threshold):
    errors = np.asarray(errors, dtype=float)
    standard_error = errors.std(axis=1, ddof=1) / np.sqrt(errors.shape[1])
    edge = errors.mean(axis=1) + 1.96 * standard_error
    if edge[-1] > threshold:
        return None
    above = np.flatnonzero(edge > threshold)
    if not above.size:
        return sizes[0]
    ends = slice(above[-1], above[-1] + 2)
    heights, places = np.log(edge[ends])[::-1], np.log(sizes[ends])[::-1]
    return np.exp(np.interp(np.log(threshold), heights, places))


def reads(values, sizes, threshold, first=False, scales=(math.log, math.log)):
    """Where the line through ``values`` crosses, last or ``first``, between the ``scales``."""
    values = [float(value) for value in values]
    above = [place for place, value in enumerate(values) if value > threshold]
    if not above:
        return sizes[0]
    place = next(p for p, v in enumerate(values) if v <= threshold) - 1 if first else above[-1]
    if place == len(sizes) - 1:
        return None
    log_x, log_y = scales
    high, low, level = map(log_y, (values[place], values[place + 1], threshold))
    left, right = map(log_x, sizes[place : place + 2])
    at = left + (high - level) / (high - low) * (right - left)
    return math.exp(at) if log_x is math.log else at


def edges(errors):
    return [Evaluation(row).mean + Evaluation(row).interval for row in errors]


def forgot_the_interval(sizes, errors, threshold):
    return reads(errors.mean(1), sizes, threshold)


def took_the_lower_edge(sizes, errors, threshold):
    return reads(2 * errors.mean(1) - torch.tensor(edges(errors)), sizes, threshold)


def took_the_median(sizes, errors, threshold):
    return reads(errors.median(1).values, sizes, threshold)


def took_the_worst_seed(sizes, errors, threshold):
    return reads(errors.max(1).values, sizes, threshold)


def used_the_spread_of_seeds(sizes, errors, threshold):
    return reads(errors.mean(1) + 1.96 * errors.std(1), sizes, threshold)


def stopped_at_the_first_crossing(sizes, errors, threshold):
    return reads(edges(errors), sizes, threshold, first=True)


def drew_on_plain_axes(sizes, errors, threshold):
    return reads(edges(errors), sizes, threshold, scales=(float, float))


def one_plain_axis(sizes, errors, threshold):
    return reads(edges(errors), sizes, threshold, scales=(math.log, float))


def the_other_plain_axis(sizes, errors, threshold):
    return reads(edges(errors), sizes, threshold, scales=(float, math.log))


def took_the_next_measured_size(sizes, errors, threshold):
    rows = list(zip(sizes, edges(errors), strict=True))
    for place, (size, _) in enumerate(rows):
        if all(edge <= threshold for _, edge in rows[place:]):
            return size
    return None


def returned_the_index(sizes, errors, threshold):
    size = took_the_next_measured_size(sizes, errors, threshold)
    return None if size is None else sizes.index(size)


def returned_the_largest_for_none(sizes, errors, threshold):
    return points_needed(sizes, errors, threshold) or sizes[-1]


def trusted_an_early_dip(sizes, errors, threshold):
    needed = points_needed(sizes, errors, threshold)
    dips = any(edge <= threshold for edge in edges(errors))
    return sizes[0] if needed is None and dips else needed


def raised_where_there_is_none(sizes, errors, threshold):
    edge = edges(errors)
    sizes[next(p for p in range(len(edge)) if all(e <= threshold for e in edge[p:]))]
    return points_needed(sizes, errors, threshold)


def none_where_all_are_enough(sizes, errors, threshold):
    all_are = all(edge <= threshold for edge in edges(errors))
    return None if all_are else points_needed(sizes, errors, threshold)


def below_and_not_at(sizes, errors, threshold):
    return None if edges(errors)[-1] == threshold else points_needed(sizes, errors, threshold)


ZIPPED = "zip(params, gradients"
ALWAYS_AS_LONG = "autograd gives one gradient for each parameter"

ANSWERS = {
    "01.gradient_step": Answers(
        right=(gradient_step, step_in_numpy),
        wrong={
            went_up: "up the hill",
            forgot_learning_rate: "left out learning_rate",
            wrote_a_rate_into_the_code: "your rate is another one",
            changed_params_in_place: "in place",
            one_after_the_other: "one after the other",
            kept_the_sign_only: "only the gradient's sign",
            made_every_step_equally_long: "every step equally long",
            returned_the_gradients: "You returned the gradients",
            returned_the_move: "the move alone",
            let_gradients_add_up: "adds to what is already",
            returned_params: "Nothing moved",
        },
        equal={
            "gradient_step: line 5: True -> False": ALWAYS_AS_LONG,
            f"gradient_step: line 5: {ZIPPED}, strict=True) -> {ZIPPED})": ALWAYS_AS_LONG,
        },
    ),
    "01.early_stop": Answers(
        right=(early_stop, stop_in_numpy),
        wrong={
            took_step_0_for_nothing: "the very first step is the lowest",
            looked_into_the_future: "whole curve",
            followed_the_training_loss: "followed the training loss",
            returned_where_it_stopped: "where training stopped",
            counted_from_one: "numbered from 0",
            returned_the_loss: "not a loss",
            took_a_tie_for_better: "A tie",
            stopped_at_the_first_rise: "gave up too early",
            counted_rises_in_a_row: "past step 6",
            never_gave_patience_back: "gives back the whole patience",
            waited_one_step_too_long: "past step 6",
            waited_one_step_too_short: "You stopped too early",
            always_patience_three: "You stopped too early",
        },
        equal={
            "stop_in_numpy: line 4: 0 -> -1": "step 0 is always a record",
        },
    ),
    "01.points_needed": Answers(
        right=(points_needed, points_in_numpy),
        wrong={
            forgot_the_interval: "read the mean itself",
            took_the_lower_edge: "the lower edge",
            took_the_median: "took the median",
            took_the_worst_seed: "unluckiest seed",
            used_the_spread_of_seeds: "spread of single seeds",
            stopped_at_the_first_crossing: "first dips below",
            drew_on_plain_axes: "on plain axes",
            one_plain_axis: "Your errors are on a plain axis",
            the_other_plain_axis: "Your points are on a plain axis",
            took_the_next_measured_size: "next measured size",
            returned_the_index: "an index",
            returned_the_largest_for_none: "no size is enough",
            trusted_an_early_dip: "nobody measured that it stays below",
            raised_where_there_is_none: "raises StopIteration",
            none_where_all_are_enough: "where every size is enough",
            below_and_not_at: "ends at the threshold",
        },
        equal={
            "points_in_numpy: line 2: np.asarray(errors, dtype=float) -> np.asarray(errors)": (
                "the same numbers in single precision"
            ),
        },
    ),
}
