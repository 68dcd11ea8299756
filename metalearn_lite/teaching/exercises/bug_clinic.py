"""The exercises of notebook 15: four unseen patients. Name the fault, expose it, repair it.

Each answer is called with a ``code`` to examine and with arguments such as the patient's own. It
returns three things: the number of the patient's fault, whether ``code`` is healthy, and what
repaired code returns for these arguments.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from scipy import stats
from torch import Tensor

from metalearn_lite.teaching.comparing import Mistake, kind_of, of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise
from metalearn_lite.teaching.running import attempted


@dataclass(frozen=True)
class Patient:
    """What the check of one patient needs."""

    fault: int
    others: dict[int, str]
    """what is said to the number of each other fault"""
    healthy: dict[str, Callable]
    """healthy codes, by what is said of one that the experiment calls sick"""
    sick: dict[str, Callable]
    """sick ones, by what is said of one that the experiment calls healthy; the patient first"""
    inputs: Callable[[], Iterator[tuple]]
    judge: Callable[..., Callable[[Any], None]]
    """``judge(*given)(repaired)`` raises `Mistake` where that is not what healthy code returns"""

    @cached_property
    def problems(self) -> list[tuple[tuple, Callable[[Any], None]]]:
        """Arguments, each with who judges what repaired code returns for them."""
        return [(given, self.judge(*given)) for given in self.inputs()]


class _Counted:
    """A code as the answer meets it; knows how often it was run."""

    def __init__(self, code: Callable):
        self.times = 0

        def counted(*given: Any) -> Any:
            self.times += 1
            return code(*given)

        self.code = counted


def _check(patient: Patient, answer: Callable) -> None:
    codes = [*patient.sick.items()], [*patient.healthy.items()]
    order = [item for pair in zip(*codes, strict=False) for item in pair]
    order += [item for each in codes for item in each if item not in order]
    verdicts, ran = {}, True
    # Some codes once more, with other arguments: these must make no difference to a verdict.
    for place in range(len(order) + 4):
        said, code = order[place % len(order)]
        given, judge = patient.problems[place % len(patient.problems)]
        # Copies, for whoever changes what they are given.
        copies = [part.clone() if isinstance(part, Tensor) else part for part in given]
        counted = _Counted(code)
        result = attempted(answer(counted.code, *copies))
        fault, healthy, repaired = _three(result)
        _judge_fault(patient, fault)
        _changed(given, copies)
        judge(repaired)
        ran &= counted.times > 0
        verdicts.setdefault(said, []).append(healthy)
    _judge_experiment(patient, verdicts, ran)


def _three(result: Any) -> tuple[int, bool, Any]:
    if not isinstance(result, tuple | list) or len(result) != 3:
        found = kind_of(result)
        if isinstance(result, tuple | list):
            found = f"a {found} of {len(result)}"
        raise Mistake(
            "Return three things: the number of the fault, True or False, and what repaired code "
            f"returns; got {found}."
        )
    fault, healthy, repaired = result
    try:
        fault, number = int(fault), float(fault)
    except (TypeError, ValueError, RuntimeError):
        raise Mistake("The first thing you return is the fault's number in the list.") from None
    if fault != number:
        raise Mistake("The first thing you return is the fault's number in the list.")
    try:
        verdict = bool(healthy)
    except (TypeError, ValueError, RuntimeError):
        raise Mistake("Your experiment should end in one True or False.") from None
    if healthy is None or isinstance(healthy, str):
        raise Mistake("Your experiment should end in one True or False.")
    return fault, verdict, repaired


def _judge_fault(patient: Patient, fault: int) -> None:
    if fault == patient.fault:
        return
    if fault not in patient.others:
        raise Mistake(f"There is no fault {fault} in the list. (It is that of the code printed.)")
    raise Mistake(f"Fault {fault} it is not. {patient.others[fault]}")


def _changed(given: Sequence, copies: Sequence) -> None:
    for before, after in zip(given, copies, strict=True):
        if isinstance(before, Tensor) and not torch.equal(before, after.detach()):
            raise Mistake("You changed an argument in place. Make new tensors.")


def _pair(repaired: Any) -> bool:
    """Whether it has two parts."""
    if isinstance(repaired, Tensor) and not repaired.dim():
        return False
    return isinstance(repaired, tuple | list | Tensor) and len(repaired) == 2


def _judge_experiment(patient: Patient, verdicts: dict[str, list[bool]], ran: bool) -> None:
    everything = {one for said in verdicts.values() for one in said}
    if everything == {True}:
        raise Mistake(
            "Your experiment calls every code healthy, the patient too. On which inputs do the "
            "patient and your repair differ?"
        )
    if everything == {False}:
        raise Mistake(
            "Your experiment calls every code sick, those too that are like your repair. What does "
            "it ask that a healthy code does not promise?"
        )
    if not ran:
        raise Mistake("Sometimes your experiment never runs `code`. It is the one to examine.")
    if not all(len(set(said)) == 1 for said in verdicts.values()):
        raise Mistake(
            "Of one and the same code your experiment once says healthy and once sick. The "
            "arguments at hand may not show the fault: let it make its own."
        )
    first = next(iter(patient.sick))
    if verdicts[first][0]:
        raise Mistake("Your experiment calls the patient itself healthy.")
    for said in patient.healthy:
        if not verdicts[said][0]:
            raise Mistake(f"Your experiment calls a healthy code sick: one that {said}.")
    for said in patient.sick:
        if verdicts[said][0]:
            raise Mistake(f"A sick code gets through your experiment: one that {said}.")


# --- an error bar


def sick_error_bar(right: Tensor) -> tuple[Tensor, Tensor]:
    """As it was sent in."""
    accuracy = right.mean()
    half = 1.96 * right.flatten().std() / right.numel() ** 0.5
    return accuracy, half


def error_bar(right: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of ``right`` ``(T, Q)``, and half a 95 % interval over tasks."""
    tasks = right.mean(1)
    return tasks.mean(), 1.96 * tasks.std() / len(tasks) ** 0.5


