"""How every figure of the course looks: colours that colour-blind readers can tell apart.

``LEARNERS`` says how each learner is drawn, wherever it is drawn: one learner, one name, one
colour, one marker, one dash. `look` and `looks` turn that into matplotlib's words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

COLORS = {
    # The palette of Okabe & Ito (2008).
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "pink": "#CC79A7",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "black": "#222222",
    "gray": "#777777",
    # Orange and sky for areas; these twins for what is thin, as lines and letters are. With violet
    # and brown they can be seen on a white page and on a dark one.
    "dark orange": "#B37400",
    "dark sky": "#0E90D4",
    "violet": "#8A49CB",
    "brown": "#8A5A2B",
}
DARK_COLORS = {
    # The same on a dark page: as far from black as the others are from white.
    "blue": "#4FA8E0",
    "orange": "#E69F00",
    "green": "#2BBD90",
    "red": "#F07F3C",
    "pink": "#E39AC6",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "black": "#E8E8E8",
    "gray": "#9C9C9C",
    "dark orange": "#DB9A26",
    "dark sky": "#5CBBF0",
    "violet": "#B68AF0",
    "brown": "#C0946A",
}
PAGE = {
    "ink": ("#222222", "#E6E6E6"),
    "paper": ("#FFFFFF", "#111111"),
    "faint": ("#DDDDDD", "#3A3A3A"),
}
"""text, page and grid, on a light page and on a dark one"""
LINE_COLORS = ("blue", "dark orange", "green", "red", "pink", "dark sky", "violet", "brown", "gray")
"""what a line, a marker or a letter may have: readable on a white page and on a dark one"""


class Look(NamedTuple):
    """How a learner is drawn. No two learners that meet in a figure share all three."""

    color: str
    """one of ``LINE_COLORS``"""
    marker: str
    dash: str | tuple[int, tuple[int, ...]]


DOTS, LONG = (0, (1, 1)), (0, (5, 1))

LEARNERS = {
    # gradient steps: notebooks 02 to 05, 08 and 10
    "MAML": Look("blue", "o", "-"),
    "first-order MAML": Look("dark orange", "s", "--"),
    "Reptile": Look("green", "^", "-."),
    "ANIL": Look("pink", "D", "-"),
    "Meta-SGD": Look("dark sky", "X", "--"),
    "MAML++": Look("violet", "P", "-"),
    "a rate for every weight": Look("dark orange", "*", LONG),
    "ℓ2-regularised": Look("gray", "p", "--"),
    "implicit MAML": Look("brown", "v", "-."),
    "joint training": Look("dark orange", "d", "--"),
    "random start": Look("gray", "<", ":"),
    "transfer": Look("red", "o", "--"),
    "LVC": Look("pink", "s", "--"),
    "oracle": Look("green", "*", "-."),
    # comparing images: 00, 02, 06 to 08
    "pixels": Look("gray", "x", ":"),
    "modified Hausdorff": Look("brown", "+", ":"),
    "SimpleShot": Look("dark sky", "P", "--"),
    "Siamese": Look("dark orange", "^", "-."),
    "matching": Look("violet", "p", "--"),
    "prototypical": Look("green", ">", "-"),
    "prototypical, cosine": Look("dark sky", "D", "-."),
    "relation": Look("pink", "v", ":"),
    "elastic": Look("red", "D", "-"),
    # where labels are wrong, or there are none: 14
    "medoid": Look("brown", "d", "--"),
    "trimmed": Look("dark sky", "s", ":"),
    "reweighted": Look("red", "p", "-"),
    "reweighted MAML": Look("violet", "D", "--"),
    "UMTRA": Look("pink", "h", "-."),
    "CACTUs": Look("dark orange", "<", ":"),
    # reading examples, and what needs no training: 09 and 12
    "neural process": Look("dark orange", "D", "--"),
    "recurrent": Look("pink", "p", ":"),
    "transformer": Look("green", "P", "-."),
    "least squares": Look("gray", "+", "-"),
    "straight line": Look("brown", "s", ":"),
    "nearest neighbour": Look("gray", "D", "--"),
    # players: 11
    "random": Look("gray", ".", ":"),
    "greedy": Look("red", "s", "-."),
    "ε-greedy": Look("pink", "^", DOTS),
    "Thompson": Look("dark orange", "v", "--"),
    "UCB1": Look("green", "p", LONG),
    "Gittins": Look("brown", "D", "-"),
    "RL²": Look("blue", "h", "-"),
    "ruling out": Look("dark orange", "p", "--"),
    "deducing": Look("brown", "*", ":"),
    # who chooses a learner, and who takes the steps: 12
    "LinUCB": Look("red", "^", "-"),
    "linear Thompson": Look("violet", "v", "--"),
    "greedy LinUCB": Look("dark orange", "h", "-."),
    "SGD": Look("gray", "d", "--"),
    "Adam": Look("dark orange", "X", "-."),
    "learned optimiser": Look("violet", "*", "-"),
    # on a stream of tasks, and for people: 13
    "meta-leader": Look("blue", "^", "-"),
    "meta-leader, detector": Look("violet", "s", "--"),
    "fine-tuned for ever": Look("red", "v", "-."),
    "best in hindsight": Look("green", "s", ":"),
    "population mean": Look("gray", "s", ":"),
    "ridge per person": Look("brown", "P", "--"),
    "matrix factorisation": Look("pink", "*", "-."),
    # tables, lists of tasks, solved heads, learned rules: 17
    "prior-fitted": Look("violet", "h", "-"),
    "logistic regression": Look("dark sky", "v", "-."),
    "random forest": Look("green", "D", "-"),
    "nearest neighbours": Look("gray", "o", "--"),
    "gradient boosting": Look("dark orange", "P", ":"),
    "commonest class": Look("brown", "<", ":"),
    "best guess": Look("blue", "s", "--"),
    "ridge": Look("brown", "x", "-"),
    "ridge head": Look("red", "h", "-"),
    "pre-trained, ridge": Look("dark orange", ">", "--"),
    "pre-trained, nearest mean": Look("dark sky", "^", "-."),
    "learned rule": Look("violet", "^", "-"),
    "REINFORCE": Look("gray", "X", "--"),
}
SPARE_MARKERS = "os^DvPXp"


def look(name: str) -> dict[str, object]:
    """The ``color``, ``marker`` and ``linestyle`` of a learner's line, for matplotlib.

    Raises:
        ValueError: no learner of that name is in ``LEARNERS``.
    """
    if name not in LEARNERS:
        raise ValueError(f"no look for {name!r}: add it to LEARNERS, or take one of {[*LEARNERS]}")
    return _styled(LEARNERS[name])


def _styled(one: Look) -> dict[str, object]:
    return {"color": COLORS[one.color], "marker": one.marker, "linestyle": one.dash}


def looks(names: Iterable[str]) -> dict[str, dict[str, object]]:
    """The `look` of each of some learners that share a figure, by name: see `chosen`."""
    return {name: _styled(one) for name, one in chosen(names).items()}


def chosen(names: Iterable[str]) -> dict[str, Look]:
    """The ``Look`` of each of some learners that share a figure, by name.

    A name that is not in ``LEARNERS``, such as a reader's own, gets a colour and a marker that none
    of the others has. When the colours are used up they begin again.
    """
    names = list(dict.fromkeys(names))
    given = {name: LEARNERS[name] for name in names if name in LEARNERS}
    taken = {part for one in given.values() for part in (one.color, one.marker)}
    free = [color for color in LINE_COLORS if color not in taken] or LINE_COLORS
    markers = [marker for marker in SPARE_MARKERS if marker not in taken] or SPARE_MARKERS
    others = [name for name in names if name not in given]
    for place, name in enumerate(others):
        given[name] = Look(free[place % len(free)], markers[place % len(markers)], "-")
    return {name: given[name] for name in names}


def theme_css() -> str:
    """The colours as CSS variables, ``--ml-dark-orange`` and the like, for light and dark pages."""
    light = COLORS | {name: pair[0] for name, pair in PAGE.items()}
    dark = DARK_COLORS | {name: pair[1] for name, pair in PAGE.items()}
    where = (
        "[data-jp-theme-light='false']",
        "[data-theme='dark']",
        ".vscode-dark",
        "[theme='dark']",
    )
    return "".join(
        f"{', '.join(places)} {{ "
        + " ".join(f"--ml-{name.replace(' ', '-')}: {color};" for name, color in colors.items())
        + " }\n"
        for places, colors in (((":root",), light), (where, dark))
    )


def use_course_style() -> None:
    """Sets matplotlib's defaults for this session: palette, sizes, light grid, no box."""
    import matplotlib as mpl

    palette = [COLORS[name] for name in LINE_COLORS]
    mpl.rcParams.update(
        {
            "axes.prop_cycle": mpl.cycler(color=palette),
            "axes.grid": True,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "font.size": 11,
            "grid.alpha": 0.3,
            "legend.frameon": False,
            "lines.linewidth": 2,
        }
    )
