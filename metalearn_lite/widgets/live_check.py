"""The smallest widget: does moving a slider reach Python and come back?"""

from __future__ import annotations

import ipywidgets


class LiveCheck(ipywidgets.HBox):
    """A slider, and the square of its value, computed by the kernel."""

    def __init__(self):
        self.slider = ipywidgets.IntSlider(value=3, max=10, description="move me")
        self.answer = ipywidgets.Label()
        self.slider.observe(self._show, names="value")
        super().__init__([self.slider, self.answer])
        self._show()

    def _show(self, _=None) -> None:
        value = self.slider.value
        self.answer.value = f"{value} squared is {value**2}"

    def __repr__(self) -> str:
        return "Run this cell in JupyterLab: a slider appears here when widgets work."
