"""Notebook 05: the reference answers, and known wrong ones with what the check says to them."""

import numpy as np
import torch

from instructor.answers import Answers

# --- first_order_gradient -------------------------------------------------------------------


def first_order_gradient(support_gradient, query_gradient, start, inner_lr, inner_steps, adapts):
    params = start
    for _ in range(inner_steps):
        params = params - inner_lr * adapts * support_gradient(params)
    return query_gradient(params).mean(0)


def first_order_in_numpy(support_gradient, query_gradient, start, inner_lr, inner_steps, adapts):
    params = start.double().numpy().copy()
    moves = np.flatnonzero(adapts)
    for _ in range(inner_steps):
        params[:, moves] -= inner_lr * np.asarray(support_gradient(params))[:, moves]
    return np.asarray(query_gradient(params)).mean(axis=0)


def walk(support_gradient, params, inner_lr, inner_steps, adapts):
    for _ in range(inner_steps):
        params = params - inner_lr * adapts * support_gradient(params)
    return params


def body_left_out_of_the_outer_step(support, query, start, inner_lr, inner_steps, adapts):
    return adapts * first_order_gradient(support, query, start, inner_lr, inner_steps, adapts)


def only_the_body(support, query, start, inner_lr, inner_steps, adapts):
    return ~adapts * first_order_gradient(support, query, start, inner_lr, inner_steps, adapts)


def everything_adapts(support, query, start, inner_lr, inner_steps, adapts):
    every = torch.ones_like(adapts)
    return first_order_gradient(support, query, start, inner_lr, inner_steps, every)


def the_others_adapt(support, query, start, inner_lr, inner_steps, adapts):
    return first_order_gradient(support, query, start, inner_lr, inner_steps, ~adapts)


def at_theta(support, query, start, inner_lr, inner_steps, adapts):
    return query(start).mean(0)


def of_the_support(support, query, start, inner_lr, inner_steps, adapts):
    return support(walk(support, start, inner_lr, inner_steps, adapts)).mean(0)


def one_step_only(support, query, start, inner_lr, inner_steps, adapts):
    return query(walk(support, start, inner_lr, 1, adapts)).mean(0)


def every_inner_gradient_at_theta(support, query, start, inner_lr, inner_steps, adapts):
    return query(start - inner_steps * inner_lr * adapts * support(start)).mean(0)


def the_way_walked(support, query, start, inner_lr, inner_steps, adapts):
    return (start - walk(support, start, inner_lr, inner_steps, adapts)).mean(0) / inner_lr


def one_phi_for_all(support, query, start, inner_lr, inner_steps, adapts):
    adapted = walk(support, start, inner_lr, inner_steps, adapts)
    return query(adapted.mean(0, keepdim=True).expand_as(adapted)).mean(0)


def summed_over_tasks(support, query, start, inner_lr, inner_steps, adapts):
    return query(walk(support, start, inner_lr, inner_steps, adapts)).sum(0)


def not_averaged(support, query, start, inner_lr, inner_steps, adapts):
    return query(walk(support, start, inner_lr, inner_steps, adapts))


def changed_in_place(support, query, start, inner_lr, inner_steps, adapts):
    for _ in range(inner_steps):
        start -= inner_lr * adapts * support(start)
    return query(start).mean(0)


def averaged_while_walking(support, query, start, inner_lr, inner_steps, adapts):
    params = start.mean(0)
    for _ in range(inner_steps):
        params = params - inner_lr * adapts * support(params).mean(0)
    return query(params).mean(0)


# --- reptile_direction ----------------------------------------------------------------------


def reptile_direction(gradient, start, batches, num_steps, inner_lr):
    params = start
    for step, batch in enumerate(batches):
        moves = (step < num_steps).unsqueeze(1)
        params = params - inner_lr * moves * gradient(params, batch)
    return (start - params).mean(0) / inner_lr


def reptile_in_numpy(gradient, start, batches, num_steps, inner_lr):
    theta, left = start.double().numpy(), num_steps.tolist()
    params = theta.copy()
    for batch in batches:
        slopes = np.asarray(gradient(params, batch))
        for task in range(len(left)):
            if left[task] > 0:
                params[task] -= inner_lr * slopes[task]
                left[task] -= 1
    return ((theta - params) / inner_lr).mean(axis=0)


