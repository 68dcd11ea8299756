"""The built site: every link leads somewhere, nothing is asked of others, no page is heavy."""

import itertools
import re
from html import unescape
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import nbformat
import pytest
from PIL import Image
from website.built import ROOT, page, pages, site

from tools.site import documents, glossary, links

LIMIT = 500_000  # bytes of HTML, CSS and JavaScript that a page without its figures loads
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
LOADS = {"script": "src", "img": "src", "link": "href", "source": "srcset", "iframe": "src"}


def course_pages():
    """All that Sphinx made: the page for addresses that lead nowhere stands alone."""
    return [each for each in pages() if each.path.name != "404.html"]


def inner(each, tag: str, attribute: str) -> list[tuple[str, str]]:
    """The paths and fragments that a page names within the site."""
    found = []
    for attributes in each.all(tag):
        parts = urlsplit(attributes.get(attribute) or "")
        if not parts.scheme and not parts.netloc and (parts.path or parts.fragment):
            found.append((unquote(parts.path), unquote(parts.fragment)))
    return found


def test_every_link_leads_somewhere():
    dead = []
    for each in pages():
        for path, fragment in inner(each, "a", "href"):
            target = (each.path.parent / path).resolve() if path else each.path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                dead.append(f"{each.path.name}: {path}")
            elif fragment and target.suffix == ".html" and fragment not in page(target).names:
                dead.append(f"{each.path.name}: {path}#{fragment}")
    assert dead == []


def test_whatever_a_page_loads_is_there_and_is_the_sites_own():
    wrong = []
    for each in pages():
        for tag, attribute in LOADS.items():
            for attributes in each.all(tag):
                address = attributes.get(attribute) or ""
                if tag == "link" and attributes.get("rel") == "canonical":
                    continue
                if re.match(r"(https?:)?//", address):
                    wrong.append(f"{each.path.name} asks another host: {address}")
            for path, _ in inner(each, tag, attribute):
                if not (each.path.parent / path).resolve().is_file():
                    wrong.append(f"{each.path.name}: no {path}")
    for sheet in site().rglob("*.css"):
        for address in re.findall(r"url\(['\"]?([^)'\"]+)", sheet.read_text(encoding="utf-8")):
            if re.match(r"(https?:)?//", address):
                wrong.append(f"{sheet.name} asks another host: {address}")
            elif not address.startswith("data:") and not (sheet.parent / address).is_file():
                wrong.append(f"{sheet.name}: no {address}")
    assert wrong == []


def test_no_address_in_the_site_is_from_its_root():
    """It lies under /REPO/ on GitHub Pages."""
    rooted = [
        f"{each.path.name}: {attributes[name]}"
        for each in pages()
        for _, attributes in each.tags
        for name in ("href", "src")
        if (attributes.get(name) or "").startswith("/")
    ]
    assert rooted == []


def weight(each) -> int:
    """Of a page, its style sheets and its scripts."""
    paths = {path for path, _ in inner(each, "script", "src")}
    paths |= {
        urlsplit(attributes["href"]).path for attributes in each.all("link", rel="stylesheet")
    }
    loaded = [each.path, *((each.path.parent / path).resolve() for path in paths)]
    return sum(path.stat().st_size for path in loaded)


def test_no_page_is_heavy():
    weights = {each.path.relative_to(site()).as_posix(): weight(each) for each in pages()}
    assert {name: bytes for name, bytes in weights.items() if bytes > LIMIT} == {}
    heaviest = max(weights, key=weights.get)
    pictures = {
        each.path.name: sum(
            (each.path.parent / path).resolve().stat().st_size
            for path, _ in inner(each, "img", "src")
        )
        for each in course_pages()
    }
    most = max(pictures, key=pictures.get)
    print(
        f"the heaviest page is {heaviest}, {weights[heaviest] // 1000} kB; most pictures, which "
        f"are loaded when they are near, has {most}: {pictures[most] // 1000} kB"
    )


def test_every_page_says_what_it_is():
    descriptions = []
    for each in course_pages():
        assert each.title.strip(), each.path
        assert len(each.all("h1")) >= 1, each.path
        assert each.all("html")[0]["lang"] == "en"
        assert each.all("meta", name="viewport"), each.path
        assert 10 < len(each.meta("description")) <= 203, (each.path, each.meta("description"))
        descriptions.append(each.meta("description"))
        assert each.meta("og:image") == f"{links.SITE}_static/card.png"
        assert each.meta("og:image:alt")
        assert each.meta("og:url").startswith(links.SITE)
    notebooks = [page(site() / f"{path.stem}.html").meta("description") for path in NOTEBOOKS]
    assert len(set(notebooks)) == len(NOTEBOOKS)


