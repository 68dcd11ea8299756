import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metalearn_lite.tasks.sinusoids import SineTasks, Sinusoids


@given(st.integers(1, 20), st.integers(1, 8), st.integers(1, 8), st.integers(0, 1000))
def test_shapes_ranges_and_one_wave_per_task(generator, num_tasks, num_shots, num_queries, seed):
    episodes = Sinusoids().sample(num_tasks, num_shots, num_queries, generator(seed))
    assert episodes.num_tasks == num_tasks
    for half, count in zip(episodes, (num_shots, num_queries), strict=True):
        assert half.x.shape == (num_tasks, count, 1)
        assert half.y.shape == (num_tasks, count)
        assert half.x.abs().max() <= 5
        assert half.y.abs().max() <= 5
    tasks = Sinusoids().draw_tasks(num_tasks, generator(seed))  # the first draws of the same seed
    for half in episodes:
        torch.testing.assert_close(tasks(half.x), half.y)


def test_the_ranges_are_those_of_the_paper_and_uniform(generator):
    tasks = Sinusoids().draw_tasks(100_000, generator())
    for values, low, high in ((tasks.amplitude, 0.1, 5.0), (tasks.phase, 0.0, math.pi)):
        counts = torch.histc(values, 20, low, high)
        assert counts.sum() == 100_000  # nothing outside
        chi_squared = ((counts - 5000).square() / 5000).sum()
        assert chi_squared < 43.8  # 19 degrees of freedom, p = 0.001


def test_support_and_query_share_no_point(generator):
    episodes = Sinusoids().sample(50, 10, 10, generator())
    assert not torch.isin(episodes.support.x, episodes.query.x).any()


def test_the_wave_is_a_sin_of_x_minus_phase():
    wave = SineTasks(torch.tensor([[2.0]]), torch.tensor([[math.pi / 2]]))
    y = wave(torch.tensor([[[math.pi / 2], [math.pi]]]))
    torch.testing.assert_close(y, torch.tensor([[0.0, 2.0]]))


def test_the_generator_is_the_only_source_of_chance(generator):
    one, two = (Sinusoids().sample(3, 4, 5, generator(1)) for _ in range(2))
    torch.manual_seed(5)
    three = Sinusoids().sample(3, 4, 5, generator(1))
    assert torch.equal(one.query.y, two.query.y)
    assert torch.equal(one.query.y, three.query.y)


@pytest.mark.parametrize("name", ["num_tasks", "num_shots", "num_queries"])
def test_counts_below_one_are_refused(name):
    counts = {"num_tasks": 2, "num_shots": 2, "num_queries": 2, name: 0}
    with pytest.raises(ValueError, match=f"{name}=0: choose 1 or more"):
        Sinusoids().sample(**counts)
