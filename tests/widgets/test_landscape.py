"""The landscape: its model against the learners and against algebra, its view without a screen."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.widgets.landscape import (
    GRID,
    MAX_STEPS,
    METHODS,
    SURFACES,
    LandscapeExplorer,
    LandscapeModel,
    episodes,
)


def meta_loss(model: LandscapeModel, theta) -> float:
    """In float64, from MAML alone."""
    params = {"theta": torch.tensor(theta, dtype=torch.float64)}
    network = SURFACES[model.surface].network
    maml = MAML(network, params, model.inner_lr, model.inner_steps)
    return maml.meta_loss(episodes(torch.float64)).item()


def bowls(examples: Examples) -> tuple[torch.Tensor, torch.Tensor]:
    """The Hessians and minima of the linear model's losses."""
    features = torch.cat([examples.x.sin(), examples.x.cos()], -1)
    hessians = 2 * features.mT @ features / examples.x.shape[1]
    slopes = 2 * features.mT @ examples.y.unsqueeze(-1) / examples.x.shape[1]
    return hessians, torch.linalg.solve(hessians, slopes).squeeze(-1)


# --- the model


@pytest.mark.parametrize("inner_steps", [0, 1, 3])
def test_closed_form_on_the_quadratic(inner_steps):
    """The true and the first-order gradient, and Reptile's, by algebra alone."""
    model = LandscapeModel("quadratic", inner_lr=0.4, inner_steps=inner_steps)
    support, query = episodes(torch.float64)
    (hessians, minima), (query_hessians, query_minima) = bowls(support), bowls(query)
    theta = torch.tensor(model.theta, dtype=torch.float64)
    shrink = torch.linalg.matrix_power(
        torch.eye(2, dtype=torch.float64) - 0.4 * hessians, inner_steps
    )
    adapted = minima + torch.einsum("tij,tj->ti", shrink, theta - minima)
    landed = torch.einsum("tij,tj->ti", query_hessians, adapted - query_minima)
    expected = {
        "meta-gradient": torch.einsum("tij,tj->ti", shrink, landed).mean(0),
        "first-order MAML": landed.mean(0),
        "Reptile": (theta - adapted.mean(0)) / 0.4,
    }
    frame = model.frame()
    assert list(frame.gradients) == list(expected) == list(METHODS)
    for name, gradient in expected.items():
        np.testing.assert_allclose(frame.gradients[name], gradient, rtol=1e-3, atol=1e-5)
        assert frame.norms[name] == pytest.approx(gradient.norm().item(), rel=1e-3, abs=1e-5)
    np.testing.assert_allclose(frame.paths[:, -1], adapted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("inner_steps", [1, 4])
def test_meta_gradient_is_the_slope_of_the_meta_loss(surface, inner_steps):
    model = LandscapeModel(surface, inner_lr=0.1, inner_steps=inner_steps)
    model.move(1.3, 0.7)
    frame, slopes, nudge = model.frame(), [], 1e-6
    for direction in np.eye(2):
        up, down = (meta_loss(model, frame.theta + sign * nudge * direction) for sign in (1, -1))
        slopes.append((up - down) / (2 * nudge))
    np.testing.assert_allclose(frame.gradients["meta-gradient"], slopes, rtol=1e-3, atol=1e-4)
    assert frame.meta_loss == pytest.approx(meta_loss(model, frame.theta), rel=1e-4)


@pytest.mark.parametrize("surface", SURFACES)
def test_grid_holds_the_meta_loss_after_the_inner_steps(surface):
    model = LandscapeModel(surface, inner_lr=0.1, inner_steps=2)
    losses = model.frame().losses
    low, high = SURFACES[surface].low, SURFACES[surface].high
    along = np.linspace(low, high, GRID)
    assert losses.shape == (GRID, GRID)
    for row, column in ((0, 0), (5, 31), (40, 12)):
        expected = meta_loss(model, (along[column], along[row]))
        assert losses[row, column] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("surface", SURFACES)
def test_each_task_is_solved_at_its_solution(surface):
    for task, solution in enumerate(SURFACES[surface].solutions):
        params = {"theta": torch.tensor(solution)}
        maml = MAML(SURFACES[surface].network, params)
        for half in episodes(torch.float64).tasks(task):
            np.testing.assert_allclose(maml.predict(params, half.x), half.y, atol=1e-5)


@pytest.mark.parametrize("surface", SURFACES)
def test_paths_are_those_of_maml(surface):
    model = LandscapeModel(surface, inner_lr=0.2, inner_steps=3)
    params = {"theta": torch.tensor(model.theta, dtype=torch.float64)}
    maml, support = MAML(SURFACES[surface].network, params, 0.2), episodes(torch.float64).support
    frame = model.frame()
    assert frame.paths.shape == (3, 4, 2)
    for step in range(4):
        adapted = maml.adapt(support, inner_steps=step)["theta"].detach()
        np.testing.assert_allclose(frame.paths[:, step], adapted, rtol=1e-5, atol=1e-6)


def test_directions_agree_at_a_small_inner_rate_and_part_at_a_large_one():
    small, large = (LandscapeModel(inner_lr=rate).frame().cosines for rate in (0.01, 0.8))
    assert min(small.values()) > 0.999
    assert large["first-order MAML"] < 0.5
    assert large["Reptile"] < 0.9


def test_the_meta_loss_is_worked_out_only_when_it_changes(monkeypatch):
    adapted = []
    adapt = MAML.adapt

    def counting(self, support, *args):
        adapted.append(len(support.x))
        return adapt(self, support, *args)

    monkeypatch.setattr(MAML, "adapt", counting)
    model = LandscapeModel()

    def grids() -> int:
        model.frame()
        return sum(tasks >= GRID * GRID for tasks in adapted)

    assert grids() == 1
    model.move(0, 0)
    assert grids() == 1
    model.inner_lr = 0.2
    assert grids() == 2
    model.inner_steps = 3
    assert grids() == 3
    model.choose("not quadratic")
    assert grids() == grids() == 4


def test_sentence_holds_every_number():
    model = LandscapeModel(inner_lr=0.5, inner_steps=1)
    frame = model.frame()
    assert frame.sentence == (
        f"θ = (1.50, 1.20). After 1 inner step at rate 0.5 the meta-loss is {frame.meta_loss:.2f}. "
        f"Meta-gradient norm {frame.norms['meta-gradient']:.2f}; first-order MAML norm "
        f"{frame.norms['first-order MAML']:.2f}, cosine {frame.cosines['first-order MAML']:.3f}; "
        f"Reptile norm {frame.norms['Reptile']:.2f}, cosine {frame.cosines['Reptile']:.3f}."
    )
    model.inner_steps = 2
    assert "After 2 inner steps" in model.frame().sentence


def test_without_a_step_reptile_has_no_direction_and_it_says_so():
    frame = LandscapeModel(inner_steps=0).frame()
    assert frame.norms["Reptile"] < 1e-12
    assert math.isnan(frame.cosines["Reptile"])
    assert frame.cosines["first-order MAML"] == pytest.approx(1)
    assert frame.sentence.endswith("Reptile norm 0, no direction.")


@pytest.mark.parametrize("surface", SURFACES)
def test_theta_stays_on_the_chart(surface):
    model = LandscapeModel(surface)
    high = SURFACES[surface].high
    model.move(high + 1, 0.5)
    assert model.theta == (high, 0.5)
    assert model.frame().sentence.startswith("The chart ends here. θ = ")
    model.move(0.5, 0.5)
    assert model.frame().sentence.startswith("θ = (0.50, 0.50)")
    model.move(math.nan, 1)
    assert model.theta == (0.5, 0.5)
    assert "no place on the chart" in model.frame().sentence


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"surface": "flat"}, "surface='flat': choose 'quadratic' or 'not quadratic'"),
        ({"inner_lr": 0}, "inner_lr=0: choose a number above 0"),
        ({"inner_lr": math.nan}, "inner_lr=nan"),
        ({"inner_steps": -1}, "inner_steps=-1: choose 0 to 10"),
        ({"inner_steps": 11}, "inner_steps=11"),
    ],
)
def test_what_cannot_be_shown_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LandscapeModel(**options)


