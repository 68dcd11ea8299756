"""Learning a task from one demonstration of it: episodes of what an expert saw and did."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.rl.trajectories import Trajectories, stack_steps
from metalearn_lite.tasks.navigation import LARGEST_MOVE, Navigation


class Demonstrations:
    """One-shot imitation (Finn, Yu, Zhang, Abbeel & Levine, 2017), in 2-D navigation.

    The expert knows the goal and goes straight there, as fast as it may. The learner sees where
    the expert was and which way it went, and no reward. With such episodes MAML is what it always
    is: the support is one demonstration, the query another.

    Args:
        environment: whose tasks are shown.
        wobble: the standard deviation of what is added to the expert's moves. It leads the expert
            off its way, and shows how it gets back. The actions shown are those it wanted.
    """

    def __init__(self, environment: Navigation | None = None, wobble: float = 0.5):
        self.environment = Navigation() if environment is None else environment
        checks.rate(wobble=wobble)
        self.wobble = wobble

    def sample(self, num_tasks: int, generator: torch.Generator | None = None) -> Episodes:
        """New tasks, shown twice: ``x`` are places ``(T, H, 2)``, ``y`` moves ``(T, H, 2)``."""
        checks.count(num_tasks=num_tasks)
        checks.fits(num_tasks=num_tasks, steps=2 * self.environment.horizon)
        tasks = self.environment.sample_tasks(num_tasks, generator)
        shown = self.show(tasks, 2, generator)
        first, second = (Examples(shown.observations[:, n], shown.actions[:, n]) for n in range(2))
        return Episodes(first, second)

    def show(
        self, tasks: Tensor, num_demonstrations: int, generator: torch.Generator | None = None
    ) -> Trajectories:
        """``num_demonstrations`` demonstrations of each task.

        The expert goes on when it has arrived, to show how to come back; that earns nothing.
        """
        checks.count(num_demonstrations=num_demonstrations)
        environment = self.environment
        bound = environment.max_action
        state = environment.start(tasks, num_demonstrations, generator)
        played = torch.ones(state.shape[:2])
        steps = []
        for _ in range(environment.horizon):
            wanted = ((tasks.unsqueeze(1) - state) / LARGEST_MOVE).clamp(-bound, bound)
            noise = self.wobble * torch.randn(wanted.shape, generator=generator)
            after, reward = environment.step(tasks, state, wanted + noise, generator)
            steps.append((state, wanted, reward * played, played))
            state, played = after, played * ~environment.ended(tasks, after)
        return Trajectories(*stack_steps(steps))


def examples(shown: Trajectories, which: int) -> Examples:
    """Demonstration number ``which`` of each task as examples to learn from."""
    return Examples(shown.observations[:, which], shown.actions[:, which])
