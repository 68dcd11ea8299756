"""Whatever an answer does, `check` says a sentence, and names the reader's own line."""

import functools
import os
import signal
import sys
import threading

import pytest
import torch
from torch.nn import functional as F

from metalearn_lite.teaching import check, hint, running
from metalearn_lite.teaching.exercises import find
from metalearn_lite.teaching.running import notebook_data

NAME = "07.prototypes"
posix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarm on Windows")


def test_nothing_returned_is_told_from_nothing_attempted():
    def computes(embedded, y, num_ways):
        embedded.mean(1)

    def untouched(embedded, y, num_ways):
        """Class means."""

    def dots(embedded, y, num_ways): ...

    def bare(embedded, y, num_ways):
        raise NotImplementedError

    for starter in (untouched, dots, bare, lambda *_: None, functools.partial(bare)):
        verdict = check(NAME, starter)
        assert repr(verdict) == f'○ Not attempted yet. For a hint: hint("{NAME}", 1)'
        assert not verdict.passed
    verdict = check(NAME, computes)
    assert verdict.status == "wrong"
    assert "is a `return` missing?" in verdict.message


def test_nothing_returned_by_one_branch_is_told():
    def half(predict, x):
        if predict(x[:, :1]).equal(predict(x)[:, :1]):
            return None
        alone = torch.cat([predict(x[:, [i]]) for i in range(x.shape[1])], 1)
        return (predict(x).softmax(-1) - alone.softmax(-1)).abs().amax(-1)

    message = check("08.leak", half).message
    assert message.startswith("For one of the check's inputs your function returned None")


def test_a_starter_with_code_above_is_attempted():
    def left_over(embedded, y, num_ways):
        mean = embedded.mean(1)  # noqa: F841
        raise NotImplementedError("your turn")

    message = check(NAME, left_over).message
    assert "NotImplementedError: your turn (line " in message
    assert 'raise NotImplementedError("your turn")' in message


def in_torch(embedded, y, num_ways):
    return F.softmax(embedded @ y.float(), dim=7)  # the reader's


def in_a_helper(embedded, y, num_ways):
    def helper():
        return F.one_hot(y, -3)  # deeper

    return helper()


def in_a_callback(encode, decode, support_x, support_y, mask, query_x):
    return decode(query_x.squeeze(), encode(support_x, support_y[:, :2]))  # to the check's own


@torch.no_grad()
def decorated(embedded, y, num_ways):
    return torch.stack([])  # below no_grad


class Answer:
    def __call__(self, embedded, y, num_ways):
        return embedded.undefined  # in a method


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        (NAME, in_torch, "# the reader's)"),
        (NAME, in_a_helper, "# deeper)"),
        ("09.neural_process", in_a_callback, "# to the check's own)"),
        (NAME, decorated, "# below no_grad)"),
        (NAME, Answer(), "# in a method)"),
        (NAME, functools.partial(in_torch), "# the reader's)"),
    ],
)
def test_the_line_is_the_readers(name, answer, words):
    message = check(name, answer).message
    assert message.startswith("Your code raised ")
    assert words in message


def test_a_line_of_another_cell_is_named():
    """A notebook's cells share their names, not their file."""
    cells = {}
    for number, source in enumerate(
        ("def helper(x):\n    return x + nothing", "def answer(x):\n    return helper(x)")
    ):
        exec(compile(source, f"cell {number}", "exec"), cells)
    assert "'nothing' is not defined (line 2)" in check("00.square", cells["answer"]).message


class Broken(Exception):
    def __str__(self):
        raise ValueError


def leave(*_):
    sys.exit(3)


def recursive(*given):
    return recursive(*given)


def raises(error):
    def answer(*_):
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (leave, "asked Python to exit"),
        (recursive, "where does it stop?"),
        (raises(KeyboardInterrupt()), "raised KeyboardInterrupt"),
        (raises(GeneratorExit()), "raised GeneratorExit"),
        (raises(MemoryError()), "more memory than there is"),
        (raises(RuntimeError("DefaultCPUAllocator: can't allocate memory")), "than there is"),
        (raises(Broken()), "its message cannot be shown"),
        (raises(NotImplementedError("no such kernel")), "NotImplementedError: no such kernel"),
        (raises(BaseException("all")), "all"),
        (raises(StopIteration()), "raised StopIteration"),
    ],
)
@pytest.mark.parametrize("name", [NAME, "01.early_stop", "10.bounded_step"])
def test_nothing_escapes(name, answer, words):
    verdict = check(name, answer)
    assert verdict.status == "wrong"
    assert words in verdict.message


def test_a_real_interrupt_gets_through():
    before = signal.getsignal(signal.SIGINT)

    def interrupted(*_):
        signal.raise_signal(signal.SIGINT)

    def swallowed(*_):
        try:
            interrupted()
        except BaseException:
            return 0

    for answer in (interrupted, swallowed):
        with pytest.raises(KeyboardInterrupt):
            check("00.square", answer)
        assert signal.getsignal(signal.SIGINT) is before


