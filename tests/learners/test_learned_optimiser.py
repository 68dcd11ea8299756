"""The learned optimiser: gradient descent as a special case, and its two meta-gradients."""

import math

import pytest
import torch
from truths import double, generator, numeric_gradient, numeric_meta_gradient, relative_error

from metalearn_lite import checkpoints
from metalearn_lite.learners import learned_optimiser
from metalearn_lite.learners.learned_optimiser import LearnedOptimiser, Problems, log_scaled
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.recurrent import GRU
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import meta_train

SIZES = (1, 4, 1)


def small(order: int = 1, inner_steps: int = 3, width: int = 3) -> LearnedOptimiser:
    network = GRU(1, width)
    params = {name: 2 * value.double() for name, value in network.init(generator(1)).items()}
    return LearnedOptimiser(network, params, SIZES, inner_steps, order=order)


def problems(num_tasks: int = 3, learner: LearnedOptimiser | None = None) -> Problems:
    start = (learner or small()).start(num_tasks, generator(2))
    start = {name: value.double() for name, value in start.items()}
    return Problems(start, double(Sinusoids().sample(num_tasks, 5, 6, generator(3))))


def as_gradient_descent(learner: LearnedOptimiser, rate: float) -> None:
    """Weights that make the network answer -rate · gradient.

    The update gate is shut, so no state is kept. The new state is the tanh of a tiny multiple of
    the gradient, which is that multiple itself.
    """
    width, tiny = learner.network.width, 1e-6
    for value in learner.params.values():
        value.data.zero_()
    learner.params["bias_ih"].data[width : 2 * width] = -50.0
    learner.params["weight_ih"].data[2 * width, 1] = tiny
    # Its second input is e^(log scale) times the gradient.
    undo = math.exp(learned_optimiser.LOG_SCALE) * tiny * learner.output_scale
    learner.params["answer.weight"].data[0, 0] = -rate / undo


def test_with_these_weights_it_is_gradient_descent(monkeypatch):
    # Every gradient below e^5 is then handed over as it is.
    monkeypatch.setattr(learned_optimiser, "LOG_SCALE", -5.0)
    learner, (start, episodes) = small(), problems()
    as_gradient_descent(learner, 0.03)
    descent = MAML(MLP(*SIZES), {name: value[0] for name, value in start.items()}, inner_lr=0.03)
    expected = start
    for at in learner.path(episodes.support, start, 5):
        for name, value in at.items():
            torch.testing.assert_close(value.detach(), expected[name], rtol=1e-8, atol=1e-9)
        with torch.no_grad():
            expected = descent.inner_step(expected, episodes.support)
    moved = sum((at[name] - start[name]).abs().sum() for name in start)
    assert moved > 0.1


def test_meta_gradient_that_leaves_nothing_out_against_finite_differences():
    learner, batch = small(order=2), problems()
    loss, gradient = learner.meta_gradient(batch)
    assert relative_error(gradient, numeric_meta_gradient(learner, batch)) <= 1e-5
    assert loss.item() == pytest.approx(learner.meta_loss(batch).item())


def test_the_papers_meta_gradient_takes_the_optimisees_gradients_as_given(monkeypatch):
    """Against finite differences along a path on which every gradient is fixed beforehand."""
    learner, batch = small(order=1), problems()
    _, gradient = learner.meta_gradient(batch)
    assert relative_error(gradient, small(order=2).meta_gradient(batch)[1]) > 1e-3

    given, own = [], learner._trained.gradient
    monkeypatch.setattr(
        learner._trained, "gradient", lambda *args: given.append(own(*args)) or given[-1]
    )
    learner.meta_loss(batch)

    def replayed(params):
        learner.params, steps = params, iter(list(given))
        monkeypatch.setattr(learner._trained, "gradient", lambda *args: next(steps))
        return learner.meta_loss(batch).item()

    numeric = numeric_gradient(replayed, learner.params)
    assert relative_error(gradient, numeric) <= 1e-6


def test_every_parameter_is_looked_at_alone():
    learner = small()
    gradient = torch.randn(2, 7, generator=generator(4), dtype=torch.float64)
    state = torch.randn(2, 7, 3, generator=generator(5), dtype=torch.float64)
    together, next_state = learner.update(gradient, state)
    alone, alone_state = learner.update(gradient[1:, 3:4], state[1:, 3:4])
    torch.testing.assert_close(alone[0, 0], together[1, 3])
    torch.testing.assert_close(alone_state[0, 0], next_state[1, 3])


