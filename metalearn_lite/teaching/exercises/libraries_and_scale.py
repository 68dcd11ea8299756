"""The exercises of notebook 16: one loop for every method, a batch shared out, classes split."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from metalearn_lite.distributed import share_of
from metalearn_lite.teaching.comparing import Mistake, kind_of, refuse, same
from metalearn_lite.teaching.draws import seeded
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
        try:
            gradients = torch.autograd.grad(loss, list(self.values.values()), create_graph=True)
        except RuntimeError as error:
            raise RuntimeError(
                "the loss given to adapt must come from this clone, as it is now: ask the clone "
                "anew before each step"
            ) from error
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
    generator = seeded(16)
    for batch in BATCHES:
        maml, tasks = _made(batch, generator)
        params = list(maml.parameters())
        before = [value.detach().clone() for value in params]
        mistakes = _gradient_mistakes(maml, tasks, batch)
        expected = same_gradient(maml, tasks, batch.loss, batch.inner_steps)
        given = [tuple(part.clone() for part in task) for task in tasks]
        result = _asked(answer, maml, given, batch)
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


def _asked(answer: Callable, maml: Adaptable, tasks: list[Task], batch: _Batch) -> Any:
    """What ``answer`` gives; torch's words for a loss that is a bare number are put plainly."""
    try:
        return attempted(answer(maml, tasks, batch.loss, batch.inner_steps))
    except (RuntimeError, TypeError, AttributeError) as error:
        said = str(error)
        if "'float' object" in said or "does not require grad" in said:
            raise Mistake(
                f"The gradient was asked of a bare number ({said.splitlines()[0]}). Keep the "
                "losses as tensors: what .item(), float() or .detach() gives has no gradient."
            ) from error
        raise


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


def share_out(num_tasks: int, num_workers: int) -> list[tuple[int, int, float]]:
    """Each worker's own tasks, from ``start`` up to ``stop``, and what its mean gradient counts."""
    shares = [share_of(num_tasks, place, num_workers) for place in range(num_workers)]
    return [(own.start, own.stop, (own.stop - own.start) / num_tasks) for own in shares]


# --- share_out


def _triples(result: Any, num_workers: int) -> list[tuple[int, int, float]]:
    """What came back, as a row of three plain numbers for each worker."""
    rows = result.tolist() if hasattr(result, "tolist") else result
    if not isinstance(rows, Sequence):
        raise Mistake(f"Return a list with (start, stop, weight) per worker; got {kind_of(rows)}.")
    rows = [row.tolist() if hasattr(row, "tolist") else row for row in rows]
    if any(not isinstance(row, Sequence) or len(row) != 3 for row in rows):
        raise Mistake("Each worker's entry has three numbers: start, stop and weight.")
    if len(rows) != num_workers:
        raise Mistake(
            f"There are {num_workers} worker(s), but {len(rows)} entries: every worker needs one, "
            "even one without a task."
        )
    rows = [[one.item() if hasattr(one, "item") else one for one in row] for row in rows]
    if any(not isinstance(one, int | float) or one != one for row in rows for one in row):
        raise Mistake("An entry is no number. What does a worker without a task add to the sum?")
    if any(start != int(start) or stop != int(stop) for start, stop, _ in rows):
        raise Mistake("A task cannot be cut in two: start and stop are whole numbers.")
    return [(int(start), int(stop), float(weight)) for start, stop, weight in rows]


