"""The capstone: how a learner is asked, what bad ones are told, and the file of its scores."""

import ast
import dataclasses
import functools
import itertools
import json
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from torch import nn

from metalearn_lite import checkpoints, files
from metalearn_lite.evaluation import answers, chosen
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.tasks import characters
from metalearn_lite.tasks.characters import Glyphs, archives, make_runs
from metalearn_lite.teaching import capstone, score_file
from metalearn_lite.teaching.capstone import CannotBeScored, Runs, Score, score
from metalearn_lite.teaching.score_file import BUILT, MADE_UP, OFFICIAL


@functools.cache
def some_runs():
    episodes = make_runs(Glyphs(1, 24, 4, seed=1), 3, torch.Generator().manual_seed(0))
    return Runs(episodes, "a test", BUILT)


@pytest.fixture(scope="module")
def runs():
    return some_runs()


class Starter:
    """As in the notebook."""

    def adapt(self, support):
        return support.x.flatten(2)

    def predict(self, adapted, x):
        return -torch.cdist(x.flatten(2), adapted)


# How it asks


def test_the_score_is_that_of_evaluating_item_by_item(runs):
    scored = score(PixelNearestNeighbour(), runs)
    expected = chosen(answers(PixelNearestNeighbour(), runs.episodes, alone=True))
    assert scored.named.equal(expected)
    assert scored.wrong == (expected != runs.episodes.query.y).sum()
    assert scored.total == 60
    assert score(Starter(), runs).named.equal(expected)
    errors = (expected != runs.episodes.query.y).double().mean(1) * 100
    assert scored.over_runs.mean == pytest.approx(errors.mean().item())
    assert scored.over_runs.interval == pytest.approx(1.96 * errors.std().item() / 3**0.5)


class Spy(Starter):
    """Keeps what it is given."""

    def __init__(self):
        self.given = []

    def adapt(self, support):
        self.given.append(support)
        return super().adapt(support)

    def predict(self, adapted, x):
        self.given.append(x)
        return super().predict(adapted, x)


def test_it_is_given_support_and_one_drawing_at_a_time_and_no_query_label(runs):
    spy = Spy()
    score(spy, runs)
    supports = [given for given in spy.given if isinstance(given, tuple)]
    asked = [given for given in spy.given if not isinstance(given, tuple)]
    assert len(supports) == 4  # the first run twice
    assert [support._fields for support in supports] == [("x", "y")] * 4
    assert {given.shape for given in asked} == {(1, 1, 1, 28, 28)}
    assert len(asked) == 80
    query = runs.episodes.query.x
    places = [int((query[0] == x[0]).flatten(1).all(1).nonzero()[0]) for x in asked[:20]]
    again = [int((query[0] == x[0]).flatten(1).all(1).nonzero()[0]) for x in asked[60:]]
    assert sorted(places) == sorted(again) == list(range(20))
    assert places != again
    assert list(range(20)) not in (places, again)


class Counting(Starter):
    """In built runs item number k is of class k. It trusts in that, and never looks."""

    def adapt(self, support):
        self.asked = itertools.count()
        return None

    def predict(self, adapted, x):
        scores = torch.zeros(1, 1, 20)
        scores[..., next(self.asked)] = 1
        return scores


def test_the_order_of_the_items_tells_nothing_and_who_counts_them_is_noted(runs):
    scored = score(Counting(), runs)
    assert scored.wrong > 45
    assert any("another order" in note for note in scored.notes)
    assert "another order" in repr(scored)


class Inking(Starter):
    """Blackens whatever it is given."""

    def adapt(self, support):
        known = super().adapt(support).clone()
        support.x.fill_(1)
        support.y.fill_(0)
        return known

    def predict(self, adapted, x):
        answer = super().predict(adapted, x)
        x.fill_(1)
        return answer


def test_it_is_handed_copies(runs):
    before = runs.episodes.query.x.clone()
    assert score(Inking(), runs).named.equal(score(Starter(), runs).named)
    assert runs.episodes.query.x.equal(before)


