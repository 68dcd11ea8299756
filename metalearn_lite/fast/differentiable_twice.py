"""Two layers whose second derivative is quick. MAML differentiates its inner gradients.

The layers and their gradients are PyTorch's own. What PyTorch is slow at is to differentiate those
gradients once more: for the convolution it goes group by group, and for batch normalisation it
takes some thirty passes over the data. Only that is written here.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from metalearn_lite.layers import EPSILON


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


def batch_norm(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """``F.batch_norm`` by the mean and variance of each channel of ``x`` ``(N, C, H, W)``.

    It can be differentiated twice, not three times.
    """
    return _BatchNorm.apply(x, scale, shift)


class _BatchNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, shift):
        output, mean, inverse = torch.native_batch_norm(
            x, scale, shift, None, None, True, 0.0, EPSILON
        )
        ctx.save_for_backward(x, scale, mean, inverse)  # inverse: 1 / √(variance + EPSILON)
        return output

    @staticmethod
    def backward(ctx, to_output):
        return _BatchNormGradients.apply(to_output, *ctx.saved_tensors)


class _BatchNormGradients(torch.autograd.Function):
    """With g the gradient of the output, and z the normalised x, both of one channel::

    P(g) = g - mean(g) - z · mean(g · z)

    Then ``scale · inverse · P(g)`` is the gradient of x, ``sum(g · z)`` that of the scale, and
    ``sum(g)`` that of the shift.
    """

    @staticmethod
    def forward(ctx, g, x, scale, mean, inverse):
        ctx.save_for_backward(g, x, scale, mean, inverse)
        return _gradients(g, x, scale, mean, inverse)

    @staticmethod
    @once_differentiable
    def backward(ctx, u, v, w):
        """u, v and w are the gradients of the three gradients: of x, the scale and the shift.

        P is symmetric, ``sum(u · P(g)) = sum(P(u) · g)``, and a step d of x moves z by
        ``inverse · P(d)``.
        """
        g, x, scale, mean, inverse = ctx.saved_tensors
        u = u.contiguous(memory_format=torch.channels_last)
        p_g, sum_gz, _ = _gradients(g, x, None, mean, inverse)  # inverse · P(g), sum(g · z)
        p_u, sum_uz, _ = _gradients(u, x, None, mean, inverse)
        to_scale = (u * p_g).sum((0, 2, 3))
        factor = scale * inverse * len(mean) / x.numel()
        by_g, by_u, by_z = v - factor * sum_uz, -factor * sum_gz, -factor * to_scale

        def each(channel: Tensor) -> Tensor:
            return channel.view(-1, 1, 1)

        z = torch.addcmul(each(-mean * inverse), x, each(inverse))
        to_g = torch.addcmul(each(w), z, each(v)).addcmul_(p_u, each(scale))
        to_x = (p_g * each(by_g)).addcmul_(p_u, each(by_u)).addcmul_(z, each(by_z))
        return to_g, to_x, to_scale, None, None


def _gradients(g, x, scale, mean, inverse):
    return torch.ops.aten.native_batch_norm_backward(
        g, x, scale, None, None, mean, inverse, True, EPSILON, (True, True, True)
    )
