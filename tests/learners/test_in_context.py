"""Learners that read: against hand computations, finite differences and what order must not do."""

import math

import pytest
import torch
from torch.nn import functional as F
from truths import generator

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.in_context import first_examples
from metalearn_lite.learners.least_squares import LeastSquares
from metalearn_lite.learners.neural_process import LEAST_STD, ConditionalNeuralProcess, EncodeDecode
from metalearn_lite.learners.recurrent import GRU, RecurrentLearner
from metalearn_lite.learners.transformer import Transformer, TransformerLearner
from metalearn_lite.tasks.linear import LinearRegression

NUM_INPUTS = 2
KINDS = {
    "neural process": (ConditionalNeuralProcess, EncodeDecode(NUM_INPUTS, 6)),
    "recurrent": (RecurrentLearner, GRU(NUM_INPUTS, 6)),
    "transformer": (TransformerLearner, Transformer(NUM_INPUTS, 6, num_layers=2, num_heads=2)),
}
NETWORKS = pytest.mark.parametrize("kind", KINDS)


def make(kind: str):
    """A learner in float64."""
    learner, network = KINDS[kind]
    params = network.init(generator(1))
    return learner(network, {name: value.double() for name, value in params.items()})


def episodes(num_tasks: int = 3, num_shots: int = 5, num_queries: int = 4) -> Episodes:
    drawn = LinearRegression(NUM_INPUTS).sample(num_tasks, num_shots, num_queries, generator(2))
    return Episodes(*(Examples(half.x.double(), half.y.double()) for half in drawn))


@NETWORKS
def test_gradient_equals_finite_differences(kind):
    learner, data, step = make(kind), episodes(), 1e-6
    _, gradient = learner.meta_gradient(data)
    assert gradient.keys() == learner.params.keys()
    largest = max(value.abs().max() for value in gradient.values())
    for name, value in learner.params.items():
        for index in range(value.numel()):
            sides = []
            for sign in (1, -2):  # up, then down by twice as much
                value.data.view(-1)[index] += sign * step
                sides.append(learner.meta_loss(data).item())
            value.data.view(-1)[index] += step
            numeric = (sides[0] - sides[1]) / (2 * step)
            assert abs(gradient[name].reshape(-1)[index] - numeric) <= 1e-6 * largest


@NETWORKS
def test_an_example_changes_the_answers(kind):
    learner, (support, query) = make(kind), episodes()
    moved = Examples(support.x, support.y + torch.tensor([0.0, 1, 0, 0, 0]))
    answers = [learner.predict(learner.adapt(s), query.x) for s in (support, moved)]
    assert (answers[0] - answers[1]).abs().min() > 1e-6


@NETWORKS
def test_an_empty_support_is_answered(kind):
    learner, (support, query) = make(kind), episodes()
    nothing = first_examples(support, 0)
    answers = learner.predict(learner.adapt(nothing), query.x)
    assert answers.shape == query.y.shape
    assert answers.isfinite().all()
    loss, gradient = learner.meta_gradient(Episodes(nothing, query))
    assert loss.isfinite()
    assert all(value.isfinite().all() for value in gradient.values())


@NETWORKS
def test_questions_do_not_meet(kind):
    learner, (support, query) = make(kind), episodes()
    adapted = learner.adapt(support)
    together = learner.predict(adapted, query.x)
    for question in range(4):
        alone = learner.predict(adapted, query.x[:, question : question + 1])
        torch.testing.assert_close(alone[:, 0], together[:, question])


@NETWORKS
def test_trace_reads_one_example_more_each_step(kind):
    learner, (support, query) = make(kind), episodes()
    trace = learner.trace(support)
    assert len(trace.adapted) == 6
    assert trace.support_loss.shape == (6, 3)
    for count, adapted in enumerate(trace.adapted):
        read = learner.adapt(Examples(support.x[:, :count], support.y[:, :count]))
        answers = [learner.predict(state, query.x) for state in (adapted, read)]
        torch.testing.assert_close(*answers)
        losses = task_losses(learner.predict(adapted, support.x), support.y)
        torch.testing.assert_close(trace.support_loss[count], losses)
        assert not trace.support_loss.requires_grad


@pytest.mark.parametrize("count", [-1, 6])
def test_first_examples_are_counted(count):
    with pytest.raises(ValueError, match=f"count={count}: choose 0 to 5"):
        first_examples(episodes().support, count)


# --- hand computations


