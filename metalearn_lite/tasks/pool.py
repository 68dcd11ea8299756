"""A fixed set of tasks, such as the people of a federation, drawn again and again."""

from __future__ import annotations

import torch

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples


class TaskPool:
    """The tasks of ``episodes``, each with its own examples, which stay the same.

    Args:
        episodes: support and query of all tasks.
    """

    def __init__(self, episodes: Episodes):
        checks.asked(episodes)
        self.episodes = episodes

    def __len__(self) -> int:
        return self.episodes.num_tasks

    def take(self, places: torch.Tensor) -> Episodes:
        """The tasks at ``places``."""
        return Episodes(*(Examples(half.x[places], half.y[places]) for half in self.episodes))

    def sample(self, num_tasks: int, generator: torch.Generator | None = None) -> Episodes:
        """``num_tasks`` different tasks.

        Raises:
            ValueError: there are not so many.
        """
        checks.count(1, len(self), num_tasks=num_tasks)
        return self.take(torch.randperm(len(self), generator=generator)[:num_tasks])

    def toss(self, chance: float, generator: torch.Generator | None = None) -> Episodes:
        """Each task comes with this ``chance``, on its own toss: Poisson sampling.

        So how many come is chance, too. It can be none: then one is drawn after all, since a round
        needs somebody. (With 100 expected that is one round in 10⁴³.)
        """
        checks.chance(chance=chance)
        came = torch.rand(len(self), generator=generator) < chance
        if not came.any():
            came[torch.randint(len(self), (1,), generator=generator)] = True
        return self.take(came.nonzero().flatten())