def check_share_out(share: Callable) -> None:
    for num_tasks, num_workers in (
        (8, 3), (6, 2), (1, 1), (7, 2), (25, 4), (10, 4), (3, 5), (1, 4), (64, 64), (5, 1),
        (100, 7), (9, 8),
    ):  # fmt: skip
        case = f"With {num_tasks} task(s) and {num_workers} worker(s)"
        rows = _triples(attempted(share(num_tasks, num_workers)), num_workers)
        right = share_out(num_tasks, num_workers)
        ends = [0, *(stop + 1 for _, stop, _ in rows)]
        if ends == [*(start for start, *_ in rows), num_tasks]:
            raise Mistake(
                f"{case} each share lacks its last task. `stop` is exclusive, as in a slice of "
                "Python."
            )
        sizes = [stop - start for start, stop, _ in rows]
        if any(size < 0 for size in sizes):
            raise Mistake(f"{case} a share stops before it starts.")
        if any(start < 0 or stop > num_tasks for start, stop, _ in rows):
            raise Mistake(f"{case} a share reaches beyond the batch.")
        if [(a - 1, b) for a, b, _ in rows] == [(a, b) for a, b, _ in right]:
            raise Mistake("Tasks are counted from 0, as in a slice of Python.")
        counts = [sum(a <= task < b for a, b, _ in rows) for task in range(num_tasks)]
        if 0 in counts:
            raise Mistake(
                f"{case} task {counts.index(0)} is computed by nobody: what is left over after "
                "dividing evenly has to go somewhere."
            )
        if max(counts) > 1:
            raise Mistake(f"{case} task {counts.index(max(counts))} is computed more than once.")
        if max(sizes) - min(sizes) > 1:
            raise Mistake(
                f"{case} one has {max(sizes)} and one {min(sizes)}. All wait for the slowest: "
                "no two shares may differ by more than one task."
            )
        if sizes != [b - a for a, b, _ in right]:
            raise Mistake(f"{case} the larger shares do not come first.")
        if any(rows[i][:2] != right[i][:2] for i in range(num_workers) if sizes[i]):
            raise Mistake(f"{case} the shares do not follow one another in the workers' order.")
        weights = [weight for *_, weight in rows]
        busy = sum(size > 0 for size in sizes)
        mistakes = (
            ([1 / num_workers] * num_workers, "Every worker's mean counts alike here. A task in a "
                "small share then counts for more than one in a large share."),
            ([(size > 0) / busy for size in sizes], "Every busy worker's mean counts alike here. "
                "A task in a small share then counts for more than one in a large share."),
            ([float(size) for size in sizes], "Your weights make it the *sum* over tasks. The "
                "meta-gradient is their mean."),
            ([1.0] * num_workers, "With weights of 1 more workers make a longer gradient."),
            ([(size > 0) * 1.0 for size in sizes], "With weights of 1 more workers make a longer "
                "gradient."),
            ([1 / num_tasks] * num_workers, "1 / tasks would do if a worker gave the *sum* over "
                "its tasks. It gives their mean."),
            ([(size > 0) / num_tasks for size in sizes], "1 / tasks would do if a worker gave the "
                "*sum* over its tasks. It gives their mean."),
            ([size / max(sizes) for size in sizes], "You measure a share by the largest one. The "
                "weights have to add up to 1."),
            ([1 / size if size else 0.0 for size in sizes], "This divides by the share's size once "
                "more: the mean has done that already."),
        )  # fmt: skip
        wanted = [weight for *_, weight in right]
        for wrong, words in mistakes:
            if same(weights, wrong) and not same(wrong, wanted):
                raise Mistake(words)
        if not same(weights, wanted, atol=1e-6):
            raise Mistake(
                f"{case} the shares are right, but Σ weight · (mean over the share) is not the "
                "mean over the batch. Write both out for two workers with 2 tasks and 1."
            )


def split_classes(
    groups: Sequence[Hashable], num_ways: int, generator: torch.Generator
) -> tuple[list[int], list[int], list[int]]:
    """The classes of meta-training, -validation and -test; those of a group stay together.

    Groups come in an order drawn from ``generator``. They go to meta-test until it has
    ``num_ways`` classes, then to meta-validation likewise, then to meta-training.

    Raises:
        ValueError: a part has fewer than ``num_ways`` classes.
    """
    names = list(dict.fromkeys(groups))
    parts: list[list[int]] = [[], [], []]
    part = 0
    for place in torch.randperm(len(names), generator=generator).tolist():
        if part < 2 and len(parts[part]) >= num_ways:
            part += 1
        parts[part] += [number for number, group in enumerate(groups) if group == names[place]]
    test, validation, train = map(sorted, parts)
    for what, found in (("test", test), ("validation", validation), ("training", train)):
        if len(found) < num_ways:
            raise ValueError(
                f"Meta-{what} has {len(found)} classes, too few for num_ways={num_ways}: choose "
                "fewer ways, or add classes."
            )
    return train, validation, test


# --- split_classes

PARTS = ("meta-training", "meta-validation", "meta-test")
Split = tuple[list[int], ...]

