"""The relation network: how alike two things are is itself learned."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.layers import convolve_maps, new_kernels
from metalearn_lite.learners.base import Learner, Trace, task_losses, trainable
from metalearn_lite.networks import MLP, ConvNet, Params


class RelationNetwork(Learner):
    """Relation networks (Sung et al., 2018).

    A class is the mean of its support's feature maps. A query's maps and a class's, one stack of
    channels, go through two blocks of convolution and a small MLP. Its sigmoid is their relation
    score, trained by the squared error to 1 (same) or 0 (different).

    In three things this is not the paper's:

    - It adds up a class's maps, and trains one network for each number of shots. The mean lets one
      network do for all of them.
    - It pools within those blocks and normalises them by batch. Here the maps are small already,
      and groups of channels are normalised, so that each pair is judged alone.
    - Here the first scores are near 0.05, since most pairs are different. From scores near 0.5,
      20-way training learned to answer 0.05 to every pair, and nothing after that.

    Args:
        network: the embedding; its output is read as maps of 3 × 3.
        params: where all parameters start, ``RelationNetwork.init(network, generator)``.
    """

    width = 32
    mlp = MLP(9 * width, 8, 1)

    def __init__(self, network: ConvNet, params: Params):
        self.network = network
        self.params = trainable(params)

    @classmethod
    def init(cls, network: ConvNet, generator: torch.Generator | None = None) -> Params:
        """Draws the parameters of the embedding and of the comparison, ``relation_…``.

        Raises:
            ValueError: the network does not have the four blocks that leave maps of 3 × 3.
        """
        if len(network.channels) != 4:
            raise ValueError(f"channels={network.channels}: choose four, for maps of 3 × 3")
        params = network.init(generator)
        for block, inputs in ((1, 2 * network.channels[-1]), (2, cls.width)):
            params[f"relation_weight{block}"] = new_kernels(inputs, cls.width, generator)
            params[f"relation_scale{block}"] = torch.ones(cls.width)
            params[f"relation_shift{block}"] = torch.zeros(cls.width)
        mlp = cls.mlp.init(generator)
        mlp["bias2"].fill_(-3.0)  # its sigmoid is 0.047
        return params | {f"relation_mlp_{name}": value for name, value in mlp.items()}

    def adapt(self, support: Examples) -> Tensor:
        """Each class's maps ``(T, num_ways, C, 3, 3)``: the mean over its support images."""
        support = checks.classes(support, params=self.params)
        belongs = F.one_hot(support.y).to(support.x.dtype)
        means = belongs / belongs.sum(1, keepdim=True)
        maps = means.transpose(1, 2) @ self.network(self.params, support.x)
        return maps.unflatten(2, (-1, 3, 3))

    def predict(self, adapted: Tensor, x: Tensor) -> Tensor:
        """Logits ``(T, M, num_ways)``, whose sigmoids are the relation scores."""
        maps = self.network(self.params, x).unflatten(2, (-1, 3, 3))
        # A convolution of stacked maps is the sum of two, so each map is convolved once, and
        # not once for every pair.
        for_query, for_class = self.params["relation_weight1"].unflatten(1, (2, -1)).unbind(1)
        queries, classes = convolve_maps(maps, for_query), convolve_maps(adapted, for_class)
        pairs = self._normalise(queries.unsqueeze(2) + classes.unsqueeze(1), 1)
        pairs = self._normalise(convolve_maps(pairs, self.params["relation_weight2"]), 2)
        prefix = "relation_mlp_"
        mlp = {n.removeprefix(prefix): p for n, p in self.params.items() if n.startswith(prefix)}
        return self.mlp(mlp, pairs.flatten(1, 2)).view(pairs.shape[:3])

    def _normalise(self, pairs: Tensor, block: int) -> Tensor:
        scale, shift = (self.params[f"relation_{name}{block}"] for name in ("scale", "shift"))
        normal = F.group_norm(pairs.flatten(0, 2), 8, scale, shift)
        return normal.relu().view(pairs.shape)

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """The mean squared error of the relation scores, over all pairs of query and class."""
        checks.asked(episodes)
        logits = self.predict(self.adapt(episodes.support), episodes.query.x)
        checks.logits(logits, episodes.query.y)
        same = F.one_hot(episodes.query.y.long(), logits.shape[-1]).to(logits.dtype)
        return F.mse_loss(logits.sigmoid(), same)

    @torch.no_grad()
    def trace(self, support: Examples) -> Trace:
        """Step 0: every class has an even share of all maps. Step 1: the maps of its own."""
        known = self.adapt(support)
        path = [known.mean(1, keepdim=True).expand_as(known), known]
        losses = [task_losses(self.predict(adapted, support.x), support.y) for adapted in path]
        return Trace(path, torch.stack(losses))
