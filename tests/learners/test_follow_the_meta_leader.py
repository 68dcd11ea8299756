"""Follow the meta-leader: streams side by side, and on linear tasks the closed form."""

import pytest
import torch
from truths import Linear, linear_tasks, quadratics, waves

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.follow_the_meta_leader import (
    FollowTheLeader,
    FollowTheMetaLeader,
    linear_meta_leader,
)
from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.transfer import draw_networks
from metalearn_lite.networks import MLP
from metalearn_lite.training import meta_train

NETWORK = MLP(1, 6, 6, 1)


def starts(number, generator):
    drawn = draw_networks(NETWORK, number, generator)
    return {name: value.double() for name, value in drawn.items()}


@pytest.mark.parametrize(
    ("kind", "alone"), [(FollowTheMetaLeader, MAML), (FollowTheLeader, JointTraining)]
)
def test_each_stream_gets_the_gradient_that_it_would_have_alone(kind, alone, generator):
    params = starts(2, generator())
    episodes = waves(6)  # three tasks for each stream
    loss, gradient = kind(NETWORK, params, 0.05, 2).meta_gradient(episodes)
    losses = []
    for stream in range(2):
        own = {name: value[stream] for name, value in params.items()}
        one = alone(NETWORK, own, 0.05, 2)
        own_loss, expected = one.meta_gradient(episodes.tasks(3 * stream, 3 * stream + 3))
        losses.append(own_loss)
        for name, value in expected.items():
            torch.testing.assert_close(gradient[name][stream], value)
    torch.testing.assert_close(loss, sum(losses))


@pytest.mark.parametrize("kind", [FollowTheMetaLeader, FollowTheLeader])
def test_both_adapt_as_maml_does(kind, generator):
    params, episodes = starts(2, generator()), waves(4)
    adapted = kind(NETWORK, params, 0.05, 3).adapt(episodes.support)
    for task in range(4):
        own = {name: value[task // 2] for name, value in params.items()}
        one = MAML(NETWORK, own, 0.05, 3).adapt(episodes.tasks(task).support)
        for name in own:
            torch.testing.assert_close(adapted[name][task], one[name][0])


def test_uneven_streams_are_refused(generator):
    learner = FollowTheMetaLeader(NETWORK, starts(2, generator()))
    with pytest.raises(ValueError, match="3 tasks at once for 2 streams"):
        learner.adapt(waves(3).support)


@pytest.mark.parametrize("inner_lr", [0.0, 0.1, 0.4])
def test_no_start_has_less_meta_loss_than_the_closed_form(inner_lr):
    """Its meta-gradient, by autograd through MAML's step, is 0."""
    episodes = linear_tasks(3)
    start = linear_meta_leader(episodes, inner_lr)
    learner = MAML(Linear(), {"w": start}, inner_lr, 1)
    _, gradient = learner.meta_gradient(episodes)
    assert gradient["w"].norm() < 1e-10
    for seed in range(5):
        other = start + 0.1 * torch.randn(
            len(start), dtype=start.dtype, generator=torch.Generator().manual_seed(seed)
        )
        worse = MAML(Linear(), {"w": other}, inner_lr, 1)
        assert worse.meta_loss(episodes) > learner.meta_loss(episodes)


def test_the_closed_form_is_the_one_of_the_quadratics():
    """Another derivation: the normal equations with (I - αH), task by task."""
    episodes, inner_lr = linear_tasks(4), 0.15
    left, right = torch.zeros(5, 5).double(), torch.zeros(5).double()
    halves = zip(quadratics(episodes.support), quadratics(episodes.query), strict=True)
    for support, query in halves:
        onto = torch.eye(5).double() - inner_lr * support.hessian
        left += onto.T @ query.hessian @ onto
        right += onto.T @ (query.b - query.hessian @ (inner_lr * support.b))
    expected = torch.linalg.solve(left, right)
    torch.testing.assert_close(linear_meta_leader(episodes, inner_lr), expected)


def test_meta_training_finds_the_closed_form():
    """What follows by gradient steps arrives at the leader: equal to 1e-5, for two streams."""
    episodes = linear_tasks(5, num_tasks=8, size=3)

    class LinearOfStreams(Linear):
        pass

    start = {"w": torch.zeros(2, 3, dtype=torch.float64)}
    learner = FollowTheMetaLeader(LinearOfStreams(), start, 0.1, 1)
    for outer_lr in (1e-1, 1e-2, 1e-3, 1e-4):
        meta_train(learner, lambda generator: episodes, 400, torch.Generator(), outer_lr=outer_lr)
    for stream in range(2):
        own = episodes.tasks(4 * stream, 4 * stream + 4)
        found = learner.params["w"][stream].detach()
        assert (found - linear_meta_leader(own, 0.1)).abs().max() < 1e-5


def test_without_a_step_it_is_joint_least_squares():
    episodes = linear_tasks(6)
    x, y = (part.flatten(0, 1) for part in episodes.query)
    expected = torch.linalg.lstsq(x, y.unsqueeze(1)).solution.squeeze(1)
    torch.testing.assert_close(linear_meta_leader(episodes, 0.0), expected)


def test_what_is_no_linear_task_is_refused():
    images = Examples(torch.zeros(2, 3, 1, 4, 4), torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"give \(T, N, D\)"):
        linear_meta_leader(Episodes(images, images), 0.1)
    with pytest.raises(ValueError, match="inner_lr=-1"):
        linear_meta_leader(linear_tasks(1), -1.0)
