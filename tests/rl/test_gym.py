"""Every environment is also a standard one: Gymnasium's own checker, and the same trajectories."""

import itertools

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from metalearn_lite.rl.gym import NAMES, TaskEnv
from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.tasks.conventions import Conventions
from metalearn_lite.tasks.environment import Environment
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


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", NAMES)
def test_gymnasiums_checker_passes_what_it_renders(name):
    env = gymnasium.make(f"metalearn_lite/{name}-v0", render_mode="rgb_array")
    check_env(env.unwrapped)


def test_a_picture_shows_the_trajectory_as_it_stands(environment):
    env, again = (TaskEnv(environment, render_mode="rgb_array") for _ in range(2))
    env.action_space.seed(0)
    pictures = []
    for other in (env, again):
        other.reset(seed=3)
    for _ in range(3):
        pictures.append(env.render())
        np.testing.assert_array_equal(env.render(), again.render())
        action = env.action_space.sample()
        env.step(action)
        again.step(action)
    assert {(p.shape, p.dtype.name) for p in pictures} == {((360, 360, 3), "uint8")}
    assert all((a != b).any() for a, b in itertools.pairwise(pictures))
    env.reset(seed=3)
    np.testing.assert_array_equal(env.render(), pictures[0])


def test_a_path_and_its_goal_are_drawn_where_they_are():
    env = TaskEnv(Navigation(), torch.tensor([0.3, 0.3]), render_mode="rgb_array")
    env.reset(seed=0)
    for _ in range(4):
        env.step(np.array([-1.0, -1.0], np.float32))
    picture = env.render().astype(int)
    orange = np.argwhere((abs(picture - [230, 159, 0]) < 20).all(-1))
    blue = np.argwhere((abs(picture - [0, 114, 178]) < 20).all(-1))
    assert orange.mean(0)[0] < 180 < orange.mean(0)[1], "above, and to the right"
    assert blue.mean(0)[1] < 180 < blue.mean(0)[0], "to the left, and below"


def test_an_environment_of_ones_own_is_drawn_too():
    class Still(Navigation):
        def observe(self, state):
            return state

    class Other(Environment):
        horizon, observation_size, max_observation, num_actions = 3, 2, 1.0, 2

        def sample_tasks(self, num_tasks, generator=None):
            return torch.zeros(num_tasks, 1)

        def start(self, tasks, num_trajectories, generator=None):
            return torch.zeros(len(tasks), num_trajectories, 2)

        def step(self, tasks, state, action, generator=None):
            return state + 0.1, torch.zeros(action.shape)

    for own in (Still(), Other()):
        env = TaskEnv(own, render_mode="rgb_array")
        env.reset(seed=0)
        before = env.render()
        env.step(env.action_space.sample())
        assert (env.render() != before).any()


@pytest.mark.parametrize("mode", ["human", "ansi", "rgb_array_list", ""])
def test_a_mode_that_is_not_there_is_refused_in_words(mode):
    for make in (
        lambda mode: TaskEnv(Navigation(), render_mode=mode),
        lambda mode: gymnasium.make("metalearn_lite/Navigation-v0", render_mode=mode),
    ):
        with pytest.raises(ValueError, match=f"render_mode='{mode}': choose 'rgb_array'"):
            make(mode)


def test_without_a_mode_nothing_is_drawn_and_before_a_reset_there_is_nothing_to_draw():
    env = TaskEnv(Navigation())
    env.reset(seed=0)
    with pytest.warns(UserWarning, match='render_mode="rgb_array"'):
        assert env.render() is None
    with pytest.raises(gymnasium.error.ResetNeeded, match="call reset"):
        TaskEnv(Navigation(), render_mode="rgb_array").render()
