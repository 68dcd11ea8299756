"""draw.js, on a page of its own: what it draws, what it tells, what it sends."""

from __future__ import annotations

import base64
import importlib
import json

import numpy as np
import pytest
from scene_checks import walk
from widgets.kit.test_scenes import WIDGETS

from metalearn_lite.figures import COLORS, DARK_COLORS, PAGE, theme_css
from metalearn_lite.widgets.kit import (
    Arrows,
    Axis,
    Band,
    Bars,
    Boxes,
    Drag,
    Heat,
    Images,
    Line,
    Panel,
    Points,
    Rules,
    Scene,
    Spans,
    Texts,
)
from metalearn_lite.widgets.kit import scene as scenes
from metalearn_lite.widgets.kit.live import HERE

pytestmark = pytest.mark.browser

PAGE_AROUND = """<!doctype html><meta charset="utf-8"><style>%s %s
body { margin: 0; background: var(--ml-paper); }</style><body><div id="all"></div>
<script type="module">
import * as draw from "./draw.js";
const all = document.querySelector("#all");
const raw = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
const decode = (c) => Array.isArray(c) ? c
  : { shape: c.shape, data: c.bytes ? raw(c.bytes) : new Float32Array(raw(c.floats).buffer) };
Object.assign(window, {
  draw, views: [], sent: [], owed: false,
  hooks: {
    send: (kind, fields, settled) => sent.push({ kind, ...fields, settled }),
    light: (link, index) => views.forEach((view) => view.light(link, index)),
    busy: () => owed,
  },
  show({ look, data }, options) {
    const columns = {};
    for (const part of data) for (const [key, mark] of Object.entries(part))
      for (const [name, c] of Object.entries(mark)) (columns[key] ??= {})[name] = decode(c);
    while (views.length > look.panels.length) views.pop().destroy();
    look.panels.forEach((one, n) => {
      if (views[n]) views[n].look(one);
      else {
        views.push(new draw.PanelView(one, hooks));
        all.append(views[n].el);
      }
    });
    for (const view of views) view.update(columns, options);
  },
});
</script>"""


class Drawn:
    """A page with panels, and what happened to it."""

    def __init__(self, page):
        self.page = page
        self.finger = None

    def show(self, *panels: Panel, glide: bool = False) -> None:
        scene = Scene(panels=panels)
        data = {"look": scenes.look(scene), "data": scenes.data(scene)}
        text = json.dumps(data, default=lambda raw: base64.b64encode(raw).decode())
        self.page.evaluate("([text, glide]) => show(JSON.parse(text), { glide })", [text, glide])
        self.page.wait_for_function("() => views.every((view) => view.x)")

    def do(self, script: str, *given):
        return self.page.evaluate(script, *given)

    def sent(self) -> list[dict]:
        """What was sent since the last time."""
        return self.do("() => sent.splice(0)")

    def at(self, x: float, y: float, panel: int = 0) -> tuple[float, float]:
        """Where in the page these numbers of a panel are."""
        return tuple(
            self.do(
                """([x, y, n]) => {
                    const view = views[n], { left, top } = view.svg.getBoundingClientRect();
                    return [left + view.x.at(x), top + view.y.at(y)];
                }""",
                [x, y, panel],
            )
        )

    def move(self, x: float, y: float, panel: int = 0) -> None:
        self.page.mouse.move(*self.at(x, y, panel))

    def shown(self, key: str, n: int = 0) -> tuple[float, float]:
        """The numbers at which an element of a mark is drawn now."""
        return tuple(
            self.do(
                """([key, n]) => {
                    const { shown } = views.map((view) => view.marks.get(key)).find(Boolean);
                    return [shown.x[n], shown.y[n]];
                }""",
                [key, n],
            )
        )

    def tip(self, panel: int = 0) -> str | None:
        return self.do(
            "n => views[n].tip.hidden ? null : "
            "[...views[n].tip.children].map(one => one.textContent).join(' | ')",
            panel,
        )

    def lit(self, panel: int = 0) -> int:
        return self.do("n => views[n].over.childNodes.length", panel)

    def touch(self, *places: tuple[float, float], panel: int = 0) -> None:
        """A finger goes from one place of a panel to the next."""
        self.finger = self.finger or self.page.context.new_cdp_session(self.page)
        for place in (*places, None):
            kind = "End" if place is None else "Start" if place is places[0] else "Move"
            at = [] if place is None else [self.at(*place, panel)]
            points = [{"x": x, "y": y} for x, y in at]
            message = {"type": f"touch{kind}", "touchPoints": points}
            self.finger.send("Input.dispatchTouchEvent", message)

    def outside(self) -> list[str]:
        """Words that are not wholly within their panel."""
        return self.do(
            """() => views.flatMap(({ svg }) => {
                const whole = svg.getBoundingClientRect();
                return [...svg.querySelectorAll("text")].filter((text) => {
                    const one = text.getBoundingClientRect();
                    return one.left < whole.left - 1 || one.right > whole.right + 1
                        || one.top < whole.top - 1 || one.bottom > whole.bottom + 1;
                }).map((text) => text.textContent).filter(Boolean);
            })"""
        )

    def focused(self) -> str:
        return self.do("() => document.activeElement.getAttribute('aria-label')")

    def pixel(self, x: float, y: float, panel: int = 0) -> tuple[int, ...]:
        """The colour that the page has there."""
        import io

        from PIL import Image

        across, up = self.at(x, y, panel)
        clip = {"x": round(across), "y": round(up), "width": 1, "height": 1}
        image = Image.open(io.BytesIO(self.page.screenshot(clip=clip)))
        return image.convert("RGB").getpixel((0, 0))


