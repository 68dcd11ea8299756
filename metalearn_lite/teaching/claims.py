"""A claim is a sentence of the text that the notebook itself tests."""

from __future__ import annotations

from typing import Any

from metalearn_lite.teaching.console import printable


class ClaimFailed(AssertionError):
    """The text says something that is not so."""


def claim(text: str, condition: Any) -> None:
    """Prints ``✔ text`` if ``condition`` is true.

    Raises:
        ClaimFailed: ``condition`` is false.
        TypeError: ``condition`` is neither true nor false, such as a number or a string: a
            claim that cannot fail would prove nothing.
    """
    single = getattr(condition, "shape", None) == ()
    value = condition.item() if single else condition
    if not isinstance(value, bool):
        raise TypeError(f"a claim needs a condition that is true or false, not {condition!r}")
    if not value:
        raise ClaimFailed(f"✗ {text}")
    print(printable(f"✔ {text}"))
