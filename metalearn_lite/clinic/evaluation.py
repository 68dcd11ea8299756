"""The ward of evaluation: a score of something, only not of what it says."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite.clinic.instruments import draw_waves, generator, glyphs
from metalearn_lite.clinic.patient import Patient
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.networks import Network, Params
from metalearn_lite.tasks.characters import Characters

# 3


def outer_loss(network: Network, params: Params, episodes: Episodes, inner_lr: float) -> Tensor:
    """The loss of MAML's outer loop after one inner step, for episodes of one task."""
    support = episodes.support
    loss = F.mse_loss(network(params, support.x).squeeze(-1), support.y)
    gradient = torch.autograd.grad(loss, list(params.values()), create_graph=True)
    adapted = {
        name: value - inner_lr * slope
        for (name, value), slope in zip(params.items(), gradient, strict=True)
    }
    return F.mse_loss(network(adapted, support.x).squeeze(-1), support.y)


def outer_loss_healed(
    network: Network, params: Params, episodes: Episodes, inner_lr: float
) -> Tensor:
    """The same, asked on the query."""
    support, query = episodes
    loss = F.mse_loss(network(params, support.x).squeeze(-1), support.y)
    gradient = torch.autograd.grad(loss, list(params.values()), create_graph=True)
    adapted = {
        name: value - inner_lr * slope
        for (name, value), slope in zip(params.items(), gradient, strict=True)
    }
    return F.mse_loss(network(adapted, query.x).squeeze(-1), query.y)


def minds_the_query(code, seed: int) -> float:
    """By what share the loss changes when every answer of the query is made wrong by 3."""
    network, params, (support, query) = draw_waves(seed)
    params = {name: value.requires_grad_() for name, value in params.items()}
    spoilt = Examples(query.x, query.y + 3)
    told = code(network, params, Episodes(support, query), 0.01)
    told_wrong = code(network, params, Episodes(support, spoilt), 0.01)
    return ((told_wrong - told).abs() / told).item()


# 4


def three_splits(characters: Characters) -> dict[str, Characters]:
    """The characters of meta-training, meta-validation and meta-test."""
    parts = characters.split((0.6, 0.2, 0.2))
    return {"train": parts[0], "validation": parts[0], "test": parts[0]}


def three_splits_healed(characters: Characters) -> dict[str, Characters]:
    """The same, three of them."""
    parts = characters.split((0.6, 0.2, 0.2))
    return {"train": parts[0], "validation": parts[1], "test": parts[2]}


def seen_before(code, seed: int) -> float:
    """The share of images in meta-validation and meta-test tasks that meta-training has, too."""
    splits = code(glyphs())
    known = {image.numpy().tobytes() for image in splits["train"].images.flatten(0, 1)}
    met = []
    for name in ("validation", "test"):
        images = splits[name].sample(10, 3, 1, 1, generator(seed)).query.x
        asked = (images * 255).round().to(torch.uint8).flatten(0, 1).squeeze(1)
        met += [image.numpy().tobytes() in known for image in asked]
    return sum(met) / len(met)


# 11


def answer_queries(support: Examples, query_x: Tensor) -> Tensor:
    """The nearest class mean of each query ``(M,)``, after features were normalised.

    ``support`` is x ``(N, D)``, y ``(N,)``; ``query_x`` is ``(M, D)``.
    """

    def normalised(x: Tensor, by: Tensor) -> Tensor:
        return (x - by.mean(0)) / (by.std(0, correction=0) + 1e-5)

    points = normalised(support.x, support.x)
    belongs = F.one_hot(support.y).to(points.dtype)
    means = belongs.T @ points / belongs.sum(0).unsqueeze(-1)
    return torch.cdist(normalised(query_x, query_x), means).argmin(1)


def answer_queries_healed(support: Examples, query_x: Tensor) -> Tensor:
    """The same, with what was measured on the support for the query, too."""

    def normalised(x: Tensor, by: Tensor) -> Tensor:
        return (x - by.mean(0)) / (by.std(0, correction=0) + 1e-5)

    points = normalised(support.x, support.x)
    belongs = F.one_hot(support.y).to(points.dtype)
    means = belongs.T @ points / belongs.sum(0).unsqueeze(-1)
    return torch.cdist(normalised(query_x, support.x), means).argmin(1)


def changed_by_neighbours(code, seed: int) -> float:
    """The share of 25 queries that are answered otherwise when each is asked alone."""
    draws = generator(seed)
    centres = 2 * torch.randn(5, 4, generator=draws)
    y = torch.arange(5).repeat(5)
    support, query = (centres[y] + torch.randn(25, 4, generator=draws) for _ in range(2))
    together = code(Examples(support, y), query)
    alone = torch.cat([code(Examples(support, y), one) for one in query.split(1)])
    return (together != alone).float().mean().item()


WARD = (
    Patient(
        number="3",
        ward="evaluation",
        name="judged on the support",
        complaint="Meta-training's loss falls to almost nothing within minutes. On new tasks the "
        "error is large.",
        sick=outer_loss,
        healed=outer_loss_healed,
        experiment=minds_the_query,
        measures="share by which the loss changes when all of the query's answers are wrong",
        line=0.01,
        above=True,
        diagnosis="The outer loss asks the very points the inner step learned from: what is "
        "trained is fitting, not learning. The query is there and never looked at.",
    ),
    Patient(
        number="4",
        ward="evaluation",
        name="tested on training tasks",
        complaint="99 % on meta-training, meta-validation and meta-test alike. No over-fitting at "
        "all!",
        sick=three_splits,
        healed=three_splits_healed,
        experiment=seen_before,
        measures="share of validation and test images that training has, too",
        line=0.0,
        above=False,
        diagnosis="Three names, one set of characters. Compare the splits' images, not their "
        "names: no image of one may be in another.",
    ),
    Patient(
        number="11",
        ward="evaluation",
        name="a query that looks at its neighbours",
        complaint="98 % in the paper's protocol. In our app, where people draw one character at a "
        "time, it hardly works.",
        sick=answer_queries,
        healed=answer_queries_healed,
        experiment=changed_by_neighbours,
        measures="share of queries answered otherwise when asked alone",
        line=0.0,
        above=False,
        diagnosis="Means and variances are measured on the queries, so that each one's answer "
        "leans on the others (transductive). Measure on the support, or say what was done.",
    ),
)
