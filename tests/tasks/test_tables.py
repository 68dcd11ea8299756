"""The prior of tables: networks, trees, classes, scales."""

from itertools import pairwise

import pytest
import torch

from metalearn_lite.tasks import tables
from metalearn_lite.tasks.tables import RandomNetworks, RandomTables, RandomTrees

KINDS = [RandomNetworks(), RandomTrees()]
IDS = ["networks", "trees"]


def walked(x, columns, cuts):
    """The leaf of one row, ``x`` a list of numbers: step by step."""
    node, num_nodes = 0, len(columns)
    while node < num_nodes:
        node = 2 * node + (2 if x[columns[node]] > cuts[node] else 1)
    return node - num_nodes


@pytest.mark.parametrize("depth", [0, 1, 2, 4])
def test_a_row_ends_in_the_leaf_it_walks_to(depth, generator):
    g = generator()
    x = torch.randn(3, 20, 4, generator=g).round(decimals=1)  # so that some lie on a cut
    columns = torch.randint(4, (3, 2**depth - 1), generator=g)
    cuts = torch.randn(3, 2**depth - 1, generator=g).round(decimals=1)
    expected = [
        [walked(row, columns[task].tolist(), cuts[task].tolist()) for row in x[task].tolist()]
        for task in range(3)
    ]
    assert tables.leaf_of(x, columns, cuts).tolist() == expected


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
@pytest.mark.parametrize("num_columns", [1, 7, 40])
def test_worlds_have_the_shapes_asked_for_and_standard_columns(kind, num_columns, generator):
    for seed in range(6):
        x, hidden = kind.draw(3, 50, num_columns, generator(seed))
        assert x.shape == (3, 50, num_columns)
        assert hidden.shape[:2] == (3, 50)
        assert 2 <= hidden.shape[2] <= 8
        assert x.isfinite().all()
        assert hidden.isfinite().all()
        torch.testing.assert_close(x.mean(1), torch.zeros(3, num_columns), atol=1e-4, rtol=0)
        spread = x.std(1, correction=0)
        # A node of a relu may be silent in every row.
        assert ((spread - 1).abs() < 1e-3).logical_or(spread < 1e-3).all()


def test_the_hidden_numbers_of_trees_are_sums_over_leaves(generator):
    """So among many rows there are few different ones: 8 leaves in each of 3 trees at most."""
    for seed in range(4):
        x, hidden = RandomTrees().draw(1, 3000, 2, generator(seed))
        assert len(hidden[0].unique(dim=0)) <= 8**3
        near = torch.cdist(x, x)[0].fill_diagonal_(torch.inf).argmin(1)
        alike = (hidden[0] == hidden[0, near]).all(1)
        assert alike.float().mean() > 0.8  # a row and its nearest neighbour share their leaves


def test_each_row_has_the_class_of_the_nearest_picked_row(generator):
    hidden = torch.tensor([[[0.0], [0.1], [5.0], [5.2], [9.0]]])
    seen = set()
    for seed in range(40):
        y, _ = tables.classes_of(hidden, 2, 0.0, generator(seed))
        seen.add(tuple(y[0].tolist()))
        assert sorted(set(y[0].tolist())) == [0, 1]
    # On a line there is one border, wherever it lies.
    assert all(sum(a != b for a, b in pairwise(y)) == 1 for y in seen)
    assert (0, 0, 1, 1, 1) in seen
    assert (1, 1, 0, 0, 0) in seen


def test_where_all_rows_are_alike_each_class_still_has_one(generator):
    y, _ = tables.classes_of(torch.zeros(5, 60, 2), 10, 0.0, generator())
    assert all(set(row.tolist()) == set(range(10)) for row in y)


def test_the_margin_is_how_much_nearer_the_own_picked_row_is(generator):
    hidden = torch.randn(3, 30, 2, generator=generator())
    y, margin = tables.classes_of(hidden, 4, 0.0, generator(1))
    picked = margin.isinf()
    assert (picked.sum(1) == 4).all()
    for task in range(3):
        centers = hidden[task, picked[task]]
        names = y[task, picked[task]]
        assert sorted(names.tolist()) == [0, 1, 2, 3]
        near, order = torch.cdist(hidden[task], centers).sort(1)
        assert torch.equal(names[order[:, 0]], y[task])
        rest = ~picked[task]
        expected = near[rest, 1] - near[rest, 0]
        torch.testing.assert_close(margin[task, rest], expected, atol=2e-3, rtol=0)
    assert tables.classes_of(hidden, 1, 0.0)[1].isinf().all()


def test_noise_moves_rows_across_a_border(generator):
    hidden = torch.tensor([0.0, 1.0]).repeat(500).view(1, -1, 1)
    kept = {0.0: [], 1.0: []}
    for noise, shares in kept.items():
        for seed in range(8):  # the two picked rows may be on one side
            y = tables.classes_of(hidden, 2, noise, generator(seed))[0][0]
            agree = (y == (hidden[0, :, 0] > 0.5)).float().mean().item()
            shares.append(max(agree, 1 - agree))
    assert max(kept[0.0]) == 1
    assert 0.6 < max(kept[1.0]) < 0.85


