"""Each notebook's main path as a deck of slides, to show without a network: `build/slides/`.

One idea a slide: a heading with the first sentences below it, a formula, a figure, some lines of
code with what they print, a question. The whole text is in the speaker notes (press S), captions
too. Bonus sections, claims, widgets (a filmstrip follows each) and checks are left out.

nbconvert makes the slides; reveal.js shows them and KaTeX sets the formulas. Both come from npm at
the first build, in the versions below, and lie beside the decks: no other host is asked.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from jinja2 import DictLoader
from nbconvert.exporters import SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from metalearn_lite.files import write_whole
from tools.notebooks import claims_something, main_path

ROOT = Path(__file__).parents[1]
DECKS, PARTS = ROOT / "build" / "slides", ROOT / "build" / "slides-parts"
VERSIONS = {"reveal.js": "5.2.1", "katex": "0.16.22"}
# What of each package a deck loads.
NEEDED = {
    "reveal.js": ("LICENSE", "dist/reveal.css", "dist/reveal.js", "dist/theme/white.css",
                  "dist/theme/fonts", "plugin/notes"),
    "katex": ("LICENSE", "dist/katex.min.css", "dist/katex.min.js", "dist/fonts",
              "dist/contrib/auto-render.min.js"),
}  # fmt: skip
WIDTH, HEIGHT = 1280, 720

WORDS = 80  # on a slide
IN_FULL = 45  # of a paragraph; of each item of a list, half of it
LEAD_IN = 12  # words that stay with what follows them, whatever its length
LEAD = 32  # words that may stand above a figure, or above code and what it prints
ROWS = 6  # of a table
CODE, PRINTED = 14, 20  # lines that are shown together

HEADING = re.compile(r"(#+) +(.*)")
CAPTION = re.compile(r"[*_]*In words:")
SENTENCE = re.compile(r"[.?!](?<![A-Z]\.)(?<!e\.g\.)(?<!i\.e\.)[\"”*_)]*(?=\s+[A-Z*_$`(\[“\d])")
TITLE = re.compile(r"\*\*([^*]+)\*\*")
ITEM = re.compile(r"(?m)^(?=(?:[-*]|\d+\.) )")
NOTEBOOK = re.compile(r"\]\((\w+)\.ipynb\)")
KEPT_WHOLE = ("Reading", "Predict", "Quiz")
STARTER = 'NotImplementedError("your turn")'
SETS_UP = re.compile(r"(?m)^(?:def|class) ")

TEMPLATE = """\
{%- extends 'reveal/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}
<link rel="stylesheet" href="katex/dist/katex.min.css">
<script src="katex/dist/katex.min.js"></script>
<script src="katex/dist/contrib/auto-render.min.js"></script>
{%- endblock -%}
{%- block html_head_css -%}
<style>
.reveal .slides section { text-align: left; font-size: 28px; }
.reveal .slides h1 { font-size: 60px; text-transform: none; }
.reveal .slides h2 { font-size: 38px; text-transform: none; margin-bottom: 24px; }
:root { --jp-content-font-size1: 28px; --jp-code-font-size: 20px; --jp-ui-font-size1: 20px; }
.reveal .jp-RenderedHTMLCommon { font-size: 28px; line-height: 1.4; color: #222; }
.reveal .jp-RenderedHTMLCommon h2 { color: #1b4f72; }
.reveal .jp-RenderedHTMLCommon table { font-size: 24px; margin-left: 0; }
.reveal .jp-RenderedHTMLCommon code { font-size: 0.85em; }
.reveal pre { box-shadow: none; width: 100%; font-size: 20px; line-height: 1.35; margin: 8px 0; }
.reveal .jp-OutputArea-output pre, .reveal .highlight pre { max-height: none; overflow: visible; }
.reveal .jp-OutputArea-output img { display: block; margin: 0 auto; max-width: 100%; height: 540px;
  object-fit: contain; }
.reveal .katex { font-size: 1.1em; }
.reveal .jp-Cell { padding: 0; }
</style>
{%- endblock -%}
{%- block footer_js -%}
<script src="reveal.js/dist/reveal.js"></script>
<script src="reveal.js/plugin/notes/notes.js"></script>
<script>
renderMathInElement(document.body, { throwOnError: false, delimiters: [
    { left: "$$", right: "$$", display: true }, { left: "$", right: "$", display: false } ] });

// No line begins with the comma after a formula.
for (const formula of document.querySelectorAll("section .katex")) {
    const [outer, after] = [formula.parentElement, formula.parentElement.nextSibling];
    if (after?.nodeType === Node.TEXT_NODE && /^[,.;:?)]/.test(after.data)) {
        outer.style.whiteSpace = "nowrap";
        outer.append(after.data[0]);
        after.data = after.data.slice(1);
    }
}

// What is too high for its slide is made smaller, by as little as will do.
function fit() {
    const slide = Reveal.getCurrentSlide();
    let zoom = 1;
    slide.style.zoom = zoom;
    while (slide.scrollHeight * zoom > HEIGHT_OF_A_SLIDE && zoom > 0.4) {
        zoom -= 0.04;
        slide.style.zoom = zoom;
    }
    Reveal.layout();
}
Reveal.initialize({ width: WIDTH_OF_A_SLIDE, height: HEIGHT_OF_A_SLIDE, margin: 0.05, hash: true,
    transition: "none", slideNumber: "c/t", plugins: [RevealNotes] }).then(fit);
Reveal.on("slidechanged", fit);
</script>
{%- endblock -%}
""".replace("WIDTH_OF_A_SLIDE", str(WIDTH)).replace("HEIGHT_OF_A_SLIDE", str(HEIGHT))

INDEX = """\
<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Slides</title>
<h1>Slides of the course</h1>
<p>Arrow keys turn, S shows the speaker's notes, F fills the screen.</p>
<ul>{items}</ul></html>
"""


class CannotShow(Exception):
    """No deck can be made; the message says why and what to do."""


# --- what stands on a slide ------------------------------------------------------------------


@dataclass
class Slide:
    """A heading, what is below it, and what its speaker may say."""

    heading: str
    cells: list[NotebookNode] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    words: int = 0

    def to_cells(self) -> Iterator[NotebookNode]:
        first = new_markdown_cell(self.heading)
        first.metadata.slideshow = {"slide_type": "slide"}
        yield first
        yield from self.cells
        if self.notes:
            notes = new_markdown_cell("\n\n".join(self.notes))
            notes.metadata.slideshow = {"slide_type": "notes"}
            yield notes


def slides_of(notebook: NotebookNode) -> list[Slide]:
    """The slides of a notebook's main path."""
    made = [Slide("")]
    for cell in main_path(notebook.cells):
        if cell.cell_type == "markdown":
            _prose(cell.source, made)
        elif cell.cell_type == "code":
            _code(cell, made)
    return [slide for slide in made if slide.cells or slide.heading.startswith("# ")]


def _prose(source: str, made: list[Slide]) -> None:
    for block in blocks(source):
        last = made[-1]
        if found := HEADING.match(block):
            level = "#" if found[1] == "#" else "##"
            made.append(Slide(f"{level} {found[2]}"))
        elif CAPTION.match(block):
            last.notes.append(block)
        elif (found := TITLE.fullmatch(block)) and len(block.split()) < 8:
            made.append(Slide(f"## {found[1]}"))
        else:
            whole = any(word in last.heading for word in KEPT_WHOLE) or "**Predict" in block
            shown = NOTEBOOK.sub(r"](\1.slides.html)", block if whole else condensed(block))
            words = 20 if shown.startswith("$$") else len(shown.split())
            full = last.words > LEAD_IN and last.words + words > WORDS
            if full or (last.words and "**Predict" in block):
                last = Slide(_again(last.heading))
                made.append(last)
            last.cells.append(new_markdown_cell(shown))
            last.words += words
            if len(shown.split()) < len(block.split()):
                last.notes.append(block)


def _again(heading: str) -> str:
    """The heading of the slide after: the title's stands there once."""
    return heading if heading.startswith("## ") else f"## {heading.lstrip('# ')}"


def blocks(source: str) -> list[str]:
    """Paragraphs, lists, tables and formulas; a heading is one of its own."""
    source = re.sub(r"(?m)^(#+ .*)$", r"\n\1\n", source)
    source = re.sub(r"(?m)(?<=[^\n])\n(?=(?:[-*]|1\.) )", "\n\n", source)  # a list below its lead
    found = [block.strip() for block in re.split(r"\n\s*\n", source) if block.strip(" \n-")]
    joined: list[str] = []
    for block in found:  # items with blank lines between them are one list
        if joined and ITEM.match(block) and ITEM.match(joined[-1]):
            joined[-1] += f"\n{block}"
        else:
            joined += _parts_of_table(block)
    return joined


def _parts_of_table(block: str) -> list[str]:
    """A table that is too long for a slide in parts, each with its heads; else ``block`` alone."""
    heads, rows = block.splitlines()[:2], block.splitlines()[2:]
    if not block.startswith("|") or len(rows) <= ROWS:
        return [block]
    return ["\n".join(heads + rows[at : at + ROWS]) for at in range(0, len(rows), ROWS)]


def condensed(block: str) -> str:
    """The first sentence of a paragraph, or of each item; whole where that is short or a table."""
    if block.startswith(("|", "$$", "```")):
        return block
    if ITEM.match(block):
        items = [" ".join(item.split()) for item in ITEM.split(block) if item.strip()]
        return "\n".join(_first(item, len(items)) for item in items)
    return block if len(block.split()) <= IN_FULL else _first(" ".join(block.split()))


def _first(text: str, of: int = 1) -> str:
    """As many whole sentences as are not too long, and one at least."""
    most = IN_FULL // (2 if of > 2 else 1)
    ends = [found.end() for found in SENTENCE.finditer(text)] + [len(text)]
    # A bold word and a number at the front are no sentence, nor is half a parenthesis.
    ends = [end for end in ends if len(text[:end].split()) >= 6 and _closed(text[:end])] or ends[
        -1:
    ]
    fitting = [end for end in ends if len(text[:end].split()) <= most]
    return text[: (fitting or ends[:1])[-1]]


def _closed(text: str) -> bool:
    return text.count("(") == text.count(")")


def _code(cell: NotebookNode, made: list[Slide]) -> None:
    source, last = cell.source, made[-1]
    if claims_something(source) or re.search(r"(?m)^check\(|= yours\(|^hint\(", source):
        return
    if STARTER in source:
        last.cells.append(_shown(cell, []))
        last.words = WORDS
    elif "quiz(" in source:
        for output in cell.outputs:
            if question := output.get("data", {}).get("text/markdown"):
                made.append(Slide("## Quiz", [new_markdown_cell(question)], words=WORDS))
    elif any(_kind(output) for output in cell.outputs):
        for output in cell.outputs:
            if _kind(output):
                _below(made, _shown(cell, [output], hidden=True))
        printed = "".join(output.get("text", "") for output in cell.outputs)
        if printed:
            made[-1].notes.append(f"```\n{printed.rstrip()}\n```")
    elif printed := "".join(output.get("text", "") for output in cell.outputs):
        lines = len(source.splitlines()), len(printed.splitlines())
        if lines[1] <= PRINTED:
            hidden = lines[0] > CODE or sum(lines) > PRINTED
            _below(made, _shown(cell, cell.outputs, hidden))
    elif SETS_UP.search(source) and not cell.outputs:
        _below(made, _shown(cell, []))


def _below(made: list[Slide], shown: NotebookNode) -> None:
    """``shown`` stands under the words that lead to it if they are few, else on the next slide."""
    last = made[-1]
    asks = any("Predict" in text for text in (last.heading, *(it.source for it in last.cells)))
    tall = last.words and _lines(shown) > CODE
    if (
        last.words > LEAD or asks or tall or last.heading.startswith("# ")
    ):  # no guess beside its answer
        made.append(Slide(_again(made[-1].heading)))
    made[-1].cells.append(shown)
    made[-1].words = WORDS  # what is said next stands on a slide of its own


def _lines(cell: NotebookNode) -> int:
    """How many lines of code, source or print a cell shows."""
    texts = [] if "transient" in cell.metadata else [cell.source]
    texts += [out.get("text", out.get("data", {}).get("text/html", "")) for out in cell.outputs]
    return sum(len(text.rstrip().splitlines()) for text in texts)


def _kind(output: NotebookNode) -> str:
    """What of an output is worth a slide: a figure, or source that is displayed."""
    return next((kind for kind in ("image/png", "text/html") if kind in output.get("data", {})), "")


def _shown(cell: NotebookNode, outputs: list, hidden: bool = False) -> NotebookNode:
    shown = new_code_cell(cell.source, outputs=outputs)
    if hidden:
        shown.metadata.transient = {"remove_source": True}
    return shown


# --- the deck --------------------------------------------------------------------------------


def deck(path: Path) -> str:
    """The page that shows the notebook at ``path``."""
    slides = slides_of(nbformat.read(path, as_version=4))
    shown = new_notebook(cells=[cell for slide in slides for cell in slide.to_cells()])
    for number, cell in enumerate(shown.cells):
        cell.id = f"cell-{number}"  # the same page each time
    shown.metadata.title = slides[0].heading.lstrip("# ")
    exporter = SlidesExporter(
        extra_loaders=[DictLoader({"deck.html.j2": TEMPLATE})], template_file="deck.html.j2"
    )
    exporter.reveal_url_prefix, exporter.reveal_theme = "reveal.js", "white"
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    page, _ = exporter.from_notebook_node(shown)
    return page


def fetch_parts(parts: Path = PARTS) -> Path:
    """The folder with reveal.js and KaTeX, from npm if they are not there yet.

    Raises:
        CannotShow: npm is not installed, or the registry cannot be reached.
    """
    modules = parts / "node_modules"
    if all((modules / name / needed).exists() for name in NEEDED for needed in NEEDED[name]):
        return modules
    if not (npm := shutil.which("npm")):
        raise CannotShow("npm is not installed: it brings reveal.js and KaTeX (nodejs.org)")
    parts.mkdir(parents=True, exist_ok=True)
    wanted = [f"{name}@{version}" for name, version in VERSIONS.items()]
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--fetch-retries=1"]
    done = subprocess.run(
        [npm, "install", "--prefix", str(parts), *quiet, *wanted], capture_output=True, text=True
    )
    if done.returncode:
        raise CannotShow(f"npm could not bring {' and '.join(wanted)}:\n{done.stderr[-800:]}")
    return modules


def build(paths: list[Path], decks: Path = DECKS, parts: Path = PARTS) -> list[Path]:
    """Writes a deck for each notebook of ``paths``, and what they load, into ``decks``.

    Raises:
        CannotShow: see `fetch_parts`.
    """
    modules = fetch_parts(parts)
    for name, needed in NEEDED.items():
        for part in needed:
            source, target = modules / name / part, decks / name / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copy(source, target)
    made = []
    for path in paths:
        made.append(decks / f"{path.stem}.slides.html")
        write_whole(made[-1], deck(path).encode())
    items = (f'<li><a href="{html.escape(each.name)}">{each.stem[:-7]}</a></li>' for each in made)
    write_whole(decks / "index.html", INDEX.format(items="".join(items)).encode())
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of the course")
    options = parser.parse_args()
    try:
        made = build(options.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")))
    except CannotShow as error:
        sys.exit(f"No slides were made: {error}")
    print(f"{len(made)} decks. To show: {DECKS / 'index.html'}")


if __name__ == "__main__":
    main()
