"""Wrong labels: support sets in which somebody has changed a share of the answers."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Examples

KINDS = ("random", "targeted")
PLACES = ("anywhere", "middle", "edge")
REACH = 5.0
MOST = 0.5
"""of a class: were more than half of its labels wrong, nothing could tell them from the right"""


class Poisoned(NamedTuple):
    """The support as the learner gets it, and which of its answers are wrong."""

    support: Examples
    wrong: Tensor
    """``(T, N)``, True where the answer was changed"""


def poison(
    support: Examples,
    share: float,
    kind: str = "random",
    place: str = "anywhere",
    generator: torch.Generator | None = None,
) -> Poisoned:
    """Changes a ``share`` of each class's labels, or of each task's values.

    Args:
        support: classes or values. It is not changed itself.
        share: 0 … 0.5, rounded to whole examples (halves upwards).
        kind: "random" draws each wrong label from the other classes, each wrong value uniformly
            from -5 … 5. "targeted" has all wrong answers mislead alike: each says the next class
            (the last class says the first), or the value with its sign turned round.
        place: which examples: "anywhere" draws them; "middle" takes those nearest to the mean
            input of their class or task, "edge" those farthest from it.
        generator: draws. The same one gives the same poison.

    Raises:
        ValueError: ``share`` is above one half, a name is unknown, or there is only one class.
    """
    checks.choice(KINDS, kind=kind)
    checks.choice(PLACES, place=place)
    checks.chance(share=share)
    if share > MOST:
        raise ValueError(f"share={share:g}: choose at most {MOST:g}, so that most labels are right")
    values = support.y.is_floating_point() if isinstance(support, Examples) else False
    if values:
        checks.examples(support)
    else:
        support = checks.classes(support)
    groups = torch.zeros_like(support.y, dtype=torch.int64) if values else support.y
    wrong = _chosen(support.x, groups, share, place, generator)
    new = _values(support.y, kind, generator) if values else _labels(support.y, kind, generator)
    return Poisoned(Examples(support.x, torch.where(wrong, new, support.y)), wrong)


def _chosen(x: Tensor, groups: Tensor, share: float, place: str, generator) -> Tensor:
    """Which examples ``(T, N)``: in each group its share, by random or by distance."""
    if place == "anywhere":
        score = torch.rand(groups.shape, generator=generator, dtype=torch.float64)
    else:
        of_group = F.one_hot(groups).double()
        flat = x.detach().flatten(2).double()
        means = (of_group.transpose(1, 2) @ flat) / of_group.sum(1).clamp(min=1).unsqueeze(-1)
        own = means.gather(1, groups.unsqueeze(-1).expand(-1, -1, flat.shape[-1]))
        score = (flat - own).square().sum(-1) * (1 if place == "middle" else -1)
    together = groups.unsqueeze(1) == groups.unsqueeze(2)
    order = torch.arange(groups.shape[1])
    # Before me: a smaller score, or where scores are equal an earlier place.
    mine, other = score.unsqueeze(2), score.unsqueeze(1)
    before = (other < mine) | ((other == mine) & (order.view(1, -1) < order.view(-1, 1)))
    number = torch.floor(share * together.sum(2) + 0.5 + 1e-9)
    return (before & together).sum(2) < number


def _labels(y: Tensor, kind: str, generator) -> Tensor:
    num_ways = int(y.max()) + 1
    if num_ways < 2:
        raise ValueError("there is only one class: a wrong label needs a second one")
    away = torch.ones_like(y)
    if kind == "random":
        away = torch.randint(1, num_ways, y.shape, generator=generator)
    return (y + away) % num_ways


def _values(y: Tensor, kind: str, generator) -> Tensor:
    if kind == "targeted":
        return -y
    return torch.empty_like(y).uniform_(-REACH, REACH, generator=generator)
