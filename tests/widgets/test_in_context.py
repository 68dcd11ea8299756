"""The in-context explorer: its model against the learners themselves, its view without a screen."""

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
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess, EncodeDecode
from metalearn_lite.learners.recurrent import GRU, RecurrentLearner
from metalearn_lite.learners.transformer import Transformer, TransformerLearner
from metalearn_lite.networks import MLP
from metalearn_lite.widgets.in_context import (
    BESIDE,
    ERRORS,
    MAX_POINTS,
    InContextExplorer,
    InContextModel,
)

KINDS = {
    "MAML": (MAML, MLP(1, 8, 1)),
    "neural process": (ConditionalNeuralProcess, EncodeDecode(1, 8)),
    "recurrent": (RecurrentLearner, GRU(1, 8)),
    "transformer": (TransformerLearner, Transformer(1, 8, num_layers=2, num_heads=2)),
}


def new_model(**options) -> InContextModel:
    learners = {
        name: kind(network, network.init(torch.Generator().manual_seed(1)))
        for name, (kind, network) in KINDS.items()
    }
    options.setdefault("learners", learners)
    return InContextModel(generator=torch.Generator().manual_seed(0), **options)


# --- the model


def test_it_begins_with_points_on_the_wave_all_of_them_read():
    frame = new_model().frame()
    assert frame.count == len(frame.points) == 5
    on_the_wave = np.interp(frame.points[:, 0], frame.x, frame.wave)
    np.testing.assert_allclose(frame.points[:, 1], on_the_wave, atol=0.02)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_frame_shows_what_the_learners_do(count):
    model = new_model(inner_steps=3)
    model.read = count
    frame = model.frame()
    points = torch.tensor(model.points[:count]).view(1, -1, 2)
    support = Examples(points[..., :1], points[..., 1])
    x = torch.tensor(frame.x).view(1, -1, 1)
    for name, learner in model.learners.items():
        options = {"inner_steps": 3 if count else 0} if name == "MAML" else {}
        with torch.no_grad():
            adapted = learner.adapt(support, **options)
            answers = learner.predict(adapted, x)[0].numpy()
        np.testing.assert_allclose(frame.curves[name], answers, rtol=1e-4, atol=1e-6)
        error = ((answers - frame.wave) ** 2).mean()
        assert frame.errors[name][-1] == pytest.approx(error, rel=1e-3)
        assert len(frame.errors[name]) == count + 1
        if name == "neural process":
            std = learner.distribution(adapted, x).stddev[0].detach().numpy()
            expected = answers - 1.96 * std, answers + 1.96 * std
            np.testing.assert_allclose(frame.bands[name], expected, rtol=1e-4, atol=1e-5)
    assert list(frame.bands) == ["neural process"]


def test_a_point_may_lie_beside_the_wave():
    model = new_model()
    model.add_point(1.0, 6.2)
    assert model.frame().points[-1].tolist() == pytest.approx([1.0, 6.2])
    assert model.frame().count == 6


def test_a_point_beside_the_wave_suspends_the_error_and_says_so():
    model = new_model()
    on_the_wave = model.frame()
    x = -4.0
    model.add_point(x, float(np.interp(x, on_the_wave.x, on_the_wave.wave)) + BESIDE / 2)
    assert model.frame().beside is None  # a hand does not hit it exactly
    model.add_point(x, float(np.interp(x, on_the_wave.x, on_the_wave.wave)) + 2 * BESIDE)
    frame = model.frame()
    assert frame.beside == 6
    for name, errors in frame.errors.items():
        np.testing.assert_array_equal(errors[:6], on_the_wave.errors[name])
        assert np.isfinite(errors[:7]).all()
        assert np.isnan(errors[7])
    assert frame.sentence.startswith(
        "After reading 7 of 7 points there is no error: point 7 lies beside the wave"
    )
    assert "of the wave lies in it" not in frame.sentence
    assert model.frame(6).beside is None
    assert "error MAML" in model.frame(6).sentence
    model.undo_point()
    assert model.frame().beside is None


