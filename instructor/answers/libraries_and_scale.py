"""Notebook 16: the reference answers, and known wrong ones with what the check says to them."""

from itertools import pairwise

import numpy as np
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


def a_loss_of_maml_itself(maml, tasks, loss, inner_steps):
    total = 0
    for x, y, query_x, query_y in tasks:
        clone = maml.clone()
        for _ in range(inner_steps):
            clone.adapt(loss(maml(x), y))
        total = total + loss(clone(query_x), query_y)
    params = list(maml.parameters())
    found = torch.autograd.grad(total / len(tasks), params, allow_unused=True)
    return _zeros_for_none(found, params)


def one_loss_for_all_steps(maml, tasks, loss, inner_steps):
    total = 0
    for x, y, query_x, query_y in tasks:
        clone = maml.clone()
        found = loss(clone(x), y)
        for _ in range(inner_steps):
            clone.adapt(found)
        total = total + loss(clone(query_x), query_y)
    params = list(maml.parameters())
    found = torch.autograd.grad(total / len(tasks), params, allow_unused=True)
    return _zeros_for_none(found, params)


def summed_as_numbers(maml, tasks, loss, inner_steps):
    total = 0
    for _, found in _clones(maml, tasks, loss, inner_steps):
        total += found.item()
    (total / len(tasks)).backward()
    return [value.grad for value in maml.parameters()]


def numbers_made_a_tensor(maml, tasks, loss, inner_steps):
    losses = [found.item() for _, found in _clones(maml, tasks, loss, inner_steps)]
    params = list(maml.parameters())
    return list(torch.autograd.grad(torch.tensor(losses).mean(), params, allow_unused=True))


def left_none_in(maml, tasks, loss, inner_steps):
    losses = [found for _, found in _clones(maml, tasks, loss, inner_steps)]
    params = list(maml.parameters())
    return list(torch.autograd.grad(torch.stack(losses).mean(), params, allow_unused=True))


def the_loss_alone(maml, tasks, loss, inner_steps):
    losses = [found for _, found in _clones(maml, tasks, loss, inner_steps)]
    return torch.stack(losses).mean()


START = "a number added to the loss has no gradient"
ZIP = "there is one gradient for each parameter, so the two lengths are always equal"


# --- share_out ------------------------------------------------------------------------------


def share_out(num_tasks, num_workers):
    each, more = divmod(num_tasks, num_workers)
    shares, start = [], 0
    for worker in range(num_workers):
        stop = start + each + (1 if worker < more else 0)
        shares.append((start, stop, (stop - start) / num_tasks))
        start = stop
    return shares


def in_numpy(num_tasks, num_workers):
    sizes = np.array([len(part) for part in np.array_split(np.arange(num_tasks), num_workers)])
    stops = np.cumsum(sizes)
    return np.stack([stops - sizes, stops, sizes / num_tasks], axis=1)


def rest_forgotten(num_tasks, num_workers):
    each = num_tasks // num_workers
    return [(w * each, (w + 1) * each, each / num_tasks) for w in range(num_workers)]


def rest_to_the_last(num_tasks, num_workers):
    each = num_tasks // num_workers
    cuts = [w * each for w in range(num_workers)] + [num_tasks]
    return [(a, b, (b - a) / num_tasks) for a, b in pairwise(cuts)]


