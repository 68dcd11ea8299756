"""From a module of torch.nn to parameters: what it cannot say is refused, by the layer's name."""

import pytest
import torch
from torch import nn

from metalearn_lite.interop import count_operations, from_module, to_module
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


class Doubled(nn.Sequential):
    def forward(self, x):
        return 2 * super().forward(x)


def hooked() -> nn.Sequential:
    module = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 1))
    module[0].register_forward_hook(lambda module, given, answer: 2 * answer)
    return module


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Doubled(nn.Linear(1, 1)), "Doubled: give an nn.Sequential"),
        (hooked(), "layer 0 has hooks"),
        (nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(4, 1)), "layer 0 gives what the next"),
    ],
)
def test_what_would_compute_something_else_is_refused(module, message):
    with pytest.raises(ValueError, match=message):
        from_module(module)


def test_parameters_of_another_network_are_no_module():
    params = MLP(1, 4, 1).init()
    for network, message in (
        (MLP(1, 5, 1), r"weight1 is \(1, 4\): this network has \(1, 5\)"),
        (MLP(1, 1), r"weight1 is \(1, 4\): this network has \(1, 1\)"),
    ):
        with pytest.raises(ValueError, match=message):
            to_module(network, params)
    with pytest.raises(ValueError, match=r"spare is .*: this network has none"):
        to_module(MLP(1, 4, 1), params | {"spare": torch.ones(2)})


@pytest.mark.parametrize("size", [1, 10_000])
def test_operations_are_counted_backwards_too_and_whatever_their_size(size):
    x = torch.ones(size, requires_grad=True)
    assert count_operations(lambda: x * 2 + 1) == 2
    forwards = count_operations(lambda: (x * 2).sum())
    assert count_operations(lambda: (x * 2).sum().backward()) > forwards
    assert count_operations(lambda: None) == 0