def test_it_remembers():
    """The same gradient, another history: another update."""
    learner = small()
    gradient = torch.full((1, 1), 0.3, dtype=torch.float64)
    first, state = learner.update(gradient, torch.zeros(1, 1, 3, dtype=torch.float64))
    second, _ = learner.update(gradient, state)
    assert (first - second).abs() > 1e-4


def test_each_task_is_trained_as_if_it_were_alone():
    learner, (start, episodes) = small(), problems()
    together = learner.adapt(episodes.support, start)
    one = {name: value[1:2] for name, value in start.items()}
    alone = learner.adapt(episodes.tasks(1).support, one)
    for name, value in alone.items():
        torch.testing.assert_close(value[0], together[name][1])


def test_the_meta_loss_is_the_mean_query_loss_after_each_update():
    learner, (start, episodes) = small(), problems()
    adapted = learner.trace(episodes.support, start).adapted[1:]
    assert len(adapted) == 3
    losses = [(learner.predict(at, episodes.query.x) - episodes.query.y).square() for at in adapted]
    expected = torch.stack(losses).mean().item()
    assert learner.meta_loss(Problems(start, episodes)).item() == pytest.approx(expected)


def test_adapting_does_not_change_the_start():
    learner, (start, episodes) = small(), problems()
    before = {name: value.clone() for name, value in start.items()}
    learner.adapt(episodes.support, start)
    assert all(torch.equal(before[name], start[name]) for name in before)


def test_without_a_start_it_begins_in_the_same_random_place():
    learner = LearnedOptimiser(GRU(1, 3), GRU(1, 3).init(generator(1)), SIZES, 2)
    support = Sinusoids().sample(2, 5, generator=generator()).support
    first, again = (learner.trace(support).adapted for _ in range(2))
    assert torch.equal(first[-1]["weight1"], again[-1]["weight1"])
    assert not torch.equal(first[0]["weight1"][0], first[0]["weight1"][1])


def test_log_scaled_is_the_papers_and_does_not_jump():
    edge = math.exp(-10)
    gradient = torch.tensor([1.0, -1.0, edge, -edge, edge / 2, 0.0, math.exp(-5)]).double()
    size, sign = log_scaled(gradient)
    expected = torch.tensor([0.0, 0.0, -1.0, -1.0, -1.0, -1.0, -0.5]).double()
    torch.testing.assert_close(size, expected, atol=1e-6, rtol=0)
    expected = torch.tensor([1.0, -1.0, 1.0, -1.0, 0.5, 0.0, 1.0]).double()
    torch.testing.assert_close(sign, expected, atol=1e-6, rtol=0)


@pytest.mark.slow
def test_meta_training_lowers_the_loss_and_goes_on_after_a_stop(tmp_path):
    def run(iterations: int, save_to=None):
        network, g = GRU(1, 6), generator()
        learner = LearnedOptimiser(network, network.init(g), SIZES, 10)

        def sample(generator):
            return Problems(
                learner.start(8, generator), Sinusoids().sample(8, 5, generator=generator)
            )

        return learner, meta_train(learner, sample, iterations, g, outer_lr=0.02, save_to=save_to)

    learner, history = run(120)
    assert sum(history.losses[-30:]) < 0.95 * sum(history.losses[:30])
    file = tmp_path / "run.safetensors"
    run(60, file)
    resumed, _ = run(120, file)
    for name, value in learner.params.items():
        assert torch.equal(value, resumed.params[name])


def test_what_is_saved_comes_back(tmp_path):
    learner = LearnedOptimiser(GRU(1, 3), GRU(1, 3).init(generator(1)), SIZES, 7, 0.2, 2)
    checkpoints.save(learner, "mine", {}, tmp_path)
    back = checkpoints.load("mine", tmp_path)
    support = Sinusoids().sample(2, 5, generator=generator()).support
    for name in ("optimisee", "inner_steps", "output_scale", "order"):
        assert getattr(back, name) == getattr(learner, name)
    a, b = (one.adapt(support)["weight2"] for one in (learner, back))
    assert torch.equal(a, b)