@pytest.fixture
def opened(browser):
    """A function that opens a page; what the page complains of fails the test."""
    contexts, complaints = [], []

    def open_page(width: int = 900, **options) -> Drawn:
        context = browser.new_context(viewport={"width": width, "height": 700}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text))
        css = (HERE / "draw.css").read_text(encoding="utf-8")
        script = (HERE / "draw.js").read_text(encoding="utf-8")
        html = PAGE_AROUND % (theme_css(), css)
        page.route("**/*", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.route(
            "**/draw.js", lambda route: route.fulfill(body=script, content_type="text/javascript")
        )
        page.goto("http://figure.test/")
        page.wait_for_function("() => window.views")
        return Drawn(page)

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def drawn(opened):
    return opened()


def rgb(code: str) -> tuple[int, ...]:
    return tuple(int(code[at : at + 2], 16) for at in (1, 3, 5))


X = np.linspace(-1, 1, 21)
AXIS = Axis(low=-1, high=1, label="x")
UP = Axis(low=-1, high=1, label="y")


def panel(*marks, key="panel", **more) -> Panel:
    return Panel(**{"key": key, "x": AXIS, "y": UP, "marks": marks} | more)


def points(x=(0.0,), y=(0.0,), key="points", **more) -> Points:
    return Points(key=key, x=list(x), y=list(y), **more)


EVERY = (
    Heat(key="Heat", values=np.arange(12.0).reshape(3, 4), high=11, steps=(2, 5), color="blue"),
    Band(key="Band", x=X, low=X - 0.1, high=X + 0.1),
    Line(key="Line", x=X, y=X**2, dash="--", marker="s", every=(0, 5), label="a line"),
    Points(key="Points", x=X[:17], y=X[:17], markers=list(scenes.MARKERS), label="points"),
    Bars(key="Bars", x=[0, 0.5], y=[0.3, -0.4], texts=["a", "b"], thick=0.1),
    Bars(key="flat", x=[0.3, -0.4], y=[0, 0.5], texts=["a", "b"], thick=0.1, flat=True),
    Spans(key="Spans", at=[0, 0.5], low=[0.2, -0.5], high=[0.4, -0.2]),
    Arrows(key="Arrows", x=[0], y=[0], dx=[0.3], dy=[0.3], label="an arrow"),
    Rules(key="Rules", at=[0.2, 0.4], flat=True, dash=(1, 2)),
    Boxes(key="Boxes", x=[-0.5], y=[-0.5], fills=["sky"], edges=["red"], wide=0.2, tall=0.2),
    Images(
        key="Images",
        x=[0.5, 0.8],
        y=[0.5, 0.8],
        pixels=np.full((2, 5, 5), 255, np.uint8),
        edges=["green", ""],
        wide=0.2,
        tall=0.2,
    ),
    Texts(key="Texts", x=[0], y=[0.9], texts=["words"], bold=True),
)


def kinds(kind: type) -> list[type]:
    """What is below it and has nothing below itself."""
    below = kind.__subclasses__()
    return [leaf for one in below for leaf in kinds(one)] if below else [kind]


def test_every_mark_is_drawn(drawn):
    assert {type(mark) for mark in EVERY} == set(kinds(scenes.Mark))
    drawn.show(panel(*EVERY))
    numbers = drawn.do(
        """() => Object.fromEntries([...views[0].marks].map(([key, { g }]) => {
            const drawn = [...g.querySelectorAll("path, rect, text")];
            return [key, drawn.filter((one) => one.getAttribute("d") !== "").length];
        }))"""
    )
    assert numbers == {
        "Heat": 0, "Band": 1, "Line": 2, "Points": 17, "Bars": 4, "flat": 4, "Spans": 2,
        "Arrows": 2, "Rules": 1, "Boxes": 1, "Images": 2, "Texts": 1,
    }  # fmt: skip
    wrong = drawn.do("() => /NaN|undefined|Infinity/.exec(views[0].el.outerHTML)")
    assert wrong is None


@pytest.mark.parametrize("name", WIDGETS)
def test_every_scene_of_a_walk_is_drawn(opened, name):
    drawn = opened(400)
    widget = WIDGETS[name](importlib.import_module(f"widgets.test_{name}"))
    for scene in walk(widget, 5, 2):
        panels = [one for one in scene.panels if isinstance(one, Panel)]
        drawn.show(*panels, glide=True)
        drawn.page.wait_for_function(
            "() => views.every(({ marks: all }) => "
            "[...all.values()].every((mark) => mark.shown === mark.columns))"
        )
        assert drawn.do("() => /NaN|undefined|Infinity/.exec(all.innerHTML)") is None
        assert drawn.outside() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colours_are_those_of_the_page_also_on_the_canvas(opened, theme):
    drawn = opened(device_scale_factor=2)
    images = Images(
        key="i", x=[0.5], y=[0.5], pixels=np.full((1, 5, 5), 255, np.uint8), wide=0.5, tall=0.5
    )
    heat = Heat(key="h", values=np.array([[0.0, 1], [0, 1]]), color="red", opacity=1)
    box = Boxes(key="b", x=[-0.5], y=[0.5], fills=["green"], wide=0.5, tall=0.5)
    drawn.show(panel(heat, images, box, grid=False))
    if theme == "dark":
        drawn.do(
            """() => new Promise((done) => {
                views[0].canvas.addEventListener("transitionend", done);
                document.body.setAttribute("data-theme", "dark");
            })"""
        )
    colors = DARK_COLORS if theme == "dark" else COLORS
    assert drawn.pixel(0.5, 0.5) == rgb(PAGE["ink"][theme == "dark"])
    assert drawn.pixel(-0.5, 0.5) == rgb(colors["green"])
    low, high = drawn.pixel(-0.99, -0.5), drawn.pixel(0.99, -0.5)
    # Between two values a canvas has sixteen shades.
    assert np.abs(np.subtract(low, rgb(PAGE["paper"][theme == "dark"]))).max() <= 16
    assert np.abs(np.subtract(high, rgb(colors["red"]))).max() <= 16


def test_shades_stand_where_their_axes_say(drawn):
    values = np.zeros((4, 4))
    values[3, 0] = 1  # the first row is the lowest
    drawn.show(panel(Heat(key="h", values=values, smooth=False, opacity=1), grid=False))
    ink, paper = rgb(PAGE["ink"][0]), rgb(PAGE["paper"][0])
    assert drawn.pixel(-0.9, 0.9) == ink
    assert drawn.pixel(-0.6, 0.6) == ink
    assert drawn.pixel(-0.4, 0.9) == paper
    assert drawn.pixel(-0.9, -0.9) == paper
    steps = Heat(key="h", values=np.array([[0.0, 1], [0, 1]]), steps=(0.5,), opacity=1)
    drawn.show(panel(steps, grid=False))
    assert drawn.pixel(-0.1, 0) == paper
    assert drawn.pixel(0.1, 0) == ink


def test_cards_lie_below_the_drawings_on_them(drawn):
    card = Boxes(key="b", x=[0], y=[0], fills=["green"], wide=1, tall=1)
    image = Images(
        key="i", x=[0], y=[0], pixels=np.full((1, 5, 5), 255, np.uint8), wide=0.5, tall=0.5
    )
    drawn.show(panel(card, image))
    assert drawn.pixel(0.05, 0.05) == rgb(PAGE["ink"][0])
    assert drawn.pixel(0.4, 0.4) == rgb(COLORS["green"])


@pytest.mark.parametrize(
    ("axis", "room", "names"),
    [
        ({"low": 0, "high": 1}, 5, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ({"low": -5, "high": 5}, 5, ["−4", "−2", "0", "2", "4"]),
        ({"low": 0, "high": 0.06}, 3, ["0.00", "0.02", "0.04", "0.06"]),
        ({"low": 10, "high": 0}, 2, ["0", "5", "10"]),
        ({"low": 0, "high": 3e6}, 3, ["0", "10⁶", "2 · 10⁶", "3 · 10⁶"]),
        ({"low": 1, "high": 1e4, "log": True}, 6, ["1", "10", "100", "1000", "10000"]),
        ({"low": 1e-6, "high": 1, "log": True}, 3, ["10⁻⁶", "10⁻⁴", "0.01", "1"]),
        ({"low": 2, "high": 50, "log": True}, 6, ["2", "5", "10", "20", "50"]),
        ({"low": 0, "high": 2, "ticks": [0, 1, 9], "names": ["a", "b", "c"]}, 5, ["a", "b"]),
        ({"low": 0, "high": 1, "ticks": []}, 5, []),
    ],
)
def test_ticks_are_round_numbers(drawn, axis, room, names):
    found = drawn.do("([axis, room]) => draw.ticks(axis, room)", [axis, room])
    assert [tick["name"] for tick in found] == names


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0, "0"),
        (-0.25, "−0.25"),
        (0.123456, "0.123"),
        (1234.5, "1235"),
        (1e-7, "10⁻⁷"),
        (-123456, "−1.23 · 10⁵"),
        (None, "–"),
    ],
)
def test_a_number_is_said_in_three_digits(drawn, value, says):
    assert drawn.do("value => draw.say(value)", value) == says


