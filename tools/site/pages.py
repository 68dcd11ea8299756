"""A stored notebook as a page of the site: what needs a kernel gives way to what a page can do.

A recorded figure stands in the place of a widget, its filmstrip folded below it. Claims are one
line, to be unfolded. Hints and the replies of a quiz unfold, too. A caption stands below its
figure; a word of the glossary leads to it where it is explained.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from html import escape

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from metalearn_lite.teaching import exercises, quizzes
from tools.notebooks import BONUS_HEADING, claims_something
from tools.site import links
from tools.site.glossary import Word, link_words

Markup = Callable[[str, str], str | None]

CHECK = re.compile(r'^check\("([\w.]+)"', re.MULTILINE)
QUIZ = re.compile(r'^quiz\("([\w.]+)"\)', re.MULTILINE)
CAPTION_CELL = re.compile(r"\*In words: .+?\*(?=\n\n|\Z)", re.DOTALL)
SHOWN_SOURCE = re.compile(r"\A<(style|div)\b.*\bhighlight\b", re.DOTALL)
IMPORTS = re.compile(r"\A(?:import |from \w)")
FOLDED_CELLS = {
    "ml-claims": "✔ {number} claim{s} tested",
    "ml-imports": "Imports and settings",
    "ml-still": "The same in still pictures",
}
"""tags of cells that unfold, and below which words"""
BONUS_MARK = "% what follows of this bonus is folded"


def page(notebook: NotebookNode, stem: str, words: list[Word], markup: Markup) -> NotebookNode:
    """The page of notebook ``stem``; ``markup`` gives a widget cell's figure, where it has one."""
    made = copy.deepcopy(notebook)
    link_words(made.cells, stem, words)
    cells: list[NotebookNode] = []
    below_figure = False
    for cell in made.cells:
        cell.metadata = NotebookNode()
        if cell.cell_type == "markdown":
            cells += _prose(cell, stem, first=not cells)
            continue
        figure = markup(stem, cell.source)
        if figure is not None:
            cell.outputs = [new_output("display_data", {"text/html": figure})]
        cells += _code(cell, still=below_figure)
        below_figure = figure is not None
    made.cells = cells
    return made


def _prose(cell: NotebookNode, stem: str, first: bool) -> list[NotebookNode]:
    text = CAPTION_CELL.sub(
        lambda found: _block("container", "ml-caption", found[0]), cell.source, count=1
    )
    if first:
        title, _, rest = text.partition("\n")
        text = f"{title}\n\n{run_box(stem)}\n{rest}"
    cells = [_markdown(text)]
    if BONUS_HEADING.match(text):
        cells.append(_markdown(BONUS_MARK))
    return cells


def _code(cell: NotebookNode, still: bool) -> list[NotebookNode]:
    if found := QUIZ.search(cell.source):
        return [_quiz(quizzes.find(found[1]))]
    if claims_something(cell.source):
        cell.metadata.tags = ["ml-claims"]
        return [cell]
    cell.outputs = [_output(output) for output in cell.outputs]
    if found := CHECK.search(cell.source):
        cell.outputs = []
        return [cell, _hints(found[1])]
    if _only_imports(cell.source):
        cell.metadata.tags = ["ml-imports"]
    alternative = _alternative(cell)
    if alternative and still:
        cell.metadata.tags = ["ml-still"]
    if alternative:
        cell.metadata.mystnb = {"image": {"alt": alternative}}
    return [cell]


def _quiz(question: quizzes.Question) -> NotebookNode:
    options = [
        _folded(f"**{letter}.** {text}", "ml-option", question.answer(number))
        for number, (letter, (text, _)) in enumerate(zip("ABCDEFG", question.options, strict=False))
    ]
    text = f"**Question {question.name}.** {question.text}\n\n" + "\n\n".join(options)
    return _markdown(_block("container", "ml-quiz", text))


def _hints(name: str) -> NotebookNode:
    """Three, each inside the one before."""
    hints = exercises.find(name).hints
    inner = ""
    for number in range(len(hints), 0, -1):
        inner = _folded(
            f"Hint {number} of {len(hints)}", "ml-hint", f"{hints[number - 1]}\n\n{inner}"
        )
    told = "The check runs in the notebook, and names the mistake it recognises."
    return _markdown(_block("container", "ml-check", f"{told}\n\n{inner}"))


def _output(output: NotebookNode) -> NotebookNode:
    """Source that a cell shows is set by the page, in its own light or dark colours."""
    data = output.get("data", {})
    if "text/latex" in data and SHOWN_SOURCE.match(data.get("text/html", "")):
        code = _fence("python", data["text/plain"])
        return new_output("display_data", {"text/markdown": code, "text/plain": code})
    return output


def _only_imports(source: str) -> bool:
    return bool(IMPORTS.match(source)) and source.count("import ") > 4


def _alternative(cell: NotebookNode) -> str:
    """What its images show, in words; "" of a cell without."""
    found = [
        output.metadata.get(kind, {}).get("alt", "")
        for output in cell.outputs
        for kind in _images(output)
    ]
    return " ".join(" ".join(found[:1]).split())


def _images(output: NotebookNode) -> list[str]:
    return [kind for kind in output.get("data", {}) if kind.startswith("image/")]


def run_box(stem: str) -> str:
    """How to go on from the page to a notebook that runs."""
    places = {
        "Run on Binder": links.binder(stem),
        "Run on Colab": links.colab(stem),
        "Download": f"notebooks/{stem}.ipynb",
    }
    buttons = " ".join(
        f'<a class="ml-button" href="{escape(url)}"{" download" if name == "Download" else ""}>'
        f"{name}</a>"
        for name, url in places.items()
    )
    return _block(
        "container",
        "ml-run",
        f'<p class="ml-buttons">{buttons}</p>\n\n'
        + _folded("On your machine: two commands", "ml-hint", commands()),
    )


def commands() -> str:
    """The two commands that bring the course to a machine, as Markdown."""
    return _fence("sh", f"git clone {links.source('')}\ncd {links.REPO} && make lab")


def _markdown(text: str) -> NotebookNode:
    return new_markdown_cell(text)


def _folded(title: str, name: str, text: str) -> str:
    return _directive(f"fold}} {title}", text, f":class: {name}")


def _block(kind: str, name: str, text: str) -> str:
    return _directive(f"{kind}}} {name}", text)


def _directive(head: str, text: str, option: str = "") -> str:
    marks = _longer(":", text)
    return (
        f"{marks}{{{head}\n{option}\n\n{text}\n{marks}\n"
        if option
        else (f"{marks}{{{head}\n\n{text}\n{marks}\n")
    )


def _fence(language: str, text: str) -> str:
    marks = _longer("`", text)
    return f"{marks}{language}\n{text.rstrip()}\n{marks}"


def _longer(mark: str, text: str) -> str:
    """More of ``mark`` than ``text`` has in a row at the beginning of a line."""
    longest = max((len(run) for run in re.findall(rf"^{mark}+", text, re.MULTILINE)), default=0)
    return mark * max(3, longest + 1)
