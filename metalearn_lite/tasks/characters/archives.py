"""Omniglot's archives: finding or downloading the published files, and reading what is in them.

An archive is looked for in `$METALEARN_LITE_DATA`, then in `data/`, and else downloaded. Its images
are read in memory and never unpacked to disk.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from metalearn_lite import paths
from metalearn_lite.tasks.download import DownloadError, download, file_checksum

if TYPE_CHECKING:
    from zipfile import ZipFile

BASE_URL = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
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
    with open_archive(path) as archive:
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
        images = read_images(archive, (drawings[key][d] for key in keys for d in drawers))
    alphabets, names = (list(column) for column in zip(*keys, strict=True))
    return images.unflatten(0, (len(keys), len(drawers))), alphabets, names


@contextmanager
def open_archive(path: Path) -> Iterator[ZipFile]:
    """The archive, once no member's path could lead outside it, though nothing is unpacked."""
    from zipfile import BadZipFile, ZipFile

    if path.exists() and not path.is_file():  # a pipe would be waited on for ever
        raise ArchiveError(f"{path} is no file: give a zip archive.")
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


def read_member(archive: ZipFile, name: str) -> bytes:
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


def read_images(archive: ZipFile, names: Iterable[str]) -> Tensor:
    """Drawings as (len(names), 28, 28) uint8: of 255, the share of ink in a pixel's area."""
    import io

    import numpy as np
    from PIL import Image

    images = []
    for name in names:
        png = io.BytesIO(read_member(archive, name))
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
