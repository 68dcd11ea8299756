"""Hints and checks for notebook 06, and what steps in for an answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import Evaluation, evaluate
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

# --- luck -----------------------------------------------------------------------------------


def _chances(ways: Sequence[int]) -> list[float]:
    """Of 0, 1, … ``len(ways)`` right guesses, exactly."""
    chances = [1.0]
    for num_ways in ways:
        wrong = [chance * (1 - 1 / num_ways) for chance in chances] + [0.0]
        right = [0.0] + [chance / num_ways for chance in chances]
        chances = [a + b for a, b in zip(wrong, right, strict=True)]
    return chances


def luck(num_right: int, ways: Sequence[int]) -> float:
    """The chance that guessing, answer i among ``ways[i]`` classes, gets so many or more right."""
    return math.fsum(_chances(ways)[num_right:])


def _binomial_tail(num_right: int, num_answers: int, p: float) -> float:
    return sum(
        math.comb(num_answers, k) * p**k * (1 - p) ** (num_answers - k)
        for k in range(num_right, num_answers + 1)
    )


def _normal_tail(num_right: float, ways: Sequence[int]) -> float:
    mean = sum(1 / n for n in ways)
    spread = math.sqrt(sum(1 / n * (1 - 1 / n) for n in ways))
    return 0.5 * math.erfc((num_right - mean) / spread / math.sqrt(2))


def _in_order(num_right: int, ways: Sequence[int]) -> float:
    """The chance that the first ``num_right`` are right."""
    return math.prod(1 / n for n in ways[:num_right])


WRONG_LUCK = (
    (lambda k, ways: _chances(ways)[k], "This is the chance of exactly so many. Who gets more "
     "right has been at least as lucky: add them."),
    (lambda k, ways: luck(k + 1, ways), "This is the chance of more than so many. `At least` "
     "counts them in, too."),
    (lambda k, ways: 1 - luck(k, ways), "This is the chance of fewer: the other side."),
    (lambda k, ways: 1 - luck(k + 1, ways), "This is the chance of at most so many: the other "
     "side."),
    (
        lambda k, ways: _binomial_tail(k, len(ways), sum(1 / n for n in ways) / len(ways)),
        "You gave every answer the average chance. That keeps the mean, but the tail becomes "
        "another. Let each answer keep its own chance.",
    ),
    (
        lambda k, ways: _binomial_tail(k, len(ways), len(ways) / sum(ways)),
        "You guess among the average number of classes. Each answer has its own number.",
    ),
    (
        lambda k, ways: _binomial_tail(k, len(ways), 1 / ways[0]),
        "You took the first number of classes for every answer. They may differ.",
    ),
    (lambda k, ways: _binomial_tail(k, len(ways), 0.5), "You tossed a coin for each answer. A "
     "guess among n classes is right once in n times."),
    (
        lambda k, ways: _in_order(k, ways) * math.prod(1 - 1 / n for n in ways[k:]),
        "This is the chance of one certain order, the right answers first. There are many orders.",
    ),
    (_in_order, "This asks for the first answers to be right. Any of them may be."),
    (_normal_tail, "This is the normal approximation: a bell curve in place of the bars. So far "
     "from the mean it is off."),
    (
        lambda k, ways: _normal_tail(k - 0.5, ways),
        "This is the normal approximation, with half an answer's correction. Count exactly.",
    ),
)  # fmt: skip

MIXED_WAYS = {
    "25 answers among 5 classes each": (9, [5] * 25),
    "numbers of classes that differ": (4, [2, 20, 5, 3, 20, 5, 4, 20, 50]),
    "numbers of classes that differ, most of them large": (7, [3] * 8 + [17] * 9 + [47] * 12),
}
EDGES = {
    "more than a hundred answers": (8, [17] * 17 + [42] * 42 + [47] * 47),
    "at least 0 right": (0, [4, 6]),
    "all of them right": (3, [4, 2, 3]),
    "more right than there are answers": (3, [2, 2]),
    "one class only, which every guess hits": (3, [1, 2, 1, 5]),
    "a single answer": (1, [7]),
    "no answers at all": (0, []),
}


def check_luck(answer: Callable) -> None:
    def asked(case: tuple[int, list[int]]) -> float:
        num_right, ways = case
        return float(attempted(answer(num_right, list(ways))))

    results = [asked(case) for case in MIXED_WAYS.values()]
    for wrong, message in WRONG_LUCK:
        known = [wrong(*case) for case in MIXED_WAYS.values()]
        refuse(torch.tensor(results), [(torch.tensor(known), message)], rtol=1e-3, atol=1e-9)
    # Three chances, asked again: that a count of drawn games comes out alike in all is no matter.
    if results != [asked(case) for case in MIXED_WAYS.values()]:
        raise Mistake("Asked the same twice, it answers differently: you drew. Work it out.")
    results += [asked(case) for case in EDGES.values()]
    for (kind, case), result in zip({**MIXED_WAYS, **EDGES}.items(), results, strict=True):
        if not math.isclose(result, luck(*case), rel_tol=1e-3, abs_tol=1e-6):
            raise Mistake(
                f"This is another chance than guessing has, for {kind}: "
                f"luck({case[0]}, {_short(case[1])})."
            )


def _short(ways: list[int]) -> str:
    """A list, with equal numbers in a row gathered: ``[3] * 8 + [17] * 9``."""
    kinds = list(dict.fromkeys(ways))
    if len(kinds) == len(ways) or ways != sorted(ways):
        return str(ways)
    return " + ".join(f"[{kind}] * {ways.count(kind)}" for kind in kinds)


# --- nearest_neighbour ----------------------------------------------------------------------


def nearest_neighbour(support: Tensor, support_y: Tensor, query: Tensor) -> Tensor:
    """Classes ``(T, M)``: of each query that of its nearest support image, by the pixels."""
    distances = PixelNearestNeighbour().distances(query, Examples(support, support_y))
    return support_y.gather(1, distances.argmin(2))


def _drawn(generator: torch.Generator, y: list[list[int]], num_queries: int) -> tuple:
    """Support, its classes, query. A query is a support image in other ink, and somewhat bent."""
    labels = torch.tensor(y)
    num_tasks, num_examples = labels.shape

    def images(count: int) -> Tensor:
        darkness, share = torch.rand(2, num_tasks, count, 1, 1, 1, generator=generator)
        pixels = torch.rand(num_tasks, count, 1, 28, 28, generator=generator)
        return (0.4 + 0.6 * darkness) * (pixels < 0.1 + 0.3 * share)

    support = images(num_examples)
    which = torch.randint(num_examples, (num_tasks, num_queries), generator=generator)
    near = torch.stack([own[chosen] for own, chosen in zip(support, which, strict=True)])
    return support, labels, 0.25 * near + 0.75 * images(num_queries)


def _tasks() -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    generator = seeded(6)
    mixed = [[0, 1, 2, 2, 0, 1, 1, 2, 0], [2, 0, 0, 1, 1, 2, 0, 1, 2]]
    support, y, query = _drawn(generator, mixed, 14)
    blank = torch.zeros_like(query[:, :1])
    return {
        "two tasks of three classes": (support, y, torch.cat([query, blank], 1)),
        "classes with unequal numbers of images": _drawn(generator, [[3, 0, 0, 1, 0, 2]], 10),
        "one task with one query": _drawn(generator, [[1, 0]], 1),
        "one support image": _drawn(generator, [[0], [0], [0]], 2),
        "queries that are in the support": (support, y, support),
        "as many queries as support images": _drawn(generator, [[4, 3, 2, 1, 0]] * 2, 5),
    }


def _wrong_neighbours(support: Tensor, y: Tensor, query: Tensor) -> list[tuple[Tensor, str]]:
    differences = query.flatten(2).unsqueeze(2) - support.flatten(2).unsqueeze(1)
    squares = differences.square().sum(3)
    ways = range(int(y.max()) + 1)

    def classes(distances: Tensor) -> Tensor:
        return y.gather(1, distances.argmin(2))

    everyone = (query.flatten(2).unsqueeze(2) - support.flatten(0, 1).flatten(1)).square().sum(3)
    of_class = [y[:, None] == way for way in ways]
    sums = torch.stack([squares.masked_fill(~mine, 0).sum(2) for mine in of_class])
    counts = torch.stack([mine.sum(2) for mine in of_class]).clamp(min=1)
    overlap = query.flatten(2) @ support.flatten(2).transpose(1, 2)
    means = torch.stack([
        torch.stack([own[labels == way].mean(0) for way in ways])
        for own, labels in zip(support, y, strict=True)
    ])  # fmt: skip
    to_means = (query.flatten(2).unsqueeze(2) - means.flatten(2).unsqueeze(1)).square().sum(3)
    per_class = y.shape[1] // len(ways)
    positions = squares.argmin(2)
    return [
        (positions, "These are positions in the support, not classes: look them up in support_y."),
        (positions // per_class, "You trusted the order of the support. Its classes come mixed."),
        (positions % len(ways), "You trusted the order of the support. Its classes come mixed."),
        (classes(-squares), "These are the classes of the farthest images: take the nearest."),
        (
            classes(differences.sum(3).abs()),
            "You compared amounts of ink: differences of both signs cancel. Square each first.",
        ),
        (
            classes(differences.sum(3)),
            "Your distances can be negative: the differences were never squared.",
        ),
        (y.flatten()[everyone.argmin(2)], "You looked for neighbours in the other task, too."),
        (sums.argmin(0), "You took the class that is near in sum; one image decides here."),
        ((sums / counts).argmin(0), "You took the class that is near on average; the nearest "
         "image decides here, however far the others of its class are."),
        (to_means.argmin(2), "You compared with the mean image of each class: one image decides "
         "here."),
        (classes(-overlap), "You took the largest overlap. A support image full of ink overlaps "
         "with everything: use the distance."),
        (classes(differences.abs().sum(3)), "Sum the squares of the differences, not their sizes."),
        (y[:1].expand_as(y).gather(1, positions), "You looked every class up in the first task's "
         "support_y."),
    ]  # fmt: skip


def check_nearest_neighbour(answer: Callable) -> None:
    for number, (kind, (support, y, query)) in enumerate(_tasks().items()):
        given = support.clone(), y.clone(), query.clone()
        expected = nearest_neighbour(support, y, query)
        result = of_shape(attempted(answer(*given)), expected.shape, "a class for each query")
        if number == 0:
            refuse(result, _wrong_neighbours(support, y, query))
        if not same(result, expected):
            raise Mistake(
                f"These are not the classes of the nearest images, for {kind}. Try one query by "
                "hand: its distance to each image of its own task."
            )
        if not all(same(*pair) for pair in zip(given, (support, y, query), strict=True)):
            raise Mistake("You changed the images that were handed to you. Work on copies.")


# --- ways_by_shots --------------------------------------------------------------------------

LOOSELY = {"rtol": 2e-2, "atol": 1e-4}  # for intervals: who divides by n in place of n - 1 passes
CLOSELY = {"rtol": 1e-3, "atol": 1e-4}


def ways_by_shots(
    learner: Learner,
    pool: object,
    all_ways: Sequence[int],
    all_shots: Sequence[int],
    num_tasks: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Mean accuracies and half intervals over tasks, both ``(len(all_ways), len(all_shots))``."""
    results = _evaluated(learner, pool, all_ways, all_shots, num_tasks, generator)
    means = torch.tensor([[cell.mean for cell in row] for row in results])
    return means, torch.tensor([[cell.interval for cell in row] for row in results])


