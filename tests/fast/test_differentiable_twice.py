"""Their derivatives, the first and the second, against finite differences."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F
from truths import generator

from metalearn_lite.fast.differentiable_twice import batch_norm, convolve


def doubles(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    draws = generator(1)
    return [torch.randn(s, generator=draws, dtype=torch.float64).requires_grad_() for s in shapes]


@pytest.mark.slow
def test_convolution():
    for size in ((6, 6), (5, 7)):
        images, kernels = doubles((3, 2 * 2, *size), (2 * 3, 2, 3, 3))
        expected = F.conv2d(images, kernels, stride=2, padding=1, groups=2)
        torch.testing.assert_close(convolve(images, kernels, 2), expected)
        assert gradcheck(convolve, (images, kernels, 2))
        assert gradgradcheck(convolve, (images, kernels, 2))


def test_batch_norm():
    x, scale, shift = doubles((4, 3, 2, 3), (3,), (3,))
    expected = F.batch_norm(x, None, None, scale, shift, training=True)
    torch.testing.assert_close(batch_norm(x, scale, shift), expected)
    assert gradcheck(batch_norm, (x, scale, shift))
    assert gradgradcheck(batch_norm, (x, scale, shift))
