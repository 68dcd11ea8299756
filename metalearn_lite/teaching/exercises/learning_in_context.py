"""Hints, checks and stand-ins for notebook 09."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.in_context import InContextLearner
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess, EncodeDecode
from metalearn_lite.learners.recurrent import GRU, RecurrentLearner
from metalearn_lite.tasks.linear import LinearRegression
from metalearn_lite.teaching.comparing import kind_of, of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

# --- neural_process: tasks of unequal length ------------------------------------------------


def neural_process(
    encode: Callable, decode: Callable, support_x: Tensor, support_y: Tensor, mask: Tensor,
    query_x: Tensor,
) -> Tensor:  # fmt: skip
    """What ``decode`` gives for ``query_x``, with each task's average code of its real points."""
    real = (mask > 0).unsqueeze(-1)
    codes = encode(support_x, support_y).where(real, torch.zeros(()))
    summary = codes.sum(1) / real.sum(1).clamp(min=1)
    return decode(query_x, summary.unsqueeze(1).expand(-1, query_x.shape[1], -1))


NAN = math.nan
RAGGED = (
    # what the padding holds, outputs of decode, places, queries, mask
    ("with padding like points", None, (), 4, 5, ((1, 1, 1, 1), (0, 0, 1, 0), (0, 0, 0, 0))),
    ("with one task", None, (), 3, 2, ((0, 1, 1),)),
    ("where decode gives two numbers", None, (2,), 3, 4, ((1, 0, 1), (1, 1, 1))),
    ("with large numbers for padding", 1e4, (), 4, 1, ((1, 1, 0, 0), (0, 1, 0, 1), (0, 0, 0, 0))),
    ("with NaN for padding", NAN, (), 4, 3, ((1, 1, 0, 0), (0, 0, 0, 1), (0, 0, 0, 0))),
)  # fmt: skip


def check_neural_process(answer: Callable) -> None:
    generator = seeded(9)
    network = EncodeDecode(inputs=1, width=8)
    params = network.init(generator)
    for kind, padding, outputs, places, queries, real in RAGGED:
        mask = torch.tensor(real, dtype=torch.float32)
        x = torch.randn(len(mask), places, 1, generator=generator)
        y = torch.randn(len(mask), places, generator=generator)
        if padding is not None:
            x = x.where(mask.unsqueeze(-1) > 0, torch.tensor(padding))
            y = y.where(mask > 0, torch.tensor(padding))
        query_x = torch.randn(len(mask), queries, 1, generator=generator)

        def encode(x: Tensor, y: Tensor) -> Tensor:
            return network(params, "encoder", x, y.unsqueeze(-1))

        def decode(x: Tensor, summary: Tensor, outputs: tuple = outputs) -> Tensor:
            if summary.shape != (*x.shape[:-1], 8):
                raise Mistake(
                    f"decode got a summary of shape {tuple(summary.shape)} for x {tuple(x.shape)}. "
                    "Every query point needs its task's summary beside it: "
                    f"{(*x.shape[:-1], 8)}."
                )
            answers = network(params, "decoder", x, summary)
            return answers if outputs else answers[..., 0]

        given = x.clone(), y.clone(), mask.clone(), query_x.clone()
        result = attempted(answer(encode, decode, *given))
        shape = (len(mask), queries, *outputs)
        result = of_shape(result, shape, "what decode gives for each task and query point")
        right = neural_process(encode, decode, x, y, mask, query_x)
        if not same(result, right):
            _refuse_summary(result, encode, decode, (x, y, mask, query_x), kind)


