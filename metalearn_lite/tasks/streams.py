"""Streams: waves that arrive one after the other, from worlds that drift, give way and return."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes
from metalearn_lite.tasks.sinusoids import SineTasks

WORLD_AMPLITUDE = (1.0, 4.0)
"""where the middle of a world's amplitudes lies"""
LEAST_AMPLITUDE = 0.1


class Streams(NamedTuple):
    """``S`` streams of ``R`` rounds; each round brings one wave, ``amplitude · sin(x - phase)``."""

    amplitude: Tensor
    """``(S, R)``"""
    phase: Tensor
    """``(S, R)``, in radians; not wrapped, so a drift past 2π goes on"""
    world: Tensor
    """``(S, R)``, int64: the world that the wave comes from. No learner sees it."""

    @property
    def jumps(self) -> Tensor:
        """``(S, R)``, True in the first round of another world than the round before."""
        changed = self.world[:, 1:] != self.world[:, :-1]
        return torch.cat([torch.zeros_like(changed[:, :1]), changed], 1)

    def waves(self, number: int) -> SineTasks:
        """The waves of all streams in round ``number``, 0 … R - 1: S tasks."""
        checks.count(0, self.phase.shape[1] - 1, number=number)
        return SineTasks(self.amplitude[:, number, None], self.phase[:, number, None])

    def rounds(
        self, num_shots: int, num_queries: int = 10, generator: torch.Generator | None = None
    ) -> list[Episodes]:
        """Each round's tasks with their points: ``R`` Episodes of ``S`` tasks."""
        checks.count(num_shots=num_shots, num_queries=num_queries)
        checks.fits(waves=self.phase.numel(), num_points=num_shots + num_queries)
        drawn = (self.waves(number) for number in range(self.phase.shape[1]))
        return [
            Episodes(waves.draw(num_shots, generator), waves.draw(num_queries, generator))
            for waves in drawn
        ]


class WaveStreams:
    """Worlds of waves. A world's waves are alike: amplitude and phase lie near its middle.

    The middle drifts a little in every round, in a direction of its own. After ``stay`` rounds the
    stream jumps to another world, in turn; after the last the first returns, where it was left.

    Args:
        num_worlds: how many worlds take turns; with 1 nothing ever jumps.
        stay: how many rounds a world lasts, drawn evenly between these two each time.
        spread: standard deviation of a wave's phase around the middle, in radians. Its amplitude
            has the same in units.
        drift: how far the middle's phase moves in one round, in radians.
    """

    def __init__(
        self,
        num_worlds: int = 3,
        stay: tuple[int, int] = (25, 40),
        spread: float = 0.4,
        drift: float = 0.01,
    ):
        checks.count(num_worlds=num_worlds)
        if not isinstance(stay, list | tuple) or len(stay) != 2:
            raise ValueError(
                f"stay={stay!r}: give two whole numbers, the least and the most rounds"
            )
        checks.count(**{"stay[0]": stay[0]})
        checks.count(stay[0], **{"stay[1]": stay[1]})
        checks.rate(spread=spread)
        checks.finite(drift=drift)
        self.num_worlds, self.stay = num_worlds, tuple(stay)
        self.spread, self.drift = spread, drift

    def draw(
        self, num_streams: int, num_rounds: int, generator: torch.Generator | None = None
    ) -> Streams:
        """``num_streams`` streams, each with worlds and jumps of its own."""
        checks.count(num_streams=num_streams, num_rounds=num_rounds)
        checks.fits(num_streams=num_streams, num_rounds=num_rounds)
        shape, worlds = (num_streams, num_rounds), (num_streams, self.num_worlds)
        world = self._worlds(shape, generator)
        # Evenly around the circle, from a first one at random: no two worlds are ever alike.
        first = torch.rand(num_streams, 1, generator=generator)
        phases = 2 * math.pi * (first + torch.arange(self.num_worlds) / self.num_worlds)
        amplitudes = torch.empty(worlds).uniform_(*WORLD_AMPLITUDE, generator=generator)
        ways = self.drift * (2 * torch.randint(2, worlds, generator=generator) - 1)
        # A world drifts only while it lasts: by how many of its rounds there were so far.
        here = torch.nn.functional.one_hot(world, self.num_worlds)
        lasted = (here.cumsum(1) * here).sum(2) - 1
        noise = self.spread * torch.randn(2, *shape, generator=generator)
        amplitude = amplitudes.gather(1, world) + noise[0]
        phase = phases.gather(1, world) + ways.gather(1, world) * lasted + noise[1]
        return Streams(amplitude.clamp(min=LEAST_AMPLITUDE), phase, world)

    def _worlds(self, shape: tuple[int, int], generator) -> Tensor:
        num_streams, num_rounds = shape
        most = -(-num_rounds // self.stay[0])
        stays = torch.randint(
            self.stay[0], self.stay[1] + 1, (num_streams, most), generator=generator
        )
        ends = stays.cumsum(1)
        turn = (torch.arange(num_rounds)[:, None] >= ends[:, None, :]).sum(2)
        return turn % self.num_worlds
