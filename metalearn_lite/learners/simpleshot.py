"""SimpleShot: the nearest class mean, in the embedding of a plain classifier."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import ConvNet, Params


class SimpleShot(PrototypicalNetwork):
    """SimpleShot, "CL2N" (Wang, Chao, Weinberger & van der Maaten, 2019).

    A prototypical network whose embedding was never trained to compare: it comes from a classifier
    such as ``FineTunedClassifier``. Each embedded image is centred, by taking the mean of many
    training images away, and then divided by its length.

    Args:
        network: the embedding, ``(T, N, …)`` to ``(T, N, D)``.
        params: the parameters it was trained to have.
        centre: ``(D,)``, the mean embedding of the training images.
    """

    def __init__(self, network: ConvNet, params: Params, centre: Tensor):
        params = {name: value.detach() for name, value in params.items()}
        super().__init__(network, {**params, "centre": centre})

    def embed(self, x: Tensor) -> Tensor:
        """Points ``(T, N, D)`` of length 1."""
        return F.normalize(self.network(self.params, x) - self.params["centre"], dim=-1)
