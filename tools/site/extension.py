"""What the site adds to Sphinx: formulas set while it builds, and what deserves folding folded."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from html import escape
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.util.docutils import SphinxDirective

from tools.site import links
from tools.site.pages import BONUS_MARK, FOLDED_CELLS

DESCRIPTION = 200  # characters, the most
CARD = "Five points of a wave: MAML finds it in ten steps, joint training does not"
# Keys of Sphinx's own search, which the site has not.
NEEDLESS = {"doctools.js", "sphinx_highlight.js"}
KATEX = Path(__file__).with_name("katex.mjs")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("katex", (_inline_formula, None), (_formula, None))
    app.config.html_math_renderer = "katex"
    app.add_directive("fold", Fold)
    app.connect("doctree-read", fold_cells)
    app.connect("autodoc-process-docstring", sections_of)
    app.connect("builder-inited", without_own_search)
    app.connect("doctree-read", fold_bonus)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


@cache
def _katex() -> subprocess.Popen:
    return subprocess.Popen(
        ["node", KATEX], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )


@cache
def typeset(formula: str, display: bool) -> str:
    """The HTML of a formula in TeX.

    Raises:
        SphinxError: KaTeX does not take it; the message says why.
    """
    node = _katex()
    node.stdin.write(json.dumps([formula, display]) + "\n")
    node.stdin.flush()
    html = json.loads(node.stdout.readline() or '{"error": "node did not answer"}')
    if isinstance(html, dict):
        raise SphinxError(f"{html['error']}: {formula}")
    return html


def _inline_formula(translator, node: nodes.math) -> None:
    translator.body.append(typeset(node.astext(), False))
    raise nodes.SkipNode


def _formula(translator, node: nodes.math_block) -> None:
    translator.body.append(
        f'<div class="ml-formula" tabindex="0">{typeset(node.astext(), True)}</div>'
    )
    raise nodes.SkipNode


def sections_of(app: Sphinx, what: str, name: str, thing, options, lines: list[str]) -> None:
    """Sets "Args:" and "Raises:". Of an attribute all words are one sentence, colons included."""
    if what not in ("attribute", "data", "property"):
        lines[:] = GoogleDocstring(
            "\n".join(lines), Config(), what=what, name=name, obj=thing
        ).lines()


def without_own_search(app: Sphinx) -> None:
    """Sphinx's index is not written: search.md has Pagefind, which is made when all is built."""
    app.builder.search = False


def describe(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document) -> None:
    """What search engines and messengers show of a page: its first words, and a card."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if Path(str(script.filename)).name not in NEEDLESS
    ]
    if doctree is None:
        return
    words = next((node.astext() for node in doctree.findall(nodes.paragraph)), "")
    words = " ".join(words.split())
    if len(words) > DESCRIPTION:
        words = words[:DESCRIPTION].rsplit(" ", 1)[0] + " …"
    title = doctree.next_node(nodes.title).astext()
    facts = {
        "description": words,
        "og:title": title,
        "og:description": words,
        "og:type": "website",
        "og:url": links.SITE + ("" if page == "index" else f"{page}.html"),
        "og:image": f"{links.SITE}_static/card.png",
        "og:image:alt": CARD,
        "twitter:card": "summary_large_image",
    }
    context["metatags"] += "".join(
        f'<meta {"property" if ":" in name else "name"}="{name}" content="{escape(text)}">\n'
        for name, text in facts.items()
    )


class Fold(SphinxDirective):
    """What unfolds below its title: ``{fold} title``, with ``:class:`` if need be."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {"class": directives.unchanged}
    has_content = True

    def run(self) -> list[nodes.Node]:
        title, messages = self.parse_inline(self.arguments[0])
        return folded(
            title, self.parse_content_to_nodes() + messages, self.options.get("class", "")
        )


def folded(title: list[nodes.Node], content: list[nodes.Node], name: str) -> list[nodes.Node]:
    def raw(html: str) -> nodes.raw:
        return nodes.raw("", html, format="html")

    head = [raw(f'<details class="ml-fold {name}"><summary>'), *title, raw("</summary>")]
    return [*head, *content, raw("</details>")]


def fold_cells(app: Sphinx, doctree: nodes.document) -> None:
    """Folds the cells that `pages` has tagged so."""
    for cell in list(doctree.findall(nodes.container)):
        for tag, title in FOLDED_CELLS.items():
            if f"tag_{tag}" in cell["classes"]:
                number = sum(line.startswith("✔") for line in cell.astext().splitlines())
                words = title.format(number=number, s="s" * (number != 1))
                cell.parent[cell.parent.index(cell)] = parts = nodes.container(classes=[tag])
                parts += folded([nodes.Text(words)], [cell], "")


def fold_bonus(app: Sphinx, doctree: nodes.document) -> None:
    """Folds what follows the heading and the first words of a bonus section."""
    for mark in list(doctree.findall(nodes.comment)):
        if mark.astext().strip() == BONUS_MARK.removeprefix("% "):
            section = mark.parent
            place = section.index(mark)
            title = [nodes.Text("Unfold this bonus section")]
            section[place:] = folded(title, section[place + 1 :], "ml-bonus")
