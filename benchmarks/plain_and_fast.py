"""What each part of `metalearn_lite.fast` gains over its plain twin: the figures of its README.

Both give the same numbers (tests/fast/). Both run on one thread, and what is counted is its
processor time. Rounds of the two alternate. A row gives the median over rounds, and the range of
the ratio over rounds.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from benchmarks._side_by_side import side_by_side
from metalearn_lite.episodes import Episodes
from metalearn_lite.fast.compiling import compiled_meta_gradient
from metalearn_lite.fast.differentiable_twice import batch_norm, convolve
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP, ConvClassifier
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.sinusoids import Sinusoids

TASKS, IMAGES, WIDTH, SIZE = 16, 5, 32, 14


def on_waves(fast: bool, inner_steps: int, compile: bool = False) -> Callable[[], object]:
    """The meta-gradient of 25 sinusoids, 10 shots."""
    network, episodes = MLP(1, 40, 40, 1), Sinusoids().sample(25, 10, 10, seeded(1))
    learner = MAML(network, network.init(seeded(0)), 0.01, inner_steps)
    learner.fast = fast
    meta_gradient = compiled_meta_gradient(learner) if compile else learner.meta_gradient
    return lambda: meta_gradient(episodes)


def on_characters(fast: bool, episodes: Episodes) -> Callable[[], object]:
    """The meta-gradient of 16 tasks of 5 ways, 1 shot and 15 queries a class; one inner step."""
    network = ConvClassifier(5, WIDTH)
    network.fast = fast
    learner = MAML(network, network.init(seeded(0)), 0.4, 1)
    return lambda: learner.meta_gradient(episodes)


def twice(layer: Callable, *shapes: tuple[int, ...]) -> Callable[[], object]:
    """The second derivatives of a layer, as a meta-gradient takes them."""
    inputs = [torch.randn(shape, generator=seeded(2)).requires_grad_() for shape in shapes]
    inputs[0].data = inputs[0].data.contiguous(memory_format=torch.channels_last)

    def step() -> None:
        first = torch.autograd.grad(layer(*inputs).square().sum(), inputs, create_graph=True)
        torch.autograd.grad(sum(part.square().sum() for part in first), inputs)

    return step


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def plain_convolution(images, kernels):
    return F.conv2d(images, kernels, stride=2, padding=1, groups=TASKS)


def plain_batch_norm(x, scale, shift):
    return F.batch_norm(x, None, None, scale, shift, training=True)


def main() -> None:
    torch.set_num_threads(1)
    episodes = Glyphs(2, 24).sample(TASKS, 5, 1, 15, seeded(1))
    maps = (IMAGES, TASKS * WIDTH, SIZE, SIZE)
    kernels, channels = (TASKS * WIDTH, WIDTH, 3, 3), (TASKS * WIDTH,)
    cases = {
        "inner step, k = 1": (on_waves(True, 1), on_waves(False, 1), 20, 15),
        "inner step, k = 5": (on_waves(True, 5), on_waves(False, 5), 10, 15),
        "compiled, k = 1": (on_waves(True, 1, True), on_waves(False, 1), 20, 15),
        "compiled, k = 5": (on_waves(True, 5, True), on_waves(False, 5), 10, 15),
        "ConvClassifier": (on_characters(True, episodes), on_characters(False, episodes), 1, 5),
        "convolution, twice": (
            twice(lambda images, kernels: convolve(images, kernels, TASKS), maps, kernels),
            twice(plain_convolution, maps, kernels),
            1,
            7,
        ),
        "batch norm, twice": (
            twice(batch_norm, maps, channels, channels),
            twice(plain_batch_norm, maps, channels, channels),
            1,
            7,
        ),
    }
    print("\nPlain and fast, one thread")
    print("                      fast ms   plain ms   ratio (range)")
    for name, (fast, plain, repeats, rounds) in cases.items():
        timing = side_by_side(fast, plain, (repeats, repeats), rounds)
        print(
            f"{name:20} {timing.ours:8.2f}   {timing.theirs:8.2f}   {timing.ratio:5.2f} "
            f"({timing.least:.2f} to {timing.most:.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
