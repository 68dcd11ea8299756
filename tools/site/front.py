"""What the front page shows: a learner at work, and what the course found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
PEOPLE = 4.5  # per cent of the official challenge: Lake, Salakhutdinov & Tenenbaum (2015)
OTHERS = (
    ("people", PEOPLE, ""),
    ("BPL, minimal set 1", 4.3, ""),
    ("ConvNet, minimal set 1", 24.0, ""),
)
OURS = {
    "omniglot-elastic": "ours, minimal set 1",
    "omniglot-elastic-small2": "ours, minimal set 2",
    "glyphs-elastic": "ours, no real character",
}
MOST = 24.0
FILM = (
    "The adaptation explorer: ten gradient steps on five points of a wave. MAML finds the wave, "
    "joint training and a random start do not"
)


def explorer(figure: Callable[[str, str], str | None]) -> str:
    """The adaptation explorer of notebook 04, moving; a film of it where it is not recorded."""
    path = ROOT / "notebooks" / "04_maml_on_sinusoids.ipynb"
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and (found := figure(path.stem, cell.source)):
            return found
    return "\n".join(
        f'<img class="only-{theme}" src="_static/adaptation_explorer_{theme}.webp" alt="{FILM}">'
        for theme in ("light", "dark")
    )


def challenge() -> str:
    """Errors on the official one-shot challenge as bars: ours from the cards, others published."""
    rows = []
    for name, label in OURS.items():
        card = json.loads((ROOT / "data" / "checkpoints" / f"{name}.json").read_text("utf-8"))
        wrong, error = re.match(
            r"(\d+) of 400 wrong, ([\d.]+) %", card["official challenge"]
        ).groups()
        rows.append((label, float(error), f", {wrong} of 400"))
    bars = "\n".join(_bar(*row) for row in sorted([*rows, *OTHERS], key=lambda row: row[1]))
    return f'<table class="ml-challenge"><tbody>\n{bars}\n</tbody></table>'


def _bar(label: str, error: float, more: str) -> str:
    whose = "ml-ours" if label.startswith("ours") else "ml-others"
    bar = f'<span class="ml-bar" style="--share: {error / MOST:.3f}"></span>'
    return f'<tr class="{whose}"><th scope="row">{label}</th><td>{bar} {error} %{more}</td></tr>'
