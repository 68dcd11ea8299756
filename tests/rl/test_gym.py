"""Every environment is also a standard one: Gymnasium's own checker, and the same trajectories."""

import gymnasium
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from metalearn_lite.rl.gym import NAMES, TaskEnv
from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.tasks.conventions import Conventions
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.tasks.vehicle import Vehicle

ENVIRONMENTS = {
    "conventions": Conventions(),
    "conventions-slips": Conventions(3, 10, "free", slip=0.2),
    "bandits": Bandits(),
    "bandits-3-arms": Bandits(3, 20),
    "navigation": Navigation(),
    "navigation-squared": Navigation("squared"),
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
        action = torch.as_tensor(action)[None, None]
        state, expected = environment.step(tasks, state, action, generator)
        assert observation == pytest.approx(environment.observe(state)[0, 0].numpy())
        assert reward == pytest.approx(expected.item())
        assert not terminated
        assert truncated == (step + 1 == environment.horizon)


def test_it_is_terminated_at_the_goal_and_not_before():
    env = TaskEnv(Navigation())
    goal = torch.tensor([0.2, -0.3])
    place, _ = env.reset(seed=0, options={"task": goal})
    ends = []
    while not any(ends):
        place, _, terminated, truncated, _ = env.step((10 * (goal.numpy() - place)).clip(-1, 1))
        ends.append(terminated)
        assert not truncated
    assert ends == [False, False, True]
    assert abs(place - goal.numpy()).max() < 0.01


@pytest.mark.parametrize("name", NAMES)
def test_gymnasium_makes_it_by_its_name(name):
    env = gymnasium.make(f"metalearn_lite/{name}-v0")
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    assert type(env.unwrapped.environment) is NAMES[name]
