"""The race of notebook 05: every method learns for the same time, and is judged on the way.

``python -m metalearn_lite.recipes.race`` records ``data/race.json`` (all methods) and
``data/tricks.json`` (MAML with one change of MAML++ at a time, the mean of three runs). Where MAML
and first-order MAML end in the first is kept as checkpoints: the notebook asks how steep it is
there. It takes ten minutes of one core.
"""

from __future__ import annotations

import datetime
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch

from metalearn_lite import checkpoints, paths
from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import evaluate
from metalearn_lite.files import write_whole
from metalearn_lite.learners.anil import ANIL
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.implicit_maml import ImplicitMAML
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.maml_plus_plus import MAMLPlusPlus
from metalearn_lite.learners.meta_sgd import MetaSGD
from metalearn_lite.learners.regularised import RegularisedMAML
from metalearn_lite.learners.reptile import Reptile
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import adam, constant, cosine

Record = dict[str, dict[str, list[float]]]

COLUMNS = ("seconds", "iterations", "error", "interval", "median")
STUDENT_T = {2: 12.71, 3: 4.303, 4: 3.182, 5: 2.776}
"""97.5 % points of Student's t, by the number of runs"""
NETWORK = MLP(1, 40, 40, 1)
INNER = {"inner_lr": 0.01, "inner_steps": 5}
NO_TRICK = INNER | {"multi_step": False, "learned_rates": False}

METHODS = {
    "MAML": lambda start: MAML(NETWORK, start, **INNER),
    "first-order MAML": lambda start: MAML(NETWORK, start, **INNER, order=1),
    "Reptile": lambda start: Reptile(NETWORK, start, **INNER),
    "ANIL": lambda start: ANIL(NETWORK, start, **INNER),
    "Meta-SGD": lambda start: MetaSGD(NETWORK, start, **INNER),
    "MAML++": lambda start: MAMLPlusPlus(NETWORK, start, **INNER, first_order_until=0.2),
    "ℓ2-regularised": lambda start: RegularisedMAML(NETWORK, start, **INNER, strength=1.0),
    "implicit MAML": lambda start: ImplicitMAML(NETWORK, start, 0.01, 10, strength=2.0),
}
KEPT = {"MAML": "race-maml", "first-order MAML": "race-first-order-maml"}
TRICKS = {
    "MAML, constant outer rate": lambda start: MAML(NETWORK, start, **INNER),
    "MAML, cosine outer rate": lambda start: MAML(NETWORK, start, **INNER),
    "+ multi-step loss": lambda start: MAMLPlusPlus(
        NETWORK, start, **NO_TRICK | {"multi_step": True}
    ),
    "+ learned rates": lambda start: MAMLPlusPlus(
        NETWORK, start, **NO_TRICK | {"learned_rates": True}
    ),
    "+ first-order at first": lambda start: MAMLPlusPlus(
        NETWORK, start, **NO_TRICK, first_order_until=0.2
    ),
    "all: MAML++": METHODS["MAML++"],
}


class Runner:
    """One method in the race, with a clock that runs only while it trains."""

    def __init__(self, learner: Learner, schedule: Callable[[float], float], seed: int):
        self.learner, self.schedule = learner, schedule
        self.optimizer = adam(learner.params, 1e-3)[0]
        self.generator = torch.Generator().manual_seed(seed)
        self.seconds, self.iterations = 0.0, 0
        self.record: dict[str, list[float]] = {name: [] for name in COLUMNS}

    def run_until(self, seconds: float, budget: float) -> None:
        """Trains on new tasks until its clock shows ``seconds``; the outer rate ends at 0."""
        while self.seconds < seconds:
            started = time.process_time()
            progress = min(self.seconds / budget, 1.0)
            self.learner.advance(progress)
            self.optimizer.param_groups[0]["lr"] = 1e-3 * self.schedule(progress)
            episodes = Sinusoids().sample(25, num_shots=5, generator=self.generator)
            _, gradient = self.learner.meta_gradient(episodes)
            for name, value in self.learner.params.items():
                value.grad = gradient[name]
            self.optimizer.step()
            self.seconds += time.process_time() - started
            self.iterations += 1

    def judge(self, episodes: Episodes) -> None:
        """Notes the error now, after as many inner steps as the method takes in training."""
        result = evaluate(self.learner, episodes)
        now = (self.seconds, self.iterations, result.mean, result.interval, result.median)
        for name, value in zip(self.record, now, strict=True):
            self.record[name].append(float(f"{value:.5g}"))


