"""Omniglot (Lake, Salakhutdinov & Tenenbaum, 2015): 1,623 characters, each drawn by 20 people.

An archive is looked for in `$METALEARN_LITE_DATA`, then in `data/`, and else downloaded. Its images
are read in memory, never unpacked to disk, and kept as 28 x 28 in a cache that is named after the
archive's checksum.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from metalearn_lite import paths
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.files import write_whole
from metalearn_lite.tasks.character_set import RUN_WAYS, Characters, join
from metalearn_lite.tasks.download import DownloadError, download, file_checksum

if TYPE_CHECKING:
    from zipfile import ZipFile

BASE_URL = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
CACHE_VERSION = 3  # raise it whenever the same archive would give other images
MAX_MEMBER_BYTES = 100_000  # a drawing takes some 300 bytes


class ArchiveError(ValueError):
    """An archive is not what it should be; the message says what is wrong and what to do."""


class Source(NamedTuple):
    """Where an archive is, below `BASE_URL`, and how to know it."""

    path: str
    algorithm: str
    checksum: str

    @property
    def file_name(self) -> str:
        return PurePosixPath(self.path).name


SOURCES = {
    "small1": Source(
        "images_background_small1.zip",
        "sha256",
        "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
    ),
    "small2": Source(
        "images_background_small2.zip",
        "sha256",
        "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
    ),
    "background": Source("images_background.zip", "md5", "68d2efa1b9178cc56df9314c21c6e718"),
    "evaluation": Source("images_evaluation.zip", "md5", "6b91aef0f799c5bb55b94e3f2daec811"),
    "runs": Source(
        "one-shot-classification/all_runs.zip",
        "sha256",
        "437c1eeab0af8484112e1b4cc0f3d541ec727f7c47b9b202da738af9dfd6c325",
    ),
}
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
        cache = _cache_file(source)
        content = cache and _read_cache(cache)
        if content is None:
            content = read_image_set(archive)
            if cache is not None:
                _write_cache(cache, *content)
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
    with _open_archive(Path(path)) as archive:
        runs = [_read_run(archive, f"run{number:02d}") for number in range(1, 21)]
    support, query, labels = (torch.stack(parts) for parts in zip(*runs, strict=True))
    in_order = torch.arange(RUN_WAYS).expand(len(runs), -1)
    return Episodes(Examples(support, in_order.clone()), Examples(query, labels))


def _read_run(archive: ZipFile, run: str) -> tuple[Tensor, Tensor, Tensor]:
    numbers = range(1, RUN_WAYS + 1)
    support = _read_images(archive, (f"{run}/training/class{n:02d}.png" for n in numbers))
    query = _read_images(archive, (f"{run}/test/item{n:02d}.png" for n in numbers))
    pairs = []
    layout = re.compile(rf"{run}/test/item(\d\d)\.png {run}/training/class(\d\d)\.png")
    text = _read_member(archive, f"{run}/class_labels.txt").decode(errors="replace")
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


# Finding archives


def find_archive(source: Source, data: Path | str | None = None) -> Path | None:
    """The verified archive in `data` or else in the usual folders, None if it is in none.

    Raises ArchiveError for a file of that name with another checksum.
    """
    for folder in _folders(data):
        for candidate in dict.fromkeys([folder / source.file_name, folder / source.path]):
            if os.path.isfile(candidate):  # False too where the folder may not be looked into
                try:
                    found = file_checksum(candidate, source.algorithm)
                except OSError as fault:
                    raise ArchiveError(f"{candidate} cannot be read: {fault.strerror}.") from fault
                if found != source.checksum:
                    raise ArchiveError(
                        f"{candidate} is not the published file: its {source.algorithm} checksum "
                        f"is {found}, expected {source.checksum}. Delete or replace it."
                    )
                return candidate
    return None


def fetch_archive(
    source: Source, allowed: bool, data: Path | str | None = None, base_url: str = BASE_URL
) -> Path:
    """Download an archive into the first folder that can be written to.

    Raises FileNotFoundError unless that is `allowed`, DownloadError if it fails.
    """
    folders = _folders(data)
    if not allowed:
        raise FileNotFoundError(
            f"{source.file_name} is not in {' or '.join(map(str, folders))}; "
            "put it there or allow download=True."
        )
    folder = paths.first_writable(folders)
    if folder is None:
        raise DownloadError(
            f"Cannot write {source.file_name} into {' or '.join(map(str, folders))}; set "
            "METALEARN_LITE_DATA to a folder you can write to."
        )
    url = base_url.rstrip("/") + "/" + source.path
    return download(url, folder / source.file_name, source.algorithm, source.checksum)


def _folders(data: Path | str | None) -> list[Path]:
    return [Path(data)] if data is not None else paths.data_folders()


# Reading archives


def read_image_set(path: Path) -> tuple[Tensor, list[str], list[str]]:
    """The images (num_characters, 20, 28, 28), alphabets and names in an archive of drawings.

    Raises:
        ArchiveError: unless it holds SET/ALPHABET/characterNN/DDDD_KK.png for the same people KK
            for each character, and nothing else.
    """
    layout = re.compile(r"[^/]+/([^/]+)/(character\d\d)/\d{4}_(\d\d)\.png")
    drawings: dict[tuple[str, str], dict[str, str]] = {}
    with _open_archive(path) as archive:
        for member in archive.namelist():
            if member.endswith("/"):
                continue
            match = layout.fullmatch(member)
            if not match:
                raise ArchiveError(f"{path} has a member that is no drawing: {member!r}.")
            alphabet, name, drawer = match.groups()
            by_drawer = drawings.setdefault((alphabet, name), {})
            if drawer in by_drawer:
                raise ArchiveError(f"{path} has two drawings of {alphabet} {name} by {drawer}.")
            by_drawer[drawer] = member
        if not drawings:
            raise ArchiveError(f"{path} holds no drawings.")
        keys = sorted(drawings)
        drawers = sorted(drawings[keys[0]])
        for key in keys:
            if sorted(drawings[key]) != drawers:
                raise ArchiveError(
                    f"{path}: {' '.join(key)} has {len(drawings[key])} drawings, but the first "
                    f"character has {len(drawers)}, and each must be by the same people."
                )
        images = _read_images(archive, (drawings[key][d] for key in keys for d in drawers))
    alphabets, names = (list(column) for column in zip(*keys, strict=True))
    return images.unflatten(0, (len(keys), len(drawers))), alphabets, names


@contextmanager
def _open_archive(path: Path) -> Iterator[ZipFile]:
    """The archive, once no member's path could lead outside it, though nothing is unpacked."""
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            for name in archive.namelist():
                parts = PurePosixPath(name.replace("\\", "/")).parts
                if ".." in parts or name.startswith("/") or "\\" in name or ":" in name:
                    raise ArchiveError(f"{path} has a member with an unsafe path: {name!r}.")
            yield archive
    except BadZipFile as fault:
        raise ArchiveError(
            f"{path} is damaged ({fault}). Get it once more from {BASE_URL}."
        ) from fault