def _refuse_summary(
    result: Tensor, encode: Callable, decode: Callable, given: tuple, kind: str
) -> None:
    x, y, mask, query_x = given
    codes, real = encode(x, y), mask.unsqueeze(-1)
    total, count = (codes * real).sum(1), mask.sum(1, keepdim=True)
    if result.isnan().any():
        if x.isnan().any():
            raise Mistake(
                "NaN: padding came through, since 0 times NaN is NaN. Leave those codes out "
                "instead of multiplying them by 0."
            )
        raise Mistake("A task without a point gave NaN: you divided by 0. Its summary is zeros.")

    def answers(summary: Tensor) -> Tensor:
        return decode(query_x, summary.unsqueeze(1).expand(-1, query_x.shape[1], -1))

    origin = encode(x * real, y * mask)
    points = "You set the padded x and y to 0. Then (0, 0) counts as a point. Mask the codes."
    last = (mask * torch.arange(1, mask.shape[1] + 1)).argmax(1)
    mistakes = (
        (codes.mean(1), "You averaged over padding too. Where mask is 0 there is no point."),
        (total, "You added the codes up. Divide, or ten points shout louder than one."),
        (
            total / mask.shape[1],
            "You divided by N. Divide by the number of real points of each task.",
        ),
        (
            (total.sum(0) / count.sum()).expand(len(mask), -1),
            "You averaged over tasks as well: each task has a summary of its own.",
        ),
        (
            total / count.mean().clamp(min=1),
            "You divided by the average number of points. Each task has a number of its own.",
        ),
        (origin.mean(1), points),
        (origin.sum(1) / count.clamp(min=1), points),
        (
            (codes * real).amax(1),
            "You took the largest of the codes. The summary is their average.",
        ),
        (
            codes[torch.arange(len(mask)), last],
            "You kept one point's code only. The summary is the average of all.",
        ),
        (
            (codes * real).sum(1) / (count + 1),
            "You divided by one point more than there are. Where there is none, divide by 1.",
        ),
    )
    refuse(result, ((answers(wrong), message) for wrong, message in mistakes))
    raise Mistake(
        f"These are not the answers from each task's average code, for a batch {kind}. Print the "
        "summary of one task, and compare it with its points' codes."
    )


# --- attention: one head --------------------------------------------------------------------


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """One head: for each query the weighted mean of its task's values, ``(T, M, V)``.

    Args:
        query: ``(T, M, D)``.
        key: ``(T, N, D)``, one for each place.
        value: ``(T, N, V)``.
        mask: ``(T, N)``: 0 where a place is empty, whatever its key and value hold. A task all of
            whose places are empty gets zeros.
    """
    scores = query @ key.mT / math.sqrt(key.shape[-1])
    scores = scores.masked_fill(mask.unsqueeze(1) == 0, -math.inf)
    weights = scores.softmax(-1).nan_to_num(nan=0.0)
    told = value.masked_fill(mask.unsqueeze(-1) == 0, 0.0)  # since 0 times NaN is NaN
    return weights @ told


HEADS = (
    # tasks, queries, places, D, V, factor of query and key, mask
    ("where every place is taken", 2, 3, 4, 5, 2, 1.0, None),
    ("with empty places", 3, 4, 5, 6, 2, 1.0, ((1, 1, 1, 0, 0), (0, 1, 0, 1, 1), (0, 0, 0, 1, 0))),
    ("with one place", 2, 3, 1, 4, 3, 1.0, None),
    ("with a task all of whose places are empty", 2, 2, 3, 4, 5, 1.0, ((0, 0, 0), (1, 0, 1))),
    ("with very large scores", 1, 3, 4, 2, 1, 40.0, ((1, 1, 1, 0),)),
    ("with very negative scores", 1, 2, 3, 4, 1, -1.0, ((1, 1, 0),)),
    ("with NaN in empty places", 3, 2, 4, 3, 2, 1.0, ((1, 1, 0, 1), (0, 0, 0, 0), (0, 1, 1, 0))),
)


def check_attention(answer: Callable) -> None:
    generator = seeded(9)
    for kind, num_tasks, num_queries, places, depth, width, factor, real in HEADS:
        query = factor * torch.randn(num_tasks, num_queries, depth, generator=generator)
        key = factor * torch.randn(num_tasks, places, depth, generator=generator)
        if factor < 0:  # every real score far below that of an empty place
            query, key = 20 + query, -20 + 0.1 * key
        value = torch.randn(num_tasks, places, width, generator=generator) + 1
        mask = torch.ones(num_tasks, places) if real is None else torch.tensor(real).float()
        if "NaN" in kind:
            empty = mask.unsqueeze(-1) == 0
            key, value = key.masked_fill(empty, NAN), value.masked_fill(empty, NAN)
        given = query.clone(), key.clone(), value.clone(), mask.clone()
        result = attempted(answer(*given))
        weights = (num_tasks, num_queries, places)
        shape = (num_tasks, num_queries, width)
        if isinstance(result, Tensor) and result.shape == weights != shape:
            raise Mistake("These are the weights. What a query receives is the mixture of values.")
        result = of_shape(result, shape, "for each task and query a mixture of values")
        if not same(result, attention(query, key, value, mask)):
            _refuse_attention(result, (query, key, value, mask), kind)