def examine_error_bar(code: Callable, right: Tensor) -> tuple[int, bool, tuple[Tensor, Tensor]]:
    """Fault, whether ``code`` is healthy, and the repaired bar for ``right`` ``(T, Q)``.

    Each query asked nine times more tells nothing new of the tasks: no bar may shrink.
    """
    asked = torch.tensor([[1.0, 1, 0, 1], [0, 0, 1, 0], [1, 1, 1, 1], [0, 1, 0, 1]])
    once, often = float(code(asked)[1]), float(code(asked.repeat(1, 9))[1])
    return 2, abs(once - often) < 0.05 * once, error_bar(right)


def _bar(pooled: bool, quantile: Callable[[int], float] = lambda number: 1.96) -> Callable:
    def bar(right: Tensor) -> tuple[Tensor, Tensor]:
        scores = right.flatten() if pooled else right.mean(1)
        number = len(scores)
        return scores.mean(), quantile(number) * scores.std() / math.sqrt(number)

    return bar


def _binomial_bar(right: Tensor) -> tuple[Tensor, Tensor]:
    mean = right.mean()
    return mean, 1.96 * (mean * (1 - mean) / right.numel()).sqrt()


def _student(number: int) -> float:
    return float(stats.t.ppf(0.975, number - 1))


def _answers() -> Iterator[tuple[Tensor]]:
    generator = seeded(15)
    for tasks, queries in ((12, 5), (3, 0), (30, 1), (4, 20), (9, 6), (2, 3)):
        chance = torch.rand(tasks, 1, generator=generator)
        right = torch.rand(tasks, queries, generator=generator) < chance
        # Without queries: three tasks that are equally hard.
        yield (right.float() if queries else torch.tensor([[1.0, 0], [0, 1], [1, 0]]),)


def _judge_bar(right: Tensor) -> Callable[[Any], None]:
    expected = error_bar(right)
    tasks, number = right.mean(1), len(right)
    queries = right.shape[1]
    mistakes = [
        (sick_error_bar(right)[1], "Your repaired bar is still that of the patient."),
        (_binomial_bar(right)[1], "p(1 - p) / n still counts every query as if it were a task."),
        (1.96 * tasks.std(), "That is how far tasks lie apart. How far off is their mean?"),
        (
            1.96 * tasks.std() / right.numel() ** 0.5,
            "You divide by the number of queries. How many scores did you take the spread of?",
        ),
        (
            1.96 * tasks.std(correction=0) / number**0.5,
            "Divide the squares by one less than the number of tasks, as torch does.",
        ),
        (2 * expected[1], "That is the whole interval. Half of it is asked for."),
        (expected[1] / 1.96, "That is one standard error. 95 % takes 1.96 of them."),
        *(
            (factor * expected[1] / 1.96, "For this repair take 1.96, as in the code sent in.")
            for factor in (
                *(_student(each) for each in (number, number + 1, max(2, number - 1))),
                _student(right.numel()),
                *(1.645, 2.0, 2.576),
            )
        ),
    ]
    if queries > 1:
        by_query = right.mean(0)
        mistakes.append(
            (
                1.96 * by_query.std() / queries**0.5,
                "You took one score for each column. A task is a row.",
            )
        )
    known = [(wrong, said) for wrong, said in mistakes if not same(wrong, expected[1])]

    def judge(repaired: Any) -> None:
        if not _pair(repaired):
            raise Mistake("A repaired bar is two numbers: the mean, and half the interval.")
        mean, half = repaired
        if same([mean, half], [expected[0] - expected[1], expected[0] + expected[1]]):
            raise Mistake(
                "These are the two ends of the interval. Return its middle, and half its length."
            )
        if not same(mean, expected[0]):
            raise Mistake("The mean was right in the code that was sent in. Leave it.")
        refuse(half, known)
        if not same(half, expected[1]):
            raise Mistake(
                f"With {number} tasks of {queries} queries, half the repaired interval is another "
                "number. What is drawn independently of the rest, a query or a task?"
            )

    return judge


