"""Hints, checks and stand-ins for notebook 08."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.similarity import linear_cka
from metalearn_lite.teaching.comparing import kind_of, of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

# --- leak: does a query's answer depend on its neighbours? ----------------------------------


def _alone(predict: Callable, x: Tensor) -> Tensor:
    return torch.cat([predict(query) for query in x.split(1, dim=1)], 1)


def leak(predict: Callable, x: Tensor) -> Tensor:
    """The largest change of a probability of each query, together against alone: ``(T, M)``."""
    together, alone = predict(x).softmax(-1), _alone(predict, x).softmax(-1)
    return (together - alone).abs().amax(-1)


class _Classifier:
    """A classifier of three tasks, each with a matrix of its own, which looks about as it likes."""

    def __init__(self, seen: Callable[[Tensor], Tensor], num_ways: int, factor: float = 1.0):
        generator = seeded(num_ways)
        self.maps = factor * torch.randn(3, 6, num_ways, generator=generator)
        self.seen = seen

    def __call__(self, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor) or x.dim() != 3:
            raise Mistake(
                f"predict was called with {kind_of(x)}: it takes (num_tasks, num_queries, …), also "
                "where there is one query. x[:, [q]] keeps the axis that x[:, q] drops."
            )
        if len(x) != len(self.maps):
            raise Mistake(
                f"predict was called with {len(x)} task(s), but it was adapted to "
                f"{len(self.maps)}, each with weights of its own. Ask query q of all tasks in one "
                "call."
            )
        return self.seen(x) @ self.maps


def _measured_together(x: Tensor) -> Tensor:
    return x - 0.7 * x.mean(1, keepdim=True)


def _first_task_only(x: Tensor) -> Tensor:
    return torch.cat([_measured_together(x[:1]), x[1:]])


LEAKS = (
    # how it looks at the queries, ways, queries, factor of the logits
    ("measures all queries of a task together", _measured_together, 4, 5, 1),
    ("looks at the query's left neighbour", lambda x: x - 0.6 * x.roll(1, 1), 3, 4, 0.5),
    ("whispers in the first of its tasks only", _first_task_only, 4, 5, 1),
    ("judges each query by itself", lambda x: x, 4, 5, 1),
    ("is asked one query only", _measured_together, 4, 1, 1),
    ("gives very large logits", _measured_together, 4, 5, 100),
)


def check_leak(answer: Callable) -> None:
    generator = seeded(8)
    for kind, seen, num_ways, num_queries, factor in LEAKS:
        predict = _Classifier(seen, num_ways, factor)
        x = torch.randn(3, num_queries, 6, generator=generator)
        result = attempted(answer(predict, x.clone()))
        right = leak(predict, x)
        if isinstance(result, float | int) or (isinstance(result, Tensor) and result.dim() == 0):
            raise Mistake(
                "One number hides which queries are affected. Return one for each, "
                "(num_tasks, num_queries)."
            )
        result = of_shape(result, right.shape, "num_tasks, num_queries")
        if not same(result, right):
            _refuse_leak(result, predict(x), _alone(predict, x), kind)


def _refuse_leak(result: Tensor, together: Tensor, alone: Tensor, kind: str) -> None:
    if result.isnan().any():
        raise Mistake(
            "NaN for a learner that gives very large logits: exp() of them is infinite. "
            "Subtract each query's largest logit first, or use torch's softmax."
        )
    p, q = together.softmax(-1), alone.softmax(-1)
    if same(p, q):
        raise Mistake(f"You accuse a learner that {kind}: no answer of it changes.")
    if result.abs().max() < 1e-6:
        raise Mistake(
            f"You found nothing, but this learner {kind}. Every query has to be asked alone: "
            "another order, or fewer tasks, changes no company."
        )
    change = p - q
    answered = p.argmax(-1, keepdim=True)
    confidence = p.amax(-1) - q.amax(-1)
    one_class = "You followed one class, the one that is answered. Another may change more."
    rest = "Take the absolute value: a probability may rise, or fall; both are changes."
    certain = (
        "This is the change of the confidence, the largest probability. It stays where two classes "
        "change places. Compare class by class, and take the largest at the end."
    )
    whole = "You took all classes together. Asked for is the largest change of a single class."
    queries = (together.softmax(1) - alone.softmax(1)).abs().amax(-1)
    mistakes = (
        (
            (together - alone).abs().amax(-1),
            "These are changes of logits. Compare probabilities: take the softmax first.",
        ),
        (
            (together.log_softmax(-1) - alone.log_softmax(-1)).abs().amax(-1),
            "These are changes of log-probabilities. Compare the probabilities themselves.",
        ),
        (
            (together.argmax(-1) != alone.argmax(-1)).to(result.dtype),
            "You see a leak only where the answer flips. It is there in the probabilities already.",
        ),
        (change.amax(-1), rest),
        ((-change).amax(-1), rest),
        (confidence.abs(), certain),
        (confidence, certain),
        (change.gather(-1, answered)[..., 0].abs(), one_class),
        (change.abs().sum(-1), whole),
        (change.abs().sum(-1) / 2, whole),
        (change.abs().mean(-1), whole),
        (change.norm(dim=-1), whole),
        (change.square().amax(-1), "This is the square of the change. Take abs()."),
        (queries, "Your softmax runs over the queries. Probabilities are over the classes."),
    )
    refuse(result, mistakes)
    raise Mistake(
        "These are not the largest changes of each query's probabilities, together against alone, "
        f"for a learner that {kind}. Try one task with two queries by hand."
    )


# --- cka: do two layers say the same? --------------------------------------------------------


def cka(first: Tensor, second: Tensor) -> Tensor:
    """Linear CKA of ``(N, D)`` and ``(N, E)``; 0 where a layer says the same of every example."""
    return linear_cka(first, second).nan_to_num(nan=0.0)


LARGEST = 1_000_000  # numbers: far more than the layers of the check, far less than their product


class _Sizes(TorchFunctionMode):
    """While it is on, no torch function may return a tensor of more than ``LARGEST`` numbers."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.numel() > LARGEST:
            raise Mistake(_too_large(f"a matrix of {tuple(result.shape)}"))
        return result


