"""Networks as plain functions of their parameters.

A network is called as ``network(params, x)``. ``params`` is a dict of tensors, so a gradient step
makes a new dict and nothing is changed in place. Each parameter may carry a leading task axis:
then every task has its own copy, and one call runs all of them at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks, layers
from metalearn_lite.fast.classifier import quick_logits
from metalearn_lite.layers import Params


def lengths(values: Iterable[Tensor]) -> Tensor:
    """How long each task's ``values``, ``(T, …)`` each, are together: ``(T,)``, Euclidean."""
    return torch.stack([value.flatten(1).square().sum(1) for value in values]).sum(0).sqrt()


def beside(value: Tensor, of_tasks: Tensor) -> Tensor:
    """One number for each task, ``(T,)``, in the shape in which it meets ``value`` ``(T, …)``."""
    return of_tasks.view(-1, *[1] * (value.dim() - 1))


class Network(Protocol):
    """What a learner learns with: a plain function of parameters and examples."""

    settings: tuple
    """What its class is called with to make the same network again; a checkpoint's card has it."""

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws parameters. Without a ``generator``, by torch's global one."""

    def __call__(self, params: Params, x: Tensor) -> Tensor:
        """Answers for ``x`` ``(T, N, …)``, by parameters shared or with a task axis each."""