ERROR_BAR = Patient(
    fault=2,
    others={
        1: "Nothing is chosen in this code: it only reports.",
        3: "Over many tasks 1.96 is right for 95 %. Ask what it is multiplied with.",
        4: "It does divide by a root. By the root of what?",
        5: "One more or less makes hardly a difference. This bar is several times too short.",
    },
    sick={
        "is the patient": sick_error_bar,
        "takes p(1 - p) over all queries": _binomial_bar,
        "pools all queries, too, for an interval of 99 %": _bar(True, lambda number: 2.576),
    },
    healthy={
        "takes the tasks' own spread": error_bar,
        "takes Student's t in place of 1.96": _bar(False, _student),
    },
    inputs=_answers,
    judge=_judge_bar,
)


# --- an inner loop


def sick_adapt(w: Tensor, x: Tensor, y: Tensor, inner_lr: float, steps: int) -> Tensor:
    """As it was sent in."""
    rows = w.expand(len(x), -1)
    for _ in range(steps):
        error = (x @ rows.unsqueeze(-1)).squeeze(-1) - y
        slope = 2 * (error.unsqueeze(-1) * x).sum(1) / error.numel()
        rows = rows - inner_lr * slope
    return rows


def adapt(w: Tensor, x: Tensor, y: Tensor, inner_lr: float, steps: int) -> Tensor:
    """Each task's weights ``(T, D)`` after some steps down its own mean squared error.

    Args:
        w: ``(D,)``, where all tasks start.
        x, y: ``(T, N, D)`` and ``(T, N)``.
    """
    rows = w.expand(len(x), -1)
    for _ in range(steps):
        error = (x @ rows.unsqueeze(-1)).squeeze(-1) - y
        rows = rows - inner_lr * 2 * (error.unsqueeze(-1) * x).mean(1)
    return rows


def examine_adapt(
    code: Callable, w: Tensor, x: Tensor, y: Tensor, inner_lr: float, steps: int
) -> tuple[int, bool, Tensor]:
    """Fault, whether ``code`` is healthy, and repaired rows.

    A task must come out the same, alone or among others.
    """
    start, many, values = _tasks(6, 5, 3, seed=7)
    together = code(start, many, values, 0.1, 3)
    alone = [code(start, many[t : t + 1], values[t : t + 1], 0.1, 3)[0] for t in range(len(many))]
    healthy = same(together, torch.stack([*map(torch.as_tensor, alone)]), rtol=1e-3)
    return 4, healthy, adapt(w, x, y, inner_lr, steps)


