"""The cache of an image set: safetensors, which cannot carry code, named after the archive."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from torch import Tensor

from metalearn_lite import paths
from metalearn_lite.files import write_whole
from metalearn_lite.tasks.characters.archives import Source

CACHE_VERSION = 3  # raise it whenever the same archive would give other images


def cache_file(source: Source) -> Path | None:
    """Where the images of `source` are kept; None where nothing can be written."""
    folder = paths.cache_folder()
    stem = Path(source.file_name).stem
    return folder and folder / f"{stem}-{source.checksum[:16]}-v{CACHE_VERSION}.safetensors"


def read_cache(path: Path) -> tuple[Tensor, list[str], list[str]] | None:
    """What `write_cache` wrote; None where there is nothing, or nothing sound."""
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


def write_cache(path: Path, images: Tensor, alphabets: list[str], names: list[str]) -> None:
    """Keeps an image set for the next time."""
    from safetensors.torch import save

    about = {"alphabets": alphabets, "names": names, "sha256": _digest(images)}
    content = save({"images": images}, metadata={"about": json.dumps(about)})
    # A cache is a convenience: where it cannot be written, the next time takes a second longer.
    with suppress(OSError):
        write_whole(path, content)


def _digest(images: Tensor) -> str:
    return hashlib.sha256(images.numpy().tobytes()).hexdigest()
