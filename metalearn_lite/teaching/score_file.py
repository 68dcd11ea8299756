"""The capstone's score file: what was asked, by whom, of which learner. An instructor collects it:

    python -m metalearn_lite.teaching.score_file FOLDER     a table of all score files below FOLDER

The file tells what happened on the reader's own machine. It proves nothing: see ``CANNOT_PROVE``.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import linecache
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from metalearn_lite.files import write_whole
from metalearn_lite.teaching.console import printable

LARGEST_FILE = 5_000_000  # bytes
FORMAT = "metalearn-lite capstone 1"
BUILT, MADE_UP, OFFICIAL = "built", "built of made-up characters", "official"  # kinds of runs
CANNOT_PROVE = (
    "Written on the learner's own machine, by code and of data that they can read and change. It "
    "does not prove who wrote the learner, what it was trained on, that no other file was kept "
    "and thrown away, or that the official runs were not looked at elsewhere. The digest tells an "
    "accident, not a forger. To be sure, run the source again and ask its author."
)


def describe(learner: Any) -> dict[str, Any]:
    """The class of ``learner``, its source, its plain settings, and a fingerprint of all it holds.

    The source is the notebook's cell that defines its class; in a file, the class alone. Functions
    that it calls may stand elsewhere.
    """
    source = _source_of(type(learner))
    held = {**getattr(learner, "__dict__", {})}
    settings = {name: value for name, value in held.items() if _is_plain(value)}
    digest = hashlib.sha256((source or "").encode())
    for part in _parts(held, {id(learner)}):
        digest.update(part)
    return {
        "class": type(learner).__name__,
        "source": source,
        "source_sha256": None if source is None else hashlib.sha256(source.encode()).hexdigest(),
        "settings": {name: repr(value) for name, value in settings.items()},
        "fingerprint": digest.hexdigest(),
    }


def holds_any(learner: Any, parameters: Iterable[Tensor]) -> bool:
    """Whether ``learner`` holds one of the tensors ``parameters``, number for number."""
    known = {part for tensor in parameters for part in _parts(tensor, set()) if len(part) >= 256}
    return not known.isdisjoint(_parts(learner, set()))


def _source_of(kind: type) -> str | None:
    with suppress(OSError, TypeError):
        return inspect.getsource(kind)
    # A notebook keeps a cell's lines under a name of its own, which its functions know.
    for member in vars(kind).values():
        code = getattr(inspect.unwrap(member), "__code__", None) if callable(member) else None
        if code is not None and (lines := linecache.getlines(code.co_filename)):
            return "".join(lines)
    return None  # typed where nothing keeps what was typed


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _parts(value: Any, met: set[int]) -> Iterator[bytes]:
    """Bytes that say what ``value`` is, so that learners of other numbers differ.

    Args:
        met: the objects on the way here, as one may hold itself.
    """
    if isinstance(value, nn.Module):
        value = dict(value.state_dict())
    if isinstance(value, Tensor):
        value = value.detach().cpu().contiguous()
        yield f"{value.dtype}{tuple(value.shape)}".encode()
        yield value.reshape(-1).view(torch.uint8).numpy().tobytes()
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype}{value.shape}".encode() + value.tobytes()
    elif _is_plain(value):
        yield repr(value).encode()
    elif id(value) not in met:
        yield type(value).__name__.encode()
        for name, part in _within(value):
            yield f"{name!r}:".encode()
            yield from _parts(part, met | {id(value)})
    yield b"|"


def _within(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, list | tuple):
        yield from enumerate(value)
    elif isinstance(value, Mapping):
        yield from sorted(value.items(), key=repr)
    elif not isinstance(value, type | ModuleType):
        yield from sorted(getattr(value, "__dict__", {}).items())


def file_of(name: str, folder: Path | str = ".") -> Path:
    """Where the scores of the person ``name`` are kept.

    Raises:
        ValueError: ``name`` holds no letter or digit, or is no text.
    """
    if not isinstance(name, str):
        raise ValueError(f"the name is a {type(name).__name__}: give text, in quotes")
    plain = "".join(sign if sign.isalnum() else "-" for sign in name.strip().lower())
    plain = "-".join(part for part in plain.split("-") if part)
    if not plain or len(plain.encode()) > 80:
        raise ValueError("the name needs a letter or a digit, and 80 bytes at most")
    return Path(folder) / f"capstone-{plain}.json"


def read_or_new(path: Path, name: str) -> dict[str, Any]:
    if path.exists():
        return read(path)
    return {
        "format": FORMAT,
        "name": name.strip(),
        "built": [],
        "official": [],
        "times_official_asked": 0,
        "learners": {},
        "changed_by_hand": False,
        "cannot_prove": CANNOT_PROVE,
    }


def read(path: Path) -> dict[str, Any]:
    """The content of a score file; ``changed_by_hand`` is true where its digest does not fit.

    Raises:
        ValueError: it is damaged, or no score file. The message names it.
    """
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            raise ValueError("it is no file of a fitting size")
        record = json.loads(path.read_text(encoding="utf-8"))
        _check(record)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path.name} is damaged or no score file ({error}): move it elsewhere to begin anew"
        ) from error
    found = record.pop("digest", None)
    record["changed_by_hand"] = bool(record["changed_by_hand"] or found != _digest(record))
    return record


def _check(record: Any) -> None:
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}")
    kinds = {
        "name": str, "built": list, "official": list, "times_official_asked": int,
        "learners": dict, "changed_by_hand": bool,
    }  # fmt: skip
    for field, kind in kinds.items():
        if not isinstance(record.get(field), kind):
            raise ValueError(f"{field!r} is missing or no {kind.__name__}")
    for entry in [*record["built"], *record["official"]]:
        if not isinstance(entry, dict):
            raise ValueError("a score in it has no parts")
        numbers = [entry.get(field) for field in ("error_percent", "tier")]
        if not all(isinstance(n, int | float) and 0 <= n <= 100 for n in numbers):
            raise ValueError("a score in it holds no numbers")
        if not all(isinstance(entry.get(n), str) for n in ("learner", "fingerprint", "kind")):
            raise ValueError("a score in it says nothing of its learner")


def write(path: Path, record: dict[str, Any], made_of: dict[str, Any]) -> None:
    """The whole file, or the old one. It keeps the learners of official scores, and the last."""
    needed = {entry["fingerprint"] for entry in record["official"]}
    needed |= {entry["fingerprint"] for entry in record["built"][-1:]}
    learners = record["learners"] | {made_of["fingerprint"]: made_of}
    record["learners"] = {key: learners[key] for key in sorted(needed & learners.keys())}
    signed = record | {"digest": _digest(record)}
    text = json.dumps(signed, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(path, text.encode())


def _digest(record: dict[str, Any]) -> str:
    content = {key: value for key, value in record.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def collect(folder: Path) -> list[dict[str, Any]]:
    """A row for each score file below ``folder``, by name.

    Each has ``file``, ``name``, ``learner``, ``built`` and ``official`` (per cent wrong; None
    where there is none), ``tier``, and ``remarks``: what whoever marks it should ask about.
    ``built`` is of the learner that was asked officially, or else the last.
    """
    rows = []
    for path in sorted(folder.rglob("capstone-*.json")):
        try:
            rows.append({"file": str(path.relative_to(folder)), **_row(read(path))})
        except (OSError, ValueError) as error:
            rows.append({"file": str(path.relative_to(folder)), **EMPTY, "remarks": [str(error)]})
    return rows


EMPTY = {"name": "?", "learner": "?", "built": None, "tier": 0, "official": None}
EMPTY_ENTRY = {"learner": "?", "error_percent": None, "tier": 0, "kind": BUILT}


def _row(record: dict[str, Any]) -> dict[str, Any]:
    built, asked = record["built"], record["official"]
    first = asked[0] if asked else None
    alike = [entry for entry in built if first and entry["fingerprint"] == first["fingerprint"]]
    told = (alike or built or [EMPTY_ENTRY])[-1]
    times = record["times_official_asked"]
    remarks = {
        "changed by hand": record["changed_by_hand"],
        "no built score": not built,
        "built runs of made-up characters": told["kind"] == MADE_UP,
        "the official learner has no built score": asked and not alike,
        f"asked the official runs {times} times": times > 1,
        "the count of official scores does not fit": times != len(asked),
        "see the built score's notes": bool(told.get("notes")),
        "see the official score's notes": any(entry.get("notes") for entry in asked),
        "no source": built and not told.get("source_sha256"),
    }
    return {
        "name": _short(record["name"]),
        "learner": _short((first or told)["learner"]),
        "built": told["error_percent"],
        "tier": told["tier"],
        "official": first and first["error_percent"],
        "remarks": [f"{len(built)} built scores", *(text for text, so in remarks.items() if so)],
    }


def _short(text: str) -> str:
    """For a table: no sign that would move a terminal's cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:20])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m metalearn_lite.teaching.score_file",
        description="A table of all capstone score files below a folder.",
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    if not folder.is_dir():
        print(f"{folder} is no folder", file=sys.stderr)
        return 1
    rows = collect(folder)
    for row in rows:
        built, official = (
            "–" if row[part] is None else f"{row[part]:.1f} %" for part in ("built", "official")
        )
        told = f"{row['name']:20} {row['learner']:16} built {built:>7}  tier {row['tier']}  "
        print(printable(f"{told}official {official:>7}  {'; '.join(row['remarks'])}"))
    print(f"{len(rows)} score files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