def _evaluated(learner, pool, all_ways, all_shots, num_tasks, generator) -> list[list[Evaluation]]:
    return [
        [
            evaluate(learner, pool.sample(num_tasks, ways, shots, generator=generator))
            for shots in all_shots
        ]
        for ways in all_ways
    ]


class _Pool:
    """Samples as `Characters` do, but the same episodes in whatever order one asks for them."""

    def __init__(self):
        self.asked: list[tuple[int, int, int]] = []
        self.queries: list[int] = []
        self.generators: list[torch.Generator | None] = []

    def sample(
        self, num_tasks, num_ways, num_shots, num_queries=5, generator=None, within_alphabet=False
    ) -> Episodes:
        self.asked.append((int(num_tasks), int(num_ways), int(num_shots)))
        self.queries.append(num_queries)
        self.generators.append(generator)
        own = seeded(100 * num_ways + num_shots)
        centres = torch.rand(num_tasks, num_ways, 1, 2, 2, generator=own)
        # Tasks are of unequal difficulty, so that answers of one task are alike.
        blur = 0.05 + 0.6 * torch.rand(num_tasks, 1, 1, 1, 1, generator=own)

        def examples(count: int) -> Examples:
            x = centres.repeat_interleave(count, 1)
            x = (x + blur * torch.randn(x.shape, generator=own) - 1).sigmoid()
            return Examples(x, torch.arange(num_ways).repeat_interleave(count).repeat(num_tasks, 1))

        return Episodes(examples(num_shots), examples(num_queries))


