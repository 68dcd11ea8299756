"""What may be given, said at the door: ``ValueError`` with the name, the value and the remedy.

Numbers are checked where an object is made, tensors where a learner adapts. Settings are named by
keyword, ``checks.count(num_ways=num_ways)``, several at once if their range is the same.
"""

from __future__ import annotations

import functools
import math
import operator
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real

import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples

MOST_NUMBERS = 2**28
"""in one tensor that a sampler makes: a gigabyte of float32"""

MOST_STEPS = 10_000
"""of an inner loop: seconds, and all of them are remembered"""

NOISE = 1.0
"""how far images with noise may lie outside 0 … 1; pixels of 0 to 255 lie farther"""

# Numbers


def count(least: int = 1, most: int | None = None, /, **given: int) -> None:
    """Each of ``given`` is a whole number from ``least`` to ``most``. True and False are none."""
    for name, value in given.items():
        try:
            whole = operator.index(value)
        except (TypeError, RuntimeError, ValueError):
            whole = None
        known = whole is not None and not isinstance(value, bool)
        if known and whole >= least and (most is None or whole <= most):
            continue
        bounds = f"{least:,} or more" if most is None else f"{least:,} to {most:,}"
        raise ValueError(
            f"{name}={_short(value)}: choose {'' if known else 'a whole number, '}{bounds}"
        )


def sizes(**given: Sequence[int]) -> None:
    """Each of ``given`` is several whole numbers of 1 or more, in a list or tuple."""
    for name, several in given.items():
        if not isinstance(several, list | tuple):
            raise ValueError(f"{name}={_short(several)}: give several sizes, such as (64, 64)")
        count(**{f"{name}[{place}]": size for place, size in enumerate(several)})


def flag(**given: bool) -> None:
    """Each of ``given`` is True or False."""
    for name, value in given.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name}={_short(value)}: choose True or False")


def finite(**given: float) -> None:
    """Each of ``given`` is a number, neither infinite nor NaN."""
    _numbers(given, lambda number: True, "a finite number")


def rate(**given: float) -> None:
    """Each of ``given`` is a finite number of 0 or more."""
    _numbers(given, lambda number: number >= 0, "a finite number, 0 or more")


def positive(**given: float) -> None:
    """Each of ``given`` is a finite number above 0."""
    _numbers(given, lambda number: number > 0, "a finite number above 0")


def chance(**given: float) -> None:
    """Each of ``given`` is a number from 0 to 1."""
    _numbers(given, lambda number: 0 <= number <= 1, "a number from 0 to 1")


def choice(allowed: Sequence, /, **given: object) -> None:
    """Each of ``given`` is one of ``allowed``."""
    for name, value in given.items():
        if not any(value is one or (type(value) is type(one) and value == one) for one in allowed):
            raise ValueError(
                f"{name}={_short(value)}: choose {' or '.join(repr(one) for one in allowed)}"
            )


def _numbers(given: Mapping[str, float], allowed: Callable[[float], bool], right: str) -> None:
    for name, value in given.items():
        known = isinstance(value, Real) and not isinstance(value, bool)
        if isinstance(value, Tensor):
            known = value.dim() == 0 and not value.is_complex()
        try:
            fine = known and math.isfinite(value) and allowed(float(value))
        except OverflowError:  # a whole number beyond all floats
            fine = False
        if not fine:
            raise ValueError(f"{name}={_short(value)}: choose {right}")


def fits(**factors: int) -> None:
    """The product of ``factors``, counts all, is not too large to hold in memory."""
    total = math.prod(factors.values())
    if total > MOST_NUMBERS:
        product = " × ".join(f"{name}={value}" for name, value in factors.items())
        raise ValueError(
            f"{product} asks for {total:,} numbers at once: choose at most {MOST_NUMBERS:,}"
        )


def _short(value: object) -> str:
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python writes no number of thousands of digits
        text = f"a {type(value).__name__} too long to write"
    return text if len(text) <= 60 else text[:57] + "..."


# Tensors


def tensor(**given: Tensor) -> None:
    """Each of ``given`` is a tensor."""
    for name, value in given.items():
        if not isinstance(value, Tensor):
            raise ValueError(
                f"{name} is a {type(value).__name__}: give a tensor, not a numpy array or a list "
                "(torch.as_tensor makes one of either)"
            )