def test_a_point_can_be_moved_and_taken_away():
    model = new_model()
    first, second, *_ = model.points
    model.move_point(0, 9.0, -9.0)
    assert model.points[0] == (5.0, -6.5)
    assert model.frame().beside == 0
    model.move_point(0, *first)
    assert model.frame().beside is None
    model.read = 3
    model.remove_point(0)
    assert (model.points[0], model.read) == (second, 2)
    model.remove_point(3)
    assert (len(model.points), model.read) == (3, 2)


def test_a_wave_and_points_of_ones_own():
    model = new_model(wave=(2.0, 0.5), points=[(0.5, 0.0), (2.5, 1.8)], read=1)
    frame = model.frame()
    np.testing.assert_allclose(frame.wave, 2 * np.sin(frame.x - 0.5), atol=1e-5)
    assert model.points == [(0.5, 0.0), (2.5, 1.8)]
    assert (frame.count, frame.beside) == (1, None)


def test_no_wave_runs_through_the_straight_line():
    for amplitude in np.linspace(0.1, 5, 20):
        for phase in np.linspace(0, math.pi, 40):
            model = new_model(wave=(amplitude, phase))
            model.draw_line()
            assert model._beside(3) is not None


def test_what_was_read_is_not_read_again(monkeypatch):
    readings = []
    ask = InContextModel._ask
    monkeypatch.setattr(InContextModel, "_ask", lambda *args: readings.append(1) or ask(*args))
    model = new_model()
    model.frame()
    assert len(readings) == 4 * 6  # four learners; 0 to 5 points
    for model.read in (0, 3, 5):
        model.frame()
    model.undo_point()
    model.frame()
    assert len(readings) == 4 * 6
    model.add_point(0.0, 0.0)
    model.frame()
    assert len(readings) == 4 * 7


def test_another_order_changes_only_the_recurrent_learner():
    model = new_model(num_points=8)
    before = model.frame()
    model.shuffle()
    after = model.frame()
    assert before.points.tolist() != after.points.tolist()
    assert sorted(before.points.tolist()) == sorted(after.points.tolist())
    for name in KINDS:
        change = np.abs(after.curves[name] - before.curves[name]).max()
        assert change > 1e-3 if name == "recurrent" else change < 1e-4


def test_two_points_change_places_and_one_has_no_order():
    model = new_model(num_points=2)
    first = model.points
    for _ in range(5):
        model.shuffle()
        assert model.points == first[::-1]
        first = model.points
    model.undo_point()
    model.shuffle()
    assert model.frame().sentence.startswith("It takes two points to have an order.")


def test_read_stays_between_0_and_all_points():
    model = new_model(num_points=4)
    assert (model.frame(99).count, model.frame(-3).count) == (4, 0)


def test_same_generator_same_waves():
    one, two = new_model(), new_model()
    for model in (one, two):
        model.draw_wave(3)
    assert one.points == two.points
    assert np.array_equal(one.frame().wave, two.frame().wave)


def test_sentence_counts_and_scores():
    model = new_model(num_points=2)
    frame = model.frame(1)
    said = ", ".join(f"{name} {errors[-1]:.2f}" for name, errors in frame.errors.items())
    assert frame.sentence.startswith(f"After reading 1 of 2 points: error {said}. The neural")
    low, high = frame.bands["neural process"]
    inside = ((low <= frame.wave) & (frame.wave <= high)).mean()
    assert f"{inside:.0%} of the wave lies in it." in frame.sentence


def test_without_points_the_learners_answer_and_it_says_so():
    model = new_model()
    model.clear()
    frame = model.frame()
    assert frame.count == 0
    assert frame.points.shape == (0, 2)
    assert frame.sentence.startswith("Click on the chart to place a point.")
    assert all(np.isfinite(curve).all() for curve in frame.curves.values())


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (5.1, 0, "x = 5.1 is not on the chart: choose from -5 to 5."),
        (math.nan, 0, "x = nan is not on the chart"),
        (0, -7, "y = -7 is not on the chart: choose from -6.5 to 6.5."),
        (0, math.inf, "y = inf is not on the chart"),
    ],
)
def test_a_point_beside_the_chart_is_refused_in_words(x, y, message):
    model = new_model()
    model.add_point(x, y)
    assert len(model.points) == 5
    assert message in model.frame().sentence
    model.add_point(0, 0)
    assert "not on the chart" not in model.frame().sentence


