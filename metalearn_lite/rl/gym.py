"""Any task of ours as a standard Gymnasium environment (Towers et al., 2024)."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces

from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.tasks.conventions import Conventions
from metalearn_lite.tasks.environment import Environment
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.tasks.vehicle import Vehicle

# Importing this module registers them: gymnasium.make("metalearn_lite/Navigation-v0").
NAMES = {
    "Bandits": Bandits,
    "Conventions": Conventions,
    "Navigation": Navigation,
    "Vehicle": Vehicle,
}


class TaskEnv(gymnasium.Env):
    """One task, one trajectory at a time. ``reset(seed=…)`` seeds the task and all chance in it.

    Args:
        environment: the task distribution.
        task: a fixed task, ``(…)``, as a row of ``environment.sample_tasks``. Left out, each
            ``reset`` draws a new one; ``reset(options={"task": …})`` sets it from then on.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012

    def __init__(self, environment: Environment, task: torch.Tensor | None = None):
        self.environment = environment
        self.task = task
        self.generator = torch.Generator()
        self.observation_space = spaces.Box(
            -environment.max_observation,
            environment.max_observation,
            (environment.observation_size,),
            np.float32,
        )
        if environment.num_actions is not None:
            self.action_space = spaces.Discrete(environment.num_actions)
        else:
            bound = environment.max_action
            self.action_space = spaces.Box(-bound, bound, (environment.action_size,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        self.generator.manual_seed(int(self.np_random.integers(2**31)) if seed is None else seed)
        if options is not None and "task" in options:
            self.task = torch.as_tensor(options["task"])
        task = self.task
        self._tasks = (
            self.environment.sample_tasks(1, self.generator) if task is None else task[None]
        )
        self._state = self.environment.start(self._tasks, 1, self.generator)
        self._steps = 0
        return self._observation(), {}

    def step(self, action):
        action = torch.as_tensor(np.asarray(action))[None, None]
        self._state, reward = self.environment.step(
            self._tasks, self._state, action, self.generator
        )
        self._steps += 1
        terminated = self.environment.ended(self._tasks, self._state).item()
        truncated = self._steps >= self.environment.horizon
        return self._observation(), reward.item(), terminated, truncated, {}

    def _observation(self) -> np.ndarray:
        return self.environment.observe(self._state)[0, 0].numpy().astype(np.float32)


def _register(name: str, kind: type[Environment]) -> None:
    gymnasium.register(f"metalearn_lite/{name}-v0", lambda **settings: TaskEnv(kind(**settings)))


for _name, _kind in NAMES.items():
    _register(_name, _kind)
