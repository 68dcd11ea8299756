"""Task diversity: one transformer for each length of the list of training tasks (Raventós, 2023).

``python -m metalearn_lite.recipes.diversity`` records ``data/diversity.json``: for 2, 4, … 4,096
known tasks, and for tasks drawn anew always, the errors on tasks of the list and on new ones after
0 … 10 examples, beside ridge and the best guess. Three runs of each take 18 minutes of one core,
nine of two (``--processes 2``). Stopped, the same command goes on after the last run that ended. Of
the first runs those with a list of ``KEPT`` tasks are kept as checkpoints.
"""

from __future__ import annotations

import argparse
import datetime
import json
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor

from metalearn_lite import checkpoints, paths
from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import answers
from metalearn_lite.files import write_whole
from metalearn_lite.learners.base import Learner, task_losses
from metalearn_lite.learners.best_guess import BestGuess
from metalearn_lite.learners.in_context import first_examples
from metalearn_lite.learners.ridge import Ridge
from metalearn_lite.learners.transformer import Transformer, TransformerLearner
from metalearn_lite.tasks.noisy_regression import NoisyRegression
from metalearn_lite.training import cosine, meta_train

NUM_INPUTS, NOISE, LONGEST = 5, 0.5, 10
COUNTS = tuple(2**power for power in range(1, 13))
FRESH = 0
"""in the place of a count: no list, each training task is new"""
SEEDS = (0, 1, 2)
ITERATIONS = 2500
NETWORK = Transformer(NUM_INPUTS, width=48, num_layers=3, num_heads=2)
NUM_TEST_TASKS, NUM_TEST_QUERIES = 2000, 10
KEPT = {4: "diversity-4", 4096: "diversity-4096"}
ROWS = ("seen", "unseen")
COLUMNS = ("learner", "ridge", "best guess", "to ridge", "to best guess")


def known_tasks(count: int, seed: int) -> Tensor:
    """The list of ``count`` weight vectors ``(count, 5)``: the first of one long list a seed."""
    generator = torch.Generator().manual_seed(1000 + seed)
    return torch.randn(max(COUNTS), NUM_INPUTS, generator=generator)[:count]


def world(count: int, seed: int, **options: bool) -> NoisyRegression:
    """The tasks that a run is trained on."""
    known = None if count == FRESH else known_tasks(count, seed)
    return NoisyRegression(NUM_INPUTS, NOISE, known, **options)


def some_length(tasks: NoisyRegression, generator: torch.Generator) -> Episodes:
    """64 tasks with 4 queries each, and 0 to ``LONGEST`` examples, the same for all."""
    count = int(torch.randint(LONGEST + 1, (), generator=generator))
    return tasks.sample(64, count, 4, generator)


def train(count: int, seed: int, save_to: Path | None = None) -> TransformerLearner:
    """A transformer trained on the list of ``count`` tasks; with a seed all start alike."""
    generator = torch.Generator().manual_seed(seed)
    learner = TransformerLearner(NETWORK, NETWORK.init(generator))
    meta_train(
        learner, partial(some_length, world(count, seed)), ITERATIONS, generator,
        outer_lr=3e-3, schedule=cosine, max_norm=10.0, save_to=save_to,
    )  # fmt: skip
    return learner


@torch.no_grad()
def judge(learner: Learner, count: int, seed: int) -> dict[str, dict[str, list[float]]]:
    """Errors above the noise by row and column, a number for each of 0 … ``LONGEST`` examples.

    ``seen`` are tasks of the list, ``unseen`` new ones; the points are new in both. "to ridge" is
    the mean squared difference of the learner's answers to ridge's.
    """
    found = {}
    for row, kept in (("seen", count), ("unseen", FRESH)):
        generator = torch.Generator().manual_seed(2023)
        tasks = world(kept, seed, clean_queries=True)
        support, query = tasks.sample(NUM_TEST_TASKS, LONGEST, NUM_TEST_QUERIES, generator)
        learners = {"learner": learner, "ridge": Ridge(NOISE**2)}
        if count != FRESH:
            learners["best guess"] = BestGuess(known_tasks(count, seed), NOISE)
        columns: dict[str, list[float]] = {name: [] for name in COLUMNS}
        for read in range(LONGEST + 1):
            episodes = Episodes(first_examples(support, read), query)
            said = {name: answers(one, episodes) for name, one in learners.items()}
            for name, values in said.items():
                columns[name].append(_rounded(task_losses(values, query.y)))
                if name != "learner":
                    columns[f"to {name}"].append(_rounded(task_losses(said["learner"], values)))
        found[row] = {name: values for name, values in columns.items() if values}
    return found


def _rounded(losses: Tensor) -> float:
    return float(f"{losses.mean().item():.4g}")


def one_run(count: int, seed: int, into: Path | None = None) -> dict[str, dict[str, list[float]]]:
    """Trains and judges. With the first seed, a list of ``KEPT`` tasks is saved in ``into``."""
    torch.set_num_threads(1)
    learner = train(count, seed)
    found = judge(learner, count, seed)
    if seed == SEEDS[0] and count in KEPT:
        errors = (f"{found[row]['learner'][-1]:.3f}" for row in ROWS)
        about = {
            "command": "python -m metalearn_lite.recipes.diversity",
            "data": f"linear regression with noise, {count:,} known tasks, always new points",
            "seed": seed,
            "result": dict(zip((f"error on {row} tasks" for row in ROWS), errors, strict=True)),
            "date": datetime.date.today().isoformat(),
            "torch": torch.__version__,
        }
        checkpoints.save(learner, KEPT[count], about, into)
    return found


def name_of(count: int, seed: int) -> str:
    return f"{'fresh' if count == FRESH else count}/{seed}"


def load(path: Path | None = None) -> dict[str, dict[str, dict[str, list[float]]]]:
    """The record, by ``name_of`` a run: what `judge` found.

    Raises:
        FileNotFoundError: there is none.
    """
    path = paths.find("diversity.json") if path is None else path
    if not path.is_file():
        raise FileNotFoundError(
            f"no record {path}: make it with python -m metalearn_lite.recipes.diversity"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def save(record: dict, path: Path) -> None:
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(run)}" for name, run in record.items())
    write_whole(path, ("{\n" + lines + "\n}\n").encode())


def main(num_processes: int = 1, path: Path | None = None) -> None:
    """Makes the runs that the record lacks, the first seed first."""
    path = paths.data_folder() / "diversity.json" if path is None else path
    record = load(path) if path.is_file() else {}
    wanted = [(count, seed) for seed in SEEDS for count in COUNTS]
    wanted += [(FRESH, seed) for seed in SEEDS]
    missing = [run for run in wanted if name_of(*run) not in record]
    with ProcessPoolExecutor(num_processes, get_context("spawn")) as pool:
        running = {pool.submit(one_run, *run): run for run in missing}
        for ended in as_completed(running):
            record[name_of(*running[ended])] = ended.result()
            save({name_of(*run): record[name_of(*run)] for run in wanted
                  if name_of(*run) in record}, path)  # fmt: skip
            print(name_of(*running[ended]), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=1)
    main(parser.parse_args().processes)
