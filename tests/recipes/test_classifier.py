"""The classifier's recipe, short and on glyphs."""

import re

import pytest
import torch

from metalearn_lite import checkpoints
from metalearn_lite.images import symmetries
from metalearn_lite.recipes import classifier as recipe
from metalearn_lite.tasks.characters import Glyphs


@pytest.fixture
def glyphs(monkeypatch):
    glyphs = Glyphs(2, 24, 6, seed=1)
    monkeypatch.setattr(recipe.characters, "Omniglot", lambda _: glyphs)
    monkeypatch.setattr(recipe.characters, "standard_split", lambda _: (glyphs,) * 3)
    monkeypatch.setattr(recipe, "NUM_RUNS", 3)
    return glyphs


def test_a_batch_is_one_task_whose_labels_name_character_and_symmetry(glyphs, monkeypatch):
    monkeypatch.setattr(recipe, "distort", lambda x, generator, symmetry: x)
    support, query = recipe.labelled(glyphs, 50, torch.Generator().manual_seed(0))
    assert support.x.shape == (1, 0, 1, 28, 28)
    assert query.x.shape == (1, 50, 1, 28, 28)
    for image, label in zip(query.x[0, :, 0], query.y[0], strict=True):
        drawings = glyphs.images[label // len(symmetries())].float() / 255
        assert (drawings == image).flatten(1).all(1).any()
    assert len(query.y.unique()) > 40


@pytest.mark.slow
def test_the_recipe_trains_freezes_and_drops_the_head(glyphs):
    learner = recipe.train(2, torch.Generator().manual_seed(0))
    assert learner.network.norm == "frozen"
    assert "head" not in learner.params
    result = recipe.judge(learner)
    assert len(result) == 2
    assert all(re.fullmatch(r"[\d.]+ ± [\d.]+ %", value) for value in result.values())


@pytest.mark.slow
def test_what_is_trained_can_be_saved_and_loaded(glyphs, tmp_path):
    learner = recipe.train(1, torch.Generator().manual_seed(0))
    checkpoints.save(learner, "classifier", {}, tmp_path)
    loaded = checkpoints.load("classifier", tmp_path)
    support = glyphs.sample(1, 5, 1, generator=torch.Generator().manual_seed(1)).support
    adapted, again = learner.adapt(support), loaded.adapt(support)
    assert all(torch.equal(adapted[name], again[name]) for name in adapted)
