"""Generated tasks: between the known ones, or as far from them as was said."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from metalearn_lite.tasks.generated import (
    CurveTasks,
    MixedWaves,
    RescaledWaves,
    WaveAutoencoder,
    curves_of,
    divergence,
    episodes_of,
)
from metalearn_lite.tasks.sinusoids import SineTasks, Sinusoids


def two_waves() -> SineTasks:
    return SineTasks(torch.tensor([[1.0], [3.0]]), torch.tensor([[0.5], [1.5]]))


def test_mixed_waves_lie_on_the_line_between_two(generator):
    amplitude, phase = MixedWaves(two_waves()).draw_tasks(4000, generator())
    assert amplitude.min() >= 1
    assert amplitude.max() <= 3
    torch.testing.assert_close(phase - 0.5, (amplitude - 1) / 2)
    between = ((amplitude > 1 + 1e-5) & (amplitude < 3 - 1e-5)).float().mean()
    assert between == pytest.approx(0.5, abs=0.04)  # the other half mixes a wave with itself


def test_rescaled_waves_keep_their_phase(generator):
    amplitude, phase = RescaledWaves(two_waves(), (0.5, 2.0)).draw_tasks(4000, generator())
    factor = amplitude / torch.where(phase < 1, 1.0, 3.0)
    assert factor.min() >= 0.5
    assert factor.max() <= 2
    assert factor.log().mean().abs() < 0.03
    same = RescaledWaves(two_waves(), (1.0, 1.0)).draw_tasks(50, generator())
    assert set(same.amplitude.flatten().tolist()) == {1.0, 3.0}
    with pytest.raises(ValueError, match="the smaller one first"):
        RescaledWaves(two_waves(), (2.0, 1.0))


def test_curves_pass_through_their_values_and_straight_between(generator):
    waves = Sinusoids().draw_tasks(5, generator())
    tasks = CurveTasks(curves_of(waves))
    x = torch.linspace(-5, 5, 32).view(1, -1, 1).expand(5, -1, -1)
    torch.testing.assert_close(tasks(x), waves(x), atol=1e-4, rtol=1e-4)
    halfway = (x[:, :-1] + x[:, 1:]) / 2
    values = tasks.values
    torch.testing.assert_close(tasks(halfway), (values[:, :-1] + values[:, 1:]) / 2)
    support, query = episodes_of(MixedWaves(waves), 7, 3, 4, generator())
    assert support.x.shape == (7, 3, 1)
    assert query.y.shape == (7, 4)
    with pytest.raises(ValueError, match=r"values has shape \(2, 5\)"):
        CurveTasks(torch.zeros(2, 5))


def test_divergence_is_kullback_and_leiblers(generator):
    mean, log_variance = torch.randn(2, 4, 3, generator=generator())
    normal = Normal(mean, (0.5 * log_variance).exp())
    expected = kl_divergence(normal, Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(divergence(mean, log_variance), expected)


@pytest.mark.slow
def test_the_autoencoder_makes_up_curves_that_are_nearly_waves(generator):
    curves = curves_of(Sinusoids().draw_tasks(300, generator()))
    made = WaveAutoencoder(curves, generator(1), 600).draw_tasks(200, generator(2)).values
    # The nearest wave: least squares on sin and cos.
    x = torch.linspace(-5, 5, 32)
    basis = torch.stack([x.sin(), x.cos()], 1)
    fit = basis @ torch.linalg.lstsq(basis, made.T).solution
    left = (made.T - fit).square().mean() / made.square().mean()
    assert left < 0.1
    assert made.abs().max() < 12
    assert math.isfinite(float(made.std()))
