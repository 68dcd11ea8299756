"""The exercises of notebook 17: the best guess, and a learner that must not memorise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.best_guess import BestGuess
from metalearn_lite.teaching.comparing import Mistake, of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise
from metalearn_lite.teaching.running import attempted

# --- best_guess: the posterior mean over a known list of tasks ------------------------------


def best_guess(known: Tensor, x: Tensor, y: Tensor, query_x: Tensor, noise: float) -> Tensor:
    """The answers ``(Q,)`` with the smallest expected squared error, for one task of a list.

    Args:
        known: ``(M, D)``, the weights of every task there is, all equally likely.
        x: ``(N, D)``; y: ``(N,)``: the examples. N may be 0.
        query_x: ``(Q, D)``.
        noise: standard deviation of the noise in y.
    """
    learner = BestGuess(known, noise)
    return learner.predict(learner.adapt(Examples(x[None], y[None])), query_x[None])[0]


Guessing = tuple[Tensor, Tensor, Tensor, Tensor, float]


def _lists() -> Iterator[tuple[str, Guessing]]:
    """Lists of tasks, with examples of one of them."""
    generator = seeded(1723)
    for said, num_known, size, count, queries, noise in (
        ("with a list of five tasks", 5, 3, 4, 3, 1.5),
        ("with a task that stands twice in the list", 4, 2, 2, 3, 1.7),
        ("without any example", 6, 2, 0, 4, 0.5),
        ("with much noise", 4, 3, 5, 2, 2.5),
        ("with one weight a task, and one query", 3, 1, 2, 1, 0.6),
        ("with little noise", 7, 2, 1, 3, 0.2),
        ("with a list of one task", 1, 2, 3, 2, 0.5),
        ("with a task that is not in the list, far from all that are", 5, 2, 6, 3, 0.1),
        ("with 400 examples", 6, 4, 400, 5, 3.0),
    ):
        known = torch.randn(num_known, size, generator=generator)
        if noise > 1:  # so much alike that none is ever sure
            known *= 0.5
        if "twice" in said:
            known[1] = known[0]
        weights = 40 * torch.ones(size) if "far" in said else known[-1]
        if "400" in said:  # two of them even then
            known[:-1] *= 3
            known[-2] = known[-1] + 0.15
        x = torch.randn(count, size, generator=generator)
        y = x @ weights + noise * torch.randn(count, generator=generator)
        yield said, (known, x, y, torch.randn(queries, size, generator=generator), noise)


def check_best_guess(answer: Callable) -> None:
    for said, given in _lists():
        copies = [part.clone() for part in given[:4]]
        result = attempted(answer(*copies, given[4]))
        if not all(map(torch.equal, copies, given[:4])):
            raise Mistake("You changed known, x, y or query_x in place. Work on copies.")
        queries = len(given[3])
        if queries == 1 and isinstance(result, Tensor):
            result = result.reshape(-1)
        result = of_shape(result, (queries,), "one answer for each query")
        right = best_guess(*given)
        if same(result, right, rtol=1e-3, atol=1e-4):
            continue
        if result.isnan().any():
            raise Mistake(
                "NaN: all chances were rounded to 0, and 0 / 0 is no number. Compare misfits "
                "before you take the exponential: only their differences count."
                if len(given[1])
                else "NaN: without any example, every task of the list is still as likely."
            )
        mistakes = [
            (wrong, why)
            for wrong, why in _guess_mistakes(*given)
            if not same(wrong, right, rtol=3e-3, atol=3e-4)
        ]
        refuse(result, mistakes, rtol=1e-3, atol=1e-4)
        raise Mistake(
            f"These are not the best answers {said}. Print the chance that you give to each task "
            "of the list: do they sum to 1, and does the task that fits best have the largest?"
        )


def _guess_mistakes(
    known: Tensor, x: Tensor, y: Tensor, query_x: Tensor, noise: float
) -> list[tuple[Tensor, str]]:
    misfits = (y[:, None] - x @ known.T).square()  # (N, M)
    total, answers = misfits.sum(0), query_x @ known.T
    exponent = -total / (2 * noise**2)

    def by(scores: Tensor) -> Tensor:
        return answers @ torch.softmax(scores, 0)

    chances = torch.softmax(exponent, 0)
    count = max(len(x), 1)
    unique = known.unique(dim=0)
    fewer = torch.softmax(-(y[:, None] - x @ unique.T).square().sum(0) / (2 * noise**2), 0)
    ridge = torch.linalg.solve(x.T @ x + noise**2 * torch.eye(x.shape[1]), x.T @ y)
    votes = torch.softmax(-misfits / (2 * noise**2), 1).mean(0) if len(x) else chances
    return [
        (
            answers[:, exponent.argmax()],
            "You answered with the likeliest task alone. As long as others are possible, their "
            "answers count too, each by its chance.",
        ),
        (
            answers.mean(1),
            "Each task of the list has the same weight: your examples make no difference.",
        ),
        (
            by(-total / noise**2),
            "You are surer than you may be: look up the exponent of the normal density.",
        ),
        (
            by(-total / (2 * noise)),
            "In the normal density's exponent the noise is squared, as the misfit is.",
        ),
        (
            by(-total / 2),
            "The noise makes no difference to your answer. With much of it, a misfit says little.",
        ),
        (by(-total), "The noise makes no difference: this is a softmax of plain misfits."),
        (
            by(exponent / count),
            "You took the mean misfit. Each example is a witness of its own: ten say more than "
            "one.",
        ),
        (
            by(-misfits.sqrt().sum(0) / noise),
            "You did not square the misfits: this is another noise than the normal one.",
        ),
        (
            by(-misfits.sqrt().sum(0).square() / (2 * noise**2)),
            "You added up the misfits before squaring. Square each of them first.",
        ),
        (
            by(-(y[:, None] - x @ known.T).sum(0).square() / (2 * noise**2)),
            "You added up the misfits before squaring: then one too high hides one too low.",
        ),
        (by(-exponent), "The tasks that fit worst got the largest weights: mind the sign."),
        (
            answers @ exponent.exp(),
            "Your weights do not sum to 1. Divide by their sum.",
        ),
        (
            answers @ exponent.exp() / len(known),
            "Your weights do not sum to 1: divide by their own sum, not by the number of tasks.",
        ),
        (
            answers @ (1 / total.clamp(min=1e-12)) / (1 / total.clamp(min=1e-12)).sum(),
            "You weighted by one over the misfit. Normal noise says something else: how likely "
            "are these y, if it is this task?",
        ),
        (
            answers @ votes,
            "You averaged what single examples say. That they *all* came out so is the question: "
            "independent chances multiply.",
        ),
        (
            query_x @ unique.T @ fewer,
            "A task that stands twice in the list is twice as likely as the others.",
        ),
        (
            query_x @ ridge,
            "This is ridge regression: the best there is where *any* weights are possible. Here "
            "only those of the list are.",
        ),
        (
            by(-misfits[:1].sum(0) / (2 * noise**2)),
            "Only your first example counts. All of them do.",
        ),
    ]


# --- must_not_memorise ----------------------------------------------------------------------


def must_not_memorise(
    support_x: Tensor,
    support_y: Tensor,
    query_x: Tensor,
    query_y: Tensor,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """New labels for support and query: a task that is as linear as the old one, but unknown.

    Args:
        support_x: ``(T, N, D)``; support_y: ``(T, N)``. N may be 0.
        query_x: ``(T, M, D)``; query_y: ``(T, M)``.
        generator: draws what each task's weights change by.
    """
    num_tasks, _, size = support_x.shape
    change = 2.5 * torch.randn(num_tasks, size, 1, generator=generator)
    return support_y + (support_x @ change)[..., 0], query_y + (query_x @ change)[..., 0]


LEAST, MOST = 2.0, 5.0
"""the spread that is asked for; a little less or more is let pass, as it is measured on draws"""


def check_must_not_memorise(answer: Callable) -> None:
    generator = seeded(1917)
    for num_tasks, count, queries, size in (
        (2000, 8, 6, 3),
        (2000, 5, 5, 1),
        (2000, 7, 9, 4),
        (2000, 9, 6, 3),
    ):
        weights = torch.randn(2, size, generator=generator)
        x = torch.randn(num_tasks, count + queries, size, generator=generator)
        y = (x @ weights[torch.arange(num_tasks) % 2].unsqueeze(2))[..., 0]
        given = x[:, :count], y[:, :count], x[:, count:], y[:, count:]
        new = _new_labels(answer, given, seed=size)
        again = _new_labels(answer, given, seed=size)
        if not all(map(same, again, new)):
            raise Mistake("The same generator gave other labels: draw with `generator` only.")
        if all(map(same, _new_labels(answer, given, seed=99), new)) and not _kept(given, new):
            raise Mistake("Another generator gave the same labels. Draw the change anew each time.")
        _check_change(given, new, weights)
    _check_noise(answer, generator)
    _check_small(answer, generator)


def _new_labels(answer: Callable, given: tuple, seed: int) -> list[Tensor]:
    copies = [part.clone() for part in given]
    result = attempted(answer(*copies, seeded(seed)))
    if not all(map(torch.equal, copies, given)):
        raise Mistake("You changed the examples in place. Return new labels.")
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Mistake("Return two tensors: the support's new labels, and the query's.")
    shapes = given[1].shape, given[3].shape
    words = "one label for each support example", "one label for each query"
    return [of_shape(*part).float() for part in zip(result, shapes, words, strict=True)]


def _kept(given: tuple, new: list[Tensor]) -> bool:
    return same(new[0], given[1]) and same(new[1], given[3])


def _fit(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Each task's weights, and what is left over of each label."""
    x, y = x.double(), y.double()
    weights = torch.linalg.lstsq(x, y.unsqueeze(2)).solution
    return weights.squeeze(2), y - (x @ weights).squeeze(2)