def values(least: float = 0.0, most: float = 1.0, /, **given: Tensor) -> None:
    """Each tensor of ``given`` holds numbers from ``least`` to ``most`` only."""
    tensor(**given)
    for name, value in given.items():
        if value.numel() and not untouchable(value):
            low, high = (end.item() for end in value.detach().aminmax())
            if not (low >= least and high <= most):
                raise ValueError(f"{name} holds {low:g} to {high:g}: give {least:g} to {most:g}")


def pixels(x: Tensor, name: str = "x", slack: float = 1e-3) -> None:
    """Images ``(…, 1, S, S)`` of float numbers, paper 0 and ink 1. Warns of white paper.

    Numbers may lie outside by ``slack``, as rounding or noise on the images makes them.
    """
    tensor(**{name: x})
    if x.dim() < 3 or x.shape[-3] != 1 or x.shape[-1] != x.shape[-2] or not x.numel():
        raise ValueError(f"{name} has shape {tuple(x.shape)}: give square images (…, 1, S, S)")
    if not x.is_floating_point():
        raise ValueError(
            f"{name} is {x.dtype}: give floats, of pixels 0 to 255 {name}.float() / 255"
        )
    if untouchable(x):
        return
    low, high = (end.item() for end in x.detach().aminmax())
    if not (low >= -slack and high <= 1 + slack):
        raise ValueError(
            f"{name} holds {low:g} to {high:g}: give images of 0 (paper) to 1 (ink); "
            "pixels of 0 to 255 must be divided by 255"
        )
    ink_on_paper(x)


def ink_on_paper(x: Tensor, full: int = 1) -> None:
    """Warns where images of paper 0 and ink ``full`` seem to be white paper, dark ink."""
    share = x.detach().float().mean().item() / full
    if share > 0.6:
        warnings.warn(
            f"These images are mostly ink (their mean is {share:.0%} of it): is their paper white? "
            f"Paper is 0 here and ink {full}: give {full} minus the image.",
            stacklevel=4,
        )


def examples(given: Examples, what: str = "support", least: int = 1) -> None:
    """``x`` is ``(T, N, …)``, of three axes or more, ``y`` is ``(T, N)``; N at least ``least``."""
    if not isinstance(given, Examples):
        raise ValueError(f"{what} is a {type(given).__name__}: give Examples(x, y)")
    x, y = given
    if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
        tensor(**{f"{what}.x": x, f"{what}.y": y})
    shape, of_y = x.shape, y.shape  # each asked for once: this is part of every training step
    fits_y = len(of_y) == 2 or (len(of_y) > 2 and y.is_floating_point())
    if len(shape) < 3 or not fits_y or shape[0] != of_y[0] or shape[1] != of_y[1] or not shape[0]:
        remedy = "x.unsqueeze(-1) adds the axis of features" if x.dim() == 2 else "T is 1 or more"
        raise ValueError(
            f"{what}.x has shape {tuple(x.shape)} and {what}.y {tuple(y.shape)}: "
            f"give x (T, N, …) and y (T, N); {remedy}"
        )
    if shape[1] < least:
        raise ValueError(f"{what} has {shape[1]} examples: give each task {least} or more")


def numbers(given: Examples, what: str = "support") -> None:
    """No NaN and no infinity among the examples: with one, a learner would seem to diverge."""
    if untouchable(given.x):
        return
    for name, part in (("x", given.x), ("y", given.y)):
        # The sum, as it takes a quarter of the time: where it is finite, so are all numbers.
        known = not part.is_floating_point() or math.isfinite(part.detach().sum().item())
        if not known and not part.isfinite().all():
            raise ValueError(f"{what}.{name} holds NaN or infinity: leave such examples out")


def same_kind(given: Examples, params: Mapping[str, Tensor], what: str = "support") -> None:
    """The examples have the dtype of ``params`` and lie on their device."""
    first = next(iter(params.values()), None)  # the others are like it
    alike = first is not None and given.x.dtype == given.y.dtype == first.dtype
    if alike and given.x.device == given.y.device == first.device:
        return
    for name, part in (("x", given.x), ("y", given.y)) if first is not None else ():
        dtype, wanted = part.dtype, first.dtype
        if dtype != wanted and (name == "x" or dtype.is_floating_point):
            remedy = f"{what}.{name}.{_CALLED.get(wanted, 'float')}()"
            raise ValueError(
                f"{what}.{name} is {dtype} but the parameters are {wanted}: give both one dtype, "
                f"for example {remedy}"
            )
        if part.device != first.device:
            raise ValueError(
                f"{what}.{name} is on {part.device} but the parameters are on {first.device}: "
                "move one with .to(device)"
            )


_CALLED = {torch.float64: "double", torch.float16: "half", torch.bfloat16: "bfloat16"}