@settings(max_examples=15)
@given(
    surface=st.sampled_from(list(SURFACES)),
    theta=st.tuples(st.floats(-5, 5), st.floats(-5, 5)),
    inner_lr=st.floats(0.01, 1),
    inner_steps=st.integers(0, MAX_STEPS),
)
def test_no_place_and_no_setting_ends_in_an_error(surface, theta, inner_lr, inner_steps):
    model = LandscapeModel(surface, inner_lr, inner_steps)
    model.move(*theta)
    frame = model.frame()
    assert np.isfinite(frame.losses).all()
    assert np.isfinite(frame.paths).all()
    assert all(-1.001 <= c <= 1.001 or math.isnan(c) for c in frame.cosines.values())
    assert frame.sentence.endswith(".")


# --- the view


@pytest.fixture
def page():
    return Page(LandscapeExplorer(LandscapeModel()))


@pytest.mark.parametrize(("slider", "value"), [("inner_lr", 0.1), ("inner_steps", 4)])
def test_sliders_change_the_model_and_what_is_shown(page, slider, value):
    before = page.sentence
    page.set(**{slider: value})
    assert getattr(page.widget.model, slider) == value
    assert page.sentence == page.widget.model.frame().sentence != before


def test_shades_and_paths_follow_the_inner_rate(page):
    loss, path = page.columns("loss"), page.columns("path 1")
    page.set(inner_lr=0.1)
    assert page.columns("loss") != loss
    assert page.columns("path 1") != path


