"""Any task of ours as a standard Gymnasium environment (Towers et al., 2024)."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces

from metalearn_lite.rl.drawing import picture
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
        render_mode: "rgb_array", and ``render`` draws the trajectory as it stands; or None.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(
        self,
        environment: Environment,
        task: torch.Tensor | None = None,
        render_mode: str | None = None,
    ):
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode={render_mode!r}: choose 'rgb_array', or None")
        self.render_mode = render_mode
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
        self._states, self._actions, self._rewards = [self._state], [], []
        return self._observation(), {}

    def step(self, action):
        action = torch.as_tensor(np.asarray(action))[None, None]
        self._state, reward = self.environment.step(
            self._tasks, self._state, action, self.generator
        )
        self._steps += 1
        self._states.append(self._state)
        self._actions.append(action)
        self._rewards.append(reward)
        terminated = self.environment.ended(self._tasks, self._state).item()
        truncated = self._steps >= self.environment.horizon
        return self._observation(), reward.item(), terminated, truncated, {}

    def render(self) -> np.ndarray | None:
        """The trajectory as it stands, ``(360, 360, 3)``; None without a ``render_mode``."""
        if self.render_mode is None:
            gymnasium.logger.warn('nothing is drawn: make this with render_mode="rgb_array"')
            return None
        if not hasattr(self, "_tasks"):
            raise gymnasium.error.ResetNeeded("there is nothing to draw yet: call reset() first")
        so_far = (
            np.array([step[0, 0].numpy() for step in steps])
            for steps in (self._states, self._actions, self._rewards)
        )
        return picture(self.environment, self._tasks[0].numpy(), *so_far)

    def _observation(self) -> np.ndarray:
        return self.environment.observe(self._state)[0, 0].numpy().astype(np.float32)


def _register(name: str, kind: type[Environment]) -> None:
    def make(render_mode: str | None = None, **settings: Any) -> TaskEnv:
        return TaskEnv(kind(**settings), render_mode=render_mode)

    gymnasium.register(f"metalearn_lite/{name}-v0", make)


for _name, _kind in NAMES.items():
    _register(_name, _kind)
