"""Play: a button that walks a number up to its maximum, one step after the other."""

from __future__ import annotations

import anywidget
import traitlets


class Play(anywidget.AnyWidget):
    """Link its ``value`` to a slider's. Pressed at the end, it begins again from 0.

    ``ipywidgets.Play`` has two buttons without a name for screen readers, and at the end it has
    to be stopped before it plays again.
    """

    _esm = """
    function render({ model, el }) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "jupyter-button widget-button metalearn-play";
      el.append(button);

      let timer = null;
      const label = () => { button.textContent = timer ? "❚❚ Pause" : "▶ Play"; };
      const go = (value) => { model.set("value", value); model.save_changes(); };
      const stop = () => { clearInterval(timer); timer = null; label(); };
      const tick = () => {
        go(Math.min(model.get("value") + 1, model.get("max")));
        if (model.get("value") >= model.get("max")) stop();
      };
      button.addEventListener("click", () => {
        if (timer) { stop(); return; }
        if (model.get("value") >= model.get("max")) go(0);
        timer = setInterval(tick, model.get("milliseconds"));
        label();
      });
      label();
      return stop;
    }
    export default { render };
    """
    _css = ".metalearn-play { width: 90px; }"

    value = traitlets.Int(0).tag(sync=True)
    max = traitlets.Int(10).tag(sync=True)
    milliseconds = traitlets.Int(600, help="between two steps").tag(sync=True)

    def __repr__(self) -> str:
        return f"Play({self.value} of {self.max})"