def _too_large(what: str) -> str:
    return (
        f"You made {what} where the layers have (6, 3000) and (6, 4000). For the notebook's first "
        "block that would be 39 million numbers, two thousand times. Find ‖BᵀA‖² without BᵀA."
    )


@contextmanager
def _nothing_large() -> Iterator[None]:
    """Within it, torch and numpy make nothing much larger than they are given."""
    if tracemalloc.is_tracing():  # somebody measures already: leave that alone
        with _Sizes():
            yield
        return
    tracemalloc.start()
    try:
        with _Sizes():
            yield
        megabytes = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    if megabytes > 20:
        raise Mistake(_too_large(f"arrays of {megabytes:.0f} MB"))


def check_cka(answer: Callable) -> None:
    generator = seeded(8)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    first = draw(12, 4) + torch.tensor([2.0, -1, 0, 3])
    second = first[:, :3] * torch.tensor([1.0, 2, 0.3]) + 0.8 * draw(12, 3) - 1
    wide = draw(6, 3000) + 0.5
    turn = torch.linalg.qr(draw(4, 4))[0]
    cases = (
        ("two layers of unlike width", first, second),
        ("a layer and itself, turned, scaled and shifted", first, 30 * first @ turn + 1),
        ("two examples", draw(2, 3), draw(2, 5)),
        ("one number for each example", draw(9, 1) + 3, draw(9, 1) - 2),
        ("layers of very unlike size", 200 * first, 0.01 * second),
        ("two layers of small numbers", 0.01 * first, 0.01 * second),
        ("a layer that gives 0 for every example", torch.zeros(12, 5), second),
        ("a second layer that gives 2 for every example", first[:8], torch.full((8, 2), 2.0)),
        (
            "six examples and thousands of numbers",
            wide,
            wide.repeat(1, 2)[:, :4000] + draw(6, 4000),
        ),
    )
    for kind, one, other in cases:
        with _nothing_large():
            result = attempted(answer(one.clone(), other.clone()))
        result = result.item() if isinstance(result, Tensor) and result.numel() == 1 else result
        if not isinstance(result, float | int):
            raise Mistake(f"Return one number, not {kind_of(result)}.")
        if not same(result, cka(one, other).item(), rtol=1e-3, atol=1e-6):
            _refuse_cka(result, one, other, kind)


