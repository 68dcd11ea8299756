"""Two learners that need no training: a straight line and the nearest value."""

import pytest
import torch

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.least_squares import StraightLine
from metalearn_lite.learners.nearest_value import NearestValue


def test_the_line_is_numpys(generator):
    import numpy as np

    x, y = torch.randn(2, 3, 8, generator=generator())
    learner = StraightLine()
    adapted = learner.adapt(Examples(x.unsqueeze(-1), y))
    for task in range(3):
        expected = np.polyfit(x[task].double(), y[task].double(), 1)
        assert adapted[task].tolist() == pytest.approx(expected.tolist(), rel=1e-3, abs=1e-5)
    there = torch.zeros(3, 1, 1)
    torch.testing.assert_close(learner.predict(adapted, there)[:, 0], adapted[:, 1])


def test_the_nearest_value_by_hand():
    support = Examples(torch.tensor([[[0.0], [2.0], [-3.0]]]), torch.tensor([[5.0, 6.0, 7.0]]))
    learner = NearestValue()
    asked = torch.tensor([[[0.9], [1.1], [-9.0], [2.0]]])
    assert learner.predict(learner.adapt(support), asked).tolist() == [[5, 6, 7, 6]]
