import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metalearn_lite.tasks.linear import LinearRegression, LinearTasks


@given(
    st.integers(1, 9), st.integers(1, 8), st.integers(1, 8), st.integers(1, 6), st.integers(0, 1000)
)
def test_shapes_and_one_weight_vector_per_task(
    generator, num_tasks, num_shots, num_queries, inputs, seed
):
    world = LinearRegression(inputs)
    episodes = world.sample(num_tasks, num_shots, num_queries, generator(seed))
    tasks = world.draw_tasks(num_tasks, generator(seed))  # the first draws of the same seed
    for half, count in zip(episodes, (num_shots, num_queries), strict=True):
        assert half.x.shape == (num_tasks, count, inputs)
        assert half.y.shape == (num_tasks, count)
        torch.testing.assert_close(tasks(half.x), half.y)


def test_y_is_w_times_x():
    tasks = LinearTasks(torch.tensor([[1.0, 2.0], [0.0, -1.0]]))
    x = torch.tensor([[[3.0, 4.0]], [[5.0, 6.0]]])
    assert tasks(x).tolist() == [[11.0], [-6.0]]


def test_weights_and_inputs_are_standard_normal(generator):
    tasks = LinearRegression(4).draw_tasks(20_000, generator())
    x = tasks.draw(3, generator(1)).x
    for numbers in (tasks.weights, x.flatten(0, 1)):
        torch.testing.assert_close(numbers.T.cov(), torch.eye(4), rtol=0, atol=0.05)
        assert numbers.mean(0).abs().max() < 0.05
        # A normal variable has a fourth moment of 3.
        assert (numbers.pow(4).mean() - 3).abs() < 0.15


def test_support_and_query_share_no_point(generator):
    episodes = LinearRegression(2).sample(50, 10, 10, generator())
    assert not torch.isin(episodes.support.x, episodes.query.x).any()


def test_the_generator_is_the_only_source_of_chance(generator):
    one = LinearRegression().sample(3, 4, 5, generator(1))
    torch.manual_seed(5)
    two = LinearRegression().sample(3, 4, 5, generator(1))
    assert torch.equal(one.query.y, two.query.y)
    assert torch.equal(one.support.x, two.support.x)


@pytest.mark.parametrize("name", ["num_tasks", "num_shots", "num_queries"])
def test_counts_below_one_are_refused(name):
    counts = {"num_tasks": 2, "num_shots": 2, "num_queries": 2, name: 0}
    with pytest.raises(ValueError, match=f"{name}=0: choose 1 or more"):
        LinearRegression().sample(**counts)


def test_a_world_without_inputs_is_refused():
    with pytest.raises(ValueError, match="num_inputs=0: choose 1 or more"):
        LinearRegression(0)
