"""The conditional neural process: describe each example, average, and answer with uncertainty."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Normal
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import trainable
from metalearn_lite.learners.in_context import InContextLearner
from metalearn_lite.networks import MLP, Params

LEAST_STD = 0.01


class EncodeDecode:
    """Two perceptrons: one reads a pair (x, y), the other answers for x given a summary.

    Args:
        inputs: how many numbers an ``x`` has.
        width: how many numbers describe an example, and how many units a layer has.
    """

    def __init__(self, inputs: int = 1, width: int = 128):
        checks.count(1, 10_000, inputs=inputs, width=width)
        self.settings = (inputs, width)
        self.parts = {
            "encoder": MLP(inputs + 1, width, width, width),
            "decoder": MLP(inputs + width, width, width, 2),
        }

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws the parameters of both, named such as ``encoder.weight1``."""
        return {
            f"{part}.{name}": value
            for part, network in self.parts.items()
            for name, value in network.init(generator).items()
        }

    def __call__(self, params: Params, part: str, *inputs: Tensor) -> Tensor:
        """What ``part`` ("encoder" or "decoder") makes of ``inputs``, laid side by side."""
        prefix = f"{part}."
        own = {n.removeprefix(prefix): p for n, p in params.items() if n.startswith(prefix)}
        return self.parts[part](own, torch.cat(inputs, -1))


class ConditionalNeuralProcess(InContextLearner):
    """Conditional neural processes (Garnelo et al., 2018).

    The support becomes the average of its examples' codes. A mean knows no order, so no answer
    depends on the order of the support.

    Args:
        network: the two perceptrons.
        params: where their parameters start, ``network.init(generator)``.
    """

    def __init__(self, network: EncodeDecode, params: Params):
        self.network = network
        self.params = trainable(params)

    def encode(self, support: Examples) -> Tensor:
        """Every example's code, ``(T, N, width)``."""
        checks.context(support, self.params)
        return self.network(self.params, "encoder", support.x, support.y.unsqueeze(-1))

    def adapt(self, support: Examples) -> Tensor:
        """The average code ``(T, width)``: zeros where there is no example."""
        codes = self.encode(support)
        return codes.sum(1) / max(codes.shape[1], 1)

    def distribution(self, adapted: Tensor, x: Tensor) -> Normal:
        """For each ``x`` ``(T, M, …)`` a normal distribution over its y: ``mean`` and ``stddev``.

        Both are ``(T, M)``. The standard deviation is never below ``LEAST_STD``.
        """
        summary = adapted.unsqueeze(1).expand(-1, x.shape[1], -1)
        mean, raw = self.network(self.params, "decoder", x, summary).unbind(-1)
        return Normal(mean, LEAST_STD + F.softplus(raw), validate_args=False)

    def predict(self, adapted: Tensor, x: Tensor) -> Tensor:
        """The means ``(T, M)`` of the distributions."""
        return self.distribution(adapted, x).mean

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """Minus the query's log-likelihood, averaged: it rewards honest uncertainty too."""
        checks.asked(episodes)
        distribution = self.distribution(self.adapt(episodes.support), episodes.query.x)
        return -distribution.log_prob(episodes.query.y).mean()
