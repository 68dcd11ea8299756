"""ANIL: almost no inner loop. Only the last layer adapts."""

from __future__ import annotations

import re

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Params


class ANIL(MAML):
    """ANIL (Raghu, Raghu, Bengio & Vinyals, 2020): MAML whose inner steps change the head alone.

    The body, all layers before the last, is the same for every task. It is still meta-trained:
    the meta-gradient reaches it through the features that the head is fitted to and judged on.
    """

    def inner_step(self, adapted: Params, support: Examples, step: int = 0) -> Params:
        """φ - α ∇φ of the support loss in the last layer; every other layer stays as it is."""
        return super().inner_step(adapted, support, step, last_layer(adapted))


def last_layer(params: Params) -> list[str]:
    """The parameters with the number of the last one: ``weight3`` and ``bias3`` of three layers."""

    def layer(name: str) -> str:
        return re.search(r"\d*$", name).group()

    *_, last = params
    return [name for name in params if layer(name) == layer(last)]
