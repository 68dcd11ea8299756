"""Elastic prototypes: two drawings are compared part by part, and a part may have moved."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite.layers import convolve_maps, new_kernels
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import ConvNet, Params

PICKINESS = 5.5  # how much more the better of two nearby places counts; see `find_parts`
WIDTH = 16  # channels of the reader


class ElasticPrototypes(PrototypicalNetwork):
    """A prototypical network that forgives parts of a drawing for lying a little elsewhere.

    Its network ends in a map: a vector for each of 7 × 7 places. A plain comparison sets each
    place against the same place. Here each looks for its match among the 3 × 3 places around it,
    both ways, and the similarities of all places add up. Keysers, Deselaers, Gollan & Ney (2007)
    compare pixels like this, and local patches; ours compares what a network has learned to see.

    A sum cannot tell one missing stroke from a hand that is a little off everywhere. So a small
    convolutional network, the reader, looks at all similarities as a map of their own and adds
    its judgement. Kendall et al. (2017) read the matches of two camera views so, to see depth.

    Args:
        network: a ``ConvNet`` whose maps are square.
        params: where all parameters start, ``ElasticPrototypes.init(network, generator)``.
        sharpness, framed, all_symmetries: as for ``PrototypicalNetwork``.
    """

    def __init__(
        self,
        network: ConvNet,
        params: Params,
        sharpness: float = 20.0,
        framed: bool = False,
        all_symmetries: bool = False,
    ):
        super().__init__(network, params, "cosine", sharpness, framed, all_symmetries)

    @staticmethod
    def init(network: ConvNet, generator: torch.Generator | None = None) -> Params:
        """Draws the parameters of the embedding and of the reader, whose first answer is 0."""
        params = network.init(generator)
        for block, inputs in ((1, 11), (2, WIDTH)):
            params[f"reader_weight{block}"] = new_kernels(inputs, WIDTH, generator)
            params[f"reader_bias{block}"] = torch.zeros(WIDTH)
        return params | {"reader_weight3": torch.zeros(1, WIDTH)}

    def compare(self, points: Tensor, prototypes: Tensor) -> Tensor:
        """Logits ``(T, M, num_ways)`` for embedded ``points`` ``(T, M, D)``."""
        queries, supports = self.maps(points), self.maps(prototypes)
        there, back = self.similarity(queries, supports), self.similarity(supports, queries)
        return self.sharpness * (there + back.transpose(2, 3)).mean(1) / 2

    def maps(self, embedded: Tensor) -> Tensor:
        """``(T, N, D)`` as maps of length 1, one for each symmetry: ``(T, V, N, C, H, W)``."""
        versions = 8 if self.all_symmetries else 1
        channels = self.network.channels[-1]
        flat = F.normalize(embedded.unflatten(2, (versions, -1)), dim=-1).transpose(1, 2)
        side = round((flat.shape[-1] / channels) ** 0.5)
        return flat.unflatten(3, (channels, side, side))

    def similarity(self, maps: Tensor, others: Tensor) -> Tensor:
        """What `find_parts` finds, and what the reader adds: ``(T, V, N, M)``."""
        dots = match(maps, others)
        return find_parts(dots) + self.read(dots, maps, others)

    def read(self, dots: Tensor, maps: Tensor, others: Tensor) -> Tensor:
        """The reader's judgement of each pair of maps: ``(T, V, N, M)``.

        Of each place it sees the nine similarities, and how much there is in either map.
        """
        here = maps.square().sum(3)[:, :, :, None, ..., None].expand(*dots.shape[:-1], 1)
        there = others.square().sum(3)[:, :, None, ..., None].expand(*dots.shape[:-1], 1)
        seen = torch.cat([dots, here, there], -1) * dots.shape[4] * dots.shape[5]
        seen = seen.flatten(0, 3).permute(0, 3, 1, 2)  # (pairs, 11, H, W), channels last in memory
        for block in (1, 2):
            weight, bias = (self.params[f"reader_{kind}{block}"] for kind in ("weight", "bias"))
            seen = convolve_maps(seen, weight, bias).relu()
        judged = seen.mean((2, 3)) @ self.params["reader_weight3"].mT
        return judged.view(dots.shape[:4])


def match(maps: Tensor, others: Tensor) -> Tensor:
    """The dot products of every place with the 3 × 3 places around it in every other map.

    Args:
        maps: ``(T, V, N, C, H, W)``, each of length 1. Of every image there are V versions: itself
            alone, or all eight that are turned or mirrored.
        others: ``(T, V, M, C, H, W)``.

    Returns:
        ``(T, V, N, M, H, W, 9)``.
    """
    shape, num_others = maps.shape, others.shape[2]
    around = F.unfold(others.flatten(0, 2), 3, padding=1)  # one column for each place
    around = around.view(-1, num_others, shape[3], 9, around.shape[-1])
    around = around.permute(0, 4, 2, 1, 3).flatten(3).flatten(0, 1)  # (T·V·places, C, M·9)
    here = maps.flatten(4).flatten(0, 1).permute(0, 3, 1, 2).flatten(0, 1)  # (…, N, C)
    dots = torch.bmm(here, around).view(*shape[:2], *shape[4:], shape[2], num_others, 9)
    return dots.permute(0, 1, 4, 5, 2, 3, 6)


def find_parts(dots: Tensor) -> Tensor:
    """How well the parts of each map are found in each other map.

    For every place: its nine dot products, averaged with weights that favour the best (a
    softmax; the larger PICKINESS, the more it is the best alone). Summed over places.

    Args:
        dots: what `match` gives, ``(T, V, N, M, H, W, 9)``.

    Returns:
        ``(T, V, N, M)``: at most about 1, and 1 or nearly 1 for a map beside itself.
    """
    weights = torch.softmax(PICKINESS * dots.shape[4] * dots.shape[5] * dots, -1)
    return (weights * dots).sum((4, 5, 6))
