"""Handwritten characters: one door to Omniglot, Glyphs, your own images, and episodes of them.

>>> from metalearn_lite.tasks import characters
>>> episodes = characters.load("small1").sample(num_tasks=4, num_ways=5, num_shots=1)
"""

from metalearn_lite.tasks.characters.archives import ArchiveError
from metalearn_lite.tasks.characters.character_set import Characters
from metalearn_lite.tasks.characters.folders import from_folder
from metalearn_lite.tasks.characters.glyphs import Glyphs
from metalearn_lite.tasks.characters.joining import join
from metalearn_lite.tasks.characters.loading import load, load_split
from metalearn_lite.tasks.characters.omniglot import IMAGE_SETS, Omniglot, standard_split
from metalearn_lite.tasks.characters.runs import challenge_runs, make_runs
from metalearn_lite.tasks.download import DownloadError

__all__ = [
    "IMAGE_SETS",
    "ArchiveError",
    "Characters",
    "DownloadError",
    "Glyphs",
    "Omniglot",
    "challenge_runs",
    "from_folder",
    "join",
    "load",
    "load_split",
    "make_runs",
    "standard_split",
]
