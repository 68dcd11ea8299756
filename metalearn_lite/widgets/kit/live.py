"""Live: a scene in the page, drawn by `live.js`, and what the reader does with it.

A widget says what there is to see (`scene`) and what a gesture does to its model (`set`, `drag`,
`click`, `pick`, …). Everything else is here: what of the scene has to travel, and when.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from metalearn_lite.figures import theme_css
from metalearn_lite.widgets.kit import scene as scenes
from metalearn_lite.widgets.kit.recorded import Recorded
from metalearn_lite.widgets.kit.scene import Choice, Scene, Slider, Switch

HERE = Path(__file__).parent
GESTURES = ("set", "press", "try", "drag", "remove", "click", "pick", "draw")


def module(recorded: bool = False) -> str:
    """draw.js and live.js as one module, which needs no other file; with recorded.js, if asked."""
    names = ("draw.js", "live.js", "recorded.js")
    draw, live, page = ((HERE / name).read_text(encoding="utf-8") for name in names)
    inside = re.sub(r"^export (?=(class|function|const) )", "", draw, flags=re.M)
    whole = f"{live}\n{page}" if recorded else live
    whole = re.sub(r'^import .+ from "\./(draw|live)\.js";\n', "", whole, flags=re.M)
    return f"const {{ PanelView }} = (() => {{\n{inside}\nreturn {{ PanelView }};\n}})();\n{whole}"


def styles() -> str:
    css = [(HERE / name).read_text(encoding="utf-8") for name in ("draw.css", "live.css")]
    return "\n".join([theme_css(), *css])


class Live(anywidget.AnyWidget):
    """The base of every widget: give it a ``scene``.

    Args:
        model: plain Python; a control's value is set as its attribute of that name.
    """

    _esm = module()
    _css = styles()

    by: str = ""
    """the slider whose every stop is sent beforehand, so that walking over it needs no kernel"""

    look = traitlets.Dict(help="what stays").tag(sync=True)
    fixed = traitlets.Dict(help="columns that seldom change").tag(sync=True)
    moving = traitlets.Dict(help="the other columns, by the key of their mark").tag(sync=True)
    state = traitlets.Dict(help="values of controls, sentence, note, code").tag(sync=True)
    recorded = traitlets.Dict(help="frames sent beforehand: see `frames`").tag(sync=True)
    progress = traitlets.Float(0, help="how much of a long answer is done").tag(sync=True)
    ack = traitlets.Int(0, help="the newest message dealt with").tag(sync=True)

    def __init__(self, model: Any):
        self.model = model
        self._complaint = ""
        super().__init__()
        self.on_msg(self._receive)
        self.show()

    # What a widget gives -------------------------------------------------------------------

    def scene(self) -> Scene:
        """All that is to be seen now."""
        raise NotImplementedError

    def set(self, name: str, value: Any) -> None:
        """A control has a new value."""
        setattr(self.model, name, value)

    def press(self, name: str) -> None:
        """A button of this name was pressed: a method of the widget, or else of its model."""
        getattr(self if hasattr(self, name) else self.model, name)()

    def drag(self, key: str, index: int, x: float, y: float) -> None:
        """The point ``index`` of a mark was dragged here."""

    def remove(self, key: str, index: int) -> None:
        """The point ``index`` of a mark is to go."""

    def click(self, panel: str, x: float, y: float) -> None:
        """A click on empty ground, in the panel's own numbers."""

    def pick(self, key: str, index: int) -> None:
        """The element ``index`` of a mark was chosen."""

    def draw(self, pad: str, what: str, points: Sequence[tuple[float, float]]) -> None:
        """On a pad: ``"stroke"`` with its points, or ``"undo"``, ``"clear"``, ``"example"``."""

    # What it can do ------------------------------------------------------------------------

    def show(self, ack: int | None = None, settled: bool = True) -> None:
        """Sends what has changed since the last time.

        Once a gesture has ``settled``, all stops of the slider `by` are sent as well.
        """
        scene = self.scene()
        with self.hold_sync():
            self.look = scenes.look(scene)
            self.moving, self.fixed = scenes.data(scene)
            self.state = self._state(scene)
            self.ack = self.ack if ack is None else ack
            self.recorded = {}  # it belongs to what was
        if settled and self.by:
            slider = next(one for one in scene.controls if one.name == self.by)
            self.recorded = self.frames({self.by: stops(slider)}) | {"stamp": self.ack}

    def working(self, done: float) -> None:
        """For a long answer to say, while it is made, how much is done: 0 … 1."""
        self.progress = done if done < 1 else 0

    def frames(self, controls: Mapping[str, Sequence]) -> dict[str, Any]:
        """The scenes at all combinations of these controls' values: ``by`` names the controls.

        ``at`` has a frame for each list of values (as JSON): what differs there from `moving`,
        `fixed`, `state` and `look`.
        """
        combinations = list(itertools.product(*controls.values()))
        scenes_there = self._at(list(controls), combinations)
        at = {
            json.dumps(list(values), separators=(",", ":")): self._frame(scene)
            for values, scene in zip(combinations, scenes_there, strict=True)
        }
        return {"by": list(controls), "at": at}

    def _frame(self, scene: Scene) -> dict[str, Any]:
        moving, fixed = scenes.data(scene)
        now = {"moving": moving, "fixed": fixed, "look": scenes.look(scene)}
        frame = {"state": self._state(scene)}
        if frame["state"]["values"] != self.state["values"]:
            frame["state"]["sentence"] = scene.sentence  # a complaint is of now
        for name in ("moving", "fixed"):
            whole = getattr(self, name)
            if new := {key: v for key, v in now[name].items() if whole.get(key) != v}:
                frame[name] = new
            if gone := [key for key in whole if key not in now[name]]:
                frame.setdefault("gone", []).extend(gone)
        if now["look"] != self.look:
            frame["look"] = now["look"]
        return frame

    def scenes_at(self, name: str, values: Sequence) -> list[Scene]:
        """The scene at each of these values of one control; afterwards it is as before."""
        return list(self._at([name], [(value,) for value in values]))

    def record(self, *gestures: str | tuple, **controls: Sequence) -> Recorded:
        """This figure without a kernel: some controls, at these values, in all combinations.

        ``widget.record(step=..., rate=(0.01, 0.1))``: three dots are all values that there are.

        Args:
            gestures: names of buttons, labels of suggestions, ``("drag", key, index, x, y)`` and
                ``("pick", key, index)``; done one after the other, each with the same values of
                controls after it. The page can do them in any order. The same one again leads on
                from where it led to before. A point that is dragged goes to the nearest place of
                those.
        """
        known = {one.name: one for one in self.scene().controls}
        values = {
            name: every(known[name]) if given is ... else list(given)
            for name, given in controls.items()
        }
        states = [self._recorded_state(values)]
        ways, here = [], 0
        for gesture in gestures:
            old, start = self._values(values), here
            way = self._do(gesture)
            new = self._values(values)
            self.show(settled=False)
            state = self._recorded_state(values)
            alike = [place for place, one in enumerate(states) if _same(one, state)]
            here = alike[0] if alike else len(states)
            states += [] if alike else [state]
            if here == start:
                sets = self._sets(gesture, values)
            else:
                told = self.scene().tries[way["try"]].values if "try" in way else {}
                sets = {name: v for name, v in new.items() if name in told or v != old[name]}
            if sets or here != start:
                ways.append({"from": start} | way | {"values": sets, "to": here})
        return Recorded(module(recorded=True), styles(), {"states": states, "ways": ways})

    def _recorded_state(self, values: Mapping[str, Sequence]) -> dict[str, Any]:
        parts = {name: getattr(self, name) for name in ("look", "fixed", "moving", "state")}
        return parts | {"recorded": self.frames(values)}

    def _values(self, names: Iterable[str]) -> dict[str, Any]:
        return {one.name: one.value for one in self.scene().controls if one.name in names}

    def _do(self, gesture: str | tuple) -> dict[str, Any]:
        """Does it, and says what it was."""
        if isinstance(gesture, tuple):
            kind, key, index, *place = gesture
            getattr(self, kind)(key, index, *place)
            return {kind: key, "index": index} | dict(zip("xy", place, strict=False))
        labels = [one.label for one in self.scene().tries]
        if gesture in labels:
            self._try(labels.index(gesture))
            return {"try": labels.index(gesture)}
        self.press(gesture)
        return {"press": gesture}

    def _sets(self, gesture: str | tuple, values: Mapping[str, Sequence]) -> dict[str, Any]:
        """The controls that a gesture sets, which does nothing else: it sets them again."""
        done, sets = self._values(values), {}
        for name, value in done.items():
            self.set(name, next((one for one in values[name] if one != value), value))
            other = self._values(values)[name]
            self._do(gesture)
            if self._values(values)[name] == value != other:
                sets[name] = value
            for each in done.items():
                self.set(*each)
        return sets

    def _at(self, names: Sequence[str], combinations: Iterable[Sequence]) -> Iterator[Scene]:
        before = {one.name: one.value for one in self.scene().controls if one.name in names}
        try:
            for values in combinations:
                for name, value in zip(names, values, strict=True):
                    self.set(name, value)
                yield self.scene()
        finally:
            for name, value in before.items():
                self.set(name, value)

    def _receive(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
        """A message of the page: what happened, ``id``, and whether it has ``settled``."""
        message = dict(message)
        kind, number = message.pop("kind"), message.pop("id")
        settled = message.pop("settled", True)
        if kind not in GESTURES:
            raise ValueError(f"no gesture is called {kind!r}: there are {GESTURES}")
        scrubbed = kind == "set" and message["name"] == self.by and bool(self.recorded)
        self._complaint = ""
        try:
            getattr(self, "_try" if kind == "try" else kind)(**message)
        except ValueError as error:
            self._complaint = f"{str(error).rstrip('.')}."
        except Exception:
            # The page waits for an answer, whatever happened, and no frame is sure to be right.
            with self.hold_sync():
                self.recorded, self.ack = {}, number
            raise
        if scrubbed and not self._complaint:
            # The page has drawn it. All the kernel owes it is the values, for a second view.
            with self.hold_sync():
                self.state, self.ack = self._state(self.scene()), number
        else:
            self.show(number, settled)

    def _try(self, index: int) -> None:
        suggestion = self.scene().tries[index]
        for name, value in suggestion.values.items():
            self.set(name, value)
        if suggestion.press:
            self.press(suggestion.press)

    def _state(self, scene: Scene) -> dict[str, Any]:
        return {
            "values": {one.name: one.value for one in scene.controls if hasattr(one, "value")},
            "off": [one.name for one in scene.controls if not getattr(one, "enabled", True)],
            "sentence": f"{self._complaint} {scene.sentence}".strip(),
            "note": scene.note,
            "code": scene.code,
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.state.get('sentence', '')!r})"


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two recorded states show the same wherever one goes from them."""

    def whole(state: Mapping[str, Any], frame: Mapping[str, Any]) -> dict[str, Any]:
        gone = frame.get("gone", ())
        shown = {
            name: {k: v for k, v in state[name].items() if k not in gone} | frame.get(name, {})
            for name in ("moving", "fixed")
        }
        return shown | {"look": frame.get("look", state["look"]), "state": frame["state"]}

    pairs = [(one, other, key) for key in one["recorded"]["at"]]
    return all(
        whole(a, a["recorded"]["at"][key]) == whole(b, b["recorded"]["at"][key])
        for a, b, key in pairs
    )


def every(control: Slider | Choice | Switch) -> list:
    """All values that a control has."""
    if isinstance(control, Slider):
        return stops(control)
    return [False, True] if isinstance(control, Switch) else list(control.options)


def stops(slider: Slider) -> list:
    """All values that a slider has."""
    if slider.stops:
        return list(slider.stops)
    number = round((slider.high - slider.low) / slider.step)
    places = [slider.low + slider.step * place for place in range(number + 1)]
    return [10.0**place for place in places] if slider.log else places