def test_the_card_has_the_size_that_messengers_ask_for():
    assert Image.open(site() / "_static" / "card.png").size == (1200, 630)


def test_every_picture_has_an_alternative_and_keeps_its_place():
    for each in course_pages():
        for image in each.all("img"):
            assert "alt" in image, (each.path.name, image["src"])
            if "_images/" in image["src"]:
                assert len(image["alt"]) > 20, (each.path.name, image["src"])
                assert image["loading"] == "lazy"
                assert int(image["width"]) > 0


def test_what_engines_read():
    tree = ElementTree.parse(site() / "sitemap.xml")
    listed = [element.text for element in tree.iter() if element.tag.endswith("}loc")]
    names = {each.path.relative_to(site()).as_posix() for each in pages()} - {"404.html"}
    wanted = {links.SITE + name for name in names - {"find.html", "index.html"}} | {links.SITE}
    assert sorted(listed) == sorted(wanted)
    assert f"Sitemap: {links.SITE}sitemap.xml" in (site() / "robots.txt").read_text()
    lost = page(site() / "404.html")
    assert all(attributes["href"].startswith(links.SITE) for attributes in lost.all("a"))
    assert (site() / ".nojekyll").exists()  # GitHub leaves out _static without it


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem[:2])
def test_a_notebook_has_its_page(path):
    each = page(site() / f"{path.stem}.html")
    hrefs = {attributes.get("href") for attributes in each.all("a")}
    assert {links.binder(path.stem), links.colab(path.stem)} <= hrefs
    assert f"notebooks/{path.name}" in hrefs
    copy = nbformat.read(site() / "notebooks" / path.name, as_version=4)
    assert not any(cell.get("outputs") for cell in copy.cells)  # a prediction is one
    assert all(hrefs), "an empty link"
    text = each.path.read_text(encoding="utf-8")
    assert "Run this cell in JupyterLab" not in text
    assert "<!-- " not in text.split("<article", 1)[1].split("</article", 1)[0]


def test_the_contents_lead_through_the_whole_course():
    front = page(site() / "index.html")
    hrefs = {attributes.get("href") for attributes in front.all("a")}
    assert {f"{path.stem}.html" for path in NOTEBOOKS} <= hrefs
    for before, after in itertools.pairwise(NOTEBOOKS):
        assert page(site() / f"{before.stem}.html").all(
            "link", rel="next", href=f"{after.stem}.html"
        )
        assert page(site() / f"{after.stem}.html").all(
            "link", rel="prev", href=f"{before.stem}.html"
        )


def test_the_glossary_and_the_notebooks_lead_to_each_other():
    there = page(site() / "glossary.html")
    words = glossary.words(ROOT / "notebooks")
    assert len(words) > 60
    written = {path.stem for path in NOTEBOOKS}
    for word in words:
        assert word.anchor in there.names
        if word.stem in written:
            home = page(site() / f"{word.stem}.html")
            assert f"word-{word.anchor}" in home.names, word
            assert home.all("a", href=f"glossary.html#{word.anchor}"), word
            assert there.all("a", href=f"{word.stem}.html#word-{word.anchor}"), word


def test_the_package_is_documented_whole():
    named = {name for each in pages() if each.path.parent.name == "api" for name in each.names}
    for name in (
        "learners.maml.MAML.adapt",
        "episodes.Episodes",
        "training.meta_train",
        "evaluation.evaluate",
        "tasks.sinusoids.Sinusoids.sample",
        "checkpoints.load",
        "teaching.claims.claim",
    ):
        assert f"metalearn_lite.{name}" in named


def test_no_answer_is_published():
    """Answers are in the repository for whoever looks. Nobody is to fall over them here."""
    guide = ROOT / "instructor"
    rows = re.findall(r"^\| `\d.*", (guide / "EXERCISES.md").read_text(encoding="utf-8"), re.M)
    told = [row.rsplit(" | ", 1)[1][:24] for row in rows]
    assert len(told) > 50
    titles = re.findall(r"^## (.+)$", (guide / "TEACHING.md").read_text(encoding="utf-8"), re.M)
    kept_back = {title for title in titles if title not in documents.PLANNED}
    assert len(kept_back) > 3
    for name in ("exercises", "instructors"):
        text = unescape((site() / f"{name}.html").read_text(encoding="utf-8"))
        assert [words for words in told if words in text] == []
        assert [title for title in kept_back if f">{title}<" in text] == []
