"""What holds for every exercise alike: nothing returned, other containers, constants."""

import copy
import functools
import re

import numpy as np
import pytest
import torch

from instructor.answers import all_answers
from metalearn_lite.teaching import check

ANSWERS = all_answers()

# Here the meta-gradient flows through what is returned: numbers alone would not do.
GRAPH_IS_THE_POINT = {"04.inner_step", "04.meta_loss", "17.ridge_head"}
KEEP_THE_GRAPH = {"float64", "tensors", "tuples made lists", "one in an axis of its own"}

# It has no arguments: what it asks for is one case, of which there are many.
IS_A_CONSTANT = {"03.fool_first_order"}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_forgotten_return_is_told(name):
    def computes_only(*given):
        ANSWERS[name].right[0](*given)

    verdict = check(name, computes_only)
    assert verdict.status == "wrong"
    assert "is a `return` missing?" in verdict.message


def mapped(value, tensor, number):
    """``value`` with ``tensor`` and ``number`` applied wherever there is one, however deep."""
    if isinstance(value, torch.Tensor):
        return tensor(value)
    if isinstance(value, bool | int | float):
        return number(value)
    if isinstance(value, dict):
        return {name: mapped(part, tensor, number) for name, part in value.items()}
    if isinstance(value, tuple | list):
        parts = [mapped(part, tensor, number) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    assert value is None
    return None


def double(value):
    return value.double() if value.is_floating_point() else value


CONTAINERS = {
    "float64": lambda value: mapped(value, double, lambda n: double(torch.tensor(n))),
    "numpy": lambda value: mapped(value, lambda t: t.detach().numpy(), np.asarray),
    "numpy scalars": lambda value: mapped(
        value, lambda t: t.detach().numpy()[()], lambda n: np.asarray(n)[()]
    ),
    "lists": lambda value: mapped(value, lambda t: t.detach().tolist(), lambda n: n),
    "tensors": lambda value: mapped(value, lambda t: t, torch.tensor),
    "tuples made lists": lambda value: list(value) if type(value) is tuple else value,
    "one in an axis of its own": lambda value: (
        value.reshape(1) if isinstance(value, torch.Tensor) and value.dim() == 0 else value
    ),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", ANSWERS)
def test_the_right_answer_passes_in_other_containers(name, container):
    def answer(*given):
        return CONTAINERS[container](ANSWERS[name].right[0](*given))

    passes = name not in GRAPH_IS_THE_POINT or container in KEEP_THE_GRAPH
    verdict = check(name, answer)
    assert verdict.passed is passes, verdict


def detached(value):
    return mapped(value, lambda tensor: tensor.detach().clone(), lambda number: number)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_constant_is_refused(name):
    """The right answer's value on the check's first example, whatever is asked."""
    seen = []

    def remembers(*given):
        result = ANSWERS[name].right[0](*given)
        seen.append(detached(result))
        return result

    assert check(name, remembers).passed
    verdict = check(name, lambda *given: copy.deepcopy(seen[0]))
    assert verdict.passed is (name in IS_A_CONSTANT), verdict


@pytest.mark.parametrize("name", ANSWERS)
def test_a_number_that_the_check_prints_is_refused(name):
    """Whoever copies what a refusal says is right is still refused."""
    zero = _filled(_first_result(name), 0)
    printed = re.findall(r"-?\d+\.\d+|\d+", check(name, lambda *given: zero).message)
    copies = [_filled(zero, float(number)) for number in dict.fromkeys(printed)]
    passed = [check(name, functools.partial(_constant, copy)).passed for copy in copies]
    assert not any(passed)


def _constant(value, *given):
    return value


def _filled(value, number):
    return mapped(value, lambda t: torch.full_like(t, number), lambda n: type(n)(number))


def _first_result(name):
    seen = []

    def remembers(*given):
        seen.append(ANSWERS[name].right[0](*given))
        return seen[-1]

    check(name, remembers)
    return detached(seen[0])
