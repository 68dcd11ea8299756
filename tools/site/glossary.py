"""The words of the course, in English and Chinese: one page, and links both ways.

The table stands in notebook 00. A word is printed in bold where its notebook explains it: there
it becomes a link to the glossary, and the glossary leads back to that very place.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

PAGE = "glossary.html"
TABLE = "| English | 中文 |"
BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)


class Word(NamedTuple):
    """One row of the table; ``stem`` is the notebook that explains it."""

    english: str
    chinese: str
    meaning: str
    stem: str

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.english.lower()).strip("-")


def words(notebooks: Path) -> list[Word]:
    """The table of 00, in its order; a word of a notebook that is not there has no ``stem``."""
    stems = {path.stem[:2]: path.stem for path in sorted(notebooks.glob("[0-9]*.ipynb"))}
    cells = nbformat.read(notebooks / f"{stems['00']}.ipynb", as_version=4).cells
    (table,) = [cell.source for cell in cells if TABLE in cell.source]
    rows = [
        line.strip("|").strip().split(" | ") for line in table.splitlines() if line.startswith("|")
    ]
    return [Word(*row[:3], stems.get(row[3].strip(), "")) for row in rows[2:]]


def link_words(cells: list[NotebookNode], stem: str, words: list[Word]) -> None:
    """Makes of each word that notebook ``stem`` explains, where it does, a link to the glossary."""
    prose = [cell for cell in cells if cell.cell_type == "markdown"]
    for word in words:
        if word.stem == stem and (place := _explained(word, prose)):
            cell, (start, end) = place
            link = f'<a class="ml-word" id="word-{word.anchor}" href="{PAGE}#{word.anchor}">'
            cell.source = (
                f"{cell.source[:start]}{link}{cell.source[start:end]}</a>{cell.source[end:]}"
            )


def _explained(word: Word, prose: list[NotebookNode]) -> tuple[NotebookNode, tuple] | None:
    """The first text in bold that is the word, else the first that holds it."""
    name = rf"(?<![\w-]){re.escape(word.english)}(?:s|es)?(?![\w-])"
    for pattern in (rf"\W*{name}\W*", rf".*{name}.*"):
        for cell in prose:
            for bold in BOLD.finditer(cell.source):
                linked = cell.source[: bold.start()].endswith('">')
                if not linked and re.fullmatch(pattern, bold[1], re.IGNORECASE | re.DOTALL):
                    return cell, bold.span()
    return None


def table(words: list[Word]) -> str:
    """The page's table, as HTML: the first column is what others link to."""
    rows = "\n".join(
        f'<tr id="{word.anchor}"><th scope="row">{escape(word.english)}</th>'
        f'<td lang="zh">{escape(word.chinese)}</td><td>{escape(word.meaning)}</td>'
        f'<td><a href="{word.stem}.html#word-{word.anchor}">{word.stem[:2]}</a></td></tr>'
        for word in sorted(words, key=lambda word: word.english.lower())
    )
    return (
        '<table class="ml-words" data-pagefind-weight="8"><thead><tr><th>English</th>'
        '<th lang="zh">中文</th>'
        f"<th>in one sentence</th><th>explained in</th></tr></thead><tbody>\n{rows}\n"
        "</tbody></table>"
    )
