"""The learned optimiser: a small recurrent network takes the place of the gradient step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import Learner, Trace, task_losses, trainable
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.recurrent import GRU
from metalearn_lite.networks import MLP, Params

LOG_SCALE = 10.0  # p in the paper


class Problems(NamedTuple):
    """Networks to be trained: where each one starts, and the task that it is trained on."""

    start: Params
    """by name ``(T, …)``"""
    episodes: Episodes


class LearnedOptimiser(Learner):
    """Learning to learn by gradient descent by gradient descent (Andrychowicz et al., 2016).

    One recurrent network looks at every parameter of the *optimisee*, the network that is being
    trained, alone: it reads that parameter's gradient, updates a state that it keeps for this
    parameter, and says how far to move. All parameters share its weights, so it fits an optimisee
    of any size. The paper's network is an LSTM of two layers; ours is a GRU of one.

    Args:
        network: the recurrent network. It reads two numbers, see ``log_scaled``.
        params: its parameters at first, ``network.init(generator)``.
        optimisee: the sizes of the network that is trained.
        inner_steps: how many updates a run of training has, unless ``adapt`` is told otherwise.
        output_scale: an update is this times what the recurrent network answers.
        order: 1, as in the paper, takes the optimisee's gradients as given: how they depend on
            earlier updates is left out of the meta-gradient. 2 leaves nothing out.
    """

    def __init__(
        self,
        network: GRU,
        params: Params,
        optimisee: Sequence[int] = (1, 40, 40, 1),
        inner_steps: int = 40,
        output_scale: float = 0.1,
        order: int = 1,
    ):
        checks.count(0, checks.MOST_STEPS, inner_steps=inner_steps)
        checks.finite(output_scale=output_scale)
        checks.sizes(optimisee=optimisee)
        self.network = network
        self.params = trainable(params)
        self.optimisee = tuple(optimisee)
        self.inner_steps = inner_steps
        self.output_scale = output_scale
        self.order = order
        # It knows how to take the gradients of many networks at once; it has no start of its own.
        self._trained = MAML(MLP(*self.optimisee), {}, order=order)

    def start(self, num_tasks: int, generator: torch.Generator) -> Params:
        """A random network for each task, ``(T, …)``, as precise as the optimiser."""
        precision = next(iter(self.params.values())).dtype
        drawn = random_starts(self._trained.network, num_tasks, generator)
        return {name: value.to(precision) for name, value in drawn.items()}

    def path(self, support: Examples, start: Params, inner_steps: int | None = None):
        """The optimisees before the first update, and after each: yields ``Params`` ``(T, …)``."""
        checks.support(support, start, self._trained.network)
        shapes = {name: value.shape[1:] for name, value in start.items()}
        values = torch.cat([value.flatten(1) for value in start.values()], 1)
        state = values.new_zeros(*values.shape, self.network.width)
        yield start
        for _ in range(checks.steps(inner_steps, self.inner_steps, support)):
            # Of the first order a gradient is a fact: what led to these values is cut off.
            known = values if self.order == 2 and values.requires_grad else values.detach()
            at = _unflatten(known.requires_grad_(), shapes)
            uphill = self._trained.gradient(at, support, at)
            gradient = torch.cat([value.flatten(1) for value in uphill.values()], 1)
            update, state = self.update(gradient, state)
            values = values + update
            yield _unflatten(values, shapes)

    def update(self, gradient: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """What to add to each parameter, and the states ``(T, P, width)`` after this step.

        Args:
            gradient: ``(T, P)``: of all the optimisee's parameters in a row.
            state: ``(T, P, width)``
        """
        size, sign = log_scaled(gradient)
        state = self.network.step(self.params, state, size.unsqueeze(-1), sign)
        return self.output_scale * self.network.answer(self.params, state), state

    def adapt(
        self, support: Examples, start: Params | None = None, inner_steps: int | None = None
    ) -> Params:
        """The optimisees after the last update.

        Without a ``start`` they begin at random, always in the same place.
        """
        if start is None:
            start = self.start(len(support.x), torch.Generator().manual_seed(0))
        *_, last = self.path(support, start, inner_steps)
        return last

    def predict(self, adapted: Params, x: Tensor) -> Tensor:
        """The trained networks' answers ``(T, M)`` for ``x`` ``(T, M, …)``."""
        return self._trained.predict(adapted, x)

    def meta_loss(self, problems: Problems) -> Tensor:
        """The query loss after each update, averaged over the run and over tasks.

        Were only the end to count, most of the run would go without a hint.
        """
        checks.asked(problems.episodes)
        support, query = problems.episodes
        path = self.path(support, problems.start)
        next(path)
        losses = [task_losses(self.predict(at, query.x), query.y) for at in path]
        return torch.stack(losses).mean()

    @torch.no_grad()
    def trace(
        self, support: Examples, start: Params | None = None, inner_steps: int | None = None
    ) -> Trace:
        """The optimisees after 0, 1, … updates, and each one's support loss."""
        if start is None:
            start = self.start(len(support.x), torch.Generator().manual_seed(0))
        path = list(self.path(support, start, inner_steps))
        losses = [task_losses(self.predict(at, support.x), support.y) for at in path]
        return Trace(path, torch.stack(losses))


def random_starts(network: MLP, num_tasks: int, generator: torch.Generator) -> Params:
    """New parameters of ``network`` for each task, ``(T, …)``."""
    checks.count(1, 100_000, num_tasks=num_tasks)
    drawn = [network.init(generator) for _ in range(num_tasks)]
    return {name: torch.stack([one[name] for one in drawn]) for name in drawn[0]}


def log_scaled(gradient: Tensor) -> tuple[Tensor, Tensor]:
    """A gradient as two numbers of moderate size: how large, and which sign (the paper, app. A).

    Gradients differ by many powers of ten. Above e⁻ᵖ the first number is log|g| / p and the second
    the sign; below, they are -1 and eᵖg, so that nothing jumps.
    """
    least = torch.exp(torch.tensor(-LOG_SCALE, dtype=gradient.dtype))
    large = gradient.abs() >= least
    size = torch.where(large, gradient.abs().clamp(min=least).log() / LOG_SCALE, -1.0)
    return size, torch.where(large, gradient.sign(), gradient / least)


def _unflatten(values: Tensor, shapes: dict[str, torch.Size]) -> Params:
    """A row of numbers for each task, ``(T, P)``, as parameters by name."""
    parts = values.split([shape.numel() for shape in shapes.values()], 1)
    return {
        name: part.unflatten(1, shape)
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }
