"""The learner's copy: `workbook/`, made from `notebooks/`. A reader works there and loses nothing.

    python -m metalearn_lite.teaching.workbook              make it, or bring it up to date
    python -m metalearn_lite.teaching.workbook --fresh 04   a clean 04; the old one goes to old/

It prints the notebook to open, and says on standard error what it left alone. In the copy nothing
has been run, and captions are folded, so that a prediction is one. Claims and Bonus are collapsed
in the course already.

A notebook is its reader's as soon as its cells read otherwise than any that was laid down here: it
is then never touched, and a newer one of the course is laid beside it. Times are not asked. What
running leaves behind (outputs, counts, metadata) is no change, nor is an empty cell.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import itertools
import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

from metalearn_lite.files import write_whole
from metalearn_lite.teaching.console import printable

ROOT = Path(__file__).resolve().parents[2]
COURSE, WORKBOOK = ROOT / "notebooks", ROOT / "workbook"
FIRST = "00_start_here.ipynb"
RECORD = ".made.json"  # of every notebook laid down, the digest of the course's version
COLLAPSED = ("jupyter", "jp-MarkdownHeadingCollapsed")  # claims and Bonus
CAPTION = re.compile(r"\*In words: (.+?)\*(?=\n\n|\Z)", re.DOTALL)


def learners_copy(notebook: dict) -> dict:
    """A notebook of the course, not run, and captions folded."""
    made = copy.deepcopy(notebook)
    for cell in made["cells"]:
        shown = cell["metadata"]
        cell["metadata"] = {key: shown[key] for key in COLLAPSED if key in shown}
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        elif cell["cell_type"] == "markdown":
            cell["source"] = CAPTION.sub(_folded, _source(cell), count=1).splitlines(keepends=True)
    return made


def digest(notebook: dict) -> str:
    """Of what the cells say, and in which order; of nothing that running them changes."""
    said = [(cell["cell_type"], _source(cell)) for cell in notebook["cells"]]
    said = [cell for cell in said if cell[1].strip()]  # JupyterLab adds an empty one at the end
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def make(course: Path, workbook: Path) -> list[str]:
    """Brings ``workbook`` up to date with the notebooks in ``course``.

    Returns a line for each notebook that was left alone although the course has another one.

    Raises:
        OSError: ``workbook`` cannot be written. What was in it is still there.
    """
    record = _read_record(workbook)
    before = dict(record)
    said = []
    for path in _notebooks(course):
        said += _lay_down(path, workbook, record)
    if record != before:
        write_whole(workbook / RECORD, json.dumps(record, indent=1).encode())
    return said


def fresh(course: Path, workbook: Path, asked: str) -> str:
    """Lays a clean copy of the notebook ``asked``, "04" or its file's name; says where the old is.

    Raises:
        ValueError: the course has no such notebook.
        OSError: ``workbook`` cannot be written.
    """
    paths = _notebooks(course)
    named = [path for path in paths if asked in (path.name[:2], path.stem, path.name)]
    if len(named) != 1:
        numbers = ", ".join(path.name[:2] for path in paths)
        raise ValueError(
            f"there is no notebook {asked!r}: say one of {numbers}, as in `make fresh NOTEBOOK=04`"
        )
    (path,) = named
    old = _move_away(workbook / path.name, workbook / "old")
    make(course, workbook)
    return f"{path.name} is a clean copy" + (f"; the old one is old/{old.name}" if old else "")


def _notebooks(course: Path) -> list[Path]:
    return sorted(course.glob("[0-9][0-9]_*.ipynb"))


def _lay_down(path: Path, workbook: Path, record: dict[str, str]) -> list[str]:
    """One notebook: laid down, brought up to date, or left alone and the newer one laid beside."""
    try:
        made = learners_copy(json.loads(path.read_text(encoding="utf-8")))
    except ValueError:  # such as the marks of a merge
        return [f"{path} is damaged and was left out: `git checkout {path.name}` there mends it"]
    now = digest(made)
    content = (json.dumps(made, indent=1, ensure_ascii=False) + "\n").encode()

    def lay(name: str) -> bool:
        """Whether the course's version is at ``name`` afterwards."""
        found = _found(workbook / name)
        if found is None or (found != now and found in record.values()):
            write_whole(workbook / name, content)
        elif found != now:
            return False
        record[name] = now
        return True

    if lay(path.name):
        return []
    damaged = _found(workbook / path.name) == "damaged"
    if record.get(path.name) == now and not damaged:
        return []  # it began as this very version
    record[path.name] = now
    for number in itertools.count(1):
        beside = f"{path.stem} (new{f' {number}' * (number > 1)}).ipynb"
        if record.get(beside) == now:
            return []  # said before, and perhaps worked in or removed since
        if lay(beside):
            why = "cannot be read as a notebook" if damaged else "has your changes"
            return [f"{path.name} {why} and is left as it is; the course's own is {beside!r}"]


def _found(path: Path) -> str | None:
    """The digest of the notebook at ``path``; None: nothing is there; "damaged": no notebook is."""
    try:
        return digest(json.loads(path.read_text(encoding="utf-8")))
    except OSError:  # what cannot be there at all is for the writing to find out
        return "damaged" if os.path.lexists(path) else None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "damaged"


def _read_record(workbook: Path) -> dict[str, str]:
    """What was laid down; without a record that can be read, nothing: all is then the reader's."""
    try:
        record = json.loads((workbook / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    whole = isinstance(record, dict) and all(isinstance(value, str) for value in record.values())
    return record if whole else {}


def _move_away(path: Path, folder: Path) -> Path | None:
    """Moves ``path`` into ``folder`` under a name that nobody has; None where there is no file."""
    if not path.exists():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        place = folder / f"{path.stem} ({number}){path.suffix}"
        with suppress(FileExistsError):
            place.touch(exist_ok=False)  # from here on the name is ours, whoever else runs
            break
    try:
        os.replace(path, place)
    except OSError as error:
        place.unlink()
        if isinstance(error, FileNotFoundError):  # another run has just moved it
            return None
        raise
    return place


def _source(cell: dict) -> str:
    return "".join(cell["source"])


def _folded(caption: re.Match) -> str:
    words = caption[1][:1].upper() + caption[1][1:]
    return f"<details><summary>In words</summary>\n\n*{words}*\n\n</details>"


def main(
    arguments: list[str] | None = None, course: Path = COURSE, workbook: Path = WORKBOOK
) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m metalearn_lite.teaching.workbook",
        description="Make workbook/, your own copy of the notebooks. What you changed stays.",
    )
    parser.add_argument("--fresh", metavar="NOTEBOOK", help="a clean copy of this one, such as 04")
    options = parser.parse_args(arguments)
    if not (course / FIRST).is_file():
        _say(f"there are no notebooks in {course}: run this in a checkout of the course")
        return 1
    try:
        if options.fresh is None:
            for line in make(course, workbook):
                _say(line)
        else:
            _say(fresh(course, workbook, options.fresh))
        problem = None
    except ValueError as error:
        _say(str(error))
        return 1
    except OSError as error:
        problem = f"{workbook} cannot be written ({error.strerror or error})"
    opened = workbook if (workbook / FIRST).is_file() else course
    if problem and opened == workbook:
        _say(f"{problem}: what is in it stays as it is")
    elif problem:
        _say(f"{problem}: read {course.name}/ instead, and save what you do there elsewhere")
    print(f"{opened.name}/{FIRST}")
    return 1 if problem else 0


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
