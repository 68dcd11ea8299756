"""The recipes of notebook 17's tables, but short; and the record that ships."""

import json
import math
import sys

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from metalearn_lite.recipes import records, tables
from metalearn_lite.tasks import collected
from metalearn_lite.tasks.tables import RandomTables


def test_tables_come_in_every_size(generator):
    seen = []
    for seed in range(40):
        support, query = tables.of_some_size(RandomTables(), generator(seed))
        assert len(support.x) == tables.NUM_TABLES
        assert query.y.shape[1] == tables.NUM_QUERIES
        seen.append((support.y.shape[1], support.x.shape[2], int(support.y.max()) + 1))
    rows, columns, ways = map(set, zip(*seen, strict=True))
    assert 10 <= min(rows) < 25 < 50 < max(rows) <= 64
    assert 2 <= min(columns) < 4 < 20 < max(columns) <= 32
    assert ways == set(tables.WAYS)


@pytest.mark.slow
@pytest.mark.parametrize("name", tables.RECIPES)
def test_a_recipe_trains_and_is_judged(name, monkeypatch):
    recipe, meta_train = tables.RECIPES[name], tables.meta_train
    monkeypatch.setattr(
        tables,
        "meta_train",
        lambda learner, sample, iterations, *rest, **options: meta_train(
            learner, sample, 2, *rest, **options
        ),
    )
    learner = recipe.train(torch.Generator().manual_seed(0), None)
    monkeypatch.setattr(tables, "MOST_QUERIES", 20)
    found = tables.judge(learner, num_splits=3)
    assert list(found) == [f"{name}, 64 rows" for name in collected.TABLES]
    assert all(said.endswith(" %") for said in found.values())


def test_scikit_learns_answers_are_its_own():
    episodes = tables.splits("iris", 16, 2)
    new = tables.models()["logistic regression"]
    found = tables.answers_of(new, episodes)
    support, query = episodes.tasks(1)
    fitted = new().fit(support.x[0].numpy(), support.y[0].numpy())
    expected = torch.from_numpy(fitted.predict_log_proba(query.x[0].numpy())).float()
    torch.testing.assert_close(found[1], expected)
    assert isinstance(fitted[-1], LogisticRegression)


def test_a_class_without_a_row_is_refused():
    support, query = tables.splits("iris", 16, 2)
    support = support._replace(y=support.y.masked_fill(support.y == 1, 0))
    with pytest.raises(ValueError, match="a class has no row"):
        tables.answers_of(tables.models()["commonest class"], tables.Episodes(support, query))


def test_tabpfn_steps_in_where_it_is_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(tables.importlib.util, "find_spec", lambda _: None)
    assert tables.tabpfn() is None
    monkeypatch.undo()
    (tmp_path / "tabpfn.py").write_text("class TabPFNClassifier: pass\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tabpfn", raising=False)
    assert tables.tabpfn().__name__ == "TabPFNClassifier"


def test_what_is_told_of_four_answers():
    chances = torch.tensor([[[0.9, 0.1], [0.65, 0.35]], [[0.0, 1.0], [0.35, 0.65]]])
    found = tables.told(chances.log(), torch.tensor([[0, 1], [0, 1]]))
    assert found["accuracy"] == [0.5, 0.5]
    losses = [(-math.log(0.9) - math.log(0.35)) / 2, (-math.log(0.001) - math.log(0.65)) / 2]
    assert found["loss"] == pytest.approx(losses, abs=2e-3)
    rows = {place: row for place, row in enumerate(found["bins"]) if row[0]}
    assert rows[6] == pytest.approx([2, 1.3, 1])
    assert rows[9] == pytest.approx([2, 1.9, 1])
    error = (abs(1 - 1.3) + abs(1 - 1.9)) / 4
    assert tables.calibration_error(found["bins"]) == pytest.approx(error, abs=1e-4)


@pytest.mark.slow
def test_the_record_is_written_with_its_card(monkeypatch, tmp_path):
    monkeypatch.setattr(records.paths, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(
        tables.checkpoints, "load", lambda _: tables.train("trees", 0, torch.Generator())
    )
    tables.main(names=("iris", "wine"), num_rows=(16,), num_splits=2)
    found = json.loads((tmp_path / "tables.json").read_text(encoding="utf-8"))
    assert found["card"]["splits"] == 2
    assert set(found) == {"card", "iris", "wine"}
    assert set(found["iris"]["16"]) == {*tables.RECIPES, *tables.models()}


def test_what_ships_has_every_learner_on_every_table():
    found = tables.load()
    assert found.pop("card")["command"] == "python -m metalearn_lite.recipes.tables"
    assert set(found) == set(collected.TABLES)
    for of_table in found.values():
        assert set(of_table) == {str(rows) for rows in tables.NUM_ROWS}
        for of_rows in of_table.values():
            assert set(of_rows) == {*tables.RECIPES, *tables.models()}
            for kept in of_rows.values():
                assert len(kept["accuracy"]) == len(kept["loss"]) == tables.NUM_SPLITS
                assert len(kept["bins"]) == tables.NUM_BINS
