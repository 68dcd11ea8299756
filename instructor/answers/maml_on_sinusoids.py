"""Notebook 04: the reference answers, and known wrong ones with what the check says to them."""

import math

import numpy as np
import torch
from scipy import stats

from instructor.answers import Answers

# --- inner_step -----------------------------------------------------------------------------


def inner_step(predict, params, x, y, inner_lr):
    losses = (predict(params, x) - y).square().mean(1)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()), create_graph=True)
    return {name: params[name] - inner_lr * g for name, g in zip(params, gradients, strict=True)}


def in_double_precision(predict, params, x, y, inner_lr):
    def loss(params):
        return torch.sum((predict(params, x).double() - y.double()) ** 2) / y.shape[1]

    slopes = torch.func.grad(loss)(params)
    return {name: value.double() - inner_lr * slopes[name] for name, value in params.items()}


def forgot_create_graph(predict, params, x, y, inner_lr):
    losses = (predict(params, x) - y).square().mean(1)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()))
    return {name: params[name] - inner_lr * g for name, g in zip(params, gradients, strict=True)}


def went_up(predict, params, x, y, inner_lr):
    losses = (predict(params, x) - y).square().mean(1)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()), create_graph=True)
    return {name: params[name] + inner_lr * g for name, g in zip(params, gradients, strict=True)}


def averaged_over_tasks(predict, params, x, y, inner_lr):
    loss = (predict(params, x) - y).square().mean()
    gradients = torch.autograd.grad(loss, list(params.values()), create_graph=True)
    return {name: params[name] - inner_lr * g for name, g in zip(params, gradients, strict=True)}


def summed_over_examples(predict, params, x, y, inner_lr):
    loss = (predict(params, x) - y).square().sum()
    gradients = torch.autograd.grad(loss, list(params.values()), create_graph=True)
    return {name: params[name] - inner_lr * g for name, g in zip(params, gradients, strict=True)}


def averaged_over_axis_0(predict, params, x, y, inner_lr):
    losses = (predict(params, x) - y).square().mean(0)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()), create_graph=True)
    return {name: params[name] - inner_lr * g for name, g in zip(params, gradients, strict=True)}


def changed_params_in_place(predict, params, x, y, inner_lr):
    losses = (predict(params, x) - y).square().mean(1)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()))
    with torch.no_grad():
        for value, gradient in zip(params.values(), gradients, strict=True):
            value -= inner_lr * gradient
    return params


def forgot_inner_lr(predict, params, x, y, inner_lr):
    losses = (predict(params, x) - y).square().mean(1)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()), create_graph=True)
    return {name: params[name] - g for name, g in zip(params, gradients, strict=True)}


def cut_with_detach(predict, params, x, y, inner_lr):
    stepped = inner_step(predict, params, x, y, inner_lr)
    return {name: value.detach() for name, value in stepped.items()}


def from_copies(predict, params, x, y, inner_lr):
    own = {name: value.detach().clone().requires_grad_() for name, value in params.items()}
    return inner_step(predict, own, x, y, inner_lr)


def one_step_for_all(predict, params, x, y, inner_lr):
    stepped = inner_step(predict, params, x, y, inner_lr)
    return {name: params[name] + (stepped[name] - params[name]).mean(0) for name in params}


def only_the_weights(predict, params, x, y, inner_lr):
    stepped = inner_step(predict, params, x, y, inner_lr)
    return {
        name: value if name.startswith("weight") else params[name]
        for name, value in stepped.items()
    }


# --- meta_loss ------------------------------------------------------------------------------