def _check_change(given: tuple, new: list[Tensor], old: Tensor) -> None:
    """Without noise in the labels, for tasks of which every other one is the same."""
    support_x, support_y, query_x, query_y = given
    if _kept(given, new):
        raise Mistake("Nothing has changed: the old labels, which a memory knows.")
    if not (new[0].isfinite().all() and new[1].isfinite().all()):
        raise Mistake("Some of your labels are no finite numbers.")
    if same(new[0], support_y) or same(new[1], query_y):
        raise Mistake(
            "Only one of the two halves has new labels. Then what is read in the support is not "
            "what is asked: change both alike."
        )
    changes = [new[0] - support_y, new[1] - query_y]
    if all(same(c, c[:, :1].expand_as(c), rtol=1e-3, atol=1e-3) for c in changes):
        raise Mistake(
            "You shifted all labels of a task by one number. Who knows the old task by heart "
            "needs a single example to find that number: all the rest is memory as before."
        )
    factor = (new[0] * support_y).sum(1, keepdim=True) / support_y.square().sum(1, keepdim=True)
    several = support_x.shape[2] > 1  # one weight times any number is any weight
    if several and same(new[0], factor * support_y, rtol=1e-3, atol=1e-3):
        raise Mistake(
            "You multiplied all labels of a task by one number. Who knows the old task by heart "
            "needs a single example to find that number: all the rest is memory as before."
        )
    weights, left = _fit(support_x, new[0])
    asked, left_asked = _fit(query_x, new[1])
    if left.abs().max() > 1e-3 * (1 + new[0].abs().max()) or left_asked.abs().max() > 1e-3 * (
        1 + new[1].abs().max()
    ):
        raise Mistake(
            "Within a task the new y is no linear function of x any more, so that nothing in the "
            "support tells the query. What you add must follow from x in the same way at every "
            "example of a task."
        )
    if (weights - asked).abs().max() > 1e-2 * (1 + weights.abs().max()):
        raise Mistake(
            "Support and query of a task follow different weights now: did you draw twice? It "
            "must stay one task."
        )
    moved = weights - old.double()[torch.arange(len(weights)) % 2]
    _check_spread(moved, weights)


def _check_spread(moved: Tensor, weights: Tensor) -> None:
    if (moved - moved[:1]).abs().max() < 1e-2:
        raise Mistake(
            "All tasks of the batch changed by the same weights. Draw for each task anew: in one "
            "batch they are a list again."
        )
    groups = [moved[0::2], moved[1::2]]  # each of one and the same old task
    size = moved.shape[1]
    spreads = [torch.linalg.eigvalsh(group.T.cov().view(size, size)) for group in groups]
    least = min(spread.min().clamp(min=0).sqrt().item() for spread in spreads)
    most = max(spread.max().sqrt().item() for spread in spreads)
    if least < 0.05 * most:
        raise Mistake(
            "In some direction the weights never change: along it, a memory of the old task is as "
            "good as before. How many numbers has a task?"
        )
    if least < 0.85 * LEAST:
        raise Mistake(
            "The new weights lie too close to the old ones, in some direction at least: a memory "
            "still knows nearly all. How large was their spread to be?"
        )
    if most > 1.3 * MOST:
        raise Mistake(
            "The new weights spread too far: beside such tasks the real ones are hardly ever seen "
            "in training. How large was their spread to be?"
        )
    for values in (moved, weights):  # around the old weights, or around 0
        lean = max(values[start::2].mean(0).abs().max().item() for start in (0, 1))
        if lean < 0.12 * most:
            return
    raise Mistake(
        "The new weights lean to one side: their mean is neither that of the old ones nor 0. A "
        "memory can learn a lean, too."
    )


