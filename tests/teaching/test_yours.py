"""Which function runs from here: the reader's, if its check passes, else the package's."""

import functools

import numpy as np
import pytest
import torch
from scipy import stats

from instructor.answers import all_answers
from metalearn_lite.teaching import check, yours

ANSWERS = all_answers()


def package_version(*given):
    raise AssertionError("nobody calls it here")


@pytest.mark.parametrize("name", ANSWERS)
def test_with_a_right_answer_it_is_the_readers(name, capsys):
    answer = ANSWERS[name].right[0]
    assert yours(name, answer, package_version) is not package_version
    assert capsys.readouterr().out == f"✔ {name}: your own function runs from here.\n"


@pytest.mark.parametrize("name", ANSWERS)
def test_with_a_wrong_answer_the_package_steps_in(name, capsys):
    for answer in ANSWERS[name].wrong:
        assert yours(name, answer, package_version) is package_version
        assert capsys.readouterr().out == (
            f"✗ {name}: its check refuses your function, so the package's runs from here.\n"
        )


@pytest.mark.parametrize("name", ANSWERS)
def test_untouched_the_package_steps_in(name, capsys):
    def starter(*given):
        raise NotImplementedError("your turn")

    assert yours(name, starter, package_version) is package_version
    assert capsys.readouterr().out == (
        f"○ {name}: not attempted yet, so the package's version runs from here.\n"
    )


def test_what_stepped_in_is_no_answer():
    """Who runs the check again without the own function is told so, not praised."""

    def square(x):
        return x * x

    def starter(x):
        raise NotImplementedError

    answer = yours("00.square", starter, square)
    verdict = check("00.square", answer)
    assert verdict.status == "not attempted"
    assert "stepped in for yours" in verdict.message
    assert yours("00.square", answer, square) is square
    assert check("00.square", lambda x: x**2).passed


def median_interval(errors):
    ordered, rank = errors.sort().values, int(stats.binom.ppf(0.025, len(errors), 0.5))
    if rank == 0:
        return torch.tensor(0.0), torch.tensor(torch.inf)
    return ordered[rank - 1], ordered[-rank]


def test_a_function_that_returns_tensors_is_handed_on_as_it_is():
    assert yours("04.interval", median_interval, package_version) is median_interval


def test_arrays_come_back_as_tensors_of_the_arguments_precision():
    def in_numpy(errors):
        return np.array(median_interval(errors.double()))

    runs = yours("04.interval", in_numpy, package_version)
    assert runs is not in_numpy
    assert runs.__name__ == "in_numpy"
    for precision in (torch.float32, torch.float64):
        result = runs(torch.tensor([0.2, 0.4, 0.1, 0.9, 0.5, 0.3], dtype=precision))
        assert result.dtype == precision
        assert result.tolist() == pytest.approx([0.1, 0.9], abs=1e-3)


def test_lists_and_mixed_precision_become_tensors_and_keep_the_graph():
    def in_double(network, params, x, y, inner_lr):
        stepped = ANSWERS["04.inner_step"].right[0](network, params, x, y, inner_lr)
        return {name: value.double() for name, value in stepped.items()}

    runs = yours("04.inner_step", in_double, package_version)
    params = {"w": torch.ones(2, 1, 1, requires_grad=True)}
    x, y = torch.ones(2, 3, 1), torch.zeros(2, 3)
    stepped = runs(lambda params, x: (x @ params["w"]).squeeze(-1), params, x, y, 0.1)
    assert stepped["w"].dtype == torch.float32
    (slope,) = torch.autograd.grad(stepped["w"].sum(), [params["w"]])
    assert slope.flatten().tolist() == pytest.approx([0.8, 0.8])


def test_of_plain_numbers_lists_and_arrays_come_back_in_double(capsys):
    """As Python's own numbers are: 12 / 25 in single precision would be wrong by 1e-8."""
    for answer in ANSWERS["16.share_out"].right:
        shares = yours("16.share_out", answer, package_version)(25, 2)
        assert shares[1][2] == pytest.approx(12 / 25, abs=1e-15)


@pytest.mark.parametrize("answer", [None, 3, "text"])
def test_no_function_is_a_refused_answer(answer, capsys):
    assert yours("04.interval", answer, package_version) is package_version
    assert "its check refuses" in capsys.readouterr().out


def test_what_cannot_be_is_refused():
    with pytest.raises(TypeError, match="package_version must be a function, not None"):
        yours("04.interval", median_interval, None)
    with pytest.raises(KeyError, match=r"04\.inner_step"):
        yours("04.intervall", median_interval, package_version)


class Callable:
    answer = None

    def __init__(self):
        self.answer, self.returns_tensors = "its own", "too"

    def __call__(self, errors):
        return median_interval(errors)


@pytest.mark.parametrize(
    "answer",
    [Callable(), Callable().__call__, functools.partial(median_interval), lambda e: Callable()(e)],
    ids=["object", "method", "partial", "lambda"],
)
def test_whatever_can_be_called_can_be_an_answer(answer, capsys):
    runs = yours("04.interval", answer, package_version)
    assert runs is answer, capsys.readouterr().out
    assert runs(torch.tensor([1.0, 3.0]))[0] == 0
