"""A blank page with a figure, and behind it a widget that answers when a test wants it to.

So a kernel can be quick, slow or gone.
"""

from __future__ import annotations

import base64
import json

from metalearn_lite.widgets.kit import Live
from metalearn_lite.widgets.kit.live import module, styles

TRAITS = ("look", "fixed", "moving", "state", "recorded", "ack")
ADDRESS = "http://blank.test/"
HTML = f"""<!doctype html><html lang="en"><head><title>blank</title><meta charset="utf-8"><style>
body {{ margin: 8px; background: var(--ml-paper); }} {styles()}
</style></head><body><div class="one"></div><div class="two"></div></body></html>"""
# A model as anywidget gives it to a view.
MODEL = """async ({ address, traits }) => {
    const { default: widget } = await import(address + "live.js");
    const bytes = packed => {
        const whole = Uint8Array.from(atob("AAAA" + packed), one => one.charCodeAt(0));
        return new DataView(whole.buffer, 3);
    };
    const revived = text =>
        JSON.parse(text, (_, value) => value?.packed ? bytes(value.packed) : value);
    const values = revived(traits), heard = {};
    const model = {
        get: name => values[name],
        on: (name, act) => (heard[name] ??= []).push(act),
        off: () => {},
        send: message => sent.push(message),
    };
    window.sent = [];
    window.tell = text => {
        const news = revived(text);
        Object.assign(values, news);
        for (const name of Object.keys(news)) heard["change:" + name]?.forEach(act => act());
    };
    const own = await widget();
    await own.initialize({ model });
    window.show = place => own.render({ model, el: document.querySelector(place) });
    window.gone = show(".one");
}"""


def packed(value) -> str:
    return json.dumps(value, default=lambda it: {"packed": base64.b64encode(it).decode()})


class Blank:
    """The widget in a page. The kernel does nothing until it is told to `answer`."""

    def __init__(self, page, widget: Live):
        self.page, self.widget = page, widget
        self.errors = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.route(f"{ADDRESS}**", self._serve)
        self.open()

    def _serve(self, route):
        if route.request.url.endswith("live.js"):
            route.fulfill(body=module(), content_type="text/javascript")
        else:
            route.fulfill(body=HTML, content_type="text/html")

    def open(self):
        """Opens the page, or opens it again: what the kernel has is all that is left."""
        self.heard, self._messages = 0, []
        self.page.goto(ADDRESS)
        traits = packed({name: getattr(self.widget, name) for name in TRAITS})
        self.page.evaluate(MODEL, {"address": ADDRESS, "traits": traits})
        self.drawn()

    def drawn(self):
        """Waits until the page has drawn all that it knows."""
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    @property
    def sent(self) -> list[dict]:
        """Messages without their ids."""
        return [{k: v for k, v in one.items() if k != "id"} for one in self.messages]

    @property
    def messages(self) -> list[dict]:
        self._messages += self.page.evaluate("n => sent.slice(n)", len(self._messages))
        return self._messages

    def answer(self, frames: bool = True) -> None:
        """The kernel deals with one message, and with ``frames`` it sends the stops as well."""
        self.page.evaluate("news => tell(news)", self.deal(self.messages[self.heard]))
        if frames:
            self.record()
        self.drawn()

    def deal(self, message: dict) -> str:
        """What the kernel answers, but for the stops."""
        parts = []
        self.widget.observe(lambda change: parts.append(change["name"]), TRAITS)
        self.widget._receive(None, message, [])
        self.widget.unobserve_all()
        self.heard += 1
        first = {name: getattr(self.widget, name) for name in parts if name != "recorded"}
        if "recorded" in parts:
            first["recorded"] = {}
        return packed(first)

    def record(self):
        self.page.evaluate("news => tell(news)", packed({"recorded": self.widget.recorded}))
        self.drawn()

    def answer_all(self):
        self.drawn()
        while self.heard < len(self.messages):
            self.answer()

    def says(self, view: str = ".one") -> str:
        self.drawn()
        return self.page.locator(f"{view} .ml-sentence").inner_text()

    def role(self, role: str, name: str):
        return self.page.locator(".one").get_by_role(role, name=name, exact=True)

    def press(self, *keys: str):
        for key in keys:
            self.page.keyboard.press(key)
        self.drawn()
