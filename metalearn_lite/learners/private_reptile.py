"""Reptile as private federated averaging: tasks are people who keep their data."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.reptile import Reptile, minibatch
from metalearn_lite.networks import Network, Params, beside, lengths


class PrivateReptile(Reptile):
    """Federated averaging of clipped and noised updates (McMahan et al., 2018), as Reptile.

    Each task is a client. It adapts on its own examples and sends only how far it moved, φ - θ,
    shortened to ``clip``. The server adds up what arrives, adds normal noise of standard
    deviation ``noise_multiplier · clip``, and divides by ``expected``. Nobody's examples travel.

    ``clip=inf`` and ``noise_multiplier=0`` are Reptile.

    Args:
        network, params, inner_lr, inner_steps, batch_size: as of `Reptile`.
        clip: no client's update is longer than this, over all parameters together.
        noise_multiplier: z. What it is worth is said by `epsilon`.
        expected: how many clients take part in a round, on average. A number that does not depend
            on who came: dividing by how many came would tell. 0 divides by how many came.
        seed: of the noise.
    """

    shares_tasks = False  # noise is drawn once for all clients

    def __init__(
        self,
        network: Network,
        params: Params,
        inner_lr: float = 0.02,
        inner_steps: int = 5,
        batch_size: int = 5,
        clip: float = 1.0,
        noise_multiplier: float = 1.0,
        expected: float = 0.0,
        seed: int = 0,
    ):
        checks.rate(noise_multiplier=noise_multiplier, expected=expected)
        checks.count(0, seed=seed)
        if clip != math.inf:
            checks.positive(clip=clip)
        elif noise_multiplier:
            raise ValueError("clip=inf has no length to measure noise by: choose a finite clip")
        super().__init__(network, params, inner_lr, inner_steps, batch_size)
        self.clip, self.noise_multiplier, self.expected = clip, noise_multiplier, expected
        self.seed = seed
        self._noise = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def updates(self, episodes: Episodes) -> tuple[Tensor, Params]:
        """What each client would send, φ - θ ``(T, …)``, before clipping; and its loss ``(T,)``."""
        checks.asked(episodes)
        examples = Examples(*(torch.cat(halves, 1) for halves in zip(*episodes, strict=True)))
        adapted = start = self.start(examples)
        for step in range(self.inner_steps):
            adapted = self.inner_step(adapted, minibatch(examples, self.batch_size, step))
        losses = task_losses(self.predict(adapted, examples.x), examples.y)
        return losses, {name: value - start[name] for name, value in adapted.items()}

    @torch.no_grad()
    def meta_gradient(self, episodes: Episodes) -> tuple[Tensor, Params]:
        """The clients' mean loss, and minus their private mean update, divided by α."""
        losses, sent = self.updates(episodes)
        expected = self.expected or len(losses)
        mean = private_mean(sent, self.clip, self.noise_multiplier, expected, self._noise)
        return losses.mean(), {name: -value / self.inner_lr for name, value in mean.items()}


def clipped(updates: Params, clip: float) -> Params:
    """Each client's update ``(T, …)``, shortened to length ``clip`` over all parameters at once."""
    if clip == math.inf:
        return updates
    # 1 for what is short enough, zero included
    factor = clip / lengths(updates.values()).clamp(min=clip)
    return {name: value * beside(value, factor) for name, value in updates.items()}


def private_mean(
    updates: Params,
    clip: float,
    noise_multiplier: float,
    expected: float,
    generator: torch.Generator,
) -> Params:
    """The clipped updates' sum, with noise of ``noise_multiplier · clip``, over ``expected``."""
    mean = {}
    for name, value in clipped(updates, clip).items():
        total = value.sum(0)
        if noise_multiplier:
            noise = torch.randn(total.shape, generator=generator).to(total)
            total = total + noise_multiplier * clip * noise
        mean[name] = total / expected
    return mean


def epsilon(
    noise_multiplier: float, rounds: int, delta: float = 1e-4, chance: float = 1.0
) -> float:
    """The ε that ``rounds`` of noised sums have spent, by Google's ``dp-accounting``.

    Neighbours differ in one client. Computed from the distribution of the privacy loss, which is
    as tight as can be but for rounding (Koskela, Jälkö & Honkela, 2020).

    Args:
        noise_multiplier: z; 0 spends infinity.
        rounds: how many sums are published.
        delta: δ, the chance that the promise of ε may fail. Below one in the number of clients.
        chance: with which each client takes part in a round, on its own toss (Poisson sampling).
    """
    checks.rate(noise_multiplier=noise_multiplier)
    checks.count(rounds=rounds)
    checks.chance(delta=delta, chance=chance)
    if noise_multiplier == 0:
        return math.inf
    import dp_accounting  # here, as it takes longer to import than all of this package
    from dp_accounting import pld

    event = dp_accounting.GaussianDpEvent(noise_multiplier)
    if chance < 1:
        event = dp_accounting.PoissonSampledDpEvent(chance, event)
    accountant = pld.PLDAccountant(value_discretization_interval=1e-3)
    accountant.compose(dp_accounting.SelfComposedDpEvent(event, rounds))
    return float(accountant.get_epsilon(delta))


def membership(members: Tensor, others: Tensor) -> tuple[float, float]:
    """How well a score tells members from others: the AUC, and half its 95 % interval.

    The AUC is the chance that a member scores *higher* than somebody else, a tie counting half:
    0.5 is guessing. The interval is that of Hanley & McNeil (1982).

    Args:
        members, others: ``(M,)`` and ``(N,)`` scores, such as minus a loss.
    """
    checks.tensor(members=members, others=others)
    if members.dim() != 1 or others.dim() != 1 or not (len(members) and len(others)):
        raise ValueError(
            f"members {tuple(members.shape)} and others {tuple(others.shape)}: give (M,) and (N,), "
            "at least one score each"
        )
    apart = members.unsqueeze(1) - others
    area = (apart > 0).double().mean().item() + 0.5 * (apart == 0).double().mean().item()
    of_two_members, of_two_others = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area)
        + (len(members) - 1) * (of_two_members - area**2)
        + (len(others) - 1) * (of_two_others - area**2)
    ) / (len(members) * len(others))
    return area, 1.96 * math.sqrt(max(variance, 0.0))