def _refuse_cka(result: float, first: Tensor, second: Tensor, kind: str) -> None:
    if result != result and not cka(first, second):
        raise Mistake(f"0 / 0 for {kind}. There is nothing to compare: return 0.")
    if not cka(first, second):
        raise Mistake(f"For {kind} there is nothing to compare: return 0.")

    def ratio(a: Tensor, b: Tensor, power: float = 2) -> float:
        a, b = a @ a.T, b @ b.T  # the products of rows
        return ((a * b).sum() ** (power / 2) / (a.norm() * b.norm()) ** (power / 2)).item()

    a, b = first - first.mean(0), second - second.mean(0)
    rows_centred = [rows - rows.mean(1, keepdim=True) for rows in (first, second)]
    kernels = [rows @ rows.T for rows in (a, b)]
    cross, scale = (kernels[0] * kernels[1]).sum().item(), [rows.norm().item() for rows in kernels]
    root = "The norm above the line is to be squared, and those below are not."
    half = "You centred one of the two layers only."
    mistakes = (
        (
            ratio(first, second),
            "Centre the columns first: each feature's mean over the examples must be 0, or a "
            "constant looks like agreement.",
        ),
        (ratio(a, second), half),
        (ratio(first, b), half),
        (cross / (scale[0] * (second @ second.T).norm().item()), half),
        (cross / (scale[1] * (first @ first.T).norm().item()), half),
        (
            ratio(*rows_centred),
            "You centred each example over its features. Centre each feature over the examples.",
        ),
        (
            ratio(first - first.mean(), second - second.mean()),
            "You subtracted one mean from all. Each column has a mean of its own.",
        ),
        (
            ratio(a / a.std(0), b / b.std(0)),
            "You divided each column by its spread, too. CKA weighs directions by their size.",
        ),
        (cross, "It is not scaled: divide, so that anything compared with itself gives 1."),
        (ratio(a, b, 1), root),
        (cross**0.5 / (scale[0] * scale[1]), root),
        (cross / (scale[0] * scale[1]) ** 2, root),
        (
            cross / (a.norm() * b.norm()).square().item(),
            "Below the line stand the norms of the products AᵀA and BᵀB, not of A and B.",
        ),
    )
    refuse(result, mistakes, rtol=1e-3, atol=1e-7)
    raise Mistake(
        f"This is not linear CKA for {kind}. It is 1 for a layer and itself, whatever is added to "
        "its columns: try that first."
    )


# --- adapt_head: an inner loop without autograd ----------------------------------------------


def adapt_head(
    features: Tensor, y: Tensor, weight: Tensor, bias: Tensor, inner_lr: float, steps: int
) -> tuple[Tensor, Tensor]:
    """The head after 0, 1, … ``steps`` steps: ``(steps + 1, T, D, W)``, ``(steps + 1, T, 1, W)``.

    It is MAML of a network that has no body.
    """
    head = MLP(*weight.shape)
    learner = MAML(head, {"weight1": weight, "bias1": bias}, inner_lr)
    path = learner.trace(Examples(features, y), steps).adapted
    weights, biases = (torch.stack([state[name] for state in path]) for name in head.init())
    return weights, biases


class _NoAutograd(TorchFunctionMode):
    """While it is on, asking torch for a gradient is a mistake."""

    ASKS = (torch.autograd.grad, torch.autograd.backward, Tensor.backward)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in self.ASKS:
            raise Mistake(
                "This asks autograd for the gradient. The device that this is for has none: write "
                "the gradient out. It is two products."
            )
        return function(*args, **(kwargs or {}))


HEADS = (
    # tasks, examples, features, ways, inner_lr, steps, factor of the features
    ("3 tasks, 5 examples, 3 steps", 3, 5, 4, 2, 0.5, 3, 1),
    ("one step", 2, 6, 3, 3, 0.7, 1, 1),
    ("no step", 2, 6, 3, 3, 0.7, 0, 1),
    ("one task, and 7 steps", 1, 4, 5, 4, 0.3, 7, 1),
    ("features so large that logits are in the hundreds", 2, 6, 3, 3, 0.01, 2, 100),
)