@pytest.mark.parametrize("width", [400, 900])
def test_text_keeps_its_size_and_all_of_it_is_inside(opened, width):
    drawn = opened(width)
    names = ("MAML", "first-order MAML", "prototypical, cosine", "nearest neighbour")
    bars = Bars(key="bars", x=range(4), y=[1, 0.5, 1, 0.2], texts=["90 %"] * 4)
    x = Axis(low=-0.5, high=3.5, ticks=(0, 1, 2, 3), names=names)
    wide = panel(
        *EVERY, key="wide", width=600, title="A title", y=Axis(low=0, high=20000, label="steps")
    )
    drawn.show(panel(bars, x=x, y=Axis(low=0, high=1, label="accuracy")), wide)
    assert drawn.do("() => document.documentElement.scrollWidth") == width
    assert drawn.outside() == []
    sizes = drawn.do(
        "() => [...all.querySelectorAll('text')].map((one) => getComputedStyle(one).fontSize)"
    )
    assert set(sizes) == {"12px"}
    said = drawn.do("() => views[0].axes.textContent")
    assert all(word in said for name in names for word in name.split())


def test_square_panels_have_one_unit(drawn):
    drawn.show(panel(x=Axis(low=0, high=4), y=Axis(low=0, high=1), square=True))
    across, up = drawn.at(0, 0)
    assert drawn.at(1, 1) == pytest.approx((across + (up - drawn.at(1, 1)[1]), up - 80), abs=30)
    one = drawn.at(1, 0)[0] - across, up - drawn.at(0, 1)[1]
    assert one[0] == pytest.approx(one[1], abs=1)


