"""Every recorded figure in a page as the site has it: it draws, and its controls move it."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from pathlib import Path

import pytest

from tools.site import figures
from tools.site.figures import FIGURES, place

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build" / "site" / "_figures"
PAGE = """<!doctype html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><title>A figure</title>
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><link rel="stylesheet" href="../_static/figures.css">
<script type="module" src="../_static/figures.js"></script>
<style>body {{ margin: 16px auto; max-width: 760px; padding: 0 12px }}</style></head>
<body>{above}{figure}</body></html>"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server of the figures; they are those of the built site, where there is one."""
    folder = tmp_path_factory.mktemp("site")
    if all((BUILT / f"{name}.json").exists() for name in FIGURES):
        shutil.copytree(BUILT, folder / "_figures")
        figures.write_kit(folder / "_figures")
    else:
        figures.write(folder / "_figures")
    (folder / "_static").mkdir()
    for path in (ROOT / "site" / "static").glob("figures.*"):
        shutil.copy(path, folder / "_static")
    (folder / "pages").mkdir()
    for name in FIGURES:
        html = PAGE.format(above="", figure=place(name))
        (folder / "pages" / f"{name}.html").write_text(html, encoding="utf-8")
    far = PAGE.format(above='<div style="height: 3000px"></div>', figure=place("live_check"))
    (folder / "pages" / "far.html").write_text(far, encoding="utf-8")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/pages"
    server.shutdown()


@pytest.fixture
def opened(new_page, address):
    """Opens the page of a figure; whatever goes wrong in it fails the test."""
    wrong = []

    def open_page(name: str, **options) -> Seen:
        page = new_page(**options)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("response", lambda answer: answer.ok or wrong.append(answer.url))
        page.goto(f"{address}/{name}.html")
        return Seen(page)

    yield open_page
    assert wrong == []


class Seen:
    """A figure, and what a reader does with it."""

    def __init__(self, page):
        self.page, self.el = page, page.locator(".ml-figure")

    def drawn(self) -> Seen:
        self.page.locator(".ml-drawn .ml-live").wait_for()
        self.rest()
        return self

    def rest(self) -> None:
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def look(self) -> str:
        """All that there is to see but controls; of a canvas the sentence tells."""
        self.rest()
        return self.el.evaluate(
            """figure => [...figure.querySelectorAll(".ml-sentence, .ml-picture, .ml-table")]
                .map(part => part.innerHTML).join()"""
        )

    def changes(self, *gestures) -> bool:
        """Whether one of the gestures, at least, changes what there is to see."""
        found = False
        for gesture in gestures:
            before = self.look()
            gesture()
            found |= self.look() != before
        return found

    def moves(self, control) -> bool:
        press = self.page.keyboard.press
        if (slider := control.get_by_role("slider")).count():
            slider.focus()
            return self.changes(lambda: press("Home"), lambda: press("End"))
        if (radios := control.get_by_role("radio")).count():
            return self.changes(*(label.click for label in control.locator("label").all())) and (
                radios.last.is_checked()
            )
        if (menu := control.get_by_role("combobox")).count():
            number = menu.locator("option").count()
            return self.changes(
                *(lambda at=at: menu.select_option(index=at) for at in range(number))
            )
        if (box := control.get_by_role("checkbox")).count():
            return self.changes(box.click, box.click)
        button = control.get_by_role("button")
        return button.is_enabled() and self.changes(button.click)

    def plays(self, button) -> bool:
        """Whether Play moves the figure, from its first state."""
        before = self.look()
        button.click()
        for _ in range(40):
            self.page.wait_for_timeout(50)
            if self.look() != before:
                break
        if "Pause" in button.inner_text():
            button.click()
        return self.look() != before


@pytest.mark.parametrize("name", FIGURES)
def test_it_draws_moves_and_fits(opened, name):
    seen = opened(name).drawn()
    for button in seen.el.locator(".ml-play:visible").all()[:1]:
        assert seen.plays(button), "Play"
    chips = seen.el.locator(".ml-chip").all()
    for chip in reversed(chips):
        chip.click()
        seen.rest()
        assert seen.el.locator(".ml-shown").inner_text(), "what to look at"
    assert len(chips) < 2 or seen.changes(*(chip.click for chip in chips))
    left = seen.el.locator(".ml-control").all()
    assert left
    for _ in range(2):  # a button may be off until another one was pressed
        left = [one for one in left if not seen.moves(one)]
    assert not [one.get_attribute("data-name") for one in left], "nothing changes with them"
    for point in seen.el.locator(".ml-drag [role=slider]").all():
        point.focus()
        keys = [f"Arrow{way}" for way in ("Left", "Right", "Up", "Down")]
        assert seen.changes(*(functools.partial(seen.page.keyboard.press, key) for key in keys))
    seen.page.set_viewport_size({"width": 400, "height": 800})
    seen.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    seen.rest()
    wide = "document.documentElement.scrollWidth"
    assert seen.page.evaluate(wide) == 400
    colour = "one => getComputedStyle(one).color"
    assert seen.el.locator(".ml-live").evaluate(colour) == "rgb(230, 230, 230)"


def test_a_figure_is_fetched_when_it_is_near(opened):
    seen = opened("far")
    asked = []
    seen.page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))
    seen.page.wait_for_timeout(300)
    assert asked == []
    assert FIGURES["live_check"].says in seen.el.inner_text()
    seen.page.mouse.wheel(0, 2500)
    seen.drawn()
    assert sorted(asked) == ["kit.css", "kit.js", "live_check.json"]


def test_without_javascript_it_is_a_sentence(new_page, address):
    page = new_page(java_script_enabled=False)
    page.goto(f"{address}/adaptation.html")
    assert FIGURES["adaptation"].says in page.locator(".ml-figure").inner_text()
    assert "JavaScript" in page.locator(".ml-figure").inner_text()


def test_what_cannot_be_fetched_is_said(new_page, address):
    page = new_page()
    page.route("**/*.json", lambda route: route.fulfill(status=404))
    page.goto(f"{address}/adaptation.html")
    page.get_by_text("could not be loaded").wait_for()


def test_how_soon_the_first_one_moves(opened):
    """The page's own milliseconds since it was asked for; told (`pytest -s`), not judged."""
    seen = opened("adaptation").drawn()
    drawn = seen.page.evaluate("performance.now()")
    assert seen.changes(seen.el.get_by_role("button", name="New points").click)
    moved = seen.page.evaluate("performance.now()")
    print(f"drawn after {drawn:.0f} ms, moved after {moved:.0f} ms")
