"""The guard rail for policies: it is adapting by playing until an update ruins a policy."""

import torch
from truths import generator

from metalearn_lite.learners.guard import Guard
from metalearn_lite.rl.guarded import play_guarded
from metalearn_lite.rl.maml_policy_gradient import MAMLPolicyGradient
from metalearn_lite.rl.policies import GaussianPolicy
from metalearn_lite.tasks.navigation import Navigation

POLICY = GaussianPolicy(2, 8, 2)


class Short(Navigation):
    horizon = 12


def small(**settings) -> MAMLPolicyGradient:
    return MAMLPolicyGradient(POLICY, POLICY.init(generator(), std=0.1), **settings)


def test_a_guard_that_lets_all_pass_is_adapting_by_playing():
    maml, tasks = small(), Short().sample_tasks(3, generator(1))
    path = maml.adapt_by_playing(Short(), tasks, 5, 2, generator(2))
    found = play_guarded(maml, Short(), tasks, 5, 2, Guard(1e9, 1e9), generator(2))
    for name, value in path[-1][0].items():
        torch.testing.assert_close(found.adapted[name], value)
    expected = torch.stack([played.returns.mean(1) for _, played in path])
    torch.testing.assert_close(found.returns, expected)
    assert found.reasons == [""] * 3


def test_updates_that_ruin_a_policy_are_taken_back_and_told():
    maml, tasks = small(inner_lr=1e3), Short().sample_tasks(4, generator(1))
    found = play_guarded(maml, Short(), tasks, 5, 3, Guard(0.5, 10.0), generator(2))
    assert found.returns.shape == (4, 4)
    assert torch.equal(found.returns, found.returns[:1].expand(4, -1))
    assert all(reason.startswith("Stopped before step 1: ") for reason in found.reasons)
    for name, value in found.adapted.items():
        assert torch.equal(value, maml.params[name].expand(4, *maml.params[name].shape))


def test_no_numbers_are_never_played():
    maml, tasks = small(inner_lr=3e38), Short().sample_tasks(2, generator(1))
    found = play_guarded(maml, Short(), tasks, 5, 2, Guard(), generator(2))
    assert all("no numbers" in reason for reason in found.reasons)
    assert found.returns.isfinite().all()
