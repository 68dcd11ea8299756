"""The in-context transformer: an answer attends to the examples, layer after layer."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import trainable
from metalearn_lite.learners.in_context import InContextLearner
from metalearn_lite.networks import Params

Memory = list[tuple[Tensor, Tensor]]
"""of each layer the keys and the values"""
KEPT = ("key", "value")


class Transformer:
    """A transformer (Vaswani et al., 2017) whose tokens are a task's examples, in no order.

    Args:
        inputs: how many numbers an ``x`` has.
        width: how many numbers a token has.
        num_layers: how many times every token looks at the examples.
        num_heads: how many places it can look at each time.
    """

    def __init__(self, inputs: int = 1, width: int = 64, num_layers: int = 4, num_heads: int = 4):
        checks.count(1, 10_000, inputs=inputs, width=width)
        checks.count(1, 1_000, num_layers=num_layers, num_heads=num_heads)
        if width % num_heads:
            raise ValueError(f"width={width}: choose a multiple of num_heads={num_heads}")
        self.settings = (inputs, width, num_layers, num_heads)
        self.num_layers, self.num_heads = num_layers, num_heads
        # One input is always 1: it serves as a bias.
        self.shapes = {"example": (inputs + 2, width), "question": (inputs + 1, width)}
        for layer in range(1, num_layers + 1):
            for name in ("query", "key", "value", "mix"):
                self.shapes[f"{name}{layer}"] = (width, width)
            self.shapes[f"up{layer}"] = (width, 2 * width)
            self.shapes[f"down{layer}"] = (2 * width, width)
        self.shapes["answer"] = (width, 1)

    def init(self, generator: torch.Generator | None = None) -> Params:
        """Draws parameters: all normal, with variance 1 / (rows of the matrix)."""
        return {
            name: torch.randn(shape, generator=generator) / math.sqrt(shape[0])
            for name, shape in self.shapes.items()
        }

    def read(self, params: Params, support: Examples) -> Memory:
        """Each layer's keys and values, ``(T, heads, N + 1, width / heads)``.

        They are all that later questions look at. The first stands for no example: without it
        there would be nothing to look at where the support is empty.
        """
        pairs = torch.cat([support.x, support.y.unsqueeze(-1)], -1)
        tokens = F.pad(pairs, (0, 1), value=1.0) @ params["example"]
        memory: Memory = []
        self._layers(params, F.pad(tokens, (0, 0, 1, 0)), memory)
        return memory

    def answer(self, params: Params, memory: Memory, x: Tensor) -> Tensor:
        """``(T, M)``: each question ``x`` ``(T, M, D)`` looks at the memory and nowhere else."""
        tokens = self._layers(params, F.pad(x, (0, 1), value=1.0) @ params["question"], memory)
        return (normalise(tokens) @ params["answer"]).squeeze(-1)

    def _layers(self, params: Params, tokens: Tensor, memory: Memory) -> Tensor:
        """The tokens after all layers. An empty ``memory`` is filled with their own."""
        own = not memory
        for layer in range(1, self.num_layers + 1):
            seen = normalise(tokens)
            if own:
                memory.append(tuple(self._heads(seen @ params[f"{name}{layer}"]) for name in KEPT))
            query = self._heads(seen @ params[f"query{layer}"])
            found = F.scaled_dot_product_attention(query, *memory[layer - 1])
            tokens = tokens + found.transpose(1, 2).flatten(2) @ params[f"mix{layer}"]
            hidden = F.gelu(normalise(tokens) @ params[f"up{layer}"])
            tokens = tokens + hidden @ params[f"down{layer}"]
        return tokens

    def _heads(self, tokens: Tensor) -> Tensor:
        """``(T, N, width)`` as ``(T, heads, N, width / heads)``."""
        return tokens.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)


def normalise(tokens: Tensor) -> Tensor:
    """Each token with mean 0 and variance 1 over its numbers (Ba, Kiros & Hinton, 2016)."""
    return F.layer_norm(tokens, tokens.shape[-1:])


class TransformerLearner(InContextLearner):
    """Learning by attention to the examples (Garg et al., 2022, for linear regression).

    Their transformer reads one long row of x and y, each token looking back only, as a language
    model does. Here an example is one token and has no place in a row, so that no answer depends
    on the order of the support (as in Müller et al., 2022).

    Args:
        network: the transformer.
        params: where its parameters start, ``network.init(generator)``.
    """

    def __init__(self, network: Transformer, params: Params):
        self.network = network
        self.params = trainable(params)

    def adapt(self, support: Examples) -> Memory:
        """Each layer's keys and values of the support."""
        checks.context(support, self.params)
        return self.network.read(self.params, support)

    def predict(self, adapted: Memory, x: Tensor) -> Tensor:
        """``(T, M)``: each ``x`` ``(T, M, …)`` attends to the support, not to the others."""
        return self.network.answer(self.params, adapted, x)