def meta_loss(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    num_tasks = len(episodes.query.y)
    adapted = {name: value.expand(num_tasks, *value.shape) for name, value in theta.items()}
    for _ in range(inner_steps):
        adapted = inner_step(predict, adapted, *episodes.support, inner_lr)
    return (predict(adapted, episodes.query.x) - episodes.query.y).square().mean()


def task_by_task(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    """In double precision, and one task after the other."""
    (x, y), (query_x, query_y) = episodes
    total = 0
    for task in range(len(x)):
        adapted = {name: value.unsqueeze(0) for name, value in theta.items()}
        for _ in range(inner_steps):
            adapted = inner_step(predict, adapted, x[task][None], y[task][None], inner_lr)
        misses = predict(adapted, query_x[task][None]).double() - query_y[task][None]
        total = total + (misses**2).mean()
    return total / len(x)


def stacked_in_double(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    support, query = episodes
    adapted = {name: torch.stack([value] * len(support.x)) for name, value in theta.items()}
    while inner_steps > 0:
        adapted = inner_step(predict, adapted, support.x, support.y, inner_lr)
        inner_steps -= 1
    answers = predict(adapted, query.x).double()
    return torch.nn.functional.mse_loss(answers, query.y.double())


def _copies(theta, episodes):
    num_tasks = episodes.num_tasks
    return {name: value.expand(num_tasks, *value.shape) for name, value in theta.items()}


def _judged(predict, adapted, examples):
    return (predict(adapted, examples.x) - examples.y).square().mean()


def scored_on_support(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    halves = type(episodes)(episodes.support, episodes.support)
    return meta_loss(inner_step, predict, theta, halves, inner_lr, inner_steps)


def adapted_on_query(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    halves = type(episodes)(episodes.query, episodes.query)
    return meta_loss(inner_step, predict, theta, halves, inner_lr, inner_steps)


def swapped(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    halves = type(episodes)(episodes.query, episodes.support)
    return meta_loss(inner_step, predict, theta, halves, inner_lr, inner_steps)


def shared_weights(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    adapted = theta
    for _ in range(inner_steps):
        adapted = inner_step(predict, adapted, *episodes.support, inner_lr)
    return _judged(predict, adapted, episodes.query)


def always_from_theta(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    start = adapted = _copies(theta, episodes)
    for _ in range(inner_steps):
        adapted = inner_step(predict, start, *episodes.support, inner_lr)
    return _judged(predict, adapted, episodes.query)


def did_not_keep_the_step(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    adapted = _copies(theta, episodes)
    for _ in range(inner_steps):
        inner_step(predict, adapted, *episodes.support, inner_lr)
    return _judged(predict, adapted, episodes.query)


def sum_over_the_steps(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    adapted, total = _copies(theta, episodes), 0.0
    for _ in range(inner_steps):
        adapted = inner_step(predict, adapted, *episodes.support, inner_lr)
        total = total + _judged(predict, adapted, episodes.query)
    return total


def sum_from_theta_on(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    adapted = _copies(theta, episodes)
    total = _judged(predict, adapted, episodes.query)
    for _ in range(inner_steps):
        adapted = inner_step(predict, adapted, *episodes.support, inner_lr)
        total = total + _judged(predict, adapted, episodes.query)
    return total


def always_one_step(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    """What the package's learner does when nobody tells it how many steps."""
    return meta_loss(inner_step, predict, theta, episodes, inner_lr, 1)


def one_step_more(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    return meta_loss(inner_step, predict, theta, episodes, inner_lr, inner_steps + 1)


def summed_over_tasks(*given):
    return meta_loss(*given) * given[3].num_tasks


def summed_over_queries(*given):
    return meta_loss(*given) * given[3].query.y.numel()


def a_loss_for_each_task(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    adapted = _copies(theta, episodes)
    for _ in range(inner_steps):
        adapted = inner_step(predict, adapted, *episodes.support, inner_lr)
    return (predict(adapted, episodes.query.x) - episodes.query.y).square().mean(1)


def cut_the_gradient(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    adapted = {
        name: value.detach().requires_grad_() for name, value in _copies(theta, episodes).items()
    }
    for _ in range(inner_steps):
        adapted = inner_step(predict, adapted, *episodes.support, inner_lr)
    return _judged(predict, adapted, episodes.query)


def a_plain_number(*given):
    return meta_loss(*given).item()


def only_the_last_step_remembered(inner_step, predict, theta, episodes, inner_lr, inner_steps):
    """The values of all steps, but a gradient as if the way had been a constant."""
    start = adapted = _copies(theta, episodes)
    for _ in range(inner_steps):
        adapted = inner_step(predict, adapted, *episodes.support, inner_lr)
    adapted = {name: start[name] + (adapted[name] - start[name]).detach() for name in start}
    return _judged(predict, adapted, episodes.query)


# --- interval -------------------------------------------------------------------------------


def median_interval(errors):
    ordered, number = sorted(errors.tolist()), len(errors)
    k, fewer = 0, 0.0
    while fewer + math.comb(number, k) / 2**number <= 0.025:
        fewer += math.comb(number, k) / 2**number
        k += 1
    return (ordered[k - 1], ordered[-k]) if k else (0, math.inf)


def by_scipy(errors):
    ordered = np.sort(errors.numpy())
    k = int(stats.binom.ppf(0.025, len(ordered), 0.5))
    return np.array([ordered[k - 1], ordered[-k]] if k else [0, np.inf])


def of_the_mean(errors):
    half = 1.96 * errors.std() / len(errors) ** 0.5
    return errors.mean() - half, errors.mean() + half


def of_the_mean_around_the_median(errors):
    half = 1.96 * errors.std() / len(errors) ** 0.5
    return errors.median() - half, errors.median() + half


def where_the_tasks_lie(errors):
    return errors.quantile(0.025), errors.quantile(0.975)


def by_a_normal_rank(errors):
    ordered, number = errors.sort().values, len(errors)
    k = max(1, math.floor(number / 2 - 1.96 * number**0.5 / 2))
    return ordered[k - 1], ordered[-k]


def not_sorted(errors):
    k = int(stats.binom.ppf(0.025, len(errors), 0.5))
    return (errors[k - 1], errors[-k]) if k else (0.0, math.inf)


def five_percent_at_either_end(errors):
    ordered = sorted(errors.tolist())
    k = int(stats.binom.ppf(0.05, len(errors), 0.5))
    return (ordered[k - 1], ordered[-k]) if k else (0.0, math.inf)


def left_out_what_diverged(errors):
    return median_interval(errors[errors.isfinite()])


def counted_from_0_at_both_ends(errors):
    ordered = sorted(errors.tolist())
    k = int(stats.binom.ppf(0.025, len(errors), 0.5))
    return (ordered[k - 1], ordered[-k - 1]) if k else (0.0, math.inf)


def one_too_far_in(errors):
    ordered = sorted(errors.tolist())
    k = 1 + int(stats.binom.ppf(0.025, len(errors), 0.5))
    return ordered[k - 1], ordered[-k]


def one_too_far_out(errors):
    ordered = sorted(errors.tolist())
    k = int(stats.binom.ppf(0.025, len(errors), 0.5)) - 1
    return (ordered[k - 1], ordered[-k]) if k > 0 else (0.0, math.inf)


def all_of_them_where_too_few(errors):
    ordered = sorted(errors.tolist())
    k = max(1, int(stats.binom.ppf(0.025, len(errors), 0.5)))
    return ordered[k - 1], ordered[-k]


def upper_end_first(errors):
    return median_interval(errors)[::-1]


def sorted_in_place(errors):
    errors.copy_(errors.sort().values)
    return median_interval(errors)


ZIP = "there is one gradient for each parameter, so the two lengths are always equal"
SIGN = "the difference is squared"

ANSWERS = {
    "04.inner_step": Answers(
        right=(inner_step, in_double_precision),
        wrong={
            forgot_create_graph: "create_graph",
            went_up: "up the hill",
            averaged_over_tasks: "averaged over tasks",
            summed_over_examples: "summed over a task's examples",
            averaged_over_axis_0: "wrong axis",
            changed_params_in_place: "in place",
            forgot_inner_lr: "left out inner_lr",
            cut_with_detach: "no history",
            from_copies: "no longer depends on params",
            one_step_for_all: "the mean of theirs",
            only_the_weights: "does every parameter move",
        },
        equal={
            "inner_step: line 2: predict(params, x) - y -> y - predict(params, x)": SIGN,
            "inner_step: line 4: zip(params, gradients, strict=True) -> "
            "zip(params, gradients)": ZIP,
            "inner_step: line 4: True -> False": ZIP,
            "in_double_precision: line 3: predict(params, x).double() - y.double() -> "
            "y.double() - predict(params, x).double()": SIGN,
        },
    ),
    "04.meta_loss": Answers(
        right=(meta_loss, task_by_task, stacked_in_double),
        wrong={
            scored_on_support: "You judged on the support",
            adapted_on_query: "leaked",
            swapped: "swapped",
            shared_weights: "shared one set of weights",
            always_from_theta: "after one step",
            did_not_keep_the_step: "loss at θ",
            sum_over_the_steps: "losses after every step",
            sum_from_theta_on: "losses at θ and after every step",
            always_one_step: "after one step",
            one_step_more: "one step more",
            summed_over_tasks: "summed over tasks",
            summed_over_queries: "summed over all queries",
            a_loss_for_each_task: "one number",
            cut_the_gradient: "cut off: somewhere",
            a_plain_number: "one number",
            only_the_last_step_remembered: "treated as a constant",
        },
        equal={
            "meta_loss: line 2: episodes.query -> episodes.support": "both have as many tasks",
            "stacked_in_double: line 3: support -> query": "both have as many tasks",
            "meta_loss: line 6: predict(adapted, episodes.query.x) - episodes.query.y -> "
            "episodes.query.y - predict(adapted, episodes.query.x)": SIGN,
            "task_by_task: line 9: predict(adapted, query_x[task][None]).double() - "
            "query_y[task][None] -> query_y[task][None] - "
            "predict(adapted, query_x[task][None]).double()": SIGN,
        },
    ),
    "04.interval": Answers(
        right=(median_interval, by_scipy),
        wrong={
            of_the_mean: "interval of the mean",
            of_the_mean_around_the_median: "around the median",
            where_the_tasks_lie: "95 % of the tasks",
            by_a_normal_rank: "a larger k would, too",
            not_sorted: "in which they were drawn",
            five_percent_at_either_end: "10 % in all",
            left_out_what_diverged: "left out the tasks",
            counted_from_0_at_both_ends: "unequal distances",
            one_too_far_in: "in more than 5 %",
            one_too_far_out: "a larger k would, too",
            all_of_them_where_too_few: "even all of them together",
            upper_end_first: "lower end comes first",
            sorted_in_place: "sorted the errors in place",
        },
        equal={
            "median_interval: line 4: fewer + math.comb(number, k) / 2 ** number <= 0.025 -> "
            "fewer + math.comb(number, k) / 2 ** number < 0.025": (
                "a count over a power of two is never 1/40"
            ),
        },
    ),
}
