"""From a module of torch.nn to parameters: what it cannot say is refused, by the layer's name."""

import pytest
import torch
from torch import nn

from metalearn_lite.interop import from_module, to_module
from metalearn_lite.networks import MLP


def test_linear_and_relu_in_turn_are_read():
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = torch.randn(1, 5, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(MLP(3, 4, 2)(from_module(module), x), module(x))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            (nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)),
            r"layer 0 is Conv2d\(.*Linear is due",
        ),
        ((nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), r"layer 1 is Tanh\(\), where ReLU is due"),
        ((nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(4, 2)), "layer 0 is Sequential"),
        ((nn.Linear(3, 4), nn.Linear(4, 2)), "layer 1 is Linear.*ReLU is due"),
        ((nn.Linear(3, 4), nn.ReLU()), "the last: an MLP ends in a Linear"),
        ((nn.Linear(3, 4, bias=False),), "layer 0 has no bias"),
        ((), "give an nn.Sequential"),
    ],
)
def test_other_modules_are_refused_by_their_first_layer(layers, message):
    with pytest.raises(ValueError, match=message):
        from_module(nn.Sequential(*layers))


def test_a_lone_layer_is_no_sequence():
    with pytest.raises(ValueError, match=r"Linear: give an nn.Sequential"):
        from_module(nn.Linear(3, 4))


def test_gradients_must_be_there():
    with pytest.raises(ValueError, match="layer 0 has no gradient yet"):
        from_module(nn.Sequential(nn.Linear(3, 4)), gradients=True)


def test_parameters_of_many_tasks_are_no_one_module():
    network = MLP(3, 2)
    params = {n: v.expand(4, *v.shape) for n, v in network.init(torch.Generator()).items()}
    with pytest.raises(ValueError, match=r"weight1 is \(4, 3, 2\): .*without a task axis"):
        to_module(network, params)
    with pytest.raises(ValueError, match="weight1 is missing"):
        to_module(network, {})
