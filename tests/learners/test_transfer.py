"""Transfer: each network learns its own source task, and new tasks take turns on them."""

import pytest
import torch

from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.transfer import Transfer, draw_networks
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids

NETWORK = MLP(1, 8, 1)


def network_of(params: dict, number: int) -> dict:
    return {name: value[number] for name, value in params.items()}


def test_each_network_learns_its_own_task_only(generator):
    """Beside the others, it gets the gradient of being trained jointly on that one task."""
    params = draw_networks(NETWORK, 3, generator())
    episodes = Sinusoids().sample(3, 5, 20, generator(1))
    loss, gradient = Transfer(NETWORK, params).meta_gradient(episodes)
    losses = []
    for task in range(3):
        alone = JointTraining(NETWORK, network_of(params, task))
        own_loss, expected = alone.meta_gradient(episodes.tasks(task))
        losses.append(own_loss)
        for name, value in expected.items():
            torch.testing.assert_close(gradient[name][task], value / 3)
    torch.testing.assert_close(loss, torch.stack(losses).mean())


def test_new_tasks_take_turns_on_the_networks(generator):
    params = draw_networks(NETWORK, 3, generator())
    episodes = Sinusoids().sample(6, 5, 10, generator(1))
    learner = Transfer(NETWORK, params, inner_lr=0.05)
    for steps in (0, 1, 3):
        scores = evaluate(learner, episodes, inner_steps=steps).scores
        for number in range(3):
            one = MAML(NETWORK, network_of(params, number), inner_lr=0.05)
            alone = evaluate(one, episodes, inner_steps=steps).scores
            torch.testing.assert_close(scores[number::3], alone[number::3])


def test_how_many_tasks_are_held_at_once_changes_no_score(generator):
    learner = Transfer(NETWORK, draw_networks(NETWORK, 3, generator()))
    episodes = Sinusoids().sample(12, 5, 10, generator(1))
    together, apart = (evaluate(learner, episodes, number).scores for number in (12, 3))
    torch.testing.assert_close(together, apart)


def test_uneven_turns_are_refused(generator):
    learner = Transfer(NETWORK, draw_networks(NETWORK, 3, generator()))
    with pytest.raises(ValueError, match="7 tasks at once cannot take turns evenly on 3 networks"):
        learner.adapt(Sinusoids().sample(7, 5).support)


def test_another_number_of_source_tasks_is_refused():
    learner = Transfer(NETWORK, draw_networks(NETWORK, 2))
    with pytest.raises(ValueError, match="3 tasks for 2 networks"):
        learner.meta_loss(Sinusoids().sample(3, 5))


def test_networks_are_drawn_differently_and_from_the_generator(generator):
    params, again = (draw_networks(NETWORK, 3, generator()) for _ in range(2))
    assert params["weight1"].shape == (3, 1, 8)
    assert not torch.equal(params["weight1"][0], params["weight1"][1])
    assert all(torch.equal(params[name], again[name]) for name in params)