class _Dazed(PixelNearestNeighbour):
    """Sees the first pixel only."""

    def distances(self, x: Tensor, support: Examples) -> Tensor:
        first = support.x.flatten(2)[:, :, 0].unsqueeze(1)
        return (x.flatten(2)[:, :, :1] - first).square()


TABLES = {
    "3 ways and 2 shots": (PixelNearestNeighbour(), (2, 4, 6), (1, 3), 40),
    "another learner, 1 number of ways and 3 shots": (_Dazed(), (5,), (2, 1, 4), 30),
}


def check_ways_by_shots(answer: Callable) -> None:
    for kind, (learner, all_ways, all_shots, num_tasks) in TABLES.items():
        pool, generator = _Pool(), seeded(6)
        result = attempted(answer(learner, pool, all_ways, all_shots, num_tasks, generator))
        tables = _two_tables(result)
        _check_sampling(pool, all_ways, all_shots, num_tasks, generator)
        shape = len(all_ways), len(all_shots)
        means, intervals = (_of_shape(table, shape) for table in tables)
        cells = _evaluated(learner, _Pool(), all_ways, all_shots, num_tasks, None)
        _check_means(means, cells, learner)
        _check_intervals(intervals, cells, kind)


def _two_tables(result: object) -> list[Tensor]:
    try:
        means, intervals = (torch.as_tensor(part, dtype=torch.float32) for part in result)
    except (TypeError, ValueError, RuntimeError):
        raise Mistake(
            "Return two tables: the means, and half the widths of the intervals."
        ) from None
    return [means, intervals]


