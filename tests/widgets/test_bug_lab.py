"""The bug lab: its model against the learners themselves, its view without a screen."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page
from walks import do

from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.widgets.bug_lab import (
    BUGS,
    FILMSTRIP,
    INNER_LR,
    PLACES,
    WITNESSES,
    BugLab,
    BugLabModel,
    Frame,
    Run,
    Sick,
    _checks,
    _curve,
    _scores,
    _witnesses,
)

NETWORK = MLP(1, 6, 6, 1)
EPISODES = Sinusoids().sample(3, 5, 5, torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def short():
    """A model whose trainings are short: for what does not depend on how well they go."""
    return BugLabModel(iterations=20)


def start():
    return NETWORK.init(torch.Generator().manual_seed(0))


def gradient(*bugs):
    return Sick(NETWORK, start(), frozenset(bugs)).meta_gradient(EPISODES)


def flat(params):
    return torch.cat([part.detach().flatten() for part in params.values()])


# --- the bugs


def test_without_bugs_it_is_maml():
    loss, found = gradient()
    expected_loss, expected = MAML(NETWORK, start(), INNER_LR).meta_gradient(EPISODES)
    assert loss == expected_loss
    assert torch.equal(flat(found), flat(expected))


def test_each_bug_of_the_gradient_does_what_it_says():
    first_order = MAML(NETWORK, start(), INNER_LR, order=1)
    torch.testing.assert_close(gradient("graph")[1], first_order.meta_gradient(EPISODES)[1])
    on_support = EPISODES._replace(query=EPISODES.support)
    expected = MAML(NETWORK, start(), INNER_LR).meta_gradient(on_support)
    torch.testing.assert_close(gradient("support"), expected)
    torch.testing.assert_close(flat(gradient("plus")[1]), -flat(gradient()[1]))


def test_gradients_pile_up():
    sick = Sick(NETWORK, start(), frozenset({"pile"}))
    first, second = (flat(sick.meta_gradient(EPISODES)[1]) for _ in range(2))
    torch.testing.assert_close(second, 2 * first)


def test_in_place_the_start_itself_moves():
    sick = Sick(NETWORK, start(), frozenset({"in place"}))
    loss, found = sick.meta_gradient(EPISODES)
    params = {name: value.clone().requires_grad_() for name, value in start().items()}
    support, query = EPISODES
    inner = (NETWORK(params, support.x).squeeze(-1) - support.y).square().mean(1).sum()
    slopes = torch.autograd.grad(inner, list(params.values()))
    moved = {
        name: (value - INNER_LR * slope).detach().requires_grad_()
        for (name, value), slope in zip(params.items(), slopes, strict=True)
    }
    torch.testing.assert_close(flat(sick.params), flat(moved))
    outer = (NETWORK(moved, query.x).squeeze(-1) - query.y).square().mean()
    torch.testing.assert_close(loss, outer.detach())
    expected = torch.autograd.grad(outer, list(moved.values()))
    torch.testing.assert_close(list(found.values()), list(expected))


# --- the model


@pytest.mark.parametrize("place", PLACES)
def test_healthy_code_passes_the_gradient_check(short, place):
    short.bugs, short.place = frozenset(), place
    frame = short.frame()
    assert frame.cosine == pytest.approx(1, abs=1e-5)
    assert frame.size == pytest.approx(1, abs=1e-4)
    assert frame.run is frame.healthy


@pytest.mark.parametrize(
    ("bug", "cosine", "size"),
    [("plus", -1, 1), ("labels", 1, 1), ("small", 1, 1), ("seen", 1, 1), ("best", 1, 1)],
)
def test_the_gradient_check_sees_the_gradient_only(short, bug, cosine, size):
    short.bugs, short.place = frozenset({bug}), PLACES[0]
    frame = short.frame()
    assert frame.cosine == pytest.approx(cosine, abs=1e-5)
    assert frame.size == pytest.approx(size, abs=1e-4)


@pytest.mark.parametrize("bug", ["graph", "support", "in place", "pile"])
def test_the_gradient_check_betrays_a_wrong_gradient(short, bug):
    short.bugs, short.place = frozenset({bug}), PLACES[1]
    assert WITNESSES[1] in short.frame().betrayed_by


def test_a_score_has_its_own_bugs_and_the_same_training(short):
    short.bugs = frozenset()
    healthy = short.frame().run
    for bug in ("seen", "best"):
        short.bugs = frozenset({bug})
        run = short.frame().run
        np.testing.assert_array_equal(run.curve, healthy.curve)
        assert (run.honest, run.interval) == (healthy.honest, healthy.interval)
        assert run.reported != healthy.reported


def test_the_honest_score_is_that_of_right_code_on_whole_waves(short):
    for bug in ("small", "support"):
        short.bugs = frozenset({bug})
        run = short.frame().run
        _, params = short._runs[short.bugs]
        expected = evaluate(MAML(short._network, params, INNER_LR), short._held_out)
        assert (run.honest, run.interval) == (expected.mean, expected.interval)
    assert short._held_out.query.y.abs().max() > 4


def test_the_same_state_gives_the_same_frame_and_nothing_is_trained_twice(short):
    short.bugs = frozenset({"labels"})
    first = short.frame()
    assert short.known()
    told = []
    assert short.frame(told.append).run is first.run
    assert told == []
    other = BugLabModel(iterations=20)
    other.bugs, other.place = short.bugs, short.place
    assert not other.known()
    assert other.frame(told.append).sentence == first.sentence
    assert (told[0], told[-1]) == (0, 1)


def test_global_randomness_and_threads_are_left_alone(short):
    torch.manual_seed(3)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    short.bugs = frozenset({"best", "labels"})
    short.frame()
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def frame_of(curve, reported, honest, cosine=1.0, size=1.0):
    healthy = Run(np.full(100, 1.0), 1.0, 1.0, 0.1)
    return Frame(Run(np.array(curve), reported, honest, 0.1), healthy, cosine, size, (), "")


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (frame_of([1.0] * 100, 1.0, 1.0), ()),
        (frame_of([0.1] * 100, 1.0, 1.0), ()),
        (frame_of([2.0] * 100, 1.0, 1.0), WITNESSES[:1]),
        (frame_of([1.0] * 60, 1.0, 1.0), WITNESSES[:1]),
        (frame_of([1.0] * 100, 1.0, 1.0, cosine=0.99), WITNESSES[1:2]),
        (frame_of([1.0] * 100, 1.0, 1.0, size=1.1), WITNESSES[1:2]),
        (frame_of([1.0] * 100, 1.0, 1.0, cosine=math.nan), WITNESSES[1:2]),
        (frame_of([1.0] * 100, 0.5, 1.0), WITNESSES[2:]),
        (frame_of([1.0] * 100, 2.0, 1.0), ()),
        (frame_of([1.0] * 100, 1.0, math.nan), WITNESSES[2:]),
        (frame_of([1.0] * 100, 1e5, math.nan), ()),
        (frame_of([1.0] * 100, math.nan, math.nan), ()),
    ],
)
def test_who_says_that_something_is_wrong(frame, says):
    assert _witnesses(frame) == says


def test_what_runs_away_is_told_not_raised(short):
    short.bugs = frozenset({"plus", "pile"})
    long = BugLabModel(iterations=300)
    long._runs[frozenset()] = short._runs[frozenset()]
    long.bugs = short.bugs
    said = long.frame().sentence
    assert "runs away after" in said
    assert "honest off the chart" in said


def test_each_witness_that_betrays_has_its_cross():
    def panels(frame):
        marks = {mark.key: mark for p in (_curve(frame), *_checks(frame), _scores(frame))
                 for mark in p.marks}  # fmt: skip
        said = [*marks["cosine said"].texts, *marks["size said"].texts]
        return "".join(marks["curve ✗"].texts), "".join(said), marks["scores said"].texts[1]

    for frame in (
        frame_of([1.0] * 100, 1.0, 1.0),
        frame_of([2.0] * 100, 1.0, 1.0),
        frame_of([1.0] * 100, 1.0, 1.0, cosine=0.9),
        frame_of([1.0] * 100, 0.5, 1.0),
        frame_of([1.0] * 60, 1e5, 1e6, cosine=0.9),
    ):
        says = _witnesses(frame)
        crossed = ["✗" in text for text in panels(replace(frame, betrayed_by=says))]
        assert crossed == [witness in says for witness in WITNESSES]


# --- mysteries


def test_a_mystery_hides_what_the_switches_do_not_show():
    model = BugLabModel(iterations=20)
    for _ in range(12):
        before = model.hidden
        model.mystery()
        assert model.hidden != before
        assert 1 <= len(model.hidden) <= 2
        assert model.hidden <= BUGS.keys()
        assert model.bugs == frozenset()
        assert model.shown == model.hidden


def test_a_guess_says_how_much_of_it_is_right(short):
    short.hidden, short.bugs = frozenset({"graph", "best"}), frozenset()
    short.guess()
    assert short.notice == "Switch on what you think it is, then guess."
    short.set("graph", True)
    assert short.notice == ""
    short.guess()
    assert short.notice == "Not yet: so far it is right, but 1 more is hidden."
    short.set("seen", True)
    short.guess()
    assert short.notice == "Not yet: 1 of your 2 is hidden here, and 1 more."
    short.set("best", True)
    short.guess()
    assert short.notice == "Not yet: 2 of your 3 are hidden here."
    short.set("best", False)
    said = short.frame().sentence
    assert "A mystery: 2 bugs hidden." in said
    assert not any(bug.label in said for bug in BUGS.values())
    assert said.startswith(short.notice)
    short.set("graph", False)
    short.guess()
    assert short.notice == "Not yet: nothing of that is hidden here."
    short.set("seen", False)
    short.set("graph", True)
    short.set("best", True)
    short.guess()
    assert short.notice == f"Right. It was: no create_graph, {BUGS['best'].label}."
    assert short.hidden is None
    assert short.bugs == {"graph", "best"}


def test_revealing_ends_it(short):
    short.hidden, short.bugs = frozenset({"small"}), frozenset({"graph"})
    short.reveal()
    assert (short.hidden, short.bugs) == (None, {"small"})
    assert short.notice == "It was: amplitude 0.1–0.5."
    for action in (short.reveal, short.guess):
        action()
        assert short.notice == "Nothing is hidden: press Mystery first."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: model.set("typo", True), "bug='typo': choose 'graph' or"),
        (lambda model: BugLabModel(iterations=3), "iterations=3: choose 20 or more"),
        (lambda model: setattr(model, "place", "here") or model.frame(), "place='here': choose"),
    ],
)
def test_what_cannot_be_shown_is_refused(short, change, message):
    before = short.place
    try:
        with pytest.raises(ValueError, match=message):
            change(short)
    finally:
        short.place = before


ACTIONS = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(["graph", "seen"]), st.booleans()),
    st.tuples(st.just("place"), st.sampled_from(PLACES)),
    st.tuples(st.sampled_from(["guess", "reveal"])),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(ACTIONS, max_size=6))
def test_no_way_through_ends_in_an_error(short, actions):
    short.bugs, short.hidden = frozenset(), frozenset({"seen"})
    for name, *values in actions:
        do(short, name, *values)
        assert short.frame().sentence.endswith(".")


# --- the view


@pytest.fixture(scope="module")
def model():
    return BugLabModel(iterations=20)


@pytest.fixture
def page(model):
    model.bugs, model.hidden, model.notice, model.place = frozenset(), None, "", PLACES[0]
    return Page(BugLab(model))


def test_a_switch_changes_all_panels_and_the_sentence(page):
    keys = ("this code", "cosine bar", "score")
    before = [page.columns(key) for key in keys]
    page.set(plus=True)
    assert page.widget.model.bugs == {"plus"}
    assert all(page.columns(key) != old for key, old in zip(keys, before, strict=True))
    assert page.sentence == page.widget.model.frame().sentence
    assert page.widget.progress == 0
    assert page.widget.state["values"]["plus"]


def test_every_switch_says_what_it_is_and_does(page):
    switches = [one for one in page.widget.look["controls"] if one["kind"] == "Switch"]
    assert [(one["label"], one["help"], one["group"]) for one in switches] == [*BUGS.values()]


def test_the_place_of_the_check(page):
    page.set(place=PLACES[1])
    assert f"Gradient check at {PLACES[1]}" in page.sentence


def test_the_buttons_play_a_mystery(page):
    assert set(page.widget.state["off"]) == {"all_off", "guess", "reveal"}
    page.press("mystery")
    hidden = page.widget.model.hidden
    assert "A mystery:" in page.sentence
    assert page.widget.state["code"] == ""
    page.set(**dict.fromkeys(hidden, True))
    page.press("guess")
    assert page.sentence.startswith("Right. It was:")
    assert {bug for bug in BUGS if page.widget.state["values"][bug]} == hidden
    page.press("mystery")
    page.press("reveal")
    assert page.sentence.startswith("It was:")
    page.press("all_off")
    assert not any(page.widget.state["values"][bug] for bug in BUGS)


def test_suggestions_switch_one_bug_on(page):
    page.set(plus=True)
    for index, bug in enumerate(("graph", "seen")):
        page.do("try", index=index)
        assert page.widget.model.bugs == {bug}


def test_its_line_of_code_makes_it_again(page):
    page.set(plus=True, seen=True)
    code = page.widget.state["code"].replace("BugLabModel(", "BugLabModel(iterations=20, ")
    assert eval(code).state["sentence"] == page.sentence


def test_a_long_answer_says_how_much_is_done(page):
    told = []
    page.widget.observe(lambda change: told.append(change["new"]), "progress")
    page.set(pile=True, small=True)
    assert sorted(told[:-1]) == told[:-1]
    assert max(told) > 0.5
    assert told[-1] == 0


def test_the_filmstrip_stays_and_has_a_line_for_each_set(page):
    lab = page.widget
    figure = lab.filmstrip()
    assert len(figure.axes) == 4 * len(FILMSTRIP)
    assert len(lab.description().split("\n")) == len(FILMSTRIP)
    assert len(lab.description(((), ("graph", "seen"))).split("\n")) == 2
    assert lab.model.bugs == frozenset()
    assert repr(lab) == f"BugLab({page.sentence!r})"
    with pytest.raises(ValueError, match="bug='nothing'"):
        lab.filmstrip((("nothing",),))


@pytest.mark.slow
def test_each_witness_is_the_only_one_for_some_bug():
    """What notebook 15 says of it, at full length."""
    model = BugLabModel()
    alone = {}
    for bug in ("graph", "labels", "seen", "best", "small"):
        model.bugs = frozenset({bug})
        alone[bug] = model.frame().betrayed_by
    assert alone == {
        "graph": WITNESSES[1:2],
        "labels": WITNESSES[:1],
        "seen": WITNESSES[2:],
        "best": WITNESSES[2:],
        "small": WITNESSES[2:],
    }
    model.bugs = frozenset()
    assert model.frame().betrayed_by == ()
