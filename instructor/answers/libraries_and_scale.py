"""Notebook 16: the reference answers, and known wrong ones with what the check says to them."""

from itertools import pairwise

import numpy as np

from instructor.answers import Answers

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


ANSWERS = {
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
            with_the_stop: "is computed by nobody",
            cut_in_two: "A task cannot be cut in two",
            everything_each: "is computed more than once",
        },
    ),
}
