"""What augmentations of tasks buy, with 10, 100 and 1,000 real characters: notebook 14's record.

``python -m metalearn_lite.recipes.augmented`` records ``data/augmented.json``, with a card of how
it was made. It takes five minutes of one core. Omniglot's minimal set 1 has 112 characters
to train on, so a thousand are there of Glyphs only.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from torch.nn import functional as F

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import MLP
from metalearn_lite.recipes import records
from metalearn_lite.recipes.race import STUDENT_T
from metalearn_lite.tasks import characters
from metalearn_lite.tasks.augmented import FixedTasks, permute_labels, turn_tasks
from metalearn_lite.training import cosine, meta_train

NUM_WAYS, NUM_RUNS = 5, 3
SIZES = {"Glyphs": (10, 100, 1000), "Omniglot": (10, 100)}
"""how many characters there are to train on"""
PIXELS = 14 * 14
NUM_TASKS = 8
INNER_LR, OUTER_LR, ITERATIONS = 1.0, 1e-2, 400
"""chosen on Glyphs of other alphabets than those that judge"""

Augment = Callable[[Episodes, torch.Generator], Episodes]


def shrunk(episodes: Episodes) -> Episodes:
    """The same with images of half the side: a small network is then enough."""
    halves = [
        Examples(F.avg_pool2d(x.flatten(0, 1), 2).unflatten(0, x.shape[:2]), y) for x, y in episodes
    ]
    return Episodes(*halves)


def sampler(tasks: FixedTasks, augment: tuple[Augment, ...] = (), mixed: bool = False) -> Callable:
    """Draws 8 tasks, 1 shot and 3 queries: as they are recorded, or of any five characters."""

    def sample(generator: torch.Generator) -> Episodes:
        if mixed:
            episodes = tasks.pool.sample(NUM_TASKS, NUM_WAYS, 1, 3, generator)
        else:
            episodes = tasks.sample(NUM_TASKS, 1, 3, generator)
        for change in augment:
            episodes = change(episodes, generator)
        return shrunk(episodes)

    return sample


SOURCES: dict[str, dict] = {
    "real": {},
    "permuted": {"augment": (permute_labels,)},
    "turned": {"augment": (turn_tasks,)},
    "both": {"augment": (permute_labels, turn_tasks)},
    "mixed": {"mixed": True},
}


def new_maml(generator: torch.Generator) -> MAML:
    """With a last layer of one output for each label, whose start is learned."""
    network = MLP(PIXELS, 128, 64, NUM_WAYS)
    return MAML(network, network.init(generator), INNER_LR, 1)


def new_prototypical(generator: torch.Generator) -> PrototypicalNetwork:
    """With nothing that belongs to one label."""
    network = MLP(PIXELS, 128, 64)
    return PrototypicalNetwork(network, network.init(generator))


LEARNERS = {"MAML": new_maml, "prototypical": new_prototypical}


def train(
    new: Callable[[torch.Generator], Learner],
    tasks: FixedTasks,
    source: str,
    seed: int,
    iterations: int = ITERATIONS,
) -> Learner:
    """A learner trained on what ``source`` makes of ``tasks``."""
    generator = torch.Generator().manual_seed(seed)
    learner = new(generator)
    sample = sampler(tasks, **SOURCES[source])
    options = {"outer_lr": OUTER_LR, "schedule": cosine, "max_norm": 10.0}
    meta_train(learner, sample, iterations, generator, **options)
    return learner


def pools(name: str) -> tuple[characters.Characters, characters.Characters]:
    """Characters to train on, and those of other alphabets to be judged on."""
    if name == "Glyphs":
        return characters.Glyphs(40, 25, seed=17), characters.Glyphs(8, 25, seed=19)
    known, _, new = characters.standard_split("small1")
    return known, new


def record(name: str, num_runs: int = NUM_RUNS, iterations: int = ITERATIONS) -> dict:
    """The accuracies of each run on 400 tasks: ``{learner: {size: {source: [share, …]}}}``.

    A run has characters of its own, and a start of its own; all sources share them.
    """
    known, new = pools(name)
    judged_on = shrunk(new.sample(400, NUM_WAYS, 1, 5, torch.Generator().manual_seed(2017)))
    found: dict = {}
    for learner, make in LEARNERS.items():
        of_learner = found[learner] = {}
        for size in SIZES[name]:
            of_size = of_learner[str(size)] = {source: [] for source in SOURCES}
            for run in range(num_runs):
                luck = torch.Generator().manual_seed(100 + run)
                tasks = FixedTasks(known, size // NUM_WAYS, NUM_WAYS, luck)
                for source in SOURCES:
                    trained = train(make, tasks, source, run, iterations)
                    of_size[source].append(round(evaluate(trained, judged_on).mean, 4))
    return found


def of_runs(shares: list[float]) -> tuple[float, float]:
    """The mean of some runs, and half the width of its 95 % interval (Student's t)."""
    values = torch.tensor(shares)
    half = STUDENT_T[len(shares)] * values.std() / math.sqrt(len(shares))
    return values.mean().item(), half.item()


def load() -> dict:
    """The record that ships: ``"card"`` says how it was made, the rest is as `record` gives it."""
    return records.load("augmented.json")


def main(names: tuple[str, ...] = ("Glyphs", "Omniglot"), **options) -> None:
    """Records all, and writes the card."""
    torch.set_num_threads(1)
    started = time.process_time()
    found = {name: record(name, **options) for name in names}
    card = {
        "command": "python -m metalearn_lite.recipes.augmented",
        "data": "Glyphs (1,000 characters of 40 alphabets); Omniglot minimal set 1 (112 characters "
        "of 4 alphabets); judged on 400 5-way 1-shot tasks of other alphabets of the same",
        "seeds": f"0 to {options.get('num_runs', NUM_RUNS) - 1}",
        **records.made(started),
    }
    records.save("augmented.json", card, found)


if __name__ == "__main__":
    main()