def walked(gradient, params, batches, num_steps, inner_lr):
    for step, batch in enumerate(batches):
        params = params - inner_lr * (step < num_steps).unsqueeze(1) * gradient(params, batch)
    return params


def everybody_walks_on(gradient, start, batches, num_steps, inner_lr):
    return reptile_direction(gradient, start, batches, num_steps + len(batches), inner_lr)


def all_stop_with_the_first(gradient, start, batches, num_steps, inner_lr):
    return reptile_direction(gradient, start, batches, num_steps.min().expand(len(start)), inner_lr)


def one_step_too_many(gradient, start, batches, num_steps, inner_lr):
    return reptile_direction(gradient, start, batches, num_steps + 1, inner_lr)


def one_step_too_few(gradient, start, batches, num_steps, inner_lr):
    return reptile_direction(gradient, start, batches, num_steps - 1, inner_lr)


def divided_by_own_steps(gradient, start, batches, num_steps, inner_lr):
    way = start - walked(gradient, start, batches, num_steps, inner_lr)
    return (way / inner_lr / num_steps.clamp(min=1).unsqueeze(1)).mean(0)


def over_those_that_walked(gradient, start, batches, num_steps, inner_lr):
    way = start - walked(gradient, start, batches, num_steps, inner_lr)
    return way[num_steps > 0].mean(0) / inner_lr


def turned_round(gradient, start, batches, num_steps, inner_lr):
    return -reptile_direction(gradient, start, batches, num_steps, inner_lr)


def not_divided(gradient, start, batches, num_steps, inner_lr):
    return (start - walked(gradient, start, batches, num_steps, inner_lr)).mean(0)


def every_gradient_at_theta(gradient, start, batches, num_steps, inner_lr):
    steps = [(s < num_steps).unsqueeze(1) * gradient(start, b) for s, b in enumerate(batches)]
    return sum(steps).mean(0)


def divided_by_steps(gradient, start, batches, num_steps, inner_lr):
    return reptile_direction(gradient, start, batches, num_steps, inner_lr) / len(batches)


def reptile_summed(gradient, start, batches, num_steps, inner_lr):
    return (start - walked(gradient, start, batches, num_steps, inner_lr)).sum(0) / inner_lr


# --- rate_step ------------------------------------------------------------------------------


def rate_step(rates, rate_of, support_gradients, query_gradients, outer_lr):
    slopes = -(support_gradients * query_gradients).mean(0)
    summed = torch.zeros_like(rates)
    summed.index_add_(0, rate_of, slopes)
    return (rates - outer_lr * summed).clamp(min=0)


def rates_in_numpy(rates, rate_of, support_gradients, query_gradients, outer_lr):
    toward = np.einsum("tw,tw->w", support_gradients.double(), query_gradients.double())
    toward = toward / len(support_gradients)
    gain = np.bincount(rate_of, weights=toward, minlength=len(rates))
    return np.maximum(rates.double().numpy() + outer_lr * gain, 0)


def grouped(slopes, rates, rate_of):
    return torch.zeros_like(rates).index_add(0, rate_of, slopes)


def below_zero(rates, rate_of, support_gradients, query_gradients, outer_lr):
    slopes = -(support_gradients * query_gradients).mean(0)
    return rates - outer_lr * grouped(slopes, rates, rate_of)


def only_ever_longer(rates, rate_of, support_gradients, query_gradients, outer_lr):
    slopes = -(support_gradients * query_gradients).mean(0)
    return rates + (-outer_lr * grouped(slopes, rates, rate_of)).clamp(min=0)


def turned_round_at_zero(rates, rate_of, support_gradients, query_gradients, outer_lr):
    return below_zero(rates, rate_of, support_gradients, query_gradients, outer_lr).abs()


def wrong_way(rates, rate_of, support_gradients, query_gradients, outer_lr):
    return rate_step(rates, rate_of, support_gradients, -query_gradients, outer_lr)


def with_the_gradient_of_theta(rates, rate_of, support_gradients, query_gradients, outer_lr):
    slopes = grouped(query_gradients.mean(0), rates, rate_of)
    return (rates - outer_lr * slopes).clamp(min=0)


def support_times_itself(rates, rate_of, support_gradients, query_gradients, outer_lr):
    return rate_step(rates, rate_of, support_gradients, support_gradients, outer_lr)


