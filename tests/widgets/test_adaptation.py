"""The adaptation explorer: its model against the learners themselves, its view without a screen."""

import copy
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page
from walks import do

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.widgets.adaptation import MAX_POINTS, AdaptationExplorer, AdaptationModel

NETWORK = MLP(1, 8, 8, 1)


def learners() -> dict[str, MAML]:
    seeds = iter(range(10))

    def params():
        return NETWORK.init(torch.Generator().manual_seed(next(seeds)))

    return {
        "MAML": MAML(NETWORK, params(), inner_lr=0.05),
        "joint training": JointTraining(NETWORK, params()),
        "random start": MAML(NETWORK, params()),
    }


def new_model(**options) -> AdaptationModel:
    options.setdefault("learners", learners())
    return AdaptationModel(generator=torch.Generator().manual_seed(0), **options)


def wave(model: AdaptationModel, x) -> torch.Tensor:
    return model.amplitude * torch.sin(torch.as_tensor(x) - model.phase)


class OtherSteps(MAML):
    def inner_step(self, adapted, support, step=0):
        return adapted


# --- the model


def test_points_lie_on_the_wave():
    frame = new_model(amplitude=2.0, phase=0.5).frame()
    assert len(frame.support_x) == 5
    np.testing.assert_allclose(frame.support_y, 2 * np.sin(frame.support_x - 0.5), rtol=1e-5)
    np.testing.assert_allclose(frame.wave, 2 * np.sin(frame.x - 0.5), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("step", [0, 1, 7])
def test_frame_shows_what_the_learners_do(step):
    model = new_model(inner_lr=0.02)
    model.step = step
    frame = model.frame()
    support = Examples(torch.tensor(model.points).view(1, -1, 1), wave(model, [model.points]))
    query = Examples(torch.tensor(frame.x).view(1, -1, 1), wave(model, frame.x[None]))
    for name, learner in model.learners.items():
        learner = copy.copy(learner)
        learner.inner_lr = 0.02
        with torch.no_grad():
            for k in range(step + 1):
                adapted = learner.adapt(support, inner_steps=k)
                predicted = learner.predict(adapted, query.x)
                errors = [
                    task_losses(learner.predict(adapted, half.x), half.y).item()
                    for half in (support, query)
                ]
                shown = [frame.support_errors[name][k], frame.query_errors[name][k]]
                assert shown == pytest.approx(errors, rel=1e-3)
        np.testing.assert_allclose(frame.curves[name], predicted[0], rtol=1e-3, atol=1e-4)
        assert len(frame.query_errors[name]) == len(frame.support_errors[name]) == step + 1


def test_learners_are_left_as_they_are():
    mine = learners()
    before = {name: (one.inner_lr, copy.deepcopy(one.params)) for name, one in mine.items()}
    model = new_model(learners=mine, inner_lr=0.5)
    model.frame(10)
    for name, (inner_lr, params) in before.items():
        assert mine[name].inner_lr == inner_lr
        for key, value in params.items():
            torch.testing.assert_close(mine[name].params[key], value, rtol=0, atol=0)


def test_only_a_changed_task_is_adapted_to_again(monkeypatch):
    traces = []
    trace = MAML.trace
    monkeypatch.setattr(MAML, "trace", lambda *args: traces.append(1) or trace(*args))
    model = new_model()
    for model.step in (0, 3, 10, 2):
        model.frame()
    assert len(traces) == 1
    for change in ("amplitude", "phase", "inner_lr"):
        setattr(model, change, getattr(model, change) * 1.1)
        model.frame()
        model.frame()
    model.add_point(1.0)
    model.frame()
    assert len(traces) == 5


def test_threads_of_torch_are_given_back():
    before = torch.get_num_threads()
    new_model().frame()
    assert torch.get_num_threads() == before


def test_step_stays_between_0_and_the_last():
    model = new_model(max_steps=4)
    assert (model.frame(99).step, model.frame(-3).step) == (4, 0)


def test_same_generator_same_points():
    assert new_model().points == new_model().points
    model = new_model()
    first = model.points
    model.draw_points(5)
    assert model.points != first


def test_sentence_counts_and_scores():
    model = new_model(num_points=1)
    scores = [errors[0] for errors in model.frame(0).query_errors.values()]
    names = ("MAML", "joint training", "random start")
    said = ", ".join(f"{name} {score:.2f}" for name, score in zip(names, scores, strict=True))
    assert model.frame(0).sentence == f"After 0 steps on 1 point: query error {said}."
    model.add_point(0)
    assert model.frame(1).sentence.startswith("After 1 step on 2 points: ")


def test_without_points_nothing_is_learned_and_it_says_so():
    model = new_model()
    model.step = 6
    model.draw_points(0)
    frame = model.frame()
    assert frame.sentence.startswith("Click on the chart to give the learners a point.")
    assert frame.step == 0
    assert all(len(errors) == 0 for errors in frame.support_errors.values())
    for name, learner in model.learners.items():
        start = learner.predict(learner.params, torch.tensor(frame.x).view(1, -1, 1))
        np.testing.assert_allclose(frame.curves[name], start[0].detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("x", [5.1, -7, math.inf, math.nan])
def test_point_beside_the_chart_is_refused_in_words(x):
    model = new_model()
    model.add_point(x)
    assert len(model.points) == 5
    sentence = model.frame().sentence
    assert f"x = {x:g} is not on the chart: choose from -5 to 5." in sentence
    model.add_point(5)
    assert "not on the chart" not in model.frame().sentence
    assert len(model.points) == 6


def test_there_is_an_end_to_points():
    model = new_model(num_points=MAX_POINTS)
    model.add_point(0)
    assert len(model.points) == MAX_POINTS
    assert model.frame().sentence.startswith(f"{MAX_POINTS} points are all")


def test_undo_takes_the_newest_point():
    model = new_model(num_points=1)
    first = list(model.points)
    model.add_point(2)
    model.undo_point()
    assert model.points == first
    model.undo_point()
    assert model.notice == ""
    model.undo_point()
    assert model.frame().sentence.startswith("There is no point to take away.")


def test_too_long_a_step_is_said_not_raised():
    model = new_model(inner_lr=1e3)
    sentence = model.frame(10).sentence
    assert "query error MAML off the chart" in sentence
    assert "Off the chart: MAML (at step 1)" in sentence
    assert "An inner rate of 1e+03 is too long a step for these points." in sentence
    assert "ff the chart" not in model.frame(0).sentence


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learners": {}}, "0 learners: choose 1 to 4"),
        ({"learners": dict.fromkeys("abcde", learners()["MAML"])}, "5 learners"),
        ({"max_steps": 0}, "max_steps=0: choose 1 to 1,000"),
        ({"max_steps": 10**6}, "max_steps=1000000: choose 1 to 1,000"),
        ({"num_points": 10**9}, "num_points=1000000000: choose 0 to 30"),
        ({"learners": learners() | {"big": MAML(MLP(1, 9, 1), MLP(1, 9, 1).init())}}, "'big' has"),
        ({"learners": {"other": OtherSteps(NETWORK, NETWORK.init())}}, "'other' takes other inner"),
    ],
)
def test_what_cannot_be_shown_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        new_model(**options)


