"""The Siamese network: two images and one question. Are they of the same class?"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import Learner, Trace, trainable
from metalearn_lite.learners.pixels import trace_of_memory
from metalearn_lite.networks import ConvNet, Params


class SiameseNetwork(Learner):
    """Siamese networks for one-shot recognition (Koch, Zemel & Salakhutdinov, 2015).

    Two images with embeddings ``a`` and ``b`` are the same with probability
    ``sigmoid(bias + Σ_d weight_d |a_d - b_d|)``. It is trained on pairs, not on tasks; "adapting"
    only remembers the support.

    The paper's embedding ends in a sigmoid. Here it is the one of the other metric learners, so
    that they can be compared on equal terms.

    Args:
        network: the embedding, called as ``network(params, x)``: ``(T, N, …)`` to ``(T, N, D)``.
        params: where all parameters start, ``SiameseNetwork.init(network, generator)``.
    """

    def __init__(self, network: ConvNet, params: Params):
        self.network = network
        self.params = trainable(params)

    @staticmethod
    def init(network: ConvNet, generator: torch.Generator | None = None) -> Params:
        """Draws the embedding's parameters. Every difference counts the same at first.

        The bias then makes the odds of "same" about even. From a bias of 0 nearly all pairs are
        held to be different, and training first unlearns that differences matter at all.
        """
        params = network.init(generator)
        size = network(params, torch.zeros(1, 1, 1, 28, 28)).shape[-1]
        return params | {"weight": torch.full((size,), -10 / size), "bias": torch.full((1,), 4.0)}

    def adapt(self, support: Examples) -> Examples:
        """The support, embedded: ``x`` ``(T, N, D)``, ``y`` ``(T, N)``."""
        support = checks.classes(support, params=self.params)
        return Examples(self.network(self.params, support.x), support.y)

    def predict(self, adapted: Examples, x: Tensor) -> Tensor:
        """Logits ``(T, M, num_ways)``: for each class that of its most similar support image.

        Such a logit is the logarithm of the odds that query and image are the same. Where exactly
        one class is right, and the comparisons tell independently, the softmax of the logits
        gives the probability of each class.
        """
        logits = self.compare(self.network(self.params, x), adapted.x)
        belongs = F.one_hot(adapted.y).bool().unsqueeze(1)  # (T, 1, N, num_ways)
        return logits.unsqueeze(3).masked_fill(~belongs, -torch.inf).amax(2)

    def compare(self, a: Tensor, b: Tensor) -> Tensor:
        """Logits ``(T, M, N)`` that ``a`` ``(T, M, D)`` and ``b`` ``(T, N, D)`` are the same.

        It holds all differences at once, ``(T, M, N, D)``.
        """
        differences = (a.unsqueeze(2) - b.unsqueeze(1)).abs()
        return differences @ self.params["weight"] + self.params["bias"]

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """The cross-entropy of "same or different?" over all pairs of a query and a support image.

        Most pairs are different. So that this is not always the better guess, the pairs that are
        the same get half of the weight.
        """
        checks.asked(episodes)
        support, query = self.adapt(episodes.support), episodes.query
        logits = self.compare(self.network(self.params, query.x), support.x)
        same = query.y.unsqueeze(2) == support.y.unsqueeze(1)
        # softplus(-z) is -log sigmoid(z).
        return (F.softplus(-logits[same]).mean() + F.softplus(logits[~same]).mean()) / 2

    def trace(self, support: Examples) -> Trace:
        """Step 0: any image may be of any class. Step 1: every image has its own class."""
        return trace_of_memory(self, support)
