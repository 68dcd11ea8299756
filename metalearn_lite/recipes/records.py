"""Records that ship: what a recipe measured, as JSON in data/, with a card of how it was made."""

from __future__ import annotations

import datetime
import json
import time
from typing import Any

import torch

from metalearn_lite import paths
from metalearn_lite.files import write_whole


def made(started: float) -> dict[str, Any]:
    """What each card says alike. ``started``: the `time.process_time` at which it began."""
    return {
        "date": datetime.date.today().isoformat(),
        "minutes": round((time.process_time() - started) / 60, 1),
        "threads": 1,
        "torch": torch.__version__,
    }


def save(name: str, card: dict[str, Any], found: dict[str, Any], indent: int | None = 1) -> None:
    """Writes the record and its card into the folder of data, whole or not at all."""
    text = json.dumps({"card": card} | found, indent=indent)
    write_whole(paths.data_folder() / name, f"{text}\n".encode())


def load(name: str) -> dict[str, Any]:
    """The record that ships: ``"card"`` says how it was made."""
    return json.loads(paths.find(name).read_text(encoding="utf-8"))
