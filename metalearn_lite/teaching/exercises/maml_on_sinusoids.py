"""Hints and checks for notebook 04. Each answer is compared with the package's own learner."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.teaching.comparing import refuse, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

INNER_LR = 0.1  # long enough for second-order terms to show


def _example(inner_steps: int = 1) -> tuple[MAML, Episodes]:
    generator = torch.Generator().manual_seed(4)
    network = MLP(1, 8, 1)
    maml = MAML(network, network.init(generator), INNER_LR, inner_steps)
    return maml, Sinusoids().sample(3, 5, 6, generator)


def check_inner_step(inner_step: Callable) -> None:
    maml, episodes = _example()
    support = episodes.support
    start = {name: value.detach().clone() for name, value in maml.start(support).items()}
    params = {name: value.clone().requires_grad_() for name, value in start.items()}
    stepped = attempted(inner_step(maml.predict, params, support.x, support.y, INNER_LR))

    if not isinstance(stepped, dict) or stepped.keys() != params.keys():
        raise Mistake("Return a new dict with the same names as params.")
    if not same(params, start):
        raise Mistake("You changed params in place: the next task would not start from θ.")
    expected = maml.inner_step(params, support)
    moves = {name: expected[name] - params[name] for name in params}
    if same(stepped, {name: params[name] - moves[name] for name in params}):
        raise Mistake("You went up the hill: the loss grows along +gradient, so subtract it.")
    num_tasks = episodes.num_tasks
    if same(stepped, {name: params[name] + moves[name] / num_tasks for name in params}):
        raise Mistake(
            f"Your step is {num_tasks} times too short: you averaged over tasks. Average over a "
            "task's examples, then sum over tasks, so that each task's step is its own."
        )
    if same(stepped, {name: params[name] + moves[name] / INNER_LR for name in params}):
        raise Mistake("You left out inner_lr: the step is the gradient times the inner rate.")
    if not same(stepped, expected):
        raise Mistake("The stepped parameters differ from θ - α ∇loss. Print one of each.")
    _check_graph(params, stepped, expected)


def _check_graph(params: dict, stepped: dict, expected: dict) -> None:
    """The meta-gradient must flow through the step, its Hessian term included."""
    if not any(value.requires_grad for value in stepped.values()):
        raise Mistake("The result has no history: detach() or .data cut the meta-gradient off.")

    def gradient_through(result: dict) -> list[torch.Tensor]:
        total = sum(value.square().sum() for value in result.values())
        return torch.autograd.grad(total, list(params.values()), retain_graph=True)

    pairs = zip(gradient_through(stepped), gradient_through(expected), strict=True)
    if not all(same(*pair) for pair in pairs):
        raise Mistake(
            "The values are right, but the gradient through them is not: the inner gradient was "
            "treated as a constant. Give torch.autograd.grad create_graph=True."
        )


def check_meta_loss(meta_loss: Callable) -> None:
    maml, episodes = _example(inner_steps=3)
    result = attempted(meta_loss(maml, episodes, 3))
    if not isinstance(result, torch.Tensor) or result.dim() != 0:
        raise Mistake("Return one number as a tensor: average over examples, then over tasks.")

    def loss(steps: int, learn_on, judge_on) -> torch.Tensor:
        return task_losses(maml.predict(maml.adapt(learn_on, steps), judge_on.x), judge_on.y)

    support, query = episodes
    expected = loss(3, support, query)
    if same(result, loss(3, support, support).mean()):
        raise Mistake("You scored on the support set. A learner is judged on what it has not seen.")
    if same(result, loss(3, query, query).mean()):
        raise Mistake("You adapted on the query: the answers leaked into the learning.")
    if same(result, loss(1, support, query).mean()):
        raise Mistake("You took one step; take inner_steps, each from where the last one ended.")
    if same(result, loss(0, support, query).mean()):
        raise Mistake("This is the loss at θ: nothing was adapted, or the result was not kept.")
    if same(result, expected.sum()):
        raise Mistake("You summed over tasks. Average, or the loss grows with num_tasks.")
    if not same(result, expected.mean()):
        raise Mistake("The number differs from the mean query loss after inner_steps steps.")
    values = list(maml.params.values())
    mine = torch.autograd.grad(result, values, allow_unused=True) if result.requires_grad else None
    theirs = torch.autograd.grad(expected.mean(), values)
    if mine is None or any(a is None or not same(a, b) for a, b in zip(mine, theirs, strict=True)):
        raise Mistake("The value is right, but its gradient with respect to θ is cut off.")


def check_interval(mean_and_interval: Callable) -> None:
    scores = torch.tensor([0.2, 0.4, 0.1, 0.9, 0.4, 0.3, 0.8, 0.5, 0.6])
    mean, half_width = attempted(mean_and_interval(scores))
    mean, half_width = float(mean), float(half_width)
    n, std = len(scores), scores.std().item()
    if not math.isclose(mean, scores.mean().item(), rel_tol=1e-4):
        raise Mistake("The first number is not the mean of the scores.")
    mistakes = {
        1.96 * std: "You left out √n: more tasks must make the interval narrower.",
        1.96 * std / n: "You divided by n. The error of a mean shrinks with √n only.",
        std / math.sqrt(n): "This is one standard error. 95 % takes 1.96 of them.",
        2 * 1.96 * std / math.sqrt(n): "This is the whole width; ± asks for half of it.",
        1.96 * scores.std(correction=0).item() / math.sqrt(n): (
            "Divide the squares by n - 1: the mean was estimated from the same scores. "
            "That is scores.std() as it is."
        ),
    }
    refuse(half_width, mistakes.items(), atol=0)
    if not math.isclose(half_width, 1.96 * std / math.sqrt(n), rel_tol=1e-2):
        raise Mistake("The half-width is not 1.96 standard errors of the mean.")


EXERCISES = {
    "inner_step": Exercise(
        hints=(
            "Three lines: the prediction, each task's mean squared error, its gradient.",
            "torch.autograd.grad(loss, list(params.values()), …) gives one gradient per "
            "parameter, in order. loss must be one number: sum the tasks' losses.",
            "The gradient must stay a function of params, or the outer loop cannot "
            "differentiate it: create_graph=True. Build the new dict with zip.",
        ),
        check=check_inner_step,
        praise="Your step is θ - α ∇loss, and the meta-gradient flows through it.",
    ),
    "meta_loss": Exercise(
        hints=(
            "Adapt on one half of each task, judge on the other.",
            "Begin with maml.start(episodes.support), then call maml.inner_step "
            "inner_steps times, each time on the result of the last.",
            "Predict with maml.predict(adapted, episodes.query.x) and average the squared "
            "difference to episodes.query.y over everything.",
        ),
        check=check_meta_loss,
        praise="Your meta-loss and its gradient equal the package's.",
    ),
    "interval": Exercise(
        hints=(
            "How far would the mean move if you drew other tasks?",
            "The standard error of a mean is the standard deviation over √n.",
            "95 % of a normal distribution lies within 1.96 standard deviations.",
        ),
        check=check_interval,
        praise="Mean and 95 % interval, as in every table of this course.",
    ),
}
