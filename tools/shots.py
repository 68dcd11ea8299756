"""Pictures of every widget as a reader sees it, to be looked at: `make shots`.

    python -m tools.shots [NAME …]      all widgets, or those of these names, into build/shots/
    python -m tools.shots --readme      the moving picture of the README, into docs/

Each widget is shot on a light page and on a dark one, 1400, 1000 and 400 px wide, and its filmstrip
is drawn. `build/shots/index.html` shows them all.
"""

from __future__ import annotations

import argparse
import html
import importlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.append(str(REPOSITORY / "tests"))

import matplotlib as mpl
from blank import Blank
from browser.conftest import CHROMIUM_OPTIONS, find_chromium
from playwright.sync_api import Page, sync_playwright
from widgets.kit.test_scenes import WIDGETS

from metalearn_lite.widgets.kit import Live

SHOTS = REPOSITORY / "build" / "shots"
SIZES = {1400: 900, 1000: 700, 400: 800}
THEMES = ("light", "dark")
STYLE = """
body { margin: 16px; font: 14px system-ui, sans-serif; }
img { max-width: 100%; vertical-align: top; border: 1px solid #ccc; margin: 0 8px 8px 0; }
section div { display: flex; flex-flow: row wrap; }
"""


@contextmanager
def new_page(**options) -> Iterator[Page]:
    """A page in Chromium."""
    with sync_playwright() as api:
        browser = api.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
        yield browser.new_page(**options)
        browser.close()


def shoot(page: Page, name: str, widget: Live, folder: Path, strip: bool = True) -> None:
    """One widget at all sizes, in both themes, and its filmstrip."""
    blank = Blank(page, widget)
    figure = page.locator(".ml-live")
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            blank.drawn()
            time.sleep(0.05)  # a canvas is painted anew when its colour has changed
            page.screenshot(path=folder / f"{name}-{width:04}-{theme}.png", full_page=True)
        over = page.evaluate("document.documentElement.scrollWidth") - width
        bottom = page.locator(".ml-middle").evaluate("one => one.getBoundingClientRect().bottom")
        tall = figure.evaluate("one => one.offsetHeight")
        beyond = f", {over} px too wide" if over > 0 else ""
        print(f"{name}, {width} px: sentence down to {bottom:.0f} of {tall} px{beyond}")
    if strip and hasattr(widget, "filmstrip"):
        with mpl.rc_context({"figure.dpi": 100}):
            drawn = widget.filmstrip()
        drawn.savefig(folder / f"{name}-strip.png")
    if blank.errors:
        print(f"{name}: {blank.errors}")


def overview(folder: Path) -> None:
    """A page of all that lies in the folder."""
    names = sorted({file.name.rsplit("-", 2 - ("strip" in file.name))[0]
                    for file in folder.glob("*.png")})  # fmt: skip
    sections = []
    for name in names:
        images = [
            f'<a href="{file.name}"><img loading="lazy" src="{file.name}" alt="{file.stem}"></a>'
            for file in sorted(folder.glob(f"{name}-*.png"), reverse=True)
        ]
        sections.append(
            f"<section><h2>{html.escape(name)}</h2><div>{''.join(images)}</div></section>"
        )
    content = f'<!doctype html><meta charset="utf-8"><title>Shots</title><style>{STYLE}</style>'
    (folder / "index.html").write_text(content + "\n".join(sections), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(WIDGETS))
    given = parser.parse_args()
    SHOTS.mkdir(parents=True, exist_ok=True)
    with new_page() as page:
        for name in given.names or WIDGETS:
            tests = importlib.import_module(f"widgets.test_{name}")
            shoot(page, name, WIDGETS[name](tests), SHOTS)
    overview(SHOTS)
    print(SHOTS / "index.html")


if __name__ == "__main__":
    main()