def _of_shape(table: Tensor, shape: tuple[int, int]) -> Tensor:
    if table.shape == shape[::-1] != shape:
        raise Mistake("A row is a number of ways, a column a number of shots: yours are swapped.")
    if table.shape != shape:
        raise Mistake(
            f"Expected two tables of shape {shape}, for {shape[0]} ways and {shape[1]} shots; "
            f"got {tuple(table.shape)}."
        )
    return table


def _check_sampling(pool, all_ways, all_shots, num_tasks, generator) -> None:
    wanted = {(num_tasks, ways, shots) for ways in all_ways for shots in all_shots}
    asked = set(pool.asked)
    if wanted != asked and {(t, k, n) for t, n, k in asked} == wanted:
        raise Mistake("You asked for as many ways as shots should be: sample takes ways first.")
    if wanted != asked:
        raise Mistake("Sample num_tasks tasks for each pair of ways and shots, and no others.")
    if any(queries != 5 for queries in pool.queries):
        raise Mistake("Leave num_queries as sample has it.")
    if any(given is not generator for given in pool.generators):
        raise Mistake("Hand the generator on to sample, or nobody can repeat your table.")


def _check_means(means: Tensor, cells: list[list[Evaluation]], learner: Learner) -> None:
    expected = torch.tensor([[cell.mean for cell in row] for row in cells])
    medians = torch.tensor([[cell.median for cell in row] for row in cells])
    mistakes = (
        (torch.ones_like(means), "All right, everywhere? You scored the support, which the "
         "learner has seen."),
        (1 - expected, "These are errors. The table shows accuracies."),
        (100 * expected, "These are per cents. Return accuracies from 0 to 1."),
        (medians, "These are medians. The table shows means."),
        (expected.flip(0, 1), "The numbers are there, but in other places: row i belongs to "
         "all_ways[i], column j to all_shots[j]."),
    )  # fmt: skip
    refuse(means, mistakes, **CLOSELY)
    if not same(means, expected, **CLOSELY):
        own = "" if type(learner) is PixelNearestNeighbour else " Do you use the learner given?"
        raise Mistake(f"These are not the learner's mean accuracies on the sampled tasks.{own}")


def _check_intervals(intervals: Tensor, cells: list[list[Evaluation]], kind: str) -> None:
    half = torch.tensor([[cell.interval for cell in row] for row in cells])
    expected = torch.tensor([[cell.mean for cell in row] for row in cells])
    num_tasks = len(cells[0][0].scores)
    ways = torch.tensor([[cell.interval * 0 + n for cell in row] for row, n in zip(
        cells, TABLES[kind][1], strict=True)])  # fmt: skip
    mistakes = (
        (half * math.sqrt(num_tasks), "You left out √n: more tasks make an interval narrower."),
        (half / 1.96 * math.sqrt(num_tasks), "This is how far single tasks spread. The mean of "
         "many is surer: divide by the root of their number, then take 1.96 of it."),
        (half / math.sqrt(num_tasks), "You divided by the number of tasks in place of its root."),
        (half / 1.96, "This is one standard error. 95 % takes 1.96 of them."),
        (2 * half, "This is the whole width. ± asks for half of it."),
        (
            1.96 * (expected * (1 - expected) / (5 * num_tasks * ways)).sqrt(),
            "You counted every answer as a draw of its own. Answers of one task share its "
            "characters and its support, so the tasks are what counts.",
        ),
        (100 * half, "The means are from 0 to 1, the intervals in per cents. Use one unit."),
    )  # fmt: skip
    refuse(intervals, mistakes, **LOOSELY)
    if not same(intervals, half, **LOOSELY):
        raise Mistake(
            "The means are right, but half a 95 % interval over tasks is another number, for "
            f"{kind}."
        )


EXERCISES = {
    "luck": Exercise(
        hints=(
            "Were all chances equal, counting orders would do. They are not. So go through the "
            "answers one after the other: what can you say after the first, what after two?",
            "Keep a list: the chance of 0, of 1, of 2, … right so far; at first [1.0], since "
            "nothing was asked. How can there be 3 right after one more answer? In two ways.",
            "With p = 1 / n for the next answer: new[k] = old[k] · (1 - p) + old[k - 1] · p, "
            "where an entry that is not there counts as 0. After the last answer, add up the "
            "entries from num_right on.",
        ),
        check=check_luck,
        praise="Exact, whatever the ways. Now you can say when a score is more than luck.",
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