def _refuse_attention(result: Tensor, given: tuple, kind: str) -> None:
    query, key, value, mask = given
    taken = mask.unsqueeze(1)
    if result.isnan().any():
        if value.isnan().any():
            raise Mistake(
                "NaN came through from an empty place. A weight of 0 is not enough: 0 times NaN is "
                "NaN."
            )
        if result[mask.sum(1) == 0].isnan().any():
            raise Mistake(
                "NaN for a task all of whose places are empty: it has nothing to attend to. Its "
                "mixtures are zeros."
            )
        if query.abs().max() > 10:
            raise Mistake(
                "NaN for very large or very negative scores: exp() of them is infinite, or 0 for "
                "all. Subtract each query's largest score first, or use torch's softmax."
            )
        raise Mistake(
            "NaN from ordinary scores: 0 times infinity is NaN, and so is 0 divided by 0."
        )
    depth = key.shape[-1]
    dots = query @ key.mT
    scores = dots / math.sqrt(depth)
    hidden = scores.masked_fill(taken == 0, -math.inf)
    weights = hidden.softmax(-1).nan_to_num(nan=0.0)
    ignored = scores.softmax(-1)

    def hides(scores: Tensor) -> Tensor:
        return scores.masked_fill(taken == 0, -math.inf).softmax(-1).nan_to_num(nan=0.0)

    def shares(scores: Tensor) -> Tensor:
        kept = scores * taken
        return (kept / kept.sum(-1, keepdim=True)).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)

    size = "The scores are divided by √d, where d is how many numbers a key has."
    others = (
        "Your softmax runs over the queries. The weights of one query sum to 1 over the places."
    )
    plain = "These weights need not be positive: take the softmax of the scores."
    if not mask.sum(1).all() and not same(result[mask.sum(1) == 0], torch.zeros(()).expand_as(
        result[mask.sum(1) == 0]
    )):  # fmt: skip
        raise Mistake(
            "For a task all of whose places are empty you mixed what stands in them. Its mixtures "
            "are zeros."
        )
    if value.isnan().any() and same(result, (weights @ value).nan_to_num(nan=0.0)):
        raise Mistake(
            "You turned NaN into 0 at the end. By then what stood in empty places had spoilt the "
            "mixtures: NaN must not enter them."
        )
    mistakes = (
        (
            (scores * taken).softmax(-1),
            "You gave empty places a score of 0. That is a weight, too: exp(0) is 1.",
        ),
        (ignored, "You attended to empty places, too. Where mask is 0 the weight must be 0."),
        (
            ignored * taken,
            "You set weights to 0 after the softmax. Those that are left no longer sum to 1.",
        ),
        (hides(dots), size),
        (hides(dots / depth), size),
        (hides(dots * math.sqrt(depth)), size),
        (hides(dots / math.sqrt(key.shape[1])), size),
        (hides(dots / math.sqrt(value.shape[-1])), size),
        (hides(-scores), "You gave the largest weight where query and key match least."),
        (hidden.softmax(1).nan_to_num(nan=0.0), others),
        (ignored.softmax(1) * taken, others),
        (scores.softmax(1) * taken, others),
        (scores * taken, plain),
        (shares(scores), plain),
        (
            taken / taken.sum(-1, keepdim=True).clamp(min=1) + 0 * scores,
            "This is the plain average of the values. The scores play no part in it.",
        ),
        (
            torch.nn.functional.one_hot(hidden.argmax(-1), key.shape[1]).float(),
            "You took the best match alone. Softmax gives all others a share, too.",
        ),
    )
    refuse(result, ((wrong @ value, message) for wrong, message in mistakes))
    if same(result, (weights @ value).sum(-1, keepdim=True).expand_as(result)):
        raise Mistake("You added up the numbers of the mixture. Keep each of them.")
    raise Mistake(
        f"These are not the weighted means of the values, for a batch {kind}. Do the weights of "
        "one query sum to 1, and are they right where scores are equal?"
    )


