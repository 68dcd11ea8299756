"""Where the course keeps its files: one answer for data, caches and checkpoints."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import platformdirs


def user_folder() -> Path:
    """The folder for files that belong to the user, not to a checkout of the course."""
    folder = Path(platformdirs.user_cache_path("metalearn_lite", appauthor=False))
    if folder.is_absolute():
        return folder
    return Path(tempfile.gettempdir()) / folder.name  # a user without a home, as in some containers


def data_folder() -> Path:
    """`data/` of the checkout this package runs from; of an installed package, `user_folder()`."""
    root = Path(__file__).resolve().parents[1]
    return root / "data" if (root / "pyproject.toml").is_file() else user_folder()


def find(name: str) -> Path:
    """The file ``name`` of ``data_folder()``, or else the one that an installed package brings."""
    own, shipped = data_folder() / name, Path(__file__).parent / "shipped"
    return own if own.exists() or not shipped.is_dir() else shipped / name


def data_folders() -> list[Path]:
    """Every folder to look in for data files, in order: `$METALEARN_LITE_DATA` comes first.

    Raises:
        ValueError: it is no folder, or begins with the home of a user who does not exist.
    """
    named = os.environ.get("METALEARN_LITE_DATA")
    try:
        folders = [Path(named).expanduser()] if named else []
    except RuntimeError as error:
        raise ValueError(
            f"METALEARN_LITE_DATA={named!r}: there is no such user's home; give the whole path"
        ) from error
    if named and os.path.exists(folders[0]) and not os.path.isdir(folders[0]):
        raise ValueError(f"METALEARN_LITE_DATA={named!r} is no folder; give the one it is in")
    return list(dict.fromkeys([*folders, data_folder(), user_folder()]))


def cache_folder() -> Path | None:
    """The folder for what can be computed again, or None where nothing can be written."""
    return first_writable([data_folder() / "cache", user_folder() / "cache"])


def first_writable(folders: Iterable[Path]) -> Path | None:
    """The first of `folders` that takes a file, made if it was missing; None if none does."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Permission bits say nothing of read-only mounts or full disks: only writing tells.
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"?")
        except OSError:
            continue
        return folder
    return None
