"""The record of pre-training against meta-learning: short, and on glyphs; and what ships."""

import json

import pytest
import torch
from torch.nn import functional as F

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.ridge_head import RidgeHead
from metalearn_lite.recipes import convolutional, pretraining, records
from metalearn_lite.tasks.characters import Glyphs


@pytest.fixture
def glyphs(monkeypatch):
    glyphs = Glyphs(2, 12, 10, seed=1)
    monkeypatch.setattr(pretraining.characters, "Omniglot", lambda _: glyphs)
    monkeypatch.setattr(pretraining.characters, "standard_split", lambda _: (glyphs,) * 3)
    return glyphs


def test_pre_training_and_meta_learning_see_the_same_images(glyphs, generator):
    drawn = pretraining.draw_characters(10, 0)(generator(1))
    (x, _), query = drawn.episodes
    assert x.shape == (4, 5, 1, 14, 14)
    assert query.x.shape == (4, 15, 1, 14, 14)
    assert drawn.classes.shape == (4, 5)
    # A task's classes are different characters, all in one of eight symmetries.
    assert all(len(set(row.tolist())) == 5 for row in drawn.classes // 8)
    assert all(len(set(row.tolist())) == 1 for row in drawn.classes % 8)
    assert drawn.classes.max() < 8 * 10


def test_they_are_the_images_of_the_learners_of_notebook_08(glyphs, generator):
    episodes = pretraining.draw_tasks(glyphs, 8, generator(3)).episodes
    expected = convolutional.sample(glyphs, generator(3))
    for half, other in zip(episodes, expected, strict=True):
        assert torch.equal(half.x, other.x)
        assert torch.equal(half.y, other.y)


def test_the_long_training_leaves_a_body_with_a_ridge_on_top(glyphs, monkeypatch, generator):
    small = pretraining.CHARACTERS._replace(body=pretraining.ConvClassifier(64, 4))
    monkeypatch.setattr(pretraining, "CHARACTERS", small)
    monkeypatch.setattr(pretraining.characters, "Glyphs", lambda *_, **__: glyphs)
    learner = pretraining.train_long(2, generator())
    assert isinstance(learner, RidgeHead)
    assert "head" not in learner.params
    strength = learner.params["log_strength"].exp().item()
    assert any(strength == pytest.approx(one, rel=1e-4) for one in pretraining.STRENGTHS)
    start = small.body.init(generator())
    assert not torch.equal(learner.params["weight1"], start["weight1"])


def test_only_the_chosen_characters_are_drawn(glyphs, generator):
    draw = pretraining.draw_characters(6, 2)
    seen = {int(c) // 8 for seed in range(20) for c in draw(generator(seed)).classes.flatten()}
    assert seen == set(range(6))


def test_many_heads_descend_the_plain_cross_entropy(glyphs, generator):
    drawn = pretraining.draw_characters(5, 0)(generator(1))
    network = pretraining.ConvClassifier(7, 4)
    learner = pretraining.ManyHeads(network, network.init(generator()), 7, 40)
    learner.params["head"].data = torch.randn(7, 40, generator=generator(2))
    loss, gradient = learner.meta_gradient(drawn)
    losses = []
    for task in range(4):
        x = torch.cat([half.x[task] for half in drawn.episodes])[None]
        ways = torch.cat([half.y[task] for half in drawn.episodes])
        logits = (network(learner.params, x) @ learner.params["head"])[0]
        losses.append(F.cross_entropy(logits, drawn.classes[task][ways]))
    torch.testing.assert_close(torch.stack(losses).mean(), loss)
    assert gradient.keys() == learner.params.keys()


def test_a_wave_has_a_head_of_its_own(generator):
    drawn = pretraining.draw_waves(3, 0)(generator(1))
    learner = pretraining.ManyHeads(pretraining.MLP(1, 4), {}, 4, 3)
    learner.network = lambda params, x: x.expand(-1, -1, 4)
    learner.params["head"].data = torch.arange(12.0).view(4, 3)
    loss, _ = learner.meta_gradient(drawn)
    halves = drawn.episodes
    x, y = (torch.cat([half[part] for half in halves], 1) for part in (0, 1))
    slopes = torch.arange(12.0).view(4, 3).sum(0)[drawn.classes]
    torch.testing.assert_close(F.mse_loss(slopes[:, None] * x.squeeze(2), y), loss)


def test_waves_come_back(generator):
    drawn = pretraining.draw_waves(2, 0)(generator(1))
    (x, y), _ = drawn.episodes
    again = pretraining.draw_waves(2, 0)(generator(2))
    assert not torch.equal(again.episodes.support.x, x)
    for wave in (0, 1):  # all points of one wave lie on one sine of x
        of_wave = torch.stack(
            [x[drawn.classes == wave].flatten().sin(), x[drawn.classes == wave].flatten().cos()], 1
        )
        wanted = y[drawn.classes == wave].flatten()
        fitted = torch.linalg.lstsq(of_wave, wanted).solution
        torch.testing.assert_close(of_wave @ fitted, wanted, atol=1e-4, rtol=1e-4)


def test_the_best_strength_is_chosen(generator):
    x = torch.randn(40, 8, 6, generator=generator())
    weights = torch.randn(40, 6, generator=generator(1))
    y = (x @ weights[..., None])[..., 0] + 2 * torch.randn(40, 8, generator=generator(2))
    episodes = Episodes(Examples(x[:, :4], y[:, :4]), Examples(x[:, 4:], y[:, 4:]))
    learner = RidgeHead(lambda params, x: x, dict(pretraining.RIDGE))
    best = pretraining.choose_strength(learner, episodes)
    errors = {}
    for strength in pretraining.STRENGTHS:
        learner.params["log_strength"].data.fill_(torch.tensor(strength).log())
        errors[strength] = evaluate(learner, episodes).mean
    assert min(errors, key=errors.get) == best


@pytest.mark.slow
def test_the_record_is_written_with_its_card(glyphs, monkeypatch, tmp_path):
    monkeypatch.setattr(records.paths, "data_folder", lambda: tmp_path)
    few = {
        name: setting._replace(sizes=(5, 8), valid=_few(setting.valid), judge=_few(setting.judge))
        for name, setting in pretraining.SETTINGS.items()
    }
    monkeypatch.setattr(pretraining, "SETTINGS", few)
    pretraining.main(num_runs=2, iterations=2)
    found = json.loads((tmp_path / "pretraining.json").read_text(encoding="utf-8"))
    assert found["card"]["seeds"] == "0 to 1"
    assert set(found["characters"]) == {
        "pre-trained, ridge",
        "pre-trained, nearest mean",
        "ridge head",
        "MAML",
    }
    assert set(found["waves"]) == {"pre-trained, ridge", "ridge head", "MAML"}
    for of_size in found["characters"].values():
        assert set(of_size) == {"5", "8"}
        for by_shots in of_size.values():
            assert {shots: len(runs) for shots, runs in by_shots.items()} == {"1": 2, "5": 2}


def _few(tasks):
    return lambda num_shots: tasks(num_shots).tasks(0, 3)


def test_what_ships_has_every_run():
    found = pretraining.load()
    for name, setting in pretraining.SETTINGS.items():
        for of_size in found[name].values():
            assert list(of_size) == [str(size) for size in setting.sizes]
            for by_shots in of_size.values():
                assert all(len(runs) == pretraining.NUM_RUNS for runs in by_shots.values())
