"""Loading characters, with Glyphs as stand-ins where Omniglot cannot be had."""

from __future__ import annotations

from metalearn_lite.tasks.characters.archives import ArchiveError
from metalearn_lite.tasks.characters.character_set import Characters
from metalearn_lite.tasks.characters.glyphs import Glyphs
from metalearn_lite.tasks.characters.joining import join
from metalearn_lite.tasks.characters.omniglot import IMAGE_SETS, Omniglot, standard_split
from metalearn_lite.tasks.download import DownloadError

# The sizes of the alphabets that stand in for each set of Omniglot.
STAND_INS = {
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
        return _made_up(set_name)


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
        return join(_made_up("background"), _made_up("evaluation")).split((1100, 100, 423))
    others = {"small1": "small2", "small2": "small1", "background": "evaluation"}
    return *_made_up(name).split((0.8, 0.2), by_alphabet=True), _made_up(others[name])


def _made_up(set_name: str) -> Glyphs:
    sizes = STAND_INS[set_name]
    return Glyphs(len(sizes), sizes, seed=1 + IMAGE_SETS.index(set_name))


def _say_glyphs(what: str, fault: Exception) -> None:
    reason = str(fault).split(". ")[0].rstrip(".")
    print(f"{what} is not available ({reason}), so this runs on Glyphs, characters made up here.")
