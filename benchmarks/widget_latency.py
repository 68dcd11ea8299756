"""From a slider's change to the new picture's bytes: how long a widget's reader waits.

Each row moves one slider of one widget to and fro, and gives the median and the 95th percentile.
The learners are untrained: an adaptation costs the same.
"""

import time
from collections.abc import Callable
from itertools import cycle

import torch

from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import MLP, ConvNet
from metalearn_lite.tasks.glyphs import Glyphs
from metalearn_lite.widgets.adaptation import AdaptationExplorer, AdaptationModel
from metalearn_lite.widgets.embedding import EmbeddingExplorer
from metalearn_lite.widgets.picture import Picture

TARGET_MS = 50
CHANGES = 200

Case = tuple[Callable[[], None], Picture]


def adaptation(slider: str, values: list[float]) -> Case:
    """Three learners, five points and ten steps: all of the picture changes."""
    generator = torch.Generator().manual_seed(0)
    network = MLP(1, 40, 40, 1)
    learners = {
        name: kind(network, network.init(generator))
        for name, kind in (
            ("MAML", MAML),
            ("joint training", JointTraining),
            ("random start", MAML),
        )
    }
    widget = AdaptationExplorer(AdaptationModel(learners, generator))
    widget.step.value = 10
    return mover(getattr(widget, slider), values), widget.errors


def embedding(slider: str) -> Case:
    """Five classes, two support and four query images of each, seen through four snapshots."""
    generator = torch.Generator().manual_seed(0)
    network = ConvNet((32, 32, 32, 32))
    snapshots = {number: network.init(generator) for number in (0, 10, 100, 200)}
    learner = PrototypicalNetwork(network, snapshots[0])
    episodes = Glyphs(1, 8, 8).sample(2, 5, 2, 4, generator)
    widget = EmbeddingExplorer(learner, snapshots, episodes)
    return mover(getattr(widget, slider), [0, 1, 2, 3], "index"), widget.charts


def mover(slider, values: list[float], trait: str = "value") -> Callable[[], None]:
    """Each call moves ``slider`` on to the next of ``values``, and round again."""
    values = cycle(values)
    return lambda: setattr(slider, trait, next(values))


CASES: dict[str, Callable[[], Case]] = {
    "adaptation explorer, step": lambda: adaptation("step", [0, 3, 5, 10]),
    "adaptation explorer, amplitude": lambda: adaptation("amplitude", [1.0, 2.0, 3.0]),
    "adaptation explorer, inner rate": lambda: adaptation("inner_lr", [0.01, 0.02, 0.05]),
    "embedding explorer, training": lambda: embedding("training"),
    "embedding explorer, query": lambda: embedding("query"),
}


def milliseconds(change: Callable[[], None], picture: Picture) -> list[float]:
    """How long each change took until the picture had new bytes, shortest first."""
    times = []
    for _ in range(CHANGES):
        before = picture.png
        started = time.perf_counter()
        change()
        times.append(1000 * (time.perf_counter() - started))
        assert picture.png != before, "the picture did not change"
    return sorted(times)


def main() -> None:
    print(f"\nfrom a slider's change to the picture's bytes, {CHANGES} changes each")
    print(f"{'':36}median ms    p95 ms    target")
    for name, make in CASES.items():
        change, picture = make()
        change()
        times = milliseconds(change, picture)
        median, p95 = times[CHANGES // 2], times[int(0.95 * CHANGES)]
        verdict = "✔" if p95 <= TARGET_MS else "✘"
        print(f"{name:36}{median:9.1f}{p95:10.1f}    ≤ {TARGET_MS} {verdict}")


if __name__ == "__main__":
    main()
