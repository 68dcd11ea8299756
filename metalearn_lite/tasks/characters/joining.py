"""Joining sets of characters to one."""

from __future__ import annotations

import torch

from metalearn_lite.tasks.characters.character_set import Characters


def join(*sets: Characters) -> Characters:
    """One set of the characters of several.

    Raises:
        ValueError: if an alphabet is in two of them, as Greek and Latin are in both small sets of
            Omniglot: a class would be there twice. `exclude` it from one.
    """
    if not sets:
        raise ValueError("no characters to join: give one set or more.")
    if len(drawers := {characters.num_drawers for characters in sets}) > 1:
        raise ValueError(
            f"The sets have {' and '.join(map(str, sorted(drawers)))} drawings of each character: "
            "give every character as many."
        )
    seen: set[str] = set()
    for characters in sets:
        if twice := seen & set(characters.alphabets):
            raise ValueError(
                f"{', '.join(sorted(twice))} would be there twice; exclude it from one set."
            )
        seen |= set(characters.alphabets)
    return Characters(
        torch.cat([characters.images for characters in sets]),
        [alphabet for characters in sets for alphabet in characters.alphabets],
        [name for characters in sets for name in characters.names],
        " + ".join(dict.fromkeys(characters.source for characters in sets)),
    )
