"""Notebook 10: the reference answers, and known wrong ones with what the check says to them."""

import numpy as np
import torch

from instructor.answers import Answers

# --- returns_to_go --------------------------------------------------------------------------


def _backwards(rewards, ended, discount):
    running, sums = torch.zeros_like(rewards[..., 0]), []
    for step in reversed(range(rewards.shape[-1])):
        running = rewards[..., step] + discount * running * ~ended[..., step]
        sums.append(running)
    return torch.stack(sums[::-1], -1)


def returns_to_go(rewards, ended, discount):
    sums = torch.zeros_like(rewards)
    for task, row in np.ndindex(*rewards.shape[:2]):
        for step in reversed(range(rewards.shape[2])):
            following = 0 if ended[task, row, step] else discount * sums[task, row, step + 1]
            sums[task, row, step] = rewards[task, row, step] + following
    return sums


def returns_to_go_in_numpy(rewards, ended, discount):
    rewards, going_on = rewards.double().numpy(), ~ended.numpy()
    sums, after = np.zeros_like(rewards), np.zeros(rewards.shape[:2])
    for step in reversed(range(rewards.shape[2])):
        after = rewards[:, :, step] + discount * going_on[:, :, step] * after
        sums[:, :, step] = after
    return sums


def forgot_the_ends(rewards, ended, discount):
    return _backwards(rewards, torch.zeros_like(ended), discount)


def forgot_the_discount(rewards, ended, discount):
    return _backwards(rewards, ended, 1.0)


def forgot_both(rewards, ended, discount):
    return rewards.flip(-1).cumsum(-1).flip(-1)


def summed_the_past(rewards, ended, discount):
    return rewards.cumsum(-1)


def whole_return_of_the_episode(rewards, ended, discount):
    whole = rewards.clone()
    for task, row in np.ndindex(*rewards.shape[:2]):
        begins = 0
        for end in ended[task, row].nonzero().flatten().tolist():
            whole[task, row, begins : end + 1] = rewards[task, row, begins : end + 1].sum()
            begins = end + 1
    return whole


def whole_return(rewards, ended, discount):
    return rewards.sum(-1, keepdim=True).expand_as(rewards)


def without_own_reward(rewards, ended, discount):
    return _backwards(rewards, ended, discount) - rewards


def discounted_from_the_start(rewards, ended, discount):
    powers = discount ** torch.arange(rewards.shape[-1])
    return (rewards * powers).flip(-1).cumsum(-1).flip(-1)


def cut_one_step_too_late(rewards, ended, discount):
    return _backwards(rewards, ended.roll(1, -1), discount)


def lost_the_last_reward(rewards, ended, discount):
    return _backwards(rewards, ended, discount) * ~ended


def summed_in_place(rewards, ended, discount):
    for step in reversed(range(rewards.shape[-1] - 1)):
        rewards[..., step] += discount * rewards[..., step + 1] * ~ended[..., step]
    return rewards


# --- meta_gradient --------------------------------------------------------------------------


def _objectives(log_prob, params, played):
    observations, actions, advantages = played
    return (log_prob(params, observations, actions) * advantages).mean((1, 2))


def _adapted(log_prob, theta, before, inner_lr, create_graph=True):
    start = theta.expand(len(before[0]), -1)
    total = _objectives(log_prob, start, before).sum()
    (uphill,) = torch.autograd.grad(total, start, create_graph=create_graph)
    return start + inner_lr * uphill


def meta_gradient(log_prob, theta, before, after, inner_lr):
    adapted = _adapted(log_prob, theta, before, inner_lr)
    return torch.autograd.grad(_objectives(log_prob, adapted, after).mean(), theta)[0]


def meta_gradient_by_the_chain_rule(log_prob, theta, before, after, inner_lr):
    """Each task's gradient at φ, and the Hessian of its step times that gradient."""
    start = theta.detach().expand(len(before[0]), -1).clone().requires_grad_()
    total = _objectives(log_prob, start, before).sum()
    (uphill,) = torch.autograd.grad(total, start, create_graph=True)
    adapted = (start + inner_lr * uphill).detach().requires_grad_()
    (outer,) = torch.autograd.grad(_objectives(log_prob, adapted, after).sum(), adapted)
    (curved,) = torch.autograd.grad((uphill * outer).sum(), start)
    return (outer + inner_lr * curved).double().mean(0)


