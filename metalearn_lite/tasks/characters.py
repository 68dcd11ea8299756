"""Handwritten characters: one door to Omniglot, to Glyphs and to the episodes made of either.

>>> from metalearn_lite.tasks import characters
>>> episodes = characters.load("small1").sample(num_tasks=4, num_ways=5, num_shots=1)
"""

from metalearn_lite.tasks.character_set import Characters, join, make_runs
from metalearn_lite.tasks.download import DownloadError
from metalearn_lite.tasks.glyphs import Glyphs
from metalearn_lite.tasks.omniglot import (
    IMAGE_SETS,
    ArchiveError,
    Omniglot,
    challenge_runs,
    standard_split,
)

__all__ = [
    "ArchiveError",
    "Characters",
    "DownloadError",
    "Glyphs",
    "Omniglot",
    "challenge_runs",
    "join",
    "load",
    "load_split",
    "make_runs",
    "standard_split",
]

# The sizes of the alphabets that stand in for each set of Omniglot.
_STAND_INS = {
    "small1": (24, 22, 24, 40, 26),
    "small2": (24, 47, 26, 42, 17),
    "background": (33,) * 4 + (32,) * 26,
    "evaluation": (33,) * 19 + (32,),
}


def load(set_name: str = "small1", **options) -> Characters:
    """`Omniglot(set_name)`, or where it cannot be had as many Glyphs, and one sentence to say so.

    The stand-ins of different sets have no character in common. `source` tells what you got.

    Args:
        options: as for `Omniglot`: download, data, base_url.
    """
    try:
        return Omniglot(set_name, **options)
    except (ArchiveError, DownloadError, FileNotFoundError) as fault:
        _say_glyphs(f"Omniglot {set_name}", fault)
        return _stand_in(set_name)


def load_split(name: str = "small1", **options) -> tuple[Characters, ...]:
    """`standard_split(name)`, or where it cannot be had a split of Glyphs of about the same sizes.

    Returns:
        Meta-training, meta-validation and meta-test characters.
    """
    try:
        return standard_split(name, **options)
    except (ArchiveError, DownloadError, FileNotFoundError) as fault:
        _say_glyphs(f"Omniglot's {name} split", fault)
    if name == "characters":
        return join(_stand_in("background"), _stand_in("evaluation")).split((1100, 100, 423))
    others = {"small1": "small2", "small2": "small1", "background": "evaluation"}
    return *_stand_in(name).split((0.8, 0.2), by_alphabet=True), _stand_in(others[name])


def _stand_in(set_name: str) -> Glyphs:
    sizes = _STAND_INS[set_name]
    return Glyphs(len(sizes), sizes, seed=1 + IMAGE_SETS.index(set_name))


def _say_glyphs(what: str, fault: Exception) -> None:
    reason = str(fault).split(". ")[0].rstrip(".")
    print(f"{what} is not available ({reason}), so this runs on Glyphs, characters made up here.")
