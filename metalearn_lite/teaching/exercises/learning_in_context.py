"""Hints and checks for notebook 09."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess, EncodeDecode
from metalearn_lite.learners.recurrent import GRU, RecurrentLearner
from metalearn_lite.tasks.linear import LinearRegression
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted


def check_neural_process(neural_process: Callable) -> None:
    generator = torch.Generator().manual_seed(9)
    network = EncodeDecode(inputs=1, width=8)
    params = network.init(generator)
    x, query_x = (torch.randn(3, n, 1, generator=generator) for n in (4, 5))
    y = torch.randn(3, 4, generator=generator)
    # Four points, one, none. Where there is no point, the tensors hold what was there before.
    mask = torch.tensor([[1.0, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]])

    def encode(x: Tensor, y: Tensor) -> Tensor:
        return network(params, "encoder", x, y.unsqueeze(-1))

    def decode(x: Tensor, summary: Tensor) -> Tensor:
        if summary.shape != (*x.shape[:-1], 8):
            raise Mistake(
                f"decode got a summary of shape {tuple(summary.shape)} for x {tuple(x.shape)}. "
                f"Every query point needs its task's summary beside it: {(*x.shape[:-1], 8)}."
            )
        return network(params, "decoder", x, summary)[..., 0]

    def answers(summary: Tensor) -> Tensor:
        return decode(query_x, summary.unsqueeze(1).expand(-1, 5, -1))

    result = attempted(neural_process(encode, decode, x, y, mask, query_x))
    codes, real = encode(x, y), mask.unsqueeze(-1)
    total, count = (codes * real).sum(1), mask.sum(1, keepdim=True)
    result = of_shape(result, (3, 5), "one answer per task and query point")
    if result.isnan().any():
        raise Mistake("A task without a point gave NaN: you divided by 0. Its summary is zeros.")
    mistakes = (
        (codes.mean(1), "You averaged over padding too. Where mask is 0 there is no point."),
        (total, "You added the codes up. Divide, or ten points shout louder than one."),
        (total / 4, "You divided by N. Divide by the number of real points of each task."),
        (
            (total.sum(0) / count.sum()).expand(3, -1),
            "You averaged over tasks as well: each task has a summary of its own.",
        ),
        (
            encode(x * real, y * mask).mean(1),
            "You set the padded x and y to 0. Then (0, 0) counts as a point. Mask the codes.",
        ),
        (
            encode(x * real, y * mask).sum(1) / count.clamp(min=1),
            "You set the padded x and y to 0. Then (0, 0) counts as a point. Mask the codes.",
        ),
    )
    refuse(result, ((answers(wrong), message) for wrong, message in mistakes))
    if not same(result, answers(total / count.clamp(min=1))):
        raise Mistake("These are not the answers from each task's average code. Print the summary.")


def check_order_effect(order_effect: Callable) -> None:
    generator = torch.Generator().manual_seed(9)
    # Weights three times as large as usual make a recurrent network take order seriously.
    reader, network = GRU(width=8), EncodeDecode(width=8)
    params = {name: 3 * value for name, value in reader.init(generator).items()}
    ordered = RecurrentLearner(reader, params)
    orderless = ConditionalNeuralProcess(network, network.init(generator))
    support = Examples(*(torch.randn(4, 4, *d, generator=generator) for d in ((1,), ())))
    query_x = torch.randn(4, 4, 1, generator=generator)
    order = torch.tensor([2, 0, 3, 1])

    with torch.no_grad():
        result = _number(attempted(order_effect(ordered, support, query_x, order)))
        calm = _number(order_effect(orderless, support, query_x, order))
        before = ordered.predict(ordered.adapt(support), query_x)

        def change(x: Tensor, y: Tensor, query: Tensor = query_x) -> Tensor:
            return ordered.predict(ordered.adapt(Examples(x, y)), query) - before

        x, y = support
        right = change(x[:, order], y[:, order])
        mistakes = (
            (torch.zeros(()), "No change at all: adapt again, to the support in its new order."),
            (change(x[:, order], y).abs().max(), "You moved x but not y: these are other points."),
            (change(x, y[:, order]).abs().max(), "You moved y but not x: these are other points."),
            (
                change(x[order], y[order]).abs().max(),
                "You put the tasks in another order. Axis 0 counts tasks, axis 1 examples.",
            ),
            (
                change(x, y, query_x[:, order]).abs().max(),
                "You put the query in another order. It is the support that is shuffled.",
            ),
            (
                change(x[:, order], y[:, order], query_x[:, order]).abs().max(),
                "You put the query in another order too. Ask the same questions both times.",
            ),
            (right.abs().mean(), "This is the mean change. One answer that moves is enough: max."),
            (right.mean().abs(), "Changes up and down cancelled out. Take abs() of each first."),
            (right.mean(), "Changes up and down cancelled out. Take abs() of each first."),
            (right.square().max(), "This is the square of the change. Take abs()."),
        )
    refuse(result, mistakes, atol=1e-7)
    if math.isclose(result, right.max().item(), rel_tol=1e-4) and right.max() < right.abs().max():
        raise Mistake("You saw only the changes upwards. Take abs() before max().")
    if not math.isclose(result, right.abs().max().item(), rel_tol=1e-4):
        raise Mistake("This is not the largest change of any answer. Try one task by hand.")
    if not math.isclose(calm, 0, abs_tol=1e-4):
        raise Mistake("A neural process knows no order, but you found an effect of order on it.")


def _number(value) -> float:
    if isinstance(value, Tensor) and value.numel() != 1:
        raise Mistake(f"Return one number, the largest change; got shape {tuple(value.shape)}.")
    return float(value)


def check_gradient_step(gradient_step: Callable) -> None:
    generator = torch.Generator().manual_seed(9)
    (x, y), (query_x, _) = LinearRegression(3).sample(2, 5, 4, generator)
    weights, inner_lr = torch.randn(2, 3, generator=generator), 0.1

    def apply(weights: Tensor, x: Tensor) -> Tensor:
        return (x @ weights.unsqueeze(-1)).squeeze(-1)

    result = attempted(gradient_step(weights, x, y, query_x, inner_lr))
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Mistake("Return two tensors: the attention scores and the answers.")
    scores, answers = result
    for name, value, shape in (("scores", scores, (2, 4, 5)), ("answers", answers, (2, 4))):
        of_shape(value, shape, f"the {name}")

    leaf = weights.clone().requires_grad_()
    loss = (apply(leaf, x) - y).square().mean(1).sum()
    stepped = weights - inner_lr * torch.autograd.grad(loss, leaf)[0]
    dots = query_x @ x.transpose(1, 2)
    right = 2 * inner_lr / 5 * dots
    mistakes = (
        (dots.softmax(-1), "There is no softmax in a gradient step: the scores may be negative."),
        (right.softmax(-1), "There is no softmax in a gradient step: the scores may be negative."),
        (dots, "These are the bare products x · xᵢ. Their factor is 2 · inner_lr / N."),
        (right / 2, "The derivative of a square brings a factor 2, which is missing."),
        (right * 5, "The loss is a mean over the N examples: divide by N."),
        (right * 5 / 2, "Two factors are missing: 2 from the square and 1 / N from the mean."),
        (right / inner_lr, "You left out inner_lr."),
        (-right, "The sign is wrong: an answer moves towards the y of examples like it."),
    )
    refuse(scores, mistakes)
    if not same(scores, right):
        raise Mistake("The scores are not (2 · inner_lr / N) · (x · xᵢ) for query x, support xᵢ.")
    start, residuals = apply(weights, query_x), y - apply(weights, x)

    def attended(values: Tensor) -> Tensor:
        return (right @ values.unsqueeze(-1)).squeeze(-1)

    mistakes = (
        (start, "These are the answers before the step. Add what the attention brings."),
        (attended(residuals), "You left out where the step starts: add the old answers x · w."),
        (start + attended(y), "Attend to the residuals yᵢ - xᵢ · w, not to yᵢ: w knows a part."),
        (attended(y), "This is a step from w = 0. Here w is given: use residuals, add x · w."),
        (start - attended(residuals), "The sign is wrong: you step away from the examples."),
    )
    refuse(answers, mistakes)
    if not same(answers, apply(stepped, query_x)):
        raise Mistake("The answers differ from those of the stepped weights. Check by autograd.")


EXERCISES = {
    "neural_process": Exercise(
        hints=(
            "Code each point, average the codes of the real ones, let decode read the average.",
            "codes is (T, N, R) and mask is (T, N): multiply codes by mask.unsqueeze(-1) before "
            "you sum over axis 1. Divide by how many points are real in each task.",
            "A task may have none: divide by mask.sum(1, keepdim=True).clamp(min=1). Give every "
            "query point the summary: summary.unsqueeze(1).expand(-1, query_x.shape[1], -1).",
        ),
        check=check_neural_process,
        praise="Padding is not seen, and a task without a point has a summary too.",
    ),
    "order_effect": Exercise(
        hints=(
            "Adapt and predict twice: to the support as it is, and to the support in `order`.",
            "support.x[:, order] moves the examples. A point is a pair: move support.y alike.",
            "Examples(support.x[:, order], support.y[:, order]) is the shuffled support. Then "
            "(after - before).abs().max().",
        ),
        check=check_order_effect,
        praise="One number that is 0 exactly where order means nothing.",
    ),
    "gradient_step": Exercise(
        hints=(
            "Write down the gradient of the mean of (yᵢ - xᵢ · w)²: a weighted sum of the xᵢ. "
            "Put it into x · (w - inner_lr · gradient).",
            "You find x · w + Σᵢ scoreᵢ (yᵢ - xᵢ · w) with scoreᵢ = (2 · inner_lr / N) (x · xᵢ). "
            "All products x · xᵢ at once: query_x @ support_x.transpose(1, 2).",
            "residuals = support_y - (support_x @ weights.unsqueeze(-1)).squeeze(-1). The answers: "
            "the same product for query_x, plus (scores @ residuals.unsqueeze(-1)).squeeze(-1).",
        ),
        check=check_gradient_step,
        praise="One gradient step, written as attention without a softmax.",
    ),
}
