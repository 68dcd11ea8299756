"""Tables that nobody collected: a prior of random networks and random trees, and classes on top.

A task is a small table: rows are examples, columns are numbers, and each row has a class. What a
learner that is trained on such tables takes for granted is what they are drawn from: its prior
(Müller et al., 2022). Each table is made in three steps:

1. Hidden numbers and columns. In a `RandomNetworks` table all come from the nodes of one random
   network, in a `RandomTrees` table the hidden numbers are the leaves of random trees.
2. Classes: some rows are picked, one for each class, and every row gets the class of the one
   whose hidden numbers are nearest. In half of the draws the classes lie apart: rows near a border
   are left out.
3. Scales: a column is stretched, bent, or rounded to a few levels, as measured things are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples

MOST_WAYS, MOST_COLUMNS = 10, 100
MOST_CAUSES = 8
"""however many columns there are, so that most say something about the others"""
ACTIVATIONS: tuple[Callable[[Tensor], Tensor], ...] = (
    torch.tanh,
    torch.relu,
    torch.sin,
    torch.abs,
    torch.nn.Identity(),
)


class Worlds(NamedTuple):
    """What is behind ``T`` tables, before there are classes."""

    x: Tensor
    """``(T, N, D)``: the columns"""
    hidden: Tensor
    """``(T, N, K)``: what decides a row's class"""


class Prior(Protocol):
    """Something that worlds can be drawn from."""

    def draw(
        self, num_tasks: int, num_rows: int, num_columns: int, generator: torch.Generator | None
    ) -> Worlds:
        """Columns, and hidden numbers that are somehow tied to them."""


class RandomNetworks:
    """Columns and hidden numbers are nodes of one random network with noise at every node.

    Where the hidden nodes come after the columns, the columns cause the class; where they come
    before, as in a table of measured flowers, the class causes the columns. Both are drawn.
    """

    def draw(
        self,
        num_tasks: int,
        num_rows: int,
        num_columns: int,
        generator: torch.Generator | None = None,
    ) -> Worlds:
        """``num_tasks`` networks of the same depth; see the class."""
        checks.count(num_tasks=num_tasks, num_rows=num_rows)
        checks.count(1, MOST_COLUMNS, num_columns=num_columns)
        depth, num_hidden = _whole(1, 3, generator), _whole(2, 8, generator)
        width, num_causes = num_columns + 8, _whole(1, MOST_CAUSES, generator)
        layer = torch.randn(num_tasks, num_rows, num_causes, generator=generator)
        nodes = [layer]
        for _ in range(depth):
            layer = self._next(layer, width, generator)
            nodes.append(layer)
        every = torch.cat(nodes, 2)
        order = torch.rand(num_tasks, every.shape[2], generator=generator).argsort(1)
        chosen = order[:, None, : num_columns + num_hidden].expand(-1, num_rows, -1)
        chosen = standard(every.gather(2, chosen))
        return Worlds(chosen[..., :num_columns], chosen[..., num_columns:])

    @staticmethod
    def _next(layer: Tensor, width: int, generator: torch.Generator | None) -> Tensor:
        """The next layer: few or many connections, one of ``ACTIVATIONS``, a little noise."""
        num_tasks, _, before = layer.shape
        kept = torch.rand(num_tasks, before, width, generator=generator) < torch.rand(
            num_tasks, 1, 1, generator=generator
        )
        kept[:, 0] |= ~kept.any(1)  # nobody hangs on nothing
        weights = torch.randn(kept.shape, generator=generator) * kept
        weights = weights / weights.square().sum(1, keepdim=True).sqrt()
        gain = 2 * torch.rand(num_tasks, 1, 1, generator=generator) + 0.5
        bias = torch.randn(num_tasks, 1, width, generator=generator)
        after = gain * layer @ weights + bias
        after = standard(ACTIVATIONS[_whole(0, len(ACTIVATIONS) - 1, generator)](after))
        loud = 0.01 * 20 ** torch.rand(num_tasks, 1, width, generator=generator)
        return after + loud * torch.randn(after.shape, generator=generator)


