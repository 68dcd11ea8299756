"""The mean of networks, alone or pulled together, against closed forms on a linear model."""

import pytest
import torch
from truths import generator

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.mean_of_networks import MeanOfNetworks
from metalearn_lite.learners.transfer import draw_networks
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import cosine, meta_train

NUM_TASKS, NUM_WEIGHTS = 6, 3
PULLS = [(0.0, "mean"), (0.3, "zero"), (0.3, "mean"), (5.0, "mean")]


class Linear:
    """y = x·w, every task with its own w ``(S, D)``."""

    def __call__(self, params, x):
        return torch.einsum("tnd,td->tn", x, params["w"])


def linear_tasks() -> Episodes:
    """Eight noisy examples of each task, all of them the query: what the networks learn from."""
    numbers = torch.randn(NUM_TASKS, 8, NUM_WEIGHTS + 1, generator=generator(), dtype=torch.double)
    examples = Examples(numbers[..., :-1], numbers[..., -1] + 2)
    return Episodes(examples, examples)


def solution(episodes: Episodes, pull: float, towards: str) -> torch.Tensor:
    """Where the gradient of (mean over tasks of |Xw - y|² / N + λ |w - target|²) is zero.

    With H = XᵀX / N and b = Xᵀy / N each task asks (H + λ) w = b + λ target. Towards zero that is
    ridge regression. Towards the mean m, m = mean (H + λ)⁻¹ (b + λ m) is one more linear equation.
    """
    x, y = episodes.query
    identity = torch.eye(x.shape[2], dtype=x.dtype)
    inverse = torch.linalg.inv(x.mT @ x / x.shape[1] + pull * identity)
    b = (x * y.unsqueeze(-1)).mean(1)
    alone = torch.einsum("tij,tj->ti", inverse, b)
    if towards == "zero":
        return alone
    mean = torch.linalg.solve(identity - pull * inverse.mean(0), alone.mean(0))
    return alone + pull * inverse @ mean


def linear_learner(weights: torch.Tensor, pull: float, towards: str) -> MeanOfNetworks:
    return MeanOfNetworks(Linear(), {"w": weights}, pull=pull, towards=towards)


@pytest.mark.parametrize(("pull", "towards"), PULLS)
def test_the_gradient_is_zero_at_the_solution_and_nowhere_near(pull, towards):
    episodes = linear_tasks()
    best = solution(episodes, pull, towards)
    _, gradient = linear_learner(best, pull, towards).meta_gradient(episodes)
    assert gradient["w"].abs().max() < 1e-12
    _, gradient = linear_learner(best + 0.1, pull, towards).meta_gradient(episodes)
    assert gradient["w"].abs().max() > 1e-3


def test_the_closed_form_sees_a_pull_that_is_half_as_strong():
    class HalfThePull(MeanOfNetworks):
        def distances(self):
            return super().distances() / 2

    episodes = linear_tasks()
    params = {"w": solution(episodes, 0.3, "mean")}
    _, gradient = HalfThePull(Linear(), params, pull=0.3).meta_gradient(episodes)
    assert gradient["w"].abs().max() > 1e-3


@pytest.mark.parametrize(("pull", "towards"), PULLS)
def test_training_ends_at_the_solution(pull, towards):
    episodes = linear_tasks()
    start = torch.randn(NUM_TASKS, NUM_WEIGHTS, generator=generator(1), dtype=torch.double)
    learner = linear_learner(start, pull, towards)
    meta_train(
        learner, lambda generator: episodes, 1500, generator(), outer_lr=0.1, schedule=cosine
    )
    best = solution(episodes, pull, towards)
    torch.testing.assert_close(learner.params["w"].detach(), best, rtol=0, atol=1e-4)
    torch.testing.assert_close(
        learner.averaged().params["w"].detach(), best.mean(0), atol=1e-4, rtol=0
    )


def test_without_a_pull_each_network_is_the_least_squares_fit_of_its_task():
    episodes = linear_tasks()
    x, y = episodes.query
    fits = torch.linalg.lstsq(x, y.unsqueeze(-1)).solution.squeeze(-1)
    torch.testing.assert_close(solution(episodes, 0.0, "mean"), fits)


def test_a_strong_pull_makes_one_network_of_all_tasks():
    """Pulled together hard enough, separate training is joint training."""
    episodes = linear_tasks()
    x, y = episodes.query
    one = torch.linalg.lstsq(x.flatten(0, 1), y.flatten().unsqueeze(-1)).solution.squeeze(-1)
    pulled = solution(episodes, 1e6, "mean")
    torch.testing.assert_close(pulled, one.expand(NUM_TASKS, -1), atol=1e-4, rtol=0)


def test_the_pull_moves_no_mean():
    """Pulled towards their own mean, the networks close in on each other; the mean stays."""
    episodes = linear_tasks()
    weights = torch.randn(NUM_TASKS, NUM_WEIGHTS, generator=generator(1), dtype=torch.double)
    gradients = [
        linear_learner(weights, pull, "mean").meta_gradient(episodes)[1]["w"] for pull in (0.0, 1.0)
    ]
    assert not torch.allclose(*gradients)
    torch.testing.assert_close(gradients[0].mean(0), gradients[1].mean(0))


def test_a_new_task_starts_from_the_mean():
    network = MLP(1, 8, 1)
    learner = MeanOfNetworks(network, draw_networks(network, 4, generator()), inner_lr=0.05)
    episodes = Sinusoids().sample(7, 5, 10, generator(1))
    start = MAML(network, {n: v.mean(0) for n, v in learner.params.items()}, inner_lr=0.05)
    for other in (start, learner.averaged()):
        for steps in (0, 1, 3):
            scores = evaluate(learner, episodes, inner_steps=steps).scores
            torch.testing.assert_close(evaluate(other, episodes, inner_steps=steps).scores, scores)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"pull": -0.1}, "pull=-0.1: choose 0 or more"), ({"towards": "mode"}, "towards='mode'")],
)
def test_bad_settings_are_named(settings, message):
    network = MLP(1, 8, 1)
    with pytest.raises(ValueError, match=message):
        MeanOfNetworks(network, draw_networks(network, 2), **settings)
