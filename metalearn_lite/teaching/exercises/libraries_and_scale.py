"""Hints, checks and stand-ins for notebook 16."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from metalearn_lite.teaching.comparing import Mistake, kind_of, refuse, same
from metalearn_lite.teaching.exercises import Exercise, attempted

# --- the same gradient, in learn2learn's words

Task = tuple[Tensor, Tensor, Tensor, Tensor]
"""Support x and y, query x and y, of one task."""


def same_gradient(maml: Any, tasks: list[Task], loss: Callable, inner_steps: int) -> list[Tensor]:
    """The meta-gradient of a batch: the mean over its tasks, for each of ``maml.parameters()``.

    Args:
        maml: of learn2learn, or whatever has ``clone``, ``adapt``, a call and ``parameters``.
        tasks: each has support x and y, query x and y.
        loss: called as ``loss(predicted, y)``; one number.
        inner_steps: how many steps a clone adapts.
    """
    params = list(maml.parameters())
    total = [torch.zeros_like(value) for value in params]
    for task in tasks:
        clone = maml.clone()
        for _ in range(inner_steps):
            clone.adapt(loss(clone(task[0]), task[1]))
        gradient = _gradient(loss(clone(task[2]), task[3]), params)
        total = [sum_ + part / len(tasks) for sum_, part in zip(total, gradient, strict=True)]
    return total


def _gradient(loss: Tensor, params: list[Tensor]) -> list[Tensor]:
    found = torch.autograd.grad(loss, params, allow_unused=True)
    pairs = zip(found, params, strict=True)
    return [torch.zeros_like(value) if part is None else part for part, value in pairs]


class Adaptable(nn.Module):
    """learn2learn's verbs for any module, where learn2learn is not installed: a small stand-in.

    Args:
        module: what is to adapt.
        lr: α.
        rates: every parameter has a rate of its own, which begins at ``lr`` and is learned, too:
            Meta-SGD. Without it, MAML.
    """

    def __init__(self, module: nn.Module, lr: float, rates: bool = False):
        super().__init__()
        self.module, self.lr = module, lr
        self.values = dict(module.named_parameters())
        each = {name: nn.Parameter(torch.full_like(v, lr)) for name, v in self.values.items()}
        self.lrs = each if rates else {}

    def forward(self, x: Tensor) -> Tensor:
        return functional_call(self.module, self.values, (x,))

    def clone(self) -> Adaptable:
        """A copy that remembers what it was made from: gradients flow back to it."""
        copy = Adaptable(self.module, self.lr)
        copy.values = {name: value.clone() for name, value in self.values.items()}
        copy.lrs = {name: value.clone() for name, value in self.lrs.items()}
        return copy

    def adapt(self, loss: Tensor) -> None:
        """One inner step along the gradient of ``loss``; the outer gradient passes through it."""
        gradients = torch.autograd.grad(loss, list(self.values.values()), create_graph=True)
        for (name, value), gradient in zip(self.values.items(), gradients, strict=True):
            self.values[name] = value - self.lrs.get(name, self.lr) * gradient

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        yield from self.values.values()
        yield from self.lrs.values()


class _Batch(NamedTuple):
    """One call of the reader's function."""

    said: str
    sizes: tuple[int, ...]
    rates: bool
    lr: float
    inner_steps: int
    shots: tuple[tuple[int, int], ...]
    """how many support and query points each task has"""
    loss: Callable = F.mse_loss


def uneven(predicted: Tensor, y: Tensor) -> Tensor:
    """Another loss, so that the given one has to be used: too high is worse than too low."""
    return torch.where(predicted > y, 2 * (predicted - y), y - predicted).mean()


BATCHES = (
    _Batch("three tasks and two inner steps", (2, 5, 1), False, 0.1, 2, ((4, 6), (4, 6), (4, 6))),
    _Batch("tasks with unequal numbers of points", (1, 4, 2), False, 0.2, 1, ((2, 9), (5, 1))),
    _Batch("Meta-SGD", (2, 3, 1), True, 0.15, 2, ((3, 4), (3, 4))),
    _Batch("another loss", (2, 4, 1), False, 0.1, 3, ((5, 5), (5, 5)), uneven),
    _Batch("one task", (3, 4, 1), False, 0.1, 1, ((3, 3),)),
    _Batch("no inner step", (2, 3, 1), False, 0.1, 0, ((3, 4), (2, 4))),
    _Batch("Meta-SGD without an inner step", (2, 3, 1), True, 0.1, 0, ((3, 4), (2, 4))),
)


