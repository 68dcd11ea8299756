"""The recipes of notebook 14, short and on glyphs: they see images and no labels."""

import pytest
import torch

from metalearn_lite import checkpoints
from metalearn_lite.recipes import convolutional, unlabelled
from metalearn_lite.tasks.characters import Glyphs


@pytest.fixture
def glyphs(monkeypatch):
    glyphs = Glyphs(2, 24, 6, seed=1)
    for module in (unlabelled, convolutional):
        monkeypatch.setattr(module.characters, "Omniglot", lambda _: glyphs)
        monkeypatch.setattr(module.characters, "standard_split", lambda _: (glyphs,) * 3)
    monkeypatch.setattr(convolutional, "NUM_TASKS", 3)
    return glyphs


def test_what_is_left_of_the_characters_are_their_images(glyphs):
    images = unlabelled.without_labels(glyphs)
    assert images.shape == (48 * 6, 1, 28, 28)
    assert torch.equal((255 * images[7, 0]).round().to(torch.uint8), glyphs.images[1, 1])


@pytest.mark.slow
@pytest.mark.parametrize("tasks", [unlabelled.augmented, unlabelled.clustered])
def test_the_recipe_trains_judges_and_can_be_saved(glyphs, tmp_path, tasks):
    generator = torch.Generator().manual_seed(0)
    learner = unlabelled.train(tasks, 2, generator)
    assert len(unlabelled.judge(learner)) == 2
    checkpoints.save(learner, "learner", {}, tmp_path)
    loaded = checkpoints.load("learner", tmp_path)
    assert all(torch.equal(loaded.params[name], value) for name, value in learner.params.items())


def test_both_are_shipped_as_they_are_named():
    for name in unlabelled.RECIPES:
        assert "without its labels" in checkpoints.read_card(name)["data"]