def test_nodes_stay_when_numbers_change(drawn):
    drawn.show(panel(Line(key="l", x=X, y=X), points([0, 0.5], [0, 0.5])))
    drawn.do("() => window.before = [...views[0].stack.querySelectorAll('path')]")
    drawn.show(panel(Line(key="l", x=X, y=-X), points([0, 0.6], [0, 0.6])))
    assert drawn.do(
        "() => before.every((one, n) => one === views[0].stack.querySelectorAll('path')[n])"
    )
    # Another look: what is there still stays, and in the new order.
    drawn.show(panel(points([0, 0.6], [0, 0.6]), Texts(key="t"), title="Another"))
    assert drawn.do("() => views[0].marks.get('points').free.children[0] === before[1]")
    keys = "() => [...views[0].stack.children].map((one) => one.dataset.key)"
    assert drawn.do(keys) == ["points", "t"]


def test_a_line_has_a_gap_where_there_is_no_number(drawn):
    drawn.show(panel(Line(key="l", x=[-1, 0, 0.2, 0.5, 1], y=[0, 0, np.nan, 0, 0])))
    d = drawn.do("() => views[0].marks.get('l').clipped.firstChild.getAttribute('d')")
    assert d.count("M") == 2
    assert d.count("L") == 2


def test_the_legend_has_one_entry_for_each_label(drawn):
    drawn.show(
        panel(
            Line(key="l", x=X, y=X, label="MAML"),
            points(label="MAML"),
            Line(key="other", x=X, y=X, label="not here", listed=False),
            Band(key="b", label="stands alone"),
            Heat(key="h", values=np.eye(2), steps=(0.2, 0.5), names=("low", "high"), label="loss"),
        )
    )
    entries = "() => [...views[0].legend.children].map((one) => one.textContent)"
    assert drawn.do(entries) == ["MAML", "stands alone", "loss low to high"]
    drawn.show(panel(points()))
    assert not drawn.page.locator(".ml-legend").is_visible()


