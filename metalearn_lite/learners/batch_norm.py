"""MAML that judges each query alone: two other places to take statistics from, or none at all.

Plain MAML on a ``ConvClassifier`` measures means and variances on the queries themselves, so that a
query's answer depends on its neighbours: it is transductive.
"""

from __future__ import annotations

import torch

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import trainable
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import ConvClassifier, Params

STATISTICS = ("mean", "variance")
NORMALISATION = ("scale", "shift", *STATISTICS)


class SupportNorm(MAML):
    """Queries are normalised by the means and variances of their task's support.

    "MetaBN" in Bronskill et al. (2020). Nothing else differs from MAML, in training or after.
    """

    def start(self, support: Examples) -> Params:
        """θ for every task, and what is measured on the support with it."""
        checks.examples(support)
        adapted = super().start(support)
        return adapted | self.network.statistics(adapted, support.x)

    def inner_step(self, adapted: Params, support: Examples, step: int = 0) -> Params:
        """MAML's step, and what is measured on the support after it."""
        moved = super().inner_step(without_statistics(adapted), support, step)
        return moved | self.network.statistics(moved, support.x)


class NoNorm(MAML):
    """Nothing is measured: each channel is scaled and shifted, and that is all.

    No image's answer depends on another's, in the support or among the queries. Activations of any
    size then go from block to block, and a step as long as with normalisation is too long.
    """

    def start(self, support: Examples) -> Params:
        """θ for every task, and the statistics that change nothing: mean 0, variance 1."""
        adapted, still = super().start(support), {}
        for block in range(1, 5):
            still[f"mean{block}"] = torch.zeros_like(adapted[f"shift{block}"])
            still[f"variance{block}"] = torch.ones_like(adapted[f"shift{block}"])
        return adapted | still

    def inner_step(self, adapted: Params, support: Examples, step: int = 0) -> Params:
        """MAML's step of everything but those statistics."""
        return super().inner_step(adapted, support, step, without_statistics(adapted))


class PerStepNorm(MAML):
    """Batch normalisation as in MAML++ (Antoniou, Edwards & Storkey, 2019): each step has its own.

    Scales and shifts are learned for each state of the adaptation, ``(k + 1, width)`` in
    ``params``. Inner steps do not change them. Statistics come from the images at hand until
    ``keep_statistics`` fixes them, which ends meta-training: from then on those of the queries
    come from meta-training tasks. A support is normalised by its own throughout.

    Args:
        inner_steps: k. Steps beyond the k-th use what the k-th has.
    """

    def __init__(
        self,
        network: ConvClassifier,
        params: Params,
        inner_lr: float = 0.01,
        inner_steps: int = 1,
        order: int = 2,
    ):
        checks.count(0, checks.MOST_STEPS, inner_steps=inner_steps)
        states = inner_steps + 1
        params = {
            name: value.expand(states, -1)
            if name.startswith(NORMALISATION) and value.dim() == 1
            else value
            for name, value in params.items()
        }
        super().__init__(network, params, inner_lr, inner_steps, order)

    @staticmethod
    def init(network: ConvClassifier, generator: torch.Generator | None = None) -> Params:
        """The network's parameters and room for ``keep_statistics``, as a checkpoint has them."""
        params = network.init(generator)
        for block in range(1, 5):
            params[f"mean{block}"] = torch.zeros(network.width)
            params[f"variance{block}"] = torch.ones(network.width)
        return params

    def start(self, support: Examples) -> Params:
        """θ for every task, with what belongs to state 0."""
        return super().start(support) | self.normalisation(0, len(support.x))

    def inner_step(self, adapted: Params, support: Examples, step: int = 0) -> Params:
        """MAML's step of all but the normalisation, of which the next state has its own."""
        names = [name for name in adapted if not name.startswith(NORMALISATION)]
        moved = super().inner_step(without_statistics(adapted), support, step, names)
        return adapted | moved | self.normalisation(step + 1, len(support.x))

    def normalisation(self, state: int, num_tasks: int) -> Params:
        """Scales, shifts and any kept statistics after ``state`` steps, ``(T, width)``."""
        return {
            name: value[min(state, self.inner_steps)].expand(num_tasks, -1)
            for name, value in self.params.items()
            if name.startswith(NORMALISATION)
        }

    @torch.no_grad()
    def keep_statistics(self, episodes: Episodes) -> None:
        """Adds to ``params`` what each state measures on the queries of meta-training tasks."""
        support, query = episodes
        adapted, kept = without_statistics(self.start(support)), {}
        for state in range(self.inner_steps + 1):
            measured = self.network.statistics(adapted, query.x)
            for block in range(1, 5):
                mean, variance = measured[f"mean{block}"], measured[f"variance{block}"]
                kept.setdefault(f"mean{block}", []).append(mean.mean(0))
                # All tasks' images together vary within tasks, and from task to task.
                together = variance.mean(0) + mean.var(0, correction=0)
                kept.setdefault(f"variance{block}", []).append(together)
            adapted = without_statistics(self.inner_step(adapted, support, state))
        self.params |= trainable({name: torch.stack(values) for name, values in kept.items()})


def without_statistics(params: Params) -> Params:
    """``params`` with which the network measures for itself."""
    return {name: value for name, value in params.items() if not name.startswith(STATISTICS)}
