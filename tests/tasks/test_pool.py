"""A fixed set of tasks: what is drawn from it is in it, and as often as it should be."""

import pytest
import torch

from metalearn_lite.tasks.pool import TaskPool
from metalearn_lite.tasks.sinusoids import Sinusoids


def pool(generator, size=20) -> TaskPool:
    return TaskPool(Sinusoids().sample(size, 3, 2, generator()))


def test_a_sample_is_of_different_tasks_as_they_are(generator):
    tasks = pool(generator)
    drawn = tasks.sample(20, generator(1))
    order = drawn.support.x[:, 0, 0].argsort()
    expected = tasks.episodes.support.x[:, 0, 0].argsort()
    for mine, theirs in zip(drawn, tasks.episodes, strict=True):
        assert torch.equal(mine.x[order], theirs.x[expected])
        assert torch.equal(mine.y[order], theirs.y[expected])
    with pytest.raises(ValueError, match="num_tasks=21: choose 1 to 20"):
        tasks.sample(21)


def test_each_comes_on_its_own_toss(generator):
    tasks, g = pool(generator), generator(2)
    counts = torch.tensor([tasks.toss(0.3, g).num_tasks for _ in range(2000)]).double()
    assert counts.mean() == pytest.approx(6, abs=0.15)
    assert counts.var() == pytest.approx(20 * 0.3 * 0.7, rel=0.15)
    assert tasks.toss(1.0, g).num_tasks == 20
    assert tasks.toss(0.0, g).num_tasks == 1
    with pytest.raises(ValueError, match=r"chance=1\.5"):
        tasks.toss(1.5)
