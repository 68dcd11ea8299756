"""What becomes of the parameters that a learner is given."""

import pytest
import torch
from torch import nn

from metalearn_lite.learners.base import trainable
from metalearn_lite.networks import MLP


def test_fresh_parameters_all_become_trainable_and_are_copies():
    given = MLP(1, 4, 1).init()
    params = trainable(given)
    assert all(value.requires_grad for value in params.values())
    params["bias1"].data += 1
    assert not torch.equal(params["bias1"], given["bias1"])
    assert trainable(params).keys() == params.keys()


def test_a_frozen_parameter_among_others_is_refused():
    params = trainable(MLP(1, 4, 1).init())
    params["bias1"].requires_grad_(False)
    with pytest.raises(ValueError, match=r"^bias1 requires no gradient"):
        trainable(params)


def test_frozen_parameters_of_a_module_are_refused():
    weight = nn.Parameter(torch.ones(2), requires_grad=False)
    with pytest.raises(ValueError, match=r"^weight requires no gradient"):
        trainable({"weight": weight})