# --- order_effect: a permutation test -------------------------------------------------------


def order_effect(learner: Learner, support: Examples, query_x: Tensor, order: Tensor) -> float:
    """The largest absolute change of an answer when the support is put into ``order``."""
    before = learner.predict(learner.adapt(support), query_x)
    shuffled = Examples(support.x[:, order], support.y[:, order])
    return (learner.predict(learner.adapt(shuffled), query_x) - before).abs().max().item()


class _Flipped(InContextLearner):
    """The learner's answers with the other sign."""

    def __init__(self, learner: Learner):
        self.learner, self.params = learner, learner.params

    def adapt(self, support: Examples):
        return self.learner.adapt(support)

    def predict(self, adapted, x: Tensor) -> Tensor:
        return -self.learner.predict(adapted, x)


def check_order_effect(answer: Callable) -> None:
    generator = seeded(9)
    # Weights three times as large as usual make a recurrent network take order seriously.
    reader, network = GRU(width=8), EncodeDecode(width=8)
    params = {name: 3 * value for name, value in reader.init(generator).items()}
    ordered = RecurrentLearner(reader, params)
    orderless = ConditionalNeuralProcess(network, network.init(generator))
    cases = (
        ("a recurrent network", ordered, 4, 4, (2, 0, 3, 1)),
        ("a recurrent network, turned upside down", _Flipped(ordered), 4, 4, (2, 0, 3, 1)),
        ("a recurrent network, five examples and two tasks", ordered, 2, 3, (4, 0, 1, 2, 3)),
        ("an order that moves nothing", ordered, 2, 3, (0, 1, 2)),
        ("one example", ordered, 3, 2, (0,)),
        ("a neural process, which knows no order", orderless, 4, 4, (2, 0, 3, 1)),
    )
    for kind, learner, num_tasks, num_queries, places in cases:
        shape = num_tasks, len(places)
        support = Examples(
            torch.randn(*shape, 1, generator=generator), torch.randn(*shape, generator=generator)
        )
        query_x = torch.randn(num_tasks, num_queries, 1, generator=generator)
        order = torch.tensor(places)
        with torch.no_grad():
            given = Examples(support.x.clone(), support.y.clone()), query_x.clone(), order.clone()
            result = _number(attempted(answer(learner, *given)))
            right = order_effect(learner, support, query_x, order)
            if not same(result, right, atol=1e-4 if right < 1e-4 else 1e-6):
                _refuse_effect(result, learner, support, query_x, order, kind)


def _number(value) -> float:
    if isinstance(value, Tensor) and value.numel() != 1:
        raise Mistake(f"Return one number, the largest change; got shape {tuple(value.shape)}.")
    if not isinstance(value, Tensor | float | int):
        raise Mistake(f"Return one number, the largest change; got {kind_of(value)}.")
    return float(value)


