"""The whole course on one plane: what adapting to a task costs each learner, and what is left.

Errors are read from the cards. ``python -m metalearn_lite.recipes.plane`` measures the seconds and
records them in ``data/plane.json``. It takes a minute of one core, and what it measures depends on
the machine: compare within one record only.
"""

from __future__ import annotations

import datetime
import json
import math
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from metalearn_lite import checkpoints, paths
from metalearn_lite.files import write_whole
from metalearn_lite.recipes import learned_optimiser, memory, rules
from metalearn_lite.rl.bandit_players import play
from metalearn_lite.rl.rules import Reinforce
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.linear import LinearRegression
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.tasks.tables import RandomTables

NUM_REPEATS = 15
IDEAS = ("initialisation", "metric", "memory", "prior", "rule", "by hand")


class Kind(NamedTuple):
    """A kind of tasks, and the two scores between which all others are put."""

    guess: float
    """of who does not look at the task"""
    best: float
    """of who knows it"""


GOAL = (math.sqrt(2) + math.asinh(1)) / 6
"""how far a goal in [-½, ½]² is from the middle, on average"""
KINDS = {
    "waves": Kind(3.012, 0),  # the error of the mean wave: joint training, no step
    "lines": Kind(5, 0),  # of answering 0: five weights of variance 1
    "characters": Kind(20, 100),  # per cent
    "tables": Kind(39.9, 100),  # of wine: the commonest of three classes
    "bandits": Kind(5, 10 * 5 / 6),  # ten pulls of any arm, and of the best of five
    "navigation": Kind(-100 * GOAL, -0.56),  # standing still, and the oracle's card
    "short walks": Kind(-rules.HORIZON * GOAL, -0.56),
}


class Entry(NamedTuple):
    """A learner on the plane: where its error stands, and what kind of learner it is."""

    label: str
    idea: str
    kind: str
    card: str
    row: str


class Point(NamedTuple):
    entry: Entry
    seconds: float
    """to adapt to one task, and to answer in it"""
    left: float
    """the share of a guess's error that is left: 0 is the best there is, 1 a guess"""


def _waves() -> list[Entry]:
    steps = {"MAML": "maml", "first-order MAML": "fomaml", "Reptile": "reptile", "ANIL": "anil",
             "Meta-SGD": "meta-sgd", "MAML++": "maml-plus-plus", "ℓ2-regularised": "l2",
             "joint training": "joint"}  # fmt: skip
    read = {"neural process": "neural-process", "recurrent": "recurrent",
            "transformer": "transformer"}  # fmt: skip
    made = [
        Entry(label, "by hand" if label == "joint training" else "initialisation", "waves",
              f"sinusoid-{name}", "error after 5 steps")
        for label, name in steps.items()
    ]  # fmt: skip
    for kind, card in (("waves", "sinusoid"), ("lines", "linear")):
        row = f"error after {5 if kind == 'waves' else 10} examples"
        made += [
            Entry(label, "memory", kind, f"{card}-{name}", row) for label, name in read.items()
        ]
    card = "sinusoid-learned-optimiser"
    for label, idea, row in (
        ("learned optimiser", "rule", "learned"),
        ("SGD", "by hand", "SGD, rate 0.05"),
        ("Adam", "by hand", "Adam, rate 0.05"),
    ):
        made.append(Entry(label, idea, "waves", card, f"{row}, 40 steps"))
    return made


def _characters() -> list[Entry]:
    row = "5-way 1-shot accuracy"
    together = "accuracy, queries together"
    return [
        Entry(label, idea, "characters", f"omniglot-{name}", row)
        for label, idea, name, row in (
            ("MAML", "initialisation", "conv-maml", together),
            ("first-order MAML", "initialisation", "conv-fomaml", together),
            ("ANIL", "initialisation", "conv-anil", together),
            ("prototypical", "metric", "prototypical", row),
            ("prototypical, cosine", "metric", "prototypical-cosine", row),
            ("matching", "metric", "matching", row),
            ("Siamese", "metric", "siamese", row),
            ("relation", "metric", "relation", row),
            ("ridge head", "metric", "conv-ridge", together),
        )
    ]


def _acting() -> list[Entry]:
    players = [Entry(label, "by hand", "bandits", "bandits-rl2-10", f"{label}, 10 pulls")
               for label in ("Thompson", "UCB1", "Gittins")]  # fmt: skip
    return [
        *players,
        Entry("RL²", "memory", "bandits", "bandits-rl2-10", "RL², 10 pulls"),
        Entry("REINFORCE", "by hand", "bandits", "rule-bandits",
              "REINFORCE (rate 8, fading 0), 10 pulls"),
        Entry("learned rule", "rule", "bandits", "rule-bandits", "learned, 10 pulls"),
        Entry("MAML", "initialisation", "navigation", "navigation-maml", "return after 2 updates"),
        Entry("joint training", "by hand", "navigation", "navigation-joint",
              "return after 2 updates"),
        Entry("learned rule", "rule", "short walks", "rule-walks", "learned, after 5 updates"),
        Entry("REINFORCE", "by hand", "short walks", "rule-walks", "REINFORCE, after 5 updates"),
    ]  # fmt: skip