def race(
    learners: dict[str, Callable[[dict], Learner]], budget: float, num_stops: int, seed: int = 0
) -> dict[str, Runner]:
    """Trains all ``learners`` for ``budget`` seconds of processor time each.

    They take turns: a busy moment of the machine meets them all. All start from the same
    parameters, see the same tasks in the same order, and are judged on the same 1,000 others at
    ``num_stops`` moments, evenly spaced.
    """
    start = NETWORK.init(torch.Generator().manual_seed(seed))
    judged_on = Sinusoids().sample(1000, 5, 50, torch.Generator().manual_seed(2017))
    runners = {
        name: Runner(make(start), constant if "constant" in name else cosine, seed)
        for name, make in learners.items()
    }
    for runner in runners.values():
        runner.judge(judged_on)
    for stop in range(1, num_stops + 1):
        for runner in runners.values():
            runner.run_until(budget * stop / num_stops, budget)
            runner.judge(judged_on)
    return runners


def together(runs: list[Record]) -> Record:
    """The mean of several runs of a race, stop by stop.

    ``interval`` is half the width of the mean's 95 % confidence interval over the runs (Student's
    t), since two trainings of one method differ more than two draws of tasks do. ``ends`` has the
    error at the end of each run.
    """
    factor = STUDENT_T[len(runs)] / math.sqrt(len(runs))
    combined: Record = {}
    for method in runs[0]:
        values = {name: torch.tensor([run[method][name] for run in runs]) for name in COLUMNS}
        row = {name: value.mean(0) for name, value in values.items()}
        row["interval"] = factor * values["error"].std(0)
        row["ends"] = values["error"][:, -1]
        combined[method] = {
            name: [float(f"{v:.4g}") for v in value.tolist()] for name, value in row.items()
        }
    return combined


def save(record: Record, path: Path) -> None:
    """Writes ``{method: {"seconds": […], "iterations": […], "error": […], …}}``."""
    rows = [f"  {json.dumps(m, ensure_ascii=False)}: {json.dumps(r)}" for m, r in record.items()]
    write_whole(path, ("{\n" + ",\n".join(rows) + "\n}\n").encode())


def load(name: str | Path) -> Record:
    """The record ``name``, "race" or "tricks", or that of another file: what ``RaceModel`` takes.

    Raises:
        FileNotFoundError: there is no such record.
    """
    path = name if isinstance(name, Path) else paths.find(f"{name}.json")
    if not path.is_file():
        raise FileNotFoundError(
            f"no record {path}: make it with python -m metalearn_lite.recipes.race"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def main(budget: float = 20.0, num_stops: int = 40) -> None:
    """Records both races. Each run has another start and other tasks."""
    torch.set_num_threads(1)
    for name, learners, num_runs in (("tricks", TRICKS, 3), ("race", METHODS, 1)):
        runs = [race(learners, budget, num_stops, seed) for seed in range(num_runs)]
        records = [{method: runner.record for method, runner in run.items()} for run in runs]
        save(
            together(records) if num_runs > 1 else records[0], paths.data_folder() / f"{name}.json"
        )
    for method, short in KEPT.items():
        runner = runs[0][method]
        error, interval = runner.record["error"][-1], runner.record["interval"][-1]
        about = {
            "command": "python -m metalearn_lite.recipes.race",
            "data": f"sinusoids, {runner.iterations:,} iterations of 25 tasks",
            "seed": 0,
            "result": {"error on 1,000 tasks": f"{error:.3f} ± {interval:.3f}"},
            "date": datetime.date.today().isoformat(),
            "torch": torch.__version__,
        }
        checkpoints.save(runner.learner, short, about)


if __name__ == "__main__":
    main()
