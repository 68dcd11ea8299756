"""The same check on draws that nobody has seen, for who grades."""

from __future__ import annotations

from collections.abc import Callable

from metalearn_lite.teaching.draws import other_draws
from metalearn_lite.teaching.exercises import find
from metalearn_lite.teaching.running import NotAttempted, mistake_in
from metalearn_lite.teaching.session import standard_session


def held_back(name: str, answer: Callable, draws: int) -> None:
    """Tests ``answer`` as exercise ``name``'s check does, on ``draws`` that its reader never saw.

    Raises:
        AssertionError: the answer is refused there; says why.
    """
    exercise = find(name)
    with standard_session(), other_draws(draws):
        try:
            mistake = mistake_in(exercise.check, answer)
        except NotAttempted:
            mistake = "Not attempted."
    assert mistake is None, mistake