def check_adapt_head(answer: Callable) -> None:
    generator = seeded(8)
    for kind, *sizes, factor in HEADS:
        num_tasks, num_examples, num_features, num_ways, inner_lr, steps = sizes
        shape = num_tasks, num_examples, num_features
        features = factor * torch.randn(*shape, generator=generator)
        y = torch.stack([torch.arange(num_examples) % num_ways] * num_tasks)
        y = torch.stack([row[torch.randperm(len(row), generator=generator)] for row in y])
        weight = torch.randn(num_features, num_ways, generator=generator)
        bias = torch.randn(1, num_ways, generator=generator)
        given = features.clone(), y.clone(), weight.clone(), bias.clone()
        with torch.no_grad(), _NoAutograd():
            result = attempted(answer(*given, inner_lr, steps))
        if not same(list(given), [features, y, weight, bias]):
            raise Mistake(
                "You changed what you were given in place. The next task would start from there."
            )
        _refuse_shapes(result, (steps, num_tasks, num_features, num_ways))
        right = adapt_head(features, y, weight, bias, inner_lr, steps)
        if not same(list(result), list(right)):
            _refuse_head(result, right, _Heads(features, y, weight, bias, inner_lr, steps), kind)


def _refuse_shapes(result, sizes: tuple[int, int, int, int]) -> None:
    steps, num_tasks, num_features, num_ways = sizes
    if not (isinstance(result, tuple | list) and len(result) == 2):
        raise Mistake("Return two tensors: all states of the weight, and all states of the bias.")
    for name, got, rows in (("weight", result[0], num_features), ("bias", result[1], 1)):
        state = num_tasks, rows, num_ways
        if isinstance(got, Tensor) and got.shape == state:
            raise Mistake(
                f"This is one state of the {name}. Keep all: before, and after each step."
            )
        if isinstance(got, Tensor) and steps and got.shape == (steps, *state):
            raise Mistake(
                f"The {name} has {steps} state(s) after {steps} step(s). Keep where it starts, too."
            )
        of_shape(got, (steps + 1, *state), f"the {name}: states, tasks, rows, ways")


class _Heads:
    """Gradient descent on a head as it is often written, one thing changed."""

    def __init__(self, features, y, weight, bias, inner_lr, steps):
        self.features, self.start, self.inner_lr, self.steps = (
            features,
            (weight, bias),
            inner_lr,
            steps,
        )
        self.true = F.one_hot(y, weight.shape[-1]).float()

    def __call__(self, said=lambda logits: logits.softmax(-1), scale=1.0, shared=False, anew=True,
                 one_after_the_other=False, decay=0.0):  # fmt: skip
        num_tasks, num_examples = self.true.shape[:2]
        w, b = (part.expand(num_tasks, *part.shape) for part in self.start)
        weights, biases = [w], [b]
        for step in range(self.steps):
            if anew or not step:
                error = (said(self.features @ w + b) - self.true) * scale / num_examples
                down = self.features.mT @ error, error.sum(1, keepdim=True)
                if shared:
                    down = tuple(part.mean(0, keepdim=True) for part in down)
            b = b - self.inner_lr * down[1]
            if one_after_the_other:
                error = (said(self.features @ w + b) - self.true) * scale / num_examples
                down = self.features.mT @ error, down[1]
            w = w - self.inner_lr * (down[0] + decay * w)
            weights.append(w)
            biases.append(b)
        return torch.stack(weights), torch.stack(biases)


