"""What `test_distributed.py` has several processes do; ``torchrun`` starts this file.

Each worker forks a child for every part, so that one can be killed without the next part.
"""

import json
import os
import signal
import sys
from datetime import timedelta
from functools import partial, wraps
from importlib import import_module
from pathlib import Path

import torch

from metalearn_lite import __main__ as command_line
from metalearn_lite import distributed, recipes
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners import ANIL, MAML, PrivateReptile, Reptile, WorstCaseMAML
from metalearn_lite.networks import MLP
from metalearn_lite.recipes import sinusoids
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import cosine, meta_train

RANK = int(os.environ.get("RANK", 0))
NETWORK = MLP(1, 6, 6, 1)
ITERATIONS = 12


def waves(num_tasks: int, generator: torch.Generator) -> Episodes:
    halves = Sinusoids().sample(num_tasks, 5, generator=generator)
    return Episodes(*(Examples(half.x.double(), half.y.double()) for half in halves))


def new(kind=MAML, **settings):
    generator = torch.Generator().manual_seed(3)
    params = {name: value.double() for name, value in NETWORK.init(generator).items()}
    return kind(NETWORK, params, **settings), generator


def sample(generator: torch.Generator) -> Episodes:
    return waves(5, generator)


def sampler(happens, place: int):
    """``sample``, but in one process something happens when the fourth batch is drawn."""
    calls = 0

    @wraps(sample)  # the same by name: the run is gone on with without it
    def watched(generator):
        nonlocal calls
        calls += 1
        batch = sample(generator)
        if calls == 4 and place == RANK:
            happens()
        return batch

    return watched


def train(sample=sample, save_to=None, log_to=None, iterations=ITERATIONS):
    learner, generator = new()
    options = {"schedule": cosine, "save_to": save_to, "log_to": log_to}
    history = meta_train(learner, sample, iterations, generator, **options)
    params = {name: value.tolist() for name, value in learner.params.items()}
    return {"params": params, "losses": history.losses}


def gradients(out: Path) -> None:
    """The largest difference to a process alone, for batches that divide and that do not."""
    with distributed.joined():
        differences = {}
        for kind in (MAML, ANIL, Reptile, WorstCaseMAML, PrivateReptile):
            for num_tasks in (1, 2, 3, 5, 7):
                (here, generator), (alone, _) = new(kind), new(kind)
                batch = waves(num_tasks, generator)
                found = distributed.meta_gradient(here.meta_gradient, batch, here)
                loss, gradient = alone.meta_gradient(batch)
                worst = max((found[1][n] - g).abs().max().item() for n, g in gradient.items())
                worst = max(worst, (found[0] - loss).abs().item())
                differences[f"{kind.__name__} {num_tasks}"] = worst
        learner, _ = new()
        games = ("games", 3)
        whole = distributed.meta_gradient(lambda batch: batch, games, learner)
        told = distributed.from_first(lambda: f"by {RANK}")
        several = distributed.several()
        runs = [train(), train()]
        (out / f"{RANK}.json").write_text(
            json.dumps([several, differences, whole == games, told, *runs])
        )


def ends(out: Path, sample, timeout: timedelta | None = None) -> None:
    """A run in which something happens, told as the command line tells it."""
    if timeout is not None:
        with distributed.joined():
            distributed.anyone(False)  # all are here
        distributed.TIMEOUT = timeout
    with distributed.joined():
        train(sample, out / "run.safetensors", out / "curves")


def goes_on(out: Path) -> None:
    with distributed.joined():
        found = train(save_to=out / "run.safetensors", log_to=out / "curves")
        (out / f"{RANK}.json").write_text(json.dumps(found))


def another_run(out: Path) -> None:
    with distributed.joined():
        train(save_to=out / "run.safetensors", iterations=ITERATIONS + 1)


def refuses():
    raise ValueError("no more waves")


def hangs(fifo: Path):
    fifo.open().close()  # until somebody opens it to write


def part(number: int, size: int, do, out: Path, *args) -> None:
    """``do`` in a child of each of the first ``size`` workers; what they say is kept."""
    if size <= RANK:
        return
    out.mkdir(exist_ok=True)
    if child := os.fork():
        os.waitpid(child, 0)
        return
    os.environ["WORLD_SIZE"] = str(size)
    distributed._meetings = 10 * number  # another place for each part
    for place in (1, 2):
        os.dup2(os.open(out / f"said{RANK}", os.O_WRONLY | os.O_CREAT | os.O_APPEND), place)
    command_line.command_parser = lambda: Parser(partial(do, out, *args))
    signal.signal(signal.SIGINT, command_line.interrupted)
    os._exit(command_line.main())


class Parser:
    """In the place of the command line's own: the command is ``run``."""

    def __init__(self, run):
        self.run = lambda args: run()

    def parse_args(self, arguments):
        return self


HAPPENINGS = {
    "killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), 1),
    "first-killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), 0),
    "exit": (lambda: os._exit(0), 1),
    "error": (refuses, 1),
    "interrupted": (lambda: signal.raise_signal(signal.SIGINT), 1),
    "first-interrupted": (lambda: signal.raise_signal(signal.SIGINT), 0),
    "terminated": (lambda: signal.raise_signal(signal.SIGTERM), 1),
}
"""what happens, and in which process"""


def parts(out: Path) -> None:
    torch.optim.Adam([torch.zeros(1)])  # takes seconds at first, and children inherit it
    import_module("torch.utils.tensorboard")
    for size in (1, 2, 3):
        part(size, size, gradients, out / f"gradients{size}")
    for number, (name, happening) in enumerate(HAPPENINGS.items(), start=10):
        part(number, 2, ends, out / name, sampler(*happening))
        part(number + 10, 1 + number % 3, goes_on, out / name)
    part(30, 2, another_run, out / "killed")
    fifo = out / "fifo"
    if RANK == 0:
        os.mkfifo(fifo)
    part(31, 2, ends, out / "hangs", sampler(partial(hangs, fifo), 1), timedelta(seconds=5))
    if RANK == 0:
        fifo.open("w").close()
    part(32, 2, goes_on, out / "hangs")


def tiny(iterations: int, sample=sample) -> recipes.Recipe:
    """A recipe that takes a moment, or for ever."""

    def make(generator, save_to):
        learner, _ = new()
        meta_train(learner, sample, iterations, generator, save_to=save_to)
        return learner

    return recipes.Recipe("a few waves", make, lambda _: {"error": "2.0"})


def command(arguments: list[str]) -> int:
    """The command line, with a recipe "tiny" that says when it has begun and goes on for ever."""
    begun = sampler(lambda: print("begun", flush=True), 0)
    recipes.MODULES["tiny"] = "sinusoids"
    sinusoids.RECIPES["tiny"] = tiny(10**9, begun)
    signal.signal(signal.SIGINT, command_line.interrupted)
    return command_line.main(arguments)


if __name__ == "__main__":
    if sys.argv[1] == "parts":
        parts(Path(sys.argv[2]))
    else:
        sys.exit(command(sys.argv[1:]))
