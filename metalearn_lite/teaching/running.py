"""Running a check on a stranger's function: whatever that does, a sentence comes back."""

from __future__ import annotations

import dis
import functools
import inspect
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from metalearn_lite.teaching.comparing import Mistake, converted, kind_of

SECONDS = 10.0
NOT_CALLED = object()

IN_WORDS = {
    MemoryError: "asked for more memory than there is",
    RecursionError: "called itself too often: where does it stop?",
    SystemExit: "asked Python to exit: leave a function by `return`",
}


class NotAttempted(Exception):
    """The answer is an unchanged starter."""


class NothingReturned(Exception):
    """The answer returned ``None`` where the check needs a result."""


class TimeUp(BaseException):
    """The answer ran for ``SECONDS``. No ``Exception``, so that few answers catch it."""


def attempted(result: Any) -> Any:
    """``result``, unless nothing was returned."""
    if _nothing(result):
        raise NothingReturned
    return result


def _nothing(result: Any) -> bool:
    return result is None or result is Ellipsis


def _starters() -> set[bytes]:
    """The bytecode of functions that do nothing yet; a docstring shifts the constants."""

    def raises():
        raise NotImplementedError("your turn")

    def raises_bare():
        raise NotImplementedError

    def described():
        """What it will do."""

    def described_and_raises():
        """What it will do."""
        raise NotImplementedError("your turn")

    def passes():
        pass

    functions = (raises, raises_bare, described, described_and_raises, passes)
    return {function.__code__.co_code for function in functions}


STARTERS = _starters()


def _function(answer: Callable) -> Any:
    """The Python function behind a decorated, partial or callable object, if there is one."""
    if isinstance(answer, functools.partial):
        return _function(answer.func)
    try:
        answer = inspect.unwrap(answer)
        candidates = (answer, type(answer).__call__)
        return next((each for each in candidates if hasattr(each, "__code__")), None)
    except Exception:  # an object may answer anything when it is asked for an attribute
        return None


def untouched(answer: Callable, error: BaseException | None) -> bool:
    """Whether an answer that returned nothing, or raised ``error``, is an unchanged starter."""
    code = getattr(_function(answer), "__code__", None)
    unchanged = code is not None and code.co_code in STARTERS
    return unchanged and (error is None or isinstance(error, NotImplementedError))


def notebook_data(answer: Callable) -> list[str]:
    """The names of what an answer reads from the notebook, in place of its arguments.

    Such as a tensor or a network; modules, classes, functions and constants are no data.
    """
    function = _function(answer)
    codes, names = [getattr(function, "__code__", None)], []
    while codes:
        code = codes.pop()
        if isinstance(code, CodeType):
            names += [it.argval for it in dis.get_instructions(code) if it.opname == "LOAD_GLOBAL"]
            codes += code.co_consts
    home = getattr(function, "__globals__", {})
    return [name for name in dict.fromkeys(names) if name in home and _is_data(name, home[name])]


def _is_data(name: str, value: Any) -> bool:
    no_data = ModuleType | type | FunctionType | BuiltinFunctionType | functools.partial
    return not isinstance(value, no_data) and not name.isupper()


class _Watched:
    """The answer as a check calls it. Keeps what it returned last, or what it raised.

    ``returned`` says whether it has ever returned something.
    """

    def __init__(self, answer: Callable):
        self.answer = answer
        self.result: Any = NOT_CALLED
        self.error: BaseException | None = None
        self.returned = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse_other_arguments(args, kwargs)
        try:
            self.result = self.answer(*args, **kwargs)
        except BaseException as error:
            self.error = error
            raise
        self.result = converted(self.result)
        self.returned |= not _nothing(self.result)
        return self.result

    def _refuse_other_arguments(self, args: tuple, kwargs: dict) -> None:
        try:
            signature = inspect.signature(self.answer)
        except Exception:  # some functions written in C have none
            return
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise Mistake(
                f"Your function takes {signature}, but is called with {len(args) + len(kwargs)} "
                f"argument(s): {error}. Keep the first line of the starter."
            ) from None


