"""Notebook 05: the reference answers, and known wrong ones with what the check says to them."""

from instructor.answers import Answers

# --- first_order_gradient -------------------------------------------------------------------


def walk(support_gradient, params, inner_lr, inner_steps):
    for _ in range(inner_steps):
        params = params - inner_lr * support_gradient(params)
    return params


def first_order_gradient(support_gradient, query_gradient, start, inner_lr, inner_steps):
    return query_gradient(walk(support_gradient, start, inner_lr, inner_steps)).mean(0)


def at_theta(support_gradient, query_gradient, start, inner_lr, inner_steps):
    return query_gradient(start).mean(0)


def of_the_support(support_gradient, query_gradient, start, inner_lr, inner_steps):
    return support_gradient(walk(support_gradient, start, inner_lr, inner_steps)).mean(0)


def one_step_only(support_gradient, query_gradient, start, inner_lr, inner_steps):
    return query_gradient(start - inner_lr * support_gradient(start)).mean(0)


def the_way_walked(support_gradient, query_gradient, start, inner_lr, inner_steps):
    return (start - walk(support_gradient, start, inner_lr, inner_steps)).mean(0) / inner_lr


def one_phi_for_all(support_gradient, query_gradient, start, inner_lr, inner_steps):
    adapted = walk(support_gradient, start, inner_lr, inner_steps)
    return query_gradient(adapted.mean(0, keepdim=True).expand_as(adapted)).mean(0)


def summed_over_tasks(support_gradient, query_gradient, start, inner_lr, inner_steps):
    return query_gradient(walk(support_gradient, start, inner_lr, inner_steps)).sum(0)


def not_averaged(support_gradient, query_gradient, start, inner_lr, inner_steps):
    return query_gradient(walk(support_gradient, start, inner_lr, inner_steps))


# --- reptile_direction ----------------------------------------------------------------------


def arrive(gradient, params, batches, inner_lr):
    for batch in batches:
        params = params - inner_lr * gradient(params, batch)
    return params


def reptile_direction(gradient, start, batches, inner_lr):
    return ((start - arrive(gradient, start, batches, inner_lr)) / inner_lr).mean(0)


def turned_round(gradient, start, batches, inner_lr):
    return -reptile_direction(gradient, start, batches, inner_lr)


def not_divided(gradient, start, batches, inner_lr):
    return (start - arrive(gradient, start, batches, inner_lr)).mean(0)


def every_gradient_at_theta(gradient, start, batches, inner_lr):
    return sum(gradient(start, batch) for batch in batches).mean(0)


def last_gradient_alone(gradient, start, batches, inner_lr):
    return gradient(arrive(gradient, start, batches[:-1], inner_lr), batches[-1]).mean(0)


def divided_by_steps(gradient, start, batches, inner_lr):
    return reptile_direction(gradient, start, batches, inner_lr) / len(batches)


def reptile_summed(gradient, start, batches, inner_lr):
    return reptile_direction(gradient, start, batches, inner_lr) * len(start)


# --- rate_step ------------------------------------------------------------------------------


def slope(support_gradients, query_gradients):
    return -(support_gradients * query_gradients).sum(1).mean()


def rate_step(rate, support_gradients, query_gradients, outer_lr):
    return max(0.0, rate - outer_lr * slope(support_gradients, query_gradients).item())


def wrong_way(rate, support_gradients, query_gradients, outer_lr):
    return max(0.0, rate + outer_lr * slope(support_gradients, query_gradients).item())


def with_the_gradient_of_theta(rate, support_gradients, query_gradients, outer_lr):
    return max(0.0, rate - outer_lr * query_gradients.sum(1).mean().item())


def support_times_itself(rate, support_gradients, query_gradients, outer_lr):
    return max(0.0, rate - outer_lr * slope(support_gradients, support_gradients).item())


def averaged_before_multiplying(rate, support_gradients, query_gradients, outer_lr):
    means = support_gradients.mean(0, keepdim=True), query_gradients.mean(0, keepdim=True)
    return max(0.0, rate - outer_lr * slope(*means).item())


def averaged_over_weights(rate, support_gradients, query_gradients, outer_lr):
    return max(0.0, rate + outer_lr * (support_gradients * query_gradients).mean().item())


def rate_summed_over_tasks(rate, support_gradients, query_gradients, outer_lr):
    return max(0.0, rate + outer_lr * (support_gradients * query_gradients).sum().item())


def a_rate_for_each_weight(rate, support_gradients, query_gradients, outer_lr):
    return rate + outer_lr * (support_gradients * query_gradients).mean(0)


def only_the_slope(rate, support_gradients, query_gradients, outer_lr):
    return slope(support_gradients, query_gradients)


def below_zero(rate, support_gradients, query_gradients, outer_lr):
    return rate - outer_lr * slope(support_gradients, query_gradients)


ANSWERS = {
    "05.first_order_gradient": Answers(
        right=(first_order_gradient,),
        wrong={
            at_theta: "gradient at θ",
            of_the_support: "support's gradient at φ",
            one_step_only: "one step",
            the_way_walked: "the way that was walked",
            one_phi_for_all: "averaged φ over tasks first",
            summed_over_tasks: "summed over tasks",
            not_averaged: "one direction for each task",
        },
    ),
    "05.reptile_direction": Answers(
        right=(reptile_direction,),
        wrong={
            turned_round: "sign is turned round",
            not_divided: "left out the division",
            every_gradient_at_theta: "every gradient at θ",
            last_gradient_alone: "last gradient alone",
            divided_by_steps: "number of steps",
            reptile_summed: "summed over tasks",
        },
    ),
    "05.rate_step": Answers(
        right=(rate_step,),
        wrong={
            wrong_way: "wrong way",
            with_the_gradient_of_theta: "belongs to θ",
            support_times_itself: "by itself",
            averaged_before_multiplying: "before you multiplied",
            averaged_over_weights: "averaged over the weights",
            rate_summed_over_tasks: "summed over tasks",
            a_rate_for_each_weight: "one number",
            only_the_slope: "slope itself",
            below_zero: "negative",
        },
    ),
}
