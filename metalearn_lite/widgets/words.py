"""What widgets say: numbers in their sentences, and complaints."""

from __future__ import annotations

import math


def count(number: int, noun: str) -> str:
    """``1 point``, ``2 points``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def require(condition: bool, complaint: str) -> None:
    """Raises ``ValueError`` with the ``complaint`` where the condition does not hold."""
    if not condition:
        raise ValueError(complaint)


def percent(probability: float) -> str:
    """Whole per cents, and never 0 or 100 for what is not quite; NaN is "no number"."""
    if math.isnan(probability):
        return "no number"
    if 0 < probability < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= probability < 1 else f"{probability:.0%}"


def error(value: float, most: float) -> str:
    """Two decimals, or the first digit that is not 0; above ``most`` it is off the chart."""
    if not value <= most:
        return "off the chart"
    return f"{value:.2f}" if value >= 0.095 else f"{value:.1g}"
