"""The meta-gradient against the truth: a problem so small that every trajectory can be listed."""

import itertools
import math

import pytest
import torch
from truths import generator, relative_error

from metalearn_lite.networks import Params
from metalearn_lite.rl.maml_policy_gradient import SAMPLING, MAMLPolicyGradient
from metalearn_lite.rl.policies import CategoricalPolicy
from metalearn_lite.rl.returns import returns_to_go
from metalearn_lite.rl.trajectories import Trajectories

# State 0 leads to state 1 or 2, as the action says; there one more action is taken, and it ends.
REWARDS = torch.tensor([[0.5, -0.3], [1.0, 0.2], [-0.7, 1.5]], dtype=torch.float64)
EVERY = [(0, 0), (0, 1), (1, 0), (1, 1)]
POLICY = CategoricalPolicy(3, 2)
INNER_LR = 0.7


class Plain(MAMLPolicyGradient):
    """Without a baseline: one fitted to a single trajectory leaves nothing over."""

    def advantages(self, trajectories):
        return returns_to_go(trajectories.rewards)


def learner(params: Params, sampling: str) -> Plain:
    return Plain(POLICY, params, INNER_LR, sampling=sampling, normalise=False)


def start() -> Params:
    params = {name: value.double() for name, value in POLICY.init(generator(3)).items()}
    params["weight1"] += torch.tensor([[0.4, -0.4], [-0.5, 0.5], [0.9, -0.9]])
    return params


def trajectories(batches: list) -> Trajectories:
    """``(T, N)`` pairs of actions, as what a rollout gives."""
    actions = torch.tensor(batches)
    states = torch.stack([torch.zeros_like(actions[..., 0]), 1 + actions[..., 0]], -1)
    observations = torch.eye(3, dtype=torch.float64)[states]
    rewards = REWARDS[states, actions]
    return Trajectories(observations, actions, rewards, torch.ones_like(rewards))


def probabilities(params: Params) -> dict[tuple[int, int], torch.Tensor]:
    """Of every trajectory: written anew, without the package's likelihood."""
    chosen = (params["weight1"] + params["bias1"]).softmax(-1)
    return {(a, b): chosen[0, a] * chosen[1 + a, b] for a, b in EVERY}


def value(params: Params) -> torch.Tensor:
    """The expected reward of a step."""
    chances = probabilities(params)
    return sum(chances[a, b] * (REWARDS[0, a] + REWARDS[1 + a, b]) for a, b in EVERY) / 2


def gradient(of: torch.Tensor, params: Params, **options) -> Params:
    found = torch.autograd.grad(of, list(params.values()), **options)
    return dict(zip(params, found, strict=True))


def moved(params: Params, along: Params) -> Params:
    return {name: value + INNER_LR * along[name] for name, value in params.items()}


def plus(total: Params | None, weight: torch.Tensor, part: Params) -> Params:
    part = {name: weight.item() * value for name, value in part.items()}
    return part if total is None else {name: total[name] + part[name] for name in part}


@pytest.mark.parametrize("sampling", SAMPLING)
def test_the_inner_gradient_is_the_policy_gradient(sampling):
    """In expectation: each trajectory counts as often as it happens."""
    maml = learner(start(), sampling)
    weights = torch.stack(list(probabilities(maml.params).values())).detach()
    played = trajectories([[one] for one in EVERY])
    surrogate = maml.surrogate(maml.start(played), played)
    found = gradient((weights * surrogate).sum(), maml.params)
    assert relative_error(found, gradient(value(maml.params), maml.params)) < 1e-12


def hessian_error(sampling: str) -> float:
    maml = learner(start(), sampling)
    weights = torch.stack(list(probabilities(maml.params).values())).detach()
    played = trajectories([[one] for one in EVERY])

    def of(params: Params, surrogate: bool) -> torch.Tensor:
        if not surrogate:
            return value(params)
        each = {name: part.expand(4, *part.shape) for name, part in params.items()}
        return (weights * maml.surrogate(each, played)).sum()

    expected, found = (
        torch.func.hessian(lambda w, kind=kind: of(maml.params | {"weight1": w}, kind))(
            maml.params["weight1"].detach()
        )
        for kind in (False, True)
    )
    return ((found - expected).norm() / expected.norm()).item()


def test_only_dice_has_the_right_second_derivative():
    """That of the expected return. Without the chance in the trajectories it is another thing."""
    assert hessian_error("dice") < 1e-12
    assert 0.01 < hessian_error("lvc") < hessian_error("dropped")
    assert hessian_error("dropped") > 0.5


def score_meta_gradients(sampling: str) -> tuple[Params, Params]:
    """The estimator's mean over all draws, and the truth: two trajectories before, one after.

    What is sought is the expected return after an inner step on *sampled* trajectories.
    """
    maml = learner(start(), sampling)
    mean, truth = None, torch.tensor(0.0, dtype=torch.float64)
    before = probabilities(maml.params)
    for first, second in itertools.product(EVERY, EVERY):
        # The inner step by hand: the mean over trajectories and steps of ∇log π · return to go.
        chosen = (maml.params["weight1"] + maml.params["bias1"]).log_softmax(-1)
        surrogate = sum(
            chosen[0, a] * (REWARDS[0, a] + REWARDS[1 + a, b])
            + chosen[1 + a, b] * REWARDS[1 + a, b]
            for a, b in (first, second)
        )
        adapted = moved(maml.params, gradient(surrogate / 4, maml.params, create_graph=True))
        truth = truth + before[first] * before[second] * value(adapted)
        for last, chance in probabilities(adapted).items():
            batch = [trajectories([[first, second]]), trajectories([[last]])]
            estimate = gradient(maml.task_losses(batch).sum(), maml.params)
            mean = plus(mean, before[first] * before[second] * chance, estimate)
    return mean, gradient(-truth, maml.params)


def test_e_maml_is_right_for_any_number_of_trajectories():
    assert relative_error(*score_meta_gradients("e-maml")) < 1e-12


def test_the_dropped_term_is_missed():
    assert relative_error(*score_meta_gradients("dropped")) > 0.05


def many_meta_gradients(sampling: str) -> tuple[Params, Params]:
    """The same with so many trajectories before the step that it follows the true gradient.

    Every action has a chance of 1/4 or 3/4. So 16 trajectories can hold each as often as it
    happens.
    """
    sign = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
    weight = torch.stack([sign, -sign], 1) * math.log(3) / 2
    maml = learner({"weight1": weight, "bias1": torch.zeros(1, 2, dtype=torch.float64)}, sampling)
    chances = probabilities(maml.params)
    listed = [one for one in EVERY for _ in range(round(16 * chances[one].item()))]
    assert len(listed) == 16
    uphill = gradient(value(maml.params), maml.params, create_graph=True)
    adapted = moved(maml.params, uphill)
    truth = gradient(-value(adapted), maml.params)
    batch = [trajectories([listed] * 4), trajectories([[one] for one in EVERY])]
    weights = torch.stack(list(probabilities(adapted).values())).detach()
    found = gradient((weights * maml.task_losses(batch)).sum(), maml.params)
    return found, truth


def test_dice_is_right_for_many_trajectories():
    assert relative_error(*many_meta_gradients("dice")) < 1e-12
    assert relative_error(*many_meta_gradients("dropped")) > 0.05