ENTRIES = [
    *_waves(),
    *_characters(),
    Entry("prior-fitted", "prior", "tables", "tables-both", "wine, 64 rows"),
    *_acting(),
]


def has_card(entry: Entry) -> bool:
    return paths.find(f"checkpoints/{entry.card}.json").is_file()


def name_of(entry: Entry) -> str:
    return f"{entry.kind}: {entry.label}"


def left_of(entry: Entry) -> float:
    """What is left of a guess's error, from the card.

    Raises:
        ValueError: the card has no such row, or no number in it.
    """
    text = checkpoints.read_card(entry.card)["result"].get(entry.row, "")
    number = re.match(r"-?[\d.]+(e[+-]?\d+)?", text)
    if not number:
        raise ValueError(f"the card of {entry.card!r} says {text!r} in {entry.row!r}")
    guess, best = KINDS[entry.kind]
    value = float(number[0])
    if entry.row == "5-way 1-shot accuracy" and value <= 1:
        value *= 100
    return (value - best) / (guess - best)


@torch.no_grad()
def work_of(entry: Entry) -> Callable[[], Any]:
    """What is timed: one new task, adapted to and answered in, from scratch."""
    learner, generator = checkpoints.load(entry.card), torch.Generator().manual_seed(0)
    if entry.kind == "bandits":
        game = rules.bandits(10)
        players: dict[str, Any] = memory.players(10)
        players |= {"RL²": learner, "learned rule": learner}
        players["REINFORCE"] = Reinforce(*rules.CHOSEN["bandits", 10])
        one = game.sample_tasks(1, generator)
        return lambda: play(players[entry.label], game, one, 1, generator)
    if entry.kind == "short walks":
        world = rules.walks()
        rule = learner if entry.idea == "rule" else Reinforce(*rules.CHOSEN["walks", 5])
        one = world.environment.sample_tasks(1, generator)
        return lambda: rule.practise(*world[:3], one, *world[3:], generator=generator)
    if entry.kind == "navigation":
        one = Navigation().sample_tasks(1, generator)
        return lambda: learner.adapt_by_playing(Navigation(), one, 40, 2, generator)
    if entry.card == "sinusoid-learned-optimiser":
        problems = learned_optimiser.draw_problems(1, generator)
        if entry.idea == "rule":
            return lambda: learner.adapt(problems.episodes.support, problems.start, 40)
        optimiser = getattr(torch.optim, entry.label)
        return lambda: [*learned_optimiser.by_hand(optimiser, 0.05, problems, 40)]
    support, query = _episode(entry.kind, generator)
    options = {"inner_steps": 5} if entry.row == "error after 5 steps" else {}
    return lambda: learner.predict(learner.adapt(support, **options), query.x)


def _episode(kind: str, generator: torch.Generator):
    if kind == "characters":
        return Glyphs(1, 8, 8, seed=0).sample(1, 5, 1, 1, generator)
    if kind == "tables":
        return RandomTables().sample(1, 3, 64, 13, 1, generator)
    tasks, shots = (Sinusoids(), 5) if kind == "waves" else (LinearRegression(5), 10)
    return tasks.sample(1, shots, 5, generator)


def seconds_of(work: Callable[[], Any], num_repeats: int = NUM_REPEATS) -> float:
    """The median time of the processor, after a first time that is not counted."""
    times = []
    for _ in range(num_repeats + 1):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return float(torch.tensor(times[1:]).median())


def points(path: Path | None = None) -> list[Point]:
    """Every learner that has a card and seconds in the record, in the order of ``ENTRIES``.

    Raises:
        FileNotFoundError: there is no record.
    """
    path = paths.find("plane.json") if path is None else path
    if not path.is_file():
        raise FileNotFoundError(
            f"no record {path}: make it with python -m metalearn_lite.recipes.plane"
        )
    seconds = json.loads(path.read_text(encoding="utf-8"))["seconds"]
    return [
        Point(entry, seconds[name_of(entry)], left_of(entry))
        for entry in ENTRIES
        if name_of(entry) in seconds and has_card(entry)
    ]


def main(path: Path | None = None) -> None:
    """Measures all, one after the other."""
    torch.set_num_threads(1)
    path = paths.data_folder() / "plane.json" if path is None else path
    seconds = {}
    for entry in filter(has_card, ENTRIES):
        seconds[name_of(entry)] = float(f"{seconds_of(work_of(entry)):.3g}")
        print(f"{name_of(entry):32}{seconds[name_of(entry)]:9.5f} s", flush=True)
    record = {
        "command": "python -m metalearn_lite.recipes.plane",
        "what": "seconds of one core to adapt to one task and to answer in it, the median of "
        f"{NUM_REPEATS}",
        "date": datetime.date.today().isoformat(),
        "torch": torch.__version__,
        "seconds": seconds,
    }
    write_whole(path, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
