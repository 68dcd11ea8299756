import pytest
import torch

from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.exercises import Mistake

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
    ],
)
def test_same(a, b, expected):
    assert same(a, b) is expected


def test_tolerances_are_handed_down():
    assert same({"a": [ONES]}, {"a": [ONES + 0.1]}, rtol=0, atol=0.2)
    assert not same({"a": [ONES]}, {"a": [ONES + 0.1]}, rtol=0, atol=0.05)


@pytest.mark.parametrize(("result", "kind"), [(ONES.T, r"\(3, 2\)"), ([1, 2], "list")])
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
