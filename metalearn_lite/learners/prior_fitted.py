"""The prior-fitted network: notebook 09's transformer, trained on tables that nobody collected."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import Learner, Trace, task_losses, trainable
from metalearn_lite.learners.transformer import Memory, Transformer, normalise
from metalearn_lite.networks import Params


class TableTransformer(Transformer):
    """The transformer with a row of a table for a token, and a class for an answer.

    Args:
        columns: how many columns of a table are read at most.
        classes: how many classes it can tell at most.
        width, num_layers, num_heads: as of ``Transformer``.
    """

    def __init__(
        self,
        columns: int = 32,
        classes: int = 10,
        width: int = 64,
        num_layers: int = 4,
        num_heads: int = 4,
    ):
        checks.count(1, 10_000, columns=columns, classes=classes)
        super().__init__(columns, width, num_layers, num_heads)
        self.settings = (columns, classes, width, num_layers, num_heads)
        self.columns, self.classes = columns, classes
        self.shapes |= {"example": (columns + classes + 1, width), "answer": (width, classes)}

    def read(self, params: Params, support: Examples) -> Memory:
        """As of ``Transformer``; ``support`` has ``y`` as a 1 in one of ``classes`` columns."""
        pairs = torch.cat([support.x, support.y], -1)
        memory: Memory = []
        tokens = F.pad(pairs, (0, 1), value=1.0) @ params["example"]
        self._layers(params, F.pad(tokens, (0, 0, 1, 0)), memory)
        return memory

    def answer(self, params: Params, memory: Memory, x: Tensor) -> Tensor:
        """Logits ``(T, M, classes)``: each row looks at the memory and nowhere else."""
        tokens = self._layers(params, F.pad(x, (0, 1), value=1.0) @ params["question"], memory)
        return normalise(tokens) @ params["answer"]


class Read(NamedTuple):
    """What is kept of a support."""

    memory: Memory
    mean: Tensor
    """``(T, 1, D)``, and likewise the spread"""
    spread: Tensor
    order: Tensor
    """``(T, columns)``: which columns are read, the most telling first"""
    num_ways: int


class PriorFittedNetwork(Learner):
    """A network that was trained on a prior's tables only (Müller et al., 2022; Hollmann, 2023).

    What it answers approaches the posterior predictive of that prior: what somebody would say who
    believes that all tables come from it, and has seen the support. To adapt is to read.

    Before that each column gets mean 0 and variance 1, and the columns are put in the order of how
    much they differ between the classes. So no answer depends on the order in which rows or
    columns came, as long as no two columns tell equally much. Of a wider table the most telling
    columns are read.

    Args:
        network: the transformer.
        params: where its parameters start, ``network.init(generator)``.
    """

    def __init__(self, network: TableTransformer, params: Params):
        self.network = network
        self.params = trainable(params)

    def adapt(self, support: Examples) -> Read:
        """Each layer's keys and values of the support, and how columns are to be read.

        Raises:
            ValueError: a class has no row, or there are more than the network knows; or a number
                is missing (NaN).
        """
        support = checks.classes(support, params=self.params)
        checks.numbers(support)
        x, classes = support.x.flatten(2), F.one_hot(support.y).to(support.x.dtype)
        mean, spread = x.mean(1, keepdim=True), x.std(1, correction=0, keepdim=True)
        order = relevance(x, classes).argsort(dim=1, descending=True, stable=True)
        read = Read([], mean, spread, order[:, : self.network.columns], classes.shape[2])
        if classes.shape[2] > self.network.classes:
            raise ValueError(
                f"support.y has {classes.shape[2]} classes, but this network was made for "
                f"{self.network.classes}"
            )
        y = F.pad(classes, (0, self.network.classes - classes.shape[2]))
        memory = self.network.read(self.params, Examples(self._seen(read, x), y))
        return read._replace(memory=memory)

    def predict(self, adapted: Read, x: Tensor) -> Tensor:
        """Logits ``(T, M, num_ways)`` of the classes that were in the support.

        Raises:
            ValueError: ``x`` has another number of columns than the support.
        """
        x, known = x.flatten(2), adapted.mean.shape[2]
        if x.shape[2] != known:
            raise ValueError(f"x has {x.shape[2]} columns, but the support had {known}")
        seen = self._seen(adapted, x)
        return self.network.answer(self.params, adapted.memory, seen)[..., : adapted.num_ways]

    @torch.no_grad()
    def trace(self, support: Examples) -> Trace:
        """Step 0: nothing is read but how columns are scaled. Step 1: all rows are."""
        known = self.adapt(support)
        y = known.mean.new_zeros(len(support.y), 0, self.network.classes)
        x = y.new_zeros(len(y), 0, self.network.columns)
        nothing = known._replace(memory=self.network.read(self.params, Examples(x, y)))
        path = [nothing, known]
        losses = [task_losses(self.predict(state, support.x), support.y) for state in path]
        return Trace(path, torch.stack(losses))

    def _seen(self, read: Read, x: Tensor) -> Tensor:
        """The columns as the network reads them, ``(T, M, columns)``; those that lack are 0."""
        x = (x - read.mean) / read.spread.clamp(min=1e-6)
        x = x.gather(2, read.order.unsqueeze(1).expand(-1, x.shape[1], -1))
        x = x / (1 + (x / 4).square()).sqrt()  # nothing lies farther than 4 standard deviations
        return F.pad(x, (0, self.network.columns - x.shape[2]))


def relevance(x: Tensor, classes: Tensor) -> Tensor:
    """Which share of each column's variance lies between the classes, ``(T, D)`` in 0 … 1.

    Args:
        x: ``(T, N, D)``.
        classes: ``(T, N, num_ways)``, a 1 in each row's class.
    """
    counts = classes.sum(1).unsqueeze(2)
    centred = x - x.mean(1, keepdim=True)
    means = classes.transpose(1, 2) @ centred / counts
    between = (counts * means.square()).sum(1)
    return between / centred.square().sum(1).clamp(min=1e-12)