def test_neural_process_by_hand():
    """One hidden unit everywhere, so that a pocket calculator would do."""
    network = EncodeDecode(inputs=1, width=1)
    numbers = {name: 0.1 * i + 0.2 for i, name in enumerate(network.init())}
    params = {
        name: torch.full_like(value, numbers[name], dtype=torch.float64)
        for name, value in network.init().items()
    }

    def perceptron(part: str, *inputs: float) -> float:
        hidden = sum(inputs)
        for layer in (1, 2, 3):
            weight, bias = (numbers[f"{part}.{kind}{layer}"] for kind in ("weight", "bias"))
            hidden = weight * hidden + bias
            hidden = max(hidden, 0.0) if layer < 3 else hidden
        return hidden

    points, x, y = [(0.5, 1.0), (-2.0, 0.3), (1.0, 3.0)], 0.7, 1.1
    code = sum(perceptron("encoder", *point) for point in points) / 3
    output = perceptron("decoder", x, code)
    std = LEAST_STD + math.log(1 + math.exp(output))

    support = Examples(
        torch.tensor([[[p[0]] for p in points]], dtype=torch.float64),
        torch.tensor([[p[1] for p in points]], dtype=torch.float64),
    )
    query = Examples(torch.full((1, 1, 1), x).double(), torch.full((1, 1), y).double())
    learner = ConditionalNeuralProcess(network, params)
    distribution = learner.distribution(learner.adapt(support), query.x)
    assert distribution.mean.item() == pytest.approx(output)
    assert distribution.stddev.item() == pytest.approx(std)
    loss = 0.5 * math.log(2 * math.pi * std**2) + (y - output) ** 2 / (2 * std**2)
    assert learner.meta_loss(Episodes(support, query)).item() == pytest.approx(loss)


def test_recurrent_learner_by_hand():
    """The gates as Cho et al. (2014) define them, one example after the other."""
    learner, (support, query) = make("recurrent"), episodes(num_tasks=1)
    p = {name: value.detach() for name, value in learner.params.items()}

    def read(state, x, previous_y):
        seen = torch.cat([x, previous_y[None]])
        from_seen = p["weight_ih"] @ seen + p["bias_ih"]
        from_state = p["weight_hh"] @ state + p["bias_hh"]
        reset, update = torch.sigmoid(from_seen[:12] + from_state[:12]).chunk(2)
        candidate = torch.tanh(from_seen[12:] + reset * from_state[12:])
        return (1 - update) * candidate + update * state

    state, previous_y = torch.zeros(6).double(), torch.zeros(()).double()
    for x, y in zip(support.x[0], support.y[0], strict=True):
        state, previous_y = read(state, x, previous_y), y
    answers = learner.predict(learner.adapt(support), query.x)
    for x, answer in zip(query.x[0], answers[0], strict=True):
        expected = read(state, x, previous_y) @ p["answer.weight"][:, 0] + p["answer.bias"][0]
        torch.testing.assert_close(answer, expected)


def test_transformer_by_hand():
    """One task, one token, one head and one layer at a time."""
    learner, (support, query) = make("transformer"), episodes(num_tasks=1)
    p = {name: value.detach() for name, value in learner.params.items()}

    def normal(token):
        return (token - token.mean()) / torch.sqrt(token.var(correction=0) + 1e-5)

    def look(token, others, layer):
        heads = []
        for head in (slice(0, 3), slice(3, 6)):
            question = (normal(token) @ p[f"query{layer}"])[head]
            keys = torch.stack([(normal(o) @ p[f"key{layer}"])[head] for o in others])
            values = torch.stack([(normal(o) @ p[f"value{layer}"])[head] for o in others])
            heads.append(torch.softmax(keys @ question / math.sqrt(3), 0) @ values)
        token = token + torch.cat(heads) @ p[f"mix{layer}"]
        return token + F.gelu(normal(token) @ p[f"up{layer}"]) @ p[f"down{layer}"]

    one = torch.ones(1).double()
    tokens = [torch.zeros(6).double()]
    for x, y in zip(support.x[0], support.y[0], strict=True):
        tokens.append(torch.cat([x, y[None], one]) @ p["example"])
    questions = [torch.cat([x, one]) @ p["question"] for x in query.x[0]]
    for layer in (1, 2):
        questions = [look(question, tokens, layer) for question in questions]
        tokens = [look(token, tokens, layer) for token in tokens]
    expected = torch.stack([normal(question) @ p["answer"][:, 0] for question in questions])
    torch.testing.assert_close(learner.predict(learner.adapt(support), query.x)[0], expected)


# --- least squares


@pytest.mark.parametrize("num_shots", [1, 2, 3, 5, 8])
def test_least_squares_is_the_shortest_best_fit(num_shots):
    support, query = LinearRegression(3).sample(4, num_shots, 5, generator())
    support = Examples(support.x.double(), support.y.double() + 0.1)  # no line goes through all
    weights = LeastSquares().adapt(support)
    for task in range(4):
        x, y = support.x[task], support.y[task]
        expected = torch.linalg.pinv(x) @ y
        torch.testing.assert_close(weights[task], expected)
        # Best: the residual is at right angles to every input. Shortest: w is made of inputs.
        torch.testing.assert_close(x.T @ (x @ weights[task] - y), torch.zeros(3).double())
    answers = LeastSquares().predict(weights, query.x.double())
    torch.testing.assert_close(answers, (query.x * weights.unsqueeze(1)).sum(-1))


def test_with_fewer_examples_than_weights_the_error_is_what_is_left_unknown():
    """Of D directions N are known, so that |w|² on the others is left: D - N on average."""
    learner = LeastSquares()
    support, query = LinearRegression(5).sample(4000, 8, 20, generator(3))
    for count in range(9):
        answers = learner.predict(learner.adapt(first_examples(support, count)), query.x)
        error = task_losses(answers, query.y).mean().item()
        assert error == pytest.approx(max(5 - count, 0), abs=0.2)


def test_least_squares_cannot_be_trained():
    with pytest.raises(ValueError, match="no parameters"):
        LeastSquares().meta_gradient(episodes())