def test_drawings_fade(drawn):
    pixels = np.full((2, 5, 5), 255, np.uint8)
    images = Images(
        key="i", x=[-0.5, 0.5], y=[0, 0], pixels=pixels, fades=[1, 0], wide=0.5, tall=0.5
    )
    drawn.show(panel(images, grid=False))
    assert drawn.pixel(-0.5, 0) == rgb(PAGE["ink"][0])
    assert drawn.pixel(0.5, 0) == rgb(PAGE["paper"][0])


# --- gliding --------------------------------------------------------------------------------


def gliding(drawn, number: int = 1) -> float:
    """Where a point is drawn just after it was told to be somewhere else."""
    drawn.show(panel(points([0] * number, [0] * number)))
    drawn.show(panel(points([0.8], [0])), glide=True)
    return drawn.shown("points")[0]


def test_a_point_glides_to_its_new_place(drawn):
    # A busy machine may look when it is over.
    assert any(gliding(drawn) < 0.8 for _ in range(8))
    drawn.page.wait_for_function("() => views[0].marks.get('points').shown.x[0] === 0.8")


def test_nothing_glides_where_reduced_motion_is_asked_for(opened):
    assert gliding(opened(reduced_motion="reduce")) == 0.8


def test_nothing_glides_that_has_another_number_of_elements(drawn):
    assert gliding(drawn, 2) == 0.8


# --- reading --------------------------------------------------------------------------------


def test_the_pointer_reads_what_is_near(drawn):
    line = Line(key="l", x=X, y=np.zeros(21), label="MAML")
    drawn.show(panel(line, points([0.5], [0.1], label="a point"), Rules(key="r", at=[0.52])))
    drawn.move(-0.5, 0.02)
    assert drawn.tip() == "MAML | x = −0.5, y = 0"
    drawn.move(0.5, 0.05)
    assert drawn.tip() == "a point | x = 0.5, y = 0.1"
    drawn.move(-0.5, 0.8)
    assert drawn.tip() is None
    drawn.move(0.5, 0.05)
    drawn.page.mouse.move(1, 650)
    assert drawn.tip() is None
    assert drawn.do("() => views[0].tip.closest('[aria-hidden=true]') !== null")


def test_each_kind_is_read_in_its_own_words(drawn):
    names = Axis(low=-1, high=1, ticks=(-0.5, 0.5), names=("MAML", "ANIL"))
    drawn.show(
        panel(Spans(key="s", at=[-0.5], low=[0.2], high=[0.4], label="interval"), x=names),
        panel(Arrows(key="a", x=[0], y=[0], dx=[0.5], dy=[0.25], label="step"), key="p2"),
        panel(points([0], [0], key="t", texts=["drawing 3"]), key="p3"),
        panel(Heat(key="h", values=np.array([[0.0, 1], [0, 1]]), label="loss"), key="p4"),
        panel(Band(key="b", x=X, low=X * 0, high=X * 0 + 0.5, label="spread"), key="p5"),
    )
    for number, (x, y, words) in enumerate([
        (-0.5, 0.3, "interval | MAML, y 0.2 to 0.4"),
        (0.25, 0.125, "step | x = 0.5, y = 0.25"),
        (0.0, 0.0, "drawing 3"),
        (0.0, 0.5, "loss | 0.5"),
        (0.5, 0.25, "spread | x = 0.5, y 0 to 0.5"),
    ]):  # fmt: skip
        drawn.page.mouse.wheel(0, 0)
        drawn.do("n => views[n].el.scrollIntoView()", number)
        drawn.move(x, y, number)
        assert drawn.tip(number) == words


