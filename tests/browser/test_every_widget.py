"""Every widget on a blank page, its model behind it: by mouse, by touch, by keyboard; and to read.

Who makes a widget has nothing to add here: what can be done is read off the page.
"""

from __future__ import annotations

import base64
import importlib
import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from blank import Blank, packed
from PIL import Image
from widgets.kit.test_scenes import WIDGETS

from metalearn_lite.widgets.kit import Live, Pad, Panel, Slider

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# Poison others: where the place is not left to chance, the same ones are poisoned again. A walk
# over the Tab stops comes by in whatever state the stops before it left; a mouse tries it again.
BY_CHANCE = (("control", "new_draw"),)
MOST_STEPS, ROUNDS = 100, 3
THE_PAGE = (Path(__file__).parent / "every_widget.js").read_text(encoding="utf-8")
"""What a test asks of the page, as functions of its own."""


@pytest.fixture(scope="module")
def page(browser):
    """One page for all: a mouse, a keyboard and a finger; a text's core is two pixels wide."""
    options = {"has_touch": True, "reduced_motion": "reduce", "device_scale_factor": 2}
    context = browser.new_context(**options)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.finger = context.new_cdp_session(page)
    yield page
    context.close()


def new(name: str) -> Live:
    return WIDGETS[name](importlib.import_module(f"widgets.test_{name}"))


to_be_looked_at = cache(new)
"""the same one, for tests that change nothing"""


@pytest.fixture(params=WIDGETS)
def reader(request, page):
    page.set_viewport_size({"width": 1000, "height": 700})
    gestures = request.function.__name__.startswith("test_by")
    reader = Reader(page, (new if gestures else to_be_looked_at)(request.param))
    yield reader
    assert reader.errors == []


