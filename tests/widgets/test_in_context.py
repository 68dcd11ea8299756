"""The in-context explorer: its model against the learners themselves, its view without a screen."""

import math

import matplotlib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from walks import do

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess, EncodeDecode
from metalearn_lite.learners.recurrent import GRU, RecurrentLearner
from metalearn_lite.learners.transformer import Transformer, TransformerLearner
from metalearn_lite.networks import MLP
from metalearn_lite.widgets.in_context import ERRORS, MAX_POINTS, InContextExplorer, InContextModel

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
        do(model, name, *values)
        frame = model.frame()
        assert frame.sentence.endswith(".")
        assert frame.points.shape == (len(model.points), 2)
        for name in model.learners:
            assert frame.curves[name].shape == frame.x.shape
            assert len(frame.errors[name]) == frame.count + 1


# --- the view


@pytest.fixture
def explorer():
    return InContextExplorer(new_model())


def buttons(explorer) -> dict:
    return {
        button.description: button.click
        for row in explorer.children
        for button in getattr(row, "children", ())
        if hasattr(button, "click")
    }


def test_slider_changes_both_pictures(explorer):
    before = explorer.curves.png, explorer.errors.png
    explorer.read.value = 2
    assert explorer.model.read == 2
    assert explorer.curves.png != before[0]
    assert explorer.errors.png != before[1]
    assert explorer.sentence.text == explorer.model.frame().sentence
    assert explorer.sentence.text in explorer.curves.alt
    assert explorer.sentence.text in explorer.errors.alt
    assert explorer.read.readout
    assert explorer.read.description == "points read"


def test_click_adds_a_point_where_it_is(explorer):
    explorer.curves._handle_custom_msg({"kind": "click", "x": 0.6, "y": 0.5}, [])
    assert len(explorer.model.points) == 6
    assert explorer.read.value == explorer.read.max == explorer.play.max == 6
    assert "After reading 6 of 6 points" in explorer.sentence.text


def test_everything_works_without_a_pointer(explorer):
    press = buttons(explorer)
    press["Clear"]()
    assert explorer.model.points == []
    explorer.x.value, explorer.y.value = 1.5, -2.0
    press["Add point"]()
    assert explorer.model.points == [(1.5, -2.0)]
    explorer.x.value = 9
    press["Add point"]()
    assert explorer.model.points == [(1.5, -2.0)]
    assert "x = 9 is not on the chart" in explorer.sentence.text
    press["Undo point"]()
    assert explorer.model.points == []
    press["New wave"]()
    points = explorer.model.points
    assert len(points) == explorer.read.value == 5
    press["Shuffle the order"]()
    assert explorer.model.points != points
    assert sorted(explorer.model.points) == sorted(points)


def test_the_band_is_drawn_where_the_model_has_it(explorer):
    for change in (lambda: None, buttons(explorer)["New wave"], buttons(explorer)["Clear"]):
        change()
        frame = explorer.model.frame()
        (path,) = explorer._curves.bands["neural process"].get_paths()
        low, high = frame.bands["neural process"]
        drawn = path.vertices[: 2 * len(frame.x)]
        np.testing.assert_allclose(drawn[: len(frame.x), 1], low, rtol=1e-5)
        np.testing.assert_allclose(drawn[len(frame.x) :, 1], high[::-1], rtol=1e-5)


def test_what_is_off_the_chart_is_drawn_at_its_edge(explorer):
    for value in explorer.model.learners["MAML"].params.values():
        value.data *= 1e3
    buttons(explorer)["New wave"]()
    assert max(explorer._errors.lines["MAML"].get_ydata()) <= ERRORS[1]
    assert "MAML off the chart" in explorer.sentence.text


def test_learners_differ_in_colour_and_marker_and_agree_between_the_charts(explorer):
    curves, errors = explorer._curves.curves, explorer._errors.lines
    looks = {(line.get_color(), line.get_marker()) for line in curves.values()}
    assert len({color for color, _ in looks}) == len({marker for _, marker in looks}) == 4
    for name, line in curves.items():
        assert (line.get_color(), line.get_marker()) == (
            errors[name].get_color(),
            errors[name].get_marker(),
        )


def test_filmstrip_stays_as_it_is_when_the_widget_moves_on(explorer):
    figure = explorer.filmstrip((0, 2))
    assert isinstance(figure, matplotlib.figure.Figure)
    assert [axes.get_title() for axes in figure.axes] == ["0 points read", "2 points read"]
    assert explorer.model.read == 5
    lines = {line.get_label(): line for line in figure.axes[1].lines}
    np.testing.assert_allclose(
        lines["transformer"].get_ydata(), explorer.model.frame(2).curves["transformer"], rtol=1e-6
    )


def test_description_has_a_line_for_each_picture(explorer):
    lines = explorer.description((0, 1, 5)).split("\n")
    assert [line.split(":")[0] for line in lines] == [
        f"After reading {count} of 5 points" for count in (0, 1, 5)
    ]


def test_repr_is_short_and_says_what_is_shown(explorer):
    assert repr(explorer) == f"InContextExplorer({explorer.sentence.text!r})"
