"""Widgets side by side, on wide screens and on narrow ones."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from metalearn_lite.widgets.picture import Picture


def row(*children: widgets.Widget) -> widgets.Box:
    """Side by side while there is room, else below one another."""
    layout = widgets.Layout(display="flex", flex_flow="row wrap", align_items="center")
    return widgets.Box(children, layout=layout)


def shrinking(picture: Picture, least: int, *below: widgets.Widget) -> widgets.Box:
    """``picture`` for a `row`: as wide as it is or, where there is less room, down to ``least`` px.

    What belongs to it, such as its buttons, stays ``below`` it.
    """
    most = f"{picture.css_width:.0f}px"
    layout = widgets.Layout(flex=f"1 1 {least}px", max_width=most, min_width="0")
    return widgets.VBox([picture, *below], layout=layout)


def still_figure(width: float, height: float) -> Figure:
    """A figure of ``width`` × ``height`` inches that stays in the notebook, as a filmstrip does.

    Only a figure made by pyplot is shown as an image. It is closed, so that it is shown where it
    is the result of a cell and not once more by itself.
    """
    figure = plt.figure(figsize=(width, height), dpi=100, layout="constrained")
    plt.close(figure)
    return figure


def button(label: str, *actions: Callable[[], None]) -> widgets.Button:
    """A button as wide as its label. A press calls ``actions`` in turn."""
    pressed = widgets.Button(description=label, layout={"width": "auto"})
    pressed.on_click(lambda _: [action() for action in actions])
    return pressed
