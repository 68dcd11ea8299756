"""Tasks that nobody has met: made from a few known ones, with their parameters or without."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import INPUT, SineTasks

NUM_PLACES = 32


class RescaledWaves:
    """Known waves with another height: each drawn one is multiplied by a number.

    Args:
        waves: the tasks there are.
        factors: bounds of the factor, drawn evenly on a log scale. (1, 1) leaves them as they are.
    """

    def __init__(self, waves: SineTasks, factors: tuple[float, float] = (0.5, 2.0)):
        checks.positive(least=factors[0], most=factors[1])
        if factors[0] > factors[1]:
            raise ValueError(f"factors={factors}: give the smaller one first")
        self.waves, self.factors = waves, factors

    def draw_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> SineTasks:
        """``num_tasks`` of them, with repeats."""
        chosen = _some(len(self.waves.phase), num_tasks, generator)
        bounds = [math.log(factor) for factor in self.factors]
        factor = torch.empty(num_tasks, 1).uniform_(*bounds, generator=generator).exp()
        return SineTasks(factor * self.waves.amplitude[chosen], self.waves.phase[chosen])


class MixedWaves:
    """A generator that knows what makes a task: amplitude and phase lie between two known tasks'.

    As in mixup (Zhang et al., 2018), but of tasks' parameters. Only what lies between known tasks
    is proposed, nothing beyond.
    """

    def __init__(self, waves: SineTasks):
        self.waves = waves

    def draw_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> SineTasks:
        """``num_tasks`` new waves, each between two that are drawn with repeats."""
        one, two = (_some(len(self.waves.phase), num_tasks, generator) for _ in range(2))
        share = torch.rand(num_tasks, 1, generator=generator)
        return SineTasks(*(share * part[one] + (1 - share) * part[two] for part in self.waves))


class CurveTasks:
    """``T`` tasks given by their values at 32 even places of [-5, 5], with straight lines between.

    Args:
        values: ``(T, 32)``.
    """

    def __init__(self, values: Tensor):
        checks.tensor(values=values)
        if values.dim() != 2 or values.shape[1] != NUM_PLACES:
            raise ValueError(f"values has shape {tuple(values.shape)}: give (T, {NUM_PLACES})")
        self.values = values

    def __call__(self, x: Tensor) -> Tensor:
        """The values ``(T, N)`` at ``x`` ``(T, N, 1)``."""
        low, high = INPUT
        place = ((x.squeeze(-1) - low) / (high - low) * (NUM_PLACES - 1)).clamp(0, NUM_PLACES - 1)
        left = place.floor().long().clamp(max=NUM_PLACES - 2)
        share = place - left
        return (1 - share) * self.values.gather(1, left) + share * self.values.gather(1, left + 1)

    def draw(self, num_points: int, generator: torch.Generator | None = None) -> Examples:
        """``num_points`` examples of each task, ``x`` uniform in [-5, 5]."""
        checks.count(num_points=num_points)
        x = torch.empty(len(self.values), num_points, 1).uniform_(*INPUT, generator=generator)
        return Examples(x, self(x))


class WaveAutoencoder:
    """A generator that is shown curves only: a variational autoencoder (Kingma & Welling, 2014).

    It learns to squeeze the 32 values of each known task into two numbers and back, and so that
    the two numbers are spread like a normal distribution. New numbers then make new tasks.

    Args:
        curves: ``(M, 32)``, the known tasks' values at 32 even places.
        generator: its start, its training, nothing else.
        iterations: training steps, of up to 64 curves.
    """

    def __init__(self, curves: Tensor, generator: torch.Generator, iterations: int = 1500):
        CurveTasks(curves)  # checks the shape
        checks.count(iterations=iterations)
        self.encoder, self.decoder = MLP(NUM_PLACES, 64, 4), MLP(2, 64, 64, NUM_PLACES)
        self.params = {
            f"{name}.{key}": value.requires_grad_()
            for name, part in (("encoder", self.encoder), ("decoder", self.decoder))
            for key, value in part.init(generator).items()
        }
        self.scale = curves.std().clamp(min=1e-6)
        adam = torch.optim.Adam(self.params.values(), lr=3e-3)
        for _ in range(iterations):
            some = curves[_some(len(curves), min(64, len(curves)), generator)] / self.scale
            adam.zero_grad()
            self.loss(some, generator).backward()
            adam.step()

    def loss(self, curves: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Minus the evidence lower bound, with a noise of standard deviation 0.1: a scalar."""
        mean, log_variance = self._part("encoder", self.encoder, curves).chunk(2, 1)
        noise = torch.randn(mean.shape, generator=generator)
        again = self.decode(mean + (0.5 * log_variance).exp() * noise)
        misfit = (again - curves).square().sum(1) / (2 * 0.1**2)
        return (misfit + divergence(mean, log_variance)).mean()

    def decode(self, code: Tensor) -> Tensor:
        """The curves ``(T, 32)`` of ``code`` ``(T, 2)``, in the units it was trained in."""
        return self._part("decoder", self.decoder, code)

    def _part(self, name: str, network: MLP, x: Tensor) -> Tensor:
        own = {k.split(".")[1]: v for k, v in self.params.items() if k.startswith(name)}
        return network(own, x.unsqueeze(0))[0]

    @torch.no_grad()
    def draw_tasks(self, num_tasks: int, generator: torch.Generator | None = None) -> CurveTasks:
        """``num_tasks`` curves that it has made up."""
        checks.count(num_tasks=num_tasks)
        code = torch.randn(num_tasks, 2, generator=generator)
        return CurveTasks(self.scale * self.decode(code))


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """How far each normal ``(T, D)`` is from the standard one, in nats: Kullback & Leibler's."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def curves_of(waves: SineTasks) -> Tensor:
    """The values ``(T, 32)`` of waves at 32 even places."""
    x = torch.linspace(*INPUT, NUM_PLACES).view(1, -1, 1).expand(len(waves.phase), -1, -1)
    return waves(x)


def episodes_of(
    source, num_tasks: int, num_shots: int, num_queries: int = 10, generator=None
) -> Episodes:
    """Episodes of tasks that ``source.draw_tasks`` makes."""
    tasks = source.draw_tasks(num_tasks, generator)
    return Episodes(tasks.draw(num_shots, generator), tasks.draw(num_queries, generator))


def _some(there_are: int, number: int, generator: torch.Generator | None) -> Tensor:
    checks.count(num_tasks=number)
    return torch.randint(there_are, (number,), generator=generator)
