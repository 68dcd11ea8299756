"""The training explorer: its model against plain PyTorch, its view without a screen."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page
from walks import do

from metalearn_lite.networks import MLP
from metalearn_lite.widgets import training_explorer
from metalearn_lite.widgets.training_explorer import (
    LOSSES,
    NUM_POINTS,
    TrainingExplorer,
    TrainingModel,
)

NETWORK = MLP(1, 8, 8, 1)


def new_model(seed: int = 0, **options) -> TrainingModel:
    return TrainingModel(NETWORK, torch.Generator().manual_seed(seed), **options)


# --- the model


def run_of_plain_pytorch(model: TrainingModel, frame, step: int):
    """The same run with ``nn.Sequential`` and ``torch.optim``: curve, training and test loss."""
    network = torch.nn.Sequential(
        *(torch.nn.Linear(1, 8), torch.nn.ReLU(), torch.nn.Linear(8, 8)),
        *(torch.nn.ReLU(), torch.nn.Linear(8, 1)),
    )
    start = MLP.init(NETWORK, torch.Generator().manual_seed(0))  # the first thing a model draws
    with torch.no_grad():
        for number, layer in enumerate((network[0], network[2], network[4]), 1):
            layer.weight.copy_(start[f"weight{number}"].T)
            layer.bias.copy_(start[f"bias{number}"].flatten())
    x, y, at, wave = (
        torch.tensor(values).unsqueeze(1)
        for values in (frame.train_x, frame.train_y, frame.x, frame.wave)
    )
    optimizer = torch.optim.Adam(network.parameters(), model.learning_rate)
    for _ in range(step):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(x), y).backward()
        optimizer.step()
    with torch.no_grad():
        curve = network(at)
        losses = [(network(x) - y).square().mean(), (curve - wave).square().mean()]
    return curve.flatten().numpy(), *map(float, losses)


@pytest.mark.parametrize("step", [0, 1, 25])
def test_frame_shows_a_run_of_plain_pytorch(step):
    model = new_model(num_points=7, learning_rate=0.02, noise=0.5)
    frame = model.frame(step)
    curve, train, test = run_of_plain_pytorch(model, frame, step)
    np.testing.assert_allclose(frame.curve, curve, rtol=1e-3, atol=1e-3)
    assert frame.train_losses[step] == pytest.approx(train, rel=1e-2)
    assert frame.test_losses[step] == pytest.approx(test, rel=1e-2)
    assert len(frame.train_losses) == len(frame.test_losses) == model.max_steps + 1


def test_points_lie_on_the_wave_unless_there_is_noise():
    model = new_model(num_points=100)
    frame = model.frame()
    exact = np.interp(frame.train_x, frame.x, frame.wave)
    np.testing.assert_allclose(frame.train_y, exact, atol=0.05)
    model.noise = 2.0
    noise = model.frame().train_y - frame.train_y
    assert 1.6 < noise.std() < 2.4
    assert abs(noise.mean()) < 0.6
    model.noise = 1.0
    np.testing.assert_allclose(model.frame().train_y - frame.train_y, noise / 2, atol=1e-5)
    np.testing.assert_array_equal(model.frame().wave, frame.wave)


def test_more_points_are_added_to_those_there_are():
    model = new_model(num_points=5)
    few = model.frame()
    model.num_points = 50
    many = model.frame()
    assert len(many.train_x) == 50
    np.testing.assert_array_equal(many.train_x[:5], few.train_x)
    np.testing.assert_array_equal(many.curve, few.curve)  # after 0 steps: the same network


def test_new_points_keep_the_wave_and_a_new_wave_does_not():
    model = new_model()
    first = model.frame()
    model.new_points()
    second = model.frame()
    np.testing.assert_array_equal(second.wave, first.wave)
    assert not np.array_equal(second.train_x, first.train_x)
    assert not np.array_equal(second.train_losses, first.train_losses)
    model.new_wave()
    assert not np.array_equal(model.frame().wave, first.wave)


def test_a_moved_point_stays_where_it_was_put_and_is_learned_from():
    model = new_model(noise=1.0)
    before = model.frame(20)
    model.move_point(3, 1.5, -2.5)
    model.noise = 2.0
    frame = model.frame(20)
    assert (frame.train_x[3], frame.train_y[3]) == (1.5, -2.5)
    assert frame.train_x[4] == before.train_x[4]
    assert not np.array_equal(frame.curve, before.curve)
    np.testing.assert_array_equal(frame.wave, before.wave)
    model.move_point(3, 99, -99)
    assert (model.frame().train_x[3], model.frame().train_y[3]) == (5, -6.5)


def test_a_wave_and_points_of_ones_own():
    model = new_model(wave=(2.0, 0.5), points=[(0.0, 1.0), (2.0, -1.0)])
    frame = model.frame()
    np.testing.assert_allclose(frame.wave, 2 * np.sin(frame.x - 0.5), atol=1e-5)
    assert model.points == [(0.0, 1.0), (2.0, -1.0)]
    assert model.num_points == 2
    np.testing.assert_array_equal(frame.curve, new_model().frame().curve)  # the same network


def test_same_generator_same_run():
    one, two, other = new_model(), new_model(), new_model(seed=1)
    for model in (one, two, other):
        model.new_wave()
    np.testing.assert_array_equal(one.frame().test_losses, two.frame().test_losses)
    assert not np.array_equal(one.frame().test_losses, other.frame().test_losses)


def test_only_a_changed_setting_trains_again(monkeypatch):
    runs = []
    trainable = training_explorer.trainable
    monkeypatch.setattr(
        training_explorer, "trainable", lambda params: runs.append(1) or trainable(params)
    )
    model = new_model()
    for model.step in (0, 3, 60, 2):
        model.frame()
    assert len(runs) == 1
    for setting, value in (("num_points", 20), ("learning_rate", 0.1), ("noise", 1.0)):
        setattr(model, setting, value)
        model.frame()
        model.frame()
    assert len(runs) == 4


def test_step_stays_between_0_and_the_last():
    model = new_model(max_steps=4)
    assert (model.frame(99).step, model.frame(-3).step) == (4, 0)


def test_sentence_counts_and_gives_the_losses():
    model = new_model(num_points=2)
    frame = model.frame(0)
    train, test = frame.train_losses[0], frame.test_losses[0]
    said = f"After 0 steps on 2 points: training loss {train:.2f}, test loss {test:.2f}."
    assert frame.sentence == said
    assert model.frame(1).sentence.startswith("After 1 step on 2 points: ")


def test_a_test_loss_that_has_risen_is_said():
    model = new_model(num_points=5, noise=2.0, learning_rate=0.1)
    frame = model.frame(60)
    lowest = int(frame.test_losses.argmin())
    assert frame.test_losses[60] > 1.2 * frame.test_losses[lowest]
    assert f" The test loss was lower at step {lowest}: " in frame.sentence
    assert "was lower" not in model.frame(lowest).sentence


@pytest.mark.parametrize("learning_rate", [1.0, 1e30])
def test_too_large_a_rate_is_said_not_raised(learning_rate):
    model = new_model(learning_rate=learning_rate)
    frame = model.frame(60)
    left = int(np.argmax(~(np.maximum(frame.train_losses, frame.test_losses) <= LOSSES[1])))
    assert f"At step {left} the loss left the chart: a learning rate of" in frame.sentence
    assert "is too large" in frame.sentence
    assert "left the chart" not in model.frame(left - 1).sentence


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_points": 0}, "num_points=0: choose 1 to 100"),
        ({"num_points": 101}, "num_points=101: choose 1 to 100"),
        ({"points": []}, "num_points=0: choose 1 to 100"),
        ({"learning_rate": 0.0}, "learning_rate=0.0: choose a finite number above 0"),
        ({"noise": -1.0}, "noise=-1.0: choose a finite number, 0 or more"),
        ({"noise": float("nan")}, "noise=nan: choose a finite number, 0 or more"),
        ({"max_steps": 0}, "max_steps=0: choose 1 to 1,000"),
        ({"max_steps": 10**6}, "max_steps=1000000: choose 1 to 1,000"),
    ],
)
def test_what_cannot_be_shown_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        new_model(**options)


ACTIONS = st.one_of(
    st.tuples(st.just("new_wave")),
    st.tuples(st.just("new_points")),
    st.tuples(st.just("move_point"), st.just(0), st.floats(-9, 9), st.floats(-9, 9)),
    st.tuples(st.just("num_points"), st.sampled_from(NUM_POINTS)),
    st.tuples(st.just("learning_rate"), st.floats(1e-3, 1)),
    st.tuples(st.just("noise"), st.floats(0, 2)),
    st.tuples(st.just("step"), st.integers(0, 60)),
)


@settings(max_examples=20)
@given(st.lists(ACTIONS, max_size=6))
def test_no_way_through_ends_in_an_error(actions):
    model = new_model(max_steps=20)
    for name, *values in actions:
        do(model, name, *values)
        frame = model.frame()
        assert frame.sentence.endswith(".")
        assert len(frame.train_x) == len(frame.train_y) == model.num_points
        assert frame.curve.shape == frame.wave.shape == frame.x.shape


# --- the view


@pytest.fixture
def page():
    return Page(TrainingExplorer(new_model(max_steps=20)))


@pytest.mark.parametrize(
    ("slider", "value"), [("step", 4), ("num_points", 30), ("learning_rate", 0.1), ("noise", 1.2)]
)
def test_sliders_change_the_model_and_the_sentence(page, slider, value):
    page.set(**{slider: value})
    assert getattr(page.widget.model, slider) == value
    assert page.sentence == page.widget.model.frame().sentence


def test_walking_over_the_steps_needs_no_kernel(page):
    recorded = page.widget.recorded["at"]
    assert len(recorded) == 21
    for step in (0, 7, 20):
        frame, expected = recorded[f"[{step}]"], page.widget.model.frame(step)
        assert frame["state"]["sentence"] == expected.sentence
        page.set(step=step)
        curve = page.columns("network")["y"]
        np.testing.assert_allclose(curve, expected.curve, rtol=1e-4, atol=1e-6)
        assert page.columns("now") == {"at": [step]}
        assert page.columns("test now")["x"] == [step]
        assert page.columns("test now")["y"] == pytest.approx([expected.test_losses[step]], 1e-3)
    assert set(frame["moving"]) <= {"network", "now", "training now", "test now"}


def test_the_whole_run_is_drawn_whatever_the_step(page):
    frame = page.widget.model.frame()
    for kind in ("training", "test"):
        losses = page.columns(f"{kind} loss")["y"]
        expected = frame.train_losses if kind == "training" else frame.test_losses
        np.testing.assert_allclose(losses, expected, rtol=1e-3)


def test_a_point_can_be_dragged(page):
    page.do("drag", key="points", index=2, x=1.25, y=-3.5, settled=False)
    assert page.widget.model.points[2] == (1.25, -3.5)
    assert not page.widget.recorded  # while it is held, only what is to be seen is sent
    page.do("drag", key="points", index=2, x=1.5, y=-3.5)
    assert page.columns("points")["x"][2] == 1.5
    assert len(page.widget.recorded["at"]) == 21


@pytest.mark.parametrize(("x", "step"), [(6.4, 6), (-1, 0), (99, 20)])
def test_the_step_can_be_dragged_along_the_losses(page, x, step):
    page.do("drag", key="test now", index=0, x=x, y=1.0)
    assert page.widget.model.step == step
    assert page.widget.state["values"]["step"] == step


def test_buttons_draw_points_and_waves(page):
    wave, points = page.columns("wave"), page.columns("points")
    page.press("new_points")
    assert page.columns("wave") == wave
    assert page.columns("points") != points
    page.press("new_wave")
    assert page.columns("wave") != wave


def test_a_number_of_points_of_ones_own_is_on_the_slider():
    widget = TrainingExplorer(new_model(num_points=8))
    (slider,) = [one for one in widget.look["controls"] if one["name"] == "num_points"]
    assert list(slider["stops"]) == sorted({8, *NUM_POINTS})
    assert widget.state["values"]["num_points"] == 8


def test_a_loss_off_the_chart_is_drawn_on_its_edge():
    page = Page(TrainingExplorer(new_model(learning_rate=1.0)))
    page.set(step=60)
    for kind in ("training", "test"):
        losses = page.columns(f"{kind} loss")["y"]
        assert LOSSES[0] <= min(losses)
        assert max(losses) == LOSSES[1]
    assert "left the chart" in page.sentence


def test_no_number_that_is_none_travels():
    widget = TrainingExplorer(new_model(learning_rate=1e30))
    sent = json.dumps([widget.fixed, widget.moving, widget.recorded])
    assert "NaN" not in sent
    assert "Infinity" not in sent


def test_the_losses_differ_in_colour_dash_and_marker(page):
    marks = page.marks
    for look in ("color", "dash", "marker"):
        assert marks["training loss"][look] != marks["test loss"][look]
    for kind in ("training", "test"):
        for look in ("color", "marker"):
            assert marks[f"{kind} now"][look] == marks[f"{kind} loss"][look]


@pytest.mark.parametrize("index", range(3))
def test_suggestions_lead_to_what_they_ask(index):
    network = MLP(1, 40, 40, 1)
    page = Page(TrainingExplorer(TrainingModel(network, torch.Generator().manual_seed(23))))
    page.set(noise=2.0, num_points=50)
    page.do("try", index=index)
    frame = page.widget.model.frame()
    train, test = frame.train_losses[-1], frame.test_losses[-1]
    assert "After 60 steps" in page.sentence
    if index == 0:
        assert train < 0.1 < 1 < test
    elif index == 1:
        assert 0.5 < test / train < 2
    else:
        assert "left the chart" in page.sentence


def test_its_line_of_code_makes_it_again(page):
    page.press("new_wave")
    page.set(noise=1.0, learning_rate=0.01, step=9)
    page.do("drag", key="points", index=0, x=1.0, y=5.0)
    again = eval(page.widget.state["code"], globals() | {"network": NETWORK})
    assert again.state["values"] == page.widget.state["values"]
    assert again.look == page.widget.look
    one, two = (widget.model.frame() for widget in (again, page.widget))
    np.testing.assert_allclose(one.train_y, two.train_y, atol=1e-3)
    np.testing.assert_allclose(one.wave, two.wave, atol=2e-3)
    np.testing.assert_allclose(one.curve, two.curve, atol=1e-2)


def test_filmstrip_stays_as_it_is_when_the_widget_moves_on(page):
    page.set(step=3)
    figure = page.widget.filmstrip((0, 2))
    titles = ["after 0 steps", "after 2 steps", ""]
    assert [axes.get_title() for axes in figure.axes] == titles
    assert page.widget.model.step == 3


def test_description_has_a_line_for_each_picture():
    explorer = TrainingExplorer(new_model(noise=0.5))
    setting, *lines = explorer.description((0, 1, 10)).split("\n")
    assert setting == (
        "A network learns a wave from 10 points with learning rate 0.03 and noise 0.5."
    )
    assert [line.split(":")[0] for line in lines] == [
        "After 0 steps on 10 points",
        "After 1 step on 10 points",
        "After 10 steps on 10 points",
    ]
