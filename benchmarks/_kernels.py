"""A notebook run as a learner's kernel runs it, and what that took."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil  # ipykernel needs it
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"

# Asked in the kernel at its end. Processes that it started, as in notebook 16, count with their
# seconds. Windows has no such counts.
ASK = """
import json as _json, resource as _resource, sys as _sys
_own = _resource.getrusage(_resource.RUSAGE_SELF)
_others = _resource.getrusage(_resource.RUSAGE_CHILDREN)
print(_json.dumps({
    "cpu": sum(used.ru_utime + used.ru_stime for used in (_own, _others)),
    "memory": _own.ru_maxrss / (2**20 if _sys.platform == "darwin" else 2**10),
}))
"""
LOOK_EVERY = 0.5  # seconds; the kernel's own peak is exact, what its processes add is looked at


@dataclass(frozen=True)
class Run:
    """What one run of a notebook took."""

    cells: tuple[float, ...]
    """seconds by the clock, cell by cell, as the learner waits for it"""
    wall: float
    """seconds by the clock, from the kernel's start to the last output"""
    cpu: float
    """seconds of processor, the kernel's start and imports with them"""
    memory: float
    """MiB, at its highest"""


def find(number: str) -> Path:
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    return path


async def run(path: Path, threads: int = 1) -> Run:
    """Runs ``path`` in a kernel of its own, from its first cell to its last; saves nothing.

    ``threads`` is what a hub gives: torch sees the machine's cores, not a container's share.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(new_code_cell(ASK))
    begun, spent = {}, []

    def begins(cell, cell_index):
        begun[cell_index] = time.perf_counter()

    def ends(cell, cell_index, execute_reply):
        spent.append(time.perf_counter() - begun[cell_index])

    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "METALEARN_LITE_PROGRESS": str(Path(folder) / "progress.json"),
            "OMP_NUM_THREADS": str(threads),
        }
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=None,
            resources={"metadata": {"path": str(path.parent)}},
            on_cell_execute=begins,
            on_cell_executed=ends,
        )
        started = time.perf_counter()
        watching = asyncio.create_task(_most_beside(client))
        try:
            await client.async_execute(env=environment)
        finally:
            watching.cancel()
        wall = time.perf_counter() - started
    used = json.loads(notebook.cells[-1].outputs[-1].text)
    return Run(tuple(spent[:-1]), wall, used["cpu"], used["memory"] + await watching)


async def _most_beside(client: NotebookClient) -> float:
    """MiB at their highest of what the kernel's own processes hold alone, until it is cancelled."""
    most = 0
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(LOOK_EVERY)
            with contextlib.suppress(psutil.Error, AttributeError):  # not started yet
                children = psutil.Process(client.km.provisioner.pid).children(recursive=True)
                most = max(most, sum(each.memory_full_info().uss for each in children))
    return most / 2**20


def run_all(*paths: Path) -> list[Run]:
    """All ``paths`` at once, each in a kernel of its own."""

    async def together() -> list[Run]:
        return await asyncio.gather(*map(run, paths))

    return asyncio.run(together())
