"""ANIL: the body stays, the head takes MAML's steps, and the meta-gradient reaches both."""

import torch
from truths import numeric_meta_gradient, quadratics, relative_error, small_network, waves

from metalearn_lite.learners.anil import ANIL, last_layer
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP


def test_only_the_last_layer_adapts():
    anil, support = ANIL(*small_network(), 0.05, inner_steps=3), waves().support
    start, adapted = anil.start(support), anil.adapt(support)
    for name in start:
        assert torch.equal(start[name], adapted[name]) == (name not in ("weight3", "bias3"))


def test_the_head_descends_a_quadratic():
    """On fixed features the head is linear: its steps are w ← w - α (Hw - b)."""
    network, params = small_network()
    anil, support = ANIL(network, params, 0.1, inner_steps=4), waves().support
    hidden = (support.x @ params["weight1"] + params["bias1"]).relu()
    features = (hidden @ params["weight2"] + params["bias2"]).relu()
    ones = torch.ones_like(features[..., :1])
    tasks = quadratics(support._replace(x=torch.cat((features, ones), 2)))
    adapted = anil.adapt(support)
    for task, quadratic in enumerate(tasks):
        w = torch.cat((params["weight3"], params["bias3"])).squeeze(1)
        for _ in range(4):
            w = w - 0.1 * quadratic.gradient(w)
        found = torch.cat((adapted["weight3"][task], adapted["bias3"][task])).squeeze(1)
        torch.testing.assert_close(found, w)


def test_finite_differences():
    """A body that is cut from the meta-gradient would give zeros here, or miss half of it."""
    anil, episodes = ANIL(*small_network(), 0.05, inner_steps=3), waves()
    _, gradient = anil.meta_gradient(episodes)
    numeric = numeric_meta_gradient(anil, episodes)
    assert relative_error(gradient, numeric) <= 1e-6
    assert numeric["weight1"].norm() > 0.1 * numeric["weight3"].norm()


def test_with_one_layer_it_is_maml(generator):
    network = MLP(1, 1)
    params = {name: value.double() for name, value in network.init(generator()).items()}
    episodes = waves()
    ours, theirs = (
        kind(network, params, 0.05, 3).meta_gradient(episodes)[1] for kind in (ANIL, MAML)
    )
    for name in theirs:
        assert torch.equal(ours[name], theirs[name])


def test_the_last_layer_is_found_by_its_number():
    numbered = dict.fromkeys(["weight1", "bias1", "weight12", "scale12", "bias12"])
    assert last_layer(numbered) == ["weight12", "scale12", "bias12"]
    assert last_layer(dict.fromkeys(["weight1", "head"])) == ["head"]
