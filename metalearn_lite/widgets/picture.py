"""Picture: a persistent matplotlib figure in a notebook, with clicks, drags and keys.

Whatever stays (axes, ticks, grid, legend) is drawn once and kept. Only the artists named as
``moving`` are drawn again at each refresh, on top of it, and the pixels go to the browser as PNG.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import anywidget
import numpy as np
import traitlets
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from metalearn_lite.figures import COLORS, looks

# Blacker than COLORS["black"], so that letters can be read on every other colour.
BLACK, GREY = "#000000", COLORS["gray"]
BLUE, ORANGE, GREEN, VERMILION = (COLORS[name] for name in ("blue", "orange", "green", "red"))
PURPLE, SKY, YELLOW = (COLORS[name] for name in ("pink", "sky", "yellow"))

CSS_PIXELS_PER_INCH = 96
# Sharp on fine screens too; 2 looks hardly better there and takes nearly twice as long.
PIXELS_PER_CSS_PIXEL = 1.5
FONT_SIZE = 11


class Pointer(NamedTuple):
    """Where the pointer is, in the data coordinates of ``axes``."""

    kind: str
    """``"click"``, or ``"press"``, ``"drag"`` and ``"release"``."""
    axes: Axes
    """The axes it lies in; while dragging, those it was pressed in."""
    x: float
    y: float


class Picture(anywidget.AnyWidget):
    """A figure as an image in the notebook.

    Args:
        figure: from ``new_figure``; any matplotlib ``Figure`` that pyplot does not own.
        moving: the artists that ``refresh`` draws again. All others stay as they are until
            ``refresh(layout=True)``.
        alt: what the image shows, for those who cannot see it.
        on_click: called with a ``Pointer`` of kind ``"click"``.
        on_drag: called with a ``Pointer`` of kind ``"press"``, ``"drag"`` (as often as the
            kernel keeps up) and ``"release"``.
        on_key: called with the name of a key from ``keys`` while the image has the focus.
        keys: such as ``("ArrowLeft", "ArrowRight", "Enter")``. With keys the image can be
            reached with Tab; all other keys keep the meaning they have in JupyterLab.
    """

    _esm = """
    function render({ model, el }) {
      const image = document.createElement("img");
      image.className = "metalearn-picture";
      image.draggable = false;
      el.append(image);

      const show = () => {
        URL.revokeObjectURL(image.src);
        image.src = URL.createObjectURL(new Blob([model.get("png")], { type: "image/png" }));
      };
      const describe = () => { image.alt = model.get("alt"); };
      model.on("change:png", show);
      model.on("change:alt", describe);
      image.width = model.get("css_width");
      image.height = model.get("css_height");
      show();
      describe();

      // One drag at a time is on its way: a slow kernel sees fewer of them, never late ones.
      let held = false, busy = false, waiting = null;
      const tell = (kind, event) => {
        const box = image.getBoundingClientRect();
        const x = (event.clientX - box.left) / box.width;
        const y = (event.clientY - box.top) / box.height;
        model.send({ kind, x, y });
      };
      const drag = (event) => {
        if (busy) { waiting = event; return; }
        busy = true;
        waiting = null;
        tell("drag", event);
      };
      const next = () => { busy = false; if (waiting) drag(waiting); };
      model.on("change:num_drags", next);

      if (model.get("clickable")) {
        image.style.cursor = "crosshair";
        image.addEventListener("click", (event) => tell("click", event));
      }
      if (model.get("draggable")) {
        image.style.cursor = "grab";
        image.style.touchAction = "none";
        image.addEventListener("pointerdown", (event) => {
          if (event.button !== 0) return;
          image.setPointerCapture(event.pointerId);
          held = true;
          tell("press", event);
        });
        image.addEventListener("pointermove", (event) => { if (held) drag(event); });
        const release = (event) => {
          if (!held) return;
          held = false;
          waiting = null;
          tell("release", event);
        };
        image.addEventListener("pointerup", release);
        image.addEventListener("pointercancel", release);
      }
      const keys = model.get("watched_keys");
      if (keys.length > 0) {
        image.tabIndex = 0;
        image.dataset.lmSuppressShortcuts = "true";
        image.addEventListener("keydown", (event) => {
          if (!keys.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
          event.preventDefault();
          event.stopPropagation();
          model.send({ kind: "key", key: event.key });
        });
      }
      return () => {
        model.off("change:png", show);
        model.off("change:alt", describe);
        model.off("change:num_drags", next);
      };
    }
    export default { render };
    """
    _css = """
    .metalearn-picture { display: block; max-width: 100%; height: auto; user-select: none; }
    .metalearn-picture:focus-visible { outline: 3px solid #0072B2; outline-offset: -3px; }
    /* The arrow of ipywidgets' dropdown is black, on a dark page too. */
    [data-jp-theme-light="false"] .jupyter-widgets.widget-dropdown > select {
      --jp-widgets-dropdown-arrow: url("data:image/svg+xml,\
%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E\
%3Cpath fill='none' stroke='%23ddd' stroke-width='2' d='M4 6.5 9 11.5 14 6.5'/%3E%3C/svg%3E");
    }
    """

    png = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    css_width = traitlets.Float().tag(sync=True)
    css_height = traitlets.Float().tag(sync=True)
    clickable = traitlets.Bool(False).tag(sync=True)
    draggable = traitlets.Bool(False).tag(sync=True)
    watched_keys = traitlets.List(traitlets.Unicode()).tag(sync=True)
    num_drags = traitlets.Int(0, help="how many drags have been dealt with").tag(sync=True)

    def __init__(
        self,
        figure: Figure,
        moving: Iterable[Artist] = (),
        alt: str = "",
        on_click: Callable[[Pointer], None] | None = None,
        on_drag: Callable[[Pointer], None] | None = None,
        on_key: Callable[[str], None] | None = None,
        keys: Iterable[str] = (),
    ):
        self.figure = figure
        self._canvas = FigureCanvasAgg(figure)
        self._moving = sorted(moving, key=Artist.get_zorder)
        for artist in self._moving:
            artist.set_animated(True)
        self._background = None
        self._pressed_in: Axes | None = None
        self._on_click, self._on_drag, self._on_key = on_click, on_drag, on_key
        super().__init__(
            alt=alt,
            css_width=figure.get_figwidth() * CSS_PIXELS_PER_INCH,
            css_height=figure.get_figheight() * CSS_PIXELS_PER_INCH,
            clickable=on_click is not None,
            draggable=on_drag is not None,
            watched_keys=list(keys) if on_key is not None else [],
        )
        self.on_msg(self._handle)
        self.refresh()

    def refresh(self, alt: str | None = None, layout: bool = False) -> None:
        """Draws the moving artists as they are now; with ``layout``, everything else too.

        ``alt`` is the new text alternative, where the old one is not true any more.
        """
        if layout or self._background is None:
            self._canvas.draw()
            self._background = self._canvas.copy_from_bbox(self.figure.bbox)
        else:
            self._canvas.restore_region(self._background)
        for artist in self._moving:
            self.figure.draw_artist(artist)
        with self.hold_sync():
            self.alt = self.alt if alt is None else alt
            self.png = encode_png(np.asarray(self._canvas.buffer_rgba()))

    def _handle(self, _, message: dict, buffers) -> None:
        if message["kind"] == "key":
            self._on_key(message["key"])
            return
        try:
            self._handle_pointer(**message)
        finally:
            self.num_drags += message["kind"] == "drag"

    def _handle_pointer(self, kind: str, x: float, y: float) -> None:
        """``x`` and ``y`` are parts of the image's width and height, from its top left."""
        width, height = self._canvas.get_width_height()
        pixel = x * width, (1 - y) * height
        if kind in ("click", "press"):
            self._pressed_in = next((a for a in self.figure.axes if a.bbox.contains(*pixel)), None)
        axes = self._pressed_in
        if axes is None:
            return
        x, y = map(float, axes.transData.inverted().transform(pixel))
        (self._on_click if kind == "click" else self._on_drag)(Pointer(kind, axes, x, y))
        if kind in ("click", "release"):
            self._pressed_in = None

    def __repr__(self) -> str:
        return f"Picture({self.alt!r})"


class Sentence(anywidget.AnyWidget):
    """A line of text that a screen reader speaks when it changes."""

    _esm = """
    function render({ model, el }) {
      const line = document.createElement("p");
      line.className = "metalearn-sentence";
      line.setAttribute("role", "status");
      line.setAttribute("aria-live", "polite");
      el.append(line);
      const show = () => { line.textContent = model.get("text"); };
      model.on("change:text", show);
      show();
      return () => model.off("change:text", show);
    }
    export default { render };
    """
    _css = """
    .metalearn-sentence {
      margin: 0; min-height: 3em; line-height: 1.5;
      color: var(--jp-ui-font-color1, #222); font-size: var(--jp-content-font-size1, 14px);
    }
    """

    text = traitlets.Unicode().tag(sync=True)

    def __repr__(self) -> str:
        return f"Sentence({self.text!r})"


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of ``width`` × ``height`` inches, which pyplot neither shows nor keeps.

    A point of its text is a point on the screen.
    """
    dpi = CSS_PIXELS_PER_INCH * PIXELS_PER_CSS_PIXEL
    return Figure(figsize=(width, height), dpi=dpi, layout="constrained", facecolor="white")


def plain_axes(axes: Axes, xlabel: str = "", ylabel: str = "") -> Axes:
    """Gives ``axes`` the look of every widget: readable text, light grid, no box."""
    axes.set_xlabel(xlabel, fontsize=FONT_SIZE)
    axes.set_ylabel(ylabel, fontsize=FONT_SIZE)
    axes.tick_params(labelsize=FONT_SIZE)
    axes.grid(color="#dddddd", linewidth=0.8, alpha=1)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def solid_looks(names: Iterable[str]) -> dict[str, dict[str, object]]:
    """The learners' looks with solid lines, for charts where a dash tells something else."""
    return {
        name: style | {"linestyle": "-", "linewidth": 2} for name, style in looks(names).items()
    }


def drawable(values: np.ndarray, limits: tuple[float, float] = (-50, 50)) -> np.ndarray:
    """``values`` that can be drawn: what is beyond ``limits`` or no number lies on the edge."""
    low, high = limits
    return np.clip(np.nan_to_num(values, nan=high, posinf=high, neginf=low), low, high)


def encode_png(pixels: np.ndarray) -> bytes:
    """``pixels`` ``(height, width, 4)`` uint8 as a PNG file, for speed rather than for size.

    Pillow tries five filters on each row of pixels, which takes five times as long as the
    compression itself. Here no row is filtered.
    """
    height, width, channels = pixels.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0),
        b"IDAT": zlib.compress(rows, 1),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )
