"""The contract of every learner: adapt, predict, meta_loss, and the trace of an adaptation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.networks import Params


class Trace(NamedTuple):
    """An adaptation, step by step. Entry 0 is the state before the support is learned from."""

    adapted: list[Any]
    support_loss: Tensor
    """``(steps + 1, T)``"""


class Learner(ABC):
    """Three verbs, whatever the method. ``params`` holds what meta-training changes."""

    params: Params
    shares_tasks: ClassVar[bool] = True
    """Whether `meta_gradient` is a mean over tasks: several processes can then share them out."""

    @abstractmethod
    def adapt(self, support: Examples) -> Any:
        """Learns each task from its support examples. The result is for ``predict`` only."""

    @abstractmethod
    def predict(self, adapted: Any, x: Tensor) -> Tensor:
        """Answers for ``x`` ``(T, M, …)``: ``(T, M)`` values or ``(T, M, num_ways)`` logits."""

    @abstractmethod
    def trace(self, support: Examples) -> Trace:
        """The adapted state after step 0, 1, … and its support loss. Nothing keeps a gradient."""

    def advance(self, progress: float) -> None:  # noqa: B027
        """Called by ``meta_train`` before each iteration with how much of it is done, 0 … 1.

        Nothing happens, unless a method trains differently early and late.
        """

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """The query loss after adapting on the support, averaged over tasks: a scalar.

        All tasks have as many queries, so it is the mean over all queries.
        """
        checks.asked(episodes)
        predicted = self.predict(self.adapt(episodes.support), episodes.query.x)
        return example_losses(predicted, episodes.query.y).mean()

    def meta_gradient(self, episodes: Episodes) -> tuple[Tensor, Params]:
        """The meta-loss, and the direction by parameter name that meta-training descends.

        A method whose direction is not the gradient of its meta-loss overrides this.
        """
        loss = self.meta_loss(episodes)
        gradients = torch.autograd.grad(loss, list(self.params.values()), allow_unused=True)
        checks.all_used(self.params, gradients)
        return loss.detach(), dict(zip(self.params, gradients, strict=True))


def example_losses(predicted: Tensor, y: Tensor) -> Tensor:
    """Each example's loss, ``(T, N)``: squared error where ``y`` is float, else cross-entropy.

    Args:
        predicted: ``(T, N)`` values, or ``(T, N, num_ways)`` logits. Values may also come as
            ``(T, N, 1)``, as a network returns them; then the losses have that shape too.
        y: ``(T, N)`` float values, or integer classes.

    Raises:
        ValueError: the shapes do not belong together, or a label is no class of the logits.
    """
    if not y.is_floating_point():
        checks.logits(predicted, y)
        losses = F.cross_entropy(predicted.flatten(0, 1), y.flatten().long(), reduction="none")
        return losses.unflatten(0, y.shape)
    if predicted.shape == (*y.shape, 1):
        y = y.unsqueeze(-1)
    if predicted.shape != y.shape:
        raise ValueError(
            f"predictions {tuple(predicted.shape)} and y {tuple(y.shape)} must have one shape"
        )
    return F.mse_loss(predicted, y, reduction="none")


def task_losses(predicted: Tensor, y: Tensor) -> Tensor:
    """Each task's mean loss, ``(T,)``, over its ``example_losses``."""
    return example_losses(predicted, y).flatten(1).mean(1)


def trainable(params: Params) -> Params:
    """A copy of ``params`` that gradients can be taken with respect to.

    Contiguous: fused Adam pairs a parameter's numbers with its gradient's by their place in memory.

    Raises:
        ValueError: some are no tensors, or hold integers. Or some were frozen: they require no
            gradient, where others do. (Where none does, as after ``network.init``, nothing was
            said about any.)
    """
    checks.tensor(**params)
    for name, value in params.items():
        if not (value.is_floating_point() or value.is_complex()):
            raise ValueError(f"{name} is {value.dtype}: give parameters of floats")
    frozen = [name for name, value in params.items() if not value.requires_grad]
    meant = len(frozen) < len(params) or any(isinstance(params[n], nn.Parameter) for n in frozen)
    if frozen and meant:
        raise ValueError(
            f"{', '.join(frozen)} requires no gradient, but a learner trains all its params: "
            "call requires_grad_() on it, or detach() on the others"
        )
    return {
        name: value.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
        for name, value in params.items()
    }
