"""Widgets side by side, on wide screens and on narrow ones."""

from __future__ import annotations

import ipywidgets as widgets

from metalearn_lite.widgets.picture import Picture


def row(*children: widgets.Widget) -> widgets.Box:
    """Side by side while there is room, else below one another."""
    layout = widgets.Layout(display="flex", flex_flow="row wrap", align_items="center")
    return widgets.Box(children, layout=layout)


def shrinking(picture: Picture, least: int) -> widgets.Box:
    """``picture``, in a row as wide as it is or, where there is less room, down to ``least`` px."""
    most = f"{picture.css_width:.0f}px"
    layout = widgets.Layout(flex=f"1 1 {least}px", max_width=most, min_width="0")
    return widgets.Box([picture], layout=layout)
