"""The built site, for its tests: where it is, and its pages."""

from __future__ import annotations

import functools
import os
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "site"
REQUIRED = os.environ.get("METALEARN_LITE_REQUIRE_SITE") == "1"
NO_SITE = "the site is not built, so its pages are not looked at: `npm ci` once, then `make site`"


def site() -> Path:
    """The folder of the built site; a test that asks for it is skipped where there is none."""
    if not (SITE / "sitemap.xml").exists():
        (pytest.fail if REQUIRED else pytest.skip)(NO_SITE)
    return SITE


class Page(HTMLParser):
    """What a page asks for, what it is called by, and what it says of itself."""

    def __init__(self, path: Path):
        super().__init__()
        self.path, self.tags, self.names = path, [], set()
        self.title = ""
        self._in_title = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.names |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        self._in_title = tag == "title"

    def handle_endtag(self, tag):
        self._in_title = False

    def handle_data(self, data):
        self.title += data if self._in_title else ""

    def all(self, tag: str, **asked: str) -> list[dict]:
        """The attributes of all tags of this name with these values."""
        return [
            attributes
            for name, attributes in self.tags
            if name == tag and all(attributes.get(key) == value for key, value in asked.items())
        ]

    def meta(self, name: str) -> str | None:
        found = self.all("meta", name=name) + self.all("meta", property=name)
        return found[0]["content"] if found else None


@functools.cache
def page(path: Path) -> Page:
    return Page(path)


def pages() -> list[Page]:
    return [page(path) for path in sorted(site().rglob("*.html"))]
