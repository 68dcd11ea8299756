"""Pad: paper to draw on with mouse, pen or finger.

It is not an `ipycanvas.Canvas`, which catches every key it gets, Tab too: who reaches one with the
keyboard cannot leave it again. There the ink also comes from the kernel, so it trails behind the
pen. Here the browser inks while the pen moves, and the kernel hears of a stroke when it is done.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import anywidget
import numpy as np
import traitlets

from metalearn_lite.widgets.drawings import tinted
from metalearn_lite.widgets.picture import encode_png


class Pad(anywidget.AnyWidget):
    """A sheet of paper with a heading, and below it the buttons Undo, Clear and Example.

    The pad keeps nothing by itself. What was done to it goes to ``on_do``, and it shows what
    ``show`` is told; until the kernel answers, it shows the new stroke as well.

    Args:
        heading: what is drawn here, such as "Class A".
        letter, colours: a badge before the heading, its colour and that of its letter.
        size: side of the paper in CSS pixels.
        on_do: called with ``"stroke"`` and a list of points ``(x, y)``, each from 0 to 1 from the
            top left; with ``"undo"``, ``"clear"`` or ``"example"``, and no points.
    """

    _esm = """
    const LINE = 0.047;  // the width of the pen as a part of the paper: Omniglot's
    function render({ model, el }) {
      const size = model.get("size"), sharp = Math.max(1, window.devicePixelRatio || 1);
      const add = (tag, parent, name = "") => {
        const element = document.createElement(tag);
        element.className = name;
        parent.append(element);
        return element;
      };
      const pad = add("div", el, "metalearn-pad");
      const heading = add("div", pad, "metalearn-pad-heading");
      const badge = add("span", heading, "metalearn-pad-badge");
      badge.textContent = model.get("letter");
      [badge.style.background, badge.style.color] = model.get("colours");
      add("span", heading).textContent = model.get("heading");
      const paper = add("canvas", pad);
      paper.width = paper.height = size * sharp;
      paper.style.width = paper.style.height = `${size}px`;
      paper.setAttribute("role", "img");
      const pen = paper.getContext("2d");
      const image = new Image();

      let strokes = [], drawing = null, waiting = null;
      const paint = () => {
        pen.clearRect(0, 0, paper.width, paper.height);
        const all = drawing ? [...strokes, drawing] : strokes;
        if (all.length === 0 && image.src && image.complete) {
          pen.drawImage(image, 0, 0, paper.width, paper.height);
        }
        pen.lineCap = pen.lineJoin = "round";
        pen.lineWidth = LINE * paper.width;
        for (const [first, ...others] of all) {
          pen.beginPath();
          pen.moveTo(first[0] * paper.width, first[1] * paper.height);
          for (const [x, y] of others) pen.lineTo(x * paper.width, y * paper.height);
          if (others.length === 0) {
            pen.lineTo(first[0] * paper.width + 0.1, first[1] * paper.height);
          }
          pen.stroke();
        }
      };
      image.onload = paint;

      // What the kernel shows may be older than what was just drawn: then wait for its next word.
      const adopt = () => {
        if (waiting !== null && model.get("last_done") !== waiting) return;
        waiting = null;
        strokes = model.get("strokes");
        const example = model.get("example");
        if (example) image.src = example; else image.removeAttribute("src");
        paper.setAttribute("aria-label", model.get("description"));
        paint();
      };
      const tell = (what, points = []) => {
        waiting = Math.random();
        model.send({ what, points, id: waiting });
      };
      const changes = ["last_done", "strokes", "example", "description"];
      for (const name of changes) model.on(`change:${name}`, adopt);

      const place = (event) => {
        const box = paper.getBoundingClientRect();
        const part = (value) => Math.round(1e4 * Math.min(1, Math.max(0, value))) / 1e4;
        return [
          part((event.clientX - box.left) / box.width), part((event.clientY - box.top) / box.height)
        ];
      };
      let pointer = null;  // one at a time: a palm on the paper does not write
      paper.addEventListener("pointerdown", (event) => {
        if (event.button !== 0 || pointer !== null) return;
        event.preventDefault();
        pointer = event.pointerId;
        paper.setPointerCapture(pointer);
        drawing = [place(event)];
        paint();
      });
      paper.addEventListener("pointermove", (event) => {
        if (event.pointerId !== pointer) return;
        const events = event.getCoalescedEvents?.() ?? [];
        for (const one of events.length ? events : [event]) drawing.push(place(one));
        paint();
      });
      const lift = (event) => {
        if (event.pointerId !== pointer) return;
        pointer = null;
        strokes = [...strokes, drawing];
        tell("stroke", drawing);
        drawing = null;
      };
      paper.addEventListener("pointerup", lift);
      paper.addEventListener("pointercancel", lift);

      const buttons = add("div", pad, "metalearn-pad-buttons");
      for (const what of ["Undo", "Clear", "Example"]) {
        const button = add("button", buttons, "jupyter-button widget-button");
        button.type = "button";
        button.textContent = what;
        button.setAttribute("aria-label", `${what}: ${model.get("heading")}`);
        button.addEventListener("click", () => tell(what.toLowerCase()));
      }
      adopt();
      return () => { for (const name of changes) model.off(`change:${name}`, adopt); };
    }
    export default { render };
    """
    _css = """
    .metalearn-pad { display: inline-flex; flex-direction: column; gap: 4px; }
    .metalearn-pad-heading {
      display: flex; align-items: center; gap: 6px;
      color: var(--jp-ui-font-color1, #222); font-size: 14px; line-height: 22px;
    }
    .metalearn-pad-badge {
      min-width: 20px; border-radius: 4px; text-align: center; font-weight: bold; line-height: 20px;
    }
    .metalearn-pad canvas {
      background: #fff; border: 1px solid #777; border-radius: 4px;
      cursor: crosshair; touch-action: none;
    }
    .metalearn-pad-buttons { display: flex; gap: 4px; }
    .metalearn-pad-buttons .jupyter-button {
      flex: 1 1 auto; width: auto; min-width: 0; margin: 0; padding: 0 2px; font-size: 12px;
    }
    """

    heading = traitlets.Unicode().tag(sync=True)
    letter = traitlets.Unicode().tag(sync=True)
    colours = traitlets.List(traitlets.Unicode()).tag(sync=True)
    size = traitlets.Int().tag(sync=True)
    strokes = traitlets.List().tag(sync=True)
    example = traitlets.Unicode(help="the address of an image to show, or none").tag(sync=True)
    description = traitlets.Unicode(help="what is drawn, for those who cannot see").tag(sync=True)
    last_done = traitlets.Float(help="the number of the message dealt with last").tag(sync=True)

    def __init__(
        self,
        heading: str,
        letter: str,
        colours: tuple[str, str],
        size: int,
        on_do: Callable[[str, list], None],
    ):
        self._on_do = on_do
        super().__init__(heading=heading, letter=letter, colours=list(colours), size=size)
        self.show([])
        self.on_msg(self._handle)

    def show(self, strokes: list, example: np.ndarray | None = None) -> None:
        """Shows ``strokes``; where there are none, the image ``example`` in 0 … 1, ink 1."""
        drawn = f"{len(strokes)} stroke{'s' if len(strokes) > 1 else ''}"
        what = drawn if strokes else "empty" if example is None else "an example"
        with self.hold_sync():
            self.strokes, self.description = strokes, f"{self.heading}: {what}"
            self.example = "" if example is None else _as_address(example)

    def _handle(self, _, message: dict, buffers) -> None:
        # Everything the message brings about goes out together with the word that it is done.
        with self.hold_sync():
            try:
                self._on_do(message["what"], message["points"])
            finally:
                self.last_done = message["id"]

    def __repr__(self) -> str:
        return f"Pad({self.description!r})"


def _as_address(image: np.ndarray) -> str:
    return "data:image/png;base64," + b64encode(encode_png(tinted(image))).decode()
