"""Adapting by playing. That its meta-gradient is right: test_meta_gradient_of_policies.py."""

from functools import partial
from itertools import pairwise

import pytest
import torch
from truths import generator, numeric_gradient, relative_error

from metalearn_lite import checkpoints
from metalearn_lite.evaluation import evaluate_by_playing
from metalearn_lite.rl.imitation import Demonstrations
from metalearn_lite.rl.maml_policy_gradient import SAMPLING, MAMLPolicyGradient
from metalearn_lite.rl.policies import GaussianPolicy
from metalearn_lite.rl.trajectories import Trajectories
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.training import TrainingDiverged, meta_train

POLICY = GaussianPolicy(2, 8, 2)


class Short(Navigation):
    horizon = 12


def small(**settings) -> MAMLPolicyGradient:
    return MAMLPolicyGradient(POLICY, POLICY.init(generator(), std=0.1), **settings)


def double(batch: list[Trajectories]) -> list[Trajectories]:
    return [Trajectories(*(part.double() for part in played)) for played in batch]


def length(before, after) -> torch.Tensor:
    """How far each task's parameters moved, ``(T,)``."""
    parts = [(after[name] - before[name]).flatten(1).square().sum(1) for name in after]
    return torch.stack(parts).sum(0).sqrt()


def test_each_update_learns_from_what_was_played_just_before():
    maml, tasks = small(), Short().sample_tasks(3, generator(1))
    kept = {name: value.clone() for name, value in maml.params.items()}
    path = maml.adapt_by_playing(Short(), tasks, 5, 2, generator(2))
    assert len(path) == 3
    for step, ((before, played), (after, _)) in enumerate(pairwise(path)):
        expected = maml.inner_step(before, played, step)
        for name in after:
            torch.testing.assert_close(after[name], expected[name])
    for name in kept:
        assert torch.equal(maml.params[name], kept[name])
    assert not any(value.requires_grad for adapted, _ in path for value in adapted.values())


def test_each_task_adapts_as_if_it_were_alone():
    maml = small()
    before, _ = maml.play(Short(), 3, 5, generator())
    together = maml.adapt([before])
    for task in range(3):
        alone = maml.adapt([Trajectories(*(part[task, None] for part in before))])
        for name in alone:
            torch.testing.assert_close(together[name][task, None], alone[name])


@pytest.mark.parametrize("inner_steps", [0, 1, 2])
def test_the_meta_gradient_is_that_of_the_meta_loss(inner_steps):
    """Where nothing is said about the chance in it, finite differences must agree."""
    maml = small(inner_steps=inner_steps, sampling="dropped")
    batch = double(maml.play(Short(), 2, 3, generator()))
    maml.params = {n: v.detach().double().requires_grad_() for n, v in maml.params.items()}
    own = maml.params
    _, found = maml.meta_gradient(batch)

    def loss_at(params):
        maml.params = {name: value.requires_grad_() for name, value in params.items()}
        return maml.meta_loss(batch).item()

    numeric = numeric_gradient(loss_at, own)
    assert relative_error(found, numeric) < 1e-5


@pytest.mark.parametrize("game", [1, 2])
def test_what_is_played_after_each_step_counts_in_units_of_its_own_spread(game):
    """A task seen through a reward that is ten times larger gives the same meta-gradient."""
    maml = small(inner_steps=2)
    batch = double(maml.play(Short(), 3, 4, generator()))
    maml.params = {n: v.detach().double().requires_grad_() for n, v in maml.params.items()}
    _, expected = maml.meta_gradient(batch)
    batch[game] = batch[game]._replace(rewards=10 * batch[game].rewards)
    _, found = maml.meta_gradient(batch)
    assert relative_error(found, expected) < 1e-4


def test_what_comes_after_the_end_carries_no_gradient():
    """Any tail of a trajectory that has ended gives the same step and the same meta-gradient."""
    maml, (before, after) = small(), small().play(Short(), 2, 4, generator())

    def with_tail(played: Trajectories, seed: int) -> Trajectories:
        observations, actions, rewards, mask = (part.clone() for part in played)
        mask[..., 7:], rewards[..., 7:] = 0, 0
        observations[..., 7:, :] = torch.randn(2, 4, 5, 2, generator=generator(seed))
        actions[..., 7:, :] = torch.randn(2, 4, 5, 2, generator=generator(seed + 1))
        return Trajectories(observations, actions, rewards, mask)

    def shorter(played: Trajectories) -> Trajectories:
        return Trajectories(*(part[:, :, :7] for part in played))

    for sampling in SAMPLING:
        maml.sampling = sampling
        _, expected = maml.meta_gradient([shorter(before), shorter(after)])
        for seed in (5, 6):
            batch = [with_tail(before, seed), with_tail(after, seed + 2)]
            _, found = maml.meta_gradient(batch)
            assert relative_error(found, expected) < 1e-4


def test_the_trace_has_each_step_and_the_returns_before_it():
    maml = small(inner_steps=2)
    batch = maml.play(Short(), 3, 4, generator())
    trace = maml.trace(batch[:2])
    assert len(trace.adapted) == 3
    torch.testing.assert_close(trace.support_loss[1], -batch[1].returns.mean(1))
    for name, value in maml.adapt(batch[:2]).items():
        torch.testing.assert_close(trace.adapted[2][name], value)


