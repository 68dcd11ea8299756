"""What the learners' tests measure against: quadratics with a closed form, and differences."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from metalearn_lite import interop
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.networks import MLP, Params
from metalearn_lite.tasks.sinusoids import Sinusoids


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def require_learn2learn() -> None:
    """Skips the test without learn2learn, or fails it where that has to be there."""
    try:
        interop.learn2learn()
    except ImportError as error:
        if os.environ.get("METALEARN_LITE_REQUIRE_LEARN2LEARN"):
            raise
        pytest.skip(str(error))


def double(episodes: Episodes) -> Episodes:
    return Episodes(*(Examples(half.x.double(), half.y.double()) for half in episodes))


def relative_error(a: Params, b: Params) -> float:
    assert a.keys() == b.keys()
    a, b = (torch.cat([side[name].flatten() for name in b]) for side in (a, b))
    return ((a - b).norm() / b.norm()).item()


def waves(num_tasks: int = 4, num_shots: int = 5, num_queries: int = 6, seed: int = 2) -> Episodes:
    """Sinusoids in float64."""
    return double(Sinusoids().sample(num_tasks, num_shots, num_queries, generator(seed)))


def small_network() -> tuple[MLP, Params]:
    """A network of 61 parameters, in float64."""
    network = MLP(1, 6, 6, 1)
    params = network.init(generator(1))
    return network, {name: value.double() for name, value in params.items()}


class Linear:
    """y = x·w: with squared error, each task's loss is a quadratic in w."""

    def __call__(self, params: Params, x: Tensor) -> Tensor:
        weight = params["w"]
        return torch.einsum("tnd,td->tn" if weight.dim() == 2 else "tnd,d->tn", x, weight)


class Quadratic(NamedTuple):
    """A loss with gradient H w - b."""

    hessian: Tensor
    b: Tensor

    def gradient(self, w: Tensor) -> Tensor:
        return self.hessian @ w - self.b

    @property
    def minimum(self) -> Tensor:
        return torch.linalg.solve(self.hessian, self.b)


def linear_tasks(seed: int, num_tasks: int = 4, num_examples: int = 6, size: int = 5) -> Episodes:
    """Random tasks for ``Linear``. At least ``size`` examples give the Hessian an inverse."""
    shape = (2, num_tasks, num_examples, size + 1)
    numbers = torch.randn(shape, generator=generator(seed), dtype=torch.float64)
    return Episodes(*(Examples(half[..., :size], half[..., size]) for half in numbers))


def quadratics(examples: Examples) -> list[Quadratic]:
    """Each task's mean squared error as a quadratic in w."""
    return [
        Quadratic(2 * x.T @ x / len(x), 2 * x.T @ y / len(x))
        for x, y in zip(*examples, strict=True)
    ]


def numeric_gradient(
    loss_at: Callable[[Params], float], params: Params, names: Sequence[str] | None = None
) -> Params:
    """Central differences, one number at a time."""
    step, numeric = 1e-6, {}
    for name in params if names is None else names:
        numeric[name] = torch.zeros_like(params[name])
        for index in range(params[name].numel()):
            sides = []
            for sign in (1, -1):
                moved = {key: tensor.detach().clone() for key, tensor in params.items()}
                moved[name].view(-1)[index] += sign * step
                sides.append(loss_at(moved))
            numeric[name].view(-1)[index] = (sides[0] - sides[1]) / (2 * step)
    return numeric


def numeric_meta_gradient(learner, episodes: Episodes) -> Params:
    """Central differences of ``learner.meta_loss`` in all that meta-training changes."""
    own = learner.params

    def loss_at(params: Params) -> float:
        learner.params = {name: value.requires_grad_() for name, value in params.items()}
        try:
            return learner.meta_loss(episodes).item()
        finally:
            learner.params = own

    return numeric_gradient(loss_at, own)


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard's own reader finds in ``folder``: by curve, iterations and values."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    # It reads files by their names, which tell only the second and the process that made them.
    written = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for number, path in enumerate(written):
        path.rename(folder / f"events.out.tfevents.{number:04}")
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }
