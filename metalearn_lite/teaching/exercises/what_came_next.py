"""The exercises of notebook 17: a prior, the best guess, no memorising, a ridge head."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.best_guess import BestGuess
from metalearn_lite.learners.ridge_head import fit_ridge
from metalearn_lite.tasks.tables import leaf_of
from metalearn_lite.teaching.comparing import Mistake, of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise
from metalearn_lite.teaching.running import attempted

# --- a prior of your own


def tree_classes(x: Tensor, columns: Tensor, cuts: Tensor, leaves: Tensor) -> Tensor:
    """The class of each row, by a random tree for each table.

    Args:
        x: ``(T, N, D)``.
        columns, cuts: ``(T, 2**depth - 1)``: which column each node asks about, and its cut.
        leaves: ``(T, 2**depth)``, int64: the class of each leaf, from left to right.

    Returns:
        ``(T, N)``, int64.
    """
    return leaves.gather(1, leaf_of(x, columns, cuts))


def _forests() -> Iterator[tuple[str, tuple[Tensor, Tensor, Tensor, Tensor]]]:
    generator = seeded(17)
    for said, num_tables, num_rows, num_columns, depth in (
        ("three tables and trees of depth 2", 3, 12, 4, 2),
        ("trees of one node", 4, 9, 3, 1),
        ("one table, and a tree of depth 3", 1, 25, 2, 3),
        ("trees of no node, only a leaf", 2, 5, 3, 0),
        ("one row in each table", 5, 1, 6, 2),
        ("trees of depth 4", 2, 40, 5, 4),
        ("tables of one column", 3, 20, 1, 2),
    ):
        # Rounded, so that some rows lie on a cut.
        x = torch.randn(num_tables, num_rows, num_columns, generator=generator).round(decimals=1)
        num_nodes = 2**depth - 1
        columns = torch.randint(num_columns, (num_tables, num_nodes), generator=generator)
        cuts = (0.7 * torch.randn(num_tables, num_nodes, generator=generator)).round(decimals=1)
        if num_nodes and num_rows > 1:
            x[:, 0].scatter_(1, columns[:, :1], cuts[:, :1])  # on the first cut
        # More classes than leaves: no two leaves are alike.
        order = torch.rand(num_tables, num_nodes + 4, generator=generator).argsort(1)
        yield said, (x, columns, cuts, order[:, : num_nodes + 1])


def check_tree_classes(answer: Callable) -> None:
    for said, given in _forests():
        copies = [part.clone() for part in given]
        result = attempted(answer(*copies))
        if not all(map(torch.equal, copies, given)):
            raise Mistake("You changed an argument in place. Make new tensors.")
        x, _, _, leaves = given
        result = of_shape(result, x.shape[:2], "one class for each row of each table")
        if result.is_floating_point():
            raise Mistake("Classes are whole numbers, int64: take them out of `leaves`.")
        expected = tree_classes(*given)
        mistakes = [(wrong, word) for wrong, word in _tree_mistakes(*given)]
        refuse(result, [(wrong, word) for wrong, word in mistakes if not same(wrong, expected)])
        if not same(result, expected):
            known = torch.isin(result.contiguous(), leaves.contiguous()).all()
            raise Mistake(
                f"With {said}, some rows end in another leaf than they should. Walk with one row "
                "by hand, and print the node after each step."
                if known
                else f"With {said}, some of what you return is no class of any leaf."
            )


def _tree_mistakes(x, columns, cuts, leaves) -> Iterator[tuple[Tensor, str]]:
    given = (x, columns, cuts, leaves)
    num_nodes = columns.shape[1]
    yield (
        _walk(*given, on_the_cut=True),
        "A row whose number equals the cut goes left: right is for those *above* it.",
    )
    yield _walk(*given, swapped=True), "Left and right are swapped: above the cut is right."
    yield (
        _walk(*given, swapped=True, on_the_cut=True),
        "Left and right are swapped: above the cut is right, at the cut or below it is left.",
    )
    yield (
        _walk(*given, by_level=True),
        "All nodes of a level asked the same question. Each node has a column and a cut of its "
        "own: which node does the row stand on?",
    )
    yield (
        _walk(x, columns[:1].expand_as(columns), cuts[:1].expand_as(cuts), leaves),
        "All tables were asked by the first table's tree. Each table has its own.",
    )
    yield (
        _walk(*given[:3], leaves[:1].expand_as(leaves)),
        "All tables took their classes from the first table's leaves. Each table has its own.",
    )
    yield (
        _walk(*given, numbers=True),
        "This is the number of the leaf. Its class stands in `leaves`.",
    )
    yield (
        _walk(*given, numbers=True) + num_nodes,
        "This is the number of a node below the last one that asks. Count the leaves from 0, and "
        "take the class out of `leaves`.",
    )
    yield _walk(*given[:3], leaves.flip(1)), "The leaves are counted from right to left."
    yield (
        _walk(*given[:3], leaves.roll(1, 1)),
        "You took the class of the leaf beside it: the first leaf has number 0.",
    )
    yield (
        _walk(*given[:3], leaves.roll(-1, 1)),
        "You took the class of the leaf beside it: the first leaf has number 0.",
    )
    yield (
        _walk(*given, from_one=True),
        "Below node i you went on to 2 i and 2 i + 1, as where the top is number 1. Here it is 0.",
    )
    yield (
        _walk(*given, early=True),
        "The walk ends one level too early: it goes on while the row stands on a node that asks.",
    )


def _walk(
    x,
    columns,
    cuts,
    leaves,
    swapped=False,
    on_the_cut=False,
    by_level=False,
    numbers=False,
    early=False,
    from_one=False,
) -> Tensor:
    """`tree_classes` row by row, with the mistakes that people make."""
    found, num_nodes = torch.zeros(x.shape[:2], dtype=torch.int64), columns.shape[1]
    for task in range(len(x)):
        for place, row in enumerate(x[task]):
            node, level, leaf = 0, 0, 0
            while node < num_nodes and not (early and 2 * node + 1 >= num_nodes):
                asks = leaf if from_one else 2**level - 1 if by_level else node
                number, cut = row[columns[task, asks]], cuts[task, asks]
                right = bool(number >= cut if on_the_cut else number > cut)
                leaf = 2 * leaf + (right ^ swapped)
                node, level = 2 * node + 1 + (right ^ swapped), level + 1
            leaf = node - num_nodes
            found[task, place] = leaf if numbers else leaves[task, leaf]
    return found


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
        _check_generator(answer, tuple(part[:40] for part in given), seed=size)
        _check_change(given, new, weights)
    _check_noise(answer, generator)
    _check_small(answer, generator)


def _check_generator(answer: Callable, given: tuple, seed: int) -> None:
    """With few tasks, for one who loops over them in Python."""
    first, again, other = (_new_labels(answer, given, seed=each) for each in (seed, seed, 99))
    if not all(map(same, again, first)):
        raise Mistake("The same generator gave other labels: draw with `generator` only.")
    if all(map(same, other, first)) and not _kept(given, first):
        raise Mistake("Another generator gave the same labels. Draw the change anew each time.")


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


# --- a ridge head


def ridge_head(points: Tensor, targets: Tensor, strength: Tensor) -> Tensor:
    """Each task's weights ``(T, D, C)``, which gradients go through.

    Args:
        points: ``(T, N, D)``.
        targets: ``(T, N, C)``.
        strength: λ, above 0.
    """
    return fit_ridge(points, targets, strength)


def _heads() -> Iterator[tuple[str, Tensor, Tensor, Tensor]]:
    generator = seeded(17)
    for said, shape, num_targets, strength in (
        ("more examples than features", (2, 9, 4), 3, 1.7),
        ("fewer examples than features", (3, 4, 7), 2, 0.6),
        ("as many examples as features", (3, 3, 3), 3, 0.3),
        ("a single example of each task", (2, 1, 5), 2, 1.5),
        ("a single feature", (3, 6, 1), 2, 0.7),
        ("a single task with a single target", (1, 5, 3), 1, 0.2),
        ("a very large strength", (2, 4, 3), 2, 300.0),
        ("a very small strength", (2, 8, 3), 2, 1e-3),
    ):
        points = torch.randn(shape, generator=generator) + 0.4
        targets = torch.randn(*shape[:2], num_targets, generator=generator)
        yield said, points, targets, torch.tensor(strength)
    points = torch.randn(2, 6, 3, generator=generator)
    points[:, 1::2] = points[:, ::2]
    targets = torch.randn(2, 6, 2, generator=generator)
    yield "every example there twice, with two targets", points, targets, torch.tensor(0.4)
    yield "features that are all 0", torch.zeros(2, 3, 5), targets[:, :3], torch.tensor(0.6)


def check_ridge_head(answer: Callable) -> None:
    for said, *given in _heads():
        mine = [part.clone().requires_grad_() for part in given]
        before = [part.detach().clone() for part in mine]
        result = attempted(answer(*mine))
        if not all(map(torch.equal, before, mine)):
            raise Mistake("You changed an argument in place. Make new tensors.")
        points, targets, _ = given
        wanted = (len(points), points.shape[2], targets.shape[2])
        _refuse_other_things(result, given)
        result = of_shape(result, wanted, "of each task, a weight from each feature to each target")
        expected = ridge_head(*given)
        mistakes = _head_mistakes(*given)
        refuse(
            result,
            [(w, m) for w, m in mistakes if not same(w, expected, rtol=0.02, atol=1e-3)],
            rtol=2e-3,
            atol=1e-4,
        )
        if not same(result, expected, rtol=2e-3, atol=1e-4):
            raise Mistake(
                f"With {said}, other weights have a smaller sum of squared errors plus strength "
                "times the sum of squared weights."
            )
        _check_gradients(result, mine, given)


def _refuse_other_things(result: object, given: list[Tensor]) -> None:
    points, targets, _ = given
    if not isinstance(result, Tensor):
        return
    if same(result, points @ ridge_head(*given)):
        raise Mistake("These are predictions for the points. Return the weights.")
    exchanged = result.shape != (len(points), points.shape[2], targets.shape[2])
    if exchanged and same(result, ridge_head(*given).mT):
        raise Mistake("Nearly: your weights have features and targets exchanged. Transpose.")


def _check_gradients(result: Tensor, mine: list[Tensor], given: list[Tensor]) -> None:
    cut = (
        "The weights are right, but {what}: was it detached, turned into a plain number or an "
        "array, or computed under no_grad? Then the meta-gradient ends there."
    )
    if not result.requires_grad:
        raise Mistake(cut.format(what="no gradient goes through them"))
    twin = [part.clone().requires_grad_() for part in given]
    right = ridge_head(*twin)
    direction = torch.randn(right.shape, generator=seeded(3))
    expected = torch.autograd.grad((right * direction).sum(), twin)
    found = torch.autograd.grad((result * direction).sum(), mine, allow_unused=True)
    for name, one, other in zip(("points", "targets", "strength"), found, expected, strict=True):
        off = one is None or not same(one, other, rtol=0.01, atol=1e-3 * float(other.abs().max()))
        if off and float(other.abs().max()) > 1e-5:
            raise Mistake(cut.format(what=f"their gradient for `{name}` is missing or wrong"))


def _head_mistakes(points: Tensor, targets: Tensor, strength: Tensor) -> list[tuple[Tensor, str]]:
    points, targets, strength = points.double(), targets.double(), strength.double()
    num_examples = points.shape[1]
    gram, right = points.mT @ points, points.mT @ targets

    def solved(diagonal: Tensor, matrix: Tensor = gram, side: Tensor = right) -> Tensor:
        eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype)
        return torch.linalg.lstsq(matrix + diagonal * eye, side, driver="gelsd").solution

    together = points.flatten(0, 1)
    shared = solved(strength, together.T @ together, together.T @ targets.flatten(0, 1))
    centred = points - points.mean(1, keepdim=True)
    half = "A square's slope has a factor 2, but both squares have it. Did only one of yours?"
    means = (
        "The sum of squared errors is over the examples: yours is their mean, so that λ weighs "
        "more the more examples there are."
    )
    return [
        (solved(torch.zeros(())), "λ makes no difference to your weights."),
        (
            torch.linalg.lstsq(gram + strength, right, driver="gelsd").solution,
            "You added λ to every entry of the matrix. Which entries does |W|² add it to?",
        ),
        (
            shared.expand(len(points), -1, -1),
            "All tasks have the same weights. Each has its own, fitted to its own examples only.",
        ),
        (solved(strength * num_examples), means),
        (solved(strength / num_examples), "λ is there once, not once for each N-th example."),
        (solved(2 * strength), half),
        (solved(strength / 2), half),
        (solved(strength.square()), "You squared λ. The weights are squared, λ is not."),
        (solved(strength.sqrt()), "You took the square root of λ."),
        (solved(-strength), "λ has the wrong sign: large weights are rewarded."),
        (
            right / (gram.diagonal(dim1=1, dim2=2).unsqueeze(2) + strength),
            "Each feature was fitted as if it were alone. They share the targets: divide by the "
            "whole matrix.",
        ),
        (right, "This is PᵀY only: nothing was solved."),
        (
            right / strength,
            "This holds only where λ is far larger than all else. Where is PᵀP?",
        ),
        (
            solved(strength, centred.mT @ centred, centred.mT @ targets),
            "You took the mean away from the points. There is no bias here: fit them as they are.",
        ),
        (
            solved(torch.ones(()) * 1.0),
            "Your strength is always 1. Use the one that is given.",
        ),
    ]


EXERCISES = {
    "prior_of_your_own": Exercise(
        hints=(
            "Give each row of each table a number that says on which node it stands: `(T, N)`, "
            "all 0 at first. One step of the walk changes all of them at once.",
            "`columns.gather(1, node)` says for each row which column its node asks about. With "
            "one more axis, `x.gather(2, asked.unsqueeze(2)).squeeze(2)` is each row's number in "
            "that column. Compare it with `cuts.gather(1, node)`.",
            "Right is True or False, so the next node is `2 * node + 1 + right`. After `depth` "
            "steps every node is at least `columns.shape[1]`: take that off, and the leaf is "
            "left. How often, if you are not told the depth? As long as the nodes are smaller.",
        ),
        check=check_tree_classes,
        praise="A tree for every table, walked by all rows at once. It now draws your tables.",
    ),
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
    "ridge_head": Exercise(
        hints=(
            "What you minimise is a quadratic in W. At its minimum the slope is 0. Write the slope "
            "of either square with matrices, P for the points and Y for the targets.",
            "The slopes are 2 Pᵀ(P W - Y) and 2 λ W. Set their sum to 0 and collect what "
            "multiplies W: it is a matrix, of which λ is on the diagonal. "
            "`.mT` transposes the last two axes, and `@` multiplies task by task.",
            "torch.linalg.solve(A, B) finds W with A @ W = B, for all tasks at once, and gradients "
            "go through it. A is PᵀP with λ added on its diagonal (torch.eye), B is PᵀY. "
            "Take `strength` as the tensor that it is.",
        ),
        check=check_ridge_head,
        praise="Right, and gradients go through: what is below can now learn to be fitted.",
    ),
}
