"""Group DRO: two groups by hand, equal weights against MAML, the gradient against differences."""

import math

import pytest
import torch
from truths import numeric_meta_gradient, relative_error, small_network, waves

from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.worst_case import WorstCaseMAML, reweighed
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import meta_train


def test_two_groups_by_hand():
    """From (1/2, 1/2) with losses 1 and 3 and η = ln 2: 2 against 8. Again: 4 against 64."""
    weights = torch.tensor([0.5, 0.5])
    losses = torch.tensor([1.0, 3.0])
    weights = reweighed(weights, losses, math.log(2))
    torch.testing.assert_close(weights, torch.tensor([0.2, 0.8]))
    weights = reweighed(weights, losses, math.log(2))
    torch.testing.assert_close(weights, torch.tensor([1.0, 16.0]) / 17)


def test_without_ascent_it_is_maml():
    network, params = small_network()
    episodes = waves(6)
    loss, gradient = MAML(network, params, 0.05).meta_gradient(episodes)
    learner = WorstCaseMAML(network, params, 0.05, num_groups=3, ascent=0.0)
    same_loss, same = learner.meta_gradient(episodes)
    torch.testing.assert_close(same_loss, loss)
    assert relative_error(same, gradient) < 1e-9


def test_the_gradient_is_that_of_the_weighted_sum_after_the_weights_moved():
    learner = WorstCaseMAML(*small_network(), 0.05, num_groups=2, ascent=0.7)
    episodes = waves(4)
    losses = learner.group_losses(episodes).detach()
    loss, gradient = learner.meta_gradient(episodes)
    torch.testing.assert_close(learner.weights, torch.softmax(0.7 * losses, 0))
    torch.testing.assert_close(loss, (learner.weights * losses).sum())
    gradient = {name: value.detach() for name, value in gradient.items()}
    assert relative_error(gradient, numeric_meta_gradient(learner, episodes)) < 1e-5


def test_tasks_that_cannot_be_shared_evenly_are_refused():
    with pytest.raises(ValueError, match="5 tasks for num_groups=2"):
        WorstCaseMAML(*small_network(), num_groups=2).meta_loss(waves(5))


def sample(generator):
    return Sinusoids().sample(4, 5, generator=generator)


def trained(iterations, save_to=None, compile=False):
    generator = torch.Generator().manual_seed(14)
    network = MLP(1, 8, 1)
    learner = WorstCaseMAML(network, network.init(generator), num_groups=2, ascent=0.5)
    meta_train(learner, sample, iterations, generator, save_to=save_to, compile=compile)
    return learner


def test_a_resumed_run_goes_on_with_the_weights_it_had(tmp_path):
    unbroken, path = trained(8), tmp_path / "run.safetensors"
    trained(5, path)
    resumed = trained(8, path)
    assert torch.equal(resumed.weights, unbroken.weights)
    assert not torch.equal(resumed.weights, torch.tensor([0.5, 0.5]))
    for name, value in unbroken.params.items():
        assert torch.equal(resumed.params[name], value)


def test_what_changes_from_one_iteration_to_the_next_is_not_compiled(capsys):
    learner = trained(3, compile=True)
    assert "uncompiled: ValueError: weights changes" in capsys.readouterr().out
    assert torch.equal(learner.weights, trained(3).weights)
