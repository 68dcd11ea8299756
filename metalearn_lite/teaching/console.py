"""What is printed on a console that may not know our marks, such as one of Windows."""

from __future__ import annotations

import sys

PLAIN = {
    "✔": "[ok]",
    "✗": "[no]",
    "✘": "[no]",
    "○": "[ ]",
    "−": "-",
    "≤": "<=",
    "≥": ">=",
    "→": "->",
}


def printable(text: str) -> str:
    """``text``, or as much of it as standard output can show: marks in ASCII, "?" for the rest."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = text.translate(str.maketrans(PLAIN))
        return plain.encode(encoding, errors="replace").decode(encoding)
    return text
