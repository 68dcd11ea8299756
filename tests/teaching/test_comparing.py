import numpy as np
import pytest
import torch

from metalearn_lite.teaching.comparing import Mistake, converted, of_shape, refuse, same

ONES = torch.ones(2, 3)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (ONES, ONES + 1e-6, True),
        (ONES, ONES + 1e-2, False),
        (ONES.double(), ONES, True),  # who computes in another precision is as right
        (ONES.long(), ONES, True),
        (ONES.numpy(), ONES, True),
        (ONES.clone().requires_grad_(), ONES, True),
        (ONES[:1], ONES, False),  # though it could be broadcast
        (ONES * torch.nan, ONES * torch.nan, False),
        (0.5, torch.tensor(0.5), True),
        ({"a": ONES}, {"a": ONES}, True),
        ({"a": ONES}, {"a": 2 * ONES}, False),
        ({"a": ONES, "b": ONES}, {"a": ONES}, False),
        ([ONES, ONES], [ONES], False),
        ((ONES, 2 * ONES), [ONES, 2 * ONES], True),
        (ONES.tolist(), ONES, True),
        (torch.ones(1), torch.ones(1), True),
        ("text", ONES, False),
        (None, ONES, False),
        (3, [ONES], False),
        (3, {"a": ONES}, False),
    ],
)
def test_same(a, b, expected):
    assert same(a, b) is expected


def test_tolerances_are_handed_down():
    assert same({"a": [ONES]}, {"a": [ONES + 0.1]}, rtol=0, atol=0.2)
    assert not same({"a": [ONES]}, {"a": [ONES + 0.1]}, rtol=0, atol=0.05)


TENSORS = (torch.arange(3.0), torch.tensor([[True, False]]), torch.tensor([4, 5]))


@pytest.mark.parametrize("value", TENSORS, ids=lambda value: str(value.dtype))
@pytest.mark.parametrize(
    "made",
    [
        torch.Tensor.numpy,
        torch.Tensor.tolist,
        lambda value: value.numpy()[::-1].copy()[::-1],  # negative strides
        lambda value: value.double() if value.is_floating_point() else value,
    ],
)
def test_arrays_and_lists_are_tensors_to_a_check(made, value):
    found = converted(made(value))
    assert found.dtype == value.dtype
    assert torch.equal(found, value)
    name, (first, second) = "weight", converted((made(value), [made(value)]))
    assert torch.equal(converted({name: made(value)})[name], value)
    assert torch.equal(first, value)
    assert torch.equal(torch.as_tensor(second[0]), value)


def test_one_number_is_one_number_in_whatever_it_comes():
    for one in (torch.ones(1), [1.0], np.ones(1), np.float64(1), torch.tensor(1.0).double()):
        found = torch.as_tensor(converted(one), dtype=torch.float32)
        assert torch.equal(found, torch.tensor(1.0))
    assert converted(np.bool_(True)) is True
    assert converted(torch.tensor(False)) is False
    assert converted({"bias": torch.ones(1)})["bias"].shape == (1,)  # a parameter keeps its shape


def test_what_holds_no_numbers_stays_and_a_graph_stays_whole():
    for other in ("text", None, ["a", None], object, {1, 2}, [[1], [2, 3]][:0]):
        found = converted(other)
        assert isinstance(found, torch.Tensor) if other == [] else found == other
    leaf = torch.ones((), requires_grad=True)
    (2 * converted([leaf, leaf])).sum().backward()
    assert leaf.grad == 4


def test_a_list_of_rows_is_a_table():
    rows = [torch.ones(3), torch.ones(3)]
    assert torch.equal(of_shape(rows, (2, 3), "a table"), ONES)
    with pytest.raises(Mistake, match="got list"):
        of_shape([torch.ones(3), torch.ones(2)], (2, 3), "a table")


@pytest.mark.parametrize(
    ("result", "kind"), [(ONES.T, r"\(3, 2\)"), ([1, 2], r"\(2,\)"), ("no", "str")]
)
def test_another_shape_is_refused_with_both(result, kind):
    assert of_shape(ONES, (2, 3), "a table") is ONES
    with pytest.raises(Mistake, match=rf"Expected shape \(2, 3\): a table; got {kind}\."):
        of_shape(result, (2, 3), "a table")


def test_the_first_known_mistake_speaks():
    mistakes = [(0 * ONES, "zeros"), (2 * ONES, "doubled"), (2 * ONES, "too late")]
    refuse(ONES, mistakes)
    with pytest.raises(Mistake, match="doubled"):
        refuse(2 * ONES, mistakes)
    with pytest.raises(Mistake, match="zeros"):
        refuse(ONES, mistakes, atol=1.5)
