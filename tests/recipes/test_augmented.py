"""The record of notebook 14's augmentations: short and on glyphs; and what ships."""

import json

import pytest
import torch

from metalearn_lite.recipes import augmented, records
from metalearn_lite.tasks.augmented import FixedTasks
from metalearn_lite.tasks.characters import Glyphs


@pytest.fixture
def glyphs(monkeypatch):
    glyphs = Glyphs(2, 12, 8, seed=1)
    monkeypatch.setattr(augmented, "pools", lambda _: (glyphs, glyphs))
    monkeypatch.setattr(augmented, "SIZES", {"Glyphs": (10, 20)})
    return glyphs


def test_all_sources_make_tasks_of_the_same_shape(glyphs, generator):
    tasks = FixedTasks(glyphs, 2, 5, generator())
    for source in augmented.SOURCES.values():
        support, query = augmented.sampler(tasks, **source)(generator=generator(1))
        assert support.x.shape == (8, 5, 1, 14, 14)
        assert query.x.shape == (8, 15, 1, 14, 14)
        assert (support.y.sort(1).values == torch.arange(5)).all()


def test_images_are_shrunk_by_the_mean_of_four_pixels(glyphs, generator):
    episodes = glyphs.sample(2, 3, 1, 1, generator())
    small = augmented.shrunk(episodes)
    x = episodes.support.x
    expected = (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4
    torch.testing.assert_close(small.support.x, expected)
    assert torch.equal(small.query.y, episodes.query.y)


def test_the_interval_of_four_runs_is_students():
    mean, half = augmented.of_runs([0.1, 0.2, 0.3, 0.4])
    assert mean == pytest.approx(0.25)
    assert half == pytest.approx(3.182 * 0.1290994 / 2, rel=1e-4)


@pytest.mark.slow
def test_the_record_is_written_with_its_card(glyphs, monkeypatch, tmp_path):
    monkeypatch.setattr(records.paths, "data_folder", lambda: tmp_path)
    augmented.main(("Glyphs",), num_runs=2, iterations=2)
    found = json.loads((tmp_path / "augmented.json").read_text(encoding="utf-8"))
    assert found["card"]["seeds"] == "0 to 1"
    assert set(found) == {"card", "Glyphs"}
    for of_learner in found["Glyphs"].values():
        assert set(of_learner) == {"10", "20"}
        for of_size in of_learner.values():
            assert set(of_size) == set(augmented.SOURCES)
            assert all(0 <= share <= 1 for runs in of_size.values() for share in runs)


def test_what_ships_has_every_run_of_every_source():
    found = augmented.load()
    assert found.pop("card")["command"] == "python -m metalearn_lite.recipes.augmented"
    assert set(found) == set(augmented.SIZES)
    for name, of_set in found.items():
        assert set(of_set) == set(augmented.LEARNERS)
        for of_learner in of_set.values():
            assert set(of_learner) == {str(size) for size in augmented.SIZES[name]}
            for of_size in of_learner.values():
                assert set(of_size) == set(augmented.SOURCES)
                assert {len(runs) for runs in of_size.values()} == {augmented.NUM_RUNS}
