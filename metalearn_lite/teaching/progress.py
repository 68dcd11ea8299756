"""The map of the course, with what its reader has done."""

from __future__ import annotations

import json
from importlib import import_module, resources

from metalearn_lite.figures import COLORS
from metalearn_lite.teaching import done, exercises

PARTS = {
    "I · from learning to\nlearning to learn": ("00", "01", "02"),
    "II · MAML": ("03", "04", "05"),
    "III · few-shot characters": ("06", "07", "08", "09"),
    "IV · meta-reinforcement\nlearning": ("10", "11", "12"),
    "V · out of the textbook": ("13", "14", "15", "16", "17"),
}
TITLES = {
    "00": "start here",
    "01": "supervised learning",
    "02": "tasks and episodes",
    "03": "MAML's mathematics",
    "04": "MAML on sinusoids",
    "05": "first order, friends",
    "06": "few-shot characters",
    "07": "learning a metric",
    "08": "MAML on Omniglot",
    "09": "learning in context",
    "10": "meta-RL by gradient",
    "11": "meta-RL by memory",
    "12": "choosing how to learn",
    "13": "a stream of tasks",
    "14": "an unkind world",
    "15": "bug clinic",
    "16": "libraries and scale",
    "17": "what came next",
}
WIDTH = 0.86  # of a notebook's box, with columns one apart


def there_is(notebook: str) -> list[str]:
    """The names of a notebook's exercises and questions; none while it is not written."""
    if notebook not in exercises.MODULES:
        return []
    module = import_module(f"{exercises.__name__}.{exercises.MODULES[notebook]}")
    questions = resources.files(__package__).joinpath("questions", f"{notebook}.json")
    numbered = json.loads(questions.read_text(encoding="utf-8"))
    return [*(f"{notebook}.{name}" for name in module.EXERCISES), *numbered]


def progress(reset: bool = False) -> None:
    """Draws the map of the course with what you have done, and says it in a sentence.

    Args:
        reset: forget it first.

    Raises:
        OSError: it cannot be forgotten, since the folder it is kept in is read-only.
    """
    if reset:
        done.forget()
    finished = done.names()
    shares = {}
    for notebook in (number for numbers in PARTS.values() for number in numbers):
        names = there_is(notebook)
        shares[notebook] = (sum(name in finished for name in names), len(names))
    _draw(shares)
    print(_in_words(shares))


def _in_words(shares: dict[str, tuple[int, int]]) -> str:
    did, of = (sum(counts) for counts in zip(*shares.values(), strict=True))
    begun = [f"{n} ({d} of {k})" for n, (d, k) in shares.items() if 0 < d < k]
    whole = [n for n, (d, k) in shares.items() if 0 < d == k]
    said = f"You have done {did} of {of} exercises and questions."
    said += f" Finished: {', '.join(whole)}." if whole else ""
    return said + (f" Begun: {', '.join(begun)}." if begun else "")


def _draw(shares: dict[str, tuple[int, int]]) -> None:
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    _, ax = plt.subplots(figsize=(11, 4.2))
    for column, (part, numbers) in enumerate(PARTS.items()):
        ax.text(column, 0.45, part, ha="center", va="bottom", fontsize=10)
        for row, number in enumerate(numbers):
            did, of = shares[number]
            corner = (column - WIDTH / 2, -row - 0.35)
            if did:
                filled = Rectangle(corner, WIDTH * did / of, 0.7, color=COLORS["sky"], lw=0)
                ax.add_patch(filled)
            edge = {"edgecolor": COLORS["gray"], "linestyle": "-" if of else ":"}
            ax.add_patch(Rectangle(corner, WIDTH, 0.7, facecolor="none", **edge))
            count = f"{did} of {of}" if of else "being written"
            for height, text in ((0.13, f"{number} {TITLES[number]}"), (-0.17, count)):
                ax.text(column, -row + height, text, ha="center", va="center", fontsize=8)
    ax.set(xlim=(-0.55, len(PARTS) - 0.45), ylim=(-4.5, 1.2))
    ax.axis("off")
    plt.show()
