"""A recorded figure as text; tests/browser/test_live_js.py opens one."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from metalearn_lite.widgets.kit import Axis, Choice, Heat, Live, Panel, Scene, Slider, Switch


class Shades(Live):
    def __init__(self, size: int = 4):
        self.size = size
        super().__init__(SimpleNamespace(step=2, start="<a>", on=False))

    def scene(self) -> Scene:
        model = self.model
        values = np.full((self.size, self.size), model.step / 10)
        return Scene(
            panels=(Panel("panel", Axis(0, 1), Axis(0, 1), marks=(Heat("heat", values=values),)),),
            controls=(
                Slider("step", "step", value=model.step, high=3),
                Choice("start", "start", value=model.start, options=("<a>", "</script>")),
                Switch("on", "on", value=model.on),
            ),
            sentence=f"Step {model.step} from {model.start}.",
        )


def names(html: str) -> list[str]:
    return re.findall(r'"(\[[^"]*(?:\\"[^"]*)*\])":\{"state"', html)


def test_every_combination_is_there_and_the_widget_is_as_before():
    widget = Shades()
    html = widget.record(step=..., start=..., on=(False,))._repr_html_()
    assert len(names(html)) == 8
    assert (widget.model.step, widget.model.start) == (2, "<a>")
    assert names(widget.record(on=...)._repr_html_()) == ["[false]", "[true]"]


def test_nothing_is_asked_of_the_network_and_no_text_ends_the_script():
    html = Shades().record(start=...)._repr_html_()
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", html)
    assert html.count("</script>") == 1
    assert html.startswith("<div") and "Step 2 from &lt;a&gt;." in html.split("</div>")[0]  # noqa: PT018


def test_written_whole(tmp_path):
    Shades().record(step=(1, 2)).write(tmp_path / "shades.html", "Shades")
    page = (tmp_path / "shades.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<title>Shades</title>" in page


def test_one_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match="record fewer values"):
        Shades(size=300).record(step=...)
