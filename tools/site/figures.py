"""The recorded figures of the site: which there are, at which values, and their place on a page.

`write` records each of them once, at build time, from the models that the notebooks use. Adding one
is an entry of ``FIGURES`` and a function of `tools.site.widgets`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import nbformat

from metalearn_lite.devices import one_thread
from metalearn_lite.files import write_whole
from metalearn_lite.widgets.kit import Live
from metalearn_lite.widgets.kit.live import module, styles
from tools.site import widgets

THETAS = tuple(
    ("drag", "theta", 0, *place)
    for place in [(1.5, 1.2), *itertools.product((-2.25, -0.75, 0.75, 2.25), repeat=2)]
)
GOALS = tuple(
    ("drag", f"{who} goal", 0, *place)
    for place in [(0.3, 0.35), *itertools.product((-0.4, 0.0, 0.4), repeat=2)]
    for who in ("MAML", "joint training")
)
"""where θ and the goal can be dragged to"""
PICKS = (
    *(("pick", "queries", query) for query in range(10)),
    *(("pick", "snapshots", snapshot) for snapshot in range(6)),
)
WITHOUT = "It moves where JavaScript may run."


@dataclass(frozen=True)
class Figure:
    """A widget of a notebook, without a kernel."""

    stem: str
    """the notebook's"""
    title: str
    says: str
    """what one can see with it, in a sentence"""
    make: Callable[[], Live]
    controls: dict[str, Sequence] = field(default_factory=dict)
    """as `Live.record` takes them"""
    gestures: tuple[str, ...] = ()
    instead: dict[str, str] = field(default_factory=dict)
    """words that are true in the notebook alone, and what the page says"""
    tall: int = 510
    """in CSS pixels where there is room: so much is kept until it is drawn"""
    more: str = ""
    """what only the notebook's can do"""

    @property
    def kind(self) -> str:
        """The class that a notebook's cell names."""
        return self.make.__annotations__["return"]


FIGURES = {
    "training_explorer": Figure(
        "01_supervised_learning",
        "Training explorer",
        "A network learns a wave from a few points: watch training and test loss part.",
        widgets.training_explorer,
        {"num_points": (3, 10, 100), "learning_rate": (0.003, 0.03, 1.0),
         "step": (*range(11), 12, 15, 20, 25, 30, 40, 50, 60)},
        more="The notebook's also has noise, other points and other waves.",
    ),
    "episode_builder": Figure(
        "02_tasks_and_episodes",
        "Episode builder",
        "What an episode holds, and which part of it each step of learning may see.",
        widgets.episode_builder,
        {"num_ways": (2, 5, 12), "watcher": ...},
        ("draw_again", "draw_again", "Twelve ways, one alphabet"),
        more="The notebook's also has shots, queries, and characters of other splits.",
        tall=440,
    ),
    "landscape": Figure(
        "03_maml_mathematics",
        "Landscape explorer",
        "Two weights, two tasks: where MAML, first-order MAML and Reptile want to go.",
        widgets.landscape,
        {"inner_lr": (0.02, 0.5, 0.8), "inner_steps": (0, 1, 2)},
        (*THETAS, "A curved surface", *THETAS, "Not a single inner step"),
        more="Here θ goes to the nearest of a few places; in the notebook, where you like.",
        tall=620,
    ),
    "adaptation": Figure(
        "04_maml_on_sinusoids",
        "Adaptation explorer",
        "Five points of a wave, ten steps: which start is at home in a new task?",
        widgets.adaptation,
        {"inner_lr": (0.001, 0.01, 0.1, 1.0), "step": ...},
        ("new_points", "One half only", "No point at all", "A hundred times the rate"),
        instead={"Click on the chart to give the learners a point. Until then n": "N"},
        more="In the notebook you drag the points, add others, and shape the wave.",
    ),
    "race": Figure(
        "05_first_order_and_friends",
        "The race",
        "Eight methods train for the same seconds: who leads when?",
        widgets.race,
        {"stop": ..., "across": ...},
    ),
    "episode_viewer": Figure(
        "06_few_shot_characters",
        "Episode viewer",
        "Five characters, one drawing of each: what does each learner take a new drawing for?",
        widgets.episode_viewer,
        {"learner": ...},
        ("next", "next", "20 ways", "Five shots", "Other eyes"),
    ),
    "embedding": Figure(
        "07_learning_a_metric",
        "Embedding explorer",
        "Drawings find their places while a prototypical network trains.",
        widgets.embedding,
        {"snapshot": ..., "query": ...},
        (*PICKS, "new_episode", *PICKS),
    ),
    "in_context": Figure(
        "09_learning_in_context",
        "In-context explorer",
        "Networks that read points and take no step, beside MAML, which takes ten.",
        widgets.in_context,
        {"read": ...},
        ("shuffle", "Another order", "draw_wave", "draw_wave", "A straight line"),
        more="In the notebook you drag the points, or add others.",
    ),
    "trajectories": Figure(
        "10_meta_rl_by_gradient",
        "Trajectory explorer",
        "Two walkers look for a goal that they cannot see: one, two, three updates.",
        widgets.trajectories,
        {"update": ...},
        (*GOALS, "other_luck", "A goal in the corner", "A goal at the start"),
        instead={"Drag the goal, or click in a square.": "Drag the goal."},
        more="Here the goal goes to the nearest of ten places; in the notebook, where you like.",
        tall=440,
    ),
    "bandit_duel": Figure(
        "11_meta_rl_by_memory",
        "Bandit duel",
        "Five arms, ten pulls: RL², Thompson sampling and UCB1 on the same bandit.",
        widgets.bandit_duel,
        {"peek": ...},
        ("finish", "new", "finish", "new", "finish", "Watch UCB1", "Watch UCB1"),
        instead={"a click pulls an arm": "", " Pull arm 1 to 5.": ""},
        more="In the notebook you pull the arms yourself.",
        tall=580,
    ),
    "chooser": Figure(
        "12_choosing_how_to_learn",
        "Chooser",
        "An agent meets one task after the other and picks who shall learn it.",
        widgets.chooser,
        {"exploration": (0.0, 0.8, 2.0), "task": (1, 2, 3, 5, *range(10, 151, 10))},
        ("Blind", "Sure of itself"),
        more="A stream of its own; in the notebook you also choose what the agent sees.",
    ),
    "stream_player": Figure(
        "13_a_stream_of_tasks",
        "Stream player",
        "Tasks come one by one, and the world jumps: who notices?",
        widgets.stream_player,
        {"buffer_of": ("meta-leader, detector", "meta-leader"), "round": (*range(1, 80, 2), 80)},
        ("The first jump",),
        instead={"Point at a round: where": "Where"},
        more="The notebook's has every round of twenty streams, and each learner's buffer.",
    ),
    "poison": Figure(
        "14_robust_private_unlabelled",
        "Poison slider",
        "Some labels lie: which learner still names the queries rightly?",
        widgets.poison,
        {"kind": ..., "place": ..., "share": ...},
        ("new_task",),
        tall=430,
    ),
    "bug_lab": Figure(
        "15_bug_clinic",
        "Bug lab",
        "Bugs to switch on: what does each do to the curve, the gradient and the score?",
        widgets.bug_lab,
        {"graph": ..., "labels": ..., "seen": ...},
        ("A bug that the curve forgives", "A score too good", "all_off"),
        more="The notebook's has nine bugs, and a mystery to be solved.",
        tall=430,
    ),
    "live_check": Figure(
        "00_start_here",
        "Live check",
        "The smallest figure: a slider, and the square of its number.",
        widgets.live_check,
        {"number": ...},
        more="In the notebook it tests whether Python answers; here its answers were recorded.",
        tall=100,
    ),
}  # fmt: skip

