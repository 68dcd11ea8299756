"""A prototypical network's training step beside easyfsl's, in one process.

Both hold the same embedding (16-32-64-64 channels, normalised by groups), see the same episodes and
end with a step of Adam. easyfsl takes one task at a time and the plain distance, ours all tasks at
once and the squared one. Both run on one thread, and what is counted is its processor time. Rounds
of the two alternate. A row gives the median over rounds, and the range of the ratio over rounds.
"""

import sys
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks._side_by_side import side_by_side
from metalearn_lite import interop
from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import ConvNet
from metalearn_lite.tasks.characters import Glyphs

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
        timing = side_by_side(mine, reference, (3, 3), ROUNDS)
        tasks, ways, shots, queries = shape
        print(
            f"{tasks:5}  {ways:4}  {shots:5}  {queries:7}  "
            f"{timing.ours:8.1f}  "
            f"{timing.theirs:11.1f}   {timing.ratio:5.2f} ({timing.least:.2f} to {timing.most:.2f})"
            f"   ≥ {TARGET} {timing.reaches(TARGET)}"
        )


if __name__ == "__main__":
    main()
