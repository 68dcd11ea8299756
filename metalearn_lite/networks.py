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

from metalearn_lite import checks
from metalearn_lite.differentiable_twice import EPSILON, batch_norm, convolve

Params = dict[str, Tensor]

IMAGES_AT_ONCE = 80


class MLP:
    """A multi-layer perceptron with ReLU between its layers.

    ``MLP(1, 40, 40, 1)`` is the network of Finn, Abbeel & Levine (2017) for sinusoids.

    Called with ``x`` of shape ``(T, N, …)``, whose trailing axes are flattened to ``sizes[0]``
    features. Returns ``(T, N, sizes[-1])``.
    """

    def __init__(self, *sizes: int):
        checks.count(**{f"sizes[{place}]": size for place, size in enumerate(sizes)})
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
        checks.count(0, len(channels), num_unpooled=num_unpooled)
        checks.count(**{f"channels[{block}]": width for block, width in enumerate(channels)})
        if norm == "group" and any(width % 8 for width in channels):
            raise ValueError(f"channels={channels}: choose multiples of 8, the groups of a norm")
        self.channels = tuple(channels)
        self.norm = norm
        self.num_unpooled = num_unpooled
        self.settings = (self.channels, self.norm, self.num_unpooled)

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws parameters: weights by He et al. (2015), scales 1, shifts 0."""
        params, inputs = {}, 1
        for block, width in enumerate(self.channels, 1):
            params[f"weight{block}"] = new_kernels(inputs, width, generator)
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
        hidden = convolve_maps(hidden, params[f"weight{block}"])
        pools = block <= len(self.channels) - self.num_unpooled
        return F.max_pool2d(hidden, 2) if pools else hidden

    @torch.no_grad()
    def freeze(self, params: Params, x: Tensor) -> tuple[ConvNet, Params]:
        """This network with its batch statistics fixed to those of ``x``, such as training images.

        Returns the "frozen" network and its parameters, with the statistics folded into scales
        and shifts: every image is then embedded alone.
        """
        frozen, params = ConvNet(self.channels, "frozen", self.num_unpooled), dict(params)
        hidden = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        for block in range(1, len(self.channels) + 1):
            hidden = self._convolve(params, hidden, block)
            variance, mean = torch.var_mean(hidden, (0, 2, 3), correction=0)
            scale = params[f"scale{block}"] / torch.sqrt(variance + 1e-5)
            shift = params[f"shift{block}"] - mean * scale
            params |= {f"scale{block}": scale, f"shift{block}": shift}
            hidden = (hidden * scale[:, None, None] + shift[:, None, None]).relu()
        return frozen, params


def new_kernels(inputs: int, width: int, generator: torch.Generator | None = None) -> Tensor:
    """Weights by He et al. (2015) for ``width`` kernels of 3 × 3, one a row: ``(width, 9·inputs)``.

    Kernels are kept as one matrix, which is what the Muon optimizer needs.
    """
    weight = torch.randn(width, 9 * inputs, generator=generator)
    return weight * math.sqrt(2 / (9 * inputs))


def convolve_maps(maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolves ``maps`` ``(N, inputs, H, W)``, channels last in memory, by `new_kernels`."""
    kernels = weight.unflatten(1, (-1, 3, 3)).contiguous(memory_format=torch.channels_last)
    return F.conv2d(maps, kernels, bias, padding=1)


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

    def __init__(self, num_ways: int = 5, width: int = 32):
        checks.count(num_ways=num_ways, width=width)
        self.num_ways = num_ways
        self.width = width
        self.settings = (num_ways, width)

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws parameters: weights by He et al. (2015), scales 1, shifts and biases 0."""
        params, inputs = {}, 1
        for block in range(1, 5):
            # A row's order: height, width, input channels.
            params[f"weight{block}"] = new_kernels(inputs, self.width, generator)
            params[f"scale{block}"] = torch.ones(self.width)
            params[f"shift{block}"] = torch.zeros(self.width)
            inputs = self.width
        head = torch.randn(self.width, self.num_ways, generator=generator)
        params["weight5"] = head / math.sqrt(self.width)
        params["bias5"] = torch.zeros(1, self.num_ways)
        return params

    def statistics(self, params: Params, x: Tensor) -> Params:
        """What batch normalisation measures on ``x``: ``mean1``, ``variance1`` … of ``(T, width)``.

        A network whose ``params`` hold them as well judges every image alone. Like them, its other
        parameters then need a task axis.
        """
        measured = {}
        self(params, x, measured)
        return measured

    def activations(self, params: Params, x: Tensor) -> list[Tensor]:
        """What each layer gives: of each block ``(T, N, width, …)``, then the logits.

        The network written plainly. A call computes the same logits in less than half of the time.
        """
        num_tasks = len(x)
        params = _one_for_each_task(params, num_tasks)
        hidden, layers = x.transpose(0, 1).flatten(1, 2), []  # the tasks' channels side by side
        for block in range(1, 5):
            hidden = _convolve(hidden, params[f"weight{block}"])
            hidden = _normalise(hidden, params, block).relu()
            layers.append(hidden.unflatten(1, (num_tasks, -1)).transpose(0, 1))
        features = layers[-1].mean((3, 4))
        return [*layers, torch.baddbmm(params["bias5"], features, params["weight5"])]

    def __call__(self, params: Params, x: Tensor, measured: Params | None = None) -> Tensor:
        num_tasks = len(x)
        params = _one_for_each_task(params, num_tasks)
        patches = _patches(x)
        kernels = _first_kernels(params, patches, measured)
        # Block 1 gives the most numbers. Those of a few images stay in the processor's cache, and
        # those of one task lie in memory as its convolution takes them.
        at_once = max(1, IMAGES_AT_ONCE // x.shape[1])
        split = [part.split(at_once) for part in (patches, kernels, params["weight2"])]
        parts = [
            _convolve(_first_block(*given), weight) for *given, weight in zip(*split, strict=True)
        ]
        hidden = _normalise(torch.cat(parts, 1), params, 2, measured).relu_()
        for block in (3, 4):
            hidden = _convolve(hidden, params[f"weight{block}"])
            hidden = _normalise(hidden, params, block, measured).relu_()
        means = hidden.permute(0, 2, 3, 1).mean((1, 2))  # over places, as they lie in memory
        features = means.unflatten(1, (num_tasks, -1)).transpose(0, 1)
        return torch.baddbmm(params["bias5"], features, params["weight5"])


def _one_for_each_task(params: Params, num_tasks: int) -> Params:
    if params["weight5"].dim() == 3:
        return params
    return {name: value.expand(num_tasks, *value.shape) for name, value in params.items()}


def _patches(x: Tensor) -> Tensor:
    """The nine pixels under each kernel of block 1, and a 1: ``(T, 10, N, H/2, W/2)``.

    Whole planes one after the other, which are copied in half the time of ten numbers a place.
    """
    height, width = ((size + 1) // 2 for size in x.shape[-2:])
    padded = F.pad(x.squeeze(2), (1, 1, 1, 1))
    places = [
        padded[:, :, row : row + 2 * height - 1 : 2, column : column + 2 * width - 1 : 2]
        for row in range(3)
        for column in range(3)
    ]
    return torch.stack([*places, torch.ones_like(places[0])], 1)


def _first_kernels(params: Params, patches: Tensor, measured: Params | None) -> Tensor:
    """The convolution and the normalisation of block 1 as one matrix ``(T, 10, width)``.

    A convolution is linear, so the mean and variance of its output follow from those of the
    patches: 9 numbers and 9 × 9. The large output itself need not be measured.
    """
    kernels = params["weight1"].mT
    if "mean1" in params:
        mean, variance = params["mean1"], params["variance1"]
    else:
        columns = patches.flatten(2)
        moments = columns @ columns.mT / columns.shape[2]
        average = moments[:, 9:, :9]
        covariance = moments[:, :9, :9] - average.mT @ average
        mean = (average @ kernels).squeeze(1)
        variance = (kernels * (covariance @ kernels)).sum(1)
    if measured is not None:
        measured |= {"mean1": mean, "variance1": variance}
    factor, constant = _line(params, 1, mean, variance)
    return torch.cat([kernels * factor.unsqueeze(1), constant.unsqueeze(1)], 1)


def _first_block(patches: Tensor, kernels: Tensor) -> Tensor:
    """``(N, T·width, H/2, W/2)``: the tasks' channels side by side, as ``_convolve`` takes them."""
    hidden, places = torch.bmm(patches.flatten(2).mT, kernels), patches.shape[2:]
    # In memory: images, height, width, tasks, channels. Convolutions on a CPU like channels last.
    if len(patches) > 1:  # A single task's numbers lie so already.
        hidden = hidden.unflatten(1, places).permute(1, 2, 3, 0, 4).flatten(3)
    return hidden.relu_().view(*places, -1).permute(0, 3, 1, 2)


