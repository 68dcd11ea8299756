"""The smallest widget: does moving a slider reach Python and come back?"""

from __future__ import annotations

from types import SimpleNamespace

from metalearn_lite.widgets.kit import Live, Scene, Slider


class LiveCheck(Live):
    """A slider, and the square of its value, computed by the kernel."""

    # No frame is sent beforehand (`by`): what follows the slider here comes from the kernel.

    def __init__(self):
        super().__init__(SimpleNamespace(number=3))

    def scene(self) -> Scene:
        number = self.model.number
        return Scene(
            (),
            (Slider("number", "move me", number, high=10),),
            sentence=f"{number} squared is {number**2}",
        )

    def __repr__(self) -> str:
        return "Run this cell in JupyterLab: a slider appears here when widgets work."
