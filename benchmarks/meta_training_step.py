"""MAML's meta-training step beside learn2learn's, in one process: 25 sinusoids, 10 shots, Adam.

Both learners hold the same network (1-40-40-1), see the same episodes and take second-order
steps. Rounds of the two alternate, so that a busy moment of the machine hits both. A row gives
the median over rounds, and the range of the ratio over rounds.
"""

import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import nn

from metalearn_lite import interop
from metalearn_lite.compiling import compiled_meta_gradient
from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids

NETWORK = MLP(1, 40, 40, 1)
INNER_LR, OUTER_LR = 0.01, 1e-3
TARGETS = {(1, False): 12, (5, False): 20, (1, True): 15, (5, True): 35}
ROUNDS = 15


def ours(episodes: Episodes, inner_steps: int, compile: bool) -> Callable[[], None]:
    """The step that `meta_train` takes."""
    params = NETWORK.init(torch.Generator().manual_seed(0))
    learner = MAML(NETWORK, params, INNER_LR, inner_steps)
    optimizer = torch.optim.Adam(learner.params.values(), lr=OUTER_LR, fused=True)
    meta_gradient = compiled_meta_gradient(learner) if compile else learner.meta_gradient

    def step() -> None:
        _, gradient = meta_gradient(episodes)
        for name, value in learner.params.items():
            value.grad = gradient[name]
        optimizer.step()

    return step


def theirs(episodes: Episodes, inner_steps: int) -> Callable[[], None]:
    """The loop of learn2learn's own examples: clone, adapt, backward, task by task."""
    params = NETWORK.init(torch.Generator().manual_seed(0))
    maml = interop.learn2learn().algorithms.MAML(
        interop.to_module(NETWORK, params), lr=INNER_LR, first_order=False
    )
    optimizer = torch.optim.Adam(maml.parameters(), lr=OUTER_LR)
    loss = nn.MSELoss()
    tasks = [
        tuple(part.unsqueeze(-1) if part.dim() == 1 else part for part in task)
        for task in zip(*episodes.support, *episodes.query, strict=True)
    ]

    def step() -> None:
        optimizer.zero_grad()
        for x, y, query_x, query_y in tasks:
            learner = maml.clone()
            for _ in range(inner_steps):
                learner.adapt(loss(learner(x), y))
            loss(learner(query_x), query_y).backward()
        for value in maml.parameters():
            value.grad.mul_(1 / len(tasks))
        optimizer.step()

    return step


def milliseconds(step: Callable[[], None], repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        step()
    return 1000 * (time.perf_counter() - started) / repeats


def main() -> None:
    try:
        interop.learn2learn()
    except ImportError as error:
        sys.exit(f"Nothing to compare with: {error}")
    # The tensors are too small for a second thread to help either; on a busy machine it hurts both.
    torch.set_num_threads(1)
    episodes = Sinusoids().sample(25, 10, 10, torch.Generator().manual_seed(1))
    print("\nMAML meta-training step, 25 tasks, 10 shots, one thread")
    print("inner steps  compiled   ours ms   learn2learn ms   ratio (range)        target")
    for (inner_steps, compile), target in TARGETS.items():
        mine, reference = ours(episodes, inner_steps, compile), theirs(episodes, inner_steps)
        milliseconds(mine, 20), milliseconds(reference, 2)
        pairs = [(milliseconds(mine, 20), milliseconds(reference, 2)) for _ in range(ROUNDS)]
        ratios = sorted(b / a for a, b in pairs)
        a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(ratios)
        verdict = "reached" if ratio >= target else "MISSED"
        print(
            f"{inner_steps:11}  {'yes' if compile else 'no':8} {a:9.2f}  {b:15.2f}   "
            f"{ratio:5.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})   ≥ {target} {verdict}"
        )


if __name__ == "__main__":
    main()
