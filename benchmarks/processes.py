"""Tasks a second in one and in two processes of one thread each, and what the sum costs.

Seconds of the clock, as waiting for another process takes no processor time: it says most on an
idle machine. No target: where a step is short, waiting is most of it.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import torch
import torch.distributed as dist

from metalearn_lite import distributed
from metalearn_lite.learners import MAML
from metalearn_lite.networks import MLP, ConvClassifier
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.sinusoids import Sinusoids

ROUNDS = 7


def cases() -> dict[str, tuple[MAML, Callable, int]]:
    """Learners of small and of large steps: how batches are drawn, and how many make a round."""
    draw = torch.Generator().manual_seed(0)
    waves, images = MLP(1, 40, 40, 1), ConvClassifier(5, 64)
    glyphs = Glyphs(2, 20, 10, seed=0)
    return {
        "25 waves, 1 step": (
            MAML(waves, waves.init(draw), 0.01, 1),
            partial(Sinusoids().sample, 25, 5),
            100,
        ),
        "8 tasks of 5 × 5 images, 1 step": (
            MAML(images, images.init(draw), 0.4, 1),
            partial(glyphs.sample, 8, 5, 5, 5),
            1,
        ),
    }


def median_seconds(step: Callable[[], object], repeats: int) -> float:
    step()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(repeats):
            step()
        taken.append((time.perf_counter() - started) / repeats)
    return statistics.median(taken)


def measure() -> None:
    """In one of the processes; the first one prints."""
    size = int(os.environ["WORLD_SIZE"])
    for name, (learner, sample, repeats) in cases().items():
        batch = sample(generator=torch.Generator().manual_seed(1))
        step = partial(distributed.meta_gradient, learner.meta_gradient, batch, learner)
        seconds = median_seconds(step, repeats)
        line = f"  {size} process{'es' * (size > 1):2} {name:32}"
        line += f" {batch.num_tasks / seconds:8,.0f} tasks a second"
        if size > 1:
            flat = torch.zeros(1 + sum(value.numel() for value in learner.params.values()))
            cost = median_seconds(partial(dist.all_reduce, flat), 50)
            line += f"   sum of {4 * len(flat):,} bytes: {1000 * cost:.2f} ms"
            line += f", {100 * cost / seconds:.0f} % of a step"
        print(line, flush=True)


def main() -> None:
    print("\nMeta-gradients of second order, tasks shared out by torchrun (gloo), one thread each")
    for size in (1, 2):
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command = [*launcher, f"--nproc-per-node={size}", "-m", "benchmarks.processes"]
        subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True)


if __name__ == "__main__":
    if dist.is_torchelastic_launched():
        with distributed.joined():
            measure()
    else:
        main()