def _refuse_effect(
    result: float, learner: Learner, support: Examples, query_x: Tensor, order: Tensor, kind: str
) -> None:
    x, y = support
    before = learner.predict(learner.adapt(support), query_x)

    def change(x: Tensor, y: Tensor, query: Tensor = query_x) -> Tensor:
        return learner.predict(learner.adapt(Examples(x, y)), query) - before

    right = change(x[:, order], y[:, order])
    if right.abs().max() < 1e-4:
        raise Mistake(f"There is no effect of order in this case, {kind}, but you found one.")
    cancelled = "Changes up and down cancelled out. Take abs() of each first."
    upwards = "You saw only the changes in one direction. Take abs() before max()."
    mistakes = [
        (0.0, "No change at all: adapt again, to the support in its new order."),
        (change(x[:, order], y).abs().max(), "You moved x but not y: these are other points."),
        (change(x, y[:, order]).abs().max(), "You moved y but not x: these are other points."),
        (right.max(), upwards),
        (-right.min(), upwards),
        (right.min(), upwards),
        (right.max() - right.min(), "This is from the lowest change to the highest. Take abs()."),
        (right.abs().mean(), "This is the mean change. One answer that moves is enough: max."),
        (right.abs().sum(), "These are all changes added up. Asked for is the largest."),
        (right.abs().median(), "This is the median change. One answer that moves is enough: max."),
        (right.mean().abs(), cancelled),
        (right.mean(), cancelled),
        (right.square().max(), "This is the square of the change. Take abs()."),
        (right.square().mean(), "This is the mean of the squares. Take abs(), and the largest."),
        (
            change(x.flip(1), y.flip(1)).abs().max(),
            "You turned the examples round. Put them into the order that is given.",
        ),
        (
            change(x[:, order.argsort()], y[:, order.argsort()]).abs().max(),
            "You put example i in place order[i]. Place i gets example order[i].",
        ),
    ]
    if len(x) == len(order):
        mistakes.append(
            (
                change(x[order], y[order]).abs().max(),
                "You put the tasks in another order. Axis 0 counts tasks, axis 1 examples.",
            )
        )
    if query_x.shape[1] == len(order):
        asked = query_x[:, order]
        mistakes += [
            (
                change(x, y, asked).abs().max(),
                "You put the query in another order. It is the support that is shuffled.",
            ),
            (
                change(x[:, order], y[:, order], asked).abs().max(),
                "You put the query in another order too. Ask the same questions both times.",
            ),
        ]
    refuse(result, mistakes, atol=1e-7)
    raise Mistake(f"This is not the largest change of any answer for {kind}. Try one task by hand.")


# --- gradient_step: attention without a softmax ---------------------------------------------


def _apply(weights: Tensor, x: Tensor) -> Tensor:
    return (x @ weights.unsqueeze(-1)).squeeze(-1)


def gradient_step(
    weights: Tensor, support_x: Tensor, support_y: Tensor, query_x: Tensor, inner_lr: float
) -> tuple[Tensor, Tensor]:
    """The scores ``(T, M, N)``, and the answers ``(T, M)`` after one step from ``weights``."""
    scores = 2 * inner_lr / support_x.shape[1] * query_x @ support_x.mT
    residuals = support_y - _apply(weights, support_x)
    return scores, _apply(weights, query_x) + _apply(residuals, scores)


STEPS = (
    # tasks, numbers of an x, examples, queries, inner_lr, factor of the weights
    ("two tasks of five examples", 2, 3, 5, 4, 0.1, 1.0),
    ("one example", 3, 2, 1, 2, 0.3, 1.0),
    ("one number for each x", 2, 1, 4, 3, 0.2, 2.0),
    ("weights that are 0", 2, 3, 6, 2, 0.25, 0.0),
)


def check_gradient_step(answer: Callable) -> None:
    generator = seeded(9)
    for kind, num_tasks, num_inputs, num_examples, num_queries, inner_lr, factor in STEPS:
        tasks = LinearRegression(num_inputs).sample(num_tasks, num_examples, num_queries, generator)
        (x, y), (query_x, _) = tasks
        weights = factor * torch.randn(num_tasks, num_inputs, generator=generator)
        given = [part.clone() for part in (weights, x, y, query_x)]
        result = attempted(answer(*given, inner_lr))
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise Mistake("Return two tensors: the attention scores and the answers.")
        scores, answers = result
        shapes = (num_tasks, num_queries, num_examples), (num_tasks, num_queries)
        for name, value, shape in zip(("scores", "answers"), result, shapes, strict=True):
            of_shape(value, shape, f"the {name}")
        right, stepped = gradient_step(weights, x, y, query_x, inner_lr)
        # The sign may stand in the scores or in what the examples tell.
        if not (same(scores, right) or same(scores, -right)):
            _refuse_scores(scores, right, query_x @ x.mT, inner_lr, kind)
        if not same(answers, stepped):
            _refuse_step(answers, right, (weights, x, y, query_x), kind)


