"""The chooser: its model against the agent itself, its view without a screen."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page

from metalearn_lite.learners.least_squares import StraightLine
from metalearn_lite.learners.nearest_value import NearestValue
from metalearn_lite.rl import choosing
from metalearn_lite.rl.contextual_bandits import LinUCB, play, regret
from metalearn_lite.widgets.chooser import Chooser, ChooserModel

LEARNERS = {"line": StraightLine(), "neighbour": NearestValue()}
FEATURES = choosing.feature_names(LEARNERS)
STREAM = choosing.record(LEARNERS, LEARNERS, 1, 30, torch.Generator().manual_seed(3))


def new_model(**options) -> ChooserModel:
    return ChooserModel(STREAM, list(LEARNERS), FEATURES, **options)


# --- the model


@pytest.mark.parametrize("exploration", [0.0, 0.8])
def test_it_shows_what_the_agent_does(exploration):
    model = new_model(exploration=exploration)
    luck = torch.Generator().manual_seed(0)
    agent = LinUCB(2, len(FEATURES), exploration)
    choices = play(agent, STREAM.features, STREAM.rewards, luck)
    lost = regret(STREAM.rewards, choices.arms)[0].cumsum(0)
    for task in (1, 7, 30):
        frame = model.frame(task)
        assert frame.picked == choices.arms[0, task - 1]
        np.testing.assert_allclose(frame.regret, lost[:task], rtol=1e-5, atol=1e-6)
        assert frame.rewards.tolist() == STREAM.rewards[0, task - 1].tolist()


def test_beliefs_are_those_before_the_task():
    model = new_model(exploration=1.0)
    first = model.frame(1)
    assert first.expected.tolist() == [0, 0]
    norm = STREAM.features[0, 0].norm().item()
    np.testing.assert_allclose(first.widths, [norm, norm], rtol=1e-5)
    agent = LinUCB(2, len(FEATURES), 1.0)
    beliefs = agent.learn(
        agent.start(1),
        STREAM.features[:, 0],
        torch.tensor([first.picked]),
        STREAM.rewards[:, 0, first.picked],
    )
    second = model.frame(2)
    x = STREAM.features[:, 1]
    np.testing.assert_allclose(second.expected, beliefs.expected(x)[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(second.widths, beliefs.uncertainty(x)[0], rtol=1e-5)
    assert second.widths[first.picked] < second.widths[1 - first.picked]


def test_unseen_features_change_nothing_any_more():
    model = new_model()
    model.seen = {FEATURES[1]}
    frame = model.frame(30)
    columns = STREAM.features[..., :2]
    luck = torch.Generator().manual_seed(0)
    arms = play(LinUCB(2, 2, 0.5), columns, STREAM.rewards, luck).arms
    lost = regret(STREAM.rewards, arms)[0].cumsum(0)
    np.testing.assert_allclose(frame.regret, lost, rtol=1e-5, atol=1e-6)
    model.seen = set()
    assert len(model.frame(30).regret) == 30


def test_points_are_the_tasks_own_without_padding():
    model = new_model()
    sizes = {len(model.frame(task).support_x) for task in range(1, 31)}
    assert sizes == {5, 20}
    assert all(np.isfinite(model.frame(task).support_y).all() for task in range(1, 31))


def test_always_the_same_is_added_up():
    frame = new_model().frame(1)
    rewards = STREAM.rewards[0]
    expected = (rewards.amax(1, keepdim=True) - rewards).cumsum(0)
    np.testing.assert_allclose(frame.fixed_regret, expected, rtol=1e-5, atol=1e-6)


def test_what_was_walked_is_not_walked_again(monkeypatch):
    steps, learn = [], LinUCB.learn
    monkeypatch.setattr(LinUCB, "learn", lambda *args: steps.append(1) or learn(*args))
    model = new_model()
    model.frame(20)
    assert len(steps) == 19
    for task in (3, 20, 11):
        model.frame(task)
    assert len(steps) == 19
    model.frame(22)
    assert len(steps) == 21
    model.exploration = 1.0
    model.frame(5)
    assert len(steps) == 25


def test_the_sentence_tells_pick_reward_and_regret():
    model = new_model()
    frame = model.frame(12)
    assert frame.sentence.startswith("Task 12 of 30, ")
    assert f"it picked {list(LEARNERS)[frame.picked]}, expecting" in frame.sentence
    assert f"got {frame.rewards[frame.picked]:.2f}" in frame.sentence
    assert f"Regret so far {frame.regret[-1]:.1f}; always" in frame.sentence


def test_names_must_fit_the_stream():
    with pytest.raises(ValueError, match="3 learners and 5 features are named; the stream has 2"):
        ChooserModel(STREAM, ["a", "b", "c"], FEATURES)
    with pytest.raises(ValueError, match="7 learners: choose at most 6"):
        ChooserModel(STREAM, list("abcdefg"), FEATURES)


@settings(max_examples=30)
@given(st.integers(-5, 99), st.floats(0, 2), st.sets(st.sampled_from(FEATURES[1:])))
def test_no_way_through_ends_in_an_error(task, exploration, seen):
    model = new_model()
    model.task, model.exploration, model.seen = task, exploration, seen
    frame = model.frame()
    assert 1 <= frame.task <= 30
    assert len(frame.regret) == frame.task
    assert (np.diff(frame.regret) > -1e-6).all()
    assert frame.sentence.endswith(".")


# --- the view


@pytest.fixture
def page():
    return Page(Chooser(new_model()))


def test_the_slider_changes_all_panels(page):
    keys = ("points", "expected", "agent")
    before = [page.columns(key) for key in keys]
    page.set(task=9)
    assert page.widget.model.task == 9
    assert all(page.columns(key) != old for key, old in zip(keys, before, strict=True))
    assert page.sentence == page.widget.model.frame().sentence


def test_exploration_and_features_change_beliefs(page):
    page.set(task=25)
    before = page.columns("unsure")
    page.set(exploration=1.5)
    assert page.widget.model.exploration == 1.5
    assert page.columns("unsure") != before
    before = page.columns("expected")
    page.set(**{FEATURES[3]: False})
    assert page.widget.model.seen == set(FEATURES[1:]) - {FEATURES[3]}
    assert page.columns("expected") != before
    assert page.widget.state["code"] == ""  # the constructor takes no features away


def test_the_bars_are_the_frames(page):
    page.set(task=20)
    frame = page.widget.model.frame()
    np.testing.assert_allclose(page.columns("expected")["x"], frame.expected, rtol=1e-4)
    unsure = page.columns("unsure")
    assert unsure["high"][0] - unsure["low"][0] == pytest.approx(2 * frame.widths[0], rel=1e-3)
    assert page.columns("got")["x"] == pytest.approx([frame.rewards[frame.picked]], rel=1e-4)
    assert len(page.columns("would")["x"]) == 1


def test_learners_differ_in_marker_and_colour(page):
    lines = [mark for key, mark in page.marks.items() if key.startswith("always")]
    assert len({(line["color"], line["marker"]) for line in lines}) == len(lines) == 2


def test_suggestions_lead_to_what_they_ask(page):
    page.do("try", index=0)
    assert page.widget.model.seen == set()
    page.do("try", index=1)
    assert page.widget.model.seen == set(FEATURES[1:])
    assert page.widget.model.exploration == 0
    assert page.sentence.startswith("Task 30 of 30")


def test_filmstrip_stays_as_it_is_when_the_widget_moves_on(page):
    figure = page.widget.filmstrip((1, 10))
    assert {"task 1", "task 10"} <= {axes.get_title() for axes in figure.axes}
    assert page.widget.model.task == 1


def test_description_has_a_line_for_each_picture(page):
    lines = page.widget.description((1, 10)).split("\n")
    assert [line.split(",")[0] for line in lines] == ["Task 1 of 30", "Task 10 of 30"]
