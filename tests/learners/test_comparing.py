"""What must hold for every learner that compares: who is compared with whom, and nobody else."""

import pytest
import torch
from truths import generator

from metalearn_lite import interop
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.matching import MatchingNetwork
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.learners.relation import RelationNetwork
from metalearn_lite.learners.siamese import SiameseNetwork
from metalearn_lite.networks import ConvNet

LEARNERS = (SiameseNetwork, MatchingNetwork, PrototypicalNetwork, RelationNetwork)
HEADS = {
    SiameseNetwork: ["weight", "bias"],
    RelationNetwork: ["relation_weight1", "relation_mlp_weight2"],
}


@pytest.fixture(params=LEARNERS, ids=lambda kind: kind.__name__)
def learner(request):
    """In double precision; each parameter is moved, so that none is at an even start."""
    network = ConvNet((8, 8, 8, 8))
    init = getattr(request.param, "init", ConvNet.init)
    params = {
        name: value.double() + 0.05 * torch.randn(value.shape, generator=generator(1)).double()
        for name, value in init(network, generator()).items()
    }
    return request.param(network, params)


def episode(num_tasks=3, num_ways=4, num_shots=2, num_queries=3) -> Episodes:
    """Classes in any order, each some random image with noise, in double precision."""
    g = generator(2)
    signs = torch.rand(num_tasks, num_ways, 1, 28, 28, generator=g).double()
    halves = []
    for count in (num_shots, num_queries):
        y = torch.arange(num_ways).repeat(num_tasks, count)
        y = y.gather(1, torch.rand(y.shape, generator=g).argsort(1))
        x = signs[torch.arange(num_tasks).unsqueeze(1), y]
        halves.append(Examples(x + 0.5 * torch.rand(x.shape, generator=g).double(), y))
    return Episodes(*halves)


def answers(learner, support, x):
    return learner.predict(learner.adapt(support), x)


def test_there_is_an_answer_for_every_query_and_class(learner):
    support, query = episode()
    assert answers(learner, support, query.x).shape == (3, 12, 4)


def test_the_names_of_the_classes_do_not_count(learner):
    support, query = episode()
    names = torch.tensor([2, 0, 3, 1])
    renamed = Examples(support.x, names[support.y])
    expected = answers(learner, support, query.x)
    torch.testing.assert_close(answers(learner, renamed, query.x)[..., names], expected)
    renamed_query = Examples(query.x, names[query.y])
    loss = learner.meta_loss(Episodes(renamed, renamed_query))
    torch.testing.assert_close(loss, learner.meta_loss(Episodes(support, query)))


def test_each_query_is_judged_alone(learner):
    support, query = episode()
    together = answers(learner, support, query.x)
    for position in (0, 7):
        alone = answers(learner, support, query.x[:, position : position + 1])
        torch.testing.assert_close(alone, together[:, position : position + 1])


def test_the_meta_gradient_is_that_of_finite_differences(learner):
    episodes = episode(2, 3, 2, 2)
    _, gradient = learner.meta_gradient(episodes)
    g = generator(4)
    for name in ("weight1", "scale2", "shift4", *HEADS.get(type(learner), [])):
        direction = torch.randn(learner.params[name].shape, generator=g).double()
        losses = []
        mine = learner.params
        for sign in (1, -1):
            learner.params = mine | {name: mine[name].detach() + sign * 1e-6 * direction}
            losses.append(learner.meta_loss(episodes).item())
        learner.params = mine
        numeric = (losses[0] - losses[1]) / 2e-6
        assert (gradient[name] * direction).sum().item() == pytest.approx(numeric, rel=1e-4)


def test_every_parameter_is_learned(learner):
    _, gradient = learner.meta_gradient(episode())
    assert gradient.keys() == learner.params.keys()
    assert all(direction.abs().sum() > 0 for direction in gradient.values())


def test_a_trace_begins_knowing_nothing(learner):
    support = episode().support
    trace = learner.trace(support)
    assert len(trace.adapted) == len(trace.support_loss) == 2
    torch.testing.assert_close(trace.support_loss[0], torch.full((3,), 4.0).log().double())


def test_prototypes_equal_those_of_easyfsl():
    """It scores by minus the plain distance, ours by minus the squared one."""
    try:
        model = interop.easyfsl().methods.PrototypicalNetworks()
    except ImportError as error:
        pytest.skip(str(error))
    episodes = episode()
    prototypical = PrototypicalNetwork(lambda params, x: x.flatten(2), {})
    logits = answers(prototypical, episodes.support, episodes.query.x)
    for task, (x, y, query) in enumerate(zip(*episodes.support, episodes.query.x, strict=True)):
        model.process_support_set(x.flatten(1), y)
        torch.testing.assert_close(logits[task], -model(query.flatten(1)).square())