class GradientSteps(Starter):
    """Needs gradients to adapt, as a fine-tuned head does."""

    def adapt(self, support):
        head = torch.zeros(784, 20, requires_grad=True)
        loss = nn.functional.cross_entropy(support.x.flatten(2)[0] @ head, support.y[0])
        (slope,) = torch.autograd.grad(loss, head)
        return head - slope

    def predict(self, adapted, x):
        return x.flatten(2) @ adapted


def test_a_learner_may_take_gradient_steps_whatever_the_caller_has_switched_off(runs):
    with torch.no_grad():
        scored = score(GradientSteps(), runs)
    assert scored.wrong < scored.total


@pytest.mark.parametrize("convert", [torch.Tensor.numpy, torch.Tensor.double, torch.Tensor.tolist])
def test_arrays_lists_and_other_precisions_are_answers(convert, runs):
    class Other(Starter):
        def predict(self, adapted, x):
            return convert(super().predict(adapted, x))

    assert score(Other(), runs).named.equal(score(Starter(), runs).named)


class Wrapping(Starter):
    """Built upon a shipped learner."""

    def __init__(self, name):
        self.inner = [checkpoints.load(name)]


@pytest.mark.parametrize(
    ("name", "kind", "noted"),
    [
        ("omniglot-elastic-small2", BUILT, True),
        ("omniglot-elastic-small2", OFFICIAL, True),
        ("omniglot-elastic-small2", MADE_UP, False),
        ("omniglot-elastic", BUILT, False),
        ("omniglot-prototypical", BUILT, False),
    ],
)
def test_who_builds_on_a_learner_of_minimal_set_2_is_told(name, kind, noted, runs):
    """The built runs are made of that set. A copy that was trained further is not recognised."""
    scored = score(Wrapping(name), runs._replace(kind=kind))
    assert (capstone.KNOWS_SET_2 in scored.notes) == noted


def test_and_reaches_no_tier():
    scored = dataclasses.replace(scored_with(0), notes=(capstone.KNOWS_SET_2,))
    assert scored.tier == 0
    assert repr(scored).endswith("So it reaches no tier.")


def test_a_bar_says_how_far_it_is(runs, monkeypatch, capsys):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    score(Starter(), runs)
    assert "runs:" in capsys.readouterr().err
    monkeypatch.setenv("TQDM_DISABLE", "1")
    score(Starter(), runs)
    assert capsys.readouterr().err == ""


# Bad learners


def answering(answer):
    class Bad(Starter):
        def predict(self, adapted, x):
            return answer(super().predict(adapted, x))

    return Bad()


def raising(error):
    class Bad(Starter):
        def adapt(self, support):
            raise error

    return Bad()


