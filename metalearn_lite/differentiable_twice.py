"""A layer whose second derivative is quick. MAML differentiates its inner gradients.

The layer and its gradients are PyTorch's own. What PyTorch is slow at is to differentiate those
gradients once more: it goes group by group. Only that is written here.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def convolve(images: Tensor, kernels: Tensor, groups: int) -> Tensor:
    """``F.conv2d`` with stride 2 and padding 1."""
    return _Convolution.apply(images, kernels, groups)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images, kernels, groups):
        ctx.save_for_backward(images, kernels)
        ctx.groups = groups
        return F.conv2d(images, kernels, stride=2, padding=1, groups=groups)

    @staticmethod
    def backward(ctx, to_output):
        return *_ConvolutionGradients.apply(to_output, *ctx.saved_tensors, ctx.groups), None


class _ConvolutionGradients(torch.autograd.Function):
    """The gradients of images and kernels from that of the output."""

    @staticmethod
    def forward(ctx, to_output, images, kernels, groups):
        ctx.save_for_backward(to_output, images, kernels)
        ctx.groups = groups
        settings = (None, (2, 2), (1, 1), (1, 1), False, (0, 0), groups, (True, True, False))
        return torch.ops.aten.convolution_backward(to_output, images, kernels, *settings)[:2]

    @staticmethod
    def backward(ctx, u, v):
        """``u`` and ``v`` are the gradients of those gradients.

        The gradient of the images is linear in the output's and in the kernels; that of the
        kernels is linear in the output's and in the images. So the derivatives are the same three
        products with ``u`` in place of the images and ``v`` in place of the kernels.
        """
        to_output, images, kernels = ctx.saved_tensors
        first = convolve(u, kernels, ctx.groups) + convolve(images, v, ctx.groups)
        return first, *_ConvolutionGradients.apply(to_output, u, v, ctx.groups), None