def _convolve(hidden: Tensor, weight: Tensor) -> Tensor:
    """Each task's own 3 × 3 convolution with stride 2, all tasks in one call.

    Args:
        hidden: ``(N, T·inputs, H, W)``.
        weight: ``(T, outputs, 9·inputs)``.
    """
    kernels = weight.flatten(0, 1).unflatten(1, (3, 3, -1)).permute(0, 3, 1, 2)
    return convolve(hidden, kernels, len(weight))


def _normalise(
    hidden: Tensor, params: Params, block: int, measured: Params | None = None
) -> Tensor:
    """Batch normalisation of ``hidden`` ``(N, T·width, H, W)``, every channel of every task."""
    scale, shift = params[f"scale{block}"], params[f"shift{block}"]
    if f"mean{block}" in params:
        given = _line(params, block, params[f"mean{block}"], params[f"variance{block}"])
        factor, constant = (part.reshape(-1, 1, 1) for part in given)
        return torch.addcmul(constant, hidden, factor)
    if measured is not None:
        variance, mean = torch.var_mean(hidden, (0, 2, 3), correction=0)
        measured[f"mean{block}"] = mean.view_as(scale)
        measured[f"variance{block}"] = variance.view_as(scale)
    return batch_norm(hidden, scale.flatten(), shift.flatten())


def _line(params: Params, block: int, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """Normalising is a straight line, ``factor · h + constant``: both ``(T, width)``."""
    factor = params[f"scale{block}"] * torch.rsqrt(variance + EPSILON)
    return factor, params[f"shift{block}"] - mean * factor
