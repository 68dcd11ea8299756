"""*Draw your own* and the game as they run in a page of the site: no kernel, and no Python.

What the page's scripts say is held against the widgets of the package, gesture by gesture, and what
its networks answer against PyTorch.
"""

from __future__ import annotations

import json
import mimetypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from browser.conftest import Figure, play_the_game, wait_for
from pages import Page

from metalearn_lite import checkpoints
from metalearn_lite.episodes import Examples
from metalearn_lite.widgets.draw import EXAMPLE_QUERY, QUERY, DrawYourOwn, ink_image
from metalearn_lite.widgets.kit.live import module, styles
from tools.site import drawing

pytestmark = pytest.mark.browser

REPOSITORY = Path(__file__).parents[2]
PYTHON = REPOSITORY / ".venv-site" / "bin" / "python"
BUILT = REPOSITORY / "build" / "site" / "_figures"
ADDRESS = "http://site.test/course/"  # below a path, as on GitHub Pages
HTML = """<!doctype html><html lang="en" data-theme="{theme}"><head><title>A page</title>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>body {{ margin: 8px; }} figure {{ margin: 0; }}</style>
<script type="module" src="../_static/drawing.js"></script></head><body>{body}</body></html>"""


@pytest.fixture(scope="module")
def figures(tmp_path_factory) -> Path:
    """The folder ``_figures`` of the site, built before or now."""
    made = BUILT / "drawing" / "game.json"  # the last one to be written
    if made.exists() and made.stat().st_mtime > Path(drawing.__file__).stat().st_mtime:
        return BUILT
    if not PYTHON.exists():
        pytest.skip("no .venv-site, so nobody draws in a page of the site: `make site` makes it")
    folder = tmp_path_factory.mktemp("figures")
    subprocess.run([PYTHON, "-m", "tools.site.drawing", folder], cwd=REPOSITORY, check=True)
    return folder


class Site:
    """A page with both figures."""

    def __init__(self, page, figures: Path, theme: str = "light"):
        self.page, self.figures, self.theme = page, figures, theme
        self.asked, self.errors = [], []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.route("**/*", self._serve)
        page.goto(f"{ADDRESS}notebooks/page.html")

    def _serve(self, route):
        path = route.request.url.removeprefix(ADDRESS)
        self.asked.append(path)
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        if path.endswith("page.html"):
            body = HTML.format(theme=self.theme, body="".join(map(drawing.place, ("game", "draw"))))
        elif path.startswith("_static/"):
            body = (REPOSITORY / "site" / "static" / Path(path).name).read_bytes()
        elif path == "_figures/kit.js":
            body = module()
        elif path == "_figures/kit.css":
            body = styles()
        else:
            body = (self.figures / path.removeprefix("_figures/")).read_bytes()
        route.fulfill(body=body, content_type=kind)

    def figure(self, name: str) -> SiteFigure:
        return SiteFigure(self.page, name)

    def do(self, script: str, *given):
        """Runs an async function of JavaScript that knows all modules."""
        return self.page.evaluate(
            """async ([script, given]) => {
                const at = name => import(new URL(`../_static/${name}.js`, document.baseURI));
                const names = ["draw_your_own", "game", "kernel", "networks", "strokes"];
                const all = Object.assign({}, ...await Promise.all(names.map(at)));
                const folder = new URL("../_figures/drawing/", document.baseURI).href;
                all.data = async name => (await fetch(`${folder}${name}.json`)).json();
                all.loaded = async (working = () => {}) => {
                    const { learners, sizes } = await all.data("draw");
                    return all.load(folder, learners, sizes, working);
                };
                return await eval(`(${script})`)(all, ...given);
            }""",
            [script, given],
        )


class SiteFigure(Figure):
    def __init__(self, page, name: str):
        self.page = page
        self.el = page.locator(f"[data-play={name}] .ml-live")
        self.el.scroll_into_view_if_needed(timeout=20_000)


@pytest.fixture
def site(new_page, figures):
    site = Site(new_page(), figures)
    yield site
    assert site.errors == []
    assert all("://" not in path for path in site.asked), "the page asked another host"


@pytest.fixture(scope="module")
def learners():
    return {name: checkpoints.load(file) for name, file in drawing.NETWORKS.items()}


