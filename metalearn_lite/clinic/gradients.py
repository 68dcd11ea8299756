"""The ward of gradients and losses: code that descends something, but not what it says."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite.clinic.instruments import (
    Bowls,
    SmoothMLP,
    cosine,
    draw_bowls,
    draw_waves,
    error,
    flat,
    generator,
    measured_gradient,
    shaped,
)
from metalearn_lite.clinic.patient import Patient
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import Network, Params

# 1


def maml_gradient(network: Network, params: Params, episodes: Episodes, inner_lr: float) -> Params:
    """The meta-gradient of MAML with one inner step, for episodes of one task."""
    support, query = episodes
    loss = F.mse_loss(network(params, support.x).squeeze(-1), support.y)
    gradient = torch.autograd.grad(loss, list(params.values()))
    adapted = {
        name: value - inner_lr * slope
        for (name, value), slope in zip(params.items(), gradient, strict=True)
    }
    meta_loss = F.mse_loss(network(adapted, query.x).squeeze(-1), query.y)
    meta_gradient = torch.autograd.grad(meta_loss, list(params.values()))
    return dict(zip(params, meta_gradient, strict=True))


def maml_gradient_healed(
    network: Network, params: Params, episodes: Episodes, inner_lr: float
) -> Params:
    """The same, with an inner gradient that remembers how it was made."""
    support, query = episodes
    loss = F.mse_loss(network(params, support.x).squeeze(-1), support.y)
    gradient = torch.autograd.grad(loss, list(params.values()), create_graph=True)
    adapted = {
        name: value - inner_lr * slope
        for (name, value), slope in zip(params.items(), gradient, strict=True)
    }
    meta_loss = F.mse_loss(network(adapted, query.x).squeeze(-1), query.y)
    meta_gradient = torch.autograd.grad(meta_loss, list(params.values()))
    return dict(zip(params, meta_gradient, strict=True))


def compare_meta_gradients(code, seed: int, inner_lr: float = 0.1) -> tuple[Tensor, Tensor]:
    """What ``code`` gives and what differences of the adapted query loss give, each in a row."""
    network, params, episodes = draw_waves(seed)
    params = {name: value.requires_grad_() for name, value in params.items()}

    def loss_at(theta: Tensor) -> Tensor:
        learner = MAML(network, shaped(theta, params), inner_lr)
        return learner.meta_loss(episodes).detach()

    found = flat(code(network, params, episodes, inner_lr))
    return found, measured_gradient(loss_at, flat(params).detach())


def gradient_error(code, seed: int) -> float:
    """How far ``code`` is from the measured meta-gradient, at an inner rate of 0.1."""
    return error(*compare_meta_gradients(code, seed))


# 2


def adapt_each(
    network: Network, params: Params, episodes: Episodes, inner_lr: float
) -> list[Params]:
    """Each task's parameters after five inner steps from ``params``."""
    adapted = []
    for task in range(episodes.num_tasks):
        support = episodes.tasks(task).support
        fast = {name: value.detach().requires_grad_() for name, value in params.items()}
        for _ in range(5):
            loss = F.mse_loss(network(fast, support.x).squeeze(-1), support.y)
            gradient = torch.autograd.grad(loss, list(fast.values()))
            with torch.no_grad():
                for value, slope in zip(fast.values(), gradient, strict=True):
                    value -= inner_lr * slope
        adapted.append(fast)
    return adapted


def adapt_each_healed(
    network: Network, params: Params, episodes: Episodes, inner_lr: float
) -> list[Params]:
    """The same, each task on a copy of its own."""
    adapted = []
    for task in range(episodes.num_tasks):
        support = episodes.tasks(task).support
        fast = {name: value.detach().clone().requires_grad_() for name, value in params.items()}
        for _ in range(5):
            loss = F.mse_loss(network(fast, support.x).squeeze(-1), support.y)
            gradient = torch.autograd.grad(loss, list(fast.values()))
            with torch.no_grad():
                for value, slope in zip(fast.values(), gradient, strict=True):
                    value -= inner_lr * slope
        adapted.append(fast)
    return adapted


