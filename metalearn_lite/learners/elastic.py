"""Elastic prototypes: two drawings are compared part by part, and a part may have moved."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite.learners.prototypes import PrototypicalNetwork

PICKINESS = 5.5  # how much more the better of two nearby parts counts; see `find_parts`


class ElasticPrototypes(PrototypicalNetwork):
    """A prototypical network that forgives parts of a drawing for lying a little elsewhere.

    Its network ends in a map: a vector for each of 7 × 7 places. A plain comparison sets each
    place against the same place. Here each looks for its match among the 3 × 3 places around it,
    both ways, and the similarities of all places add up. Keysers, Deselaers, Gollan & Ney (2007)
    compare pixels like this, and local patches; ours compares what a network has learned to see.

    Args:
        network: a ``ConvNet`` whose maps are square.
        params, sharpness, framed, all_symmetries: as for ``PrototypicalNetwork``.
    """

    def __init__(
        self,
        network,
        params,
        sharpness: float = 20.0,
        framed: bool = False,
        all_symmetries: bool = False,
    ):
        super().__init__(network, params, "cosine", sharpness, framed, all_symmetries)

    def compare(self, points: Tensor, prototypes: Tensor) -> Tensor:
        """Logits ``(T, M, num_ways)`` for embedded ``points`` ``(T, M, D)``."""
        queries, supports = self.maps(points), self.maps(prototypes)
        there, back = find_parts(queries, supports), find_parts(supports, queries)
        return self.sharpness * (there + back.transpose(2, 3)).mean(1) / 2

    def maps(self, embedded: Tensor) -> Tensor:
        """``(T, N, D)`` as maps of length 1, one for each symmetry: ``(T, V, N, C, H, W)``."""
        versions = 8 if self.all_symmetries else 1
        channels = self.network.channels[-1]
        flat = F.normalize(embedded.unflatten(2, (versions, -1)), dim=-1).transpose(1, 2)
        side = round((flat.shape[-1] / channels) ** 0.5)
        return flat.unflatten(3, (channels, side, side))


def find_parts(maps: Tensor, others: Tensor) -> Tensor:
    """How well the parts of each of ``maps`` are found in each of ``others``.

    For every place of a map: its dot products with the 3 × 3 places around it in the other map,
    averaged with weights that favour the best (a softmax). Summed over places.

    Args:
        maps: ``(T, V, N, C, H, W)``, each of length 1.
        others: ``(T, V, M, C, H, W)``.

    Returns:
        ``(T, V, N, M)``: at most about 1, and 1 or nearly 1 for a map beside itself.
    """
    height, width = maps.shape[-2:]
    batch, num_places = maps.shape[:2], height * width
    around = F.unfold(others.flatten(0, 2), 3, padding=1)  # one column for each place
    around = around.view(-1, others.shape[2], maps.shape[3], 9, num_places)
    around = around.permute(0, 4, 2, 1, 3).flatten(3).flatten(0, 1)  # (T·V·places, C, M·9)
    here = maps.flatten(4).flatten(0, 1).permute(0, 3, 1, 2).flatten(0, 1)  # (…, N, C)
    dots = torch.bmm(here, around).unflatten(2, (-1, 9))
    weights = torch.softmax(PICKINESS * num_places * dots, -1)
    found = (weights * dots).sum(-1).unflatten(0, (-1, num_places)).sum(1)
    return found.unflatten(0, batch)