PLAYED = {
    "game": (
        "00_start_here",
        "The game",
        "Five cards, one question: you against three learners.",
    ),
    "draw": (
        "08_maml_on_omniglot",
        "Draw your own",
        "A class on each pad, then one of them once more: what do two networks take it for?",
    ),
}
"""stem, title and sentence of those that run in the page: `tools.site.drawing`"""


def write(folder: Path) -> None:
    """Records all figures into ``folder``, and beside them what draws them."""
    write_kit(folder)
    for name in FIGURES:
        write_whole(folder / f"{name}.json", record(name).encode())


def write_kit(folder: Path) -> None:
    write_whole(folder / "kit.js", module(recorded=True).encode())
    write_whole(folder / "kit.css", styles().encode())


def record(name: str) -> str:
    """All that figure ``name`` can show, as JSON: the same in every build."""
    figure = FIGURES[name]
    with one_thread():  # several may add in another order each time
        text = figure.make().record(*figure.gestures, **figure.controls).data
    for old, new in figure.instead.items():
        if old not in text:
            raise ValueError(f"{name} does not say {old!r}")
        text = text.replace(old, new)
    content = json.loads(text)
    whose = credit() if '"Images"' in text else ""
    parts = content["parts"]  # of which the notes are texts
    content["parts"] = [f"{one} {whose}".strip() if isinstance(one, str) else one for one in parts]
    for state in content["states"]:
        for frame in (state, *state["recorded"]["at"].values()):
            frame["state"]["code"] = ""  # there is no place for it on a page
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def credit() -> str:
    """Whose the drawings are."""
    if widgets.split()[2].source.startswith("Omniglot"):
        return "The drawings are Omniglot's, © 2015 Brenden Lake, MIT licence."
    return "The drawings are made up by the course."


def markup(stem: str, source: str) -> str | None:
    """The HTML in place of the widget that a cell of notebook ``stem`` shows; None without one."""
    for name, figure in FIGURES.items():
        if figure.stem == stem and f"{figure.kind}(" in source:
            return place(name)
    return None


def place(name: str) -> str:
    """Where figure ``name`` is to be drawn; without JavaScript it says what there would be."""
    figure = FIGURES[name]
    more = f"<figcaption>{escape(figure.more)}</figcaption>" if figure.more else ""
    return (
        f'<figure class="ml-figure" data-figure="{name}" style="--tall: {figure.tall}px">'
        f'<div class="ml-place"><p>{escape(figure.says)}</p>'
        f"<noscript><p>{WITHOUT}</p></noscript></div>{more}</figure>"
    )


def gallery(notebooks: Path, played: Mapping[str, str]) -> str:
    """The body of the gallery in Markdown: a card for each widget, the smallest one last.

    Args:
        played: the places of those that are not recorded but run in the page.
    """
    recorded = {name: (one.stem, one.title, one.says, place(name)) for name, one in FIGURES.items()}
    last = recorded.pop("live_check")
    cards = [*recorded.values(), *((*PLAYED[name], html) for name, html in played.items())]
    in_order = [*sorted(cards, key=lambda card: card[0]), last]
    return "\n\n".join(
        f"## {title}\n\n{says} [{heading(notebooks / f'{stem}.ipynb')}]({stem}.ipynb)\n\n{html}\n"
        for stem, title, says, html in in_order
    )


def heading(path: Path) -> str:
    """The first heading of a notebook."""
    first = nbformat.read(path, as_version=4).cells[0].source
    return first.splitlines()[0].removeprefix("# ")
