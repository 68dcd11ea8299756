"""The one-shot challenge of Lake et al. (2015): its official runs, and runs made like them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.tasks.characters.archives import (
    BASE_URL,
    SOURCES,
    ArchiveError,
    fetch_archive,
    find_archive,
    open_archive,
    read_images,
    read_member,
)
from metalearn_lite.tasks.characters.character_set import IMAGE_SIZE, Characters
from metalearn_lite.tasks.characters.choosing import choose

if TYPE_CHECKING:
    from zipfile import ZipFile

RUN_WAYS = 20  # the official one-shot challenge: 20 characters of one alphabet


def make_runs(
    characters: Characters,
    num_runs: int,
    generator: torch.Generator | None = None,
    num_ways: int = RUN_WAYS,
) -> Episodes:
    """Sample one-shot tasks to the protocol of the official challenge (Lake et al., 2015).

    A run has 20 characters of one alphabet. One person draws each once: the support set. Another
    person draws each once: the query set. Alphabets with fewer characters are left out.

    Returns:
        Episodes, support and query alike: x (num_runs, 20, 1, 28, 28), y (num_runs, 20).

    Raises:
        ValueError: if no alphabet has 20 characters or there is only one drawer.
    """
    checks.count(num_runs=num_runs, num_ways=num_ways)
    checks.fits(num_runs=num_runs, num_characters=characters.num_characters)
    if characters.num_drawers < 2:
        raise ValueError("A run needs drawings by 2 people, but these are all by 1.")
    checks.fits(num_runs=num_runs, images_of_a_run=2 * num_ways, pixels=IMAGE_SIZE**2)
    classes = characters.sample_classes(num_runs, num_ways, generator, within_alphabet=True)
    people = choose(num_runs, 1, characters.num_drawers, 2, generator)
    first, second = people.expand(-1, num_ways, -1).split(1, dim=-1)
    return Episodes(characters.examples(classes, first), characters.examples(classes, second))


def challenge_runs(
    path: Path | str | None = None,
    *,
    download: bool = True,
    data: Path | str | None = None,
    base_url: str = BASE_URL,
) -> Episodes:
    """The official one-shot challenge (Lake et al., 2015): 20 runs, 20-way 1-shot.

    Args:
        path: the file `all_runs.zip`; without it the file is found or downloaded as for `Omniglot`.

    Returns:
        Episodes, support and query alike: x (20, 20, 1, 28, 28), y (20, 20). Support images are in
        class order, query images in the order of the official items.

    Raises:
        ArchiveError: if a file is missing or malformed.
        FileNotFoundError, DownloadError: as for `Omniglot`.
    """
    if path is None:
        source = SOURCES["runs"]
        path = find_archive(source, data) or fetch_archive(source, download, data, base_url)
    with open_archive(Path(path)) as archive:
        runs = [_read_run(archive, f"run{number:02d}") for number in range(1, 21)]
    support, query, labels = (torch.stack(parts) for parts in zip(*runs, strict=True))
    in_order = torch.arange(RUN_WAYS).expand(len(runs), -1)
    return Episodes(Examples(support, in_order.clone()), Examples(query, labels))


def _read_run(archive: ZipFile, run: str) -> tuple[Tensor, Tensor, Tensor]:
    numbers = range(1, RUN_WAYS + 1)
    support = read_images(archive, (f"{run}/training/class{n:02d}.png" for n in numbers))
    query = read_images(archive, (f"{run}/test/item{n:02d}.png" for n in numbers))
    pairs = []
    layout = re.compile(rf"{run}/test/item(\d\d)\.png {run}/training/class(\d\d)\.png")
    text = read_member(archive, f"{run}/class_labels.txt").decode(errors="replace")
    for line in text.splitlines():
        if not (match := layout.fullmatch(line.strip())):
            raise ArchiveError(f"{run}/class_labels.txt has a line that is no label: {line!r}.")
        pairs.append((int(match[1]), int(match[2])))
    items, classes = sorted(item for item, _ in pairs), sorted(number for _, number in pairs)
    if not items == classes == list(numbers):
        raise ArchiveError(f"{run}/class_labels.txt must give each of 20 items a class of its own.")
    labels = torch.tensor([number for _, number in sorted(pairs)]) - 1
    return _as_input(support), _as_input(query), labels


def _as_input(images: Tensor) -> Tensor:
    return images.unsqueeze(1).float() / 255
