"""The classifier's two trainings against finite differences, algebra and a solver."""

import pytest
import torch
from torch.nn import functional as F
from truths import generator

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.classifier import FineTunedClassifier
from metalearn_lite.networks import ConvNet


class Identity:
    """Embeds an example as itself."""

    def __call__(self, params, x):
        return x


def points(num_tasks=3, num_ways=4, num_shots=3, size=6, dtype=torch.float64) -> Examples:
    """Examples of each class around a mean of its own, in mixed order."""
    g = generator()
    y = torch.arange(num_ways).repeat(num_tasks, num_shots)
    y = y.gather(1, torch.rand(y.shape, generator=g).argsort(1))
    means = torch.randn(num_tasks, num_ways, size, generator=g, dtype=dtype)
    noise = 0.5 * torch.randn(*y.shape, size, generator=g, dtype=dtype)
    return Examples(means.gather(1, y.unsqueeze(2).expand(-1, -1, size)) + noise, y)


def images(num_tasks=2, num_ways=3, num_shots=2) -> Examples:
    x = torch.rand(num_tasks, num_ways * num_shots, 1, 28, 28, generator=generator(1))
    return Examples(x, torch.arange(num_ways).repeat(num_tasks, num_shots))


def small_learner(**settings) -> FineTunedClassifier:
    network = ConvNet((8, 8, 8))
    return FineTunedClassifier(network, network.init(generator()), **settings)


def one_task_by_hand(x, y, num_ways, inner_lr, steps):
    """Gradient steps on one task's head, with the gradient worked out on paper."""
    weight, bias = x.new_zeros(x.shape[1], num_ways), x.new_zeros(num_ways)
    for _ in range(steps):
        wrong = (x @ weight + bias).softmax(1) - F.one_hot(y, num_ways).to(x)
        weight = weight - inner_lr * x.T @ wrong / len(x)
        bias = bias - inner_lr * wrong.mean(0)
    return weight, bias


def test_adapting_is_gradient_descent_on_each_task_alone():
    support = points()
    adapted = FineTunedClassifier(Identity(), {}, inner_lr=0.3, inner_steps=7).adapt(support)
    for task in range(3):
        weight, bias = one_task_by_hand(support.x[task], support.y[task], 4, 0.3, 7)
        torch.testing.assert_close(adapted["weight"][task], weight)
        torch.testing.assert_close(adapted["bias"][task, 0], bias)


def test_many_steps_reach_the_optimum_that_a_solver_finds():
    """With classes that overlap the loss has one minimum, whatever the way there."""
    y = torch.arange(60) % 3
    x = torch.randn(60, 2, generator=generator(4), dtype=torch.float64) + 0.5 * y[:, None]
    support = Examples(x[None], y[None])
    learner = FineTunedClassifier(Identity(), {}, inner_lr=0.5, inner_steps=1000)
    head = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([head], max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        solver.zero_grad()
        value = F.cross_entropy(x @ head[:2] + head[2], y)
        value.backward()
        return value

    solver.step(loss)
    predicted = learner.predict(learner.adapt(support), support.x)[0]
    torch.testing.assert_close(
        predicted.softmax(1), (x @ head[:2] + head[2]).softmax(1).detach(), atol=1e-4, rtol=0
    )


def test_before_any_step_every_class_is_as_likely():
    learner, support = small_learner(), images()
    logits = learner.predict(learner.adapt(support, inner_steps=0), support.x)
    assert logits.shape == (2, 6, 3)
    assert (logits == 0).all()


def test_adapting_learns_the_support():
    learner, support = small_learner(inner_lr=0.1), images()
    adapted = learner.adapt(support)
    assert learner.predict(adapted, support.x).argmax(2).equal(support.y)
    assert not any(value.requires_grad for value in adapted.values())


def test_every_step_lowers_the_support_loss():
    losses = small_learner(inner_steps=4).trace(images()).support_loss
    assert losses.shape == (5, 2)
    assert (losses.diff(dim=0) < 0).all()


def training_task(dtype=torch.float64) -> Episodes:
    query = Examples(images(1).x.to(dtype), torch.tensor([[6, 0, 3, 3, 1, 5]]))
    return Episodes(Examples(query.x[:, :0], query.y[:, :0]), query)


def learner_with_head() -> FineTunedClassifier:
    network = ConvNet((8, 8, 8))
    params = network.init(generator()) | {"head": torch.randn(392, 7, generator=generator(2)) / 20}
    return FineTunedClassifier(network, {name: value.double() for name, value in params.items()})


def test_the_meta_loss_is_the_cross_entropy_over_all_training_classes():
    learner, episodes = learner_with_head(), training_task()
    logits = learner.network(learner.params, episodes.query.x)[0] @ learner.params["head"]
    expected = F.cross_entropy(logits, episodes.query.y[0])
    torch.testing.assert_close(learner.meta_loss(episodes), expected)


@pytest.mark.parametrize("name", ["head", "weight1", "scale3"])
def test_the_meta_gradient_is_that_of_finite_differences(name):
    learner, episodes = learner_with_head(), training_task()
    _, gradient = learner.meta_gradient(episodes)
    value = learner.params[name].detach()
    direction = torch.randn(value.shape, generator=generator(3), dtype=torch.float64)
    losses = []
    for sign in (1, -1):
        learner.params[name] = value + sign * 1e-6 * direction
        losses.append(learner.meta_loss(episodes).item())
    numeric = (losses[0] - losses[1]) / 2e-6
    assert (gradient[name] * direction).sum().item() == pytest.approx(numeric, rel=1e-5)


def test_training_without_a_head_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r'give params a "head" of shape \(D, num_classes\)'):
        small_learner().meta_loss(training_task(torch.float32))
