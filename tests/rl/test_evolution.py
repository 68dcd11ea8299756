"""Evolution strategies against gradients that are known."""

import math

import pytest
import torch
from truths import generator

from metalearn_lite.rl.evolution import evolution_gradient

DOUBLE = torch.float64


def quadratic(size=6):
    """A score a + b·θ - θᵀCθ / 2 in two parameters of other shapes, and its exact gradient."""
    g = generator(1)
    root = torch.randn(size, size, generator=g, dtype=DOUBLE)
    curvature, slope = root @ root.T, torch.randn(size, generator=g, dtype=DOUBLE)
    start = torch.randn(size, generator=g, dtype=DOUBLE)

    def flat(params):
        return torch.cat([params["a"].flatten(), params["b"]])

    def score(params):
        at = flat(params)
        return 3.0 + slope @ at - at @ curvature @ at / 2

    params = {"a": start[:4].reshape(2, 2), "b": start[4:]}
    return score, params, slope - curvature @ start, flat, curvature


@pytest.mark.parametrize("spread", [0.01, 0.1, 3.0])
def test_of_a_quadratic_the_estimate_is_the_exact_gradient_on_average(spread):
    """And it scatters as it must: one pair gives ε (ε·g), of variance |g|² + gᵢ²."""
    score, params, exact, flat, _ = quadratic()
    g, pairs, repeats = generator(), 25, 200
    found = torch.stack(
        [flat(evolution_gradient(score, params, pairs, spread, g)[1]) for _ in range(repeats)]
    )
    variance = (exact.square().sum() + exact.square()) / pairs
    error = (found.mean(0) - exact) / (variance / repeats).sqrt()
    assert error.abs().max() < 4
    ratio = found.var(0) / variance
    assert (ratio - 1).abs().max() < 5 * math.sqrt(2 / repeats)


def test_the_mean_score_is_that_of_the_surroundings():
    """Of a quadratic the mean over normal steps is the score less σ² trace(C) / 2."""
    score, params, _, _, curvature = quadratic()
    mean, _ = evolution_gradient(score, params, 4000, 0.5, generator())
    expected = score(params) - 0.25 * curvature.trace() / 2
    assert mean == pytest.approx(float(expected), abs=0.05 * float(0.25 * curvature.trace()))


def test_a_step_has_a_gradient_too():
    """Of the step function it is the normal density at the edge: no derivative knows it."""
    params = {"a": torch.zeros(1, dtype=DOUBLE)}
    step = evolution_gradient(lambda p: float(p["a"] > 0), params, 4000, 0.5, generator())[1]["a"]
    expected = 1 / (0.5 * math.sqrt(2 * math.pi))
    assert step.item() == pytest.approx(expected, rel=0.05)


def test_each_pair_goes_the_same_way_forwards_and_backwards():
    seen = []
    params = {"a": torch.tensor([1.0, -2.0], dtype=DOUBLE)}
    evolution_gradient(lambda p: seen.append(p["a"]) or 0.0, params, 5, 0.1, generator())
    forwards, backwards = torch.stack(seen).view(5, 2, 2).unbind(1)
    torch.testing.assert_close(forwards + backwards, 2 * params["a"].expand(5, 2))
    assert len(forwards[:, 0].unique()) == 5


def test_it_draws_from_the_generator_alone_and_changes_nothing():
    score, params, _, flat, _ = quadratic()
    before = flat(params).clone()
    first, second = (evolution_gradient(score, params, 3, 0.1, generator(4))[1] for _ in range(2))
    assert torch.equal(flat(first), flat(second))
    assert torch.equal(flat(params), before)
    assert first["a"].dtype == DOUBLE


def test_parameters_that_are_trained_give_an_estimate_without_a_graph():
    params = {"a": torch.ones(3, requires_grad=True)}
    _, gradient = evolution_gradient(lambda p: p["a"].sum(), params, 3, 0.1, generator())
    assert not gradient["a"].requires_grad


@pytest.mark.parametrize("wrong", [{"num_pairs": 0}, {"spread": 0.0}, {"spread": float("nan")}])
def test_what_cannot_be_meant_is_refused(wrong):
    settings = {"num_pairs": 1, "spread": 0.1} | wrong
    with pytest.raises(ValueError, match=next(iter(wrong))):
        evolution_gradient(lambda p: 0.0, {"a": torch.ones(1)}, **settings)
