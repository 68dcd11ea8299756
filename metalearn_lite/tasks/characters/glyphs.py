"""Glyphs: alphabets nobody has ever written, drawn by people who do not exist.

They stand in for Omniglot where it cannot be downloaded, and are tasks of their own without end.
As in Lake et al. (2015), a character is a few pen strokes that start, end or cross on each other,
an alphabet reuses strokes, and each drawer repeats a character with their own hand and its noise.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from metalearn_lite import checks
from metalearn_lite.tasks.characters.alphabets import invent_alphabet
from metalearn_lite.tasks.characters.character_set import IMAGE_SIZE, Characters
from metalearn_lite.tasks.characters.pens import draw_alphabet

MOST_ALPHABETS = 100
MOST_CHARACTERS = 200
"""of one alphabet: inventing them takes 5 seconds, and more than four times that for 400"""


class Glyphs(Characters):
    """Random alphabets with the shapes and methods of Omniglot; the same for the same `seed`.

    Args:
        num_alphabets: how many alphabets, each with a style of its own.
        characters_per_alphabet: one number for all, or one number each.
        num_drawers: how many people draw each character once.
        seed: decides everything. Another seed gives alphabets that have nothing in common.

    Raises:
        ValueError: if a number is less than 1, if it is more than 100 alphabets or 200 characters
            of one, or the numbers of characters are not one for each alphabet.
    """

    def __init__(
        self,
        num_alphabets: int = 10,
        characters_per_alphabet: int | Sequence[int] = 24,
        num_drawers: int = 20,
        seed: int = 0,
    ) -> None:
        checks.count(1, MOST_ALPHABETS, num_alphabets=num_alphabets)
        checks.count(num_drawers=num_drawers)
        checks.count(-(2**63), 2**63 - 1, seed=seed)
        sizes = characters_per_alphabet
        sizes = list(sizes) if isinstance(sizes, Sequence) else [sizes] * num_alphabets
        for size in sizes:
            checks.count(1, MOST_CHARACTERS, characters_per_alphabet=size)
        if len(sizes) != num_alphabets:
            raise ValueError(
                f"characters_per_alphabet={characters_per_alphabet} for {num_alphabets} alphabets: "
                "give one number for all, or one for each."
            )
        checks.fits(characters=sum(sizes), num_drawers=num_drawers, pixels=IMAGE_SIZE**2)
        images, alphabets, names = [], [], []
        for index, size in enumerate(sizes):
            # Strings seed alike on every machine; each alphabet is the same in a larger set too.
            rng = random.Random(f"glyphs {seed} {index}")
            characters = invent_alphabet(rng, size)
            generator = torch.Generator().manual_seed(rng.getrandbits(60))
            images.append(draw_alphabet(characters, num_drawers, generator))
            alphabets += [f"Glyphs{seed}_{index + 1:02d}"] * size
            names += [f"character{number + 1:02d}" for number in range(size)]
        super().__init__(torch.cat(images), alphabets, names, source="Glyphs")