_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def labels(y: Tensor, num_ways: int, what: str = "y") -> None:
    """Integer labels 0 … ``num_ways`` - 1, whether or not all are there."""
    if y.dtype not in _INTEGERS:
        raise ValueError(
            f"{what} is {y.dtype}: give classes as integers 0, 1, …, for example {what}.long()"
        )
    if untouchable(y) or not y.numel():
        return
    low, high = (end.item() for end in y.aminmax())
    if low < 0 or high >= num_ways:
        raise ValueError(
            f"{what} holds {_found(y)}: number the {num_ways} classes 0 to {num_ways - 1}"
        )


def logits(predicted: Tensor, y: Tensor) -> None:
    """``predicted`` is ``(T, N, num_ways)`` and ``y`` ``(T, N)`` holds classes of these ways."""
    if predicted.dim() != 3 or predicted.shape[:2] != y.shape:
        raise ValueError(
            f"logits {tuple(predicted.shape)} and labels {tuple(y.shape)}: "
            "give (T, N, num_ways) and (T, N)"
        )
    labels(y, predicted.shape[-1])


def classes(
    given: Examples,
    num_ways: int | None = None,
    what: str = "support",
    params: Mapping[str, Tensor] | None = None,
) -> Examples:
    """The door for labels: the examples with int64 labels 0 … num_ways - 1, each in every task.

    Args:
        num_ways: how many classes; without it as many as the largest label says.
        params: whose dtype and device the examples must have.

    Raises:
        ValueError: they are no integers, a label is out of range, or in some task a class has no
            example. The message names the labels that were found.
    """
    examples(given, what)
    x, y = given
    if y.dtype not in _INTEGERS:
        labels(y, 0, f"{what}.y")  # says so
    same_kind(given, params or {}, what)
    if x.dim() == 5 and x.shape[2] == 1:
        pixels(x, f"{what}.x", NOISE)
    if untouchable(y):
        return Examples(x, y.long())
    num_ways = max(y.max().item() + 1, 1) if num_ways is None else num_ways
    labels(y, num_ways, f"{what}.y")
    y = y.long()
    there = None
    if num_ways <= y.shape[1]:  # else some class has no example, whichever they are
        there = torch.zeros(len(y), num_ways, dtype=torch.bool, device=y.device).scatter_(
            1, y, True
        )
    if there is None or not there.all():
        task = 0 if there is None else int((~there).any(1).nonzero()[0])
        raise ValueError(
            f"{what}.y of task {task} holds {_found(y[task])}, but there are {num_ways} classes, "
            f"0 to {num_ways - 1}: each needs an example in every task. "
            "Number a task's classes from 0, without a gap"
        )
    return given if y is given.y else Examples(x, y)


def asked(episodes: Episodes) -> None:
    """The query belongs to its support: as many tasks, x and y of the same kind, known classes."""
    if not isinstance(episodes, Episodes):
        raise ValueError(f"episodes is a {type(episodes).__name__}: give Episodes(support, query)")
    support, query = episodes
    examples(query, "query")
    if not isinstance(support, Examples):
        examples(support)  # says so; the rest of it is for whoever adapts
    (x, known), (query_x, y) = episodes
    shape, query_shape = x.shape, query_x.shape
    if shape[0] != query_shape[0] or shape[2:] != query_shape[2:]:
        raise ValueError(
            f"support.x has shape {tuple(shape)} and query.x {tuple(query_shape)}: "
            "give both the same tasks, and an x of the same shape"
        )
    values_asked = y.is_floating_point()
    name, one, other = "x", x.dtype, query_x.dtype
    if one == other and (values_asked or known.is_floating_point()):
        name, one, other = "y", known.dtype, y.dtype
    if one != other:
        raise ValueError(
            f"support.{name} is {one} and query.{name} {other}: give both one dtype, "
            f"for example query.{name}.to(support.{name}.dtype)"
        )
    if values_asked:
        return
    if len(query_shape) == 5 and query_shape[2] == 1:
        pixels(query_x, "query.x", NOISE)
    if untouchable(y) or not known.numel():
        return
    labels(known, 2**31, "support.y")
    labels(y, int(known.max()) + 1, "query.y")


def _found(y: Tensor) -> str:
    found = y.unique().tolist()
    shown = ", ".join(map(str, found[:8])) + (f", … {found[-1]}" if len(found) > 8 else "")
    return f"the labels {shown}" if len(found) > 1 else f"only the label {shown}"