class Reader(Blank):
    """Somebody who tries all that there is, and notices what should not be."""

    def open(self):
        super().open()
        self.page.evaluate(THE_PAGE)
        self.places = self.ask("now")["places"]

    def ask(self, what: str, *given):
        return self.page.evaluate(f"given => reader.{what}(...given)", list(given))

    # What can be done ----------------------------------------------------------------------------

    def everything(self, keyboard: bool = False) -> list[tuple[str, ...]]:
        """All that the scene offers now, each as (what, name, …)."""
        scene = self.widget.scene()
        found = [("try", str(place)) for place in reversed(range(len(scene.tries)))]
        for part in reversed(scene.panels):  # what is drawn last may need what is drawn first
            if isinstance(part, Pad):
                ink = [] if keyboard else ["stroke"]
                found += [("pad", part.key, what) for what in [*ink, "undo", "example", "clear"]]
            if not isinstance(part, Panel):
                continue
            for mark in part.marks:
                drag = getattr(mark, "drag", None)
                found += [("drag", mark.key)] * bool(drag)
                found += [("remove", mark.key)] * bool(drag and drag.removable)
                found += [("pick", mark.key)] * bool(mark.pick)
            found += [("click", part.key)] * bool(part.click)
        for control in scene.controls:
            found.append(("control", control.name))
            if isinstance(control, Slider) and control.play:
                found.append(("play", control.name))
        return found

    def all_by(self, hand, keyboard: bool = False) -> None:
        """Does everything, and again what could not be done before something else was."""
        left = self.everything(keyboard)
        for self.round in range(ROUNDS):
            left = [thing for thing in left if not self.does(hand, thing)]
        assert not left, f"this can never be done, or changes nothing: {left}"

    def does(self, hand, thing: tuple[str, ...]) -> bool:
        """Whether it could be done and changed something. Nothing may move that should stand."""
        before, number, places = self.state(), len(self.messages), self.places
        names = [thing[1]]
        if thing[0] == "drag":  # two may lie on one another: then either is taken
            names = self.ask("near", thing[1])
        if not hand(*thing):
            return False
        self._messages += self.ask("told", number, len(self._messages))
        self.answer_all()
        self.matches(thing, self.messages[number:], names)
        self.agrees(thing)
        self.stands(thing, places)
        if thing[0] == "pad" and "clear" in thing:
            (pad,) = (part for part in self.widget.scene().panels if part.key == thing[1])
            return pad.example is None and not pad.strokes
        return thing[0] == "play" or self.state() != before  # it may be as was chosen before

    def answer_all(self) -> None:
        """At once. Fewer words with the page than `answer` needs: each costs time."""
        while self.heard < len(self._messages):
            news = [self.deal(self._messages[self.heard])]
            news.append(packed({"recorded": self.widget.recorded}))
            self._messages += self.ask("tell", len(self._messages), *news)

    def state(self) -> list[dict]:
        """What the model has said of itself: each is another dict once it changes."""
        return [getattr(self.widget, part) for part in ("state", "moving", "fixed", "look")]

    def matches(self, thing: tuple[str, ...], sent: list[dict], names: list[str]) -> None:
        what, name, *more = thing
        kind = {"control": "set", "play": "set", "pad": "draw"}.get(what, what)
        button = what == "control" and name not in self.widget.state["values"]
        kind = "press" if button else kind
        of = {"set": "name", "press": "name", "draw": "pad", "click": "panel", "try": "index"}
        told = [one for one in sent if one["kind"] == kind]
        assert told, f"{thing} tells {sent}"
        assert {str(one[of.get(kind, "key")]) for one in told} <= {*names}, f"{thing} tells {sent}"
        assert told[-1].get("settled", True), f"{thing} is never let go"
        if kind == "draw":
            assert told[-1]["what"] == more[0]

    def agrees(self, thing) -> None:
        """The page says what the model says."""
        state, page = self.widget.state, self.ask("now")
        self.places = page["places"]
        assert page["sentence"] == state["sentence"], thing
        for name, value in page["values"].items():
            assert state["values"][name] == value, (thing, name)

    def stands(self, thing, places) -> None:
        """Nothing moved. Where parts came or went, at least that one did not which was used."""
        now = self.places
        used = [name for name in places if name.split(" ", 1)[1] == thing[1]]
        moved = {
            name: (places[name], now[name])
            for name in (places if now.keys() == places.keys() else used)
            if np.abs(np.subtract(places[name], now[name])).max() > 1
        }
        assert not moved, f"{thing} moves {moved}"

    # With a pointer ------------------------------------------------------------------------------

    def by_mouse(self, what: str, name: str, *more) -> bool:
        return self.by_pointer(self.mouse, what, name, *more)

    def by_touch(self, what: str, name: str, *more) -> bool:
        return self.by_pointer(self.touch, what, name, *more)

    def mouse(self, *places, times: int = 1) -> None:
        """Taken at the first place, let go at the last; once for each that is given alone."""
        mouse = self.page.mouse
        mouse.move(*places[0])
        mouse.down(click_count=times)
        for place in places[1:]:
            mouse.move(*place)
        mouse.up(click_count=times)

    def touch(self, *places, times: int = 1) -> None:
        for kind, place in [("Start", places[0]), *(("Move", p) for p in places[1:]), ("End", 0)]:
            points = [{"x": place[0], "y": place[1]}] if place else []
            message = {"type": f"touch{kind}", "touchPoints": points}
            if kind == "End" and len(places) > 1:
                self.page.wait_for_timeout(150)  # else it is a fling, which takes the next tap
            self.page.finger.send("Input.dispatchTouchEvent", message)

    def by_pointer(self, hand, what: str, name: str, *more) -> bool:
        """Where to touch is asked of the page, which brings it into sight."""
        if what == "play":
            return self.plays(name, lambda: hand(self.ask("button", name, ".ml-play")))
        if what == "control" and self.ask("is", name, "select"):
            # Its list is the system's, and no part of the page.
            menu = self.page.locator(f".ml-control[data-name='{name}'] select")
            menu.select_option(index=1 - min(1, menu.evaluate("it => it.selectedIndex")))
            return True
        places = self.ask(what, name, *more, self.round)
        if not places:
            return False
        hand(*places)
        if what == "remove":
            hand(*places, times=2)
        return True

    def plays(self, name: str, press) -> bool:
        """Play walks, and a second press stops it."""
        number = len(self.messages)
        press()
        for _ in range(40):
            self.page.wait_for_timeout(50)
            if len(self.messages) > self.heard:
                self.answer()
            if len(self.messages) > number + 1:
                break
        if self.ask("playing", name):
            press()
            # A tap is a click a little later.
            self.page.wait_for_function("name => !reader.playing(name)", arg=name, timeout=2000)
        return True

    # With keys ----------------------------------------------------------------------------------

    def walk_by_keyboard(self) -> None:
        """Tab from the first stop to the last, and back for what could not be done at first."""
        left = self.everything(keyboard=True)
        for key in ("Tab", "Shift+Tab"):
            for _ in range(MOST_STEPS):
                self.page.keyboard.press(key)
                stop = self.ask("stop")
                if stop is None:
                    break
                assert stop["name"], f"a stop without a name: {stop}"
                assert stop["ring"], f"nobody sees that it has the focus: {stop}"
                here = [stop["thing"]]
                if stop["thing"][0] == "drag":
                    here.append(["remove", stop["thing"][1]])
                for thing in [one for one in left if [*one] in here]:
                    if self.does(self.by_keyboard, thing):
                        left.remove(thing)
                    assert self.ask("focused"), f"{thing} loses the focus"
        left = [thing for thing in left if thing not in BY_CHANCE]
        assert not left, f"this can never be done: {left}"

    def by_keyboard(self, what: str, name: str, *more) -> bool:
        press = self.page.keyboard.press
        if what in ("try", "play", "pad"):
            if what == "play":
                return self.plays(name, lambda: press("Enter"))
            press("Enter")
        elif what == "control":
            keys = self.ask("keys")
            for key in keys:
                press(key)
            return bool(keys)
        elif what == "drag":
            for key in (
                ("ArrowDown", "ArrowLeft")
                if self.ask("stop")["right"]
                else ("ArrowUp", "ArrowRight")
            ):
                press(key)
        elif what == "remove":
            press("Delete")
        elif what == "pick":
            if not self.ask("pick", name):
                return False
            press("Home" if self.ask("stop")["at"] else "End")
            press("Enter")
        elif what == "click":
            for key in ("ArrowUp", "ArrowUp", "ArrowLeft", "Enter"):
                press(key)
        return True

    # To read -------------------------------------------------------------------------------------

    def theme(self, dark: bool) -> None:
        self.page.evaluate("dark => document.body.dataset.theme = dark ? 'dark' : ''", dark)
        self.page.wait_for_timeout(30)  # the canvas hears of it a little later

    def pixels(self) -> np.ndarray:
        """The figure as it is on the screen, two pixels for each of CSS: light, from 0 to 1."""
        clip = self.ask("whole") | {"scale": 2}
        options = {"clip": clip, "captureBeyondViewport": True, "optimizeForSpeed": True}
        shot = self.page.finger.send("Page.captureScreenshot", options)
        image = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
        return np.asarray(image)

    def pale(self) -> list[str]:
        """What cannot be told from what is behind it."""
        shown = self.pixels()
        return self.texts_that_are_pale(shown) + self.marks_that_are_pale(shown)

    def texts_that_are_pale(self, shown: np.ndarray) -> list:
        """Texts whose letters are not 4.5 times as light, or dark, as what is behind them."""
        self.ask("blank", True)
        behind = self.pixels()
        self.ask("blank", False)
        found = []
        for text in self.ask("texts"):
            (x, y, right, down), said = text["box"], text["text"]
            part = np.s_[int(2 * y) : int(2 * down) + 1, int(2 * x) : int(2 * right) + 1]
            ink, ground = shown[part].reshape(-1, 3), behind[part].reshape(-1, 3)
            change = np.abs(ink.astype(int) - ground).sum(1)
            core = change >= max(30, 0.8 * change.max(initial=0))
            ratio = np.median(contrast(ink[core], ground[core])) if core.any() else 1
            if ratio < 4.5:
                found.append(f"text {said!r}: {ratio:.2f}")
        return found

    def marks_that_are_pale(self, shown: np.ndarray) -> list:
        """Marks whose edge, or else whose colour, is not three times as light as the page, or dark.

        Only where it can be seen: others may lie over it.
        """
        paper, found = shown[2, 2], set()
        for mark in self.ask("marks"):
            for element in mark["colors"]:
                ratios = []
                for color, places in element:
                    x, y = np.asarray(places, int).T
                    there = (x >= 0) & (y >= 0) & (x < shown.shape[1]) & (y < shown.shape[0])
                    seen = shown[y[there], x[there]].astype(int)
                    own = seen[np.abs(seen - color).sum(1) < 40]
                    if len(own):
                        ratios.append(float(np.median(contrast(own, paper))))
                if ratios and max(ratios) < 3:
                    found.add(f"{mark['kind']} {mark['key']}: {max(ratios):.1f}")
        return sorted(found)

    def barriers(self, **options) -> list[str]:
        """What axe calls serious or critical."""
        found = self.page.evaluate("options => axe.run('.one', options)", options)["violations"]
        return [f"{one['impact']}: {one['id']}, {one['nodes'][0]['html'][:200]}"
                for one in found if one["impact"] in ("serious", "critical")]  # fmt: skip


