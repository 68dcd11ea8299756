"""Evolution strategies: a gradient from nothing but scores."""

from __future__ import annotations

from collections.abc import Callable

import torch

from metalearn_lite import checks
from metalearn_lite.networks import Params


@torch.no_grad()
def evolution_gradient(
    score: Callable[[Params], float],
    params: Params,
    num_pairs: int,
    spread: float,
    generator: torch.Generator | None = None,
) -> tuple[float, Params]:
    """The mean score around ``params``, and an estimate of the direction in which it rises.

    Each pair goes the same random way forwards and backwards from ``params``. That way counts by
    how much better forwards was (Salimans et al., 2017, with mirrored samples). Nothing is
    differentiated: ``score`` may roll dice, choose and count. What is estimated is the gradient of
    the score's mean over normal steps of size ``spread``. Of a quadratic it is the gradient itself.

    Args:
        score: called once for each of ``2 · num_pairs`` parameters. Chance that is in it should
            fall alike each time; else its noise is taken for a difference.
        params: by name, any shapes.
        num_pairs: the estimate's variance falls as 1 / ``num_pairs``.
        spread: σ, the standard deviation of a step in each parameter.

    Returns:
        The mean of all scores, and by name the estimate.
    """
    checks.count(num_pairs=num_pairs)
    checks.positive(spread=spread)
    total, gradient = 0.0, {name: torch.zeros_like(value) for name, value in params.items()}
    for _ in range(num_pairs):
        way = {
            name: torch.randn(value.shape, generator=generator, dtype=value.dtype)
            for name, value in params.items()
        }
        forwards, backwards = (
            float(score({name: value + step * way[name] for name, value in params.items()}))
            for step in (spread, -spread)
        )
        total += forwards + backwards
        for name, part in gradient.items():
            part += way[name] * ((forwards - backwards) / (2 * spread * num_pairs))
    return total / (2 * num_pairs), gradient