def _tasks(num_tasks: int, num_points: int, size: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = seeded(seed)
    w = torch.randn(size, generator=generator)
    x = torch.randn(num_tasks, num_points, size, generator=generator)
    slopes = torch.randn(num_tasks, size, 1, generator=generator)
    return w, x, (x @ slopes).squeeze(-1) + 0.5


def _adapt_one_by_one(w, x, y, inner_lr, steps):
    rows = []
    for points, values in zip(x, y, strict=True):
        row = w.double()
        for _ in range(steps):
            error = points.double() @ row - values
            row = row - inner_lr * 2 * error @ points.double() / len(values)
        rows.append(row.to(w.dtype))
    return torch.stack(rows)


def _adapt_from_the_last(w, x, y, inner_lr, steps):
    rows = []
    for points, values in zip(x, y, strict=True):
        (w,) = adapt(w, points[None], values[None], inner_lr, steps)
        rows.append(w)
    return torch.stack(rows)


def _adapt_in_one(w, x, y, inner_lr, steps):
    for _ in range(steps):
        w = w - inner_lr * (adapt(w, x, y, -1.0, 1) - w).mean(0)
    return w.expand(len(x), -1)


def _adapt_centred(w, x, y, inner_lr, steps):
    return adapt(w, x - x.mean((0, 1)), y, inner_lr, steps)


def _adapt_by_hand(w, x, y, inner_lr, steps):
    return adapt(w, x, y, inner_lr / len(x), steps)


def _batches() -> Iterator[tuple]:
    for seed, (tasks, points, size, inner_lr, steps) in enumerate(
        ((4, 5, 2, 0.1, 2), (1, 3, 3, 0.2, 1), (7, 1, 2, 0.05, 4), (3, 6, 1, 0.1, 0)), 20
    ):
        yield *_tasks(tasks, points, size, seed), inner_lr, steps


def _judge_rows(w, x, y, inner_lr, steps) -> Callable[[Any], None]:
    expected = adapt(w, x, y, inner_lr, steps)
    points = x.shape[1]
    mistakes = [
        (
            sick_adapt(w, x, y, inner_lr, steps),
            "Your repaired rows are still those of the patient.",
        ),
        (
            adapt(w, x, y, inner_lr * points, steps),
            "You sum over a task's points, too. Over its own points it is a mean.",
        ),
        (adapt(w, x, y, inner_lr / points, steps), "You divide by the number of points twice."),
        (adapt(w, x, y, inner_lr, 1), "You take one step, whatever `steps` says."),
        (adapt(w, x, y, -inner_lr, steps), "You walk uphill."),
        (adapt(w, x, y, inner_lr / 2, steps), "The slope of a square has a factor 2."),
        (w.expand(len(x), -1), "Nothing moves: these are the weights you started from."),
        (_adapt_in_one(w, x, y, inner_lr, steps), "All tasks end in one row. Each has its own."),
        (
            _adapt_from_the_last(w, x, y, inner_lr, steps),
            "Each task starts where the task before it stopped. All start from w.",
        ),
    ]
    known = [(wrong, said) for wrong, said in mistakes if not same(wrong, expected)]

    def judge(repaired: Any) -> None:
        repaired = of_shape(repaired, expected.shape, "a row of weights for each task")
        refuse(repaired, known)
        if not same(repaired, expected, rtol=1e-3):
            raise Mistake(
                f"With {len(x)} task(s), {points} point(s) each and {steps} step(s), the repaired "
                "rows are others. What does one task's own loss say about its own row?"
            )

    return judge


INNER_LOOP = Patient(
    fault=4,
    others={
        1: "`rows - …` makes new rows: no task writes into another's.",
        2: "All of this can be differentiated. And the complaint is about the inner loop alone.",
        3: "Each turn of the loop goes on from the rows of the turn before.",
        5: "Whoever calls it hands in x and y of the support. There is no query in sight.",
    },
    sick={
        "is the patient": sick_adapt,
        "divides by the number of tasks by hand": _adapt_by_hand,
        "starts each task where the one before it stopped": _adapt_from_the_last,
        "centres x by the mean over the whole batch": _adapt_centred,
        "moves one row for all tasks": _adapt_in_one,
    },
    healthy={
        "adapts all tasks at once": adapt,
        "loops over tasks in double precision": _adapt_one_by_one,
    },
    inputs=_batches,
    judge=_judge_rows,
)


# --- a sampler


def sick_sampler(
    pool: Tensor, num_ways: int, num_shots: int, num_queries: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """As it was sent in."""
    ways = torch.randint(len(pool), (num_ways,), generator=generator)

    def draw(number):
        order = torch.rand(num_ways, pool.shape[1], generator=generator).argsort(1)
        return pool[ways].gather(1, order[:, :number])

    return draw(num_shots), draw(num_queries)


def draw_episode(
    pool: Tensor, num_ways: int, num_shots: int, num_queries: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Drawings of one episode: support ``(num_ways, num_shots)``, query ``(…, num_queries)``.

    Args:
        pool: ``(C, M)``, the numbers of the M drawings of each of C classes.
    """
    ways = torch.randperm(len(pool), generator=generator)[:num_ways]
    order = torch.rand(num_ways, pool.shape[1], generator=generator).argsort(1)
    drawn = pool[ways].gather(1, order)
    return drawn[:, :num_shots], drawn[:, num_shots : num_shots + num_queries]


def examine_sampler(
    code: Callable,
    pool: Tensor,
    num_ways: int,
    num_shots: int,
    num_queries: int,
    generator: torch.Generator,
) -> tuple[int, bool, tuple[Tensor, Tensor]]:
    """Fault, whether ``code`` is healthy, and a repaired episode.

    Where classes and drawings are barely enough, whatever comes twice does so soon: each row must
    be a class. And the same seed must give the same episodes, one unlike the next.
    """
    classes = torch.arange(24).view(4, 6)

    def drawn(number: int) -> list[list[list[int]]]:
        own = torch.Generator().manual_seed(5)
        episodes = (code(classes, 4, 3, 3, own) for _ in range(number))
        return [torch.cat([*map(torch.as_tensor, each)], 1).tolist() for each in episodes]

    episodes = drawn(60)
    healthy = all(sorted(map(sorted, each)) == classes.tolist() for each in episodes)
    healthy = healthy and episodes[0] != episodes[1] and drawn(2) == episodes[:2]
    repaired = draw_episode(pool, num_ways, num_shots, num_queries, generator)
    return 5, healthy, repaired


def _episode(twice: bool = False, shared: bool = False, again: bool = False, seldom: bool = False):
    """A sampler with some faults; ``seldom``: in about one episode of ten."""

    def sample(pool, num_ways, num_shots, num_queries, generator):
        sick = not seldom or float(torch.rand((), generator=generator)) < 0.1
        ways = torch.randperm(len(pool), generator=generator)[:num_ways]
        if twice and sick:
            ways = torch.randint(len(pool), (num_ways,), generator=generator)
        support, query = [], []
        for way in ways.tolist():
            order = torch.randperm(pool.shape[1], generator=generator)
            first, second = order[:num_shots], order[num_shots : num_shots + num_queries]
            if shared and sick:
                second = torch.randperm(pool.shape[1], generator=generator)[:num_queries]
            if again and sick:
                first = torch.randint(pool.shape[1], (num_shots,), generator=generator)
                second = torch.tensor([one for one in order if one not in first][:num_queries])
            if len(second) < num_queries:  # too few are left of a small pool
                second = order[:num_queries]
            support.append(pool[way, first])
            query.append(pool[way, second])
        return torch.stack(support), torch.stack(query)

    return sample


def _rows_apart(pool, num_ways, num_shots, num_queries, generator):
    support, query = draw_episode(pool, num_ways, num_shots, num_queries, generator)
    return support, query.roll(1, 0)


def _drawn_globally(pool, num_ways, num_shots, num_queries, generator):
    return draw_episode(pool, num_ways, num_shots, num_queries, None)


def _half_globally(pool, num_ways, num_shots, num_queries, generator):
    support, query = draw_episode(pool, num_ways, num_shots, pool.shape[1] - num_shots, generator)
    order = torch.randperm(query.shape[1])
    return support, query[:, order[:num_queries]]


def _always_one(pool, num_ways, num_shots, num_queries, generator):
    return draw_episode(pool, num_ways, num_shots, num_queries, torch.Generator().manual_seed(0))


def _the_first(pool, num_ways, num_shots, num_queries, generator):
    """Costs nothing: given to whoever is judged by the repaired episode only."""
    rows = pool[:num_ways]
    return rows[:, :num_shots], rows[:, num_shots : num_shots + num_queries]


def _pools() -> Iterator[tuple]:
    for seed, (classes, drawings, ways, shots, queries) in enumerate(
        ((8, 6, 5, 1, 3), (4, 4, 4, 2, 2), (20, 3, 3, 1, 2), (6, 9, 1, 5, 1), (5, 2, 5, 1, 1))
    ):
        order = torch.randperm(classes * drawings, generator=seeded(seed))
        yield order.view(classes, drawings) + 100, ways, shots, queries, seed


def _judge_episode(pool, num_ways, num_shots, num_queries, seed) -> Callable[[Any], None]:
    return partial(_judge_drawn, pool, num_ways, num_shots, num_queries)


def _judge_drawn(pool, num_ways, num_shots, num_queries, repaired: Any) -> None:
    if not _pair(repaired):
        raise Mistake("A repaired episode is two tensors: support and query.")
    support = of_shape(repaired[0], (num_ways, num_shots), "support drawings, a row for each way")
    query = of_shape(repaired[1], (num_ways, num_queries), "query drawings, a row for each way")
    home = {number: way for way, row in enumerate(pool.tolist()) for number in row}
    rows = torch.cat([support, query], 1).tolist()
    if any(number not in home for row in rows for number in row):
        raise Mistake("Your repaired episode holds numbers that are not in the pool.")
    if any(len({home[number] for number in row}) > 1 for row in rows):
        raise Mistake("In your repaired episode support and query of a row are of two classes.")
    if len({home[row[0]] for row in rows}) < num_ways:
        raise Mistake("In your repaired episode two ways are one and the same class.")
    if len({number for row in support.tolist() for number in row}) < support.numel():
        raise Mistake("In your repaired episode the support holds a drawing twice.")
    if len({number for row in query.tolist() for number in row}) < query.numel():
        raise Mistake("In your repaired episode the query holds a drawing twice.")
    if len({number for row in rows for number in row}) < num_ways * (num_shots + num_queries):
        raise Mistake("In your repaired episode a query drawing stands in the support, too.")


SAMPLER = Patient(
    fault=5,
    others={
        1: "It draws from `generator`, which goes on from call to call.",
        2: "A row of the support and the same row of the query come from the same `ways`.",
        3: "That alone would only lower the scores. Yet a learner that has learned nothing is far "
        "above chance.",
        4: "That alone would only raise the scores. Yet nobody gets beyond a ceiling.",
        6: "This code sees one pool only. What happens within it?",
    },
    sick={
        "is the patient": sick_sampler,
        "lets a class come twice": _episode(twice=True),
        "lets a query stand in the support": _episode(shared=True),
        "lets a drawing come twice in the support": _episode(again=True),
        "lets a class come twice, in one episode of ten": _episode(twice=True, seldom=True),
        "lets a query stand in the support, in one episode of ten": _episode(
            shared=True, seldom=True
        ),
        "gives the query's rows in another order than the support's": _rows_apart,
        "draws the same episode at every call": _always_one,
        "draws without `generator`": _drawn_globally,
        "draws the queries without `generator`": _half_globally,
    },
    healthy={
        "draws the drawings of a class by chance": draw_episode,
        "draws them one class after the other": _episode(),
    },
    inputs=_pools,
    judge=_judge_episode,
)


def check_sampler(answer: Callable) -> None:
    """As of every patient; and what is drawn must be chance, and chance of ``generator`` only."""

    def drawn(code: Callable, *given: Any) -> Any:
        *rest, seed = given
        return answer(code, *rest, seeded(seed))

    _check(SAMPLER, drawn)
    pool, found = torch.arange(12).view(6, 2), []
    for seed in (*range(3), *range(8)):
        support, query = answer(_the_first, pool, 5, 1, 1, seeded(seed))[2]
        found.append((support.flatten().tolist(), query.flatten().tolist()))
    if found[:3] != found[3:6]:
        raise Mistake(
            "The same generator gave another repaired episode: draw with `generator` only, and "
            "let the experiment have one of its own."
        )
    for half, name in enumerate(("support", "query")):
        met = {number for episode in found for number in episode[half]}
        # Of twelve drawings, a right answer leaves out four once in a million.
        if len({number // 2 for number in met}) < len(pool) or len(met) < 9:
            raise Mistake(
                f"In many repaired episodes some drawings never came into the {name}. All should "
                "have the same chance."
            )


# --- a meta-gradient


def sick_meta_gradient(
    loss: Callable, theta: Tensor, support: Tensor, query: Tensor, inner_lr: float, steps: int
) -> Tensor:
    """As it was sent in."""
    theta = theta.detach().requires_grad_()
    adapted = theta.expand(len(support), -1)
    for step in range(steps):
        inner = loss(adapted, support).sum()
        (slope,) = torch.autograd.grad(inner, adapted, create_graph=step == steps - 1)
        adapted = adapted - inner_lr * slope
    outer = loss(adapted, query).mean()
    return torch.autograd.grad(outer, theta)[0]


def meta_gradient(
    loss: Callable, theta: Tensor, support: Tensor, query: Tensor, inner_lr: float, steps: int
) -> Tensor:
    """The gradient ``(D,)`` of the mean query loss after ``steps`` inner steps from ``theta``.

    Args:
        loss: ``loss(params, data)`` gives each task's loss ``(T,)``, of ``params`` ``(T, D)``.
        support, query: ``(T, …)``, the data of T tasks.
    """
    theta = theta.detach().requires_grad_()
    adapted = theta.expand(len(support), -1)
    for _ in range(steps):
        inner = loss(adapted, support).sum()
        (slope,) = torch.autograd.grad(inner, adapted, create_graph=True)
        adapted = adapted - inner_lr * slope
    return torch.autograd.grad(loss(adapted, query).mean(), theta)[0]


def _curved(params: Tensor, data: Tensor) -> Tensor:
    """Each task's loss: two weights, through a tanh, squared. Nowhere quadratic."""
    return (torch.tanh((data * params.unsqueeze(1)).sum(-1)) - data.sin().sum(-1)).square().sum(1)


def examine_meta_gradient(
    code: Callable,
    loss: Callable,
    theta: Tensor,
    support: Tensor,
    query: Tensor,
    inner_lr: float,
    steps: int,
) -> tuple[int, bool, Tensor]:
    """Fault, whether ``code`` is healthy, and the repaired meta-gradient.

    Against finite differences: four steps, three tasks, a curved loss, and queries of their own.
    """
    generator = torch.Generator().manual_seed(3)
    start, here, there = (
        torch.randn(*shape, generator=generator, dtype=torch.float64)
        for shape in ((2,), (3, 4, 2), (3, 4, 2))
    )

    def outer(theta):
        rows = theta.expand(3, -1)
        for _ in range(4):
            rows = rows.detach().requires_grad_()
            rows = rows - 0.1 * torch.autograd.grad(_curved(rows, here).sum(), rows)[0]
        return _curved(rows.detach(), there).mean()

    moves = 1e-5 * torch.eye(2, dtype=torch.float64)
    truth = torch.stack([(outer(start + move) - outer(start - move)) / 2e-5 for move in moves])
    healthy = same(code(_curved, start, here, there, 0.1, 4), truth, rtol=1e-3)
    return 3, healthy, meta_gradient(loss, theta, support, query, inner_lr, steps)


def _product(kept: Callable[[int, int], bool], frozen: bool = False) -> Callable:
    """The meta-gradient as a product of Jacobians, of those steps only that are ``kept``.

    ``frozen``: each Jacobian is taken at theta.
    """

    def product(loss, theta, support, query, inner_lr, steps):
        found = []
        for here, there in zip(support[:, None], query[:, None], strict=True):
            row, jacobian = theta.detach(), torch.eye(len(theta), dtype=theta.dtype)
            for step in range(steps):
                slope, hessian = _derivatives(loss, row, here)
                if kept(step, steps):
                    if frozen:
                        _, hessian = _derivatives(loss, theta, here)
                    jacobian = jacobian - inner_lr * hessian @ jacobian
                row = row - inner_lr * slope
            found.append(_derivatives(loss, row, there)[0] @ jacobian)
        return torch.stack(found).mean(0)

    return product


def _derivatives(loss: Callable, row: Tensor, data: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient ``(D,)`` and second derivatives ``(D, D)`` of one task's loss."""
    row = row.detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss(row[None], data)[0], row, create_graph=True)
    if not slope.requires_grad:  # of a loss that is a straight line
        return slope, torch.zeros(len(row), len(row), dtype=row.dtype)
    parts = [torch.autograd.grad(part, row, retain_graph=True)[0] for part in slope]
    return slope.detach(), torch.stack(parts)


def _on_the_support(loss, theta, support, query, inner_lr, steps):
    return meta_gradient(loss, theta, support, support, inner_lr, steps)


def _summed(loss, theta, support, query, inner_lr, steps):
    return len(support) * meta_gradient(loss, theta, support, query, inner_lr, steps)


def _downhill(loss, theta, support, query, inner_lr, steps):
    return -meta_gradient(loss, theta, support, query, inner_lr, steps)


def _a_little_long(loss, theta, support, query, inner_lr, steps):
    return 1.05 * meta_gradient(loss, theta, support, query, inner_lr, steps)


def _of_the_first(loss, theta, support, query, inner_lr, steps):
    return meta_gradient(loss, theta, support[:1], query[:1], inner_lr, steps)


def _waves(params: Tensor, data: Tensor) -> Tensor:
    x, y = data[..., 0], data[..., 1]
    return (params[:, :1] * torch.sin(x + params[:, 1:2]) - y).square().mean(1)


def _quadratic(params: Tensor, data: Tensor) -> Tensor:
    return (data * (params - 1).unsqueeze(1)).sum(-1).square().mean(1)


def _problems() -> Iterator[tuple]:
    generator = seeded(16)
    for loss, size, tasks, points, inner_lr, steps in (
        (_waves, 2, 4, 5, 0.2, 3),
        (_curved, 3, 3, 4, 0.15, 2),
        (_quadratic, 2, 2, 3, 0.1, 4),
        (_waves, 2, 1, 6, 0.3, 5),
        (_curved, 2, 5, 2, 0.2, 1),
        (_curved, 3, 2, 3, 0.2, 0),
    ):
        data = torch.randn(2, tasks, points, size, generator=generator)
        yield loss, torch.randn(size, generator=generator), *data, inner_lr, steps


FIRST_ORDER = _product(lambda step, steps: False)
PRODUCT = _product(lambda step, steps: True)


def _judge_gradient(loss, theta, support, query, inner_lr, steps) -> Callable[[Any], None]:
    given = loss, theta, support, query, inner_lr, steps
    expected = meta_gradient(*given)
    mistakes = [
        (FIRST_ORDER(*given), "This is first-order MAML: no inner step is differentiated."),
        (sick_meta_gradient(*given), "Your repaired gradient is still that of the patient."),
        (
            _product(lambda step, steps: step == 0)(*given),
            "You keep the graph of the first step alone. All are on the way back to theta.",
        ),
        (
            _product(lambda step, steps: step >= steps - 2)(*given),
            "You keep the graph of two steps only.",
        ),
        (
            _product(lambda step, steps: True, frozen=True)(*given),
            "Each step has its own second derivatives, taken where that step starts.",
        ),
        (_on_the_support(*given), "The outer loss is on the query."),
        (_summed(*given), "The outer loss is the mean over tasks, not the sum."),
        (-expected, "The sign is wrong: the gradient itself is asked for, not a step down."),
        (
            meta_gradient(loss, theta, support, query, inner_lr / len(support), steps),
            "Your inner steps are divided by the number of tasks. Sum the inner losses: no task "
            "touches another's row.",
        ),
        (
            meta_gradient(loss, theta, support, query, inner_lr, 1),
            "You take one inner step, whatever `steps` says.",
        ),
    ]
    known = [(wrong, said) for wrong, said in mistakes if not same(wrong, expected, rtol=1e-3)]

    def judge(repaired: Any) -> None:
        repaired = of_shape(repaired, theta.shape, "the gradient, one number for each of theta")
        refuse(repaired, known, rtol=1e-3)
        if not same(repaired, expected, rtol=2e-3, atol=1e-4):
            raise Mistake(
                f"With {len(support)} task(s) and {steps} inner step(s) your repaired gradient "
                "differs from finite differences of the outer loss."
            )

    return judge


META_GRADIENT = Patient(
    fault=3,
    others={
        1: "Then one inner step would be wrong, too. The complaint says that it is right.",
        2: "Look again at which data the two losses are given.",
        4: "The loop goes on from `adapted`.",
        5: "The outer loss is a mean. (The inner one is a sum, and may be: each row has its own.)",
        6: "With the wrong sign even one step would be wrong.",
    },
    sick={
        "is the patient": sick_meta_gradient,
        "drops the second order altogether": FIRST_ORDER,
        "is right on quadratics": _product(lambda step, steps: True, frozen=True),
        "is right up to two steps": _product(lambda step, steps: step >= steps - 2),
        "is right where the query is the support": _on_the_support,
        "is right with one task": _of_the_first,
        "points the right way, but is too long": _summed,
        "has the right length, and the wrong sign": _downhill,
        "is too long by a twentieth": _a_little_long,
    },
    healthy={
        "differentiates the whole outer loss": meta_gradient,
        "multiplies Jacobians, one task after the other": PRODUCT,
    },
    inputs=_problems,
    judge=_judge_gradient,
)


SENT_IN = {
    name: dict(zip("ABCDE", codes, strict=False))
    for name, codes in {
        "error_bar": (_binomial_bar, _bar(False, _student), sick_error_bar, error_bar),
        "adapt": (_adapt_one_by_one, _adapt_by_hand, _adapt_centred, sick_adapt, adapt),
        "sampler": (
            _episode(shared=True, seldom=True),
            _episode(),
            sick_sampler,
            _episode(twice=True),
            draw_episode,
        ),
        "meta_gradient": (
            PRODUCT,
            sick_meta_gradient,
            _product(lambda step, steps: True, frozen=True),
            meta_gradient,
            FIRST_ORDER,
        ),
    }.items()
}
"""for each patient, the code of others who sent theirs in: some of them healthy"""


EXERCISES = {
    "error_bar": Exercise(
        hints=(
            "Ask the same queries of the same tasks ten times over. What do you know then about "
            "tasks that you did not know before? And what does the code say?",
            "A bar over queries shrinks if each query is counted several times; a bar over tasks "
            "does not. right.repeat(1, 9) asks everything nine times. Choose tasks that differ.",
            "Repair: tasks = right.mean(1), one score a task; then its mean, and 1.96 times its "
            "std over the root of how many tasks there are.",
        ),
        check=partial(_check, ERROR_BAR),
        praise="You made the bar lie in front of witnesses. Now it counts what was drawn: tasks.",
    ),
    "adapt": Exercise(
        hints=(
            "No task knows who else is in its batch. So what must stay the same if you adapt it "
            "alone, or among five others that are unlike it?",
            "Make six tasks of your own, adapt them together, then each by itself with "
            "x[t : t + 1], and compare the rows. In the code, see what the slope is divided by.",
            "error is (T, N), so error.numel() is T times N. A task's own mean is over its N "
            "points: divide by error.shape[1].",
        ),
        check=partial(_check, INNER_LOOP),
        praise="Alone or in company, every task now learns the same.",
    ),
    "sampler": Exercise(
        hints=(
            "Two complaints that pull the score in opposite directions may well be two faults. "
            "What can come twice?",
            "Make a small pool of which an episode needs all: as many ways as classes, and shots "
            "and queries that use up the drawings. Draw often, and see whether each row is a "
            "class. And what must the same seed give twice?",
            "Repair: torch.randperm(len(pool), generator=generator)[:num_ways] for the ways; then "
            "one order of the drawings for each way, cut in two: shots first, queries after.",
        ),
        check=check_sampler,
        praise="Two faults that hid behind each other, and neither gets past you now.",
    ),
    "meta_gradient": Exercise(
        hints=(
            "For which number of inner steps is `step == steps - 1` true in every step? That is "
            "where the complaint's check was made. Where else may a wrong gradient look right?",
            "Write the outer loss as a function of theta, with nothing but values, and take finite "
            "differences in double precision. Make it hard: several steps, a loss that is no "
            "quadratic, several tasks, queries that are not the support. Compare lengths, too, and "
            "signs.",
            "Four steps at rate 0.1, three tasks, a tanh in the loss. The repair is one word: "
            "create_graph=True in every step. The experiment then compares `code` with finite "
            "differences on data of its own, number by number, to one in a hundred.",
        ),
        check=partial(_check, META_GRADIENT),
        praise="An experiment that nine sick codes failed, most of them right somewhere. Keep it.",
    ),
}