def drawings(count: int, seed: int = 0) -> list[list[list[list[float]]]]:
    """Drawings of one to four strokes: lines, bends and now and then a dot."""
    rng, all_drawings = np.random.default_rng(seed), []
    for _ in range(count):
        strokes = []
        for _ in range(rng.integers(1, 5)):
            walk = rng.normal(0, 0.12, (rng.integers(1, 20), 2)).cumsum(0)
            points = rng.uniform(0.05, 0.95, 2) + walk
            strokes.append(points.clip(0, 1).round(4).tolist())
        all_drawings.append(strokes)
    return all_drawings


# The same as Python


def test_ink_is_that_of_python(site):
    all_strokes = drawings(60)
    images = site.do(
        """async ({ inkImage, data }, drawings) => {
            const { pen } = await data("draw");
            return drawings.map(strokes => [...inkImage(strokes, pen)]);
        }""",
        all_strokes,
    )
    for strokes, image in zip(all_strokes, images, strict=True):
        wanted = ink_image([np.array(stroke) for stroke in strokes])
        np.testing.assert_allclose(np.reshape(image, (28, 28)), wanted, atol=1e-5)


def test_answers_are_those_of_pytorch(site, learners):
    """Two hundred queries: eight tasks of 2 to 5 classes, 25 questions each."""
    tasks = [(2 + task % 4, drawings(30, task)) for task in range(8)]
    answers = site.do(
        """async ({ inkImage, loaded, data }, tasks) => {
            const { pen } = await data("draw");
            const networks = await loaded(), answers = [];
            for (const [ways, drawings] of tasks) {
                const images = drawings.map(strokes => inkImage(strokes, pen)), of_task = {};
                for (const [name, network] of networks) {
                    const points = [];
                    for (const image of images) points.push(await network.embed(image, pen.size));
                    of_task[name] = [];
                    for (const query of points.slice(5)) {
                        of_task[name].push(await network.compare(query, points.slice(0, ways)));
                    }
                }
                answers.push(of_task);
            }
            return answers;
        }""",
        tasks,
    )
    worst = 0
    for (ways, strokes), answer in zip(tasks, answers, strict=True):
        images = [ink_image([np.array(one) for one in drawing]) for drawing in strokes]
        x = torch.from_numpy(np.stack(images))[None, :, None]
        support = Examples(x[:, :ways], torch.arange(ways)[None])
        for name, learner in learners.items():
            with torch.no_grad():
                logits = learner.predict(learner.adapt(support), x[:, 5:])[0]
            worst = max(worst, (torch.tensor(answer[name]) - logits).abs().max().item())
    print(f"\nlargest difference of a logit to PyTorch's, over 200 drawings: {worst:.1e}")
    assert worst < 1e-4


LOTS = """
const plain = value =>
    JSON.parse(JSON.stringify(value, (_, one) => ArrayBuffer.isView(one) ? [...one] : one));
let lot = 1;
const draw = count => (lot = (lot * 75 + 74) % 65537) % count;
const all = [];
const play = async (widget, gestures) => {
    const model = new PageModel(widget);
    await model.show();
    for (const [id, gesture] of [{}, ...gestures].entries()) {
        if (id) await model.send({ id, ...gesture });
        all.push(plain(model.traits));
    }
    return all;
};
"""


def plain(value):
    """As JSON knows it, drawings as lists of bytes."""
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def assert_alike(page, widget, where: str) -> None:
    """Numbers nearly, pixels but for one step of grey, all else the same."""
    moving = plain(widget.moving | widget.fixed)
    assert plain(widget.look) == page["look"], where
    assert set(moving) == set(page["moving"]), where
    for key, mark in moving.items():
        assert set(mark) == set(page["moving"][key]), (where, key)
        for name, column in mark.items():
            shown = page["moving"][key][name]
            if isinstance(column, dict):
                assert column["shape"] == shown["shape"], (where, key, name)
                column, shown = column["bytes"], shown["bytes"]
                np.testing.assert_allclose(shown, column, atol=1, err_msg=f"{where} {key}")
            elif column and isinstance(column[0], int | float) and not isinstance(column[0], bool):
                np.testing.assert_allclose(shown, column, atol=1e-4, err_msg=f"{where} {key}")
            else:
                assert shown == column, (where, key, name)
    for name in ("values", "off", "sentence"):
        assert page["state"][name] == widget.state[name], where