def averaged_before_multiplying(rates, rate_of, support_gradients, query_gradients, outer_lr):
    means = support_gradients.mean(0, keepdim=True), query_gradients.mean(0, keepdim=True)
    return rate_step(rates, rate_of, *means, outer_lr)


def averaged_over_weights(rates, rate_of, support_gradients, query_gradients, outer_lr):
    slopes = -(support_gradients * query_gradients).mean(0)
    counts = torch.bincount(rate_of, minlength=len(rates)).clamp(min=1)
    return (rates - outer_lr * grouped(slopes, rates, rate_of) / counts).clamp(min=0)


def one_slope_for_all(rates, rate_of, support_gradients, query_gradients, outer_lr):
    slope = -(support_gradients * query_gradients).sum(1).mean()
    return (rates - outer_lr * slope).clamp(min=0)


def overwritten(rates, rate_of, support_gradients, query_gradients, outer_lr):
    slopes = torch.zeros_like(rates)
    slopes[rate_of] += -(support_gradients * query_gradients).mean(0)
    return (rates - outer_lr * slopes).clamp(min=0)


def rate_summed_over_tasks(rates, rate_of, support_gradients, query_gradients, outer_lr):
    return rate_step(
        rates, rate_of, support_gradients * len(support_gradients), query_gradients, outer_lr
    )


def a_rate_for_each_weight(rates, rate_of, support_gradients, query_gradients, outer_lr):
    slopes = -(support_gradients * query_gradients).mean(0)
    return (rates[rate_of] - outer_lr * slopes).clamp(min=0)


def only_the_slope(rates, rate_of, support_gradients, query_gradients, outer_lr):
    return grouped(-(support_gradients * query_gradients).mean(0), rates, rate_of)


ANSWERS = {
    "05.first_order_gradient": Answers(
        right=(first_order_gradient, first_order_in_numpy),
        wrong={
            body_left_out_of_the_outer_step: "out of the outer step, too",
            only_the_body: "kept only the weights that do not adapt",
            everything_adapts: "let all weights take inner steps",
            the_others_adapt: "The wrong weights moved",
            at_theta: "query's gradient at θ",
            of_the_support: "support's gradient at φ",
            one_step_only: "one step",
            every_inner_gradient_at_theta: "every inner gradient at θ",
            the_way_walked: "the way that was walked",
            one_phi_for_all: "averaged φ over tasks first",
            summed_over_tasks: "summed over tasks",
            not_averaged: "one direction for each task",
            changed_in_place: "changed `start` itself",
            averaged_while_walking: "one row for each task",
        },
    ),
    "05.reptile_direction": Answers(
        right=(reptile_direction, reptile_in_numpy),
        wrong={
            everybody_walks_on: "every task take all minibatches",
            all_stop_with_the_first: "when the first one stopped",
            one_step_too_many: "one step too many",
            one_step_too_few: "one step too early",
            divided_by_own_steps: "each task's way by its number of steps",
            over_those_that_walked: "over the tasks that walked",
            turned_round: "sign is turned round",
            not_divided: "left out the division",
            every_gradient_at_theta: "every gradient at θ",
            divided_by_steps: "by the number of steps, too",
            reptile_summed: "summed over tasks",
        },
    ),
    "05.rate_step": Answers(
        right=(rate_step, rates_in_numpy),
        wrong={
            below_zero: "a rate became negative",
            only_ever_longer: "can only grow",
            turned_round_at_zero: "was turned round",
            wrong_way: "wrong way",
            with_the_gradient_of_theta: "belongs to θ",
            support_times_itself: "by itself",
            averaged_before_multiplying: "before you multiplied",
            averaged_over_weights: "averaged over the weights",
            one_slope_for_all: "all weights together",
            overwritten: "overwrote each other",
            rate_summed_over_tasks: "summed over tasks",
            a_rate_for_each_weight: "a rate for every weight",
            only_the_slope: "slope itself",
        },
        equal={
            "rates_in_numpy: line 5: np.maximum(rates.double().numpy() + outer_lr * gain, 0) -> "
            "np.maximum(0, rates.double().numpy() + outer_lr * gain)": "it is symmetric",
            "rate_step: line 4: 0 -> -1": "the rates have one axis: it is the first and the last",
        },
    ),
}
