"""The map of the course, as notebook 00 has it: parts, notebooks, the question of each."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import NamedTuple

import nbformat

HEADING = "## 4. The map"
ROW = re.compile(r"^\| (?:\*\*(\w+)\*\*)? *\| (.+?) \| (.+?) \|$", re.MULTILINE)
TITLES = {
    "I": "From learning to learning to learn",
    "II": "MAML",
    "III": "Few-shot characters",
    "IV": "Meta-reinforcement learning",
    "V": "Out of the textbook",
}
TOCTREE = """\
```{{toctree}}
:hidden:
:caption: {caption}

{names}
```
"""


class Notebook(NamedTuple):
    """A row of the map; ``stem`` is "" while it is being written."""

    part: str
    number: str
    title: str
    question: str
    stem: str


def notebooks(folder: Path) -> list[Notebook]:
    """The rows of the map, in the order of the course."""
    stems = {path.stem[:2]: path.stem for path in sorted(folder.glob("[0-9]*.ipynb"))}
    cells = nbformat.read(folder / f"{stems['00']}.ipynb", as_version=4).cells
    (text,) = [cell.source for cell in cells if HEADING in cell.source]
    found, part = [], ""
    for row in ROW.finditer(text[text.index(HEADING) :]):
        part = row[1] or part
        name = re.search(r"(\d\d) ([^*\]|(]+)", row[2])
        if part and name:
            found.append(Notebook(part, name[1], name[2].strip(), row[3], stems.get(name[1], "")))
    return found


def toctrees(course: list[Notebook]) -> str:
    """The contents in the sidebar: a caption a part."""
    blocks = [
        TOCTREE.format(
            caption=f"{part} · {title}",
            names="\n".join(each.stem for each in course if each.part == part and each.stem),
        )
        for part, title in TITLES.items()
    ]
    return "\n".join(blocks)


def table(course: list[Notebook]) -> str:
    """The map as HTML: a column a part, a card a notebook."""
    columns = []
    for part, title in TITLES.items():
        cards = "\n".join(_card(each) for each in course if each.part == part)
        columns.append(
            f'<div class="ml-part"><h3><b>{part}</b> {title}</h3>\n<ol>\n{cards}\n</ol></div>'
        )
    return '<div class="ml-map">\n' + "\n".join(columns) + "\n</div>"


def _card(notebook: Notebook) -> str:
    inside = (
        f'<span class="ml-number">{notebook.number}</span> '
        f'<span class="ml-title">{escape(notebook.title)}</span>'
        f'<span class="ml-question">{escape(notebook.question)}</span>'
    )
    if not notebook.stem:
        return f'<li><span class="ml-card ml-planned">{inside}<em>being written</em></span></li>'
    return f'<li><a class="ml-card" href="{notebook.stem}.html">{inside}</a></li>'