def _refuse_scores(scores: Tensor, right: Tensor, dots: Tensor, inner_lr: float, kind: str) -> None:
    num_examples = dots.shape[-1]
    soft = "There is no softmax in a gradient step: the scores may be negative."
    mistakes = [
        (dots.softmax(-1), soft),
        (right.softmax(-1), soft),
        ((dots / math.sqrt(num_examples)).softmax(-1), soft),
        (dots, "These are the bare products x · xᵢ. By which number does a step multiply them?"),
        (right / 2, "The derivative of a square brings a factor 2, which is missing."),
        (right * num_examples, "The loss is a mean over the N examples: divide by N."),
        (
            right * num_examples / 2,
            "Two factors are missing: 2 from the square and 1 / N from the mean.",
        ),
        (right / inner_lr, "You left out inner_lr."),
        (right / inner_lr / 2, "You left out inner_lr, and the 2 that a square brings."),
        (2 * right, "There is a factor 2 too many."),
    ]
    signed = [(sign * wrong, message) for wrong, message in mistakes for sign in (1, -1)]
    refuse(scores, signed)
    raise Mistake(
        f"The scores are not the products x · xᵢ of query x and support xᵢ, times one number, for "
        f"{kind}; or it is another number. Write down the gradient of the mean squared error."
    )


def _refuse_step(answers: Tensor, right: Tensor, given: tuple, kind: str) -> None:
    weights, x, y, query_x = given
    start, residuals = _apply(weights, query_x), y - _apply(weights, x)

    def attended(values: Tensor) -> Tensor:
        return _apply(values, right)

    mistakes = (
        (start, "These are the answers before the step. Add what the attention brings."),
        (attended(residuals), "You left out where the step starts: add the old answers x · w."),
        (start - attended(residuals), "The sign is wrong: you step away from the examples."),
        (start + attended(y), "Attend to the residuals yᵢ - xᵢ · w, not to yᵢ: w knows a part."),
        (attended(y), "This is a step from w = 0. Here w is given: use residuals, add x · w."),
        (
            start + attended(residuals) * y.shape[1],
            "The answers go N times too far: their loss was a sum. The scores have it right.",
        ),
        (
            start + attended(residuals) / 2,
            "The answers go half as far as the scores say: a square brings a factor 2.",
        ),
    )
    refuse(answers, mistakes)
    raise Mistake(
        f"The answers differ from those of the stepped weights, for {kind}. Check by autograd."
    )


EXERCISES = {
    "neural_process": Exercise(
        hints=(
            "Code each point, average the codes of the real ones, let decode read the average.",
            "codes is (T, N, R) and mask is (T, N): torch.where(mask.unsqueeze(-1) > 0, codes, "
            "0.0) leaves padding out, whatever it held. Then sum over axis 1, and divide by how "
            "many points are real in each task.",
            "A task may have none: divide by mask.sum(1, keepdim=True).clamp(min=1). Give every "
            "query point the summary: summary.unsqueeze(1).expand(-1, query_x.shape[1], -1).",
        ),
        check=check_neural_process,
        praise="Padding is not seen, and a task without a point has a summary too.",
    ),
    "attention": Exercise(
        hints=(
            "First without the mask: all scores at once are query @ key.transpose(1, 2), "
            "(T, M, N). Which axis do the weights sum to 1 over?",
            "A weight is 0 where exp(score) is 0, and that is where the score is minus infinity. "
            "Put it there before the softmax: scores.masked_fill(mask.unsqueeze(1) == 0, "
            "float('-inf')).",
            "Softmax over the last axis, then weights @ value. Where all scores are minus infinity "
            "softmax gives NaN: weights.nan_to_num(0.0) makes them zeros. And 0 times NaN is NaN, "
            "so empty the value first: torch.where(mask.unsqueeze(-1) > 0, value, 0.0).",
        ),
        check=check_attention,
        praise="One head of attention: a weighted mean, in which an empty place has no say.",
    ),
    "order_effect": Exercise(
        hints=(
            "Adapt and predict twice: to the support as it is, and to the support in `order`.",
            "support.x[:, order] moves the examples. A point is a pair: move support.y alike.",
            "Examples(support.x[:, order], support.y[:, order]) is the shuffled support. Then "
            "(after - before).abs().max().",
        ),
        check=check_order_effect,
        praise="One number: it is 0, up to rounding, where order means nothing.",
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
