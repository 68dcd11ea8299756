"""The way to other libraries: learn2learn, the field's reference, and easyfsl."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Callable
from itertools import pairwise
from types import ModuleType
from typing import Any

from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from metalearn_lite import checks
from metalearn_lite.networks import MLP, Params


def learn2learn() -> ModuleType:
    """The learn2learn package.

    Raises:
        ImportError: it is not installed, or does not import; the message says how to install it.
    """
    try:
        # Gym prints a notice on every import; nothing here uses what it warns of.
        with contextlib.redirect_stderr(io.StringIO()):
            return importlib.import_module("learn2learn")
    except Exception as error:
        raise ImportError(
            f"learn2learn does not import ({error}). To install it: "
            "pip install --no-deps -r requirements-learn2learn.txt"
        ) from error


def easyfsl() -> ModuleType:
    """The easyfsl package, with its ``methods`` imported.

    Raises:
        ImportError: it is not installed, or does not import; the message says how to install it.
    """
    try:
        importlib.import_module("easyfsl.methods")
        return importlib.import_module("easyfsl")
    except Exception as error:
        raise ImportError(
            f"easyfsl does not import ({error}). To install it: "
            "pip install --no-deps easyfsl==1.5.0 torchvision==0.28.0"
        ) from error


class _Counting(TorchDispatchMode):
    number = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.number += 1
        return operation(*args, **(kwargs or {}))


def count_operations(call: Callable[[], Any]) -> int:
    """How many operations torch is asked for in ``call()``, backwards too, whatever their size."""
    with _Counting() as counting:
        call()
    return counting.number


def to_module(network: MLP, params: Params) -> nn.Sequential:
    """``network`` with ``params`` (without a task axis) as a module of torch.nn.

    The module maps ``(N, sizes[0])`` to ``(N, sizes[-1])``.

    Raises:
        ValueError: ``params`` lacks a layer, or has a task axis.
    """
    if not isinstance(network, MLP):
        raise ValueError(f"{type(network).__name__}: only an MLP is layers of Linear and ReLU")
    checks.tensor(**params)
    due = {name: tuple(value.shape) for name, value in network.init().items()}
    for name in due | params:
        found = tuple(params[name].shape) if name in params else "missing"
        if found != due.get(name):
            raise ValueError(
                f"{name} is {found}: this network has {due.get(name, 'none')}; give its "
                "parameters, without a task axis"
            )
    layers = []
    for layer in range(1, len(network.sizes)):
        weight, bias = params[f"weight{layer}"], params[f"bias{layer}"]
        linear = nn.Linear(*weight.shape)
        linear.weight.data = weight.detach().T.clone()
        linear.bias.data = bias.detach().flatten().clone()
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def from_module(module: nn.Sequential, gradients: bool = False) -> Params:
    """The other way: a ``to_module`` network's parameters, or their ``.grad``, in our layout.

    Raises:
        ValueError: the module is not Linear and ReLU in turn, a Linear first and last; the message
            names the first layer that is something else. Or it has no gradients yet.
    """
    if type(module) is not nn.Sequential or not len(module):
        raise ValueError(
            f"{type(module).__name__}: give an nn.Sequential of Linear and ReLU in turn"
        )
    layers = list(module.named_children())
    for place, (name, layer) in enumerate(layers):
        wanted = (nn.Linear, nn.ReLU)[place % 2]
        if type(layer) is not wanted:
            raise ValueError(
                f"layer {name} is {layer}, where {wanted.__name__} is due: an MLP is Linear and "
                "ReLU in turn, not nested"
            )
        if wanted is nn.Linear and layer.bias is None:
            raise ValueError(f"layer {name} has no bias: an MLP's layers all have one")
        if layer._forward_hooks or layer._forward_pre_hooks:
            raise ValueError(f"layer {name} has hooks, such as of pruning: remove them first")
    if len(layers) % 2 == 0:
        raise ValueError(f"layer {layers[-1][0]} is ReLU(), the last: an MLP ends in a Linear")
    for (name, before), (_, after) in pairwise(layers[::2]):
        if after.in_features != before.out_features or after.weight.dtype != before.weight.dtype:
            raise ValueError(f"layer {name} gives what the next Linear does not take")
    params = {}
    for layer, (name, linear) in enumerate(layers[::2], 1):
        weight, bias = linear.weight, linear.bias
        if gradients:
            if weight.grad is None or bias.grad is None:
                raise ValueError(f"layer {name} has no gradient yet: call .backward() first")
            weight, bias = weight.grad, bias.grad
        params[f"weight{layer}"] = weight.detach().T.clone()
        params[f"bias{layer}"] = bias.detach().unsqueeze(0).clone()
    return params