def test_there_is_an_end_to_points():
    model = new_model(num_points=MAX_POINTS)
    model.add_point(0, 0)
    assert len(model.points) == MAX_POINTS
    assert model.frame().sentence.startswith(f"{MAX_POINTS} points are all")


def test_undo_takes_the_newest_point():
    model = new_model(num_points=1)
    first = model.points
    model.add_point(2, 1)
    model.undo_point()
    assert model.points == first
    model.undo_point()
    assert model.notice == ""
    model.undo_point()
    assert model.frame().sentence.startswith("There is no point to take away.")


@pytest.mark.parametrize("number", [0, 5])
def test_too_few_or_too_many_learners_are_refused(number):
    learner = new_model().learners["transformer"]
    with pytest.raises(ValueError, match=f"{number} learners: choose 1 to 4"):
        new_model(learners=dict.fromkeys(range(number), learner))


ACTIONS = st.one_of(
    st.tuples(st.just("add_point"), st.floats(-6, 6), st.floats(-8, 8)),
    st.tuples(st.just("undo_point")),
    st.tuples(st.just("draw_line")),
    st.tuples(st.just("move_point"), st.just(-1), st.floats(-9, 9), st.floats(-9, 9)),
    st.tuples(st.just("clear")),
    st.tuples(st.just("shuffle")),
    st.tuples(st.just("draw_wave"), st.integers(1, 6)),
    st.tuples(st.just("read"), st.integers(-1, 9)),
)


@settings(max_examples=30)
@given(st.lists(ACTIONS, max_size=10))
def test_no_way_through_ends_in_an_error(actions):
    model = new_model()
    for name, *values in actions:
        if name != "move_point" or model.points:
            do(model, name, *values)
        frame = model.frame()
        assert frame.sentence.endswith(".")
        assert frame.points.shape == (len(model.points), 2)
        for name in model.learners:
            assert frame.curves[name].shape == frame.x.shape
            assert len(frame.errors[name]) == frame.count + 1


# --- the view


@pytest.fixture
def page():
    return Page(InContextExplorer(new_model()))


def test_walking_over_the_points_needs_no_kernel(page):
    sent = page.widget.moving
    page.set(read=2)
    assert page.widget.model.read == 2
    assert page.widget.moving == sent
    frame = page.widget.model.frame()
    assert page.sentence == frame.sentence
    assert page.columns("points")["colors"] == ["yellow"] * 2 + ["paper"] * 3
    for name, curve in frame.curves.items():
        np.testing.assert_allclose(page.columns(f"curve {name}")["y"], curve, rtol=1e-4, atol=1e-6)
        errors = page.columns(f"error {name}")["y"]
        np.testing.assert_allclose(errors, frame.errors[name], rtol=1e-3)


def test_click_adds_a_point_where_it_is(page):
    page.do("click", panel="curves", x=1.5, y=-2.0)
    assert page.widget.model.points[-1] == (1.5, -2.0)
    assert page.widget.look["controls"][0]["high"] == page.widget.state["values"]["read"] == 6
    assert "After reading 6 of 6 points" in page.sentence


def test_points_are_dragged_and_removed(page):
    page.do("drag", key="points", index=1, x=1.5, y=-2.0, settled=False)
    assert page.widget.model.points[1] == (1.5, -2.0)
    assert not page.widget.recorded
    page.do("drag", key="points", index=1, x=1.5, y=-2.5)
    assert page.columns("points")["y"][1] == -2.5
    assert page.widget.recorded
    page.do("remove", key="points", index=1)
    assert "After reading 4 of 4 points: error" in page.sentence


def test_an_error_lights_up_with_the_point_read_last(page):
    marks = page.marks
    assert marks["last read"]["link"] == marks["error MAML"]["link"]
    assert page.columns("last read")["x"] == [None, *page.columns("points")["x"]]
    assert page.columns("error MAML")["x"] == [0, 1, 2, 3, 4, 5]