# Groups of the classes, and ways, which each part can have under every order of the groups.
CASES = (
    (list("abcdefghij"), 3),
    (["Greek"] * 3 + ["Latin"] * 4 + ["Cyrillic"] * 3 + ["Korean"] * 5 + ["Tifinagh"] * 3, 3),
    (list("bbacaadccdbd"), 2),
    ([3, 3, 1, 1, 1, 0, 0, 2, 2, 2, 2, 4, 4], 2),
    (["z", "y", "x"], 1),
    (list("zyxwvutsr"), 3),
    (["m", "k", "k", "m", "n", "o", "p", "n", "q", "o", "r", "s", "p", "t", "u", "q"], 4),
)
# The same, where under no order each part can: too few in all; enough in all, but not in each.
TOO_FEW = (
    (list("abcdefgh"), 3, "There are only 8 classes in all for three parts of 3 ways."),
    (["a"] * 5 + ["b"] * 4 + ["c"] * 1, 2, "One of its three alphabets has a single class."),
    (["a"] * 6 + ["b"] * 6, 3, "There are only two groups for three parts."),
    (["a"] * 9, 3, "All classes are of one group."),
    (list("ab"), 1, "There are two classes for three parts."),
)

HELPFUL = ("way", "class", "group", "alphabet")  # of these a refusal must speak


def _twisted(groups: Sequence[Hashable], num_ways: int, seed: int, twist: str) -> Split:
    """The split with a likely mistake: training, validation, test."""
    names = list(dict.fromkeys(groups))
    if twist == "torn":
        names, groups = list(range(len(groups))), list(range(len(groups)))
    if twist == "sorted":
        names = sorted(names)
    order = torch.randperm(len(names), generator=seeded(seed)).tolist()
    if twist == "not drawn":
        order = list(range(len(names)))
    parts: list[list[int]] = [[], [], []]
    part = count = 0
    for place in order:
        size = count if twist == "groups counted" else len(parts[part])
        enough = size > num_ways if twist == "one more" else size >= num_ways
        if part < 2 and enough:
            part, count = part + 1, 0
        parts[part] += [number for number, group in enumerate(groups) if group == names[place]]
        count += 1
    if twist == "training first":
        parts.reverse()
    if twist == "validation first":
        parts[0], parts[1] = parts[1], parts[0]
    if twist == "cut":
        parts[:2] = [sorted(one)[:num_ways] for one in parts[:2]]
    test, validation, train = map(sorted, parts)
    return train, validation, test


TWISTS = {
    "torn": "You shuffled classes, not groups: a group's classes end up in several parts.",
    "not drawn": "Your groups come in the order in which they first appear. Shuffle them first.",
    "sorted": "You number the groups in alphabetical order. Number them as they first appear, "
    "which does not hang on what they are called.",
    "one more": "Your parts go on when they already have `num_ways` classes. So many are enough.",
    "groups counted": "You count groups. A part is full when it has `num_ways` *classes*.",
    "training first": "Your groups fill meta-training first, and the rest goes to meta-test: the "
    "rest is for meta-training. Or you return the parts in another order than training, "
    "validation, test.",
    "validation first": "Meta-test is filled first; you begin with meta-validation. Or you return "
    "the parts in another order than training, validation, test.",
    "cut": "You cut a part down to `num_ways` classes. A group that goes into a part goes there "
    "whole, and no class is lost.",
}


def _three(result: Any) -> Split:
    """What came back as three lists of whole numbers."""
    if isinstance(result, dict):
        raise Mistake("You returned a dict: return three lists, meta-training first.")
    if isinstance(result, Tensor) and result.dim() == 2:
        result = list(result)
    if not isinstance(result, list | tuple) or len(result) != 3:
        raise Mistake("Return three lists: meta-training, meta-validation, meta-test.")
    parts = []
    for part in result:
        if isinstance(part, str) or not isinstance(part, Iterable):
            raise Mistake("Each of the three parts must be a list of class numbers.")
        if isinstance(part, Tensor):
            part = part.flatten().tolist()
        numbers = sorted(part, key=str)
        if any(isinstance(number, str) for number in numbers):
            raise Mistake("Your parts hold names of groups. Return the numbers of classes.")
        parts.append(sorted(int(number) for number in numbers))
    return tuple(parts)