class RandomTrees:
    """Columns are correlated normal numbers; a hidden number is a sum over leaves of random trees.

    A node asks whether one column is above a cut, which is that column's value in some row.
    """

    def draw(
        self,
        num_tasks: int,
        num_rows: int,
        num_columns: int,
        generator: torch.Generator | None = None,
    ) -> Worlds:
        """``num_tasks`` tables with one to three trees each, all of the same depth."""
        checks.count(num_tasks=num_tasks, num_rows=num_rows)
        checks.count(1, MOST_COLUMNS, num_columns=num_columns)
        num_hidden, depth = _whole(2, 8, generator), _whole(1, 3, generator)
        num_nodes = 2**depth - 1
        causes = torch.randn(
            num_tasks, num_rows, _whole(1, MOST_CAUSES, generator), generator=generator
        )
        mixing = torch.randn(num_tasks, causes.shape[2], num_columns, generator=generator)
        own = torch.rand(num_tasks, 1, num_columns, generator=generator)
        x = torch.randn(num_tasks, num_rows, num_columns, generator=generator)
        x = standard(own * x + (1 - own) * standard(causes @ mixing))
        hidden = torch.zeros(num_tasks, num_rows, num_hidden)
        for _ in range(_whole(1, 3, generator)):
            columns = torch.randint(num_columns, (num_tasks, num_nodes), generator=generator)
            rows = torch.randint(num_rows, (num_tasks, num_nodes), generator=generator)
            cuts = x.flatten(1).gather(1, rows * num_columns + columns)
            leaves = torch.randn(num_tasks, 2**depth, num_hidden, generator=generator)
            found = leaf_of(x, columns, cuts).unsqueeze(2).expand(-1, -1, num_hidden)
            hidden = hidden + leaves.gather(1, found)
        return Worlds(x, standard(hidden))


def leaf_of(x: Tensor, columns: Tensor, cuts: Tensor) -> Tensor:
    """In which leaf of a tree each row ends.

    The nodes of a full binary tree are numbered from the top, row by row: below node ``i`` are
    ``2 i + 1`` (left) and ``2 i + 2`` (right). A row goes right where its number in the node's
    column is above the node's cut.

    Args:
        x: ``(T, N, D)``.
        columns: ``(T, 2**depth - 1)``, int64: the column that each node asks about.
        cuts: ``(T, 2**depth - 1)``.

    Returns:
        ``(T, N)``, int64: leaves 0 … ``2**depth - 1``, from left to right.
    """
    num_nodes = columns.shape[1]
    node = torch.zeros(x.shape[:2], dtype=torch.int64)
    while num_nodes and node.flatten()[0] < num_nodes:
        asked = x.gather(2, columns.gather(1, node).unsqueeze(2)).squeeze(2)
        node = 2 * node + 1 + (asked > cuts.gather(1, node)).long()
    return node - num_nodes