def test_a_scale_keeps_the_order_of_a_column(generator):
    x = torch.randn(4, 30, 25, generator=generator())
    bent = tables.rescaled(x, generator(1))
    order = x.argsort(1)
    assert (bent.gather(1, order).diff(dim=1) >= 0).all()
    assert 0.1 < (bent == x).all(1).float().mean() < 0.9


@pytest.mark.parametrize("kind", [*KINDS, None], ids=[*IDS, "both"])
@pytest.mark.parametrize("num_ways", [1, 2, 10])
def test_every_class_is_in_the_support(kind, num_ways, generator):
    prior = RandomTables(None if kind is None else [kind])
    for seed in range(5):
        support, query = prior.sample(5, num_ways, 2 * num_ways, 3, 20, generator(seed))
        assert support.x.shape == (5, 2 * num_ways, 3)
        assert query.x.shape == (5, 20, 3)
        assert query.y.shape == (5, 20)
        assert support.y.dtype == torch.int64
        for y, asked in zip(support.y, query.y, strict=True):
            assert set(y.tolist()) == set(range(num_ways)) >= set(asked.tolist())


def test_the_first_rows_are_one_of_each_class_and_none_is_lost(generator):
    y = torch.randint(4, (6, 30), generator=generator())
    order = tables.every_class_first(y, 4, generator(1))
    assert (order.sort(1).values == torch.arange(30)).all()
    assert (y.gather(1, order)[:, :4].sort(1).values == torch.arange(4)).all()


def test_tables_are_parted_into_support_and_query(generator):
    y = torch.tensor([[0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1]])
    x = torch.arange(12.0).view(3, 4, 1)
    support, query = tables.parted(x, y, 2, generator())
    assert support.x.shape == query.x.shape == (2, 2, 1)  # the second has no row of class 1
    assert (support.y.sort(1).values == torch.tensor([0, 1])).all()
    for task, whole in enumerate((0, 2)):
        rows = torch.cat([support.x[task], query.x[task]]).flatten()
        assert rows.sort().values.tolist() == x[whole].flatten().tolist()
        labels = torch.cat([support.y[task], query.y[task]])
        assert torch.equal(y.flatten()[rows.long()], labels)


def test_tables_that_cannot_be_parted_are_refused():
    x, y = torch.zeros(2, 4, 1), torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1]])
    with pytest.raises(ValueError, match="none of 2 tables has rows of all 2 classes"):
        tables.parted(x, y, 2)
    with pytest.raises(ValueError, match="num_rows=1: choose 2 to 3"):
        tables.parted(x, y, 1)
    with pytest.raises(ValueError, match="num_rows=4: choose 2 to 3"):
        tables.parted(x, y, 4)
    with pytest.raises(ValueError, match="give classes as integers"):
        tables.parted(x, y.float(), 2)


def test_half_of_the_tables_are_of_each_kind(generator):
    asked = []

    class Counting:
        def draw(self, num_tasks, num_rows, num_columns, generator):
            asked.append(num_tasks)
            return RandomNetworks().draw(num_tasks, num_rows, num_columns, generator)

    RandomTables([Counting(), Counting()]).sample(7, 2, 10, 3, 5, generator())
    assert asked == [4, 3]
    asked.clear()
    RandomTables([Counting(), Counting()]).sample(1, 2, 10, 3, 5, generator())
    assert asked == [1]


def test_the_generator_is_the_only_source_of_chance(generator):
    one, two = (RandomTables().sample(4, 3, 20, 5, 10, generator(7)) for _ in range(2))
    assert all(map(torch.equal, [*one.support, *one.query], [*two.support, *two.query]))


def test_nearest_rows_know_more_than_chance(generator):
    """There is something to learn in these tables, and not all of it is plain."""
    right = []
    for seed in range(10):
        support, query = RandomTables().sample(20, 2, 60, 4, 20, generator(seed))
        scale = support.x.std(1, keepdim=True) + 1e-6
        near = torch.cdist(query.x / scale, support.x / scale).argmin(2)
        common = support.y.float().mean(1, keepdim=True).round()
        right.append(
            [
                (support.y.gather(1, near) == query.y).float().mean(),
                (query.y == common).float().mean(),
            ]
        )
    nearest, commonest = torch.tensor(right).mean(0)
    assert commonest + 0.05 < nearest < 0.95


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((3, 11, 20, 3), "num_ways=11: choose 1 to 10"),
        ((3, 4, 3, 3), "num_rows=3: choose 4 or more"),
        ((3, 2, 10, 0), "num_columns=0"),
        ((3, 2, 10, 101), "num_columns=101: choose 1 to 100"),
        ((0, 2, 10, 3), "num_tasks=0"),
    ],
)
def test_what_cannot_be_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        RandomTables().sample(*given)


def test_a_prior_of_nothing_is_refused():
    with pytest.raises(ValueError, match="kinds is empty"):
        RandomTables([])
