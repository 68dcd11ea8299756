"""The trajectory explorer: its model against the learners themselves, its view without a screen."""

import copy
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page
from walks import do

from metalearn_lite.rl.maml_policy_gradient import MAMLPolicyGradient
from metalearn_lite.rl.policies import GaussianPolicy
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.widgets.trajectories import RETURNS, TrajectoryExplorer, TrajectoryModel

POLICY = GaussianPolicy(2, 8, 2)


class Short(Navigation):
    """Few steps, as most of these tests do not look at how well anything is learned."""

    horizon = 12


class ToTheGoal(GaussianPolicy):
    """Goes straight to a goal that it knows, and stays there: no chance, nothing to learn."""

    def __init__(self, goal):
        super().__init__(2, 8, 2)
        self.goal = torch.tensor(goal)

    def sample(self, params, observation, generator=None):
        return 10 * (self.goal - observation)


def learners() -> dict[str, MAMLPolicyGradient]:
    return {
        name: MAMLPolicyGradient(
            POLICY, POLICY.init(torch.Generator().manual_seed(seed), std=0.1), inner_lr=0.2
        )
        for seed, name in enumerate(("MAML", "joint training"))
    }


def new_model(**options) -> TrajectoryModel:
    settings = {"environment": Short(), "num_trajectories": 5} | options
    return TrajectoryModel(settings.pop("learners", None) or learners(), **settings)


# --- the model


@pytest.mark.parametrize("update", [0, 1, 3])
def test_frame_shows_what_the_learners_play(update):
    model = new_model(goal=(-0.2, 0.4), seed=7)
    model.update = update
    frame = model.frame()
    for name, learner in model.learners.items():
        played = learner.adapt_by_playing(
            Short(), torch.tensor([[-0.2, 0.4]]), 5, 3, torch.Generator().manual_seed(7)
        )
        trajectories = played[update][1]
        np.testing.assert_array_equal(frame.paths[name][:, :-1], trajectories.observations[0])
        means = [each.returns.mean().item() for _, each in played[: update + 1]]
        np.testing.assert_allclose(frame.returns[name][:, 0], means, rtol=1e-5)
        spread = [1.96 * each.returns.std().item() / 5**0.5 for _, each in played[: update + 1]]
        np.testing.assert_allclose(frame.returns[name][:, 1], spread, rtol=1e-5)


def test_the_last_place_is_where_the_last_clipped_action_led():
    """So the reward of the last step is minus its distance to the goal."""
    model = new_model(goal=(0.1, -0.3))
    frame = model.frame(1)
    for name, learner in model.learners.items():
        _, played = learner.adapt_by_playing(
            Short(), torch.tensor([[0.1, -0.3]]), 5, 3, torch.Generator().manual_seed(0)
        )[1]
        away = np.linalg.norm(frame.paths[name][:, -1] - (0.1, -0.3), axis=-1)
        assert played.played.all()
        np.testing.assert_allclose(-away, played.rewards[0, :, -1], rtol=1e-4)
        miss = np.linalg.norm(frame.paths[name][:, -1] - (0.1, -0.3), axis=-1).mean()
        assert frame.misses[name] == pytest.approx(miss)


def test_who_goes_straight_there_arrives():
    policy = ToTheGoal((0.3, 0.4))
    straight = {"straight": MAMLPolicyGradient(policy, policy.init(std=0.1))}
    frame = new_model(learners=straight, goal=(0.3, 0.4)).frame(0)
    assert frame.misses["straight"] == pytest.approx(0, abs=1e-6)
    # Steps of 0.1 in each direction: after the third it is 0.1 short in y, then it is there.
    gaps = [(0.2, 0.3), (0.1, 0.2), (0.0, 0.1)]
    worth = -sum(math.hypot(a, b) for a, b in gaps)
    np.testing.assert_allclose(frame.returns["straight"], [[worth, 0]], atol=1e-5)
    assert f"straight −{-worth:.1f} ± 0.0." in frame.sentence