def _made(batch: _Batch, generator: torch.Generator) -> tuple[Adaptable, list[Task]]:
    def noise(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator)

    layers = [nn.Linear(batch.sizes[0], batch.sizes[1]), nn.Tanh(), nn.Linear(*batch.sizes[1:])]
    maml = Adaptable(nn.Sequential(*layers), batch.lr, batch.rates)
    with torch.no_grad():
        for value in maml.values.values():
            value.copy_(0.7 * noise(value))
        for rate in maml.lrs.values():
            rate.mul_(1 + noise(rate).abs())
    for value in maml.parameters():
        value.grad = noise(value)  # an earlier batch left it
    tasks = []
    for number, counts in enumerate(batch.shots):
        weights = torch.randn(batch.sizes[0], batch.sizes[-1], generator=generator)
        xs = [torch.randn(count, batch.sizes[0], generator=generator) for count in counts]
        support, query = ((x, x @ weights + number) for x in xs)
        tasks.append((*support, *query))
    return maml, tasks


def check_same_gradient(answer: Callable) -> None:
    generator = torch.Generator().manual_seed(16)
    for batch in BATCHES:
        maml, tasks = _made(batch, generator)
        params = list(maml.parameters())
        before = [value.detach().clone() for value in params]
        mistakes = _gradient_mistakes(maml, tasks, batch)
        expected = same_gradient(maml, tasks, batch.loss, batch.inner_steps)
        given = [tuple(part.clone() for part in task) for task in tasks]
        result = attempted(answer(maml, given, batch.loss, batch.inner_steps))
        kept = zip(maml.parameters(), params, strict=True)
        if not all(now is value for now, value in kept) or not same(params, before):
            raise Mistake(
                "maml itself was changed: its parameters are no longer what they were. Each task "
                "adapts a clone; the outer loop moves maml, later."
            )
        result = _one_for_each(result, params)
        refuse(result, [(wrong, said) for wrong, said in mistakes if not same(wrong, expected)])
        if not same(result, expected, rtol=1e-3, atol=1e-5):
            raise Mistake(
                f"With {batch.said}, these are not the gradients of the mean query loss after the "
                "inner steps."
            )


def _one_for_each(result: Any, params: list[Tensor]) -> list[Tensor]:
    if not isinstance(result, list | tuple) or len(result) != len(params):
        number = f" of {len(result)}" if isinstance(result, list | tuple) else ""
        raise Mistake(
            f"Return a list: one gradient for each of maml.parameters(), {len(params)} here; got "
            f"{kind_of(result)}{number}."
        )
    for place, (part, value) in enumerate(zip(result, params, strict=True)):
        if part is None:
            raise Mistake(
                f"Gradient {place} is None. What no loss depends on has a gradient of zeros."
            )
        if not isinstance(part, Tensor) or part.shape != value.shape:
            raise Mistake(
                f"Gradient {place} should have the shape of parameter {place}, "
                f"{tuple(value.shape)}; got {kind_of(part)}."
            )
    return list(result)


