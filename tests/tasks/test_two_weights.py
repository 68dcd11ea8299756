import math

import pytest
import torch

from metalearn_lite.tasks.two_weights import (
    AMPLITUDES,
    PHASES,
    AmplitudeAndPhase,
    SineAndCosine,
    episodes,
)

AMPLITUDE, PHASE = (torch.tensor(values, dtype=torch.float64) for values in (AMPLITUDES, PHASES))
SOLUTIONS = {
    SineAndCosine: torch.stack([AMPLITUDE * PHASE.cos(), -AMPLITUDE * PHASE.sin()], 1),
    AmplitudeAndPhase: torch.stack([AMPLITUDE, PHASE], 1),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shapes_and_precision(dtype):
    support, query = episodes(dtype)
    assert support.x.shape == (3, 3, 1)
    assert query.x.shape == (3, 21, 1)
    assert (support.y.shape, query.y.shape) == ((3, 3), (3, 21))
    assert {t.dtype for half in (support, query) for t in half} == {dtype}
    assert query.x.aminmax() == (-5, 5)


@pytest.mark.parametrize("network", SOLUTIONS)
def test_two_weights_make_each_wave_exactly(network):
    """With a θ for each task, and with one θ for all as in meta-training."""
    for x, y in episodes(torch.float64):
        predicted = network()({"theta": SOLUTIONS[network]}, x).squeeze(-1)
        torch.testing.assert_close(predicted, y)
        shared = network()({"theta": SOLUTIONS[network][0]}, x).squeeze(-1)
        torch.testing.assert_close(shared[0], y[0])
        assert not torch.allclose(shared[1], y[1])


def test_a_task_is_not_solved_by_the_others_weights():
    (x, y), _ = episodes(torch.float64)
    theta = SOLUTIONS[SineAndCosine].roll(1, 0)
    errors = (SineAndCosine()({"theta": theta}, x).squeeze(-1) - y).square().mean(1)
    assert errors.min() > 0.1


def test_only_the_first_is_linear_in_its_weights():
    x = torch.linspace(-5, 5, 7, dtype=torch.float64).unsqueeze(-1)
    a, b = torch.tensor([[1.2, 0.4], [0.3, -2.0]], dtype=torch.float64)

    def bend(network) -> float:
        one, two, middle = (network({"theta": theta}, x) for theta in (a, b, (a + b) / 2))
        return ((one + two) / 2 - middle).abs().max().item()

    assert math.isclose(bend(SineAndCosine()), 0, abs_tol=1e-12)
    assert bend(AmplitudeAndPhase()) > 0.1
