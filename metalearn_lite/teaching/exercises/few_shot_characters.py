"""Hints and checks for notebook 06."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

LOOSELY = {"rtol": 1e-2, "atol": 1e-4}  # for accuracies and their intervals


def _mixed_task() -> tuple[Tensor, Tensor, Tensor]:
    """Support (2, 9, 1, 4, 4), its classes (2, 9) in mixed order, query (2, 12, 1, 4, 4)."""
    generator = torch.Generator().manual_seed(6)
    y = torch.tensor([[0, 1, 2, 2, 0, 1, 1, 2, 0], [2, 0, 0, 1, 1, 2, 0, 1, 2]])
    support = torch.rand(2, 9, 1, 4, 4, generator=generator)
    return support, y, torch.rand(2, 12, 1, 4, 4, generator=generator)


def check_nearest_neighbour(nearest_neighbour: Callable) -> None:
    support, y, query = _mixed_task()
    result = attempted(nearest_neighbour(support, y, query))
    result = of_shape(result, (2, 12), "a class for each query")
    differences = query.flatten(2).unsqueeze(2) - support.flatten(2).unsqueeze(1)
    squares = differences.square().sum(3)

    def classes(distances: Tensor) -> Tensor:
        return y.gather(1, distances.argmin(2))

    everyone = (query.flatten(2).unsqueeze(2) - support.flatten(0, 1).flatten(1)).square().sum(3)
    of_class = torch.stack([squares.masked_fill(y[:, None] != way, 0).sum(2) for way in range(3)])
    mistakes = (
        (squares.argmin(2), "These are positions in the support, not classes: look them up in y."),
        (squares.argmin(2) // 3, "You trusted the order of the support. Its classes come mixed."),
        (classes(-squares), "These are the classes of the farthest images: take the nearest."),
        (
            classes(differences.sum(3).abs()),
            "You compared amounts of ink: differences of both signs cancel. Square each first.",
        ),
        (y.flatten()[everyone.argmin(2)], "You looked for neighbours in the other task, too."),
        (of_class.argmin(0), "You took the class that is near on average; one image decides here."),
        (classes(differences.abs().sum(3)), "Sum the squares of the differences, not their sizes."),
    )
    refuse(result, mistakes)
    if not same(result, classes(squares)):
        raise Mistake("These are not the classes of the nearest images. Try one query by hand.")


class _Pool:
    """Samples as `Characters` do, but the same episodes in whatever order one asks for them."""

    def __init__(self):
        self.asked: list[tuple[int, int, int]] = []
        self.generators: list[torch.Generator | None] = []

    def sample(
        self, num_tasks, num_ways, num_shots, num_queries=5, generator=None, within_alphabet=False
    ) -> Episodes:
        self.asked.append((num_tasks, num_ways, num_shots))
        self.generators.append(generator)
        own = torch.Generator().manual_seed(100 * num_ways + num_shots)
        centres = torch.rand(num_tasks, num_ways, 1, 2, 2, generator=own)

        def examples(count: int) -> Examples:
            x = centres.repeat_interleave(count, 1)
            x = x + 0.3 * torch.randn(x.shape, generator=own)
            return Examples(x, torch.arange(num_ways).repeat_interleave(count).repeat(num_tasks, 1))

        return Episodes(examples(num_shots), examples(num_queries))


def check_ways_by_shots(ways_by_shots: Callable) -> None:
    all_ways, all_shots, num_tasks = (2, 4, 6), (1, 3), 8
    learner, pool = PixelNearestNeighbour(), _Pool()
    generator = torch.Generator().manual_seed(6)
    result = attempted(ways_by_shots(learner, pool, all_ways, all_shots, num_tasks, generator))
    try:
        means, intervals = (torch.as_tensor(part, dtype=torch.float32) for part in result)
    except (TypeError, ValueError):
        raise Mistake(
            "Return two tables: the means, and half the widths of the intervals."
        ) from None

    wanted = {(num_tasks, ways, shots) for ways in all_ways for shots in all_shots}
    if wanted != set(pool.asked) and {(t, k, n) for t, n, k in pool.asked} == wanted:
        raise Mistake("You asked for as many ways as shots should be: sample takes ways first.")
    if means.shape == intervals.shape == (2, 3):
        raise Mistake("A row is a number of ways, a column a number of shots: yours are swapped.")
    if not means.shape == intervals.shape == (3, 2):
        shapes = tuple(means.shape), tuple(intervals.shape)
        raise Mistake(f"Expected two tables of shape (3, 2) for 3 ways and 2 shots, got {shapes}.")
    if wanted != set(pool.asked):
        raise Mistake(f"Sample {num_tasks} tasks for each pair of ways and shots.")
    if any(given is not generator for given in pool.generators):
        raise Mistake("Hand the generator on to sample, or nobody can repeat your table.")

    table = [[_Pool().sample(num_tasks, n, k) for k in all_shots] for n in all_ways]
    results = [[evaluate(learner, episodes) for episodes in line] for line in table]
    expected = torch.tensor([[cell.mean for cell in line] for line in results])
    half = torch.tensor([[cell.interval for cell in line] for line in results])
    num_answers = 5 * num_tasks * torch.tensor(all_ways).unsqueeze(1)
    if same(means, torch.ones(3, 2), **LOOSELY):
        raise Mistake("All right, everywhere? You scored the support, which the learner has seen.")
    if same(means, 1 - expected, **LOOSELY):
        raise Mistake("These are errors. The table shows accuracies.")
    if same(means, 100 * expected, **LOOSELY):
        raise Mistake("These are per cents. Return accuracies from 0 to 1.")
    if not same(means, expected, **LOOSELY):
        raise Mistake("These are not the mean accuracies of PixelNearestNeighbour on the tasks.")
    mistakes = (
        (half * math.sqrt(num_tasks), "You left out √n: more tasks make an interval narrower."),
        (half / 1.96, "This is one standard error. 95 % takes 1.96 of them."),
        (2 * half, "This is the whole width. ± asks for half of it."),
        (
            1.96 * (expected * (1 - expected) / num_answers).sqrt(),
            "You counted every answer as a draw of its own. Answers of one task share its "
            "characters and its support, so the tasks are what counts.",
        ),
    )
    refuse(intervals, mistakes, **LOOSELY)
    if not same(intervals, half, **LOOSELY):
        raise Mistake("The means are right, but half a 95 % interval over tasks is another number.")


def check_luck(luck: Callable) -> None:
    right, answers, ways = 9, 25, 5
    chances = [
        math.comb(answers, k) * (1 / ways) ** k * (1 - 1 / ways) ** (answers - k)
        for k in range(answers + 1)
    ]
    result = float(attempted(luck(right, answers, ways)))
    fair_coin = sum(math.comb(answers, k) for k in range(right, answers + 1)) / 2**answers
    mean, spread = answers / ways, math.sqrt(answers / ways * (1 - 1 / ways))
    mistakes = (
        (chances[right], "This is the chance of exactly so many. Add up those of more, too."),
        (sum(chances[right + 1 :]), "This is the chance of more than so many: count them in, too."),
        (sum(chances[:right]), "This is the chance of fewer. You want the other side: 1 minus it."),
        (sum(chances[: right + 1]), "This is the chance of at most so many: the other side."),
        (fair_coin, "You tossed a coin. A guess among num_ways classes is right 1 / num_ways."),
        ((1 / ways) ** right, "Other answers may be wrong, in any order: choose which are right."),
        (
            (1 / ways) ** right * (1 - 1 / ways) ** (answers - right),
            "This is the chance of one certain order. math.comb counts the orders.",
        ),
        (
            0.5 * math.erfc((right - mean) / spread / math.sqrt(2)),
            "This is the normal approximation. So far from the mean it is off; add up exactly.",
        ),
    )
    refuse(result, mistakes, rtol=1e-3, atol=0)
    expected = sum(chances[right:])
    if not math.isclose(result, expected, rel_tol=1e-3):
        raise Mistake(
            f"At least {right} of {answers} by guessing among {ways}: expected {expected:.4f}, "
            f"got {result:.4f}."
        )
    if not math.isclose(luck(0, 4, 3), 1):
        raise Mistake("At least 0 right is certain: the answer there must be 1.")


EXERCISES = {
    "luck": Exercise(
        hints=(
            "A guess is right with chance p = 1 / num_ways. Exactly k right of n: which k of the "
            "n answers are they, and what is the chance of just those?",
            "Exactly k of n: math.comb(n, k) · p^k · (1 - p)^(n - k).",
            "Add that up for k = num_right, num_right + 1, …, num_answers.",
        ),
        check=check_luck,
        praise="Now you can say when a score is more than luck.",
    ),
    "nearest_neighbour": Exercise(
        hints=(
            "Each query needs its distance to each support image of its own task: "
            "(num_tasks, M, N) distances.",
            "Flatten the images, then query.unsqueeze(2) - support.unsqueeze(1) holds all "
            "differences. Square them, sum over pixels, argmin over the support.",
            "argmin gives positions in the support. support_y.gather(1, positions) looks up their "
            "classes.",
        ),
        check=check_nearest_neighbour,
        praise="A learner without training. It is the baseline that every other has to beat.",
    ),
    "ways_by_shots": Exercise(
        hints=(
            "Two loops: over ways, and inside over shots. Each pair needs its own episodes.",
            "pool.sample(num_tasks, ways, shots, generator=generator), then "
            "evaluate(learner, episodes) has .mean and .interval.",
            "Make a list of rows, one for each number of ways, of evaluations; then "
            "torch.tensor([[cell.mean for cell in row] for row in rows]), and the intervals "
            "likewise.",
        ),
        check=check_ways_by_shots,
        praise="A table that says how sure it is of each of its numbers.",
    ),
}