@pytest.mark.parametrize("corner", [(-1, -1), (-1, 1), (1, -1), (1, 1)])
def test_what_is_read_never_leaves_the_panel(opened, corner):
    drawn = opened(400)
    text = "a long sentence on what stands at this place, which takes more than one line"
    drawn.show(panel(points([corner[0]], [corner[1]], texts=[text])))
    drawn.move(*corner)
    assert drawn.tip() == text
    assert drawn.do(
        """() => {
            const [tip, plot] = [views[0].tip, views[0].plot].map((one) => one.getBoundingClientRect());
            return tip.left >= plot.left && tip.right <= plot.right
                && tip.top >= plot.top && tip.bottom <= plot.bottom;
        }"""  # noqa: E501
    )


def test_elements_of_one_number_light_up_in_all_panels(drawn):
    first = panel(points([-0.5, 0.5], [0, 0], link="step"), Texts(key="t", x=[0], y=[0.5]))
    bars = Bars(key="b", x=[-0.5, 0.5], y=[0.5, 0.5], thick=0.2, link="step")
    drawn.show(first, panel(bars, points(key="other"), key="p2"))
    drawn.move(0.5, 0)
    assert [drawn.lit(0), drawn.lit(1)] == [1, 1]
    outline = drawn.do("() => views[1].over.firstChild.getBBox().x")
    assert outline + drawn.do("() => views[1].svg.getBoundingClientRect().left") == pytest.approx(
        drawn.at(0.4, 0, 1)[0], abs=4
    )
    drawn.page.mouse.move(1, 690)
    assert [drawn.lit(0), drawn.lit(1)] == [0, 0]


# --- dragging -------------------------------------------------------------------------------


def draggable(x=0.0, y=0.0, **more) -> Points:
    return points([x], [y], drag=Drag(name="θ", **more))


def test_a_dragged_point_moves_at_once_and_is_told(drawn):
    drawn.show(panel(draggable()))
    drawn.move(0.01, 0.01)
    drawn.page.mouse.down()
    drawn.move(0.51, 0.26)
    assert drawn.shown("points") == pytest.approx((0.5, 0.25), abs=0.01)
    drawn.do("() => owed = true")
    drawn.page.mouse.up()
    sent = drawn.sent()
    assert [one["settled"] for one in sent] == [False] * (len(sent) - 1) + [True]
    assert all(one["kind"] == "drag" and one["key"] == "points" for one in sent)
    assert sent[-1]["x"] == pytest.approx(0.5, abs=0.01)
    assert len(str(sent[-1]["x"])) <= 7


def test_the_kernel_does_not_move_a_point_that_is_held(drawn):
    drawn.show(panel(draggable()))
    drawn.move(0, 0)
    drawn.page.mouse.down()
    drawn.move(0.5, 0.5)
    drawn.do("() => owed = true")
    held = drawn.shown("points")
    drawn.show(panel(draggable(0.1, 0.1)))
    assert drawn.shown("points") == held
    drawn.page.mouse.up()
    drawn.show(panel(draggable(0.2, 0.2)))  # an answer to an older message
    assert drawn.shown("points") == held
    drawn.do("() => owed = false")
    drawn.show(panel(draggable(0.4, 0.4)))
    assert drawn.shown("points") == (0.4, 0.4)


def test_a_point_goes_back_when_nobody_answers(drawn):
    drawn.show(panel(draggable()))
    drawn.move(0, 0)
    drawn.page.mouse.down()
    drawn.move(0.5, 0.5)
    drawn.page.mouse.up()
    assert drawn.shown("points") == (0, 0)


def test_a_press_without_a_move_drags_nothing(drawn):
    drawn.show(panel(draggable()))
    drawn.page.mouse.click(*drawn.at(0.02, 0))
    assert drawn.sent() == []


def test_a_point_stays_on_its_line(drawn):
    line = Line(key="wave", x=X, y=X**2)
    drawn.show(panel(line, draggable(along="wave")))
    drawn.move(0, 0)
    drawn.page.mouse.down()
    drawn.move(0.5, -0.9)
    x, y = drawn.shown("points")
    assert (x, y) == pytest.approx((0.5, 0.25), abs=0.02)
    drawn.move(1.3, 0)
    assert drawn.shown("points") == (1, 1)
    assert drawn.sent()[-1]["y"] == 1


