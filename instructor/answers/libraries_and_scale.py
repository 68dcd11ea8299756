"""Notebook 16: the reference answers, and known wrong ones with what the check says to them."""

import torch
from torch.nn import functional as F

from instructor.answers import Answers

# --- same_gradient --------------------------------------------------------------------------


def same_gradient(maml, tasks, loss, inner_steps):
    total = 0
    for x, y, query_x, query_y in tasks:
        clone = maml.clone()
        for _ in range(inner_steps):
            clone.adapt(loss(clone(x), y))
        total = total + loss(clone(query_x), query_y)
    params = list(maml.parameters())
    gradients = torch.autograd.grad(total / len(tasks), params, allow_unused=True)
    return [
        torch.zeros_like(value) if gradient is None else gradient
        for value, gradient in zip(params, gradients, strict=True)
    ]


def by_backward_in_double(maml, tasks, loss, inner_steps):
    """Task by task, so that no graph outlives its task; the sums in double precision."""
    params = list(maml.parameters())
    sums = [value.detach().double() * 0 for value in params]
    for x, y, query_x, query_y in tasks:
        for value in params:
            value.grad = None
        clone = maml.clone()
        steps_left = inner_steps
        while steps_left > 0:
            clone.adapt(loss(clone(x), y))
            steps_left -= 1
        loss(clone(query_x), query_y).backward()
        for place, value in enumerate(params):
            if value.grad is not None:
                sums[place] += value.grad
    return [sum_ / len(tasks) for sum_ in sums]


def _clones(maml, tasks, loss, inner_steps):
    for x, y, query_x, query_y in tasks:
        clone = maml.clone()
        for _ in range(inner_steps):
            clone.adapt(loss(clone(x), y))
        yield clone, loss(clone(query_x), query_y)


def _zeros_for_none(gradients, params):
    pairs = zip(gradients, params, strict=True)
    return [torch.zeros_like(v) if g is None else g for g, v in pairs]


def summed(maml, tasks, loss, inner_steps):
    return [len(tasks) * part for part in same_gradient(maml, tasks, loss, inner_steps)]


def on_top_of_what_was_there(maml, tasks, loss, inner_steps):
    losses = [found for _, found in _clones(maml, tasks, loss, inner_steps)]
    torch.stack(losses).mean().backward()
    return [value.grad for value in maml.parameters()]


def divided_what_was_there_too(maml, tasks, loss, inner_steps):
    """learn2learn's own examples do so, where an optimizer has set the gradients to zero."""
    for _, found in _clones(maml, tasks, loss, inner_steps):
        found.backward()
    return [value.grad / len(tasks) for value in maml.parameters()]


def one_clone_for_all(maml, tasks, loss, inner_steps):
    clone, total = maml.clone(), 0
    for x, y, query_x, query_y in tasks:
        for _ in range(inner_steps):
            clone.adapt(loss(clone(x), y))
        total = total + loss(clone(query_x), query_y)
    params = list(maml.parameters())
    found = torch.autograd.grad(total / len(tasks), params, allow_unused=True)
    return _zeros_for_none(found, params)


def a_clone_for_each_step(maml, tasks, loss, inner_steps):
    total = 0
    for x, y, query_x, query_y in tasks:
        clone = maml.clone()
        for _ in range(inner_steps):
            clone = maml.clone()
            clone.adapt(loss(clone(x), y))
        total = total + loss(clone(query_x), query_y)
    params = list(maml.parameters())
    found = torch.autograd.grad(total / len(tasks), params, allow_unused=True)
    return _zeros_for_none(found, params)


def adapted_maml_itself(maml, tasks, loss, inner_steps):
    params, total = list(maml.parameters()), 0
    for x, y, query_x, query_y in tasks:
        for _ in range(inner_steps):
            maml.adapt(loss(maml(x), y))
        total = total + loss(maml(query_x), query_y)
    found = torch.autograd.grad(total / len(tasks), params, allow_unused=True)
    return _zeros_for_none(found, params)


