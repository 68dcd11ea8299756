"""The way to other libraries: learn2learn, the field's reference, and easyfsl."""

from __future__ import annotations

import contextlib
import importlib
import io
from types import ModuleType

from torch import nn

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


def to_module(network: MLP, params: Params) -> nn.Sequential:
    """``network`` with ``params`` (without a task axis) as a module of torch.nn.

    The module maps ``(N, sizes[0])`` to ``(N, sizes[-1])``.
    """
    layers = []
    for layer in range(1, len(network.sizes)):
        weight, bias = params[f"weight{layer}"], params[f"bias{layer}"]
        linear = nn.Linear(*weight.shape)
        linear.weight.data = weight.detach().T.clone()
        linear.bias.data = bias.detach().flatten().clone()
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def from_module(module: nn.Sequential, gradients: bool = False) -> Params:
    """The other way: a ``to_module`` network's parameters, or their ``.grad``, in our layout."""
    params = {}
    for layer, linear in enumerate((m for m in module if isinstance(m, nn.Linear)), 1):
        weight, bias = linear.weight, linear.bias
        if gradients:
            weight, bias = weight.grad, bias.grad
        params[f"weight{layer}"] = weight.detach().T.clone()
        params[f"bias{layer}"] = bias.detach().unsqueeze(0).clone()
    return params
