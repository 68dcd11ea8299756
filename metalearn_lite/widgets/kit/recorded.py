"""Recorded: a widget that needs no kernel, for exported HTML and the site."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from metalearn_lite.files import write_whole

LIMIT = 300_000
"""bytes of HTML: a page holds several of them"""
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
        packed = json.dumps(content, default=_packed, separators=(",", ":"), ensure_ascii=False)
        sentence = content["state"]["sentence"]
        place = f"ml-{secrets.token_hex(4)}"
        self.html = (
            f'<div id="{place}">{escape(sentence)} {WITHOUT}</div>\n<style>{styles}</style>\n'
            f'<script type="module">\n{module}\n'
            # In a script "<" could end it.
            f"recorded({packed.replace('<', chr(92) + 'u003c')}, "
            f'document.getElementById("{place}"));\n</script>'
        )
        size = len(self.html.encode())
        if size > LIMIT:
            raise ValueError(
                f"the recorded figure has {size // 1000} kB, and {LIMIT // 1000} are the most: "
                "record fewer values"
            )
        self._sentence = sentence

    def write(self, path: str | Path, title: str = "A figure") -> None:
        """Writes a page of its own that any browser can open."""
        write_whole(Path(path), PAGE.format(title=title, body=self.html).encode())

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Recorded({self._sentence!r})"


def _packed(array: bytes) -> str:
    return base64.b64encode(array).decode()
