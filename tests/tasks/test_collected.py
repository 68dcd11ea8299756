"""scikit-learn's own tables, split."""

import pytest
import torch

from metalearn_lite.tasks import collected
from metalearn_lite.tasks.collected import CollectedTable

SHAPES = {
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
    "breast cancer": (569, 30, 2),
    "digits": (1797, 64, 10),
    "diabetes": (442, 10, 2),
}


@pytest.fixture
def table(generator):
    x = torch.arange(12.0).unsqueeze(1) + torch.tensor([0.0, 100.0])
    return CollectedTable("numbers", x, torch.arange(12) % 3, "abc")


@pytest.mark.parametrize("name", collected.TABLES)
def test_each_table_is_there(name):
    table = collected.load(name)
    rows, columns, num_ways = SHAPES[name]
    assert table.x.shape == (rows, columns)
    assert table.y.bincount().shape == (num_ways,)
    assert table.num_ways == num_ways
    assert table.x.dtype == torch.float32
    assert repr(table) == f"{name}: {rows:,} rows, {columns} columns, {num_ways} classes"


def test_the_rows_are_scikit_learns():
    from sklearn.datasets import load_wine

    file, table = load_wine(), collected.load("wine")
    torch.testing.assert_close(table.x, torch.from_numpy(file.data).float())
    assert table.y.tolist() == file.target.tolist()
    assert table.classes == ("class_0", "class_1", "class_2")


def test_half_of_the_patients_are_above_the_median():
    share = collected.load("diabetes").y.float().mean()
    assert abs(share - 0.5) < 0.01


def test_a_split_shares_no_row_and_has_every_class(table, generator):
    support, query = table.sample(20, 4, generator=generator())
    assert support.x.shape == (20, 4, 2)
    assert query.x.shape == (20, 8, 2)
    rows = torch.cat([support.x, query.x], 1)[..., 0]
    assert (rows.sort(1).values == torch.arange(12)).all()
    for half in (support, query):
        assert torch.equal(half.y, half.x[..., 0].long() % 3)
    assert all(set(y.tolist()) == {0, 1, 2} for y in support.y)
    assert len({tuple(row.tolist()) for row in support.x[..., 0]}) > 10


def test_fewer_rows_may_be_asked(table, generator):
    support, query = table.sample(2, 5, 3, generator())
    assert query.y.shape == (2, 3)
    again = table.sample(2, 5, 3, generator())
    assert all(map(torch.equal, [*support, *query], [*again.support, *again.query]))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((2, 2), "num_rows=2: choose 3 to 11"),
        ((2, 12), "num_rows=12: choose 3 to 11"),
        ((2, 8, 5), "num_queries=5: choose 1 to 4"),
        ((0, 4), "num_tasks=0"),
    ],
)
def test_what_cannot_be_is_refused(table, given, words):
    with pytest.raises(ValueError, match=words):
        table.sample(*given)


def test_other_tables_are_refused():
    with pytest.raises(ValueError, match="name='titanic': choose 'iris' or"):
        collected.load("titanic")
    with pytest.raises(ValueError, match=r"give \(N, D\), \(N,\)"):
        CollectedTable("x", torch.zeros(3), torch.zeros(3).long(), "a")
    with pytest.raises(ValueError, match="y holds"):
        CollectedTable("x", torch.zeros(3, 1), torch.tensor([0, 1, 2]), "ab")
