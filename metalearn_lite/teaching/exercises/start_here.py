"""Hints and the check of the practice exercise in notebook 00."""

from __future__ import annotations

from collections.abc import Callable

from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted


def square(x: float) -> float:
    """x², for whoever has not written it yet."""
    return x**2


def check_square(square: Callable) -> None:
    values = {x: attempted(square(x)) for x in (0, 3, -4, 0.5)}
    if values[3] == 6:
        raise Mistake("You doubled x. The square is x times x.")
    if values[-4] == -16:
        raise Mistake("The square of -4 is 16: a square is never negative.")
    if values[3] == 27:
        raise Mistake("That is the cube. The square has only two factors.")
    if values[3] == 8:
        raise Mistake("That is 2 to the power of x. The square is x to the power of 2.")
    if values[0.5] == 0:
        raise Mistake("The square of 0.5 is 0.25: keep what stands behind the point.")
    if values != {0: 0, 3: 9, -4: 16, 0.5: 0.25}:
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
    )
}