def _check_noise(answer: Callable, generator: torch.Generator) -> None:
    """The noise in the labels, which is all that a fit leaves over, must stay."""
    x = torch.randn(500, 20, 2, generator=generator)
    y = x.sum(2) + torch.randn(500, 20, generator=generator)
    given = x[:, :12], y[:, :12], x[:, 12:], y[:, 12:]
    new = _new_labels(answer, given, seed=5)
    for old, label, points in ((given[1], new[0], given[0]), (given[3], new[1], given[2])):
        before, after = (_fit(points, part)[1].std().item() for part in (old, label))
        if after < 0.9 * before:
            raise Mistake(
                "The labels' own noise is gone, or smaller. The learner would trust labels that "
                "it must not trust later."
            )
        if after > 1.1 * before:
            raise Mistake("The labels are noisier than they were. Leave their noise as it is.")


def _check_small(answer: Callable, generator: torch.Generator) -> None:
    """One task; no support at all; inputs that are the same at all examples of a task."""
    for num_tasks, count, queries, size in ((1, 3, 2, 2), (4, 0, 5, 2), (3, 1, 1, 4)):
        x = torch.randn(num_tasks, count + queries, size, generator=generator)
        x[..., -1] = torch.randn(num_tasks, 1, generator=generator)
        y = torch.randn(num_tasks, count + queries, generator=generator)
        given = x[:, :count], y[:, :count], x[:, count:], y[:, count:]
        new = _new_labels(answer, given, seed=3)
        if same(new[1], given[3]):
            kind = "an empty support" if not count else "few examples"
            raise Mistake(f"With {kind} the query's labels are the old ones.")


EXERCISES = {
    "best_guess": Exercise(
        hints=(
            "First ask for one task of the list alone: if it were this one, how likely would "
            "these y be? Each y is then normal around known[m] · x, and the examples are "
            "independent.",
            "The chance of task m is its likelihood divided by the sum of all likelihoods. The "
            "smallest squared error is made by the mean: sum the tasks' answers, each times its "
            "chance. Likelihoods of many examples are tiny: work with their logarithms.",
            "misfit = ((y[:, None] - x @ known.T) ** 2).sum(0) has one number for each task, 0 "
            "without examples; the log-likelihood is -misfit / (2 * noise ** 2) and a constant. "
            "A softmax of it gives the chances.",
        ),
        check=check_best_guess,
        praise="On the list's own tasks nobody beats this. Off the list it is lost.",
    ),
    "must_not_memorise": Exercise(
        hints=(
            "A sign, a factor or a shift for each task is one number: who remembers the old task "
            "needs one example to find it, and no more. How many numbers must be unknown before "
            "remembering the old ones is of no use?",
            "As many as the task has weights. If y = w · x + noise, what do you have to add to y "
            "so that it becomes (w + v) · x + noise? You know x, and you need not know w.",
            "Draw v = 3 * torch.randn(T, D, 1, generator=generator) once. (x @ v)[..., 0] is what "
            "to add, with the same v for a task's support and query.",
        ),
        check=check_must_not_memorise,
        praise="A handful of tasks has become as many as you like, and none of them is known.",
    ),
}
