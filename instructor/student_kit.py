"""The course without its instructor's part, in one zip: `build/student-kit.zip`.

It holds what git tracks, as it lies in the folder, but for `instructor/`, what needs it (see
`needs_the_instructor`), and what only this repository's own automation reads. The same files give
the same bytes.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from metalearn_lite.files import write_whole

ROOT = Path(__file__).parents[1]
KIT = ROOT / "build" / "student-kit.zip"
FOLDER = "metalearn-lite"  # what the zip unpacks to
LEFT_OUT = ("instructor/", "tests/instructor/", ".ci/", ".github/", "tests/test_workflows.py",
            "requirements-instructor.txt",
            # Nor is the site built of it: that has pages for instructors.
            "site/", "requirements-site.txt", "tools/site/build.py", "tools/site/documents.py",
            "tests/website/test_pages.py", "tests/website/test_site.py", "tests/browser/test_site",
            )  # fmt: skip
# These say of instructor/ that it is not in the kit, or would work where it is.
MAY_NAME_IT = (
    "Makefile",
    "README.md",
    "CONTRIBUTING.md",
    ".gitignore",
    "docs/external_links.md",
    "tools/setup.sh",
    "notebooks/16_libraries_and_scale.ipynb",
    "tests/with_answers.py",
)
NAMED = re.compile(r"\binstructor(?:[./\"'-]| import)|import instructor\b|\.venv-instructor")
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class CannotPack(Exception):
    """There is no kit to be made; the message says why and what to do."""


def tracked(root: Path = ROOT) -> dict[str, int]:
    """The path of every file that git tracks in ``root``, and whether it is a program (0o755).

    Raises:
        CannotPack: git is not installed, or ``root`` is no clone.
    """
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--stage", "-z"], cwd=root, capture_output=True, check=True
        ).stdout.decode()
    except FileNotFoundError:
        raise CannotPack("git is not installed: it says which files belong to the course") from None
    except subprocess.CalledProcessError:
        raise CannotPack(f"{root} is no clone of the course: git knows none of its files") from None
    rows = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
    return {path: int(marks.split()[0], 8) & 0o777 for marks, path in rows}


def needs_the_instructor(path: str, content: bytes) -> bool:
    """Whether a test or a benchmark names `instructor`: it could not run without."""
    if path in MAY_NAME_IT:
        return False
    return path.startswith(("tests/", "benchmarks/")) and names_it(content)


def names_it(content: bytes) -> bool:
    return NAMED.search(content.decode("utf-8", errors="ignore")) is not None


def files_of(root: Path = ROOT) -> dict[str, tuple[int, bytes]]:
    """What the kit holds: path, mode, content.

    Raises:
        CannotPack: as `tracked`, or a file is missing, or one of the kit names `instructor`.
    """
    kit = {}
    for path, mode in sorted(tracked(root).items()):
        if path.startswith(LEFT_OUT):
            continue
        try:
            content = (root / path).read_bytes()
        except FileNotFoundError:
            raise CannotPack(f"{path} is missing: restore it (git checkout -- {path})") from None
        if needs_the_instructor(path, content):
            continue
        if (
            path not in MAY_NAME_IT
            and path.endswith((".py", ".ipynb", ".md"))
            and names_it(content)
        ):
            raise CannotPack(
                f"{path} names instructor/, which learners do not have: change it there"
            )
        kit[path] = mode, content
    return kit


def pack(target: Path = KIT, root: Path = ROOT) -> int:
    """Writes the kit to ``target``, whole or not at all. Returns the number of its files."""
    files, made = files_of(root), io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as kit:
        for path, (mode, content) in files.items():
            info = zipfile.ZipInfo(f"{FOLDER}/{path}", ZIP_TIME)
            info.create_system, info.external_attr = (
                3,
                mode << 16,
            )  # as on Unix, wherever it is made
            kit.writestr(info, content, zipfile.ZIP_DEFLATED)
    write_whole(target, made.getvalue())
    return len(files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=KIT, help="default: build/student-kit.zip")
    options = parser.parse_args()
    try:
        number = pack(options.to)
    except (CannotPack, OSError) as error:
        sys.exit(f"No kit was made: {error}")
    size = options.to.stat().st_size / 2**20
    print(f"To hand out: {options.to} ({number} files, {size:.1f} MiB)")


if __name__ == "__main__":
    main()
