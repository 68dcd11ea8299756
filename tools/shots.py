"""Pictures of every widget as a reader sees it, to be looked at: `make shots`.

    PYTHONPATH=tests python -m tools.shots [NAME …]     all widgets, or these, into build/shots/
    PYTHONPATH=tests python -m tools.shots --readme     the README's moving picture, into docs/

Each widget is shot on a light page and on a dark one, 1400, 1000 and 400 px wide, and in each state
that it suggests; its filmstrip is drawn. `build/shots/index.html` shows them all.
"""

from __future__ import annotations

import argparse
import html
import importlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from blank import Blank
from browser.conftest import CHROMIUM_OPTIONS, find_chromium
from PIL import Image, ImageColor
from playwright.sync_api import Page, sync_playwright
from truths import generator
from widgets.kit.test_scenes import WIDGETS

from metalearn_lite import checkpoints
from metalearn_lite.figures import COLORS, DARK_COLORS, PAGE
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.widgets.adaptation import AdaptationExplorer, AdaptationModel
from metalearn_lite.widgets.kit import Live

REPOSITORY = Path(__file__).parents[1]
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
    page.set_viewport_size({"width": 1000, "height": 700})
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    for number, chip in enumerate(page.locator(".ml-chip").all(), 1):
        chip.click()
        blank.answer_all()
        page.mouse.move(0, 0)
        time.sleep(0.2)  # gliding
        blank.drawn()
        page.screenshot(path=folder / f"{name}-try{number}.png", full_page=True)
    if strip and hasattr(widget, "filmstrip"):
        with mpl.rc_context({"figure.dpi": 100}):
            drawn = widget.filmstrip()
        drawn.savefig(folder / f"{name}-strip.png")
    if blank.errors:
        print(f"{name}: {blank.errors}")


# What stops the page's clock, so that each frame of a film shows just what is to be seen then.
CLOCK = """
window.now = 0;
performance.now = () => now;
window.setInterval = act => { window.tick = act; return 1; };
window.clearInterval = () => {};
"""
# A hand for the film, and nothing that is not needed.
HAND = """() => {
    const hand = document.createElement("div");
    hand.innerHTML = `<svg width="20" height="26"><path d="M2,2V20L6.5,16L10,23.5L13,22L9.5,15H16Z"
        fill="var(--ml-ink)" stroke="var(--ml-paper)" stroke-width="1.5"/></svg>`;
    hand.style = "position: fixed; left: 0; top: 0; z-index: 9; pointer-events: none";
    document.body.append(hand);
    addEventListener("pointermove", event => {
        hand.style.transform = `translate(${event.clientX - 2}px, ${event.clientY - 2}px)`;
    }, true);
    const style = document.createElement("style");
    style.textContent = `.ml-suggest, .ml-code, .ml-tip, [data-name=amplitude], [data-name=phase],
        [data-name=clear] { display: none !important }`;
    document.head.append(style);
}"""


