"""Eight learners press "Run All" of notebook 04 at the same moment, on this machine.

    python -m benchmarks.class_of_eight           eight learners, notebook 04
    python -m benchmarks.class_of_eight 4 06      four, notebook 06

It compares how long a cell takes with how long it takes a learner who is alone. Nobody in a class
works like that, so it is the worst case. Run it on a machine that does nothing else.
"""

import statistics
import sys

from benchmarks._kernels import Run, find, run_all
from benchmarks.notebooks import load

LEARNERS, NOTEBOOK = 8, "04"


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def row(name: str, runs: list[Run]) -> str:
    seconds = [second for run in runs for second in run.cells]
    return (
        f"{name:14}{statistics.median(seconds):10.2f}{p95(seconds):9.2f}{max(seconds):10.1f}"
        f"{max(run.wall for run in runs):10.1f}{sum(run.cpu for run in runs):9.1f}"
        f"{sum(run.memory for run in runs):11.0f}"
    )


def main(learners: int = LEARNERS, notebook: str = NOTEBOOK) -> None:
    path = find(notebook)
    print(f"\nnotebook {notebook}, one thread a learner; load before: {load()}")
    print("learners     median cell s    p95 s    most s    wall s    CPU s   MiB in all")
    alone = run_all(path)
    print(row("alone", alone), flush=True)
    together = run_all(*[path] * int(learners))
    print(row(f"{learners} at once", together))
    ratio = p95([second for run in together for second in run.cells]) / p95([*alone[0].cells])
    print(f"p95 of a cell: {ratio:.1f} times that of a learner who is alone")


if __name__ == "__main__":
    main(*sys.argv[1:3])