def company_changes_it(code, seed: int) -> float:
    """How far the last of three tasks is from where it ends alone, as a share of its way."""
    network, params, episodes = draw_waves(seed, num_tasks=3)

    def copy() -> Params:
        return {name: value.clone() for name, value in params.items()}

    alone = flat(code(network, copy(), episodes.tasks(2), 0.01)[0]).detach()
    together = flat(code(network, copy(), episodes, 0.01)[2]).detach()
    return ((together - alone).norm() / (alone - flat(params)).norm()).item()


# 7a


def class_probabilities(logits: Tensor) -> Tensor:
    """The probability of each class for each query: ``(M, num_ways)`` from as many logits."""
    return logits.softmax(0)


def class_probabilities_healed(logits: Tensor) -> Tensor:
    """The same, over the classes of one query."""
    return logits.softmax(1)


def sums_to_one(code, seed: int) -> float:
    """How far the probabilities of a query are from summing to 1, of five queries the worst."""
    logits = 2 * torch.randn(5, 5, generator=generator(seed))
    return (code(logits).sum(1) - 1).abs().max().item()


# 7b


def prototype_gradient(network: Network, params: Params, episodes: Episodes) -> Params:
    """The gradient of a prototypical network's query loss."""
    support, query = episodes
    points = network(params, support.x).data
    belongs = F.one_hot(support.y).to(points.dtype)
    prototypes = belongs.mT @ points / belongs.sum(1).unsqueeze(-1)
    logits = -torch.cdist(network(params, query.x), prototypes).square()
    loss = F.cross_entropy(logits.flatten(0, 1), query.y.flatten())
    gradient = torch.autograd.grad(loss, list(params.values()))
    return dict(zip(params, gradient, strict=True))


def prototype_gradient_healed(network: Network, params: Params, episodes: Episodes) -> Params:
    """The same, with the gradient of the prototypes in it."""
    support, query = episodes
    points = network(params, support.x)
    belongs = F.one_hot(support.y).to(points.dtype)
    prototypes = belongs.mT @ points / belongs.sum(1).unsqueeze(-1)
    logits = -torch.cdist(network(params, query.x), prototypes).square()
    loss = F.cross_entropy(logits.flatten(0, 1), query.y.flatten())
    gradient = torch.autograd.grad(loss, list(params.values()))
    return dict(zip(params, gradient, strict=True))


def prototype_gradient_error(code, seed: int) -> float:
    """How far ``code`` is from the measured gradient of the same loss."""
    draws = generator(seed)
    network = SmoothMLP(4, 5, 3)
    params = {n: value.double().requires_grad_() for n, value in network.init(draws).items()}
    x = torch.randn(2, 1, 9, 4, generator=draws, dtype=torch.float64)
    y = torch.arange(3).repeat_interleave(3).unsqueeze(0)
    episodes = Episodes(*(Examples(half, y) for half in x))

    def loss_at(theta: Tensor) -> Tensor:
        return PrototypicalNetwork(network, shaped(theta, params)).meta_loss(episodes).detach()

    found = flat(code(network, params, episodes))
    return error(found, measured_gradient(loss_at, flat(params).detach()))


# 8a


def meta_sgd_step(
    theta: Tensor, alpha: Tensor, bowls: Bowls, outer_lr: float
) -> tuple[Tensor, Tensor]:
    """One outer step of Meta-SGD: θ, and a rate α for each number of θ, both ``(D,)``."""
    adapted = theta - alpha * bowls.gradients(theta)
    meta_loss = bowls.losses(adapted).mean()
    to_theta, _ = torch.autograd.grad(meta_loss, [theta, alpha])
    return theta - outer_lr * to_theta, alpha + outer_lr * to_theta


def meta_sgd_step_healed(
    theta: Tensor, alpha: Tensor, bowls: Bowls, outer_lr: float
) -> tuple[Tensor, Tensor]:
    """The same, with α moved against its own gradient."""
    adapted = theta - alpha * bowls.gradients(theta)
    meta_loss = bowls.losses(adapted).mean()
    to_theta, to_alpha = torch.autograd.grad(meta_loss, [theta, alpha])
    return theta - outer_lr * to_theta, alpha - outer_lr * to_alpha


