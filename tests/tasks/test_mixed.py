"""Mixed tasks: what each kind is, measured on its episodes."""

import pytest
import torch

from metalearn_lite.tasks import mixed
from metalearn_lite.tasks.mixed import KINDS, Kind


def residual(columns: list[torch.Tensor], y: torch.Tensor) -> torch.Tensor:
    """Each task's root mean squared error of the best fit by ``columns`` ``(T, N)``."""
    design, target = torch.stack(columns, -1).double(), y.double().unsqueeze(-1)
    fit = torch.linalg.lstsq(design, target).solution
    return (design @ fit - target).squeeze(-1).square().mean(1).sqrt()


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_what_it_says(generator, name):
    kind = KINDS[name]
    _, (x, y) = mixed.sample(kind, 30, 5, 400, generator())
    x = x.squeeze(-1)
    if kind.is_line:
        columns = [x, torch.ones_like(x)]
    else:
        columns = [(kind.speed * x).sin(), (kind.speed * x).cos()]
    left = residual(columns, y)
    assert left.mean() == pytest.approx(kind.noise, rel=0.05, abs=1e-4)
    if kind.noise == 0:
        others = [[(s * x).sin(), (s * x).cos()] for s in (0.5, 1.0, 1.5) if s != kind.speed]
        assert all(residual(columns, y).median() > 0.1 for columns in others)


def test_upside_down_waves_are_the_waves_mirrored(generator):
    upright = mixed.sample(KINDS["waves"], 5, 5, generator=generator(1))
    turned = mixed.sample(KINDS["upside-down waves"], 5, 5, generator=generator(1))
    assert torch.equal(upright.support.x, turned.support.x)
    assert torch.equal(upright.support.y, -turned.support.y)


def test_support_and_query_are_noisy_alike_and_share_no_point(generator):
    support, query = mixed.sample(Kind(noise=2.0), 200, 100, 100, generator())
    assert support.y.var() == pytest.approx(query.y.var().item(), rel=0.1)
    assert not (support.x[:20] == query.x[:20].mT).any()


def test_the_generator_decides_everything(generator):
    first, again = (mixed.sample(Kind(noise=1.0), 3, 4, generator=generator(7)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.support, again.support, strict=True))


@pytest.mark.parametrize("counts", [(0, 5), (5, 0)])
def test_no_points_are_refused(counts):
    with pytest.raises(ValueError, match="choose 1 or more"):
        mixed.sample(Kind(), 3, *counts)
