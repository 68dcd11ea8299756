"""What convolutional networks are made of: layers as plain functions of their parameters.

Kernels of 3 × 3 are kept as one matrix, a kernel a row: the Muon optimizer needs matrices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Params = dict[str, Tensor]

EPSILON = 1e-5  # added to a variance before dividing by it, as torch.nn.BatchNorm2d does


def features(x: Tensor, size: int) -> Tensor:
    """``x`` ``(T, N, …)`` as ``size`` features each, ``(T, N, size)``; refuses another ``x``."""
    if x.dim() < 3 or x.shape[2:].numel() != size:
        raise ValueError(f"x has shape {tuple(x.shape)}: give (T, N, …), {size} numbers for each x")
    return x.flatten(2)


def images(x: Tensor, smallest: int = 1) -> Tensor:
    """``x`` itself, if it is ``(T, N, 1, H, W)`` with H and W of ``smallest`` or more."""
    if x.dim() != 5 or x.shape[2] != 1 or min(x.shape[3:]) < smallest:
        size = f", H and W at least {smallest}" if smallest > 1 else ""
        raise ValueError(f"x has shape {tuple(x.shape)}: give images (T, N, 1, H, W){size}")
    return x


def as_maps(x: Tensor, smallest: int = 1) -> Tensor:
    """Images ``(T, N, 1, H, W)`` as ``(T·N, 1, H, W)``, in the memory order that suits a CPU."""
    return images(x, smallest).flatten(0, 1).contiguous(memory_format=torch.channels_last)


def new_kernels(inputs: int, width: int, generator: torch.Generator | None = None) -> Tensor:
    """Weights by He et al. (2015) for ``width`` kernels: ``(width, 9·inputs)``."""
    weight = torch.randn(width, 9 * inputs, generator=generator)
    return weight * math.sqrt(2 / (9 * inputs))


def new_blocks(channels: Sequence[int], generator: torch.Generator | None = None) -> Params:
    """``weight1``, ``scale1``, ``shift1``, … for blocks of these widths: scales 1, shifts 0."""
    params, inputs = {}, 1
    for block, width in enumerate(channels, 1):
        params[f"weight{block}"] = new_kernels(inputs, width, generator)
        params[f"scale{block}"] = torch.ones(width)
        params[f"shift{block}"] = torch.zeros(width)
        inputs = width
    return params


def convolve_maps(maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolves ``maps`` ``(…, inputs, H, W)`` by ``weight`` ``(width, 9·inputs)``.

    A row's order: input channels, height, width.
    """
    # Channels last is the order in memory that convolutions on a CPU like best.
    kernels = weight.unflatten(1, (-1, 3, 3)).contiguous(memory_format=torch.channels_last)
    convolved = F.conv2d(maps.flatten(0, -4), kernels, bias, padding=1)
    return convolved.unflatten(0, maps.shape[:-3])


def one_for_each_task(params: Params, num_tasks: int) -> Params:
    """``params`` with a task axis: the same for every task, where they have none."""
    if params["weight1"].dim() == 3:
        return params
    return {name: value.expand(num_tasks, *value.shape) for name, value in params.items()}


def convolve_each(x: Tensor, weight: Tensor) -> Tensor:
    """Each task's own convolution, with stride 2: ``(T, N, width, H/2, W/2)``.

    Args:
        x: ``(T, N, inputs, H, W)``.
        weight: ``(T, width, 9·inputs)``. A row's order: height, width, input channels.
    """
    num_tasks = len(weight)
    side_by_side = x.transpose(0, 1).flatten(1, 2)  # (N, T·inputs, H, W): a group for each task
    kernels = weight.flatten(0, 1).unflatten(1, (3, 3, -1)).permute(0, 3, 1, 2)
    convolved = F.conv2d(side_by_side, kernels, stride=2, padding=1, groups=num_tasks)
    return convolved.unflatten(1, (num_tasks, -1)).transpose(0, 1)


def normalise_each(
    hidden: Tensor, params: Params, block: int, measured: Params | None = None
) -> Tensor:
    """Batch normalisation of ``hidden`` ``(T, N, width, H, W)``, every task for itself.

    Args:
        params: with ``scale`` and ``shift`` of the ``block``, each ``(T, width)``, and perhaps with
            its ``mean`` and ``variance``. Else those of ``hidden`` are taken.
        measured: where given, that mean and variance are added to it.
    """
    if f"mean{block}" in params:
        mean, variance = params[f"mean{block}"], params[f"variance{block}"]
    else:
        variance, mean = torch.var_mean(hidden, (1, 3, 4), correction=0)
    if measured is not None:
        measured |= {f"mean{block}": mean, f"variance{block}": variance}

    def each(channel: Tensor) -> Tensor:
        return channel[:, None, :, None, None]

    normal = (hidden - each(mean)) / torch.sqrt(each(variance) + EPSILON)
    return each(params[f"scale{block}"]) * normal + each(params[f"shift{block}"])
