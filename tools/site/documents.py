"""The repository's documents as pages; of the instructors' those parts that hold no answers."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
from pathlib import Path

from tools.site import links

ROOT = links.ROOT
PAGES = {
    "docs/running.md": "running",
    "docs/measured.md": "measured",
    "docs/checklist.md": "checklist",
    "docs/command_line.md": "command_line",
    "CONTRIBUTING.md": "contributing",
    "docs/external_links.md": "external_links",
    "CHANGES.md": "changes",
    "README.md": "index",
    "instructor/README.md": "instructors",
    "instructor/EXERCISES.md": "exercises",
}
"""where a document is on the site"""
PLANNED = ("Six weeks", "Two days")  # of TEACHING.md: the rest of it holds solutions
LINK = re.compile(r"(\]\()(?!https?:|#|mailto:)([^)#]+)(#[^)]*)?(\))")
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)


def pages() -> dict[Path, str]:
    """The sources, by the place where they lie. The front page is not the README."""
    laid = {
        Path(f"{name}.md"): with_links(read(path), path)
        for path, name in PAGES.items()
        if name != "index"
    }
    laid[Path("instructors.md")] += "\n" + with_links(plans(), "instructor/TEACHING.md")
    laid[Path("exercises.md")] = without_last_column(laid[Path("exercises.md")])
    return laid


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def with_links(text: str, path: str) -> str:
    """``text`` of the document at ``path``: links lead to pages of the site, or to the source."""
    return LINK.sub(
        lambda found: found[1] + _target(found[2], found[3] or "", path) + found[4], text
    )


def _target(link: str, fragment: str, path: str) -> str:
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    if place.endswith(".png"):
        return f"_documents/{posixpath.basename(place)}"
    if place.startswith("notebooks/"):
        return posixpath.basename(place) + fragment
    if place == "README.md":
        return "index.md"
    if place in PAGES:
        return f"{PAGES[place]}.md{fragment}"
    return links.source(place + "/" * (ROOT / place).is_dir()) + fragment


def pictures(source: Path) -> None:
    """Lays the pictures of documents beside the pages."""
    (source / "_documents").mkdir(parents=True, exist_ok=True)
    for path in (ROOT / "docs").glob("*.png"):
        target = source / "_documents" / path.name
        if not target.exists() or os.path.getmtime(target) < os.path.getmtime(path):
            shutil.copy(path, target)


def plans() -> str:
    """The plans of a course, from the guide to teaching it."""
    found = dict(SECTION.findall(read("instructor/TEACHING.md")))
    return "\n".join(f"## {title}\n{found[title]}" for title in PLANNED)


def without_last_column(text: str) -> str:
    """The table of exercises without what a wrong answer is told, and without the words on it."""
    lines = []
    for line in text.splitlines():
        if line.startswith("- *a wrong answer is told*"):
            continue
        if line.startswith(("| exercise |", "| `")) and line.count(" | ") >= 6:
            line = " | ".join(line.split(" | ")[:6]) + " |"
        elif line.startswith("| --- |") and line.count("|") == 8:
            line = "|".join(line.split("|")[:7]) + "|"
        lines.append(line)
    return "\n".join(lines) + "\n"
