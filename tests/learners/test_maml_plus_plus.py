"""MAML++: MAML with all switches off, and each switch alone against what it should do."""

from functools import wraps

import pytest
import torch
from truths import generator, numeric_meta_gradient, relative_error, small_network, waves

from metalearn_lite.fast.compiling import compiled_meta_gradient
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.maml_plus_plus import MAMLPlusPlus
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import meta_train

OFF = {"multi_step": False, "learned_rates": False}


def new_learner(inner_steps: int = 3, **switches) -> MAMLPlusPlus:
    return MAMLPlusPlus(*small_network(), 0.02, inner_steps, **(OFF | switches))


def test_with_all_switches_off_it_is_maml():
    episodes = waves()
    ours = new_learner().meta_gradient(episodes)
    theirs = MAML(*small_network(), 0.02, 3).meta_gradient(episodes)
    torch.testing.assert_close(ours[0], theirs[0])
    assert relative_error(ours[1], theirs[1]) <= 1e-12


def test_a_rate_for_every_parameter_and_step():
    """Equal rates give the same path as one rate for all; a lone one moves its own number only."""
    learner, support = new_learner(learned_rates=True, per_parameter=True), waves().support
    before = learner.adapt(support)
    assert relative_error(before, MAML(*small_network(), 0.02, 3).adapt(support)) <= 1e-12
    learner.params["rate.weight2"].data[0, 1, 2] = 5.0
    after = learner.adapt(support, inner_steps=1)
    first = new_learner().adapt(support, inner_steps=1)
    changed = (after["weight2"] - first["weight2"]).abs() > 1e-12
    assert changed.nonzero()[:, 1:].unique(dim=0).tolist() == [[1, 2]]


def test_finite_differences_with_a_rate_for_every_parameter():
    learner = new_learner(multi_step=True, learned_rates=True, per_parameter=True)
    episodes = waves(num_tasks=2)
    _, gradient = learner.meta_gradient(episodes)
    assert relative_error(gradient, numeric_meta_gradient(learner, episodes)) <= 1e-6


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_multi_step_loss_is_the_sum_of_the_losses_after_each_step(progress):
    """Step 0 does not count. The shares start equal and end with the last step alone."""
    learner, episodes = new_learner(multi_step=True), waves()
    learner.advance(progress)
    losses = [
        MAML(*small_network(), 0.02, inner_steps).meta_loss(episodes).item()
        for inner_steps in (1, 2, 3)
    ]
    early = (1 - progress) / 3
    expected = early * losses[0] + early * losses[1] + (1 - 2 * early) * losses[2]
    assert learner.meta_loss(episodes).item() == pytest.approx(expected)


@pytest.mark.parametrize("progress", [0.0, 0.3, 1.0])
def test_the_shares_end_where_they_are_told_to(progress):
    learner = new_learner(inner_steps=4, multi_step=True, last_step_share=0.4)
    learner.advance(progress)
    assert learner.step_shares.sum().item() == pytest.approx(1)
    assert learner.step_shares[-1].item() == pytest.approx(0.25 + 0.15 * progress)


def test_finite_differences_of_everything_together():
    learner, episodes = new_learner(multi_step=True, learned_rates=True), waves()
    learner.advance(0.25)
    for number, name in enumerate(small_network()[1]):
        rates = torch.tensor([1.5, 0.5, 1 + 0.1 * number], dtype=torch.float64)
        learner.params[f"rate.{name}"] = rates.requires_grad_()
    _, gradient = learner.meta_gradient(episodes)
    assert relative_error(gradient, numeric_meta_gradient(learner, episodes)) <= 1e-6
    assert all(gradient[f"rate.{name}"].shape == (3,) for name in small_network()[1])


def test_each_step_uses_its_own_rates_and_later_ones_the_last():
    learner, support = new_learner(learned_rates=True), waves().support
    for name in small_network()[1]:
        rates = torch.tensor([0.5, 1.0, 1.5], dtype=torch.float64)
        learner.params[f"rate.{name}"] = rates.requires_grad_()
    path = learner.trace(support, inner_steps=5).adapted
    for step, rate in enumerate((0.01, 0.02, 0.03, 0.03, 0.03)):
        with torch.no_grad():
            expected = MAML(*small_network(), rate).inner_step(path[step], support)
        assert relative_error(path[step + 1], expected) <= 1e-12


def test_the_first_part_of_training_is_first_order():
    learner, episodes = new_learner(first_order_until=0.4), waves()
    gradients = {
        order: MAML(*small_network(), 0.02, 3, order).meta_gradient(episodes)[1] for order in (1, 2)
    }
    for progress, order in ((0.0, 1), (0.39, 1), (0.4, 2), (1.0, 2)):
        learner.advance(progress)
        assert relative_error(learner.meta_gradient(episodes)[1], gradients[order]) <= 1e-12
    assert relative_error(gradients[1], gradients[2]) > 1e-3


def new_run(seed: int = 0) -> tuple[MAMLPlusPlus, torch.Generator]:
    network = MLP(1, 4, 1)
    start = network.init(generator(seed))
    return MAMLPlusPlus(network, start, 0.02, 2, first_order_until=0.5), generator(seed)


def sample(generator):
    return Sinusoids().sample(4, 5, 6, generator)


def test_meta_train_says_how_far_it_is_also_when_resumed(tmp_path):
    unbroken, rng = new_run()
    meta_train(unbroken, sample, 8, rng)
    calls = []

    @wraps(sample)
    def stopping(generator):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(None)
        return sample(generator)

    first, rng = new_run()
    file = tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        meta_train(first, stopping, 8, rng, save_to=file, save_every=1)
    second, rng = new_run(seed=9)
    meta_train(second, sample, 8, rng, save_to=file)
    for name, value in unbroken.params.items():
        assert torch.equal(second.params[name], value)


@pytest.mark.slow
def test_compiled_training_follows_the_shares_and_the_order():
    """A graph that had kept the first iteration's shares or order would drift away."""
    plain, _ = new_run()
    compiled_learner, _ = new_run()
    compiled = compiled_meta_gradient(compiled_learner)
    episodes = sample(generator(3))
    for progress in (0.0, 0.3, 0.5, 0.9):
        plain.advance(progress)
        compiled_learner.advance(progress)
        loss, gradient = plain.meta_gradient(episodes)
        compiled_loss, compiled_gradient = compiled(episodes)
        torch.testing.assert_close(compiled_loss, loss)
        assert relative_error(compiled_gradient, gradient) <= 1e-5


def test_adapting_after_training_is_second_order_and_complete():
    learner = new_learner(multi_step=True, first_order_until=0.9)
    assert learner.order == 2
    assert learner.step_shares.tolist() == [0, 0, 1]
    support = waves().support
    losses = task_losses(learner.predict(learner.adapt(support), support.x), support.y)
    torch.testing.assert_close(learner.trace(support).support_loss[-1], losses)
