"""Noisy regression: what comes from the list, what is new, and how large the noise is."""

import pytest
import torch

from metalearn_lite.tasks.noisy_regression import NoisyRegression


def fitted(examples):
    """Each task's weights by least squares, and what they leave over."""
    x, y = (part.double() for part in examples)
    weights = torch.linalg.lstsq(x, y.unsqueeze(-1)).solution.squeeze(-1)
    return weights, y - (x @ weights.unsqueeze(-1)).squeeze(-1)


def test_every_task_is_one_of_the_list_and_each_comes_as_often(generator):
    known = torch.randn(4, 3, generator=generator(1))
    tasks = NoisyRegression(noise=0.0, known=known)
    assert tasks.num_inputs == 3
    weights, _ = fitted(tasks.sample(4000, 5, 1, generator()).support)
    distances = torch.cdist(weights.float(), known)
    assert distances.min(1).values.max() < 1e-3
    shares = distances.argmin(1).bincount(minlength=4) / 4000
    assert (shares - 0.25).abs().max() < 0.03


def test_without_a_list_weights_are_standard_normal(generator):
    weights, _ = fitted(NoisyRegression(4, 0.0).sample(20_000, 6, 1, generator()).support)
    torch.testing.assert_close(weights.T.cov().float(), torch.eye(4), rtol=0, atol=0.05)


@pytest.mark.parametrize("clean", [False, True])
def test_noise_is_in_the_support_and_in_queries_that_are_not_clean(generator, clean):
    tasks = NoisyRegression(2, 0.5, clean_queries=clean)
    support, query = tasks.sample(2000, 50, 50, generator())
    for half, noise in ((support, 0.5), (query, 0.0 if clean else 0.5)):
        assert fitted(half)[1].std().item() == pytest.approx(noise * 0.96**0.5, abs=0.01)


def test_both_halves_are_one_task_and_share_no_point(generator):
    support, query = NoisyRegression(3, 0.0).sample(30, 4, 4, generator())
    torch.testing.assert_close(fitted(support)[0], fitted(query)[0], rtol=1e-3, atol=1e-3)
    assert not torch.isin(support.x, query.x).any()


def test_points_are_new_every_time_and_come_from_the_generator_only(generator):
    tasks = NoisyRegression(known=torch.ones(2, 3))
    one = tasks.sample(3, 4, 5, generator(1))
    torch.manual_seed(5)
    again = tasks.sample(3, 4, 5, generator(1))
    other = tasks.sample(3, 4, 5, generator(2))
    assert torch.equal(one.support.x, again.support.x)
    assert torch.equal(one.query.y, again.query.y)
    assert not torch.isin(one.support.x, other.support.x).any()


def test_a_support_may_be_empty(generator):
    support, query = NoisyRegression(3).sample(2, 0, 5, generator())
    assert support.x.shape == (2, 0, 3)
    assert query.y.shape == (2, 5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"noise": -0.1}, "noise=-0.1"),
        ({"num_inputs": 0}, "num_inputs=0"),
        ({"known": torch.ones(3)}, r"of shape \(3,\): give floats \(M, D\)"),
        ({"known": torch.ones(0, 2)}, r"give floats \(M, D\)"),
        ({"known": torch.ones(2, 2).long()}, "torch.int64"),
        ({"known": torch.tensor([[torch.nan]])}, "NaN or infinity"),
        ({"clean_queries": 1}, "clean_queries=1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        NoisyRegression(**settings)