def first_order(log_prob, theta, before, after, inner_lr):
    adapted = _adapted(log_prob, theta, before, inner_lr, create_graph=False)
    return torch.autograd.grad(_objectives(log_prob, adapted, after).mean(), theta)[0]


def forgot_inner_lr(log_prob, theta, before, after, inner_lr):
    return meta_gradient(log_prob, theta, before, after, 1.0)


def the_inner_gradient_alone(log_prob, theta, before, after, inner_lr):
    return torch.autograd.grad(_objectives(log_prob, theta, before).mean(), theta)[0]


def without_adapting(log_prob, theta, before, after, inner_lr):
    return torch.autograd.grad(_objectives(log_prob, theta, after).mean(), theta)[0]


def judged_on_before(log_prob, theta, before, after, inner_lr):
    return meta_gradient(log_prob, theta, before, before, inner_lr)


def stepped_downhill(log_prob, theta, before, after, inner_lr):
    return meta_gradient(log_prob, theta, before, after, -inner_lr)


def gradient_of_a_loss(log_prob, theta, before, after, inner_lr):
    return -meta_gradient(log_prob, theta, before, after, inner_lr)


def one_step_for_all(log_prob, theta, before, after, inner_lr):
    objective = _objectives(log_prob, theta, before).mean()
    (uphill,) = torch.autograd.grad(objective, theta, create_graph=True)
    adapted = theta + inner_lr * uphill
    return torch.autograd.grad(_objectives(log_prob, adapted, after).mean(), theta)[0]


def averaged_the_inner_step(log_prob, theta, before, after, inner_lr):
    return meta_gradient(log_prob, theta, before, after, inner_lr / len(before[0]))


def summed_over_tasks(log_prob, theta, before, after, inner_lr):
    return len(before[0]) * meta_gradient(log_prob, theta, before, after, inner_lr)


# --- bounded_step ---------------------------------------------------------------------------


def _norms(moves):
    return sum(value.square().flatten(1).sum(1) for value in moves.values()).sqrt()


def _scaled(moves, factor, standing):
    """``factor`` times each task's move; tasks where ``standing`` is true stay where they are."""
    factor, standing = factor[:, None, None], standing[:, None, None]
    return {
        name: torch.where(standing, torch.zeros_like(value), factor * value)
        for name, value in moves.items()
    }


def bounded_step(gradient, inner_lr, max_step):
    moves = {name: inner_lr * value for name, value in gradient.items()}
    norms = _norms(moves)
    return _scaled(moves, (max_step / norms.clamp(min=1e-12)).clamp(max=1), ~norms.isfinite())


def bounded_in_numpy(gradient, inner_lr, max_step):
    gradient = {name: value.double().numpy() for name, value in gradient.items()}
    moves = {name: np.zeros_like(value) for name, value in gradient.items()}
    for task in range(len(next(iter(moves.values())))):
        length = inner_lr * np.sqrt(sum((g[task] ** 2).sum() for g in gradient.values()))
        if np.isfinite(length):
            for name, value in gradient.items():
                moves[name][task] = value[task] * inner_lr * max_step / max(length, max_step)
    return moves


def not_bounded(gradient, inner_lr, max_step):
    moves = {name: inner_lr * value for name, value in gradient.items()}
    norms = _norms(moves)
    return _scaled(moves, torch.ones_like(norms), ~norms.isfinite())


def one_norm_for_all(gradient, inner_lr, max_step):
    moves = {name: inner_lr * value for name, value in gradient.items()}
    broken = ~_norms(moves).isfinite()
    moves = _scaled(moves, torch.ones(len(broken)), broken)
    whole = _norms(moves).square().sum().sqrt()
    return _scaled(moves, (max_step / whole).clamp(max=1).expand(len(broken)), broken)


def each_tensor_by_itself(gradient, inner_lr, max_step):
    bounded = {}
    for name, value in gradient.items():
        norms = (inner_lr * value).flatten(1).norm(dim=1)
        factor = (max_step / norms.clamp(min=1e-12)).clamp(max=1)[:, None, None]
        bounded[name] = (factor * inner_lr * value).nan_to_num(0)
    return bounded


def all_equally_long(gradient, inner_lr, max_step):
    moves = {name: inner_lr * value for name, value in gradient.items()}
    norms = _norms(moves)
    return _scaled(moves, max_step / norms.clamp(min=1e-12), ~norms.isfinite())