def _broken(parts: Split, groups: Sequence[Hashable], num_ways: int) -> str:
    """Which promise of a split the parts do not keep, in words; empty if they keep all."""
    everything = sorted(number for part in parts for number in part)
    if len(set(everything)) < len(everything):
        return "A class is in two parts: what is tested was trained on."
    if set(everything) - set(range(len(groups))):
        return "There are numbers of no class: classes are numbered 0, 1, … as in `groups`."
    homes: dict[Hashable, set[int]] = {}
    for place, part in enumerate(parts):
        for number in part:
            homes.setdefault(groups[number], set()).add(place)
    if any(len(places) > 1 for places in homes.values()):
        return "A group's classes are torn apart: they are in more than one part."
    if len(everything) < len(groups):
        return "Some classes are in no part: what the other two do not take is for meta-training."
    small = [name for name, part in zip(PARTS, parts, strict=True) if len(part) < num_ways]
    return f"{small[0].capitalize()} has too few classes for `num_ways`." if small else ""


def check_split_classes(split: Callable) -> None:
    for groups, num_ways in CASES:
        answers = []
        for seed in range(3):
            right = split_classes(groups, num_ways, seeded(seed))
            try:
                result = split(list(groups), num_ways, seeded(seed))
            except ValueError as refusal:
                raise Mistake(
                    f"Your function raises ValueError ({refusal}) for {len(groups)} classes in "
                    f"{len(set(groups))} groups and {num_ways} way(s), where each part can have "
                    "enough. With exactly `num_ways` classes a part has enough."
                ) from None
            answers.append((seed, _three(attempted(result)), right))
        for seed, parts, right in answers:
            if parts == right:
                continue
            for twist, message in TWISTS.items():
                wrong = [_twisted(groups, num_ways, s, twist) for s, _, _ in answers]
                known = all(one == got for one, (_, got, _) in zip(wrong, answers, strict=True))
                if known:
                    raise Mistake(message)
            if broken := _broken(parts, groups, num_ways):
                raise Mistake(broken)
            if sorted(map(sorted, parts)) == sorted(map(sorted, right)):
                raise Mistake(
                    "The parts are right but come in the wrong order: return meta-training, "
                    "meta-validation, meta-test."
                )
            again = _three(split(list(groups), num_ways, seeded(seed)))
            if again != parts:
                raise Mistake(
                    "The same generator gives another split the next time: draw the order of the "
                    "groups from `generator`, and keep them in no set, whose order changes."
                )
            raise Mistake(
                f"This is a split of {len(groups)} classes, but not the one described. Shuffle "
                "the groups once by `torch.randperm(…, generator=generator)`, then fill meta-test, "
                "meta-validation and meta-training one after the other."
            )
    for groups, num_ways, why in TOO_FEW:
        for seed in range(3):
            try:
                split(list(groups), num_ways, seeded(seed))
            except ValueError as refusal:
                said = str(refusal)
                if any(word in said.lower() for word in HELPFUL):
                    continue
                raise Mistake(
                    f"{why} Your ValueError says {said!r}. That helps nobody: say of what there "
                    "are too few, ways or classes, and what would help."
                ) from None
            raise Mistake(
                f"{why} No split gives each part {num_ways} way(s), but your function raises no "
                "ValueError. Look at every part, meta-training too."
            )


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
        praise="learn2learn's own examples are this loop, in more lines. You can now read and "
        "check them.",
    ),
    "share_out": Exercise(
        hints=(
            "First who computes what. Dividing T by w leaves a remainder smaller than w: that many "
            "workers take one task more. `divmod` gives both numbers.",
            "The k-th worker starts where the k workers before it stop: at k times the even share, "
            "plus as many extra tasks as there are among those k. For the weights, write the mean "
            "over T tasks as a sum over shares.",
            "A share of n tasks with mean m adds n · m to the sum over all tasks. Divide by T, and "
            "see what stands before m. With n = 0 it is 0.",
        ),
        check=check_share_out,
        praise="Right, with any number of workers, also with more workers than tasks.",
    ),
    "split_classes": Exercise(
        hints=(
            "Forget the classes at first. Which groups are there, in the order in which they first "
            "appear? A set forgets that order; a dict keeps it.",
            "Go through the groups in the drawn order and keep three lists. Before a group is "
            "put away, ask: has the list that is being filled enough classes already? Then the "
            "next list is filled from now on, but there is none after the third.",
            "names = list(dict.fromkeys(groups)); for each place of the permutation add all "
            "`number` with `groups[number] == names[place]` to `parts[part]`, where `part` goes "
            "up by one, to 2 at most, once `len(parts[part]) >= num_ways`. At the end: any part "
            "too short, a ValueError that says so; else the third, second and first, each sorted.",
        ),
        check=check_split_classes,
        praise="No class in two parts, no alphabet torn, and enough classes in each part.",
    ),
}
