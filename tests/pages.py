"""A page without a screen: a widget's scene as it was sent, and gestures as the page sends them."""

import itertools
import json

from metalearn_lite.widgets.kit import Live


class Page:
    """What a reader of `widget` sees and does."""

    def __init__(self, widget: Live):
        self.widget = widget
        self._ids = itertools.count(widget.ack + 1)

    def do(self, kind: str, **fields) -> None:
        """A gesture: ``set``, ``press``, ``try``, ``drag``, ``remove``, ``click``, ``pick``, …"""
        number = next(self._ids)
        self.widget._handle_custom_msg({"kind": kind, "id": number} | fields, [])
        assert self.widget.ack == number

    def set(self, **values) -> None:
        for name, value in values.items():
            self.do("set", name=name, value=value)

    def press(self, name: str) -> None:
        assert name not in self.widget.state["off"]
        self.do("press", name=name)

    @property
    def frame(self) -> dict:
        """What differs from `moving` and the rest, where the frame was sent beforehand."""
        recorded, values = self.widget.recorded, self.widget.state["values"]
        at = json.dumps([values[name] for name in recorded.get("by", [])], separators=(",", ":"))
        return recorded.get("at", {}).get(at, {})

    @property
    def sentence(self) -> str:
        return self.widget.state["sentence"]

    @property
    def marks(self) -> dict[str, dict]:
        """What stays of each mark, table and pad, by key."""
        panels = self.frame.get("look", self.widget.look)["panels"]
        return {part["key"]: part for panel in panels for part in panel.get("marks", [panel])}

    def columns(self, key: str) -> dict:
        """What the page knows of a mark now: its columns, or nothing."""
        if key in self.frame.get("gone", []):
            return {}
        parts = (self.frame.get(of, {}).get(key, getattr(self.widget, of).get(key, {}))
                 for of in ("fixed", "moving"))  # fmt: skip
        return {column: values for part in parts for column, values in part.items()}