def of_the_clones(maml, tasks, loss, inner_steps):
    total = [0 for _ in maml.parameters()]
    for clone, found in _clones(maml, tasks, loss, inner_steps):
        params = list(clone.parameters())
        gradient = _zeros_for_none(torch.autograd.grad(found, params, allow_unused=True), params)
        total = [sum_ + part / len(tasks) for sum_, part in zip(total, gradient, strict=True)]
    return total


def judged_on_the_support(maml, tasks, loss, inner_steps):
    halves = [(x, y, x, y) for x, y, _, _ in tasks]
    return same_gradient(maml, halves, loss, inner_steps)


def adapted_on_the_query(maml, tasks, loss, inner_steps):
    halves = [(x, y, x, y) for _, _, x, y in tasks]
    return same_gradient(maml, halves, loss, inner_steps)


def swapped(maml, tasks, loss, inner_steps):
    halves = [(query_x, query_y, x, y) for x, y, query_x, query_y in tasks]
    return same_gradient(maml, halves, loss, inner_steps)


def judged_before_adapting(maml, tasks, loss, inner_steps):
    return same_gradient(maml, tasks, loss, 0)


def always_one_step(maml, tasks, loss, inner_steps):
    return same_gradient(maml, tasks, loss, 1)


def the_last_task_only(maml, tasks, loss, inner_steps):
    return same_gradient(maml, tasks[-1:], loss, inner_steps)


def large_tasks_count_more(maml, tasks, loss, inner_steps):
    total = 0
    for (_, found), task in zip(_clones(maml, tasks, loss, inner_steps), tasks, strict=True):
        total = total + len(task[2]) * found
    params = list(maml.parameters())
    total = total / sum(len(task[2]) for task in tasks)
    return _zeros_for_none(torch.autograd.grad(total, params, allow_unused=True), params)


def always_the_squared_error(maml, tasks, loss, inner_steps):
    return same_gradient(maml, tasks, F.mse_loss, inner_steps)


def y_before_the_predictions(maml, tasks, loss, inner_steps):
    return same_gradient(maml, tasks, lambda predicted, y: loss(y, predicted), inner_steps)


def left_none_in(maml, tasks, loss, inner_steps):
    losses = [found for _, found in _clones(maml, tasks, loss, inner_steps)]
    params = list(maml.parameters())
    return list(torch.autograd.grad(torch.stack(losses).mean(), params, allow_unused=True))


def the_loss_alone(maml, tasks, loss, inner_steps):
    losses = [found for _, found in _clones(maml, tasks, loss, inner_steps)]
    return torch.stack(losses).mean()


START = "a number added to the loss has no gradient"
ZIP = "there is one gradient for each parameter, so the two lengths are always equal"

ANSWERS = {
    "16.same_gradient": Answers(
        right=(same_gradient, by_backward_in_double),
        wrong={
            summed: "summed over tasks",
            on_top_of_what_was_there: "earlier batch's gradients",
            divided_what_was_there_too: "earlier batch's gradients",
            one_clone_for_all: "One clone went from task to task",
            a_clone_for_each_step: "what one inner step gives",
            adapted_maml_itself: "maml itself was changed",
            of_the_clones: "first-order MAML",
            judged_on_the_support: "judged on the support",
            adapted_on_the_query: "leaked",
            swapped: "swapped",
            judged_before_adapting: "before any step",
            always_one_step: "what one inner step gives",
            the_last_task_only: "last task's gradient alone",
            large_tasks_count_more: "Tasks with more query points count more",
            always_the_squared_error: "squared error",
            y_before_the_predictions: "arguments of loss are swapped",
            left_none_in: "is None",
            the_loss_alone: "one gradient for each",
        },
        equal={
            "same_gradient: line 2: 0 -> 1": START,
            "same_gradient: line 2: 0 -> -1": START,
            "same_gradient: line 12: zip(params, gradients, strict=True) -> "
            "zip(params, gradients)": ZIP,
            "same_gradient: line 12: True -> False": ZIP,
        },
    ),
}
