"""Networks as plain functions of their parameters.

A network is called as ``network(params, x)``. ``params`` is a dict of tensors, so a gradient step
makes a new dict and nothing is changed in place. Each parameter may carry a leading task axis:
then every task has its own copy, and one call runs all of them at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Params = dict[str, Tensor]


class MLP:
    """A multi-layer perceptron with ReLU between its layers.

    ``MLP(1, 40, 40, 1)`` is the network of Finn, Abbeel & Levine (2017) for sinusoids.

    Called with ``x`` of shape ``(T, N, …)``, whose trailing axes are flattened to ``sizes[0]``
    features. Returns ``(T, N, sizes[-1])``.
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
        return hidden


class ConvNet:
    """An image embedding: blocks of convolution, max-pooling, normalisation and ReLU.

    Close to the network of Vinyals et al. (2016). Ours lets the width grow, and the last blocks
    need not pool.

    Args:
        channels: the width of each block.
        norm: "group" looks at one image at a time (Wu & He, 2018). "batch" looks at the whole
            batch (Ioffe & Szegedy, 2015): for training only, since a query would then be judged
            by its neighbours; ``freeze`` ends it. "frozen" only scales and shifts.
        num_pools: how many blocks pool, the first ones. Each halves the map: 3 leave 3 × 3 of an
            image of 28 × 28, 2 leave 7 × 7.

    Called with ``x`` ``(T, N, 1, 28, 28)``. Returns ``(T, N, D)``: the last block's maps, flat.
    """

    def __init__(
        self,
        channels: Sequence[int] = (32, 64, 128, 128),
        norm: str = "group",
        num_pools: int = 3,
    ):
        if norm not in ("group", "batch", "frozen"):
            raise ValueError(f"norm={norm!r}: choose 'group', 'batch' or 'frozen'")
        self.channels = tuple(channels)
        self.norm = norm
        self.num_pools = num_pools
        self.settings = (self.channels, self.norm, self.num_pools)

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws parameters: weights by He et al. (2015), scales 1, shifts 0."""
        params, inputs = {}, 1
        for block, width in enumerate(self.channels, 1):
            # A block's kernels are kept as one matrix, which is what the Muon optimizer needs.
            weight = torch.randn(width, 9 * inputs, generator=generator)
            params[f"weight{block}"] = weight * math.sqrt(2 / (9 * inputs))
            params[f"scale{block}"] = torch.ones(width)
            params[f"shift{block}"] = torch.zeros(width)
            inputs = width
        return params

    def __call__(self, params: Params, x: Tensor) -> Tensor:
        # Channels last is the order in memory that convolutions on a CPU like best.
        hidden = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        for block in range(1, len(self.channels) + 1):
            hidden = self._convolve(params, hidden, block)
            scale, shift = params[f"scale{block}"], params[f"shift{block}"]
            if self.norm == "batch":
                hidden = F.batch_norm(hidden, None, None, scale, shift, training=True)
            elif self.norm == "group":
                hidden = F.group_norm(hidden, 8, scale, shift)
            else:
                hidden = hidden * scale[:, None, None] + shift[:, None, None]
            hidden = hidden.relu()
        return hidden.flatten(1).unflatten(0, x.shape[:2])

    def _convolve(self, params: Params, hidden: Tensor, block: int) -> Tensor:
        kernels = params[f"weight{block}"].unflatten(1, (-1, 3, 3))
        hidden = F.conv2d(hidden, kernels.contiguous(memory_format=torch.channels_last), padding=1)
        return F.max_pool2d(hidden, 2) if block <= self.num_pools else hidden

    @torch.no_grad()
    def freeze(self, params: Params, x: Tensor) -> tuple[ConvNet, Params]:
        """This network with its batch statistics fixed to those of ``x``, such as training images.

        Returns the "frozen" network and its parameters, with the statistics folded into scales
        and shifts: every image is then embedded alone.
        """
        frozen, params = ConvNet(self.channels, "frozen", self.num_pools), dict(params)
        hidden = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        for block in range(1, len(self.channels) + 1):
            hidden = self._convolve(params, hidden, block)
            variance, mean = torch.var_mean(hidden, (0, 2, 3), correction=0)
            scale = params[f"scale{block}"] / torch.sqrt(variance + 1e-5)
            shift = params[f"shift{block}"] - mean * scale
            params |= {f"scale{block}": scale, f"shift{block}": shift}
            hidden = (hidden * scale[:, None, None] + shift[:, None, None]).relu()
        return frozen, params