def steps(asked: int | None, else_: int, given: Examples) -> int:
    """How many inner steps to take: those asked for, or else ``else_``. Each needs an example."""
    if asked is not None:
        count(0, MOST_STEPS, inner_steps=asked)
    taken = else_ if asked is None else asked
    if taken and not given.y.shape[1]:
        raise ValueError("support has 0 examples: give each task 1 or more")
    return taken


def context(given: Examples, params: Mapping[str, Tensor]) -> None:
    """What a learner of values reads, none included: floats of the dtype of its ``params``."""
    examples(given, least=0)
    if not (given.x.is_floating_point() and given.y.is_floating_point()):
        raise ValueError(
            f"support.x is {given.x.dtype} and support.y {given.y.dtype}: this learner answers "
            "with values, so give floats, for example support.y.float()"
        )
    if given.y.dim() != 2:
        raise ValueError(f"support.y has shape {tuple(given.y.shape)}: give y (T, N)")
    same_kind(given, params or {"y": given.y})
    numbers(given)


def support(given: Examples, params: Mapping[str, Tensor], network: object = None) -> None:
    """What a learner can take gradient steps on, with ``network`` and its ``params``.

    No example at all is fine as long as no step is taken.

    Raises:
        ValueError: for shapes, dtypes, devices; labels that are no classes of the network; and
            inside ``torch.inference_mode()``, where there are no gradients.
    """
    examples(given, least=0)
    same_kind(given, params)
    if not torch.is_grad_enabled():  # in training NaN ends it anyhow, and looking would take 1 %
        numbers(given)
    if torch.is_inference_mode_enabled() or given.x.is_inference():
        raise ValueError(
            "adapting takes gradient steps, which torch.inference_mode() and tensors made in it "
            "rule out: use torch.no_grad(), and .clone() such a tensor outside"
        )
    outputs = getattr(network, "num_ways", None) or (getattr(network, "sizes", None) or (None,))[-1]
    if given.y.is_floating_point():
        if outputs is not None and outputs > 1 and given.y.dim() == 2:
            raise ValueError(
                f"support.y is {given.y.dtype} but the network answers {outputs} logits, one for "
                "each class: give classes as integers, for example support.y.long()"
            )
        if given.y.dim() > 2 and outputs is not None and given.y.shape[2:] != (outputs,):
            raise ValueError(
                f"support.y has shape {tuple(given.y.shape)} but the network answers {outputs} "
                "numbers for each x: give y (T, N)"
            )
        return
    if outputs == 1:
        raise ValueError(
            f"support.y is {given.y.dtype}, classes, but the network answers one number for each "
            "x, a regression: give support.y.float(), or a network with an output for each class"
        )
    if outputs is not None:
        labels(given.y, outputs, "support.y")
    if given.y.shape[1]:
        classes(given)  # a task may have fewer ways than the network has outputs


def names_unused(adapt: Callable) -> Callable:
    """``adapt`` or ``trace`` of a learner, naming the parameters that its network never looks at.

    Autograd says only that there are some.
    """

    @functools.wraps(adapt)
    def named(learner, support, *args, **kwargs):
        try:
            return adapt(learner, support, *args, **kwargs)
        except RuntimeError as error:
            if "not have been used" not in str(error):
                raise
            names, values = zip(*learner.start(support).items(), strict=True)
            values = [value.detach().requires_grad_() for value in values]
            with torch.enable_grad():
                answers = learner.network(dict(zip(names, values, strict=True)), support.x)
                gradients = torch.autograd.grad(answers.sum(), values, allow_unused=True)
            all_used(names, gradients)
            raise

    return named


def episodes(given) -> None:
    """Support and query as ``classes`` and ``asked`` want them; for what is compiled after."""
    if isinstance(given, Episodes) and not given.support.y.is_floating_point():
        classes(given.support)
    asked(given)


def untouchable(value: Tensor) -> bool:
    """Whether numbers cannot be looked at now: while recording, compiling or in ``vmap``."""
    return (
        torch.compiler.is_compiling()
        or torch._C._len_torch_dispatch_stack() > 0
        or value.is_meta
        or torch._C._functorch.is_functorch_wrapped_tensor(value)
    )


def all_used(names: Iterable[str], gradients: Sequence[Tensor | None]) -> None:
    """Each parameter has a gradient, asked for with ``allow_unused``: the network looked at it."""
    if unused := [n for n, gradient in zip(names, gradients, strict=True) if gradient is None]:
        raise ValueError(
            f"the network never uses the parameter {' and '.join(unused)}: leave it out of params"
        )
