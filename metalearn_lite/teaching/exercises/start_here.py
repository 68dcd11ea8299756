"""Hints and the check of the practice exercise in notebook 00."""

from __future__ import annotations

from collections.abc import Callable

from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted


def check_square(square: Callable) -> None:
    values = {x: attempted(square(x)) for x in (0, 3, -4)}
    if values[3] == 6:
        raise Mistake("You doubled x. The square is x times x.")
    if values[-4] == -16:
        raise Mistake("The square of -4 is 16: a square is never negative.")
    if values[3] == 27:
        raise Mistake("That is the cube. The square has only two factors.")
    if values != {0: 0, 3: 9, -4: 16}:
        raise Mistake(f"square(3) should be 9; yours is {values[3]!r}.")


EXERCISES = {
    "square": Exercise(
        hints=(
            "The square of x is x times x.",
            "Replace the line `raise NotImplementedError(…)`.",
            "return x * x",
        ),
        check=check_square,
        praise="That is how a check looks when you are right.",
    ),
}
