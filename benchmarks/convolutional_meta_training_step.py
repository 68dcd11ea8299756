"""Convolutional MAML's meta-training step beside learn2learn's, in one process.

16 tasks, 5-way 1-shot with 15 queries a class, images of 28 × 28, four blocks of 32 filters, second
order, Adam. Both hold the same network, see the same episodes and normalise over the same images.
Both run on one thread, and what is counted is its processor time: other programs cost it no more
than cache. Rounds of the two alternate. A row gives the median over rounds, and the ratio's range.

Beside the times stands the arithmetic of the step: what its convolutions must compute, counted from
their shapes, over the time it took, against how fast this processor multiplies two large matrices.
That shows how far the step is from what the machine can do at all.
"""

import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks._side_by_side import milliseconds, side_by_side
from metalearn_lite import interop
from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import ConvClassifier, Params
from metalearn_lite.tasks.characters import Glyphs

NUM_TASKS, NUM_WAYS, NUM_SHOTS, NUM_QUERIES = 16, 5, 1, 15
NETWORK = ConvClassifier(NUM_WAYS, 32)
INNER_LR, OUTER_LR = 0.4, 1e-3
TARGET = 2
ROUNDS = 7


def ours(episodes: Episodes, inner_steps: int) -> Callable[[], None]:
    """The step that `meta_train` takes."""
    params = NETWORK.init(torch.Generator().manual_seed(0))
    learner = MAML(NETWORK, params, INNER_LR, inner_steps)
    optimizer = torch.optim.Adam(learner.params.values(), lr=OUTER_LR, fused=True)

    def step() -> None:
        _, gradient = learner.meta_gradient(episodes)
        for name, value in learner.params.items():
            value.grad = gradient[name].contiguous()
        optimizer.step()

    return step


def theirs(episodes: Episodes, inner_steps: int) -> Callable[[], None]:
    """The loop of learn2learn's own examples."""
    module = as_module(NETWORK.init(torch.Generator().manual_seed(0)))
    optimizer = torch.optim.Adam(module.parameters(), lr=OUTER_LR)

    def step() -> None:
        optimizer.zero_grad()
        accumulate_gradients(module, episodes, INNER_LR, inner_steps, first_order=False)
        optimizer.step()

    return step


def as_module(params: Params) -> nn.Sequential:
    """A `ConvClassifier` with ``params`` (without a task axis) as a module of torch.nn."""
    layers = []
    for block in range(1, 5):
        kernels = to_kernels(params[f"weight{block}"])
        convolution = nn.Conv2d(kernels.shape[1], len(kernels), 3, 2, 1, bias=False)
        convolution.weight.data = kernels.detach().clone()
        norm = nn.BatchNorm2d(len(kernels), track_running_stats=False)
        norm.weight.data = params[f"scale{block}"].detach().clone()
        norm.bias.data = params[f"shift{block}"].detach().clone()
        layers += [convolution, norm, nn.ReLU()]
    head = nn.Linear(*params["weight5"].shape)
    head.weight.data = params["weight5"].detach().T.clone()
    head.bias.data = params["bias5"].detach().flatten().clone()
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def to_kernels(weight: Tensor) -> Tensor:
    """``(outputs, 9 · inputs)``, input channels last, as torch.nn has it: inputs before places."""
    return weight.unflatten(1, (3, 3, -1)).permute(0, 3, 1, 2).contiguous()


def accumulate_gradients(
    module: nn.Module, episodes: Episodes, inner_lr: float, inner_steps: int, first_order: bool
) -> None:
    """The mean meta-gradient over tasks into ``.grad``: clone, adapt, backward, task by task."""
    maml = interop.learn2learn().algorithms.MAML(module, lr=inner_lr, first_order=first_order)
    for x, y, query_x, query_y in zip(*episodes.support, *episodes.query, strict=True):
        learner = maml.clone()
        for _ in range(inner_steps):
            learner.adapt(F.cross_entropy(learner(x), y))
        (F.cross_entropy(learner(query_x), query_y) / episodes.num_tasks).backward()


def gradients_of(module: nn.Sequential) -> Params:
    """The ``.grad`` of an `as_module` network, in our layout."""
    gradients = {}
    convolutions = [layer for layer in module if isinstance(layer, nn.Conv2d)]
    norms = [layer for layer in module if isinstance(layer, nn.BatchNorm2d)]
    for block, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True), 1):
        gradients[f"weight{block}"] = convolution.weight.grad.permute(0, 2, 3, 1).flatten(1)
        gradients[f"scale{block}"], gradients[f"shift{block}"] = norm.weight.grad, norm.bias.grad
    gradients["weight5"] = module[-1].weight.grad.T
    gradients["bias5"] = module[-1].bias.grad.unsqueeze(0)
    return gradients


def operations(inner_steps: int) -> float:
    """The multiplications and additions that the step's convolutions and heads cannot do without.

    A pass forward costs one; a pass backward two, the gradients of the input (block 1 needs none)
    and of the weights. The second derivative of a support pass differentiates its pass backward:
    each of its two products again gives two.
    """
    inputs, size = 1, 28
    layers = []
    for _ in range(4):
        size = (size + 1) // 2
        layers.append(2 * 9 * inputs * NETWORK.width * size**2)
        inputs = NETWORK.width
    layers.append(2 * NETWORK.width * NUM_WAYS)
    first, rest = layers[0], sum(layers[1:])
    support, query = NUM_TASKS * NUM_WAYS * NUM_SHOTS, NUM_TASKS * NUM_WAYS * NUM_QUERIES
    # Forward, backward, and both differentiated: 1 + 2 + 2 + 4, of block 1 only 1 + 1 + 1 + 1.
    support_pass = support * (4 * first + 9 * rest)
    return inner_steps * support_pass + query * (2 * first + 3 * rest)


def peak(size: int = 1024) -> float:
    """Operations a second in a product of two large matrices, the best of ten."""
    a, b = torch.randn(2, size, size, generator=torch.Generator().manual_seed(0))
    seconds = min(milliseconds(lambda: a @ b) for _ in range(10)) / 1000
    return 2 * size**3 / seconds


def main() -> None:
    try:
        interop.learn2learn()
    except ImportError as error:
        sys.exit(f"Nothing to compare with: {error}")
    torch.set_num_threads(1)
    shape = (NUM_TASKS, NUM_WAYS, NUM_SHOTS, NUM_QUERIES)
    episodes = Glyphs(2, 24).sample(*shape, torch.Generator().manual_seed(1))
    fastest = peak()
    print(f"\nConvolutional MAML meta-training step, {NUM_TASKS} tasks, one thread")
    print(f"A large matrix product runs at {fastest / 1e9:.0f} GFLOP/s here.")
    print(
        "inner steps   ours ms   learn2learn ms   ratio (range)       target        ours, of peak"
    )
    for inner_steps in (1, 5):
        mine, reference = ours(episodes, inner_steps), theirs(episodes, inner_steps)
        timing = side_by_side(mine, reference, (2, 1), ROUNDS)
        work = operations(inner_steps)
        print(
            f"{inner_steps:11}  {timing.ours:8.0f}  {timing.theirs:15.0f}   {timing.ratio:5.2f} "
            f"({timing.least:.2f} to {timing.most:.2f})   ≥ {TARGET} {timing.reaches(TARGET)}   "
            f"{work / 1e9:.1f} GFLOP, {100 * work / (timing.ours / 1000) / fastest:.0f} %"
        )


if __name__ == "__main__":
    main()
