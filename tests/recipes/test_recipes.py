import re

import pytest
import torch

from metalearn_lite import checkpoints, recipes
from metalearn_lite.learners.maml import MAML
from metalearn_lite.recipes import omniglot, sinusoids
from metalearn_lite.tasks.glyphs import Glyphs
from metalearn_lite.training import constant


@pytest.mark.parametrize("name", recipes.MODULES)
def test_every_recipe_is_found_and_ships_its_checkpoint(name):
    assert recipes.find(name).data
    assert name in checkpoints.read_card(name)["command"]


def test_sinusoids_train_and_are_judged():
    generator = torch.Generator().manual_seed(0)
    learner = sinusoids.train(MAML, 5, 3, constant, generator)
    result = sinusoids.judge(learner)
    assert list(result) == [f"error after {steps} steps" for steps in (0, 1, 5, 10)]
    assert "10,000 tasks" in result["error after 5 steps"]


@pytest.mark.parametrize("within_alphabet", [False, True])
def test_distorted_episodes_keep_their_labels_and_shapes(within_alphabet):
    pool = Glyphs(2, 6, 4, seed=0)
    generator = torch.Generator().manual_seed(0)
    support, query = omniglot.distorted(pool, 3, 5, 2, within_alphabet, generator)
    assert support.x.shape == (3, 5, 1, 28, 28)
    assert query.x.shape == (3, 10, 1, 28, 28)
    assert query.y.tolist() == [[0, 0, 1, 1, 2, 2, 3, 3, 4, 4]] * 3
    assert query.x.min() >= 0
    assert query.x.max() <= 1 + 1e-5


def test_protonet_and_maml_recipes_run(monkeypatch):
    """The whole of both recipes, but short and on glyphs."""
    glyphs = Glyphs(2, 24, 6, seed=1)
    monkeypatch.setattr(omniglot.characters, "Omniglot", lambda _: glyphs)
    monkeypatch.setattr(omniglot.characters, "standard_split", lambda _: (glyphs,) * 3)
    generator = torch.Generator().manual_seed(0)
    protonet = omniglot.train_protonet("small1", 2, generator)
    assert protonet.network.norm == "frozen"
    monkeypatch.setattr(omniglot, "NUM_RUNS", 3)
    result = omniglot.judge_protonet("small1", protonet)
    assert re.fullmatch(r"[\d.]+ ± [\d.]+ %", result["challenge error"])
    maml = omniglot.train_maml(2, generator)
    assert "accuracy" in next(iter(omniglot.judge_maml(maml)))
