"""The README is short and shows the way; every relative link in a document leads somewhere."""

import re
from pathlib import Path

import pytest

from tools.site import links

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
# What Sphinx reads has links of its own, which the test of the built site follows.
DOCUMENTS = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("[a-r]*/**/*.md"), *ROOT.glob("tests/**/*.md"))
    if not {"build", "node_modules"} & set(path.relative_to(ROOT).parts)
)
LINK = re.compile(r"(?:\]\(|srcset=\"|src=\")([^)\"\s]+)")


def anchors(text: str) -> set[str]:
    """The fragments that GitHub gives to the headings."""
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def dead(path: Path) -> list[str]:
    found = []
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, fragment = link.partition("#")
        file = path.parent / name if name else path
        if not file.exists() or (
            fragment and fragment not in anchors(file.read_text(encoding="utf-8"))
        ):
            found.append(link)
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(path):
    assert not dead(path)


def test_a_dead_link_is_seen(tmp_path):
    (tmp_path / "b.md").write_text("# What it found\n")
    (tmp_path / "a.md").write_text(
        "[1](b.md#what-it-found) [2](b.md#lost) ![3](gone.png) [4](https://x.org/gone)"
    )
    assert dead(tmp_path / "a.md") == ["b.md#lost", "gone.png"]


def test_readme_is_short_and_its_first_screen_shows_the_ways_in():
    text = README.read_text(encoding="utf-8")
    assert len(text.split()) <= 900
    first = "\n".join(text.splitlines()[:25])
    for way in (
        f"]({links.SITE})",
        links.binder(),
        links.colab(),
        "make lab ",
        "make test ",
        "<img",
    ):
        assert way in first


def test_readme_links_every_notebook():
    stored = {path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    linked = re.findall(r"\]\(notebooks/([^)]+)\)", README.read_text(encoding="utf-8"))
    assert set(linked) == stored
