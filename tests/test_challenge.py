"""The official challenge: the cards, the contact sheet, and that each answer is its own."""

import datetime
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from metalearn_lite import checkpoints, recipes
from metalearn_lite.challenge import (
    COLUMNS,
    PUBLISHED_ERRORS,
    draw_misread,
    in_words,
    official_runs,
    read_runs,
)
from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import answers
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.tasks import characters
from metalearn_lite.tasks.characters import Glyphs, archives, make_runs


@pytest.fixture(scope="module")
def runs():
    return make_runs(Glyphs(1, 20, 3, seed=1), 2, torch.Generator().manual_seed(0))


def drawn(figure):
    """What stands in each part of the sheet that shows an item: title, labels, images."""
    return [
        (ax.get_title(), [text.get_text() for text in ax.texts], [i.get_array() for i in ax.images])
        for block in figure.subfigs
        for ax in block.axes
        if ax.images
    ]


def test_the_sheet_shows_item_taken_for_and_was(runs):
    named = runs.query.y.clone()
    named[1, 4] = (named[1, 4] + 3) % 20
    ((title, labels, images),) = drawn(draw_misread(runs, {"one": named}))
    assert title == "run 2, item 5"
    assert labels == ["item", "taken for", "was"]
    support = runs.support.x[1, :, 0]  # in class order
    shown = (runs.query.x[1, 4, 0], support[named[1, 4]], support[runs.query.y[1, 4]])
    for image, expected in zip(images, shown, strict=True):
        np.testing.assert_allclose(image, 1 - expected)


def test_each_learner_has_a_block_and_its_errors_in_words(runs):
    right, wrong = runs.query.y, (runs.query.y + 1) % 20
    figure = draw_misread(runs, {"right": right, "wrong": wrong})
    assert [block.get_suptitle() for block in figure.subfigs] == [
        "right: 0 of 40 wrong, 0.0 % (95 % interval 0.0–8.8)",
        "wrong: 40 of 40 wrong, 100.0 % (95 % interval 91.2–100.0)",
    ]
    assert len(drawn(figure)) == 40
    taller = draw_misread(runs, {"wrong": wrong}).get_figheight()
    assert taller > draw_misread(runs, {"right": right}).get_figheight() + 40 / COLUMNS / 2
    assert figure.get_facecolor() == (1, 1, 1, 1)


def test_the_class_named_is_the_likeliest(runs):
    learner = PixelNearestNeighbour()
    expected = learner.predict(learner.adapt(runs.support), runs.query.x).argmax(-1)
    assert torch.equal(read_runs(learner, runs), expected)


class NoNumbers(PixelNearestNeighbour):
    """Its answers are no numbers; the likeliest of them would be the first class."""

    def predict(self, adapted, x):
        return super().predict(adapted, x) * torch.nan


def test_what_is_no_number_is_misread_and_taken_for_nothing(runs):
    named = read_runs(NoNumbers(), runs)
    assert (named != runs.query.y).all()
    for _, _, images in drawn(draw_misread(runs, {"one": named})):
        np.testing.assert_array_equal(images[1], 1)  # blank paper


@pytest.mark.parametrize("fault", [FileNotFoundError, characters.DownloadError, "another file"])
def test_official_runs_that_cannot_be_had_are_one_sentence(fault, monkeypatch, capsys, tmp_path):
    def fail(download):
        raise fault("No connection. Try again later.")

    if fault == "another file":
        monkeypatch.setenv("METALEARN_LITE_DATA", str(tmp_path))
        (tmp_path / "all_runs.zip").write_bytes(b"another")
    else:
        monkeypatch.setattr(characters, "challenge_runs", fail)
    assert official_runs() is None
    said = capsys.readouterr().out
    assert said.startswith("The official runs")
    assert said.count("\n") == 1


def test_in_words():
    assert in_words(8, 400) == "8 of 400 wrong, 2.0 % (95 % interval 0.9–3.9)"


def test_what_is_published_is_whole():
    assert PUBLISHED_ERRORS["people"] == 4.5
    assert all(0 < error < 95 for error in PUBLISHED_ERRORS.values())  # guessing errs on 95


FILE = archives.find_archive(archives.SOURCES["runs"])
SCORED = ("omniglot-elastic", "omniglot-elastic-small2", "omniglot-protonet", "glyphs-elastic")


@pytest.mark.slow
@pytest.mark.skipif(FILE is None, reason="all_runs.zip, the official challenge, is not here")
@pytest.mark.parametrize("name", SCORED)
def test_the_card_says_what_the_checkpoint_scores(name):
    official = characters.challenge_runs(FILE)
    named = read_runs(checkpoints.load(name), official)
    wrong = (named != official.query.y).sum().item()
    said, date = checkpoints.read_card(name)["official challenge"].rsplit(", ", 1)
    assert said == in_words(wrong, 400)
    assert datetime.date.fromisoformat(date) >= datetime.date(2026, 11, 30)


@pytest.mark.parametrize("name", [name for name in SCORED if "elastic" in name])
def test_readme_says_what_the_card_says(name):
    said = checkpoints.read_card(name)["official challenge"]
    wrong, share, low, high = re.match(
        r"(\d+) of 400 wrong, ([\d.]+) % \(95 % interval ([\d.]+)–([\d.]+)\)", said
    ).groups()
    readme = Path(__file__).parents[1] / "README.md"
    row = f"| **{wrong}** | **{share} %** ({low}–{high}) |"
    assert row in readme.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", SCORED)
def test_no_answer_depends_on_the_other_queries(name, runs):
    learner = checkpoints.load(name)
    run = Episodes(*runs.tasks(0, 1))
    together, alone = (answers(learner, run, alone=alone) for alone in (False, True))
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    assert torch.equal(together.argmax(-1), alone.argmax(-1))


def test_no_recipe_looks_at_the_official_runs():
    for path in Path(recipes.__file__).parent.glob("*.py"):
        assert "challenge_runs" not in path.read_text(encoding="utf-8"), path.name
