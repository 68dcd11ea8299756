"""Notebook 04: the reference answers, and known wrong ones with what the check says to them."""

import torch

from instructor.answers import Answers

# --- inner_step -----------------------------------------------------------------------------


def inner_step(network, params, x, y, inner_lr):
    losses = (network(params, x) - y).square().mean(1)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()), create_graph=True)
    return {name: params[name] - inner_lr * g for name, g in zip(params, gradients, strict=True)}


def forgot_create_graph(network, params, x, y, inner_lr):
    losses = (network(params, x) - y).square().mean(1)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()))
    return {name: params[name] - inner_lr * g for name, g in zip(params, gradients, strict=True)}


def went_up(network, params, x, y, inner_lr):
    losses = (network(params, x) - y).square().mean(1)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()), create_graph=True)
    return {name: params[name] + inner_lr * g for name, g in zip(params, gradients, strict=True)}


def averaged_over_tasks(network, params, x, y, inner_lr):
    loss = (network(params, x) - y).square().mean()
    gradients = torch.autograd.grad(loss, list(params.values()), create_graph=True)
    return {name: params[name] - inner_lr * g for name, g in zip(params, gradients, strict=True)}


def changed_params_in_place(network, params, x, y, inner_lr):
    losses = (network(params, x) - y).square().mean(1)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()))
    with torch.no_grad():
        for value, gradient in zip(params.values(), gradients, strict=True):
            value -= inner_lr * gradient
    return params


def forgot_inner_lr(network, params, x, y, inner_lr):
    losses = (network(params, x) - y).square().mean(1)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()), create_graph=True)
    return {name: params[name] - g for name, g in zip(params, gradients, strict=True)}


def cut_with_detach(network, params, x, y, inner_lr):
    stepped = inner_step(network, params, x, y, inner_lr)
    return {name: value.detach() for name, value in stepped.items()}


# --- meta_loss ------------------------------------------------------------------------------


def meta_loss(maml, episodes, inner_steps):
    adapted = maml.start(episodes.support)
    for _ in range(inner_steps):
        adapted = maml.inner_step(adapted, episodes.support)
    return (maml.predict(adapted, episodes.query.x) - episodes.query.y).square().mean()


def scored_on_support(maml, episodes, inner_steps):
    adapted = maml.adapt(episodes.support, inner_steps)
    return (maml.predict(adapted, episodes.support.x) - episodes.support.y).square().mean()


def adapted_on_query(maml, episodes, inner_steps):
    adapted = maml.adapt(episodes.query, inner_steps)
    return (maml.predict(adapted, episodes.query.x) - episodes.query.y).square().mean()


def always_from_theta(maml, episodes, inner_steps):
    for _ in range(inner_steps):
        adapted = maml.inner_step(maml.start(episodes.support), episodes.support)
    return (maml.predict(adapted, episodes.query.x) - episodes.query.y).square().mean()


def did_not_keep_the_step(maml, episodes, inner_steps):
    adapted = maml.start(episodes.support)
    for _ in range(inner_steps):
        maml.inner_step(adapted, episodes.support)
    return (maml.predict(adapted, episodes.query.x) - episodes.query.y).square().mean()


def summed_over_tasks(maml, episodes, inner_steps):
    return meta_loss(maml, episodes, inner_steps) * episodes.num_tasks


def cut_the_gradient(maml, episodes, inner_steps):
    adapted = maml.start(episodes.support)
    for _ in range(inner_steps):
        adapted = maml.inner_step(adapted, episodes.support)
        adapted = {name: value.detach().requires_grad_() for name, value in adapted.items()}
    return (maml.predict(adapted, episodes.query.x) - episodes.query.y).square().mean()


# --- interval -------------------------------------------------------------------------------


def mean_and_interval(scores):
    return scores.mean(), 1.96 * scores.std() / len(scores) ** 0.5


def forgot_the_root(scores):
    return scores.mean(), 1.96 * scores.std()


def divided_by_n(scores):
    return scores.mean(), 1.96 * scores.std() / len(scores)


def one_standard_error(scores):
    return scores.mean(), scores.std() / len(scores) ** 0.5


def whole_width(scores):
    return scores.mean(), 2 * 1.96 * scores.std() / len(scores) ** 0.5


def median_for_mean(scores):
    return scores.median(), 1.96 * scores.std() / len(scores) ** 0.5


def population_std(scores):
    return scores.mean(), 1.96 * scores.std(correction=0) / len(scores) ** 0.5


ANSWERS = {
    "04.inner_step": Answers(
        right=(inner_step,),
        wrong={
            forgot_create_graph: "create_graph",
            went_up: "up the hill",
            averaged_over_tasks: "averaged over tasks",
            changed_params_in_place: "in place",
            forgot_inner_lr: "left out inner_lr",
            cut_with_detach: "no history",
        },
    ),
    "04.meta_loss": Answers(
        right=(meta_loss,),
        wrong={
            scored_on_support: "support set",
            adapted_on_query: "leaked",
            always_from_theta: "one step",
            did_not_keep_the_step: "loss at θ",
            summed_over_tasks: "summed over tasks",
            cut_the_gradient: "cut off",
        },
    ),
    "04.interval": Answers(
        right=(mean_and_interval,),
        wrong={
            forgot_the_root: "left out √n",
            divided_by_n: "divided by n",
            one_standard_error: "one standard error",
            whole_width: "whole width",
            median_for_mean: "not the mean",
            population_std: "n - 1",
        },
    ),
}
