"""The recurrent learner: reads a task's examples one by one and keeps what matters in its state."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import trainable
from metalearn_lite.learners.in_context import InContextLearner
from metalearn_lite.networks import Params


class GRU:
    """A gated recurrent unit (Cho et al., 2014), and a line that reads an answer off its state.

    Args:
        inputs: how many numbers an ``x`` has.
        width: how many numbers the state has.
    """

    def __init__(self, inputs: int = 1, width: int = 128):
        checks.count(1, 10_000, inputs=inputs, width=width)
        self.settings = (inputs, width)
        self.width = width
        # On the device "meta" a module has shapes but no numbers: those are in ``params``.
        self.cell = nn.GRUCell(inputs + 1, width, device="meta")

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws parameters: all uniform within 1/√width (PyTorch's default)."""
        shapes = {name: value.shape for name, value in self.cell.named_parameters()}
        shapes |= {"answer.weight": (self.width, 1), "answer.bias": (1,)}
        bound = 1 / math.sqrt(self.width)
        return {
            name: torch.empty(shape).uniform_(-bound, bound, generator=generator)
            for name, shape in shapes.items()
        }

    def step(self, params: Params, state: Tensor, x: Tensor, previous_y: Tensor) -> Tensor:
        """The next state ``(T, width)``, having read ``x`` ``(T, D)`` and ``previous_y`` ``(T,)``.

        More axes may stand between T and the last one, in all three alike.
        """
        read = torch.cat([x, previous_y.unsqueeze(-1)], -1)
        own = {name: value for name, value in params.items() if not name.startswith("answer.")}
        flat = read.flatten(0, -2), state.flatten(0, -2)
        return torch.func.functional_call(self.cell, own, flat).view(state.shape)

    def answer(self, params: Params, state: Tensor) -> Tensor:
        """What the state ``(…, width)`` says about the last x it read: ``(…)``."""
        return (state @ params["answer.weight"] + params["answer.bias"]).squeeze(-1)


class RecurrentLearner(InContextLearner):
    """Learning as a sequence (Hochreiter et al., 2001; in this form Santoro et al., 2016).

    At each moment the network reads an ``x`` together with the answer to the x *before* it. So it
    can be asked for the y of this x, which it has not been told yet.

    Args:
        network: the recurrent network.
        params: where its parameters start, ``network.init(generator)``.
    """

    def __init__(self, network: GRU, params: Params):
        self.network = network
        self.params = trainable(params)

    def adapt(self, support: Examples) -> tuple[Tensor, Tensor]:
        """The state ``(T, width)`` after the support, and its last y ``(T,)``, not read yet."""
        checks.context(support, self.params)
        state = support.x.new_zeros(len(support.x), self.network.width)
        last_y = support.x.new_zeros(len(support.x))
        for x, y in zip(support.x.unbind(1), support.y.unbind(1), strict=True):
            state, last_y = self.network.step(self.params, state, x, last_y), y
        return state, last_y

    def predict(self, adapted: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """``(T, M)``: each ``x`` ``(T, M, …)`` is read as if it alone came next."""
        state, last_y = (now.unsqueeze(1).expand(-1, x.shape[1], *now.shape[1:]) for now in adapted)
        return self.network.answer(self.params, self.network.step(self.params, state, x, last_y))