class MLP:
    """A multi-layer perceptron with ReLU between its layers.

    ``MLP(1, 40, 40, 1)`` is the network of Finn, Abbeel & Levine (2017) for sinusoids.

    Called with ``x`` of shape ``(T, N, …)``, whose trailing axes are flattened to ``sizes[0]``
    features. Returns ``(T, N, sizes[-1])``.
    """

    def __init__(self, *sizes: int):
        checks.sizes(sizes=sizes)
        if len(sizes) < 2:
            raise ValueError(f"sizes={sizes}: give at least an input and an output size")
        self.sizes = self.settings = sizes

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws parameters: weights and biases uniform within 1/√inputs (PyTorch's default)."""
        params = {}
        for layer, (inputs, outputs) in enumerate(pairwise(self.sizes), 1):
            bound = 1 / math.sqrt(inputs)
            for name, rows in (("weight", inputs), ("bias", 1)):
                new = torch.empty(rows, outputs)
                params[f"{name}{layer}"] = new.uniform_(-bound, bound, generator=generator)
        return params

    def __call__(self, params: Params, x: Tensor) -> Tensor:
        hidden = layers.features(x, self.sizes[0])
        for layer in range(1, len(self.sizes)):
            hidden = hidden.relu() if layer > 1 else hidden
            weight, bias = params[f"weight{layer}"], params[f"bias{layer}"]
            each = weight.dim() == 3  # a task axis
            hidden = torch.baddbmm(bias, hidden, weight) if each else hidden @ weight + bias
        return hidden


class ConvNet:
    """An image embedding: blocks of convolution, max-pooling, normalisation and ReLU.

    Close to the network of Vinyals et al. (2016). Ours lets the width grow, and does not pool in
    the last blocks.

    Args:
        channels: the width of each block.
        norm: "group" looks at one image at a time (Wu & He, 2018). "batch" looks at the whole
            batch (Ioffe & Szegedy, 2015): for training only, since a query would then be judged
            by its neighbours; ``freeze`` ends it. "frozen" only scales and shifts.
        num_unpooled: how many blocks do not pool, the last ones. The others halve the map: of four
            blocks, 1 leaves 3 × 3 places of an image of 28 × 28, and 2 leave 7 × 7.

    Called with ``x`` ``(T, N, 1, 28, 28)``. Returns ``(T, N, D)``: the last block's maps, flat.
    """

    def __init__(
        self,
        channels: Sequence[int] = (32, 64, 128, 128),
        norm: str = "group",
        num_unpooled: int = 1,
    ):
        checks.choice(("group", "batch", "frozen"), norm=norm)
        checks.sizes(channels=channels)
        checks.count(0, len(channels), num_unpooled=num_unpooled)
        if norm == "group" and any(width % 8 for width in channels):
            raise ValueError(f"channels={channels}: choose multiples of 8, the groups of a norm")
        self.settings = (tuple(channels), norm, num_unpooled)
        self.channels, self.norm, self.num_unpooled = self.settings

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws parameters: weights by He et al. (2015), scales 1, shifts 0."""
        return layers.new_blocks(self.channels, generator)

    def __call__(self, params: Params, x: Tensor) -> Tensor:
        hidden = layers.as_maps(x, 2 ** (len(self.channels) - self.num_unpooled))
        for block in range(1, len(self.channels) + 1):
            hidden = self._normalise(params, self._convolve(params, hidden, block), block).relu()
        return hidden.flatten(1).unflatten(0, x.shape[:2])

    def _convolve(self, params: Params, hidden: Tensor, block: int) -> Tensor:
        hidden = layers.convolve_maps(hidden, params[f"weight{block}"])
        pools = block <= len(self.channels) - self.num_unpooled
        return F.max_pool2d(hidden, 2) if pools else hidden

    def _normalise(self, params: Params, hidden: Tensor, block: int) -> Tensor:
        scale, shift = params[f"scale{block}"], params[f"shift{block}"]
        if self.norm == "batch":
            return F.batch_norm(hidden, None, None, scale, shift, training=True)
        if self.norm == "group":
            return F.group_norm(hidden, 8, scale, shift)
        return hidden * scale[:, None, None] + shift[:, None, None]

    @torch.no_grad()
    def freeze(self, params: Params, x: Tensor) -> tuple[ConvNet, Params]:
        """This network with its batch statistics fixed to those of ``x``, such as training images.

        Returns the "frozen" network and its parameters, with the statistics folded into scales
        and shifts: every image is then embedded alone.
        """
        frozen = ConvNet(self.channels, "frozen", self.num_unpooled)
        params = {name: value.detach() for name, value in params.items()}
        hidden = layers.as_maps(x)
        for block in range(1, len(self.channels) + 1):
            hidden = self._convolve(params, hidden, block)
            variance, mean = torch.var_mean(hidden, (0, 2, 3), correction=0)
            scale = params[f"scale{block}"] / torch.sqrt(variance + layers.EPSILON)
            shift = params[f"shift{block}"] - mean * scale
            params |= {f"scale{block}": scale, f"shift{block}": shift}
            hidden = frozen._normalise(params, hidden, block).relu()
        return frozen, params


class ConvClassifier:
    """The image classifier of Finn, Abbeel & Levine (2017) for Omniglot, made for task axes.

    Four blocks of 3 × 3 convolution with stride 2, batch normalisation (Ioffe & Szegedy, 2015) and
    ReLU, each halving the image. Then the mean over what is left of it, and a linear head:
    ``weight5`` and ``bias5``.

    Batch normalisation needs a mean and a variance of every channel. It measures them on the
    images it is called with, each task for itself. An image's answer then depends on which images
    come with it. Where ``params`` holds ``statistics``, those are used and nothing is measured.

    Args:
        num_ways: how many classes a task has.
        width: how many filters a block has; 64 in the paper.

    Called with ``x`` ``(T, N, 1, H, W)``. Returns logits ``(T, N, num_ways)``.
    """

    fast = True  # Calls take the quicker arithmetic of fast/. The answers are those of activations.

    def __init__(self, num_ways: int = 5, width: int = 32):
        checks.count(num_ways=num_ways, width=width)
        self.num_ways, self.width = self.settings = (num_ways, width)

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws parameters: weights by He et al. (2015), scales 1, shifts and biases 0."""
        params = layers.new_blocks([self.width] * 4, generator)
        head = torch.randn(self.width, self.num_ways, generator=generator) / math.sqrt(self.width)
        return params | {"weight5": head, "bias5": torch.zeros(1, self.num_ways)}

    def __call__(self, params: Params, x: Tensor, measured: Params | None = None) -> Tensor:
        if self.fast:
            return quick_logits(params, x, measured)
        return self.activations(params, x, measured)[-1]

    def activations(
        self, params: Params, x: Tensor, measured: Params | None = None
    ) -> list[Tensor]:
        """What each layer gives: of each block ``(T, N, width, …)``, then the logits."""
        params, hidden, given = layers.one_for_each_task(params, len(x)), layers.images(x), []
        for block in range(1, 5):
            hidden = layers.convolve_each(hidden, params[f"weight{block}"])
            hidden = layers.normalise_each(hidden, params, block, measured).relu()
            given.append(hidden)
        logits = torch.baddbmm(params["bias5"], hidden.mean((3, 4)), params["weight5"])
        return [*given, logits]

    def statistics(self, params: Params, x: Tensor) -> Params:
        """What batch normalisation measures on ``x``: ``mean1``, ``variance1`` … of ``(T, width)``.

        With them in ``params``, whose tensors then all need a task axis, an image is judged alone.
        """
        self(params, x, measured := {})
        return measured
