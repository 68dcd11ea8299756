import re

import pytest
import torch

from metalearn_lite import checkpoints, recipes
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import ConvNet
from metalearn_lite.recipes import convolutional, metric, omniglot, sinusoids
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.training import constant, cosine


@pytest.mark.parametrize("name", recipes.MODULES)
def test_every_recipe_is_found_and_ships_its_checkpoint(name):
    assert recipes.find(name).data
    assert name in checkpoints.read_card(name)["command"]


def test_two_recipes_of_one_name_are_refused(monkeypatch):
    monkeypatch.setitem(metric.RECIPES, "sinusoid-maml", sinusoids.RECIPES["sinusoid-maml"])
    with pytest.raises(ValueError, match=r"'sinusoid-maml', in metric\.py and in sinusoids\.py"):
        recipes._modules.__wrapped__()


@pytest.mark.slow
def test_sinusoids_train_and_are_judged():
    generator = torch.Generator().manual_seed(0)
    learner = sinusoids.train(MAML, 5, 3, constant, generator)
    result = sinusoids.judge(learner)
    assert list(result) == [f"error after {steps} steps" for steps in (0, 1, 5, 10)]
    assert "10,000 tasks" in result["error after 5 steps"]


@pytest.mark.parametrize("name", sinusoids.FRIENDS)
def test_the_friends_of_maml_train(name, monkeypatch):
    monkeypatch.setattr(
        "metalearn_lite.training.compiled_meta_gradient", lambda learner: learner.meta_gradient
    )
    make, _ = sinusoids.FRIENDS[name]
    learner = sinusoids.train(make, 5, 2, cosine, torch.Generator().manual_seed(0), max_norm=10.0)
    assert learner.inner_steps == make.keywords.get("inner_steps", learner.inner_steps)
    assert name in recipes.MODULES
    assert all(value.isfinite().all() for value in learner.params.values())


def test_distorted_episodes_keep_their_labels_and_shapes():
    generator = torch.Generator().manual_seed(0)
    episodes = Glyphs(2, 6, 4, seed=0).sample(3, 5, 1, 2, generator)
    support, query = omniglot.distorted(episodes, generator)
    assert support.x.shape == (3, 5, 1, 28, 28)
    assert query.x.shape == (3, 10, 1, 28, 28)
    assert query.y.tolist() == [[0, 0, 1, 1, 2, 2, 3, 3, 4, 4]] * 3
    assert query.x.min() >= 0
    assert query.x.max() <= 1 + 1e-5
    assert not torch.equal(support.x, episodes.support.x)


def test_framed_characters_are_the_same_characters_seen_closer():
    pool = Glyphs(1, 5, 4, seed=0)
    closer = omniglot.framed(pool)
    assert closer.names == pool.names
    assert closer.images.shape == pool.images.shape
    assert (closer.images > 128).sum() > (pool.images > 128).sum()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "settings"), [omniglot.PLAIN[:2], omniglot.ELASTIC[:2]], ids=["plain", "elastic"]
)
def test_one_shot_recipes_run(kind, settings, monkeypatch):
    """The whole of a recipe, but short, small and on glyphs."""
    glyphs = Glyphs(2, 24, seed=1)
    monkeypatch.setattr(omniglot.characters, "Omniglot", lambda _: glyphs)
    monkeypatch.setattr(omniglot.characters, "standard_split", lambda _: (glyphs,) * 3)
    monkeypatch.setattr(omniglot.characters, "Glyphs", lambda *_: Glyphs(2, 24, seed=2))
    monkeypatch.setattr(omniglot, "NUM_RUNS", 3)
    network = ConvNet((8, 8, 8, 8), "batch", num_unpooled=2)
    generator = torch.Generator().manual_seed(0)
    learner = omniglot.train_one_shot(kind, settings, network, "small1", 2, generator)
    assert learner.network.norm == "frozen"
    assert learner.all_symmetries
    assert learner.sharpness == 20
    result = omniglot.judge_one_shot("small1", learner)
    assert re.fullmatch(r"[\d.]+ ± [\d.]+ %", result["challenge error"])
    assert learner.all_symmetries
    assert len(omniglot.judge_without_real_images(learner)) == 1  # both sets are the same glyphs