def rates_go_downhill(code, seed: int) -> float:
    """The cosine of the rates' step with the measured way down of the meta-loss."""
    bowls = draw_bowls(seed, size=8)
    theta = torch.randn(8, generator=generator(seed), dtype=torch.float64).requires_grad_()
    alpha = torch.full((8,), 0.1, dtype=torch.float64).requires_grad_()

    def loss_at(rates: Tensor) -> Tensor:
        start = theta.detach()
        return bowls.losses(start - rates * bowls.gradients(start)).mean()

    _, moved = code(theta, alpha, bowls, 1e-3)
    return cosine((moved - alpha).detach(), -measured_gradient(loss_at, alpha.detach()))


# 8b


def first_rates(num_weights: int, inner_lr: float, generator: torch.Generator) -> Tensor:
    """Meta-SGD's rates before training: around ``inner_lr`` in size, each another ``(D,)``."""
    return inner_lr * torch.randn(num_weights, generator=generator)


def first_rates_healed(num_weights: int, inner_lr: float, generator: torch.Generator) -> Tensor:
    """The same, and all of them above 0."""
    return inner_lr * (0.5 + torch.rand(num_weights, generator=generator))


def steps_uphill(code, seed: int) -> float:
    """The share of 200 new tasks whose own loss the very first inner step raises."""
    draws = generator(seed)
    bowls = draw_bowls(seed, num_tasks=200, size=8)
    theta = torch.zeros(8, dtype=torch.float64)
    rates = torch.stack([code(8, 0.01, draws).double() for _ in range(200)])
    after = bowls.losses(theta - rates * bowls.gradients(theta))
    return (after > bowls.losses(theta)).double().mean().item()


# 10


def jacobian_of_adapting(hessian: Tensor, inner_lr: float, inner_steps: int) -> Tensor:
    """dφ/dθ after ``inner_steps`` steps on a loss with this ``hessian`` ``(D, D)``."""
    identity = torch.eye(len(hessian), dtype=hessian.dtype)
    return identity - inner_lr * hessian


def jacobian_of_adapting_healed(hessian: Tensor, inner_lr: float, inner_steps: int) -> Tensor:
    """The same, one factor for each step."""
    identity = torch.eye(len(hessian), dtype=hessian.dtype)
    return torch.linalg.matrix_power(identity - inner_lr * hessian, inner_steps)


def jacobian_error(code, seed: int) -> float:
    """How far ``code`` is from the measured change of φ, at three inner steps of 0.2."""
    bowls = draw_bowls(seed, num_tasks=1)

    def adapted(theta: Tensor) -> Tensor:
        for _ in range(3):
            theta = theta - 0.2 * bowls.gradients(theta)[0]
        return theta

    theta = torch.zeros(2, dtype=torch.float64)
    rows = [measured_gradient(lambda at, d=d: adapted(at)[d], theta) for d in range(2)]
    return error(code(bowls.curvature[0], 0.2, 3), torch.stack(rows))


# 12b


def squared_distance_logits(points: Tensor, prototypes: Tensor) -> Tensor:
    """Minus the squared distance of each point ``(M, D)`` to each prototype ``(num_ways, D)``."""
    return -torch.cdist(points, prototypes)


def squared_distance_logits_healed(points: Tensor, prototypes: Tensor) -> Tensor:
    """The same, squared."""
    return -torch.cdist(points, prototypes).square()


def twice_as_far(code, seed: int) -> float:
    """By what the logits are multiplied when all points move twice as far apart: 2² for squares."""
    points, prototypes = torch.randn(2, 5, 3, generator=generator(seed), dtype=torch.float64)
    return (code(2 * points, 2 * prototypes) / code(points, prototypes)).mean().item()