def endless(x):
    while True:
        x = x + 1  # for ever


def stubborn(x):
    while True:
        try:
            x = abs(x)
        except BaseException:
            x = 0


def asleep(x):
    threading.Event().wait()


@posix
@pytest.mark.parametrize("answer", [endless, stubborn, asleep])
def test_an_endless_loop_is_ended(answer, monkeypatch):
    monkeypatch.setattr(running, "SECONDS", 0.05)
    before = signal.getsignal(signal.SIGALRM)
    message = check("00.square", answer).message
    assert message.startswith("Your code was stopped after 0.05 seconds (line ")
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@posix
def test_an_alarm_that_comes_too_late_is_silent():
    """Else it would leave half of the session not put back."""
    with running._alarm():
        signal.raise_signal(signal.SIGALRM)


@posix
def test_the_readers_alarm_still_rings():
    rung = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: rung.set())
    try:
        signal.setitimer(signal.ITIMER_REAL, 3600)
        assert check("00.square", lambda x: x * x).passed
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left <= 3600
        os.kill(os.getpid(), signal.SIGALRM)
        assert rung.wait()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_other_threads_check_without_an_alarm():
    verdicts = []

    def checks():
        answers = (lambda x: x * x, raises(KeyboardInterrupt()))
        verdicts.extend(check("00.square", answer) for answer in answers)

    thread = threading.Thread(target=checks)
    thread.start()
    thread.join()
    assert [verdict.status for verdict in verdicts] == ["right", "wrong"]


def test_windows_checks_without_an_alarm(monkeypatch):
    monkeypatch.delattr(signal, "setitimer", raising=False)
    assert check("00.square", lambda x: x * x).passed


@pytest.mark.parametrize("answer", [None, 3, "text", torch.ones(2), [1]])
def test_what_is_no_function_is_named(answer):
    kind = "None" if answer is None else type(answer).__name__
    message = check(NAME, answer).message
    assert "the function itself" in message
    assert message.endswith(f"{kind}.")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: x, "takes (x), but is called with 3 argument(s): too many positional"),
        (lambda a, b, c, d: a, "missing a required argument: 'd'"),
        (lambda: 0, "Keep the first line of the starter."),
    ],
)
def test_other_arguments_are_told(answer, words):
    assert words in check(NAME, answer).message


def test_a_broken_check_is_not_the_readers_fault():
    def broken(answer):
        raise LookupError

    with pytest.raises(LookupError):
        running.mistake_in(broken, abs)


class AnswersAll:
    def __getattr__(self, name):
        return self if name == "__wrapped__" else 1 / 0

    def __call__(self, x):
        raise OSError


def test_an_odd_object_is_an_answer_too():
    assert check("00.square", AnswersAll()).status == "wrong"


def test_functions_without_a_signature_are_called():
    assert check("00.square", max).message.startswith("Your code raised TypeError")


class Unreadable:
    def __eq__(self, other):
        raise ZeroDivisionError("no")

    __hash__ = None


class Tangled(dict):
    def items(self):
        raise LookupError("no")


def test_what_cannot_be_converted_is_told():
    message = check("00.square", lambda x: Tangled()).message
    assert message == "The check cannot read what your function returned, Tangled: LookupError: no"


def test_what_the_check_cannot_read_is_not_the_readers_line():
    message = check("00.square", lambda x: Unreadable()).message
    assert message == (
        "The check cannot read what your function returned, Unreadable: ZeroDivisionError: no"
    )


@pytest.mark.parametrize("asks", [hint, find, lambda name: check(name, abs)])
def test_names_that_are_none(asks):
    for name in (4.1, None, abs, ["04.inner_step"]):
        with pytest.raises(TypeError, match="named in quotes, such as"):
            asks(name)
    for name in ("04.1", "4.1", "", "inner_step", "99.x"):
        with pytest.raises(KeyError) as caught:
            asks(name)
        assert str(caught.value).startswith(f"no exercise {name!r}. There are: 0")


@pytest.mark.parametrize("level", [0, 4, -1, 2.0, "2", None, 1.5])
def test_levels_that_are_none(level):
    with pytest.raises(ValueError, match="choose 1 to 3"):
        hint(NAME, level)


network = torch.nn.Linear(1, 1)
RATE = 0.1


def helper(x):
    return x


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (lambda x: network(x), ["network"]),
        (lambda x: [network for _ in x], ["network"]),
        (lambda network: network(torch.ones(1)), []),
        (lambda x: helper(x) * RATE + len(torch.zeros(1)) + pytest.approx(0), []),
        (functools.partial(helper, 1), []),
        (3, []),
        (print, []),
    ],
)
def test_what_an_answer_reads_from_the_notebook_in_place_of_its_arguments(answer, read):
    assert notebook_data(answer) == read


def test_a_refusal_says_what_was_read_from_the_notebook():
    refused = check("00.square", lambda x: network.in_features)
    assert refused.message.endswith("(It reads network of the notebook: arguments were meant?)")
    assert "notebook" not in check("00.square", lambda x: x * x).message
