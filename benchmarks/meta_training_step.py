"""MAML's meta-training step beside learn2learn's, in one process: 25 sinusoids, 10 shots, Adam.

Both learners hold the same network (1-40-40-1), see the same episodes and take second-order
steps. Both run on one thread, and what is counted is its processor time. Rounds of the two
alternate. A row gives the median over rounds, and the range of the ratio over rounds.
"""

import sys
from collections.abc import Callable

import torch
from torch import nn

from benchmarks._side_by_side import side_by_side
from metalearn_lite import interop
from metalearn_lite.episodes import Episodes
from metalearn_lite.fast.compiling import compiled_meta_gradient
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
        timing = side_by_side(mine, reference, (20, 2), ROUNDS)
        print(
            f"{inner_steps:11}  {'yes' if compile else 'no':8} "
            f"{timing.ours:9.2f}  "
            f"{timing.theirs:15.2f}   {timing.ratio:5.1f} ({timing.least:.1f} to {timing.most:.1f})"
            f"   ≥ {target} {timing.reaches(target)}"
        )


if __name__ == "__main__":
    main()
