"""What a reader has done is kept outside the course's folder. Nothing depends on it.

Each exercise whose check passed, and each question answered rightly, leaves one empty file: two
kernels at once lose nothing, and where nothing can be written the course goes on without.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import platformdirs


def folder() -> Path:
    """Where it is kept: ``$METALEARN_LITE_PROGRESS``, or else the user's folder for such data."""
    named = os.environ.get("METALEARN_LITE_PROGRESS")
    return Path(named or platformdirs.user_data_path("metalearn_lite", appauthor=False)) / "done"


def record(name: str) -> None:
    """Keeps that exercise or question ``name`` is done; where it cannot, nothing happens."""
    with suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        (folder() / name).touch()


def names() -> set[str]:
    """The exercises and questions that are done, such as "04.inner_step" and "04.1"."""
    with suppress(OSError):
        return {path.name for path in folder().iterdir()}
    return set()


def forget() -> None:
    """Begins anew.

    Raises:
        OSError: the folder is read-only.
    """
    if folder().is_dir():
        for path in folder().iterdir():
            path.unlink(missing_ok=True)
