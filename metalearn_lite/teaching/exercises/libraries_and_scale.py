"""Hints, checks and stand-ins for notebook 16."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from metalearn_lite.distributed import share_of
from metalearn_lite.teaching.comparing import kind_of, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

__all__ = ["EXERCISES", "share_out"]


def share_out(num_tasks: int, num_workers: int) -> list[tuple[int, int, float]]:
    """Each worker's own tasks, from ``start`` up to ``stop``, and what its mean gradient counts."""
    shares = [share_of(num_tasks, place, num_workers) for place in range(num_workers)]
    return [(own.start, own.stop, (own.stop - own.start) / num_tasks) for own in shares]


# --- share_out


def _triples(result: Any, num_workers: int) -> list[tuple[int, int, float]]:
    """What came back, as a row of three plain numbers for each worker."""
    rows = result.tolist() if hasattr(result, "tolist") else result
    if not isinstance(rows, Sequence):
        raise Mistake(f"Return a list with (start, stop, weight) per worker; got {kind_of(rows)}.")
    rows = [row.tolist() if hasattr(row, "tolist") else row for row in rows]
    if any(not isinstance(row, Sequence) or len(row) != 3 for row in rows):
        raise Mistake("Each worker's entry has three numbers: start, stop and weight.")
    if len(rows) != num_workers:
        raise Mistake(
            f"There are {num_workers} worker(s), but {len(rows)} entries: every worker needs one, "
            "even one without a task."
        )
    rows = [[one.item() if hasattr(one, "item") else one for one in row] for row in rows]
    if any(not isinstance(one, int | float) or one != one for row in rows for one in row):
        raise Mistake("An entry is no number. What does a worker without a task add to the sum?")
    if any(start != int(start) or stop != int(stop) for start, stop, _ in rows):
        raise Mistake("A task cannot be cut in two: start and stop are whole numbers.")
    return [(int(start), int(stop), float(weight)) for start, stop, weight in rows]


def check_share_out(share: Callable) -> None:
    for num_tasks, num_workers in (
        (8, 3), (6, 2), (1, 1), (7, 2), (25, 4), (10, 4), (3, 5), (1, 4), (64, 64), (5, 1),
        (100, 7), (9, 8),
    ):  # fmt: skip
        case = f"With {num_tasks} task(s) and {num_workers} worker(s)"
        rows = _triples(attempted(share(num_tasks, num_workers)), num_workers)
        right = share_out(num_tasks, num_workers)
        sizes = [stop - start for start, stop, _ in rows]
        if any(size < 0 for size in sizes):
            raise Mistake(f"{case} a share stops before it starts.")
        if any(start < 0 or stop > num_tasks for start, stop, _ in rows):
            raise Mistake(f"{case} a share reaches beyond the batch.")
        if [(a - 1, b) for a, b, _ in rows] == [(a, b) for a, b, _ in right]:
            raise Mistake("Tasks are counted from 0, as in a slice of Python.")
        counts = [sum(a <= task < b for a, b, _ in rows) for task in range(num_tasks)]
        if 0 in counts:
            raise Mistake(
                f"{case} task {counts.index(0)} is computed by nobody: what is left over after "
                "dividing evenly has to go somewhere."
            )
        if max(counts) > 1:
            raise Mistake(f"{case} task {counts.index(max(counts))} is computed more than once.")
        if max(sizes) - min(sizes) > 1:
            raise Mistake(
                f"{case} one has {max(sizes)} and one {min(sizes)}. All wait for the slowest: "
                "no two shares may differ by more than one task."
            )
        if sizes != [b - a for a, b, _ in right]:
            raise Mistake(f"{case} the larger shares do not come first.")
        if any(rows[i][:2] != right[i][:2] for i in range(num_workers) if sizes[i]):
            raise Mistake(f"{case} the shares do not follow one another in the workers' order.")
        weights = [weight for *_, weight in rows]
        busy = sum(size > 0 for size in sizes)
        mistakes = (
            ([1 / num_workers] * num_workers, "Every worker's mean counts alike here. A task in a "
                "small share then counts for more than one in a large share."),
            ([(size > 0) / busy for size in sizes], "Every busy worker's mean counts alike here. "
                "A task in a small share then counts for more than one in a large share."),
            ([float(size) for size in sizes], "Your weights make it the *sum* over tasks. The "
                "meta-gradient is their mean."),
            ([1.0] * num_workers, "With weights of 1 more workers make a longer gradient."),
            ([(size > 0) * 1.0 for size in sizes], "With weights of 1 more workers make a longer "
                "gradient."),
            ([1 / num_tasks] * num_workers, "1 / tasks would do if a worker gave the *sum* over "
                "its tasks. It gives their mean."),
            ([(size > 0) / num_tasks for size in sizes], "1 / tasks would do if a worker gave the "
                "*sum* over its tasks. It gives their mean."),
            ([size / max(sizes) for size in sizes], "You measure a share by the largest one. The "
                "weights have to add up to 1."),
            ([1 / size if size else 0.0 for size in sizes], "This divides by the share's size once "
                "more: the mean has done that already."),
        )  # fmt: skip
        wanted = [weight for *_, weight in right]
        for wrong, words in mistakes:
            if same(weights, wrong) and not same(wrong, wanted):
                raise Mistake(words)
        if not same(weights, wanted, atol=1e-6):
            raise Mistake(
                f"{case} the shares are right, but Σ weight · (mean over the share) is not the "
                "mean over the batch. Write both out for two workers with 2 tasks and 1."
            )


EXERCISES = {
    "share_out": Exercise(
        hints=(
            "First who computes what. Dividing T by w leaves a remainder smaller than w: that many "
            "workers take one task more. `divmod` gives both numbers.",
            "The k-th worker starts where the k workers before it stop: at k times the even share, "
            "plus as many extra tasks as there are among those k. For the weights, write the mean "
            "over T tasks as a sum over shares.",
            "A share of n tasks with mean m adds n · m to the sum over all tasks. Divide by T, and "
            "see what stands before m. With n = 0 it is 0.",
        ),
        check=check_share_out,
        praise="Right, with any number of workers, also with more workers than tasks.",
    ),
}
