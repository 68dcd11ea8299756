"""The quick `ConvClassifier` against its plain twin: answers, first and second derivatives."""

import pytest
import torch
from truths import generator, relative_error

from metalearn_lite.layers import one_for_each_task
from metalearn_lite.networks import ConvClassifier

TASKS, IMAGES, SIZE = 3, 4, (14, 11)


def classifier(shared: bool) -> tuple[ConvClassifier, dict, torch.Tensor]:
    """A network, parameters in float64 (of all tasks, or each task's own), and images."""
    network, draws = ConvClassifier(3, 4), generator(5)
    params = network.init(draws)
    shapes = {n: v.shape if shared else (TASKS, *v.shape) for n, v in params.items()}
    params = {
        name: (value + 0.3 * torch.randn(shapes[name], generator=draws)).double().requires_grad_()
        for name, value in params.items()
    }
    x = torch.randn(TASKS, IMAGES, 1, *SIZE, generator=draws, dtype=torch.float64)
    return network, params, x.requires_grad_()


def derivatives(network, params, x) -> list[dict]:
    """The logits, their gradients in a direction, and the gradients of those once more."""
    draws = generator(8)
    logits = network(params, x)
    inputs = params | {"x": x}
    by_logits = torch.randn(logits.shape, generator=draws, dtype=torch.float64)
    first = torch.autograd.grad(logits, list(inputs.values()), by_logits, create_graph=True)
    along = [torch.randn(part.shape, generator=draws, dtype=torch.float64) for part in first]
    total = sum((part * direction).sum() for part, direction in zip(first, along, strict=True))
    second = torch.autograd.grad(total, list(inputs.values()), materialize_grads=True)
    named = (dict(zip(inputs, parts, strict=True)) for parts in (first, second))
    return [{"logits": logits}, *named]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("given", [True, False])
def test_values_and_two_derivatives(shared, given):
    network, params, x = classifier(shared)
    if given:  # statistics of other images, which are differentiated as well
        other = torch.rand(x.shape, generator=generator(6), dtype=torch.float64)
        params = one_for_each_task(params, TASKS)
        params |= network.statistics(params, other)
        params = {name: value.detach().requires_grad_() for name, value in params.items()}
    quick = derivatives(network, params, x)
    network.fast = False
    plain = derivatives(network, params, x)
    torch.testing.assert_close(quick, plain, rtol=1e-8, atol=1e-8)


def test_statistics():
    network, params, x = classifier(shared=False)
    quick = network.statistics(params, x)
    network.fast = False
    assert relative_error(quick, network.statistics(params, x)) <= 1e-12
    assert all(value.shape == (TASKS, 4) for value in quick.values())
