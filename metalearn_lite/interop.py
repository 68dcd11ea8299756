"""The way to other libraries: learn2learn, the field's reference, and easyfsl."""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from types import ModuleType

import torch
from torch import nn

from metalearn_lite.networks import MLP, Params

_operators: torch.library.Library | None = None  # its end would take the declarations back


def learn2learn() -> ModuleType:
    """The learn2learn package.

    Raises:
        ImportError: it is not installed, or does not import; the message says how to install it.
    """
    try:
        _import_torchvision()
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
        _import_torchvision()
        importlib.import_module("easyfsl.methods")
        return importlib.import_module("easyfsl")
    except Exception as error:
        raise ImportError(
            f"easyfsl does not import ({error}). To install it: "
            "pip install --no-deps easyfsl==1.5.0 torchvision==0.28.0"
        ) from error


def _import_torchvision() -> None:
    """Imports torchvision, also where its wheel was built for another torch than the one here.

    Beside a CPU-only torch, PyPI's wheel misses two operators it wants to describe. Declaring
    their names is enough; nothing here calls them. Only after a first try, because declaring an
    operator that torchvision does bring ends the process.
    """
    global _operators
    try:
        importlib.import_module("torchvision")
        return
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _operators = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        _operators.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    importlib.import_module("torchvision")


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
