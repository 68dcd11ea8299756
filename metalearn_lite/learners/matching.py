"""The matching network: a query takes the labels of the support images it attends to."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import Learner, Trace, trainable
from metalearn_lite.learners.pixels import trace_of_memory
from metalearn_lite.networks import ConvNet, Params


class MatchingNetwork(Learner):
    """Matching networks (Vinyals et al., 2016), with cosine attention.

    Left out are the paper's full context embeddings: there a recurrent network lets the whole
    support change how each image is embedded. Here every image is embedded alone.

    Args:
        network: the embedding, called as ``network(params, x)``: ``(T, N, …)`` to ``(T, N, D)``.
        params: where they start, ``MatchingNetwork.init(network, generator)``.
        sharpness: the factor on the cosines before their softmax. 1 is the paper's formula; the
            larger it is, the fewer images get the attention.
    """

    def __init__(self, network: ConvNet, params: Params, sharpness: float = 10.0):
        checks.rate(sharpness=sharpness)
        self.network = network
        self.params = trainable(params)
        self.sharpness = sharpness

    @staticmethod
    def init(network: ConvNet, generator: torch.Generator | None = None) -> Params:
        """Draws the embedding's parameters. There are no others."""
        return network.init(generator)

    def adapt(self, support: Examples) -> Examples:
        """The support, embedded: ``x`` ``(T, N, D)``, ``y`` ``(T, N)``."""
        support = checks.classes(support, params=self.params)
        return Examples(self.network(self.params, support.x), support.y)

    def predict(self, adapted: Examples, x: Tensor) -> Tensor:
        """Log-probabilities ``(T, M, num_ways)``: the attention to a class's images, added up."""
        belongs = F.one_hot(adapted.y).bool().unsqueeze(1)  # (T, 1, N, num_ways)
        attention = self.attend(self.network(self.params, x), adapted.x)
        # Added up among logarithms, so that no attention is too small to have one.
        return attention.unsqueeze(3).masked_fill(~belongs, -torch.inf).logsumexp(2)

    def attend(self, queries: Tensor, support: Tensor) -> Tensor:
        """Log-attention ``(T, M, N)`` of ``queries`` ``(T, M, D)`` to ``support`` ``(T, N, D)``."""
        queries, support = F.normalize(queries, dim=-1), F.normalize(support, dim=-1)
        return (self.sharpness * queries @ support.transpose(1, 2)).log_softmax(2)

    def trace(self, support: Examples) -> Trace:
        """Step 0: any image may be of any class. Step 1: every image has its own class."""
        return trace_of_memory(self, support)
