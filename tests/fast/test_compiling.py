"""What is recorded for the compiler against the learner's own meta-gradient, its plain twin.

What the compiler makes of it is tested in test_training.py.
"""

import pytest
import torch
from truths import relative_error, small_network, waves

from metalearn_lite.fast.compiling import compiled_meta_gradient
from metalearn_lite.learners.anil import ANIL
from metalearn_lite.learners.base import trainable
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.maml_plus_plus import MAMLPlusPlus
from metalearn_lite.learners.meta_sgd import MetaSGD


@pytest.mark.slow
@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("kind", [MAML, ANIL, MetaSGD, MAMLPlusPlus])
def test_the_recorded_operations_give_the_same_direction(kind, fast, monkeypatch, capsys):
    """Also for episodes, parameters and shares of steps that came after it was recorded."""
    monkeypatch.setattr(torch, "compile", lambda graph: graph)
    learner = kind(*small_network(), 0.05, 3)
    learner.fast = fast
    recorded = compiled_meta_gradient(learner)
    recorded(waves(seed=1))
    learner.advance(0.3)  # changes what MAML++ counts of each step
    learner.params = trainable({name: 1.1 * value for name, value in learner.params.items()})
    loss, gradient = recorded(waves())
    expected_loss, expected = learner.meta_gradient(waves())
    torch.testing.assert_close(loss, expected_loss)
    assert relative_error(gradient, expected) <= 1e-12
    assert capsys.readouterr().out == ""  # else it was not recorded at all