def _refuse_head(result, right, heads: _Heads, kind: str) -> None:
    weights, biases = result
    num_tasks, num_examples = heads.true.shape[:2]
    if weights.isnan().any() or biases.isnan().any():
        raise Mistake(
            f"NaN for {kind}: exp() of them is infinite. Subtract each example's largest logit "
            "first, or use torch's softmax."
        )
    if same(weights, weights[-1:].expand_as(weights)) and same(weights[-1], right[0][-1]):
        raise Mistake(
            "All states are the last one: you kept one tensor many times, and changed it in place. "
            "Make a new tensor in each step."
        )
    if same(weights[0], right[0][-1]):
        raise Mistake("The states run backwards: the start comes first.")
    start = heads.start[0].expand_as(weights[0]), heads.start[1].expand_as(biases[0])
    if not same([weights[0], biases[0]], list(start)):
        raise Mistake("Entry 0 is the head before any step, the same for each task.")
    if same(biases, start[1].expand_as(biases)) and heads.steps:
        raise Mistake("The bias has not moved. It is part of the head, too.")
    if same(weights, start[0].expand_as(weights)) and heads.steps:
        raise Mistake("The weight has not moved.")
    over_tasks = "Your mean runs over the tasks, too. Each task has a loss of its own."
    mistakes = (
        (heads(scale=-1), "This climbs: the loss grows. Subtract the gradient."),
        (
            heads(scale=num_examples),
            "This is the gradient of the sum. The support loss is a mean over its examples.",
        ),
        (heads(scale=1 / num_tasks), over_tasks),
        (heads(shared=True), "All tasks took one step together. Each task has its own head."),
        (heads(anew=False), "Every step used the first gradient. Compute it anew where you are."),
        (
            heads(said=lambda logits: logits),
            "You compared the logits with the truth: that is a squared error. For cross-entropy, "
            "compare the probabilities.",
        ),
        (heads(said=torch.sigmoid), "The classes share one probability: softmax, not sigmoid."),
        (
            heads(said=lambda logits: logits.softmax(1)),
            "Your softmax runs over the examples. Probabilities are over the classes.",
        ),
        (
            heads(one_after_the_other=True),
            "The weight's gradient was taken where the bias had moved already. Both belong to "
            "one state.",
        ),
    )
    for wrong, message in mistakes:
        # One of the two tells enough: the other may have a mistake of its own.
        if same(weights, wrong[0]) and not same(weights, right[0]):
            raise Mistake(message)
    if same(weights[:2], right[0][:2]) and heads.steps > 1:
        raise Mistake("The first step of the weight is right, the next is not. What has changed?")
    raise Mistake(
        f"These are not the states of gradient descent on each task's cross-entropy for {kind}. "
        "Compare one step of one task with torch.autograd.grad, outside of the function."
    )


EXERCISES = {
    "leak": Exercise(
        hints=(
            "A query is judged by itself if its answer is the same, whoever sits beside it. What "
            "is the smallest company it can have?",
            "predict(x[:, [q]]) asks query q of every task, without the others. Do that for each q "
            "and put the answers together along axis 1.",
            "together = predict(x).softmax(-1), alone = torch.cat([predict(x[:, [q]]) for q in "
            "range(x.shape[1])], 1).softmax(-1); then the largest absolute difference over the "
            "last axis.",
        ),
        check=check_leak,
        praise="Whoever lets a query listen to its neighbours is found out by this.",
    ),
    "cka": Exercise(
        hints=(
            "‖M‖² is the trace of MᵀM: the sum along its diagonal. Write ‖BᵀA‖² so. And a trace "
            "stays the same when the first factor is moved to the end.",
            "trace(AᵀB BᵀA) = trace(A Aᵀ B Bᵀ). So all that is needed of a layer is its products "
            "of rows, (N, N): K = A Aᵀ and L = B Bᵀ, of centred A and B. And what is ‖AᵀA‖?",
            "trace(K L) is (K * L).sum(), and ‖AᵀA‖ = ‖K‖. So: (K * L).sum() / (K.norm() * "
            "L.norm()), and 0 where a norm is 0.",
        ),
        check=check_cka,
        praise="Linear CKA from N × N products: thousands of numbers a layer cost nothing now.",
    ),
    "adapt_head": Exercise(
        hints=(
            "For softmax and cross-entropy the gradient with respect to the logits is short: what "
            "the network said, minus what is true.",
            "error = softmax(features @ weight + bias) - one_hot(y). The gradient of the weight is "
            "featuresᵀ @ error / N, that of the bias the mean of the error over the examples.",
            "Start: weight.expand(T, D, W), bias.expand(T, 1, W). In each step, from one error: "
            "features.mT @ error / N and error.mean(1, keepdim=True). Keep every state in a list, "
            "and torch.stack both lists at the end.",
        ),
        check=check_adapt_head,
        praise="The inner loop of ANIL, without autograd: the features never move.",
    ),
}