def _gradient_mistakes(maml: Adaptable, tasks: list[Task], batch: _Batch) -> list[tuple[Any, str]]:
    loss, steps = batch.loss, batch.inner_steps
    right = same_gradient(maml, tasks, loss, steps)
    left = [value.grad for value in maml.parameters()]

    def scaled(factor: float, plus: float = 0.0) -> list[Tensor]:
        return [factor * part + plus * old for part, old in zip(right, left, strict=True)]

    def parts(*places: int) -> list[Task]:
        return [tuple(task[place] for place in places) for task in tasks]

    old = "An earlier batch's gradients are in it: .backward() adds to what .grad holds already."
    summed = "You summed over tasks. Take the mean, or the step grows with their number."
    judged = "You judged on the support. A clone is judged on what it has not seen: the query."
    mistakes = [
        (scaled(1, plus=1), old),
        (scaled(len(tasks), plus=1), f"{old} And {summed[0].lower()}{summed[1:]}"),
        (scaled(1, plus=1 / len(tasks)), old),
        (scaled(len(tasks)), summed),
        (scaled(1 / len(tasks)), "You divided by the number of tasks twice."),
        (scaled(-1), "The sign is turned: return the gradient, not the step."),
        (_over(maml, parts(0, 1, 0, 1), loss, steps), judged),
        (
            _over(maml, parts(2, 3, 0, 1), loss, steps),
            "Support and query are swapped: you adapted on the query and judged on the support.",
        ),
        (
            _over(maml, parts(2, 3, 2, 3), loss, steps),
            "You adapted on the query: the answers leaked into the learning.",
        ),
        (
            _over(maml, tasks, loss, 0),
            "This is the gradient of the loss before any step: the clone that was judged had not "
            "adapted.",
        ),
        (
            _over(maml, tasks, loss, 1),
            "This is what one inner step gives. Take inner_steps of them, all in the same clone.",
        ),
        (_over(maml, tasks, loss, steps + 1), "This is one step more than inner_steps."),
        (
            _over(maml, tasks[-1:], loss, steps),
            "This is the last task's gradient alone. What became of the others'?",
        ),
        (_over(maml, tasks[:1], loss, steps), "This is the first task's gradient alone."),
        (
            _one_clone(maml, tasks, loss, steps),
            "One clone went from task to task: the second began where the first had ended. Every "
            "task needs a clone of its own.",
        ),
        (
            _with_respect_to_clones(maml, tasks, loss, steps),
            "These are gradients with respect to the adapted clones' parameters: first-order MAML. "
            "Ask for those with respect to maml's.",
        ),
        (
            _pooled(maml, tasks, loss, steps),
            "Tasks with more query points count more. Here all tasks count alike: a mean of the "
            "tasks' losses.",
        ),
    ]
    if loss is not F.mse_loss:
        mistakes += [
            (_over(maml, tasks, F.mse_loss, steps), "You took the squared error. Use loss."),
            (
                _over(maml, tasks, lambda predicted, y: loss(y, predicted), steps),
                "The arguments of loss are swapped: predictions come first, then y.",
            ),
        ]
    return mistakes


_over = same_gradient


def _one_clone(maml: Any, tasks: list[Task], loss: Callable, steps: int) -> list[Tensor]:
    clone, total = maml.clone(), 0
    for x, y, query_x, query_y in tasks:
        for _ in range(steps):
            clone.adapt(loss(clone(x), y))
        total = total + loss(clone(query_x), query_y) / len(tasks)
    return _gradient(total, list(maml.parameters()))


def _with_respect_to_clones(
    maml: Any, tasks: list[Task], loss: Callable, steps: int
) -> list[Tensor]:
    total = [torch.zeros_like(value) for value in maml.parameters()]
    for x, y, query_x, query_y in tasks:
        clone = maml.clone()
        for _ in range(steps):
            clone.adapt(loss(clone(x), y))
        gradient = _gradient(loss(clone(query_x), query_y), list(clone.parameters()))
        total = [sum_ + part / len(tasks) for sum_, part in zip(total, gradient, strict=True)]
    return total


def _pooled(maml: Any, tasks: list[Task], loss: Callable, steps: int) -> list[Tensor]:
    sizes = [len(task[2]) for task in tasks]
    each = [same_gradient(maml, [task], loss, steps) for task in tasks]
    rows = zip(*each, strict=True)
    return [
        sum(size * part for size, part in zip(sizes, row, strict=True)) / sum(sizes) for row in rows
    ]


EXERCISES = {
    "same_gradient": Exercise(
        hints=(
            "One task is four lines: a clone, the inner steps on the support, the loss on the "
            "query. What belongs to the batch, and what to each task?",
            "The clone remembers what it was made from. So the gradient of its query loss can be "
            "asked for with respect to maml.parameters(). The mean over tasks is taken of losses "
            "or of gradients, whichever you like. Think of .grad before you rely on .backward().",
            "Sum up the query losses of all clones, divide by len(tasks), and give that with "
            "list(maml.parameters()) to torch.autograd.grad, with allow_unused=True: a parameter "
            "that no loss depends on then comes back as None, and should be returned as zeros.",
        ),
        check=check_same_gradient,
        praise="learn2learn's own examples are this loop, in more lines. You can now read them, and "
        "check them.",
    ),
}
