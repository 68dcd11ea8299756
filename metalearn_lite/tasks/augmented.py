"""Few real tasks of characters, and more of them by an augmentation of whole tasks."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.images import turned
from metalearn_lite.tasks.characters import Characters
from metalearn_lite.tasks.characters.choosing import choose


class FixedTasks:
    """Tasks as somebody has recorded them: which characters, and which label each of them has.

    No character is in two tasks. So whoever knows a character by heart knows its label, too, and
    needs no support (Yin, Tucker, Zhou, Levine & Finn, 2020).

    Args:
        pool: where the characters come from.
        num_tasks: how many tasks, of ``num_ways`` characters each.
        generator: which of the characters, and in what order.

    Raises:
        ValueError: the pool has too few characters.
    """

    def __init__(
        self,
        pool: Characters,
        num_tasks: int,
        num_ways: int = 5,
        generator: torch.Generator | None = None,
    ):
        checks.count(num_tasks=num_tasks)
        checks.count(1, pool.num_characters, num_ways=num_ways)
        checks.count(1, pool.num_characters // num_ways, num_tasks=num_tasks)
        chosen = torch.randperm(pool.num_characters, generator=generator)[: num_tasks * num_ways]
        self.pool = pool.take(chosen.tolist())
        """only the characters of these tasks; ``pool.sample`` mixes them to tasks of any five"""
        self.classes = torch.arange(num_tasks * num_ways).view(num_tasks, num_ways)
        """``(num_tasks, num_ways)``: each task's characters, by label"""

    def sample(
        self,
        num_tasks: int,
        num_shots: int = 1,
        num_queries: int = 3,
        generator: torch.Generator | None = None,
    ) -> Episodes:
        """``num_tasks`` of the tasks, with repeats, each time with other people's drawings."""
        checks.count(num_tasks=num_tasks, num_shots=num_shots, num_queries=num_queries)
        checks.count(1, self.pool.num_drawers, images_of_a_character=num_shots + num_queries)
        classes = self.classes[torch.randint(len(self.classes), (num_tasks,), generator=generator)]
        need = num_shots + num_queries
        drawers = choose(*classes.shape, self.pool.num_drawers, need, generator)
        halves = drawers.split([num_shots, num_queries], 2)
        return Episodes(*(self.pool.examples(classes, half) for half in halves))


def permute_labels(episodes: Episodes, generator: torch.Generator | None = None) -> Episodes:
    """The same tasks with other labels: in each, support and query alike, the labels change places.

    A class by any other number is the same class. A learner that knows a number by heart is wrong
    now (Rajendran, Irpan & Jang, 2020).
    """
    checks.asked(episodes)
    num_ways = int(checks.classes(episodes.support).y.max()) + 1
    new = torch.rand(episodes.num_tasks, num_ways, generator=generator).argsort(1)
    return Episodes(*(Examples(x, new.gather(1, y)) for x, y in episodes))


def turn_tasks(episodes: Episodes, generator: torch.Generator | None = None) -> Episodes:
    """Each task as a whole, support and query alike, turned by none to three quarters.

    A sign on its side is another sign: Santoro et al. (2016) made new classes so.
    """
    checks.asked(episodes)
    for half in episodes:
        checks.pixels(half.x)
    quarters = torch.randint(4, (episodes.num_tasks,), generator=generator)
    return Episodes(*(Examples(_turned(x, quarters), y) for x, y in episodes))


def _turned(x: Tensor, quarters: Tensor) -> Tensor:
    versions = torch.stack([turned(x, number) for number in range(4)])
    return versions[quarters, torch.arange(len(x))]