def test_dragging_moves_theta_and_its_arrows(page):
    page.do("drag", key="theta", index=0, x=-1.0, y=0.5, settled=False)
    assert page.widget.model.theta == (-1.0, 0.5)
    assert page.widget.recorded == {}
    for key in ("theta", *page.marks["theta"]["drag"]["carries"]):
        assert page.columns(key)["x"] == [-1.0]
    page.do("drag", key="theta", index=0, x=9.0, y=0.5)
    assert page.sentence.startswith("The chart ends here. θ = (3.00, 0.50)")
    assert len(page.widget.recorded["at"]) == MAX_STEPS + 1


def test_another_surface_has_its_own_axes(page):
    page.set(surface="not quadratic")
    x = page.widget.look["panels"][0]["x"]
    assert (x["label"], x["low"], x["high"]) == ("θ₁, amplitude", -1, 4)
    assert "θ = (2.50, 0.50)" in page.sentence
    page.do("drag", key="theta", index=0, x=1.0, y=1.0)
    page.set(surface="not quadratic")  # chosen once more: θ stays
    assert "θ = (1.00, 1.00)" in page.sentence


def test_arrows_point_down_the_gradients(page):
    frame = page.widget.model.frame()
    for name in METHODS:
        arrow = page.columns(f"to {name}")
        assert (arrow["x"], arrow["y"]) == ([frame.theta[0]], [frame.theta[1]])
        step = np.array([arrow["dx"][0], arrow["dy"][0]])
        assert step @ frame.gradients[name] / np.linalg.norm(step) == pytest.approx(
            -frame.norms[name], rel=1e-4
        )


def test_methods_and_tasks_differ_by_more_than_colour(page):
    assert len({page.marks[f"to {name}"]["width"] for name in METHODS}) == len(METHODS)
    assert len({page.marks[f"path {i}"]["marker"] for i in (1, 2, 3)}) == 3
    page.set(inner_steps=0)
    assert page.columns("to Reptile") == {}


def test_reptiles_thin_arrow_is_drawn_over_the_tasks_paths(page):
    order = list(page.marks)
    assert order.index("path 3") < order.index("to Reptile") < order.index("theta")


def test_the_table_holds_what_the_sentence_says(page):
    table = page.columns("methods")
    for name, norm, cosine in table["rows"][:3]:
        assert f"{name} norm {norm}".lower() in page.sentence.lower()
        assert name == "meta-gradient" or f"cosine {cosine}" in page.sentence


@pytest.mark.parametrize("index", range(3))
def test_suggestions_show_what_they_say(page, index):
    page.do("try", index=index)
    frame = page.widget.model.frame()
    if index == 0:
        assert page.columns("to Reptile") == {}
        assert frame.cosines["first-order MAML"] == pytest.approx(1)
    elif index == 1:
        assert min(frame.cosines.values()) > 0.99
    else:
        assert frame.cosines["first-order MAML"] < 0.9


def test_its_line_of_code_makes_it_again(page):
    page.set(surface="not quadratic", inner_lr=0.3, inner_steps=2)
    page.do("drag", key="theta", index=0, x=1.25, y=0.75)
    again = eval(page.widget.state["code"])
    assert again.moving == page.widget.moving
    assert again.state == page.widget.state


def test_filmstrip_and_description_leave_it_as_it_was(page):
    figure = page.widget.filmstrip((0.1, 0.5))
    assert [axes.get_title() for axes in figure.axes[:2]] == ["inner rate 0.1", "inner rate 0.5"]
    first, second = page.widget.description((0.1, 0.8)).split("\n")
    assert "at rate 0.1 the" in first
    assert "at rate 0.8 the" in second
    assert page.widget.model.inner_lr == 0.5


def test_a_cosine_below_zero_has_a_minus(page):
    page.set(inner_lr=0.5, inner_steps=5)
    page.do("drag", key="theta", index=0, x=1.0, y=0.0)
    cosine = page.widget.model.frame().cosines["Reptile"]
    assert cosine < 0
    assert f"cosine −{-cosine:.3f}" in page.sentence