def test_the_wave_that_no_point_follows_is_drawn_as_such(page):
    wave = page.columns("wave")
    assert not page.columns("left wave")
    page.do("drag", key="points", index=4, x=0.0, y=6.5)
    assert page.columns("left wave") == wave
    assert not page.columns("wave")
    assert page.columns("error MAML")["y"][-1] is None
    page.set(read=4)
    assert page.columns("wave") == wave
    assert not page.columns("left wave")


def test_buttons(page):
    page.press("clear")
    assert page.widget.model.points == []
    assert {"undo_point", "clear", "shuffle"} == set(page.widget.state["off"])
    page.do("click", panel="curves", x=1.5, y=-2.0)
    page.do("click", panel="curves", x=9, y=-2.0)
    assert page.widget.model.points == [(1.5, -2.0)]
    assert "x = 9 is not on the chart" in page.sentence
    page.set(read=0)
    assert "not on the chart" not in page.sentence
    page.press("undo_point")
    assert page.widget.model.points == []
    page.press("draw_wave")
    points = page.widget.model.points
    assert len(points) == page.widget.state["values"]["read"] == 5
    page.press("shuffle")
    assert page.widget.model.points != points
    assert sorted(page.widget.model.points) == sorted(points)


def test_the_band_is_drawn_where_the_model_has_it(page):
    for change in (lambda: None, lambda: page.press("draw_wave"), lambda: page.press("clear")):
        change()
        edges = page.widget.model.frame().bands["neural process"]
        columns = page.columns("band neural process")
        for name, edge in zip(("low", "high"), edges, strict=True):
            np.testing.assert_allclose(columns[name], edge, rtol=1e-4, atol=1e-6)


def test_what_is_off_the_chart_is_drawn_at_its_edge(page):
    for value in page.widget.model.learners["MAML"].params.values():
        value.data *= 1e3
    page.press("draw_wave")
    assert max(page.columns("error MAML")["y"]) == ERRORS[1]
    assert "MAML off the chart" in page.sentence
    sent = json.dumps([page.widget.fixed, page.widget.moving, page.widget.recorded])
    assert "NaN" not in sent
    assert "Infinity" not in sent


def test_learners_differ_in_colour_and_marker_and_agree_between_the_charts(page):
    marks = page.marks
    looks = {name: tuple(marks[f"curve {name}"][part] for part in ("color", "marker"))
             for name in KINDS}  # fmt: skip
    assert len({color for color, _ in looks.values()}) == 4
    assert len({marker for _, marker in looks.values()}) == 4
    for name, looked in looks.items():
        assert tuple(marks[f"error {name}"][part] for part in ("color", "marker")) == looked


@pytest.mark.parametrize("index", range(3))
def test_suggestions_lead_to_what_they_ask(page, index):
    before = page.widget.model.frame()
    page.do("try", index=index)
    after = page.widget.model.frame()
    if index == 0:
        change = {name: np.abs(after.curves[name] - before.curves[name]).max() for name in KINDS}
        assert [name for name, most in change.items() if most > 1e-3] == ["recurrent"]
    elif index == 1:
        assert after.count == 0 < len(after.points)
        assert "band is" in page.sentence
    else:
        assert "there is no error: point 1 lies beside the wave" in page.sentence


def test_its_line_of_code_makes_it_again(page):
    page.press("draw_wave")
    page.do("click", panel="curves", x=1.5, y=-2.0)
    page.set(read=3)
    model = page.widget.model
    names = {"learners": model.learners, "generator": torch.Generator()}
    again = eval(page.widget.state["code"], globals() | names)
    assert again.state["values"] == page.widget.state["values"]
    assert again.look == page.widget.look
    np.testing.assert_allclose(again.model.points, model.points, atol=1e-3)
    np.testing.assert_allclose(again.model.frame().wave, model.frame().wave, atol=2e-3)


def test_filmstrip_stays_as_it_is_when_the_widget_moves_on(page):
    figure = page.widget.filmstrip((0, 2))
    assert [axes.get_title() for axes in figure.axes] == ["0 points read", "2 points read"]
    assert page.widget.model.read == 5


def test_description_has_a_line_for_each_picture(page):
    lines = page.widget.description((0, 1, 5)).split("\n")
    assert [line.split(":")[0] for line in lines] == [
        f"After reading {count} of 5 points" for count in (0, 1, 5)
    ]
