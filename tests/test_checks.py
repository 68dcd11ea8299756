"""What may be given: every helper names the value and says what to give instead."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.networks import MLP, ConvClassifier

NO_NUMBERS = ["1", None, [1], True, 1j, torch.tensor([1, 2]), object()]


@pytest.mark.parametrize("value", [1, 7, np.int64(3), torch.tensor(2)])
def test_whole_numbers_are_counts(value):
    checks.count(n=value)


@pytest.mark.parametrize("value", [*NO_NUMBERS, 2.5, 2.0, float("nan")])
def test_what_is_no_whole_number_is_no_count(value):
    with pytest.raises(ValueError, match=r"n=.*: choose a whole number, 1 or more"):
        checks.count(n=value)


def test_a_count_has_bounds():
    checks.count(0, n=0, m=0)
    checks.count(2, 5, n=2, m=5)
    with pytest.raises(ValueError, match=r"^n=0: choose 1 or more$"):
        checks.count(n=0)
    with pytest.raises(ValueError, match=r"^m=6: choose 2 to 5$"):
        checks.count(2, 5, n=2, m=6)


@pytest.mark.parametrize(
    ("helper", "allowed", "refused"),
    [
        (checks.finite, (-3, 0.5, np.float32(2), torch.tensor(0.1)), ()),
        (checks.rate, (0, 0.0, 1e30), (-0.1, -1)),
        (checks.positive, (1e-9, 3), (0, 0.0, -1)),
        (checks.chance, (0, 1, 0.5), (-1e-9, 1.01, 7.0)),
    ],
)
def test_numbers_have_a_range(helper, allowed, refused):
    for value in allowed:
        helper(alpha=value)
    for value in (*refused, float("nan"), float("inf"), -float("inf"), *NO_NUMBERS):
        with pytest.raises(ValueError, match=r"^alpha=.*: choose a"):
            helper(alpha=value)


def test_a_choice_is_one_of_a_few():
    checks.choice(("cosine", "euclidean"), distance="cosine")
    checks.choice((1, 2), order=2)
    with pytest.raises(ValueError, match="order=3: choose 1 or 2"):
        checks.choice((1, 2), order=3)
    with pytest.raises(ValueError, match="order=True"):
        checks.choice((1, 2), order=True)


def test_a_long_value_is_cut_short():
    with pytest.raises(ValueError, match=r"n=\[0, 1, .*\.\.\.: choose") as refused:
        checks.count(n=list(range(1000)))
    assert len(str(refused.value)) < 150


def test_what_does_not_fit_is_refused_before_it_is_made():
    checks.fits(a=2**14, b=2**14)
    with pytest.raises(ValueError, match="a=100000 × b=100000 asks for 10,000,000,000 numbers"):
        checks.fits(a=10**5, b=10**5)


# Examples


def examples(y, x=None, dtype=torch.long) -> Examples:
    y = torch.tensor(y, dtype=dtype)
    return Examples(torch.zeros(*y.shape, 1) if x is None else x, y)


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 3), st.integers(0, 9))
def test_every_true_labelling_passes(num_ways, num_shots, num_tasks, seed):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(num_ways).repeat(num_shots)
    y = torch.stack([y[torch.randperm(len(y), generator=generator)] for _ in range(num_tasks)])
    for dtype in (torch.int64, torch.int32, torch.uint8):
        passed = checks.classes(Examples(torch.zeros(*y.shape, 1), y.to(dtype)), num_ways)
        assert passed.y.dtype == torch.int64
        assert torch.equal(passed.y, y)


@pytest.mark.parametrize(
    ("y", "num_ways", "message"),
    [
        ([[1, 2, 3]], None, "holds the labels 1, 2, 3, but there are 4 classes, 0 to 3"),
        ([[1, 2, 3]], 3, "holds the labels 1, 2, 3: number the 3 classes 0 to 2"),
        ([[0, 1], [0, 0]], None, "of task 1 holds only the label 0, but there are 2 classes"),
        ([[0, -100]], 2, "holds the labels -100, 0: number the 2 classes 0 to 1"),
        ([[0, 50]], None, "holds the labels 0, 50, but there are 51 classes"),
        ([[0, 10**15]], None, "there are 1000000000000001 classes"),
        ([[0, 1, 2]], 5, "there are 5 classes, 0 to 4: each needs an example"),
    ],
)
def test_labels_that_are_no_classes_are_refused(y, num_ways, message):
    with pytest.raises(ValueError, match=message):
        checks.classes(examples(y), num_ways)


def test_labels_are_integers():
    for dtype in (torch.float32, torch.bool, torch.complex64):
        with pytest.raises(ValueError, match="give classes as integers"):
            checks.classes(examples([[0, 1]], dtype=dtype))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.zeros(2, 3), torch.zeros(2, 3), r"x\.unsqueeze\(-1\) adds the axis of features"),
        (torch.zeros(2, 3, 1), torch.zeros(2, 4), r"shape \(2, 3, 1\) and support.y \(2, 4\)"),
        (torch.zeros(2, 3, 1), torch.zeros(6), r"support.y \(6,\)"),
        (torch.zeros(0, 3, 1), torch.zeros(0, 3), "T is 1 or more"),
        (torch.zeros(2, 0, 1), torch.zeros(2, 0), "support has 0 examples: give each task 1"),
        (np.zeros((2, 3, 1)), torch.zeros(2, 3), "support.x is a ndarray: give a tensor"),
        (torch.zeros(2, 3, 1), [[0.0] * 3] * 2, "support.y is a list: give a tensor"),
    ],
)
def test_shapes_are_told(x, y, message):
    with pytest.raises(ValueError, match=message):
        checks.examples(Examples(x, y))
    checks.examples(Examples(torch.zeros(2, 0, 1), torch.zeros(2, 0)), least=0)


def test_dtypes_say_both_and_the_remedy():
    params = MLP(1, 2, 1).init(torch.Generator())
    x, y = torch.zeros(2, 3, 1), torch.zeros(2, 3)
    checks.support(Examples(x, y), params, MLP(1, 2, 1))
    for given_, name in (((x.double(), y), "x"), ((x, y.double()), "y")):
        message = (
            rf"support.{name} is torch.float64 but the parameters are torch.float32.*float\(\)"
        )
        with pytest.raises(ValueError, match=message):
            checks.support(Examples(*given_), params)


def test_a_network_says_which_answers_it_gives():
    def refused(y, network, message):
        x = torch.zeros(*y.shape, 1)
        with pytest.raises(ValueError, match=message):
            checks.support(Examples(x, y), {}, network)

    classes = torch.tensor([[0, 1, 2, 3, 4]])
    checks.support(Examples(torch.zeros(1, 5, 1), classes), {}, ConvClassifier(5))
    refused(classes, MLP(1, 2, 1), r"one number for each x, a regression: give support.y.float\(\)")
    refused(classes, ConvClassifier(3), "number the 3 classes 0 to 2")
    checks.support(Examples(torch.zeros(1, 5, 1), classes), {}, MLP(1, 2, 6))
    refused(classes + 1, MLP(1, 2, 6), "labels 1, 2, 3, 4, 5, but there are 6 classes")
    refused(classes.float(), MLP(1, 2, 5), r"answers 5 logits.*support.y.long\(\)")


def test_inference_mode_is_named():
    support = Examples(torch.zeros(1, 3, 1), torch.zeros(1, 3))
    with torch.inference_mode(), pytest.raises(ValueError, match=r"use torch.no_grad\(\)"):
        checks.support(support, {})
    with torch.inference_mode():
        made_inside = Examples(torch.zeros(1, 3, 1), torch.zeros(1, 3))
    with pytest.raises(ValueError, match=r"\.clone\(\)"):
        checks.support(made_inside, {})


def test_what_is_compiled_is_checked_before():
    good = examples([[0, 1], [1, 0]])
    checks.episodes(Episodes(good, examples([[1], [0]])))
    with pytest.raises(ValueError, match=r"query.y holds"):
        checks.episodes(Episodes(good, examples([[2], [0]])))
    with pytest.raises(ValueError, match="each needs an example"):
        checks.episodes(Episodes(examples([[1, 1]]), good))


def test_while_recording_nobody_looks_at_numbers():
    """Else a compiled meta-gradient could not be made: its numbers are not known yet."""
    from torch.fx.experimental.proxy_tensor import make_fx

    def passed(y):
        checks.labels(y, 2)
        checks.pixels(y.float().view(1, 1, 2, 2))
        return checks.classes(Examples(torch.zeros(1, 4, 1), y)).y + 1

    wrong = torch.tensor([[5, 5, 5, 5]])
    assert torch.equal(make_fx(passed)(wrong)(wrong), wrong + 1)
    batched = torch.func.vmap(passed)(wrong[None])
    assert torch.equal(batched[0], wrong + 1)
    with pytest.raises(ValueError, match="number the 2 classes"):
        passed(wrong)


def test_unused_parameters_are_named():
    one = torch.ones(1)
    checks.all_used(["a", "b"], [one, one])
    with pytest.raises(ValueError, match="never uses the parameter b and c"):
        checks.all_used(["a", "b", "c"], [one, None, None])