def _read_member(archive: ZipFile, name: str) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise ArchiveError(f"{archive.filename} has no {name}.") from None
    if info.file_size > MAX_MEMBER_BYTES:
        raise ArchiveError(f"{name} in {archive.filename} is too large: {info.file_size:,} bytes.")
    try:
        return archive.read(info)
    except (zlib.error, EOFError, RuntimeError) as fault:  # damaged, cut short, encrypted
        raise ArchiveError(f"{name} in {archive.filename} cannot be read: {fault}.") from fault


def _read_images(archive: ZipFile, names: Iterable[str]) -> Tensor:
    """Drawings as (len(names), 28, 28) uint8: of 255, the share of ink in a pixel's area."""
    import io

    import numpy as np
    from PIL import Image

    images = []
    for name in names:
        png = io.BytesIO(_read_member(archive, name))
        try:
            with Image.open(png, formats=["PNG"]) as image:
                size = image.size
                drawing = image.convert("L") if size == (105, 105) else None
        except (OSError, SyntaxError, Image.DecompressionBombError) as fault:
            raise ArchiveError(
                f"{archive.filename}: {name} is no readable PNG: {fault}."
            ) from fault
        if drawing is None:
            raise ArchiveError(f"{name} is {size[0]} x {size[1]} pixels, not 105 x 105.")
        # 105 / 28 = 15 / 4: with each pixel made 4 x 4, an image's pixel covers 15 x 15 whole ones.
        small = drawing.resize((420, 420), Image.Resampling.NEAREST).reduce(15)
        images.append(255 - np.asarray(small))
    return torch.from_numpy(np.stack(images))


# The cache: images as safetensors, which cannot carry code, named after the archive's checksum


def _cache_file(source: Source) -> Path | None:
    folder = paths.cache_folder()
    stem = Path(source.file_name).stem
    return folder and folder / f"{stem}-{source.checksum[:16]}-v{CACHE_VERSION}.safetensors"


def _read_cache(path: Path) -> tuple[Tensor, list[str], list[str]] | None:
    """What `_write_cache` wrote; None where there is nothing, or nothing sound."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():  # a pipe in its place would be waited on for ever
        return None
    try:
        with safe_open(path, framework="pt") as file:
            about, images = json.loads(file.metadata()["about"]), file.get_tensor("images")
        if about["sha256"] != _digest(images):
            return None
        return images, about["alphabets"], about["names"]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def _write_cache(path: Path, images: Tensor, alphabets: list[str], names: list[str]) -> None:
    from safetensors.torch import save

    about = {"alphabets": alphabets, "names": names, "sha256": _digest(images)}
    content = save({"images": images}, metadata={"about": json.dumps(about)})
    # A cache is a convenience: where it cannot be written, the next time takes a second longer.
    with suppress(OSError):
        write_whole(path, content)


def _digest(images: Tensor) -> str:
    return hashlib.sha256(images.numpy().tobytes()).hexdigest()
