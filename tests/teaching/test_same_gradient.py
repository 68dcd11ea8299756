"""16.same_gradient and its small stand-in for learn2learn, beside our learners and the real one."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from truths import relative_error, require_learn2learn

from metalearn_lite import interop
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.meta_sgd import RATE, MetaSGD
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.teaching.exercises.libraries_and_scale import Adaptable, same_gradient

NETWORK, LR = MLP(1, 8, 8, 1), 0.05


def waves(generator):
    episodes = Sinusoids().sample(4, 5, 6, generator(1))
    columns = [part if part.dim() == 3 else part[..., None] for half in episodes for part in half]
    return episodes, list(zip(*columns, strict=True))


def library(rates: bool):
    def wrap(module: nn.Module):
        require_learn2learn()
        algorithms = interop.learn2learn().algorithms
        return (algorithms.MetaSGD if rates else algorithms.MAML)(module, lr=LR)

    return wrap


def small(rates: bool):
    return lambda module: Adaptable(module, LR, rates)


@pytest.mark.parametrize("inner_steps", [0, 1, 3])
@pytest.mark.parametrize("rates", [False, True])
@pytest.mark.parametrize("kind", [small, library])
def test_the_loop_gives_our_learners_gradient(generator, kind, rates, inner_steps):
    """The rates are in units of α here, and in their own there."""
    params, (episodes, tasks) = NETWORK.init(generator()), waves(generator)
    module = kind(rates)(interop.to_module(NETWORK, params))
    gradient = same_gradient(module, tasks, F.mse_loss, inner_steps)
    ours = (MetaSGD if rates else MAML)(NETWORK, params, LR, inner_steps)
    if rates and inner_steps == 0:  # no loss depends on the rates, of which ours tells
        ours, gradient, rest = MAML(NETWORK, params, LR, 0), gradient[:6], gradient[6:]
        assert all((part == 0).all() for part in rest)
    _, expected = ours.meta_gradient(episodes)
    found = dict(zip(expected, [part.t().reshape(v.shape) for part, v in zip(
        gradient, expected.values(), strict=True)], strict=True))  # fmt: skip
    found = {n: LR * value if n.startswith(RATE) else value for n, value in found.items()}
    assert relative_error(found, expected) <= 1e-5


def test_a_clone_leaves_what_it_was_made_from_as_it_was(generator):
    maml = Adaptable(interop.to_module(NETWORK, NETWORK.init(generator())), LR, rates=True)
    before = [value.detach().clone() for value in maml.parameters()]
    clone, x = maml.clone(), torch.randn(3, 1, generator=generator(2))
    clone.adapt(clone(x).square().mean())
    assert clone(x).ne(maml(x)).any()
    torch.testing.assert_close(list(maml.parameters()), before, rtol=0, atol=0)