def test_drawing_is_as_in_the_notebook(site, learners, monkeypatch):
    widget, lot = DrawYourOwn(learners, drawing.examples()), 1

    def draw(count: int) -> int:
        nonlocal lot
        lot = (lot * 75 + 74) % 65537
        return lot % count

    monkeypatch.setattr(widget.model, "_draw", draw)

    def on(sheet: int, what: str, points=()) -> dict:
        return {"kind": "draw", "pad": f"pad {sheet}", "what": what, "points": points}

    first, second, third = drawings(3, 7)
    gestures = [
        {"kind": "press", "name": "clear_all"},
        on(0, "undo"),
        on(QUERY, "undo"),
        *(on(0, "stroke", stroke) for stroke in first),
        on(2, "stroke", second[0]),
        on(QUERY, "example"),
        on(1, "example"),
        on(QUERY, "example"),
        on(QUERY, "undo"),
        on(QUERY, "stroke", third[0]),
        {"kind": "set", "name": "num_ways", "value": 2, "settled": False},
        {"kind": "set", "name": "source", "value": "digits"},
        on(0, "example"),
        on(QUERY, "clear"),
        {"kind": "set", "name": "num_ways", "value": 5},
        {"kind": "press", "name": "draw_all_examples"},
        on(3, "example"),
        {"kind": "try", "index": 0},
        on(QUERY, "stroke", EXAMPLE_QUERY[-1]),
        {"kind": "try", "index": 1},
        {"kind": "set", "name": "num_ways", "value": 4},
    ]
    (_, *seen) = site.do(
        f"""async ({{ DrawYourOwn, PageModel, data, loaded }}, gestures) => {{
            {LOTS}
            return play(new DrawYourOwn(await data("draw"), loaded, draw), gestures);
        }}""",
        gestures,
    )
    page = Page(widget)
    for gesture, shown in zip(gestures, seen, strict=True):
        page.do(**gesture)
        assert_alike(shown, widget, str(gesture))
    assert seen[-1]["progress"] == 0


def test_the_beginning_was_recorded_and_is_the_first_suggestion(site, learners):
    (seen,) = site.do(
        f"""async ({{ DrawYourOwn, PageModel, data }}) => {{
            {LOTS}
            return play(new DrawYourOwn(await data("draw"), null), []);
        }}"""
    )
    widget = DrawYourOwn(learners, drawing.examples())
    Page(widget).do("try", index=0)
    look = widget.scene().tries[0].look
    seen["state"]["sentence"] = seen["state"]["sentence"].removeprefix(f"{look} ")
    assert_alike(seen, widget, "at first")


def test_the_game_is_as_in_the_notebook(site):
    game = drawing.game_of_the_notebook()
    pick = [{"kind": "pick", "key": "cards", "index": way} for way in range(5)]
    press = {name: {"kind": "press", "name": name} for name in ("go_on", "play_by_chance")}
    go_on, by_chance = press.values()
    whole = [step for way in (0, 3, 3, 0, 4, 1, 2, 3, 2, 3) for step in (pick[way], go_on)]
    gestures = [
        go_on, *whole, *whole[:-1], by_chance, pick[0], go_on, by_chance, pick[1],
        {"kind": "try", "index": 0}, {"kind": "try", "index": 0},
        {"kind": "try", "index": 1}, pick[3], pick[3], go_on, pick[1], by_chance, go_on,
    ]  # fmt: skip
    (first, *seen) = site.do(
        f"""async ({{ EpisodeGame, PageModel, data }}, gestures) => {{
            {LOTS}
            return play(new EpisodeGame(await data("game")), gestures);
        }}""",
        gestures,
    )
    assert_alike(first, game, "at first")
    page = Page(game)
    for number, (gesture, shown) in enumerate(zip(gestures, seen, strict=True)):
        page.do(**gesture)
        assert_alike(shown, game, f"{number}: {gesture}")


def test_what_is_loaded_is_as_large_as_the_page_says(figures):
    sizes = json.loads((figures / "drawing" / "draw.json").read_text())["sizes"]
    assert sizes == {name: (figures / "drawing" / name).stat().st_size for name in sizes}
    assert len(sizes) == 6
    assert f"loads them, {sum(sizes.values()) / 1e6:.1f} MB;" in drawing.FIGURES["draw"].more
    for name in sizes:
        content = (figures / "drawing" / name).read_bytes()
        assert not name.endswith(".onnx") or str(REPOSITORY).encode() not in content