def test_later_steps_are_shorter():
    maml = small(later_lr=0.25)
    (played,) = small(inner_steps=0).play(Short(), 3, 4, generator())
    first, later = (maml.inner_step(maml.start(played), played, step) for step in (0, 1))
    start = maml.start(played)
    torch.testing.assert_close(length(start, later), 0.25 * length(start, first))


def test_no_step_is_longer_than_max_step():
    free, bounded = small(inner_lr=5.0), small(inner_lr=5.0, max_step=0.2)
    (played,) = small(inner_steps=0).play(Short(), 3, 4, generator())
    start = free.start(played)
    far, near = (maml.inner_step(start, played) for maml in (free, bounded))
    assert (length(start, far) > 0.2).all()
    torch.testing.assert_close(length(start, near), torch.full((3,), 0.2))
    for name in far:  # shortened, not turned
        turned = (far[name] - start[name]) / length(start, far).view(3, 1, 1)
        torch.testing.assert_close(near[name] - start[name], 0.2 * turned)


def test_a_step_shorter_than_max_step_stays_as_it_is():
    (played,) = small(inner_steps=0).play(Short(), 3, 4, generator())
    free, bounded = (small(max_step=bound).adapt([played]) for bound in (None, 1e3))
    for name in free:
        assert torch.equal(free[name], bounded[name])


def test_without_a_bound_a_policy_runs_away_and_with_it_does_not():
    tasks = Navigation().sample_tasks(10, generator(1))
    returns = {}
    for bound in (None, 0.05):
        maml = small(inner_lr=100.0, max_step=bound)
        path = maml.adapt_by_playing(Navigation(), tasks, 10, 1, generator(2))
        returns[bound] = path[1][1].returns.mean().item()
    assert returns[None] < -500
    assert returns[0.05] > -100


def test_a_step_to_infinity_is_reported():
    maml = small(inner_lr=1e38)
    with pytest.raises(TrainingDiverged, match="inner_lr"):
        meta_train(maml, partial(maml.play, Short(), 2, 3), 5, generator())


@pytest.mark.parametrize("sampling", ["dropped", "lvc", "dice", "e-maml"])
def test_training_that_was_stopped_ends_as_if_it_was_not(sampling, tmp_path):
    def run(iterations, save_to=None, maml=None):
        maml = small(sampling=sampling) if maml is None else maml
        sample = partial(maml.play, Short(), 3, 4)
        history = meta_train(maml, sample, iterations, generator(4), outer_lr=1e-2, save_to=save_to)
        return maml, history

    whole, history = run(6)
    run(3, tmp_path / "run.safetensors")
    resumed, same = run(6, tmp_path / "run.safetensors")
    assert history.losses == same.losses
    for name, value in whole.params.items():
        assert torch.equal(value, resumed.params[name])


@pytest.mark.slow
def test_it_learns_to_adapt():
    maml, environment = small(), Navigation()
    result = {}
    for when in ("before", "after"):
        found = evaluate_by_playing(maml, environment, 40, 20, 1, generator(9))
        result[when] = found[1].mean
        meta_train(maml, partial(maml.play, environment, 10, 10), 60, generator(), outer_lr=3e-3)
    assert result["after"] > result["before"] + 20


def test_an_evaluation_has_one_score_for_every_task_whatever_is_held_in_memory():
    found = evaluate_by_playing(small(), Short(), 5, 3, 2, generator(), num_at_once=2)
    assert len(found) == 3
    assert all(each.scores.shape == (5,) for each in found)
    with pytest.raises(ValueError, match="no interval"):
        evaluate_by_playing(small(), Short(), 1)


def test_a_policy_that_broke_scores_minus_infinity():
    found = evaluate_by_playing(small(inner_lr=1e38), Short(), 3, 3, 1, generator())
    assert found[1].mean == -torch.inf


def test_it_is_kept_and_found_again(tmp_path):
    maml = small(later_lr=0.25, max_step=0.3, sampling="dice")
    checkpoints.save(maml, "small", {}, tmp_path)
    loaded = checkpoints.load("small", tmp_path)
    assert (loaded.later_lr, loaded.max_step, loaded.sampling) == (0.25, 0.3, "dice")
    observations = torch.randn(1, 4, 2, generator=generator())
    assert torch.equal(
        loaded.predict(loaded.params, observations), maml.predict(maml.params, observations)
    )


@pytest.mark.parametrize(
    ("settings", "words"), [({"sampling": "all"}, "e-maml"), ({"max_step": 0.0}, "above 0")]
)
def test_impossible_settings_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        small(**settings)


def test_a_demonstration_goes_to_the_goal_and_another_takes_another_way():
    support, query = Demonstrations().sample(20, generator())
    assert support.x.shape == support.y.shape == query.x.shape == (20, 100, 2)
    assert support.y.abs().max() <= 1
    tasks = Navigation().sample_tasks(20, generator())
    last = torch.stack([support.x[:, -1], query.x[:, -1]])
    assert (last - tasks).norm(dim=-1).max() < 0.3
    assert not torch.allclose(support.x, query.x)
    wanted = (10 * (tasks.unsqueeze(1) - query.x)).clamp(-1, 1)
    torch.testing.assert_close(query.y, wanted)
