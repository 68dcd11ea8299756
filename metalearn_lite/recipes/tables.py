"""Notebook 17's networks that read tables, and the record of what they and others say.

``python -m metalearn_lite.recipes.tables`` records ``data/tables.json``, with a card of how it was
made: the shipped networks beside scikit-learn's learners, on the same splits of its own tables.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from metalearn_lite import checkpoints
from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import Evaluation, answers, task_scores
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.prior_fitted import PriorFittedNetwork, TableTransformer
from metalearn_lite.recipes import Recipe, accuracy, records
from metalearn_lite.tasks import collected
from metalearn_lite.tasks.tables import RandomNetworks, RandomTables, RandomTrees
from metalearn_lite.training import cosine, meta_train, muon

NUM_TABLES, NUM_QUERIES, ITERATIONS = 16, 32, 8000
WAYS = (2, 2, 2, 3, 3, 4, 5, 6, 8, 10)
"""each as likely: tables of two classes are the commonest"""
ROWS, COLUMNS = (10, 64), (2, 32)
"""least and most that a table is drawn with"""

NUM_ROWS, NUM_SPLITS, MOST_QUERIES = (16, 64), 10, 400
"""of the record: rows to learn from, splits of each table, rows that are asked"""
LEAST_CHANCE = 0.001
"""a learner that gives the right class less is judged as if it gave this: no loss is infinite"""
NUM_BINS = 10

PRIORS = {
    "networks": (RandomNetworks(),),
    "trees": (RandomTrees(),),
    "both": (RandomNetworks(), RandomTrees()),
}


def of_some_size(tables: RandomTables, generator: torch.Generator) -> Episodes:
    """16 tables of the same random size: few columns are as likely as many (on a log scale)."""
    num_ways = WAYS[_whole(0, len(WAYS) - 1, generator)]
    num_rows = _whole(max(ROWS[0], 2 * num_ways), ROWS[1], generator)
    low, high = COLUMNS
    num_columns = round(low * (high / low) ** float(torch.rand((), generator=generator)))
    return tables.sample(NUM_TABLES, num_ways, num_rows, num_columns, NUM_QUERIES, generator)


def _whole(low: int, high: int, generator: torch.Generator) -> int:
    return int(torch.randint(low, high + 1, (), generator=generator))


def train(
    prior: str, iterations: int, generator: torch.Generator, save_to: Path | None = None
) -> PriorFittedNetwork:
    """A network that has seen 16 new tables in each iteration, and none that is real."""
    network = TableTransformer(COLUMNS[1], max(WAYS), 48, 4, 4)
    learner = PriorFittedNetwork(network, network.init(generator))
    sample = partial(of_some_size, RandomTables(PRIORS[prior]))
    settings = {"outer_lr": 1e-3, "schedule": cosine, "optimize": muon, "max_norm": 10.0}
    meta_train(learner, sample, iterations, generator, save_to=save_to, **settings)
    return learner


def judge(learner: PriorFittedNetwork, num_splits: int = NUM_SPLITS) -> dict[str, str]:
    """Accuracy on scikit-learn's tables after reading 64 rows."""
    return {
        f"{name}, 64 rows": accuracy(
            Evaluation(task_scores(answers(learner, episodes), episodes.query.y))
        )
        for name in collected.TABLES
        for episodes in [splits(name, 64, num_splits)]
    }


def splits(name: str, num_rows: int, num_splits: int = NUM_SPLITS) -> Episodes:
    """The same for every learner."""
    table = collected.load(name)
    num_queries = min(MOST_QUERIES, len(table.y) - num_rows)
    return table.sample(num_splits, num_rows, num_queries, torch.Generator().manual_seed(1936))


# Others


def models() -> dict[str, Callable]:
    """scikit-learn's learners by the course's names, with the settings they come with.

    What measures distances or sizes gets columns of mean 0 and variance 1.
    """
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return {
        "commonest class": DummyClassifier,
        "nearest neighbours": lambda: make_pipeline(StandardScaler(), KNeighborsClassifier()),
        "logistic regression": lambda: make_pipeline(
            StandardScaler(), LogisticRegression(max_iter=1000)
        ),
        "random forest": lambda: RandomForestClassifier(random_state=0),
        "gradient boosting": lambda: GradientBoostingClassifier(random_state=0),
    }