WARD = (
    Patient(
        number="1",
        ward="gradients",
        name="no graph of the inner gradient",
        complaint="My MAML trains, and the loss goes down. A friend's MAML with the same settings "
        "is a little better, mostly when the inner rate is large.",
        sick=maml_gradient,
        healed=maml_gradient_healed,
        experiment=gradient_error,
        measures="error of the meta-gradient against finite differences, as a share",
        line=1e-4,
        above=False,
        diagnosis="Without create_graph=True the inner gradient is a constant to autograd: this is "
        "first-order MAML under another name. No loss curve shows it.",
    ),
    Patient(
        number="2",
        ward="gradients",
        name="shared parameters changed in place",
        complaint="The same three tasks in another order give other results, though I fix the "
        "seed. And my initialisation changes even with an outer rate of 0.",
        sick=adapt_each,
        healed=adapt_each_healed,
        experiment=company_changes_it,
        measures="how far a task ends elsewhere after two others, as a share of its own way",
        line=1e-9,
        above=False,
        diagnosis="detach() shares memory, and -= writes into it: each task starts where the last "
        "one ended, and θ itself is changed. Copy first, or make new tensors.",
    ),
    Patient(
        number="7a",
        ward="gradients",
        name="softmax over the queries",
        complaint="Accuracy is a few points below the paper's, and changes with how many queries "
        "are asked at once.",
        sick=class_probabilities,
        healed=class_probabilities_healed,
        experiment=sums_to_one,
        measures="distance of a query's probabilities from the sum 1",
        line=1e-5,
        above=False,
        diagnosis="The softmax runs over the batch: queries compete for a class, not classes for a "
        "query. With five ways and five queries no shape tells. Take the last axis.",
    ),
    Patient(
        number="7b",
        ward="gradients",
        name=".data cuts the gradient",
        complaint="My prototypical network learns, only more slowly than the one in the paper, and "
        "ends a little worse.",
        sick=prototype_gradient,
        healed=prototype_gradient_healed,
        experiment=prototype_gradient_error,
        measures="error of the gradient against finite differences, as a share",
        line=1e-4,
        above=False,
        diagnosis="What .data hands out are numbers that autograd never hears of. Half of the "
        "gradient, by way of the prototypes, is missing. Keep .data out of what is trained.",
    ),
    Patient(
        number="8a",
        ward="gradients",
        name="a rate moved by another gradient",
        complaint="Meta-SGD trains, but the learned rates look like noise, and it is no better "
        "than MAML.",
        sick=meta_sgd_step,
        healed=meta_sgd_step_healed,
        experiment=rates_go_downhill,
        measures="cosine of the rates' step with the measured way downhill",
        line=0.99,
        above=True,
        diagnosis="The rates follow the gradient of θ, and with a plus. The shapes agree, so "
        "nothing complains. Each parameter descends its own gradient.",
    ),
    Patient(
        number="8b",
        ward="gradients",
        name="rates below zero",
        complaint="With Meta-SGD the loss after the inner step is often higher than before it, "
        "above all early in training.",
        sick=first_rates,
        healed=first_rates_healed,
        experiment=steps_uphill,
        measures="share of new tasks whose support loss the first inner step raises",
        line=0.02,
        above=False,
        diagnosis="Drawn from a normal distribution around 0, half of the rates are negative: "
        "those weights climb. Begin with rates above 0.",
    ),
    Patient(
        number="10",
        ward="gradients",
        name="one factor for every number of steps",
        complaint="Our closed form agrees with autograd for one inner step. With more steps the "
        "drawing and the training part ways.",
        sick=jacobian_of_adapting,
        healed=jacobian_of_adapting_healed,
        experiment=jacobian_error,
        measures="error of dφ/dθ against finite differences, as a share",
        line=1e-6,
        above=False,
        diagnosis="I - αH is the Jacobian of one step. Steps follow each other, so their Jacobians "
        "multiply: on a quadratic (I - αH) to the power of k.",
    ),
    Patient(
        number="12b",
        ward="gradients",
        name="a distance that is not squared",
        complaint="With squared distances, says the prototypical paper, the classifier is linear. "
        "But on a line through two prototypes our log odds rise between them, and are flat beyond.",
        sick=squared_distance_logits,
        healed=squared_distance_logits_healed,
        experiment=twice_as_far,
        measures="factor on the logits when all is twice as far apart",
        line=3.99,
        above=True,
        diagnosis="cdist is the plain distance. Square it: then logits are linear in the query, "
        "but for a term that all classes share. Of plain distances that is not so.",
    ),
)
