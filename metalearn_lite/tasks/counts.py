"""How many of something a task is asked for."""

from __future__ import annotations


def require_positive(**counts: int) -> None:
    """Raises ValueError, naming the count, if one of ``counts`` is below 1."""
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}={count}: choose 1 or more")