def bounded_the_gradient(gradient, inner_lr, max_step):
    norms = _norms(gradient)
    factor = inner_lr * (max_step / norms.clamp(min=1e-12)).clamp(max=1)
    return _scaled(gradient, factor, ~norms.isfinite())


def clamped_the_numbers(gradient, inner_lr, max_step):
    return {
        name: (inner_lr * value).clamp(-max_step, max_step).nan_to_num(0)
        for name, value in gradient.items()
    }


def divided_by_zero(gradient, inner_lr, max_step):
    moves = {name: inner_lr * value for name, value in gradient.items()}
    norms = _norms(moves)
    return _scaled(moves, max_step / norms * (norms / norms.clamp(max=1)), ~(norms < torch.inf))


def moved_along_nan(gradient, inner_lr, max_step):
    moves = {name: inner_lr * value for name, value in gradient.items()}
    factor = (max_step / _norms(moves).clamp(min=1e-12)).clamp(max=1)
    return {name: factor[:, None, None] * value for name, value in moves.items()}


def stopped_everybody(gradient, inner_lr, max_step):
    if all(value.isfinite().all() for value in gradient.values()):
        return bounded_step(gradient, inner_lr, max_step)
    return {name: torch.zeros_like(value) for name, value in gradient.items()}


def dropped_the_long_ones(gradient, inner_lr, max_step):
    moves = {name: inner_lr * value for name, value in gradient.items()}
    norms = _norms(moves)
    return _scaled(moves, torch.ones_like(norms), ~(norms <= max_step))


def trusted_the_rest(gradient, inner_lr, max_step):
    whole = {name: value.nan_to_num(0) for name, value in gradient.items()}
    return bounded_step(whole, inner_lr, max_step)


ANSWERS = {
    "10.returns_to_go": Answers(
        right=(returns_to_go, returns_to_go_in_numpy),
        wrong={
            forgot_the_ends: "next episode leak",
            forgot_the_discount: "left out the discount",
            forgot_both: "Neither the discount",
            summed_the_past: "added up the past",
            whole_return_of_the_episode: "its episode's whole return",
            whole_return: "whole return of its row",
            without_own_reward: "reward of the step itself",
            discounted_from_the_start: "discounted from the first step",
            cut_one_step_too_late: "one step too late",
            lost_the_last_reward: "cut after it",
            summed_in_place: "in place",
        },
        equal={
            "returns_to_go: line 3: rewards -> ended": "both have one shape",
            "returns_to_go_in_numpy: line 4: rewards -> ended": "both have one shape",
        },
    ),
    "10.meta_gradient": Answers(
        right=(meta_gradient, meta_gradient_by_the_chain_rule),
        wrong={
            first_order: "create_graph",
            forgot_inner_lr: "left out inner_lr",
            the_inner_gradient_alone: "inner gradient alone",
            without_adapting: "joint training",
            judged_on_before: "the trajectories it learned from",
            stepped_downhill: "went downhill",
            gradient_of_a_loss: "sign is wrong",
            one_step_for_all: "one and the same step",
            averaged_the_inner_step: "inner step is too short",
            summed_over_tasks: "summed over tasks",
        },
        equal={
            f"{name}: line 3: 0 -> {part}": "each part of `before` has the tasks first"
            for name, part in (
                ("meta_gradient", -1),
                ("meta_gradient_by_the_chain_rule", 1),
                ("meta_gradient_by_the_chain_rule", -1),
            )
        },
    ),
    "10.bounded_step": Answers(
        right=(bounded_step, bounded_in_numpy),
        wrong={
            not_bounded: "Nothing is bounded",
            one_norm_for_all: "one norm over all tasks",
            each_tensor_by_itself: "each tensor by itself",
            all_equally_long: "short moves longer",
            bounded_the_gradient: "bounded the gradient, not the move",
            clamped_the_numbers: "clamped each number",
            divided_by_zero: "divided by 0",
            moved_along_nan: "moved along it",
            stopped_everybody: "Nobody moved",
            dropped_the_long_ones: "dropped the moves",
            trusted_the_rest: "Trust none of it",
        },
        equal={
            "bounded_step: line 4: 1e-12 -> 5e-13": "it only keeps a norm of 0 from dividing",
        },
    ),
}