# As a reader


def pad(site, heading: str):
    return site.figure("draw").el.locator(".ml-pad", has_text=heading)


def places(paper, points) -> list[tuple[float, float]]:
    box = paper.bounding_box()
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]


def by_mouse(site, heading: str, stroke) -> None:
    mouse, paper = site.page.mouse, pad(site, heading).locator(".ml-paper")
    paper.scroll_into_view_if_needed()
    (first, *others) = places(paper, stroke)
    mouse.move(*first)
    mouse.down()
    for place in others:
        mouse.move(*place, steps=3)
    mouse.up()


def networks(site) -> list[str]:
    return [path for path in site.asked if path.endswith((".onnx", ".bin")) or "runtime" in path]


CLOCK = """() => {
    const sentence = document.querySelector("[data-play=draw] .ml-sentence");
    window.took = [];
    let lifted = 0;
    addEventListener("pointerup", () => { lifted = performance.now(); }, true);
    new MutationObserver(() => took.push(performance.now() - lifted))
        .observe(sentence, { childList: true, characterData: true, subtree: true });
}"""


def test_the_bar_changes_the_answer(site):
    figure = site.figure("draw")
    figure.says("Draw the bar: who changes their mind? The query: elastic says A")
    assert networks(site) == [], "loaded before the figure was used"
    by_mouse(site, "Query", EXAMPLE_QUERY[-1])
    figure.says("elastic says B")
    assert len(networks(site)) == 6
    figure.says("prototypical says B")
    site.page.evaluate(CLOCK)
    for number in range(12):
        if number % 2:
            by_mouse(site, "Query", EXAMPLE_QUERY[-1])
        else:
            figure.control("button", "Undo: Query").click()
        figure.says(f"elastic says {'AB'[number % 2]}")
    took = np.median(site.page.evaluate("took"))
    print(f"\nfrom a lifted pen to the answer: {took:.0f} ms")
    assert len(networks(site)) == 6, "loaded twice"


def test_by_finger(site):
    figure, paper = site.figure("draw"), pad(site, "Query").locator(".ml-paper")
    paper.scroll_into_view_if_needed()
    top = paper.bounding_box()["y"]
    session = site.page.context.new_cdp_session(site.page)
    stroke = EXAMPLE_QUERY[-1]
    kinds = ("touchStart", *["touchMove"] * (len(stroke) - 1))
    for kind, (x, y) in zip(kinds, places(paper, stroke), strict=True):
        points = [{"x": x, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        site.page.wait_for_timeout(50)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    figure.says("elastic says B")
    assert paper.bounding_box()["y"] == top


def test_by_keyboard(site):
    figure = site.figure("draw")
    figure.control("slider", "classes").focus()
    figure.press("ArrowLeft")
    figure.control("button", "Clear: Class A").focus()
    figure.press("Enter")
    figure.says("Draw class A first: it has no ink.")
    figure.press("Tab")
    figure.press("Enter")
    figure.says("The query: elastic says")
    figure.control("button", "Somebody else's hand").press("Enter")
    figure.says("It is class")


def test_networks_that_do_not_come_are_asked_for_again(site):
    figure = site.figure("draw")
    site.page.route("**/prototypical-embed.onnx", lambda route: route.fulfill(status=404))
    figure.control("button", "Undo: Query").click()
    figure.says("The networks did not load")
    site.page.unroute("**/prototypical-embed.onnx")
    figure.control("button", "Undo: Query").click()
    figure.says("Now draw the query")
    by_mouse(site, "Query", EXAMPLE_QUERY[0])
    figure.says("The query: elastic says")


def test_the_game_in_the_page(site):
    play_the_game(site.figure("game"))
    assert networks(site) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_sticks_out_of_a_narrow_page(new_page, figures, theme):
    site = Site(new_page(viewport={"width": 400, "height": 800}, has_touch=True), figures, theme)
    for name in ("game", "draw"):
        site.figure(name)
    wait_for(lambda: site.figure("draw").sentence, 10)
    assert site.page.evaluate("document.documentElement.scrollWidth") <= 400
    ink = site.page.evaluate(
        "getComputedStyle(document.querySelector('[data-play=draw] .ml-live')).color"
    )
    assert ink == {"light": "rgb(34, 34, 34)", "dark": "rgb(230, 230, 230)"}[theme]
    assert site.errors == []
