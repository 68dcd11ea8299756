"""Builds the site into build/site: `make site`.

    python -m tools.site.build

It lays the pages into build/site-source: those of site/pages, the stored notebooks, the package's
docstrings. Sphinx makes the site of them; any warning stops it. No network is asked.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import nbformat
from PIL import Image

from metalearn_lite.files import write_whole
from metalearn_lite.teaching import workbook
from tools.site import (
    api,
    card,
    course,
    documents,
    drawing,
    figures,
    front,
    glossary,
    links,
    pages,
)

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
SOURCE, DOCTREES, HTML = (BUILD / f"site-{name}" for name in ("source", "doctrees", "html"))
OUT = BUILD / "site"
PAGES, NOTEBOOKS, DOCS = ROOT / "site" / "pages", ROOT / "notebooks", ROOT / "docs"
NODE_MODULES = ROOT / "node_modules"
# What the theme and Sphinx bring along and no page asks for.
LEFT_OUT = (
    *(".buildinfo*", ".doctrees", "_sources", "objects.inv", "*.map"),
    *("locales", "vendor", "*webpack-macros.html", "file.png", "minus.png", "plus.png"),
    *("bootstrap.js", "fontawesome.js", "doctools.js", "searchtools.js", "sphinx_highlight.js"),
    *("language_data.js",),
)
IMAGE = re.compile(r"<img\b[^>]*>")
PLAIN = re.compile(r'<span class="(?:default_value|n|o|p|pre|w)?">([^<>]*)</span>')
# Pagefind leads to a heading by its own name, and Bootstrap's "container" is not docutils'.
HEADING = re.compile(r'<section id=("[^"]+")>\n(<h[1-6])')
BY_THE_WAY = re.compile(
    r' title="Link to this \w+"|(?<=literal) notranslate|(?<=docutils) container'
    r"|<annotation.*?</annotation>",
    re.DOTALL,
)
PAGEFIND = (
    *("--root-selector", "article", "--include-characters", "∇∂θφαβλεΣ∑∏≤≥≠±×·−²√→_"),
    *("--exclude-selectors", ".headerlink, .ml-run, .ml-buttons, .katex-html, annotation"),
)


def main() -> None:
    prepare()
    sphinx()
    finish()


def prepare() -> None:
    """Lays all sources down; a file that is as before keeps its date, and Sphinx skips it."""
    laid = {}
    words, map_ = glossary.words(NOTEBOOKS), course.notebooks(NOTEBOOKS)
    parts = {
        "glossary": glossary.table(words),
        "map": course.table(map_),
        "toctrees": course.toctrees(map_),
        "challenge": front.challenge(),
        "commands": pages.commands(),
        "gallery": gallery(),
        "explorer": front.explorer(figure),
    }
    for path in sorted(PAGES.rglob("*.md")):
        laid[path.relative_to(PAGES)] = filled(path.read_text(encoding="utf-8"), parts)
    laid |= documents.pages()
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        page = pages.page(notebook, path.stem, words, figure)
        laid[Path(path.name)] = nbformat.writes(page)
    laid |= api.pages(ROOT / "metalearn_lite")
    documents.pictures(SOURCE)
    for path in SOURCE.rglob("*.*"):
        if path.suffix in (".md", ".ipynb") and path.relative_to(SOURCE) not in laid:
            path.unlink()
    for path in HTML.rglob("*.html"):  # nor does Sphinx take away a page whose source has gone
        name = path.relative_to(HTML)
        if not {name.with_suffix(".md"), name.with_suffix(".ipynb")} & laid.keys():
            path.unlink()
    shutil.rmtree(HTML / "_static", ignore_errors=True)
    for name, text in laid.items():
        target = SOURCE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            write_whole(target, text.encode())


def figure(stem: str, source: str) -> str | None:
    """What stands in the place of the widget that a cell of notebook ``stem`` shows, if any."""
    return drawing.markup(stem, source) or figures.markup(stem, source)


def gallery() -> str:
    """A card for each figure that moves, as Markdown."""
    return figures.gallery(NOTEBOOKS, {name: drawing.place(name) for name in ("game", "draw")})


def filled(text: str, parts: dict[str, str]) -> str:
    """``text`` with ``parts`` in the places of the comments that name them."""
    for name, part in parts.items():
        text = text.replace(f"<!-- {name} -->", part)
    return text


def sphinx() -> None:
    """Raises CalledProcessError: Sphinx warned, or failed."""
    options = ["-W", "--keep-going", "-q", "-b", "html", "-c", ROOT / "site"]
    subprocess.run(
        [sys.executable, "-m", "sphinx", *options, "-d", DOCTREES, SOURCE, HTML],
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def finish() -> None:
    """Everything beside and after the pages, into build/site, which is made anew."""
    shutil.rmtree(OUT, ignore_errors=True)
    shutil.copytree(HTML, OUT, ignore=shutil.ignore_patterns(*LEFT_OUT))
    katex = NODE_MODULES / "katex" / "dist"
    shutil.copytree(
        katex / "fonts",
        OUT / "_static" / "katex" / "fonts",
        ignore=shutil.ignore_patterns("*.ttf", "*.woff"),
    )
    shutil.copy(katex / "katex.min.css", OUT / "_static" / "katex")
    figures.write(OUT / "_figures")
    drawing.write(OUT / "_figures")
    for path in DOCS.glob("adaptation_explorer_*.webp"):
        shutil.copy(path, OUT / "_static")
    for path in OUT.rglob("*.html"):
        html = lean(path.read_text(encoding="utf-8"))
        path.write_text(IMAGE.sub(partial(sized, page=path), html), encoding="utf-8")
    for path in NOTEBOOKS.glob("[0-9]*.ipynb"):
        copy = workbook.learners_copy(json.loads(path.read_text(encoding="utf-8")))
        target = OUT / "notebooks" / path.name
        write_whole(target, json.dumps(copy, ensure_ascii=False, indent=1).encode())
    card.draw(OUT / "_static" / "card.png")
    addresses = sorted(path.relative_to(OUT).as_posix() for path in OUT.rglob("*.html"))
    (OUT / "sitemap.xml").write_text(sitemap(addresses), encoding="utf-8")
    (OUT / "robots.txt").write_text(f"User-agent: *\nSitemap: {links.SITE}sitemap.xml\n")
    lost = (ROOT / "site" / "404.html").read_text(encoding="utf-8").replace("{site}", links.SITE)
    (OUT / "404.html").write_text(lost, encoding="utf-8")
    (OUT / ".nojekyll").touch()  # GitHub Pages leaves out folders such as _static without it
    run_node("purge.mjs", str(OUT))
    subprocess.run([NODE_MODULES / ".bin" / "pagefind", *PAGEFIND, "--site", OUT], check=True)


def run_node(script: str, *arguments: str) -> None:
    subprocess.run(["node", Path(__file__).with_name(script), *arguments], check=True)


def lean(html: str) -> str:
    """``html`` without what no style of the site looks at: half of a page of code is that.

    A section's name becomes that of its heading, to which search and contents lead.
    """
    html = HEADING.sub(r"<section>\n\2 id=\1", BY_THE_WAY.sub("", html))
    while (shorter := PLAIN.sub(r"\1", html)) != html:
        html = shorter
    return html


def sized(found: re.Match, page: Path) -> str:
    """An image that takes its room before it is loaded, and is loaded when it is near."""
    image = found[0]
    source = re.search(r'src="([^"]+\.(?:png|webp))"', image)
    if not source or "width=" in image or "loading=" in image:
        return image
    width, height = Image.open((page.parent / source[1]).resolve()).size
    return image.replace("<img", f'<img loading="lazy" width="{width}" height="{height}"')


def sitemap(addresses: list[str]) -> str:
    """Of all pages but those that one does not search for."""
    urls = "".join(
        f"<url><loc>{links.SITE}{'' if address == 'index.html' else address}</loc></url>\n"
        for address in addresses
        if address not in ("404.html", "find.html")
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n'
    )


if __name__ == "__main__":
    main()