BAD = {
    "one axis too few": (answering(lambda it: it[0]), "(1, 20): it should return (1, 1, 20)"),
    "too few classes": (answering(lambda it: it[..., :19]), "(1, 1, 19): it should"),
    "the class itself": (answering(lambda it: it.argmax(-1)), "not the class"),
    "a number": (answering(lambda it: 3), "returned int"),
    "nothing": (answering(lambda it: None), "returned NoneType"),
    "complex": (answering(lambda it: it * 1j), "(1, 1, 20)"),
    "text": (answering(lambda it: "A"), "returned str"),
    "an error": (raising(KeyError("x")), "Bad.adapt raised KeyError: 'x'"),
    "an exit": (raising(SystemExit(3)), "Bad.adapt raised SystemExit: 3"),
    "the class in place of an object": (Starter, "hand over Starter()"),
    "no learner": (object(), "object has no method adapt"),
    "a function": (lambda support, x: x, "function has no method adapt"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_learner_is_told_in_a_sentence(name, runs):
    learner, words = BAD[name]
    with pytest.raises(CannotBeScored) as told:
        score(learner, runs)
    assert words in str(told.value)


def test_an_error_keeps_its_own_traceback(runs):
    error = ZeroDivisionError("by zero")
    with pytest.raises(CannotBeScored) as told:
        score(raising(error), runs)
    assert told.value.__cause__ is error


def test_what_is_no_number_is_wrong_and_said(runs):
    scored = score(answering(lambda it: it * torch.nan), runs)
    assert scored.wrong == scored.total
    assert "60 answers hold NaN: they are wrong." in repr(scored)
    some = score(answering(lambda it: torch.full_like(it, torch.inf)), runs)
    assert 0 < some.wrong < some.total  # all alike: the first class


def test_a_slow_learner_is_stopped_after_its_first_run(runs, monkeypatch):
    clock, spy = itertools.count(step=100), Spy()
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    with pytest.raises(CannotBeScored, match="100 s for the first 1 of 3 runs: all would take 5"):
        score(spy, runs, most_seconds=200)
    assert len(spy.given) == 21


# What it comes to


def scored_with(wrong, num_runs=capstone.NUM_RUNS, kind=BUILT, learner="Mine", fingerprint="f"):
    y = torch.arange(20).expand(num_runs, -1)
    named = y.clone().flatten()
    named[:wrong] = -1
    made_of = {"class": learner, "source": "class Mine: ...", "source_sha256": "s"}
    made_of |= {"settings": {}, "fingerprint": fingerprint}
    return Score(learner, "a test", kind, named.view_as(y), y, 1.0, made_of)


@pytest.mark.parametrize(
    ("wrong", "tier", "said"),
    [
        (2000, 0, "No tier yet. Tier 1 asks for 40 % or less."),
        (801, 0, "No tier yet."),
        (800, 1, "Tier 1. Tier 2 asks for 25 % or less."),
        (500, 2, "Tier 2."),
        (300, 3, "Tier 3."),
        (200, 4, "That is the highest tier."),
        (0, 4, "That is the highest tier."),
    ],
)
def test_the_tiers(wrong, tier, said):
    scored = scored_with(wrong)
    assert scored.tier == tier
    assert said in repr(scored)
    assert f"{wrong:,} of 2,000 wrong" in repr(scored)


@pytest.mark.parametrize(
    ("num_runs", "kind", "said"),
    [(100, MADE_UP, "made-up"), (20, OFFICIAL, "for built runs"), (99, BUILT, "for 100 runs")],
)
def test_other_runs_have_no_tiers(num_runs, kind, said):
    assert scored_with(0, num_runs, kind).tier == 0
    assert said in repr(scored_with(0, num_runs, kind))


def test_built_runs_are_the_same_each_time_and_of_alphabets_that_are_large_enough():
    one, two = capstone.built_runs(2), capstone.built_runs(2)
    assert one.episodes.query.x.equal(two.episodes.query.x)
    assert one.episodes.query.x.shape == (2, 20, 1, 28, 28)
    assert not one.episodes.query.x.equal(capstone.built_runs(2, seed=1).episodes.query.x)
    assert "seed 16" in one.source


def test_without_omniglot_they_are_made_up(monkeypatch):
    split = (None, None, Glyphs(1, 24, 4, seed=1))
    monkeypatch.setattr(characters, "load_split", lambda name: split)
    assert capstone.built_runs(2).kind == MADE_UP


OMNIGLOT = archives.find_archive(archives.SOURCES["small2"])
REACH = {
    "omniglot-siamese": 1,
    "omniglot-relation": 1,
    "omniglot-matching": 1,
    "omniglot-prototypical": 2,
    "omniglot-conv-prototypical": 0,  # its batch normalisation needs all queries at once
}


@pytest.mark.slow
@pytest.mark.skipif(OMNIGLOT is None, reason="Omniglot's minimal set 2 is not here")
@pytest.mark.parametrize("name", [None, *REACH])
def test_learners_of_the_course_reach_the_tiers_that_are_published(name):
    learner = checkpoints.load(name) if name else Starter()
    assert score(learner, capstone.built_runs()).tier == REACH.get(name, 0)


@pytest.mark.parametrize(("name", "tier"), [("omniglot-protonet", 3), ("omniglot-elastic", 4)])
def test_so_do_the_larger_ones_by_the_thousand_built_runs_of_their_cards(name, tier):
    said = checkpoints.read_card(name)["result"]["challenge error"]
    error = float(said.split()[0])
    assert sum(error <= tier.at_most for tier in capstone.TIERS) == tier


# What a learner is made of


class Held:
    def __init__(self, value):
        self.value = value


class Itself:
    def __init__(self):
        self.me = [self]


NETWORK = nn.Linear(2, 2)
VALUES = [
    1, 1.0, "1", None, True, [1], {"a": 1}, torch.ones(2), torch.ones(2, 1), torch.ones(2).double(),
    torch.zeros(2), torch.tensor(1.0), torch.ones(0), np.ones(2), NETWORK, nn.Linear(2, 2),
    Held(1), Held(2), [Held(torch.ones(2))], [Held(torch.zeros(2))],
]  # fmt: skip


def test_learners_of_other_numbers_have_other_fingerprints():
    found = [score_file.describe(Held(value))["fingerprint"] for value in VALUES]
    assert len(set(found)) == len(found)
    assert found == [score_file.describe(Held(value))["fingerprint"] for value in VALUES]
    assert score_file.describe(Itself())["fingerprint"]


def test_the_source_is_the_classes_own_and_settings_are_kept():
    said = score_file.describe(Held(0.5))
    assert (
        said["source"]
        == "class Held:\n    def __init__(self, value):\n        self.value = value\n"
    )
    assert said["settings"] == {"value": "0.5"}
    assert len(said["source_sha256"]) == 64


def test_a_class_without_a_source_is_none():
    made = type("Made", (Starter,), {"__module__": "nowhere"})
    assert score_file.describe(made())["source"] is None


CELL = """
def helper(x):
    return -x


class Typed:
    def adapt(self, support):
        return support
"""


@pytest.mark.slow
def test_in_a_notebook_the_source_is_the_whole_cell():
    lines = "from metalearn_lite.teaching import score_file\nscore_file.describe(Typed())['source']"
    cells = [nbformat.v4.new_code_cell(source) for source in (CELL, lines)]
    notebook = NotebookClient(nbformat.v4.new_notebook(cells=cells)).execute()
    assert ast.literal_eval(notebook.cells[1].outputs[0].data["text/plain"]).strip() == CELL.strip()


# The file


@pytest.fixture
def official_file(monkeypatch):
    """Made-up characters in place of the official runs, which no test looks at."""
    episodes = some_runs().episodes
    monkeypatch.setattr(characters, "challenge_runs", lambda download: episodes)


def content(folder):
    (path,) = folder.iterdir()
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_built_score_is_kept(tmp_path, capsys):
    path = capstone.keep(scored_with(500), "Zoë Li", tmp_path)
    assert path.name == "capstone-zoë-li.json"
    assert capsys.readouterr().out == "Kept in capstone-zoë-li.json: built score number 1.\n"
    capstone.keep(scored_with(300), " zoë  LI ", tmp_path)
    kept = content(tmp_path)
    assert kept["name"] == "Zoë Li"
    assert [entry["error_percent"] for entry in kept["built"]] == [25, 15]
    assert [entry["tier"] for entry in kept["built"]] == [2, 3]
    entry = kept["built"][0]
    assert (entry["wrong"], entry["total"], entry["learner"]) == (500, 2000, "Mine")
    assert entry["versions"]["torch"] == torch.__version__
    assert set(entry["versions"]) == {"python", "torch", "metalearn_lite"}
    assert entry["when"][:2] == "20"
    assert kept["learners"]["f"]["source"] == "class Mine: ..."
    assert kept["official"] == []
    assert "does not prove" in kept["cannot_prove"]
    assert not score_file.read(path)["changed_by_hand"]


def test_without_a_name_nothing_is_kept(tmp_path, capsys):
    assert capstone.keep(scored_with(500), "", tmp_path) is None
    assert capstone.official(Starter(), "", tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    assert "Give your name first" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["..", "-", "\0", "é" * 99, 3, b"x"])
def test_what_is_no_name_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match="the name"):
        score_file.file_of(name, tmp_path)


@pytest.mark.parametrize("name", ["../x", "/etc/x", r"c:\x", "x\0", "X"])
def test_whatever_else_is_in_a_name_its_file_is_in_the_folder(name, tmp_path):
    path = score_file.file_of(name, tmp_path)
    assert path.parent == tmp_path
    assert path.name in {"capstone-x.json", "capstone-etc-x.json", "capstone-c-x.json"}


def test_the_official_score_wants_a_choice_first(tmp_path, official_file, capsys):
    assert capstone.official(Starter(), "ann", tmp_path) is None
    assert capsys.readouterr().out.startswith("Choose first")
    assert list(tmp_path.iterdir()) == []


def test_the_official_score_is_kept_and_the_second_is_said_in_words(
    tmp_path, official_file, capsys, runs
):
    capstone.keep(score(Starter(), runs), "ann", tmp_path)
    capsys.readouterr()
    scored = capstone.official(Starter(), "ann", tmp_path)
    said = capsys.readouterr().out
    assert said.startswith(f"Starter, official: {scored.wrong} of 60 wrong, ")
    assert said.count("\n") == 1
    kept = content(tmp_path)
    assert kept["times_official_asked"] == 1
    (entry,) = kept["official"]
    assert (entry["wrong"], entry["kind"], entry["as_chosen"]) == (scored.wrong, OFFICIAL, True)
    assert entry["exact_interval_percent"][0] < entry["error_percent"]

    capstone.official(PixelNearestNeighbour(), "ann", tmp_path)
    said = capsys.readouterr().out
    assert "official score number 2. The first one counts" in said
    assert "not the learner last kept" in said
    kept = content(tmp_path)
    assert kept["times_official_asked"] == 2
    assert [entry["as_chosen"] for entry in kept["official"]] == [True, False]
    assert {made["class"] for made in kept["learners"].values()} == {
        "Starter",
        "PixelNearestNeighbour",
    }


def test_a_learner_that_fails_officially_is_not_counted(tmp_path, official_file, runs):
    capstone.keep(score(Starter(), runs), "ann", tmp_path)
    before = content(tmp_path)
    with pytest.raises(CannotBeScored):
        capstone.official(raising(ValueError("no")), "ann", tmp_path)
    assert content(tmp_path) == before


@pytest.mark.parametrize("fault", [FileNotFoundError, characters.DownloadError])
def test_without_the_official_runs_one_sentence_and_nothing_counted(
    fault, tmp_path, monkeypatch, capsys, runs
):
    def fail(download):
        raise fault("No connection. Try again later.")

    monkeypatch.setattr(characters, "challenge_runs", fail)
    capstone.keep(score(Starter(), runs), "ann", tmp_path)
    before = content(tmp_path)
    capsys.readouterr()
    assert capstone.official(Starter(), "ann", tmp_path) is None
    said = capsys.readouterr().out
    assert said.startswith("The official runs")
    assert "nothing was scored or counted" in said
    assert said.count("\n") == 1
    assert content(tmp_path) == before


def test_a_score_that_cannot_be_written_is_not_told(
    tmp_path, official_file, runs, monkeypatch, capsys
):
    path = capstone.keep(score(Starter(), runs), "ann", tmp_path)
    before = path.read_bytes()
    capsys.readouterr()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        capstone.official(Starter(), "ann", tmp_path)
    assert capsys.readouterr().out == ""
    assert path.read_bytes() == before
    assert [it.name for it in tmp_path.iterdir()] == [path.name]


def test_an_official_score_is_not_kept_as_a_built_one(tmp_path):
    with pytest.raises(ValueError, match="official score"):
        capstone.keep(scored_with(3, 20, OFFICIAL), "ann", tmp_path)


def edited(path, edit):
    record = json.loads(path.read_text(encoding="utf-8"))
    edit(record)
    path.write_text(json.dumps(record), encoding="utf-8")


def test_a_file_changed_by_hand_says_so_for_ever(tmp_path):
    path = capstone.keep(scored_with(500), "ann", tmp_path)
    edited(path, lambda record: record["built"][0].update(error_percent=3.0))
    assert score_file.read(path)["changed_by_hand"]
    capstone.keep(scored_with(400), "ann", tmp_path)
    assert score_file.read(path)["changed_by_hand"]


DAMAGES = {
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:200]),
    "no JSON": lambda path: path.write_bytes(b"\xff\xfe"),
    "a list": lambda path: path.write_text("[]"),
    "deep": lambda path: path.write_text("[" * 100_000),
    "another format": lambda path: edited(path, lambda it: it.update(format="x")),
    "no list": lambda path: edited(path, lambda it: it.update(built={})),
    "no parts": lambda path: edited(path, lambda it: it.update(built=[3])),
    "no number": lambda path: edited(path, lambda it: it["built"][0].update(error_percent="3")),
    "NaN": lambda path: edited(path, lambda it: it["built"][0].update(error_percent=float("nan"))),
    "huge": lambda path: edited(path, lambda it: it["built"][0].update(tier=10**400)),
    "no learner": lambda path: edited(path, lambda it: it["built"][0].pop("learner")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_left_as_it_is(damage, tmp_path):
    path = capstone.keep(scored_with(500), "ann", tmp_path)
    DAMAGES[damage](path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"capstone-ann\.json is damaged or no score file"):
        capstone.keep(scored_with(400), "ann", tmp_path)
    assert path.read_bytes() == before
    (row,) = score_file.collect(tmp_path)
    assert "damaged" in row["remarks"][0]


def test_who_collects_sees_every_file_and_what_to_ask_about(tmp_path, official_file, capsys, runs):
    for name in ("ann", "bob", "cem", "dot", "eve"):
        (tmp_path / name).mkdir()
    capstone.keep(scored_with(500), "ann", tmp_path / "ann")
    capstone.keep(score(Starter(), runs), "bob", tmp_path / "bob")
    capstone.official(Starter(), "bob", tmp_path / "bob")
    capstone.official(Starter(), "bob", tmp_path / "bob")
    capstone.keep(scored_with(100, kind=MADE_UP), "cem", tmp_path / "cem")
    capstone.official(Starter(), "cem", tmp_path / "cem")
    path = capstone.keep(scored_with(500), "d\x1b[2Jot", tmp_path / "dot")
    edited(path, lambda record: record.update(times_official_asked=0, name=record["name"] + "!"))
    (tmp_path / "eve" / "capstone-eve.json").write_text("{}")
    rows = {row["name"]: row for row in score_file.collect(tmp_path)}
    assert (rows["ann"]["built"], rows["ann"]["tier"], rows["ann"]["official"]) == (25, 2, None)
    assert rows["ann"]["remarks"] == ["1 built scores"]
    assert rows["bob"]["remarks"][1:] == ["asked the official runs 2 times"]
    assert rows["bob"]["official"] is not None
    assert rows["cem"]["remarks"][1:] == [
        "built runs of made-up characters",
        "the official learner has no built score",
    ]
    assert rows["d?[2Jot!"]["remarks"][1:] == ["changed by hand"]
    assert "damaged" in rows["?"]["remarks"][0]

    capsys.readouterr()
    assert score_file.main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.endswith("5 score files\n")
    assert "\x1b" not in said
    assert score_file.main([str(tmp_path / "nowhere")]) == 1


# In the notebook

(NOTEBOOK,) = (Path(__file__).parents[2] / "notebooks").glob("16_*.ipynb")


def test_run_all_leaves_the_official_runs_sealed():
    """The switch is off, the cell below it is the only one that opens them, and nobody has."""
    cells = [cell for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    opening = [cell for cell in cells if "capstone.official(" in cell.source]
    assert len(opening) == 1
    assert opening[0].source.startswith("OFFICIAL = False")
    assert "\n\nif OFFICIAL:\n    capstone.official(" in opening[0].source
    assert (
        "".join(output.text for output in opening[0].outputs) == "The official runs are sealed.\n"
    )
    sources = "\n".join(cell.source for cell in cells)
    assert 'NAME = ""' in sources
    assert not any(name in sources for name in ("challenge_runs", "official_runs", "all_runs"))
