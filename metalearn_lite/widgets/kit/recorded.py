"""Recorded: a widget that needs no kernel, for exported HTML and the site."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from metalearn_lite.files import write_whole

LIMIT = 400_000
"""bytes of what one figure shows: a page holds several of them"""
MANY = 12
"""so many numbers are packed, each into two bytes: three digits and more"""
LARGEST = float(np.finfo("<f2").max)
WITHOUT = "(The figure itself moves where scripts may run: trust this notebook, or run its cell.)"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ max-width: 1100px; margin: 8px auto; padding: 0 8px; background: var(--ml-paper); }}
</style>
<script>
const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const follow = () => {{ root.dataset.theme = dark.matches ? "dark" : "light"; }};
dark.addEventListener("change", follow);
follow();
</script>
</head>
<body>
{body}
</body>
</html>
"""


class Recorded:
    """What `Live.record` returns. As the result of a cell it shows itself; it asks no network.

    Raises:
        ValueError: it would be larger than ``LIMIT``.
    """

    def __init__(self, module: str, styles: str, content: Mapping[str, Any]):
        self.sentence: str = content["states"][0]["state"]["sentence"]
        self.data = json.dumps(packed(content), separators=(",", ":"), ensure_ascii=False)
        """all that it can show, as JSON: what ``recorded`` of recorded.js takes"""
        size = len(self.data.encode())
        if size > LIMIT:
            raise ValueError(
                f"the recorded figure has {size // 1000} kB, and {LIMIT // 1000} are the most: "
                "record fewer values"
            )
        self._kit = (
            f'<style>{styles}</style>\n<script type="module">\n{module}\n'
            "globalThis.metalearnLite ??= { recorded };\n"
            'dispatchEvent(new Event("metalearn-lite"));\n</script>\n'
        )

    @property
    def html(self) -> str:
        # The same figure has the same name in every build.
        place = f"ml-{hashlib.sha256(self.data.encode()).hexdigest()[:8]}"
        return (
            f'<div id="{place}">{escape(self.sentence)} {WITHOUT}</div>\n{self._kit}'
            # In a script "<" could end it.
            f'<script type="module">\nconst data = {self.data.replace("<", chr(92) + "u003c")};\n'
            "const draw = () =>\n"
            f'  metalearnLite.recorded(data, document.getElementById("{place}"));\n'
            "if (globalThis.metalearnLite) draw();\n"
            'else addEventListener("metalearn-lite", draw, { once: true });\n</script>'
        )

    def beside_another(self) -> Recorded:
        """The same without what draws it: another one on the page, wherever it is, brings that."""
        other = copy.copy(self)
        other._kit = ""
        return other

    def write(self, path: str | Path, title: str = "A figure") -> None:
        """Writes a page of its own that any browser can open."""
        write_whole(Path(path), PAGE.format(title=title, body=self.html).encode())

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Recorded({self.sentence!r})"


def packed(content: Mapping[str, Any]) -> dict[str, Any]:
    """``content`` as JSON. What occurs in several frames is said once.

    A column that occurs twice is its place in ``columns``; each part of a look, and each note, its
    place in ``parts``.
    """
    content = copy.deepcopy(dict(content))
    frames = [frame for state in content["states"]
              for frame in (state, *state["recorded"]["at"].values())]  # fmt: skip
    marks = [mark for frame in frames for name in ("moving", "fixed")
             for mark in frame.get(name, {}).values()]  # fmt: skip
    for mark in marks:
        for name, column in mark.items():
            mark[name] = _packed(column)
    said = Counter(_said(column) for mark in marks for column in mark.values())
    columns = _places(text for text, number in said.items() if number > 1)
    for mark in marks:
        for name, column in mark.items():
            mark[name] = columns.get(_said(column), column)
    looks = [frame["look"] for frame in frames if "look" in frame]
    said = [frame["state"] for frame in frames]
    parts = _places(
        _said(part)
        for part in [
            *(part for look in looks for some in look.values() for part in some),
            *(state["note"] for state in said),
        ]
    )
    for state in said:
        state["note"] = parts[_said(state["note"])]
    for look in looks:
        for name, some in look.items():
            look[name] = [parts[_said(part)] for part in some]
    both = {"columns": columns, "parts": parts}
    return content | {name: [json.loads(text) for text in all] for name, all in both.items()}


def _said(part: Any) -> str:
    return json.dumps(part, ensure_ascii=False)


def _places(texts: Iterable[str]) -> dict[str, int]:
    return {text: place for place, text in enumerate(dict.fromkeys(texts))}


def _packed(column: Any) -> Any:
    """As draw.js's columns, but that bytes are in base 64 and many numbers are ``halves``."""
    if isinstance(column, dict):
        if "bytes" in column:
            return column | {"bytes": _text(column["bytes"])}
        return {"shape": column["shape"], "halves": _halves(np.frombuffer(column["floats"], "<f4"))}
    if len(column) < MANY or not all(one is None or isinstance(one, float) for one in column):
        return column
    return {"halves": _halves(np.array([np.nan if one is None else one for one in column]))}


def _halves(values: np.ndarray) -> str:
    return _text(np.clip(values, -LARGEST, LARGEST).astype("<f2").tobytes())


def _text(array: bytes) -> str:
    return base64.b64encode(array).decode()
