"""Reptile against algebra on quadratics, the paper's expansion, and joint training at one step."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from truths import Linear, small_network, waves

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.reptile import Reptile, minibatch
from metalearn_lite.networks import MLP


def smooth_run(inner_lr: float, inner_steps: int, batch_size: int = 5, num_tasks: int = 3):
    """Reptile on a small network in float64, and episodes of 5 + 10 examples."""
    episodes = waves(num_tasks, num_queries=10)
    return Reptile(*small_network(), inner_lr, inner_steps, batch_size), episodes


def joined(episodes: Episodes) -> Examples:
    (x, y), (query_x, query_y) = episodes
    return Examples(torch.cat((x, query_x), 1), torch.cat((y, query_y), 1))


@pytest.mark.parametrize("inner_steps", [1, 2, 5])
@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), inner_lr=st.floats(0.001, 0.2))
def test_closed_form_on_quadratics(generator, inner_steps, seed, inner_lr):
    """Each step w ← w - α (Hw - b), with H and b of that step's minibatch."""
    x = torch.randn(4, 12, 3, generator=generator(seed), dtype=torch.float64)
    y = torch.randn(4, 12, generator=generator(seed + 1), dtype=torch.float64)
    theta = torch.randn(3, generator=generator(seed + 2), dtype=torch.float64)
    episodes = Episodes(Examples(x[:, :4], y[:, :4]), Examples(x[:, 4:], y[:, 4:]))
    reptile = Reptile(Linear(), {"w": theta}, inner_lr, inner_steps, batch_size=4)
    expected = torch.zeros_like(theta)
    for task in range(4):
        w = theta
        for step in range(inner_steps):
            part_x, part_y = x[task, step % 3 :: 3], y[task, step % 3 :: 3]
            w = w - inner_lr * 2 * part_x.T @ (part_x @ w - part_y) / 4
        expected += (theta - w) / inner_lr / 4
    torch.testing.assert_close(reptile.meta_gradient(episodes)[1]["w"], expected)


def test_one_step_on_all_examples_is_the_gradient_of_joint_training():
    reptile, episodes = smooth_run(inner_lr=0.3, inner_steps=1, batch_size=15)
    examples = joined(episodes)
    loss = task_losses(reptile.predict(reptile.params, examples.x), examples.y).mean()
    expected = torch.autograd.grad(loss, list(reptile.params.values()))
    direction = reptile.meta_gradient(episodes)[1]
    torch.testing.assert_close(list(direction.values()), list(expected))


def test_two_steps_hold_the_product_of_hessian_and_gradient():
    """The paper's section 5: g₁ + g₂ - α H₂ g₁ up to α². The last term is why Reptile works."""
    errors = []
    for inner_lr in (1e-3, 5e-4):
        reptile, episodes = smooth_run(inner_lr, inner_steps=2, num_tasks=1)
        values = list(reptile.params.values())
        gradients = []
        for step in (0, 1):
            x, y = minibatch(joined(episodes), 5, step)
            loss = task_losses(reptile.predict(reptile.params, x), y).mean()
            gradients.append(torch.autograd.grad(loss, values, create_graph=True))
        curvature = torch.autograd.grad(gradients[1], values, gradients[0])
        expected = [
            g1 + g2 - inner_lr * hessian_term
            for g1, g2, hessian_term in zip(*gradients, curvature, strict=True)
        ]
        direction = reptile.meta_gradient(episodes)[1].values()
        without = sum(
            (d - (g1 + g2)).norm() for d, g1, g2 in zip(direction, *gradients, strict=True)
        )
        off = sum((d - e).norm() for d, e in zip(direction, expected, strict=True))
        assert off < 0.1 * without
        errors.append(off.item())
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.2)  # half of α, a quarter of the error


def test_the_wrong_version_on_one_batch_is_another_direction():
    """k steps on the same examples would leave out what makes minibatches agree."""
    reptile, episodes = smooth_run(inner_lr=0.02, inner_steps=3)
    other, _ = smooth_run(inner_lr=0.02, inner_steps=3, batch_size=15)
    right, wrong = (r.meta_gradient(episodes)[1]["weight2"] for r in (reptile, other))
    assert (right - wrong).norm() > 0.02 * right.norm()


def test_a_batch_of_tasks_is_the_mean_of_serial_steps():
    reptile, episodes = smooth_run(inner_lr=0.02, inner_steps=4)
    together = reptile.meta_gradient(episodes)[1]
    alone = [reptile.meta_gradient(episodes.tasks(task))[1] for task in range(3)]
    for name, value in together.items():
        torch.testing.assert_close(value, torch.stack([one[name] for one in alone]).mean(0))


def test_descending_its_direction_moves_towards_the_tasks():
    """With the wrong sign θ would run away from where the inner steps lead."""
    reptile, episodes = smooth_run(inner_lr=0.01, inner_steps=5)
    examples = joined(episodes)
    before = task_losses(reptile.predict(reptile.params, examples.x), examples.y).mean()
    direction = reptile.meta_gradient(episodes)[1]
    moved = {name: value - 0.01 * direction[name] for name, value in reptile.params.items()}
    assert task_losses(reptile.predict(moved, examples.x), examples.y).mean() < before


def test_minibatches_use_every_example_once_a_round():
    x = torch.arange(15.0).reshape(1, 15, 1)
    parts = [minibatch(Examples(x, x.squeeze(2)), 5, step).y for step in range(3)]
    assert torch.cat(parts, 1).sort().values.tolist() == [list(range(15))]
    again = minibatch(Examples(x, x.squeeze(2)), 5, 3).y
    assert torch.equal(again, parts[0])


def test_minibatches_of_sorted_classes_hold_all_classes():
    y = torch.arange(5).repeat_interleave(4).unsqueeze(0)
    x = torch.zeros(1, 20, 1)
    for step in range(4):
        assert minibatch(Examples(x, y), 5, step).y.tolist() == [[0, 1, 2, 3, 4]]


def test_it_adapts_as_maml_does():
    reptile, episodes = smooth_run(inner_lr=0.02, inner_steps=3)
    maml = MAML(reptile.network, reptile.params, 0.02, 3)
    ours, theirs = reptile.adapt(episodes.support), maml.adapt(episodes.support)
    for name in ours:
        assert torch.equal(ours[name], theirs[name])


def test_nothing_is_remembered_of_the_steps():
    reptile, episodes = smooth_run(inner_lr=0.02, inner_steps=3)
    loss, direction = reptile.meta_gradient(episodes)
    assert not loss.requires_grad
    assert not any(value.requires_grad for value in direction.values())


def test_a_bad_batch_size_is_named():
    network = MLP(1, 4, 1)
    with pytest.raises(ValueError, match="batch_size=0"):
        Reptile(network, network.init(), batch_size=0)