def test_a_point_carries_what_hangs_on_it(drawn):
    arrow = Arrows(key="arrow", x=[0], y=[0], dx=[0.1], dy=[0.1])
    line = Line(key="line", x=[0, 0.2], y=[0, 0.2])
    more = Texts(key="free", x=[0], y=[0])
    drawn.show(panel(arrow, line, more, draggable(carries=("arrow", "line"))))
    drawn.move(0, 0)
    drawn.page.mouse.down()
    drawn.move(0.5, 0.3)
    x, y = drawn.shown("points")
    assert drawn.shown("arrow") == pytest.approx((x, y))
    assert drawn.shown("line", 1) == pytest.approx((x + 0.2, y + 0.2))
    assert drawn.shown("free") == (0, 0)
    # Of marks with as many elements only the one of that number goes along.
    names = Texts(key="names", x=[-0.5, 0.5], y=[0, 0], texts=["a", "b"])
    two = points([-0.5, 0.5], [0, 0], key="two", drag=Drag(name="a point", carries=("names",)))
    drawn.page.mouse.up()
    drawn.show(panel(names, two))
    drawn.move(0.5, 0)
    drawn.page.mouse.down()
    drawn.move(0.5, 0.5)
    assert drawn.shown("names", 1) == pytest.approx((0.5, 0.5), abs=0.02)
    assert drawn.shown("names", 0) == (-0.5, 0)


def test_a_finger_drags_a_point_and_scrolls_elsewhere(opened):
    drawn = opened(has_touch=True)
    drawn.show(panel(draggable()))
    box = drawn.page.locator(".ml-drag path").bounding_box()
    assert min(box["width"], box["height"]) >= 24
    drawn.touch((0.05, 0), (0.3, 0.3), (0.55, 0.5))
    sent = drawn.sent()
    assert sent[-1]["settled"]
    assert (sent[-1]["x"], sent[-1]["y"]) == pytest.approx((0.5, 0.5), abs=0.01)
    drawn.do("() => { all.style.height = '2000px'; }")
    drawn.touch((0.5, 0), (0.5, 0.3), (0.5, 0.6), (0.5, 0.9))
    assert drawn.sent() == []
    drawn.page.wait_for_function("() => scrollY > 0 || document.scrollingElement.scrollTop > 0")


@pytest.mark.parametrize("removable", [True, False])
def test_a_double_click_takes_a_point_away_if_it_can_go(drawn, removable):
    drawn.show(panel(draggable(removable=removable), click="Add a point"))
    drawn.page.mouse.dblclick(*drawn.at(0, 0))
    assert [one["kind"] for one in drawn.sent()] == ["remove"] * removable
    drawn.page.mouse.dblclick(*drawn.at(0.5, 0.5))
    assert [one["kind"] for one in drawn.sent()] == ["click"] * 2


# --- clicking and picking -------------------------------------------------------------------


def test_a_click_on_empty_ground_is_told_where_one_acts(drawn):
    drawn.show(panel(draggable(), click="Add a point"), panel(key="p2"))
    drawn.page.mouse.click(*drawn.at(0.5, -0.5))
    (sent,) = drawn.sent()
    assert (sent["kind"], sent["panel"], sent["settled"]) == ("click", "panel", True)
    assert (sent["x"], sent["y"]) == pytest.approx((0.5, -0.5), abs=0.01)
    drawn.page.mouse.click(*drawn.at(0, 0))
    drawn.page.mouse.click(*drawn.at(0.5, -0.5, 1))
    assert drawn.sent() == []
    cursors = drawn.do("() => views.map(({ ground }) => getComputedStyle(ground).cursor)")
    assert cursors[0] == "crosshair"
    assert cursors[1] != "crosshair"


def test_a_click_falls_on_the_line_it_belongs_to(drawn):
    line = Line(key="wave", x=X, y=X**2)
    drawn.show(panel(line, click="Add a point", click_along="wave"))
    drawn.move(0.5, -0.5)
    assert drawn.do("() => views[0].cross.getBBox().width") == pytest.approx(10)
    drawn.page.mouse.click(*drawn.at(0.5, -0.5))
    (sent,) = drawn.sent()
    assert (sent["x"], sent["y"]) == pytest.approx((0.5, 0.25), abs=0.02)