def mistake_in(check: Callable[[Callable], None], answer: Callable) -> str | None:
    """What ``check`` has against ``answer``, or None. Only a real Ctrl-C gets through.

    Raises:
        NotAttempted: the answer is an unchanged starter.
        KeyboardInterrupt: somebody interrupted the kernel.
    """
    watched, message = _Watched(answer), None
    with _signals() as interrupts:
        try:
            _call(check, watched)
        except Mistake as mistake:
            message = str(mistake)
        except BaseException as error:
            message = _told(error, watched)
    if interrupts:
        raise KeyboardInterrupt
    return message


def _told(error: BaseException, watched: _Watched) -> str:
    raised = error is watched.error
    if (raised or isinstance(error, NothingReturned)) and untouched(watched.answer, watched.error):
        raise NotAttempted
    if isinstance(error, TimeUp):
        where = _readers_line(error, watched.answer)
        stopped = f"Your code was stopped after {SECONDS:g} seconds{where}."
        return f"{stopped} Does a loop never end, or is there a shorter way?"
    if not raised and watched.result is NOT_CALLED:
        raise error  # the check itself is broken
    if isinstance(error, NothingReturned) and not watched.returned:
        return "Your function returned None: is a `return` missing?"
    if raised:
        return f"Your code {_in_words(error)}{_readers_line(error, watched.answer)}"
    if _nothing(watched.result):
        return "For one of the check's inputs your function returned None: is a `return` missing?"
    return (
        f"The check cannot read what your function returned, {kind_of(watched.result)}: "
        f"{type(error).__name__}: {_text(error)}"
    )


def _in_words(error: BaseException) -> str:
    kind, text = type(error).__name__, _text(error)
    if "can't allocate memory" in text:  # torch's words, in a RuntimeError
        return f"{IN_WORDS[MemoryError]} ({kind})"
    for known, words in IN_WORDS.items():
        if isinstance(error, known):
            return f"{words} ({kind})"
    return f"raised {kind}: {text}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return "(its message cannot be shown)"


def _readers_line(error: BaseException, answer: Callable) -> str:
    """The innermost line in the cells, or the file, that the answer is from."""
    home = getattr(_function(answer), "__globals__", None)
    place, found = error.__traceback__, None
    while place is not None:
        if place.tb_frame.f_globals is home:
            found = place
        place = place.tb_next
    if found is None:
        return ""
    line = traceback.extract_tb(found, limit=1)[0]
    return f" (line {line.lineno}: {line.line})" if line.line else f" (line {line.lineno})"


def _call(check: Callable[[Callable], None], answer: Callable) -> None:
    """Calls. The alarm raises within this call only, so that all around it is put back whole."""
    check(answer)


def _within_call(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code is not _call.__code__:
        frame = frame.f_back
    return frame is not None


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Raises ``TimeUp`` after ``SECONDS``; yields a list that grows when somebody interrupts.

    Python hands signals to its main thread, between two of its instructions. So a call into C
    that blocks is not ended, nor is anything in another thread, or on Windows, which has no alarm.
    """
    interrupts: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return

    def interrupted(number: int, frame: FrameType | None) -> None:
        try:
            on_interrupt(number, frame)
        except KeyboardInterrupt:
            interrupts.append(number)
            raise

    on_interrupt = signal.getsignal(signal.SIGINT)
    if callable(on_interrupt):
        signal.signal(signal.SIGINT, interrupted)
    try:
        with _alarm():
            yield interrupts
    finally:
        if callable(on_interrupt):
            signal.signal(signal.SIGINT, on_interrupt)


@contextmanager
def _alarm() -> Iterator[None]:
    if not hasattr(signal, "setitimer"):
        yield
        return

    def expired(number: int, frame: FrameType | None) -> None:
        if _within_call(frame):
            raise TimeUp

    on_alarm = signal.signal(signal.SIGALRM, expired)
    start = time.monotonic()
    # Again and again, for those who catch everything.
    left, interval = signal.setitimer(signal.ITIMER_REAL, SECONDS, SECONDS / 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if on_alarm is None else on_alarm)
        if left:
            left = max(left - (time.monotonic() - start), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left, interval)