ACTIONS = st.one_of(
    st.tuples(st.just("add_point"), st.floats(-6, 6)),
    st.tuples(st.just("undo_point")),
    st.tuples(st.just("draw_points"), st.integers(0, 8)),
    st.tuples(st.just("amplitude"), st.floats(0.1, 5)),
    st.tuples(st.just("phase"), st.floats(0, math.pi)),
    st.tuples(st.just("inner_lr"), st.floats(1e-3, 1)),
    st.tuples(st.just("step"), st.integers(0, 10)),
)


@settings(max_examples=40)
@given(st.lists(ACTIONS, max_size=12))
def test_no_way_through_ends_in_an_error(actions):
    model = new_model()
    for name, *values in actions:
        do(model, name, *values)
        frame = model.frame()
        assert frame.sentence.endswith(".")
        assert len(frame.support_x) == len(model.points)
        for name in model.learners:
            assert frame.curves[name].shape == frame.x.shape
            assert len(frame.query_errors[name]) == frame.step + 1


# --- the view


@pytest.fixture
def page():
    return Page(AdaptationExplorer(new_model()))


@pytest.mark.parametrize(
    ("slider", "value"), [("step", 4), ("amplitude", 1.7), ("phase", 2.2), ("inner_lr", 0.1)]
)
def test_sliders_change_the_model_and_the_sentence(page, slider, value):
    page.set(**{slider: value})
    assert getattr(page.widget.model, slider) == value
    assert page.sentence == page.widget.model.frame().sentence


