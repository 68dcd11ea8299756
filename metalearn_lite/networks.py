"""Networks as plain functions of their parameters.

A network is called as ``network(params, x)``. ``params`` is a dict of tensors, so a gradient step
makes a new dict and nothing is changed in place. Each parameter may carry a leading task axis:
then every task has its own copy, and one call runs all of them at once.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

Params = dict[str, Tensor]


class MLP:
    """A multi-layer perceptron with ReLU between its layers.

    ``MLP(1, 40, 40, 1)`` is the network of Finn, Abbeel & Levine (2017) for sinusoids.

    Called with ``x`` of shape ``(T, N, …)``, whose trailing axes are flattened to ``sizes[0]``
    features. Returns ``(T, N, sizes[-1])``; where ``sizes[-1]`` is 1, the output is one number
    per example and its shape ``(T, N)``, the shape of a regression's ``y``.
    """

    def __init__(self, *sizes: int):
        if len(sizes) < 2:
            raise ValueError(f"sizes={sizes}: give at least an input and an output size")
        self.sizes = self.settings = sizes

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws parameters: weights and biases uniform within 1/√inputs (PyTorch's default)."""
        params = {}
        for layer, (inputs, outputs) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), 1):
            bound = 1 / math.sqrt(inputs)
            for name, shape in (("weight", (inputs, outputs)), ("bias", (1, outputs))):
                params[f"{name}{layer}"] = torch.empty(shape).uniform_(
                    -bound, bound, generator=generator
                )
        return params

    def __call__(self, params: Params, x: Tensor) -> Tensor:
        hidden = x.flatten(2)
        num_layers = len(self.sizes) - 1
        for layer in range(1, num_layers + 1):
            weight, bias = params[f"weight{layer}"], params[f"bias{layer}"]
            if weight.dim() == 3:
                hidden = torch.baddbmm(bias, hidden, weight)
            else:
                hidden = hidden @ weight + bias
            if layer < num_layers:
                hidden = hidden.relu()
        return hidden.squeeze(-1) if self.sizes[-1] == 1 else hidden


class ConvNet:
    """Four blocks of convolution, normalisation, ReLU and pooling (Vinyals et al., 2016).

    Group normalisation (Wu & He, 2018) stands in for batch normalisation: it looks at one image
    at a time, so no answer can depend on which other images are in the batch.

    Called with ``x`` ``(T, N, 1, 28, 28)``. Returns ``(T, N, 4 · channels)``... (placeholder, to be
    replaced when the recipe research is in)
    """

    def __init__(self, channels: int = 64, num_blocks: int = 4, num_groups: int = 8):
        self.channels, self.num_blocks, self.num_groups = channels, num_blocks, num_groups

    def init(self, generator: torch.Generator | None = None) -> Params:
        params, inputs = {}, 1
        for block in range(1, self.num_blocks + 1):
            bound = math.sqrt(6 / (9 * inputs))
            weight = torch.empty(self.channels, inputs, 3, 3)
            params[f"weight{block}"] = weight.uniform_(-bound, bound, generator=generator)
            params[f"scale{block}"] = torch.ones(self.channels)
            params[f"shift{block}"] = torch.zeros(self.channels)
            inputs = self.channels
        return params

    def __call__(self, params: Params, x: Tensor) -> Tensor:
        hidden = x.flatten(0, 1)
        for block in range(1, self.num_blocks + 1):
            hidden = F.conv2d(hidden, params[f"weight{block}"], padding=1)
            hidden = F.group_norm(
                hidden, self.num_groups, params[f"scale{block}"], params[f"shift{block}"]
            )
            hidden = F.max_pool2d(hidden.relu(), 2)
        return hidden.flatten(1).unflatten(0, x.shape[:2])
