"""The plane of the whole course: its errors are the cards', its record names learners there are."""

import json

import pytest
import torch

from metalearn_lite import checkpoints
from metalearn_lite.recipes import memory, plane
from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.tasks.linear import LinearRegression
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.tasks.sinusoids import Sinusoids

HERE = [entry for entry in plane.ENTRIES if plane.has_card(entry)]


def test_every_entry_has_a_name_of_its_own_and_a_known_idea():
    names = [plane.name_of(entry) for entry in plane.ENTRIES]
    assert len(set(names)) == len(names)
    assert {entry.idea for entry in plane.ENTRIES} == set(plane.IDEAS)
    assert {entry.kind for entry in plane.ENTRIES} == set(plane.KINDS)


@pytest.mark.parametrize("entry", HERE, ids=plane.name_of)
def test_what_is_left_of_a_guess_is_read_from_the_card(entry):
    assert 0 < plane.left_of(entry) < 1


def test_it_is_where_the_score_lies_between_a_guess_and_the_best():
    entry = next(e for e in HERE if e.card == "omniglot-matching")
    said = float(checkpoints.read_card(entry.card)["result"][entry.row].split()[0])
    assert plane.left_of(entry) == pytest.approx((100 - said) / 80)


def test_a_row_that_a_card_does_not_have_is_told():
    with pytest.raises(ValueError, match=r"'omniglot-matching' says '' in '3-way'"):
        plane.left_of(plane.Entry("?", "metric", "characters", "omniglot-matching", "3-way"))


def test_what_a_guess_scores_is_what_a_guess_scores(generator):
    """The constants, played and drawn."""
    g = generator()
    goals = Navigation().sample_tasks(100_000, g)
    assert goals.norm(dim=1).mean().item() == pytest.approx(plane.GOAL, rel=0.005)
    y = LinearRegression(5).sample(20_000, 1, 5, g).query.y
    assert y.square().mean().item() == pytest.approx(plane.KINDS["lines"].guess, rel=0.03)
    waves = Sinusoids().sample(20_000, 1, 50, g)
    # The mean of A sin(x - φ), over A in 0.1 … 5 and φ in 0 … π:
    mean = -2.55 * (2 / torch.pi) * waves.query.x.squeeze(-1).cos()
    error = (waves.query.y - mean).square().mean().item()
    assert error == pytest.approx(plane.KINDS["waves"].guess, rel=0.03)
    chances = Bandits(5).sample_tasks(50_000, g)
    guess, best = plane.KINDS["bandits"]
    assert 10 * chances.mean().item() == pytest.approx(guess, rel=0.005)
    assert 10 * chances.amax(1).mean().item() == pytest.approx(best, rel=0.005)


@pytest.mark.parametrize("kind", plane.KINDS)
def test_one_task_of_each_kind_is_timed(kind):
    for entry in [one for one in HERE if one.kind == kind][:2]:
        assert plane.seconds_of(plane.work_of(entry), 1) > 0


def test_each_player_is_timed_as_itself():
    for entry in HERE:
        if entry.kind == "bandits" and entry.idea == "by hand" and entry.label != "REINFORCE":
            assert entry.label in memory.players(10)
        if entry.kind == "bandits":
            assert plane.work_of(entry)().actions.shape == (1, 1, 10)


def test_a_record_is_made_and_read(tmp_path, monkeypatch, capsys):
    path = tmp_path / "plane.json"
    monkeypatch.setattr(plane, "ENTRIES", HERE[:2])
    monkeypatch.setattr(plane, "NUM_REPEATS", 1)
    plane.main(path)
    assert " s\n" in capsys.readouterr().out
    found = plane.points(path)
    assert [point.entry for point in found] == HERE[:2]
    assert all(point.seconds > 0 for point in found)


def test_who_has_no_card_is_left_out(tmp_path, monkeypatch):
    stranger = plane.Entry("nobody", "rule", "waves", "no-such-card", "error")
    monkeypatch.setattr(plane, "ENTRIES", [stranger])
    path = tmp_path / "plane.json"
    path.write_text(json.dumps({"seconds": {"waves: nobody": 1.0}}))
    assert plane.points(path) == []


def test_a_missing_record_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"make it with python -m metalearn_lite\.recipes"):
        plane.points(tmp_path / "none.json")


def test_what_ships_names_every_learner_that_has_a_card():
    names = [plane.name_of(point.entry) for point in plane.points()]
    assert names == [plane.name_of(entry) for entry in HERE]
