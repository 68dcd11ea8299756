"""The built site in Chromium, with the network closed: it moves, reads, searches, folds, prints."""

import functools
import http.server
import threading

import pytest
from browser.conftest import REPOSITORY, Figure, wait_for
from website.built import site

pytestmark = pytest.mark.browser

AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
KINDS = (
    *("index.html", "04_maml_on_sinusoids.html", "gallery.html", "glossary.html", "404.html"),
    *("exercises.html", "api/evaluation.html", "find.html?q=task"),
)
SERIOUS = """async () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ").slice(0, 300)}`);
}"""


@pytest.fixture(scope="module")
def address():
    """A server of the site, below a path as on GitHub Pages."""
    folder = site()

    class Below(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path):
            return super().translate_path(path.removeprefix("/course"))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Below, directory=folder)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/course/"
    server.shutdown()


@pytest.fixture
def visit(new_page, address):
    """Opens a page of the site. What goes wrong in it, and what it asks of others, is a failure."""
    wrong = []

    def closed(route):
        if route.request.url.startswith(address):
            route.continue_()
        else:
            wrong.append(f"asked another host: {route.request.url}")
            route.abort()

    def opened(name: str, **options):
        page = new_page(**options)
        page.route("**/*", closed)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "response", lambda answer: answer.ok or wrong.append(f"{answer.status}: {answer.url}")
        )
        page.goto(address + name)
        return page

    yield opened
    assert wrong == []


def figure(page, number: int = 0) -> Figure:
    page.locator(".ml-figure").nth(number).scroll_into_view_if_needed()
    page.locator(".ml-figure .ml-live").nth(number).wait_for(timeout=20_000)
    return Figure(page, number)


def step_once(page, number: int = 0) -> None:
    seen = figure(page, number)
    before = seen.sentence
    seen.control("slider", "step").focus()
    page.keyboard.press("ArrowRight")
    wait_for(lambda: seen.sentence != before, 10, lambda: f"still {before!r}")


def test_the_front_page_shows_a_learner_at_work_above_the_fold(visit):
    page = visit("index.html", viewport={"width": 1400, "height": 900})
    step_once(page)
    page.evaluate("scrollTo(0, 0)")
    box = figure(page).el.bounding_box()
    assert box["y"] + box["height"] < 900
    page.get_by_role("link", name="Start reading").click()
    page.wait_for_url("**/00_start_here.html")


def test_the_front_pages_learner_takes_its_steps_by_itself(visit):
    page = visit("index.html", reduced_motion="no-preference")
    seen = figure(page)
    wait_for(lambda: "After 10 steps" in seen.sentence, 15, lambda: seen.sentence)


@pytest.mark.parametrize("name", ["index", "04_maml_on_sinusoids"])
def test_on_a_narrow_page_the_contents_open(visit, name):
    page = visit(f"{name}.html", viewport={"width": 400, "height": 800})
    link = page.locator(".bd-docs-nav").get_by_role("link", name="00 · Is everything working")
    assert not link.is_visible()
    page.locator(".primary-toggle").first.click()
    link.click()
    page.wait_for_url("**/00_start_here.html")


def test_a_notebook_reads_and_moves(visit):
    page = visit("04_maml_on_sinusoids.html")
    step_once(page)
    still = page.get_by_text("The same in still pictures")
    strip = page.locator(".ml-still img").first
    assert not strip.is_visible()
    still.click()
    assert strip.is_visible()
    option = page.locator(".ml-quiz").first.locator("summary").first
    option.click()
    reply = page.locator(".ml-quiz").first.locator("details[open]")
    assert "✔ Right." in reply.inner_text()
    claims = page.locator(".ml-claims details").first
    assert "claims tested" in claims.inner_text()
    hint = page.get_by_text("Hint 2 of 3").first
    assert not hint.is_visible()
    page.get_by_text("Hint 1 of 3").first.click()
    assert hint.is_visible()


def test_the_gallery_plays(visit):
    page = visit("gallery.html")
    assert page.locator(".ml-figure").count() >= 17
    figure(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", KINDS)
def test_axe_finds_nothing_serious(visit, name, theme):
    if not AXE.exists():
        pytest.skip("axe-core is not there: `npm ci` installs it")
    page = visit(name, color_scheme=theme)
    if "?q=" in name:
        page.locator("#results mark").first.wait_for()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(SERIOUS) == []


@pytest.mark.parametrize("name", ["index", "03_maml_mathematics", "exercises", "external_links"])
def test_a_narrow_page_is_not_moved_sideways(visit, name):
    page = visit(f"{name}.html", viewport={"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("θ", "03 · What exactly is the gradient of learning?"),
        ("∇", "03 · What exactly is the gradient of learning?"),
        ("元学习", "Glossary · 术语表"),
        ("prototypical", "07 · Can comparing replace training?"),
        ("meta_train", "training"),
    ],
)
def test_the_search_finds(visit, words, found):
    page = visit("00_start_here.html", viewport={"width": 1400, "height": 900})
    field = page.get_by_role("searchbox", name="Search the course").first
    field.fill(words)
    field.press("Enter")
    page.get_by_role("link", name=found, exact=True).first.wait_for(timeout=10_000)


def test_a_word_leads_into_what_is_folded_and_back(visit):
    page = visit("glossary.html")
    folded = page.evaluate(
        """async () => {
            for (const { href } of document.querySelectorAll(".ml-words a")) {
                const text = await (await fetch(href)).text();
                const there = new DOMParser().parseFromString(text, "text/html");
                const word = there.getElementById(new URL(href).hash.slice(1));
                if (word.closest("details")) return href;
            }
        }"""
    )
    if not folded:  # then a heading of a bonus section will do
        page.goto(page.url.replace("glossary", "04_maml_on_sinusoids"))
        folded = page.url + "#" + page.evaluate("document.querySelector('.ml-bonus [id]').id")
    page.goto(folded)
    target = page.locator(f"[id='{folded.partition('#')[2]}']")
    wait_for(target.is_visible, 5, lambda: f"{folded} is folded")


def test_on_paper_what_is_to_be_read_is_unfolded(visit):
    page = visit("04_maml_on_sinusoids.html")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".ml-bonus").first.evaluate("it => it.open")
    assert page.locator(".ml-still details").first.evaluate("it => it.open")
    assert page.locator(".ml-quiz details[open]").count() == 0
    assert not page.locator(".ml-run").is_visible()
    assert not page.locator(".bd-sidebar-primary").is_visible()
    assert page.locator("h1:visible").count() == 1
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not page.locator(".ml-bonus").first.evaluate("it => it.open")


def test_without_javascript_a_page_reads(visit):
    page = visit("04_maml_on_sinusoids.html", java_script_enabled=False)
    assert page.locator(".katex").first.is_visible()
    assert page.locator(".ml-figure").first.inner_text().strip()
    page.get_by_text("Hint 1 of 3").first.click()
    assert page.get_by_text("Hint 2 of 3").first.is_visible()
    page.get_by_text("The same in still pictures").click()
    assert page.locator(".ml-still img").first.is_visible()