def contrast(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """As WCAG reckons it."""

    def light(colors):
        part = np.asarray(colors) / 255
        part = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        return part @ [0.2126, 0.7152, 0.0722] + 0.05

    ratio = light(one) / light(other)
    return np.maximum(ratio, 1 / ratio)


def test_by_mouse(reader):
    reader.all_by(reader.by_mouse)
    assert not reader.pale()  # of much that was not there at first


def test_by_touch(reader):
    reader.all_by(reader.by_touch)


def test_by_keyboard(reader):
    reader.walk_by_keyboard()


def test_it_can_be_read(reader):
    found = []
    for dark in (False, True):
        reader.theme(dark)
        found += [f"{'dark' if dark else 'light'}: {one}" for one in reader.pale()]
    for size in ((1000, 700), (400, 700), (500, 350)):  # the last is 1000 × 700 at 200 %
        reader.page.set_viewport_size({"width": size[0], "height": size[1]})
        reader.drawn()
        found += [f"{size}: {one}" for one in reader.ask("misfits")]
    assert not found, "\n".join(found)


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core: `npm ci` installs it")
def test_it_has_no_barriers(reader):
    reader.page.add_script_tag(path=AXE)
    found = reader.barriers()
    reader.theme(dark=True)
    assert not found + reader.barriers(runOnly=["color-contrast"])