def classes_of(
    hidden: Tensor, num_ways: int, noise: float, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Classes: each row is of the kind of the picked row that it is nearest to.

    Args:
        hidden: ``(T, N, K)``, each with variance 1.
        num_ways: how many rows are picked, one for each class. So every class has a row.
        noise: standard deviation of what is added to ``hidden`` first: rows near a border
            change sides.

    Returns:
        The classes ``(T, N)``, and by how much each row is nearer to its own picked row than to
        the next, ``(T, N)``: infinite for the picked rows themselves.
    """
    checks.count(1, min(MOST_WAYS, hidden.shape[1]), num_ways=num_ways)
    checks.rate(noise=noise)
    hidden = hidden + max(noise, 1e-4) * torch.randn(hidden.shape, generator=generator)
    order = torch.rand(hidden.shape[:2], generator=generator).argsort(1)[:, :num_ways]
    picked = hidden.gather(1, order.unsqueeze(2).expand(-1, -1, hidden.shape[2]))
    near = torch.cdist(hidden, picked)
    # Each picked row is of its own class, also where others are as near to it.
    y = near.argmin(2).scatter(1, order, torch.arange(num_ways).expand_as(order))
    if num_ways == 1:
        return y, torch.full(y.shape, torch.inf)
    first, second = near.topk(2, dim=2, largest=False).values.unbind(2)
    return y, (second - first).scatter(1, order, torch.inf)


def rescaled(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Each column ``(T, N, D)`` left, made skew, made heavy-tailed, or rounded to a few levels."""
    kind = torch.rand(x.shape[0], 1, x.shape[2], generator=generator)
    strength = torch.rand(kind.shape, generator=generator)
    x = torch.where(kind < 0.25, (x * (0.3 + 0.7 * strength)).exp(), x)
    x = torch.where((kind > 0.25) & (kind < 0.35), x.sign() * x.abs() ** (1 + strength), x)
    coarse = 1 + 3 * strength
    return torch.where(kind > 0.9, (coarse * x).round(), x)


def standard(x: Tensor) -> Tensor:
    """Each column ``(T, N, D)`` with mean 0 and variance 1 over its rows."""
    return (x - x.mean(1, keepdim=True)) / x.std(1, correction=0, keepdim=True).clamp(min=1e-6)


class RandomTables:
    """Small classification tables from a prior, half of them from each of ``kinds``.

    Args:
        kinds: what worlds are drawn from, in equal shares.
    """

    def __init__(self, kinds: Sequence[Prior] | None = None):
        self.kinds = (RandomNetworks(), RandomTrees()) if kinds is None else tuple(kinds)
        if not self.kinds:
            raise ValueError("kinds is empty: give at least one, such as RandomNetworks()")

    def sample(
        self,
        num_tasks: int,
        num_ways: int,
        num_rows: int,
        num_columns: int,
        num_queries: int = 32,
        generator: torch.Generator | None = None,
    ) -> Episodes:
        """New tables, each with ``num_rows`` support rows, every class among them.

        Returns:
            Episodes with ``x`` ``(T, N, D)`` and ``y`` ``(T, N)`` in 0 … ``num_ways`` - 1.
        """
        checks.count(1, MOST_WAYS, num_ways=num_ways)
        checks.count(num_ways, num_rows=num_rows)
        checks.count(num_tasks=num_tasks, num_queries=num_queries)
        total = num_rows + num_queries
        checks.fits(num_tasks=num_tasks, rows=total, num_columns=num_columns)
        shares = [len(part) for part in torch.arange(num_tasks).tensor_split(len(self.kinds))]
        x, y = [], []
        for kind, share in zip(self.kinds, shares, strict=True):
            if share:
                some = self._tables(kind, share, num_ways, total, num_columns, generator)
                x.append(some.x)
                y.append(some.y)
        return parted(torch.cat(x), torch.cat(y), num_rows, generator)

    @staticmethod
    def _tables(
        kind: Prior,
        num_tables: int,
        num_ways: int,
        num_rows: int,
        num_columns: int,
        generator: torch.Generator | None,
    ) -> Examples:
        """Of twice as many rows half are kept: any, or else those farthest from a border."""
        world = kind.draw(num_tables, 2 * num_rows, num_columns, generator)
        noise = 0.01 * 10 ** float(torch.rand((), generator=generator))
        y, margin = classes_of(world.hidden, num_ways, noise, generator)
        if torch.rand((), generator=generator) < 0.5:
            margin = torch.rand(y.shape, generator=generator).masked_fill(margin.isinf(), 2.0)
        kept = margin.topk(num_rows, dim=1).indices
        x = world.x.gather(1, kept.unsqueeze(2).expand(-1, -1, num_columns))
        return Examples(rescaled(x, generator), y.gather(1, kept))


def parted(
    x: Tensor, y: Tensor, num_rows: int, generator: torch.Generator | None = None
) -> Episodes:
    """Whole tables as episodes: ``num_rows`` random rows are the support, all others are asked.

    Every class is in the support. Tables in which some class has no row at all are left out.

    Args:
        x: ``(T, N, D)``.
        y: ``(T, N)``, int64: classes 0, 1, …

    Raises:
        ValueError: no table has all classes; or ``num_rows`` are too few for them, or all rows.
    """
    checks.examples(Examples(x, y), "the table")
    num_ways = int(y.max()) + 1
    checks.labels(y, num_ways)
    checks.count(num_ways, y.shape[1] - 1, num_rows=num_rows)
    full = torch.stack([(y == way).any(1) for way in range(num_ways)]).all(0)
    if not full.any():
        raise ValueError(f"none of {len(y):,} tables has rows of all {num_ways} classes")
    x, y = x[full], y[full]
    order = every_class_first(y, num_ways, generator)
    x, y = x.gather(1, order.unsqueeze(2).expand(x.shape)), y.gather(1, order)
    return Episodes(
        Examples(x[:, :num_rows], y[:, :num_rows]), Examples(x[:, num_rows:], y[:, num_rows:])
    )


def every_class_first(y: Tensor, num_ways: int, generator: torch.Generator | None = None) -> Tensor:
    """A random order ``(T, N)`` of the rows in which the first rows are one of each class."""
    key = torch.rand(y.shape, generator=generator)
    for way in range(num_ways):
        first = key.masked_fill(y != way, 2.0).argmin(1, keepdim=True)
        key.scatter_(1, first, -1.0)
    return key.argsort(1)


def _whole(low: int, high: int, generator: torch.Generator | None) -> int:
    """A whole number from ``low`` to ``high``, each as likely."""
    return int(torch.randint(low, high + 1, (), generator=generator))