def in_chunks(num_tasks, num_workers):
    each = -(-num_tasks // num_workers)
    cuts = [min(w * each, num_tasks) for w in range(num_workers + 1)]
    return [(a, b, (b - a) / num_tasks) for a, b in pairwise(cuts)]


def smaller_first(num_tasks, num_workers):
    cuts = [w * num_tasks // num_workers for w in range(num_workers + 1)]
    return [(a, b, (b - a) / num_tasks) for a, b in pairwise(cuts)]


def alike(num_tasks, num_workers):
    return [(a, b, 1 / num_workers) for a, b, _ in share_out(num_tasks, num_workers)]


def alike_if_busy(num_tasks, num_workers):
    busy = min(num_tasks, num_workers)
    return [(a, b, (b > a) / busy) for a, b, _ in share_out(num_tasks, num_workers)]


def by_size(num_tasks, num_workers):
    return [(a, b, float(b - a)) for a, b, _ in share_out(num_tasks, num_workers)]


def ones(num_tasks, num_workers):
    return [(a, b, 1.0) for a, b, _ in share_out(num_tasks, num_workers)]


def per_task(num_tasks, num_workers):
    return [(a, b, 1 / num_tasks) for a, b, _ in share_out(num_tasks, num_workers)]


def by_the_largest(num_tasks, num_workers):
    shares = share_out(num_tasks, num_workers)
    most = max(b - a for a, b, _ in shares)
    return [(a, b, (b - a) / most) for a, b, _ in shares]


def divided_twice(num_tasks, num_workers):
    shares = share_out(num_tasks, num_workers)
    return [(a, b, 1 / (b - a) if b > a else 0.0) for a, b, _ in shares]


def idle_left_out(num_tasks, num_workers):
    return [share for share in share_out(num_tasks, num_workers) if share[1] > share[0]]


def nan_for_the_idle(num_tasks, num_workers):
    shares = share_out(num_tasks, num_workers)
    return [(a, b, weight if b > a else float("nan")) for a, b, weight in shares]


def counted_from_one(num_tasks, num_workers):
    return [(a + 1, b, weight) for a, b, weight in share_out(num_tasks, num_workers)]


def with_the_stop(num_tasks, num_workers):
    return [(a, b - 1, weight) for a, b, weight in share_out(num_tasks, num_workers)]


def cut_in_two(num_tasks, num_workers):
    each = num_tasks / num_workers
    return [(w * each, (w + 1) * each, 1 / num_workers) for w in range(num_workers)]


def everything_each(num_tasks, num_workers):
    return [(0, num_tasks, 1 / num_workers)] * num_workers


# --- split_classes --------------------------------------------------------------------------


def split_classes(groups, num_ways, generator):
    names = list(dict.fromkeys(groups))
    parts = [[], [], []]
    part = 0
    for place in torch.randperm(len(names), generator=generator).tolist():
        if part < 2 and len(parts[part]) >= num_ways:
            part += 1
        parts[part] += [number for number, group in enumerate(groups) if group == names[place]]
    if min(len(found) for found in parts) < num_ways:
        raise ValueError(f"too few classes for {num_ways} ways in each part")
    return parts[2], parts[1], parts[0]


def split_in_numpy(groups, num_ways, generator):
    named = {}
    owner = np.array([named.setdefault(group, len(named)) for group in groups])
    order = torch.randperm(len(named), generator=generator).numpy()
    reached = np.cumsum(np.bincount(owner)[order])
    tested = int(np.searchsorted(reached, num_ways)) + 1
    if tested >= len(order):
        raise ValueError("meta-test takes all groups: choose fewer ways")
    chosen = int(np.searchsorted(reached, reached[tested - 1] + num_ways)) + 1
    if chosen >= len(order) or len(groups) - reached[chosen - 1] < num_ways:
        raise ValueError("too few classes are left: choose fewer ways")
    ends = np.split(order, [tested, chosen])
    test, validation, train = (np.flatnonzero(np.isin(owner, taken)) for taken in ends)
    return train, validation, test


def classes_shuffled(groups, num_ways, generator):
    order = torch.randperm(len(groups), generator=generator).tolist()
    if len(order) < 3 * num_ways:
        raise ValueError("too few")
    return order[2 * num_ways :], order[num_ways : 2 * num_ways], order[:num_ways]


def _filled(groups, num_ways, order, full):
    parts = [[], [], []]
    part = 0
    for name in order:
        if part < 2 and full(len(parts[part])):
            part += 1
        parts[part] += [number for number, group in enumerate(groups) if group == name]
    if min(map(len, parts)) < num_ways:
        raise ValueError("too few")
    return parts


def _drawn(names, generator):
    return [names[place] for place in torch.randperm(len(names), generator=generator).tolist()]


def not_shuffled(groups, num_ways, generator):
    names = list(dict.fromkeys(groups))
    return tuple(reversed(_filled(groups, num_ways, names, lambda size: size >= num_ways)))


def alphabetical(groups, num_ways, generator):
    order = _drawn(sorted(set(groups)), generator)
    return tuple(reversed(_filled(groups, num_ways, order, lambda size: size >= num_ways)))


def one_more_than_needed(groups, num_ways, generator):
    order = _drawn(list(dict.fromkeys(groups)), generator)
    parts = [[], [], []]
    part = 0
    for name in order:
        if part < 2 and len(parts[part]) > num_ways:
            part += 1
        parts[part] += [number for number, group in enumerate(groups) if group == name]
    return parts[2], parts[1], parts[0]


def training_first(groups, num_ways, generator):
    order = _drawn(list(dict.fromkeys(groups)), generator)
    return tuple(_filled(groups, num_ways, order, lambda size: size >= num_ways))


def test_in_front(groups, num_ways, generator):
    train, validation, test = split_classes(groups, num_ways, generator)
    return test, train, validation


def never_refuses(groups, num_ways, generator):
    names = list(dict.fromkeys(groups))
    parts = [[], [], []]
    part = 0
    for name in _drawn(names, generator):
        if part < 2 and len(parts[part]) >= num_ways:
            part += 1
        parts[part] += [number for number, group in enumerate(groups) if group == name]
    return parts[2], parts[1], parts[0]


def refuses_without_a_word(groups, num_ways, generator):
    try:
        return split_classes(groups, num_ways, generator)
    except ValueError:
        raise ValueError("no") from None


def validation_in_front(groups, num_ways, generator):
    train, validation, test = split_classes(groups, num_ways, generator)
    return train, test, validation


def refuses_exactly_enough(groups, num_ways, generator):
    parts = split_classes(groups, num_ways, generator)
    if min(map(len, parts)) <= num_ways:
        raise ValueError("too few classes")
    return parts


def names_of_groups(groups, num_ways, generator):
    parts = split_classes([str(group) for group in groups], num_ways, generator)
    return tuple([str(groups[number]) for number in part] for part in parts)


def any_generator(groups, num_ways, generator):
    drawn_by_chance = torch.Generator()
    drawn_by_chance.seed()
    return split_classes(groups, num_ways, drawn_by_chance)


def cut_to_size(groups, num_ways, generator):
    train, validation, test = split_classes(groups, num_ways, generator)
    return train, validation[:num_ways], test[:num_ways]


def tested_twice(groups, num_ways, generator):
    train, validation, test = split_classes(groups, num_ways, generator)
    return train + test, validation, test


def groups_counted(groups, num_ways, generator):
    order = _drawn(list(dict.fromkeys(groups)), generator)
    test, validation, train = (
        order[:num_ways],
        order[num_ways : 2 * num_ways],
        order[2 * num_ways :],
    )
    return tuple(
        [number for number, group in enumerate(groups) if group in part]
        for part in (train, validation, test)
    )


def runs_of_neighbours(groups, num_ways, generator):
    runs = [0]
    for before, group in pairwise(groups):
        runs.append(runs[-1] + (group != before))
    return split_classes(runs, num_ways, generator)


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
            a_loss_of_maml_itself: "must come from this clone, as it is now",
            one_loss_for_all_steps: "must come from this clone, as it is now",
            summed_as_numbers: "Keep the losses as tensors",
            numbers_made_a_tensor: "Keep the losses as tensors",
        },
        equal={
            "same_gradient: line 2: 0 -> 1": START,
            "same_gradient: line 2: 0 -> -1": START,
            "same_gradient: line 12: zip(params, gradients, strict=True) -> "
            "zip(params, gradients)": ZIP,
            "same_gradient: line 12: True -> False": ZIP,
        },
    ),
    "16.share_out": Answers(
        right=(share_out, in_numpy),
        wrong={
            rest_forgotten: "is computed by nobody",
            rest_to_the_last: "All wait for the slowest",
            in_chunks: "All wait for the slowest",
            smaller_first: "the larger shares do not come first",
            alike: "Every worker's mean counts alike here",
            alike_if_busy: "Every worker's mean counts alike here",
            by_size: "Your weights make it the *sum* over tasks",
            ones: "With weights of 1 more workers make a longer gradient",
            per_task: "if a worker gave the *sum* over its tasks",
            by_the_largest: "You measure a share by the largest one",
            divided_twice: "This divides by the share's size once more",
            idle_left_out: "every worker needs one, even one without a task",
            nan_for_the_idle: "What does a worker without a task add to the sum?",
            counted_from_one: "Tasks are counted from 0",
            with_the_stop: "`stop` is exclusive, as in a slice",
            cut_in_two: "A task cannot be cut in two",
            everything_each: "is computed more than once",
        },
    ),
    "16.split_classes": Answers(
        right=(split_classes, split_in_numpy),
        wrong={
            classes_shuffled: "shuffled classes, not groups",
            not_shuffled: "in the order in which they first appear",
            alphabetical: "in alphabetical order",
            one_more_than_needed: "go on when they already have",
            training_first: "fill meta-training first",
            test_in_front: "come in the wrong order",
            never_refuses: "raises no ValueError",
            refuses_without_a_word: "That helps nobody",
            validation_in_front: "Or you return the parts in another order",
            refuses_exactly_enough: "With exactly `num_ways` classes",
            names_of_groups: "hold names of groups",
            any_generator: "gives another split the next time",
            cut_to_size: "cut a part down",
            tested_twice: "A class is in two parts",
            groups_counted: "You count groups",
            runs_of_neighbours: "torn apart",
        },
        equal={
            "split_in_numpy: line 7: tested >= len(order) -> tested > len(order)": "where "
            "meta-test takes all groups, too few are left for the others, which the next lines see",
            "split_in_numpy: line 10: chosen >= len(order) -> chosen > len(order)": "where no "
            "group is left, no class is, which the other half of the line sees",
        },
    ),
}