def test_walking_over_the_steps_needs_no_new_curves(page):
    sent = page.widget.moving
    page.set(step=4)
    assert page.widget.moving == sent  # they were sent beforehand
    frame = page.widget.recorded["at"]["[4]"]
    expected = page.widget.model.frame(4)
    assert frame["state"]["sentence"] == expected.sentence
    np.testing.assert_allclose(
        frame["moving"]["curve MAML"]["y"], expected.curves["MAML"], rtol=1e-4, atol=1e-6
    )
    assert frame["moving"]["now"] == {"at": [4.0]}
    assert "wave" not in frame["moving"]


def test_click_adds_a_point_and_a_drag_moves_it_along_the_wave(page):
    page.do("click", panel="curves", x=1.5, y=6.0)
    assert page.widget.model.points[-1] == 1.5
    assert "on 6 points" in page.sentence
    page.do("drag", key="points", index=5, x=-2.0, y=0.0, settled=False)
    assert page.widget.model.points[-1] == -2.0
    assert page.columns("points")["y"][-1] == pytest.approx(
        float(wave(page.widget.model, -2.0)), rel=1e-4
    )
    page.do("drag", key="points", index=5, x=9.0, y=0.0)
    assert page.widget.model.points[-1] == 5.0
    page.do("remove", key="points", index=0)
    assert "on 5 points" in page.sentence


def test_buttons(page):
    page.press("clear")
    assert page.widget.model.points == []
    assert {"undo", "clear"} <= set(page.widget.state["off"])
    page.do("click", panel="curves", x=1.5, y=0)
    page.do("click", panel="curves", x=9, y=0)
    assert page.widget.model.points == [1.5]
    assert "x = 9 is not on the chart" in page.sentence
    page.press("undo")
    page.press("new_points")
    assert len(page.widget.model.points) == 5


def test_divergence_travels_as_numbers_that_can_be_drawn(page):
    for learner in page.widget.model.learners.values():
        for value in learner.params.values():
            value.data *= 30
    page.set(inner_lr=0.99, amplitude=5.0, step=10)
    assert not all(np.isfinite(e[-1]) for e in page.widget.model.frame().query_errors.values())
    assert "Off the chart" in page.sentence
    assert "NaN" not in json.dumps([page.widget.moving, page.widget.recorded])
    assert "Infinity" not in json.dumps([page.widget.moving, page.widget.recorded])


def test_learners_differ_in_colour_and_marker_and_agree_between_the_charts(page):
    marks = page.marks
    looks = {name: (marks[f"curve {name}"]["color"], marks[f"curve {name}"]["marker"])
             for name in page.widget.model.learners}  # fmt: skip
    assert len({color for color, _ in looks.values()}) == 3
    assert len({marker for _, marker in looks.values()}) == 3
    for name, looked in looks.items():
        query = marks[f"query error {name}"]
        assert (query["color"], query["marker"]) == looked


@pytest.mark.parametrize("index", range(3))
def test_suggestions_lead_to_what_they_ask(page, index):
    page.do("try", index=index)
    model = page.widget.model
    if index == 0:
        assert max(model.points) < 0
        assert "After 10 steps" in page.sentence
    elif index == 1:
        assert "Until then nothing is learned" in page.sentence
    else:
        assert (model.inner_lr, model.step) == (1.0, 10)


def test_its_line_of_code_makes_it_again(page):
    page.set(inner_lr=0.1, amplitude=2.0, step=3)
    page.do("click", panel="curves", x=1.5, y=0)
    model = page.widget.model
    names = {"learners": model.learners, "generator": torch.Generator()}
    again = eval(page.widget.state["code"], globals() | names)
    assert again.state["values"] == page.widget.state["values"]
    assert again.model.points == pytest.approx(model.points, rel=1e-3)


def test_filmstrip_stays_as_it_is_when_the_widget_moves_on(page):
    page.set(step=3)
    figure = page.widget.filmstrip((0, 2))
    assert [axes.get_title() for axes in figure.axes] == ["after 0 steps", "after 2 steps"]
    assert page.widget.model.step == 3


def test_description_has_a_line_for_each_picture(page):
    task, *lines = page.widget.description((0, 1, 10)).split("\n")
    assert task == "A wave of amplitude 3 and phase 1."
    assert [line.split(":")[0] for line in lines] == [
        "After 0 steps on 5 points",
        "After 1 step on 5 points",
        "After 10 steps on 5 points",
    ]
