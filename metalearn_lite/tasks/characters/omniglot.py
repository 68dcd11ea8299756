"""Omniglot (Lake, Salakhutdinov & Tenenbaum, 2015): 1,623 characters, each drawn by 20 people.

Its images are kept as 28 x 28 in a cache that is named after the archive's checksum.
"""

from __future__ import annotations

from pathlib import Path

from metalearn_lite.tasks.characters.archives import (
    BASE_URL,
    SOURCES,
    fetch_archive,
    find_archive,
    read_image_set,
)
from metalearn_lite.tasks.characters.cache import cache_file, read_cache, write_cache
from metalearn_lite.tasks.characters.character_set import Characters
from metalearn_lite.tasks.characters.joining import join

IMAGE_SETS = ("small1", "small2", "background", "evaluation")


class Omniglot(Characters):
    """One of the four image sets of Omniglot, as characters to sample episodes from.

    Args:
        set_name: "small1" (5 alphabets, 136 characters), "small2" (5, 156), "background" (30, 964)
            or "evaluation" (20, 659). Greek and Latin are in both small sets.
        download: whether to download an archive that is not there.
        data: the one folder to look in and download to, in place of the usual ones.
        base_url: the address of the folder `python/` of the Omniglot repository.

    Raises:
        ValueError: for an unknown `set_name`, and as ArchiveError for a file that is not the
            published one.
        FileNotFoundError: if it is not there and `download` is False.
        DownloadError: if it could not be downloaded.
    """

    def __init__(
        self,
        set_name: str = "small1",
        *,
        download: bool = True,
        data: Path | str | None = None,
        base_url: str = BASE_URL,
    ) -> None:
        if set_name not in IMAGE_SETS:
            raise ValueError(f"No Omniglot set {set_name!r}; choose from {', '.join(IMAGE_SETS)}.")
        source = SOURCES[set_name]
        archive = find_archive(source, data) or fetch_archive(source, download, data, base_url)
        cache = cache_file(source)
        content = cache and read_cache(cache)
        if content is None:
            content = read_image_set(archive)
            if cache is not None:
                write_cache(cache, *content)
        super().__init__(*content, source=f"Omniglot {set_name}")


def standard_split(name: str = "small1", **options) -> tuple[Characters, Characters, Characters]:
    """Meta-training, meta-validation and meta-test characters, as in the literature where possible.

    "small1", "small2": train on that minimal set, test on the other without Greek and Latin, which
        are in both. (Lake et al., 2015, use the sets to train from; as a split it is ours.)
    "background": train on the 30 background alphabets, test on the 20 evaluation alphabets, as Lake
        et al. (2015) do.
    "characters": 1,100 / 100 / 423 of all 1,623 characters at random, the sizes of Finn, Abbeel &
        Levine (2017), who train on 1,200 and, like Santoro et al. (2016), test on 423. Rotations
        are not added: call `with_rotations()` on each part.

    Which characters an author drew by chance was not published with these, so the third is seeded
    here: the same each time, but not theirs. In the first two, meta-validation is one alphabet in
    five of the training set, also by our choice. The 1,028 / 172 / 423 split of Vinyals et al.
    (2016) needs a list of files that is not among the archives, and is not offered.

    Args:
        options: as for `Omniglot`: download, data, base_url.
    """
    if name == "characters":
        everything = join(Omniglot("background", **options), Omniglot("evaluation", **options))
        return everything.split((1100, 100, 423))
    others = {"small1": "small2", "small2": "small1", "background": "evaluation"}
    if name not in others:
        raise ValueError(f"No split {name!r}; choose from {', '.join([*others, 'characters'])}.")
    train, test = Omniglot(name, **options), Omniglot(others[name], **options)
    shared = set(train.alphabets) & set(test.alphabets)
    return *train.split((0.8, 0.2), by_alphabet=True), test.exclude(sorted(shared))