def tabpfn() -> Callable | None:
    """What makes a new TabPFN (Hollmann et al., 2025), where that package is installed, else None.

    It is no part of the course: it fetches its weights when it is first used, under a licence of
    their own.
    """
    if importlib.util.find_spec("tabpfn") is None:
        return None
    return importlib.import_module("tabpfn").TabPFNClassifier


def answers_of(new_model: Callable, episodes: Episodes) -> Tensor:
    """Log-chances ``(T, M, num_ways)`` of a new model of scikit-learn's for each task.

    Raises:
        ValueError: a class is not in the support of some task.
    """
    found = []
    (x, y), query = episodes
    for rows, labels, asked in zip(x.numpy(), y.numpy(), query.x.numpy(), strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that few rows have many columns
            chances = new_model().fit(rows, labels).predict_proba(asked)
        found.append(torch.from_numpy(chances).float())
    shapes = {chances.shape for chances in found}
    if shapes != {(query.y.shape[1], int(y.max()) + 1)}:
        raise ValueError("a class has no row to learn from in some task: draw other splits")
    return torch.stack(found).log()


def told(logits: Tensor, y: Tensor) -> dict[str, list]:
    """What a record keeps: by split the accuracy and the loss in nats, over all the reliability.

    ``bins`` has a row for each tenth of confidence: how many answers, the sum of their
    confidences, and how many of them were right.
    """
    chances = logits.softmax(-1)
    confidence, said = chances.max(-1)
    place = (confidence * NUM_BINS).floor().clamp(0, NUM_BINS - 1).long().flatten()
    sums = [torch.ones(place.shape), confidence.flatten(), (said == y).float().flatten()]
    bins = torch.stack([torch.zeros(NUM_BINS).index_add_(0, place, values) for values in sums], 1)
    return {
        "accuracy": _rounded(task_scores(logits, y)),
        "loss": _rounded(task_losses(chances.clamp(min=LEAST_CHANCE).log().log_softmax(-1), y)),
        "bins": [_rounded(row) for row in bins],
    }


def _rounded(values: Tensor) -> list[float]:
    return [round(value, 4) for value in values.tolist()]


def calibration_error(bins: Sequence[Sequence[float]]) -> float:
    """The expected calibration error (Naeini, Cooper & Hauskrecht, 2015) of a record's ``bins``."""
    number, confidence, right = torch.as_tensor(bins).T
    return ((right - confidence).abs().sum() / number.sum()).item()


def record(
    names: Sequence[str] = collected.TABLES,
    num_rows: Sequence[int] = NUM_ROWS,
    num_splits: int = NUM_SPLITS,
) -> dict:
    """``{table: {rows: {learner: what `told` keeps}}}``; networks go by their checkpoint's name."""
    networks = {name: checkpoints.load(name) for name in RECIPES}
    found: dict = {}
    for name in names:
        of_table = found[name] = {}
        for rows in num_rows:
            episodes = splits(name, rows, num_splits)
            y = episodes.query.y
            of_table[str(rows)] = {
                **{key: told(answers(one, episodes), y) for key, one in networks.items()},
                **{key: told(answers_of(new, episodes), y) for key, new in models().items()},
            }
    return found


def load() -> dict:
    """The record that ships: ``"card"`` says how it was made, the rest is as `record` gives it."""
    return records.load("tables.json")


def main(**options) -> None:
    """Records all, and writes the card."""
    import sklearn

    torch.set_num_threads(1)
    started = time.process_time()
    found = record(**options)
    card = {
        "command": "python -m metalearn_lite.recipes.tables",
        "data": "scikit-learn's iris, wine, breast cancer, digits and diabetes (above the median)",
        "splits": options.get("num_splits", NUM_SPLITS),
        **records.made(started),
        "scikit-learn": sklearn.__version__,
    }
    records.save("tables.json", card, found, indent=None)


RECIPES = {
    "tables-both": Recipe(
        "tables of a prior of random networks and random trees, new in every iteration; none that "
        "was collected. How noisy they are was chosen on other tables than those that judge",
        partial(train, "both", ITERATIONS),
        judge,
    ),
}


if __name__ == "__main__":
    main()
