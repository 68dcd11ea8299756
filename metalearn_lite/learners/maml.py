"""MAML: an initialisation from which a few gradient steps learn a task."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.fast.inner_step import quick_inner_step
from metalearn_lite.learners.base import Learner, Trace, task_losses, trainable
from metalearn_lite.networks import Network, Params


class MAML(Learner):
    """Model-agnostic meta-learning (Finn, Abbeel & Levine, 2017).

    Args:
        network: called as ``network(params, x)``; ``params`` may carry a task axis.
        params: the initialisation θ to start from, such as ``network.init(generator)``.
        inner_lr: α, the length of an inner step.
        inner_steps: k, how many inner steps ``adapt`` takes unless it is told otherwise.
        order: 2 differentiates through the inner steps. 1 treats each inner gradient as a
            constant: first-order MAML, from the same paper.
    """

    fast = True  # Inner steps take the quicker arithmetic of fast/. The results are the same.

    def __init_subclass__(cls) -> None:
        if "gradient" in vars(cls):
            cls.fast = False  # That arithmetic has a gradient of its own.

    def __init__(
        self,
        network: Network,
        params: Params,
        inner_lr: float = 0.01,
        inner_steps: int = 1,
        order: int = 2,
    ):
        checks.count(1, 2, order=order)
        checks.count(0, checks.MOST_STEPS, inner_steps=inner_steps)
        checks.rate(inner_lr=inner_lr)
        self.network = network
        self.params = trainable(params)
        self.inner_lr = inner_lr
        self.inner_steps = inner_steps
        self.order = order

    @checks.names_unused
    def adapt(self, support: Examples, inner_steps: int | None = None) -> Params:
        """φ: every task's own parameters, ``(T, …)``, after ``inner_steps`` gradient steps."""
        adapted = self.start(support)
        for step in range(checks.steps(inner_steps, self.inner_steps, support)):
            adapted = self.inner_step(adapted, support, step)
        return adapted

    def start(self, support: Examples) -> Params:
        """φ before the first step: θ, seen once by every task (a view, not a copy)."""
        checks.support(support, self.params, self.network)
        num_tasks = len(support.x)
        return {name: value.expand(num_tasks, *value.shape) for name, value in self.params.items()}

    def inner_step(
        self, adapted: Params, support: Examples, step: int = 0, names: Iterable[str] | None = None
    ) -> Params:
        """φ - α ∇φ of the support loss, for every task at once, in all parameters or ``names``.

        MAML takes every ``step`` alike; methods that learn a rate for each step do not.
        """
        names = list(adapted if names is None else names)
        if self.fast:
            return adapted | quick_inner_step(self, adapted, support, names)
        gradient = self.gradient(adapted, support, names)
        return adapted | {name: adapted[name] - self.inner_lr * gradient[name] for name in names}

    def gradient(self, adapted: Params, support: Examples, names: Iterable[str]) -> Params:
        """∇φ of each task's support loss, for the parameters in ``names``.

        Under ``torch.no_grad()`` the values are the same but nothing remembers how they were made.
        """
        remember = torch.is_grad_enabled()
        if not remember:
            adapted = {name: value.detach().requires_grad_() for name, value in adapted.items()}
        with torch.enable_grad():
            # No task's parameters touch another's loss: the sum gives each task its own gradient.
            losses = task_losses(self.network(adapted, support.x), support.y)
            gradients = torch.autograd.grad(
                losses.sum(),
                [adapted[name] for name in names],
                create_graph=remember and self.order == 2,
            )
        return dict(zip(names, gradients, strict=True))

    def predict(self, adapted: Params, x: Tensor) -> Tensor:
        """The adapted networks' answers for ``x`` ``(T, M, …)``."""
        output = self.network(adapted, x)
        return output.squeeze(-1) if output.shape[-1] == 1 else output

    @checks.names_unused
    @torch.no_grad()
    def trace(self, support: Examples, inner_steps: int | None = None) -> Trace:
        """φ after 0, 1, … ``inner_steps`` steps, and each one's support loss."""
        path = [{name: value.detach() for name, value in self.start(support).items()}]
        for step in range(checks.steps(inner_steps, self.inner_steps, support)):
            path.append(self.inner_step(path[-1], support, step))
        losses = [task_losses(self.predict(adapted, support.x), support.y) for adapted in path]
        return Trace(path, torch.stack(losses))