def test_a_path_stays_where_it_ended():
    """However its policy would have gone on: here, in great strides."""

    class PastTheGoal(ToTheGoal):
        def sample(self, params, observation, generator=None):
            at_goal = (observation - self.goal).norm(dim=-1, keepdim=True) < 0.01
            return torch.where(at_goal, 1.0, super().sample(params, observation, generator))

    policy = PastTheGoal((0.3, 0.4))
    straight = {"straight": MAMLPolicyGradient(policy, policy.init())}
    frame = new_model(learners=straight, goal=(0.3, 0.4)).frame(0)
    np.testing.assert_allclose(frame.paths["straight"][:, 4:], [[[0.3, 0.4]] * 9] * 5, atol=1e-6)


def test_learners_are_left_as_they_are():
    mine = learners()
    before = {name: copy.deepcopy(one.params) for name, one in mine.items()}
    new_model(learners=mine).frame(3)
    for name, params in before.items():
        for key, value in params.items():
            torch.testing.assert_close(mine[name].params[key], value, rtol=0, atol=0)


def test_only_a_new_goal_or_other_luck_is_played_anew(monkeypatch):
    games = []
    play = MAMLPolicyGradient.adapt_by_playing
    monkeypatch.setattr(
        MAMLPolicyGradient, "adapt_by_playing", lambda *args: games.append(1) or play(*args)
    )
    model = new_model()
    for model.update in (0, 3, 1, 2):
        model.frame()
    assert len(games) == 2  # one for each learner
    model.aim(0.1, 0.1)
    model.frame()
    model.frame()
    assert len(games) == 4
    model.seed += 1
    model.frame()
    assert len(games) == 6


def test_the_same_goal_and_seed_give_the_same():
    first, second = new_model().frame(2), new_model().frame(2)
    assert first.sentence == second.sentence
    assert new_model(seed=1).frame(2).sentence != first.sentence


def test_update_stays_between_0_and_the_last():
    model = new_model(max_updates=2)
    assert (model.frame(99).update, model.frame(-3).update) == (2, 0)


def test_sentence_counts_and_scores():
    sentence = new_model(goal=(-0.25, 0)).frame(1).sentence
    assert sentence.startswith("Goal (−0.25, 0.00), after 1 update: average return of 5 paths MAML")
    assert "joint training −" in sentence
    assert re.search(
        r"Distance from the goal at the end: MAML \d\.\d\d, joint training \d", sentence
    )
    assert "after 0 updates" in new_model().frame(0).sentence


@pytest.mark.parametrize("goal", [(0.51, 0), (0, -9), (math.nan, 0), (math.inf, 0)])
def test_what_cannot_be_a_goal_is_refused_in_words(goal):
    model = new_model()
    model.aim(*goal)
    assert model.goal == (0.3, 0.35)
    assert "cannot be a goal: goals lie in the dashed square" in model.frame().sentence
    model.aim(0.5, -0.5)
    assert model.goal == (0.5, -0.5)
    assert "cannot be" not in model.frame().sentence


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learners": dict.fromkeys("abcd", learners()["MAML"])}, "4 learners: choose 1 to 3"),
        ({"num_trajectories": 1}, "num_trajectories=1: choose 2 or more"),
        ({"max_updates": 0}, "max_updates=0: choose 1 or more"),
    ],
)
def test_what_cannot_be_shown_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        new_model(**options)


def test_no_learner_is_refused():
    with pytest.raises(ValueError, match="0 learners"):
        TrajectoryModel({}, Short())


def broken_model() -> TrajectoryModel:
    """Learners whose first update leads nowhere that has a number."""
    mine = learners()
    for learner in mine.values():
        learner.inner_lr = math.inf
    return new_model(learners=mine)


def test_too_long_an_update_is_said_not_raised():
    model = broken_model()
    assert "no number" not in model.frame(0).sentence
    assert "MAML no number: its update was too long" in model.frame(1).sentence


ACTIONS = st.one_of(
    st.tuples(st.just("aim"), st.floats(-1, 1), st.floats(-1, 1)),
    st.tuples(st.just("update"), st.integers(0, 3)),
    st.tuples(st.just("seed"), st.integers(0, 9)),
)


@settings(max_examples=25)
@given(st.lists(ACTIONS, max_size=6))
def test_no_way_through_ends_in_an_error(actions):
    model = new_model()
    for name, *values in actions:
        do(model, name, *values)
        frame = model.frame()
        assert frame.sentence.endswith(".")
        assert max(map(abs, frame.goal)) <= 0.5
        for learner in model.learners:
            assert frame.paths[learner].shape == (5, 13, 2)
            assert frame.returns[learner].shape == (frame.update + 1, 2)