@pytest.mark.slow
def test_one_shot_without_real_images(monkeypatch):
    def refuse(name):
        raise AssertionError(f"{name} was asked for")

    monkeypatch.setattr(omniglot.characters, "Omniglot", refuse)
    monkeypatch.setattr(omniglot.characters, "Glyphs", lambda *_: Glyphs(2, 24, seed=2))
    omniglot.train_one_shot(*omniglot.ELASTIC, None, 1, torch.Generator().manual_seed(0))


@pytest.mark.slow
def test_maml_recipe_runs(monkeypatch):
    glyphs = Glyphs(2, 24, seed=1)
    monkeypatch.setattr(omniglot.characters, "Omniglot", lambda _: glyphs)
    monkeypatch.setattr(omniglot.characters, "standard_split", lambda _: (glyphs,) * 3)
    maml = omniglot.train_maml(2, torch.Generator().manual_seed(0))
    assert "accuracy" in next(iter(omniglot.judge_maml(maml)))


@pytest.mark.parametrize("name", metric.KINDS)
def test_the_ways_to_compare_train_and_are_judged(name, monkeypatch):
    glyphs = Glyphs(2, 24, 10, seed=1)
    monkeypatch.setattr(metric.characters, "Omniglot", lambda _: glyphs)
    monkeypatch.setattr(metric.characters, "standard_split", lambda _: (glyphs,) * 3)
    monkeypatch.setattr(metric, "CHANNELS", (8, 8, 8, 8))
    monkeypatch.setattr(metric, "NUM_TASKS", 2)
    learner = metric.train(*metric.KINDS[name], 2, torch.Generator().manual_seed(0))
    result = metric.judge(learner)
    assert list(result) == [f"{w}-way {s}-shot accuracy" for w in (5, 20) for s in (1, 5)]


def test_the_ways_to_compare_begin_alike_and_see_the_same_images(monkeypatch):
    """Though a relation network draws more parameters than the others."""
    glyphs, seen = Glyphs(2, 24, 8, seed=1), []
    monkeypatch.setattr(metric.characters, "Omniglot", lambda _: glyphs)
    monkeypatch.setattr(metric, "CHANNELS", (8, 8, 8, 8))

    def watch(learner, sample, iterations, generator, *_, **options):
        seen.append((learner.params, sample(generator=generator)))

    monkeypatch.setattr(metric, "meta_train", watch)
    for kind, settings in metric.KINDS.values():
        metric.train(kind, settings, 1, torch.Generator().manual_seed(0))
    (first_params, first), *others = seen
    for params, episodes in others:
        assert torch.equal(params["weight1"], first_params["weight1"])
        assert torch.equal(episodes.support.x, first.support.x)


def test_half_of_the_tasks_have_one_shot_and_all_have_as_many_images():
    glyphs, generator = Glyphs(2, 24, 8, seed=1), torch.Generator().manual_seed(0)
    tasks = [metric.sample(glyphs, generator) for _ in range(20)]
    shots = [len(support.y[0]) // 20 for support, _ in tasks]
    assert set(shots) == {1, 5}
    assert all(support.y.numel() + query.y.numel() == 120 for support, query in tasks)


@pytest.mark.parametrize("name", convolutional.KINDS)
def test_the_convolutional_learners_train_are_judged_and_kept(name, monkeypatch, tmp_path):
    glyphs, seen = Glyphs(2, 24, 10, seed=1), []
    monkeypatch.setattr(convolutional.characters, "Omniglot", lambda _: glyphs)
    monkeypatch.setattr(convolutional.characters, "standard_split", lambda _: (glyphs,) * 3)
    monkeypatch.setattr(convolutional, "WIDTH", 4)
    monkeypatch.setattr(convolutional, "NUM_TASKS", 2)
    monkeypatch.setattr(convolutional, "distorted", lambda e, _: seen.append(e) or e)
    start = torch.Generator().manual_seed(0)
    learner = convolutional.train(convolutional.KINDS[name], 2, start)
    expected = glyphs.sample(8, 5, 1, 3, torch.Generator().manual_seed(0))
    assert torch.equal(seen[0].support.x, expected.support.x)  # the same stream for all of them
    together, alone = convolutional.judge(learner).values()
    if name in ("omniglot-conv-support-norm", "omniglot-conv-per-step-norm"):
        assert together == alone
    checkpoints.save(learner, name, {}, tmp_path)
    loaded = checkpoints.load(name, tmp_path)
    a, b = (x.predict(x.adapt(expected.support), expected.query.x) for x in (learner, loaded))
    torch.testing.assert_close(a, b)
