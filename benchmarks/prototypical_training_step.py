"""A prototypical network's training step beside easyfsl's, in one process.

Both hold the same embedding (16-32-64-64 channels, normalised by groups), see the same episodes and
end with a step of Adam. easyfsl takes one task at a time and the plain distance, ours all tasks at
once and the squared one. Rounds of the two alternate, so that a busy moment of the machine hits
both. A row gives the median over rounds, and the range of the ratio over rounds.
"""

import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from metalearn_lite import interop
from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import ConvNet
from metalearn_lite.tasks.glyphs import Glyphs

NETWORK = ConvNet((16, 32, 64, 64))
SHAPES = ((16, 5, 1, 5), (4, 5, 5, 10), (1, 20, 1, 5), (1, 20, 5, 5))  # tasks, ways, shots, queries
OUTER_LR = 1e-3
TARGET = 1
ROUNDS = 9


def ours(episodes: Episodes) -> Callable[[], None]:
    """The step that `meta_train` takes."""
    learner = PrototypicalNetwork(NETWORK, NETWORK.init(torch.Generator().manual_seed(0)))
    optimizer = torch.optim.Adam(learner.params.values(), lr=OUTER_LR, fused=True)

    def step() -> None:
        _, gradient = learner.meta_gradient(episodes)
        for name, value in learner.params.items():
            value.grad = gradient[name]
        optimizer.step()

    return step


def theirs(episodes: Episodes) -> Callable[[], None]:
    """The loop of easyfsl's own tutorial: store the support, classify the queries, backward."""
    params = NETWORK.init(torch.Generator().manual_seed(0))
    model = interop.easyfsl().methods.PrototypicalNetworks(embedding(params))
    optimizer = torch.optim.Adam(model.parameters(), lr=OUTER_LR)
    tasks = list(zip(*episodes.support, *episodes.query, strict=True))

    def step() -> None:
        optimizer.zero_grad()
        for x, y, query_x, query_y in tasks:
            model.process_support_set(x, y)
            (F.cross_entropy(model(query_x), query_y) / len(tasks)).backward()
        optimizer.step()

    return step


def embedding(params: dict[str, torch.Tensor]) -> nn.Sequential:
    """`NETWORK` as a module of torch.nn."""
    layers, inputs = [], 1
    for block, width in enumerate(NETWORK.channels, 1):
        convolution = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
        convolution.weight.data = params[f"weight{block}"].view_as(convolution.weight).clone()
        pool = [nn.MaxPool2d(2)] if block < len(NETWORK.channels) else []
        layers += [convolution, *pool, nn.GroupNorm(8, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Flatten())


def milliseconds(step: Callable[[], None], repeats: int = 3) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        step()
    return 1000 * (time.perf_counter() - started) / repeats


def main() -> None:
    try:
        interop.easyfsl()
    except ImportError as error:
        sys.exit(f"Nothing to compare with: {error}")
    torch.set_num_threads(1)
    pool = Glyphs(2, 24)
    print("\nTraining step of a prototypical network, one thread")
    print("tasks  ways  shots  queries   ours ms   easyfsl ms   ratio (range)       target")
    for shape in SHAPES:
        episodes = pool.sample(*shape, torch.Generator().manual_seed(1))
        mine, reference = ours(episodes), theirs(episodes)
        milliseconds(mine), milliseconds(reference)
        pairs = [(milliseconds(mine), milliseconds(reference)) for _ in range(ROUNDS)]
        ratios = sorted(b / a for a, b in pairs)
        a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(ratios)
        verdict = "reached" if ratio >= TARGET else "MISSED"
        tasks, ways, shots, queries = shape
        print(
            f"{tasks:5}  {ways:4}  {shots:5}  {queries:7}  {a:8.1f}  {b:11.1f}   "
            f"{ratio:5.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})   ≥ {TARGET} {verdict}"
        )


if __name__ == "__main__":
    main()