# --- the view


@pytest.fixture
def page():
    return Page(TrajectoryExplorer(new_model()))


def test_walking_over_the_updates_shows_the_frames_sent_beforehand(page):
    sent = page.widget.moving
    page.set(update=2)
    assert page.widget.moving == sent
    assert page.sentence == page.widget.model.frame().sentence
    assert page.columns("MAML now") != sent["MAML now"]
    assert len(page.columns("return MAML")["y"]) == 3


@pytest.mark.parametrize("name", ["MAML", "joint training"])
def test_a_click_or_a_drag_in_either_square_sets_the_goal(page, name):
    page.do("click", panel=f"square {name}", x=-0.4, y=0.2)
    assert page.widget.model.goal == (-0.4, 0.2)
    page.do("drag", key=f"{name} goal", index=0, x=0.9, y=0.1, settled=False)
    assert page.widget.model.goal == (0.5, 0.1)  # no further than the dashed square
    for other in page.widget.model.learners:
        assert page.columns(f"{other} goal") == {"x": [0.5], "y": [0.1]}
    page.do("click", panel=f"square {name}", x=3, y=-0.2)
    assert "(3, −0.2) cannot be a goal" in page.sentence
    page.press("other_luck")
    assert "cannot be" not in page.sentence


def test_what_is_drawn_is_the_frame(page):
    page.set(update=1)
    frame = page.widget.model.frame()
    for name in frame.paths:
        now, average = page.columns(f"{name} now"), page.columns(f"{name} average")
        places = np.array([now["x"], now["y"]], float).T.reshape(5, 14, 2)
        np.testing.assert_allclose(places[:, :-1], frame.paths[name], atol=6e-4)
        assert np.isnan(places[:, -1]).all()  # the gap between two paths
        average = np.array([average["x"], average["y"]], float).T[:-1]
        np.testing.assert_allclose(average, frame.paths[name].mean(0), atol=6e-4)
        drawn = page.columns(f"return {name}")["y"]
        np.testing.assert_allclose(drawn, np.clip(frame.returns[name][:, 0], *RETURNS), rtol=1e-4)


def test_what_is_no_number_is_drawn_at_the_edge():
    page = Page(TrajectoryExplorer(broken_model()))
    page.set(update=3)
    for name in page.widget.model.learners:
        assert page.columns(f"return {name}")["y"][-1] == RETURNS[0]
    assert "no number" in page.sentence


def test_learners_differ_in_colour_and_marker(page):
    looks = [page.marks[f"return {name}"] for name in page.widget.model.learners]
    assert len({one["color"] for one in looks}) == len({one["marker"] for one in looks}) == 2
    for name, one in zip(page.widget.model.learners, looks, strict=True):
        assert page.marks[f"{name} now"]["color"] == one["color"]


def test_suggestions_set_their_goal(page):
    for index, goal in enumerate(((0.5, -0.5), (0, 0))):
        page.do("try", index=index)
        assert page.widget.model.goal == goal


def test_its_line_of_code_makes_it_again(page):
    page.do("click", panel="square MAML", x=-0.4, y=0.2)
    page.press("other_luck")
    model = page.widget.model
    options = f"num_trajectories={model.num_trajectories}, max_updates={model.max_updates}, goal="
    names = {"learners": model.learners, "environment": model.environment}
    again = eval(page.widget.state["code"].replace("goal=", options), globals() | names)
    assert again.state["sentence"] == page.sentence


def test_filmstrip_stays_as_it_is_when_the_widget_moves_on(page):
    page.set(update=2)
    figure = page.widget.filmstrip((0, 1))
    assert len(figure.axes) == 4
    assert [axes.get_title() for axes in figure.axes][:1] == ["after 0 updates"]
    assert page.widget.model.update == 2


def test_description_has_a_line_for_each_picture(page):
    lines = page.widget.description((0, 1, 3)).split("\n")
    assert [line.split(":")[0].split(", ")[-1] for line in lines] == [
        "after 0 updates",
        "after 1 update",
        "after 3 updates",
    ]
