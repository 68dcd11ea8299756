"""2-D navigation beside learn2learn's `Particles2D-v1`, in one process: steps of the environment.

Ours plays 20 trajectories in each of 40 tasks at once, the amount of one meta-training iteration
before adapting. Theirs is stepped in a loop, one trajectory after another. Both ask the same
policy network for every action: a whole batch of 2-100-100-2 networks here, and the same network
as a module of torch.nn for one place at a time there. Rounds of the two alternate, so that a busy
moment of the machine hits both. Also given: theirs with an action that costs nothing.
"""

import contextlib
import io
import statistics
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch

from metalearn_lite import interop
from metalearn_lite.rl.policies import GaussianPolicy
from metalearn_lite.rl.trajectories import rollout
from metalearn_lite.tasks.navigation import Navigation

POLICY = GaussianPolicy(2, 100, 100, 2)
NUM_TASKS, NUM_TRAJECTORIES, HORIZON = 40, 20, Navigation.horizon
TARGET, ROUNDS = 100, 15


def ours(params) -> Callable[[], int]:
    """One batch of trajectories; returns how many steps that were."""
    environment, generator = Navigation("distance"), torch.Generator().manual_seed(0)
    tasks = environment.sample_tasks(NUM_TASKS, generator)

    def play() -> int:
        rollout(environment, POLICY, params, tasks, NUM_TRAJECTORIES, generator)
        return NUM_TASKS * NUM_TRAJECTORIES * HORIZON

    return play


def theirs(params, with_policy: bool) -> Callable[[], int]:
    """Ten trajectories, each in a task of its own."""
    with contextlib.redirect_stderr(io.StringIO()):  # Gym prints a notice
        interop.learn2learn()
        import gym
        import learn2learn.gym  # noqa: F401  (registers the environment)

        env = gym.make("Particles2D-v1").unwrapped
    mean = interop.to_module(POLICY, params)
    std = params["log_std"].exp()
    idle = np.zeros(2, dtype=np.float32)

    @torch.no_grad()
    def act(place: np.ndarray) -> np.ndarray:
        observation = torch.as_tensor(place, dtype=torch.float32).unsqueeze(0)
        means = mean(observation)
        return (means + std * torch.randn_like(means))[0].numpy()

    def play() -> int:
        for task in env.sample_tasks(10):
            env.set_task(task)
            place = env.reset()
            for _ in range(HORIZON):
                place, *_ = env.step(act(place) if with_policy else idle)
        return 10 * HORIZON

    return play


def steps_per_second(play: Callable[[], int]) -> float:
    started = time.perf_counter()
    steps = play()
    return steps / (time.perf_counter() - started)


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    params = POLICY.init(torch.Generator().manual_seed(0), std=0.1)
    try:
        rows = {
            "with the policy": (ours(params), theirs(params, True)),
            "theirs without a policy": (ours(params), theirs(params, False)),
        }
    except ImportError as error:
        sys.exit(f"Nothing to compare with: {error}")
    print(f"\n2-D navigation, {NUM_TASKS} tasks of {NUM_TRAJECTORIES} trajectories, one thread")
    print("                          ours steps/s   learn2learn steps/s   ratio (range)")
    for name, (mine, reference) in rows.items():
        steps_per_second(mine), steps_per_second(reference)
        pairs = [(steps_per_second(mine), steps_per_second(reference)) for _ in range(ROUNDS)]
        ratios = sorted(a / b for a, b in pairs)
        a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(ratios)
        verdict = ""
        if name == "with the policy":
            verdict = f"  ≥ {TARGET} {'reached' if ratio >= TARGET else 'MISSED'}"
        print(
            f"{name:24}  {a:12,.0f}   {b:19,.0f}   "
            f"{ratio:5.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f}){verdict}"
        )


if __name__ == "__main__":
    main()
