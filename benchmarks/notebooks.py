"""What a learner needs: memory and seconds of each notebook, run from its first cell to its last.

    python -m benchmarks.notebooks          all of them, one after the other
    python -m benchmarks.notebooks 04 16    some

On a machine that is busy otherwise the clock's seconds grow. The processor's grow a little,
and the memory does not.
"""

import os
import sys

from benchmarks._kernels import NOTEBOOKS, find, run_all
from metalearn_lite.teaching.console import printable


def load() -> str:
    """How many processes wanted to run, on average, in the last minute."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def main(*numbers: str) -> None:
    paths = [find(number) for number in numbers] or sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    print(f"\none kernel, one thread, {os.cpu_count()} cores; load before: {load()}")
    print("notebook                        peak MiB   CPU s   slowest cell s   wall s   load")
    for path in paths:
        (made,) = run_all(path)
        print(
            printable(
                f"{path.stem:32}{made.memory:8.0f}{made.cpu:8.1f}{max(made.cells):17.1f}"
                f"{made.wall:9.1f}{load():>7}"
            ),
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
