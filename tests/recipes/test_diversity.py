"""The recipe of task diversity, but short."""

import json

import pytest
import torch

from metalearn_lite import checkpoints
from metalearn_lite.learners.best_guess import BestGuess
from metalearn_lite.learners.ridge import Ridge
from metalearn_lite.recipes import diversity


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(diversity, "ITERATIONS", 2)
    monkeypatch.setattr(diversity, "NUM_TEST_TASKS", 200)


def test_a_short_list_is_the_beginning_of_a_long_one_and_a_seed_has_its_own():
    assert torch.equal(diversity.known_tasks(4, 1), diversity.known_tasks(64, 1)[:4])
    assert not torch.equal(diversity.known_tasks(4, 1), diversity.known_tasks(4, 2))
    assert diversity.known_tasks(4096, 0).shape == (4096, 5)


def test_contexts_come_in_every_length(generator):
    g, tasks = generator(), diversity.world(4, 0)
    lengths = {diversity.some_length(tasks, g).support.y.shape[1] for _ in range(150)}
    assert lengths == set(range(diversity.LONGEST + 1))


def test_a_run_is_trained_on_its_list_alone(monkeypatch):
    seen = []

    def watch(learner, sample, *rest, **options):
        seen.append(sample(generator=torch.Generator().manual_seed(0)))

    monkeypatch.setattr(diversity, "meta_train", watch)
    diversity.train(2, 0)
    (_, query), known = seen[0], diversity.known_tasks(2, 0)
    left = (query.y[:, :, None] - query.x @ known.T).abs().mean(1).min(1).values
    assert left.mean() < 0.6  # the noise, and nothing else
    assert len(seen[0].support.y) == 64


def test_errors_are_above_the_noise_and_of_the_right_tasks():
    found = diversity.judge(BestGuess(diversity.known_tasks(8, 0), 0.5), 8, 0)
    for row in diversity.ROWS:
        assert found[row]["learner"] == found[row]["best guess"]
        assert set(found[row]["to best guess"]) == {0.0}
        assert all(len(values) == diversity.LONGEST + 1 for values in found[row].values())
    assert found["seen"]["learner"][-1] < 0.01 < found["unseen"]["learner"][-1]
    ridge = diversity.judge(Ridge(0.25), 8, 0)
    assert ridge["unseen"]["learner"] == found["unseen"]["ridge"]
    assert ridge["unseen"]["to best guess"] == found["unseen"]["to ridge"]


def test_tasks_drawn_anew_have_no_best_guess():
    found = diversity.judge(Ridge(0.25), diversity.FRESH, 0)
    assert set(found["seen"]) == {"learner", "ridge", "to ridge"}


def test_the_record_goes_on_where_it_ended(tmp_path, monkeypatch, capsys):
    path = tmp_path / "diversity.json"
    monkeypatch.setattr(diversity, "COUNTS", (2,))
    monkeypatch.setattr(diversity, "SEEDS", (0,))
    diversity.save({"2/0": {"kept": 1}, "fresh/0": {"kept": 2}}, path)
    diversity.main(path=path)
    assert json.loads(path.read_text()) == {"2/0": {"kept": 1}, "fresh/0": {"kept": 2}}
    assert capsys.readouterr().out == ""


def test_a_run_of_the_kept_counts_is_saved(tmp_path):
    diversity.one_run(4, 1, tmp_path)
    assert not list(tmp_path.iterdir())
    diversity.one_run(4, 0, tmp_path)
    learner = checkpoints.load("diversity-4", tmp_path)
    assert learner.network.settings == diversity.NETWORK.settings


@pytest.mark.parametrize("name", diversity.KEPT.values())
def test_the_kept_checkpoints_ship_with_their_card(name):
    assert "metalearn_lite.recipes.diversity" in checkpoints.read_card(name)["command"]
    assert checkpoints.load(name).network.settings == diversity.NETWORK.settings


def test_a_missing_record_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"make it with python -m metalearn_lite\.recipes"):
        diversity.load(tmp_path / "none.json")