def film(page: Page, theme: str) -> list[tuple[bytes, int]]:
    """The adaptation explorer at work: its pictures, and how many milliseconds each is shown.

    Ten steps are played; then a hand takes one of the points along the wave.
    """
    joint, maml = (checkpoints.load(f"sinusoid-{name}") for name in ("joint", "maml"))
    random = MAML(maml.network, MLP.init(maml.network, generator(0)), maml.inner_lr)
    learners = {"MAML": maml, "joint training": joint, "random start": random}
    points = (-4.4, -3.4, -2.6, -0.9, 0.3)
    model = AdaptationModel(learners, generator(0), points=points)
    page.add_init_script(CLOCK)
    blank = Blank(page, AdaptationExplorer(model))
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    page.evaluate(HAND)
    pictures: list[tuple[bytes, int]] = []
    bottom = page.locator(".ml-sentence").bounding_box()
    clip = {"x": 0, "y": 0, "width": 820, "height": bottom["y"] + 28}

    def wave(x: Sequence[float]) -> np.ndarray:
        return model.amplitude * np.sin(np.asarray(x) - model.phase)

    def shown(milliseconds: int) -> None:
        blank.answer_all()
        blank.drawn()
        pictures.append((page.screenshot(clip=clip), milliseconds))

    def glide(rest: int) -> None:
        blank.answer_all()
        for _ in range(3):
            page.evaluate("now += 51")
            shown(50)
        pictures[-1] = (pictures[-1][0], rest)

    def middle(box: dict) -> tuple[float, float]:
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def move(start: tuple[float, float], end: tuple[float, float], number: int) -> None:
        for part in (1 - np.cos(np.linspace(0, np.pi, number + 1)[1:])) / 2:
            page.mouse.move(*(np.array(start) + part * (np.array(end) - start)))
            shown(40)

    play, rest = middle(page.locator(".ml-play").first.bounding_box()), (600, 388)
    page.mouse.move(*rest)
    shown(1200)
    move(rest, play, 6)
    page.mouse.click(*play)
    for _ in range(model.max_steps):
        page.evaluate("tick()")
        glide(250)
    page.evaluate("window.tick = null")
    pictures[-1] = (pictures[-1][0], 1500)
    grips = [
        middle(one.bounding_box()) for one in page.locator(".ml-grips [data-key=points]").all()
    ]
    move(play, grips[-1], 6)
    page.mouse.down()
    (to_right, left), (to_top, floor) = (
        np.polyfit(*pair, 1)
        for pair in ((points, [x for x, _ in grips]), (wave(points), [y for _, y in grips]))
    )
    for x in np.linspace(points[-1], 4.2, 24):
        page.mouse.move(left + to_right * x, floor + to_top * wave(x))
        shown(60)
    page.mouse.up()
    blank.answer_all()
    glide(2500)
    return pictures


def inks(theme: str) -> Image.Image:
    """The palette of a figure: its colours, each in five strengths on the page."""
    dark = theme == "dark"
    page = {name: pair[dark] for name, pair in PAGE.items()}
    colors = (DARK_COLORS if dark else COLORS) | page
    paper, *others = (np.array(ImageColor.getrgb(colors[name]))
                      for name in ("paper", "ink", "faint", "gray", "blue", "dark orange", "yellow")
                      )  # fmt: skip
    shades = [
        paper + strength * (ink - paper) for ink in others for strength in (0.2, 0.4, 0.6, 0.8, 1)
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette([round(part) for shade in [paper, *shades] for part in shade])
    return palette


def moving_picture() -> None:
    """Writes the film in both themes as WebP. In few colours it is small without a loss."""
    for theme in THEMES:
        with new_page(viewport={"width": 820, "height": 700}) as page:
            pictures, times = zip(*film(page, theme), strict=True)
        palette = inks(theme)
        first, *others = (
            Image.open(BytesIO(picture))
            .convert("RGB")
            .quantize(palette=palette, dither=0)
            .convert("RGB")
            for picture in pictures
        )
        path = REPOSITORY / "docs" / f"adaptation_explorer_{theme}.webp"
        how = {"duration": list(times), "loop": 0, "lossless": True, "method": 6}
        first.save(path, save_all=True, append_images=others, **how)
        print(f"{path}: {len(pictures)} pictures, {path.stat().st_size / 1000:.0f} kB")


def overview(folder: Path) -> None:
    """A page of all that lies in the folder."""
    names = sorted({file.name.split("-")[0] for file in folder.glob("*.png")})
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
    parser.add_argument("--readme", action="store_true", help="the README's moving picture instead")
    given = parser.parse_args()
    if given.readme:
        moving_picture()
        return
    SHOTS.mkdir(parents=True, exist_ok=True)
    with new_page() as page:
        for name in given.names or WIDGETS:
            tests = importlib.import_module(f"widgets.test_{name}")
            shoot(page, name, WIDGETS[name](tests), SHOTS)
    overview(SHOTS)
    print(SHOTS / "index.html")


if __name__ == "__main__":
    main()