def test_the_nearest_element_is_picked(drawn):
    cards = Boxes(key="b", x=[-0.5, 0.5], y=[0, 0], wide=0.4, tall=0.4, pick="Choose it")
    drawn.show(panel(cards, click="Add a point"))
    drawn.page.mouse.click(*drawn.at(0.6, 0.1))
    assert drawn.sent() == [{"kind": "pick", "key": "b", "index": 1, "settled": True}]


# --- by keyboard ----------------------------------------------------------------------------


def test_there_is_one_tab_stop_for_each_thing_that_can_be_done(drawn):
    two = points([-0.5, 0.5], [0, 0], drag=Drag(name="a point"))
    cards = Boxes(
        key="b", x=[-0.5, 0.5], y=[0.5, 0.5], texts=["one", "two"], pick="Choose it", label="card"
    )
    drawn.show(panel(two, cards, Line(key="l", x=X, y=X), click="Add a point"), panel(key="p2"))
    names = []
    for _ in range(3):
        drawn.page.keyboard.press("Tab")
        names.append(drawn.focused())
    assert names == [
        "Add a point: arrow keys move a cross, Enter is a click",
        "a point 1",
        "Choose it: card, one",
    ]
    drawn.page.keyboard.press("Tab")
    assert drawn.do("() => document.activeElement === document.body")


def test_the_cross_clicks(drawn):
    drawn.show(panel(click="Add a point"))
    drawn.page.keyboard.press("Tab")
    assert drawn.do("() => views[0].cross.getBBox().width") > 100
    drawn.page.keyboard.press("ArrowRight")
    drawn.page.keyboard.press("Shift+ArrowUp")
    assert drawn.do("() => views[0].said.textContent").startswith("x 0.0")
    drawn.page.keyboard.press("Enter")
    (sent,) = drawn.sent()
    assert sent["kind"] == "click"
    assert 0 < sent["y"] < sent["x"] < 0.1


def test_a_point_is_moved_and_removed(drawn):
    two = points([-0.5, 0.5], [0, 0], drag=Drag(name="a point", removable=True))
    drawn.show(panel(two))
    drawn.page.keyboard.press("Tab")
    drawn.page.keyboard.press("PageDown")
    assert drawn.focused() == "a point 2"
    assert drawn.tip() == "a point | x = 0.5, y = 0"
    drawn.page.keyboard.down("ArrowUp")
    drawn.page.keyboard.down("ArrowUp")
    drawn.do("() => owed = true")
    drawn.page.keyboard.up("ArrowUp")
    sent = drawn.sent()
    assert [one["settled"] for one in sent] == [False, False, True]
    assert all(one["index"] == 1 for one in sent)
    assert 0 < sent[0]["y"] < sent[1]["y"] == sent[2]["y"] < 0.2
    drawn.page.keyboard.press("Delete")
    assert drawn.sent() == [{"kind": "remove", "key": "points", "index": 1, "settled": True}]
    drawn.do("() => owed = false")
    drawn.show(panel(points([-0.5], [0], drag=Drag(name="a point", removable=True))))
    assert drawn.focused() == "a point"


def test_an_element_is_chosen(drawn):
    bars = Bars(key="b", x=[-0.5, 0, 0.5], y=[1, 1, 1], thick=0.2, pick="Pull", link="arm")
    drawn.show(panel(bars), panel(points([0, 0, 0.5], [0, 0, 0], link="arm"), key="p2"))
    drawn.page.keyboard.press("Tab")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
        drawn.page.keyboard.press(key)
    assert drawn.sent() == [{"kind": "pick", "key": "b", "index": 2, "settled": True}]
    assert [drawn.lit(0), drawn.lit(1)] == [1, 1]
    drawn.page.keyboard.press("Home")
    assert drawn.focused() == "Pull: x = −0.5, y = 1"


def test_the_picture_has_a_name(drawn):
    drawn.show(panel(alt="two lines that cross", title="Lines"), panel(draggable(), key="p2"))
    assert drawn.page.get_by_role("img", name="two lines that cross").count() == 1
    assert drawn.page.get_by_role("slider", name="θ").count() == 1


def test_what_is_destroyed_is_gone(drawn):
    drawn.show(panel(points(link="a")))
    drawn.do("() => views.splice(0).forEach((view) => view.destroy())")
    assert drawn.do("() => all.children.length") == 0
    drawn.page.set_viewport_size({"width": 500, "height": 500})
