import pytest
import torch
from torch.nn import functional as F
from truths import generator

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import ConvNet


class Identity:
    """Embeds an image as its own pixels, so that every number can be worked out by hand."""

    def __call__(self, params, x):
        return x.flatten(2)


def episode(num_tasks=3, num_ways=4, num_shots=2, num_queries=3) -> Episodes:
    g = generator()
    halves = []
    for count in (num_shots, num_queries):
        y = torch.arange(num_ways).repeat(num_tasks, count)
        y = y.gather(1, torch.rand(y.shape, generator=g).argsort(1))  # in any order
        x = torch.rand(num_tasks, num_ways * count, 1, 28, 28, generator=g)
        halves.append(Examples(x + y[..., None, None, None] * 0.05, y))
    return Episodes(*halves)


@pytest.fixture(params=["euclidean", "cosine"])
def learner(request):
    network = ConvNet((8, 8, 8))
    return PrototypicalNetwork(network, network.init(generator()), request.param)


def test_prototypes_are_class_means_one_task_at_a_time():
    support = episode().support
    prototypes = PrototypicalNetwork(Identity(), {}).adapt(support)
    assert prototypes.shape == (3, 4, 784)
    for task in range(3):
        for way in range(4):
            members = support.x[task][support.y[task] == way].flatten(1)
            torch.testing.assert_close(prototypes[task, way], members.mean(0))


def test_euclidean_logits_are_minus_squared_distances():
    support, query = episode()
    learner = PrototypicalNetwork(Identity(), {})
    prototypes = learner.adapt(support)
    distances = torch.cdist(query.x.flatten(2).double(), prototypes.double())
    logits = learner.predict(prototypes, query.x)
    torch.testing.assert_close(-logits.double(), distances.square(), rtol=1e-4, atol=1e-3)


def test_cosine_logits_are_cosines_times_sharpness():
    support, query = episode()
    learner = PrototypicalNetwork(Identity(), {}, "cosine", sharpness=7.0)
    prototypes = learner.adapt(support)
    expected = F.cosine_similarity(query.x.flatten(2).unsqueeze(2), prototypes.unsqueeze(1), dim=-1)
    torch.testing.assert_close(learner.predict(prototypes, query.x), 7 * expected)


def test_the_meta_gradient_is_that_of_finite_differences(learner):
    episodes = Episodes(*(Examples(half.x.double(), half.y) for half in episode(1, 3, 1, 2)))
    learner.params = {n: v.detach().double().requires_grad_() for n, v in learner.params.items()}
    _, gradient = learner.meta_gradient(episodes)
    g = generator(1)
    for name in ("weight1", "scale2", "shift3"):
        direction = torch.randn(learner.params[name].shape, generator=g, dtype=torch.float64)
        losses = []
        for sign in (1, -1):
            moved = dict(learner.params)
            moved[name] = moved[name].detach() + sign * 1e-6 * direction
            mine, learner.params = learner.params, moved
            losses.append(learner.meta_loss(episodes).item())
            learner.params = mine
        numeric = (losses[0] - losses[1]) / 2e-6
        assert (gradient[name] * direction).sum().item() == pytest.approx(numeric, rel=1e-5)


def test_trace_begins_knowing_nothing(learner):
    support = episode().support
    trace = learner.trace(support)
    assert len(trace.adapted) == 2
    torch.testing.assert_close(trace.support_loss[0], torch.full((3,), 4.0).log())
    assert (trace.support_loss[1] < trace.support_loss[0]).all()


@pytest.mark.parametrize("all_symmetries", [False, True])
def test_an_answer_does_not_depend_on_the_other_queries(all_symmetries):
    network = ConvNet((8, 8, 8))
    learner = PrototypicalNetwork(
        network, network.init(generator()), "cosine", all_symmetries=all_symmetries
    )
    support, query = episode()
    adapted = learner.adapt(support)
    together = learner.predict(adapted, query.x)
    for position in (0, 5):
        alone = learner.predict(adapted, query.x[:, position : position + 1])
        torch.testing.assert_close(together[:, position : position + 1], alone)


def test_batch_statistics_would_leak_between_queries():
    network = ConvNet((8, 8, 8), norm="batch")
    learner = PrototypicalNetwork(network, network.init(generator()))
    support, query = episode()
    adapted = learner.adapt(support)
    together = learner.predict(adapted, query.x)[:, :1]
    alone = learner.predict(adapted, query.x[:, :1])
    assert (together - alone).abs().max() > 0.1


def test_an_unknown_distance_is_named():
    with pytest.raises(ValueError, match="distance='manhattan'"):
        PrototypicalNetwork(Identity(), {}, "manhattan")
