"""Every environment is also a standard one: Gymnasium's own checker, and the same trajectories."""

import gymnasium
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from metalearn_lite.rl.gym import NAMES, TaskEnv
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.tasks.vehicle import Vehicle

ENVIRONMENTS = {
    "navigation": Navigation(),
    "navigation-distance": Navigation("distance"),
    "navigation-oracle": Navigation(show_goal=True),
    "vehicle": Vehicle(),
}


@pytest.fixture(params=ENVIRONMENTS, ids=str)
def environment(request):
    return ENVIRONMENTS[request.param]


@pytest.mark.filterwarnings("error")
def test_gymnasiums_own_checker_finds_nothing(environment):
    check_env(TaskEnv(environment), skip_render_check=True)


def test_the_trajectory_is_that_of_the_batched_environment(environment):
    env = TaskEnv(environment)
    env.action_space.seed(0)
    observation, _ = env.reset(seed=3)
    generator = torch.Generator().manual_seed(3)
    tasks = environment.sample_tasks(1, generator)
    state = environment.start(tasks, 1, generator)
    assert observation == pytest.approx(environment.observe(state)[0, 0].numpy())
    for step in range(environment.horizon):
        action = env.action_space.sample()
        observation, reward, terminated, truncated, _ = env.step(action)
        state, expected = environment.step(
            tasks, state, torch.as_tensor(action)[None, None], generator
        )
        assert observation == pytest.approx(environment.observe(state)[0, 0].numpy())
        assert reward == pytest.approx(expected.item())
        assert not terminated
        assert truncated == (step + 1 == environment.horizon)


@pytest.mark.parametrize("name", NAMES)
def test_gymnasium_makes_it_by_its_name(name):
    env = gymnasium.make(f"metalearn_lite/{name}-v0")
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    assert type(env.unwrapped.environment) is NAMES[name]
