"""The exercises of notebook 17: a prior of your own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from metalearn_lite.tasks.tables import leaf_of
from metalearn_lite.teaching.comparing import Mistake, of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, attempted

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
}
