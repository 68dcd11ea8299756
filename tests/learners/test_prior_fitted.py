"""The network that reads tables: what order and scale must not do, and a hand computation."""

import pytest
import torch
from torch.nn import functional as F
from truths import generator

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.prior_fitted import (
    PriorFittedNetwork,
    TableTransformer,
    relevance,
)
from metalearn_lite.tasks.tables import RandomTables
from metalearn_lite.training import cosine, meta_train, muon


def make(columns: int = 6, **settings) -> PriorFittedNetwork:
    network = TableTransformer(columns, 4, 8, num_layers=2, num_heads=2, **settings)
    params = network.init(generator(1))
    return PriorFittedNetwork(network, {name: value.double() for name, value in params.items()})


def tables(num_columns: int = 5, num_ways: int = 3, num_rows: int = 20) -> Episodes:
    drawn = RandomTables().sample(4, num_ways, num_rows, num_columns, 7, generator(2))
    return Episodes(*(Examples(half.x.double(), half.y) for half in drawn))


def answers(learner, support, x):
    return learner.predict(learner.adapt(support), x)


def test_the_order_of_rows_does_not_count():
    learner, (support, query) = make(), tables()
    order = torch.randperm(20, generator=generator(3))
    shuffled = Examples(support.x[:, order], support.y[:, order])
    expected = answers(learner, support, query.x)
    torch.testing.assert_close(answers(learner, shuffled, query.x), expected)
    other = torch.randperm(7, generator=generator(4))
    torch.testing.assert_close(answers(learner, support, query.x[:, other]), expected[:, other])


@pytest.mark.parametrize("num_columns", [5, 9])  # fewer than are read, and more
def test_the_order_of_columns_does_not_count(num_columns):
    learner, (support, query) = make(), tables(num_columns)
    order = torch.randperm(num_columns, generator=generator(3))
    shuffled = Examples(support.x[..., order], support.y)
    torch.testing.assert_close(
        answers(learner, shuffled, query.x[..., order]), answers(learner, support, query.x)
    )


def test_the_scale_of_a_column_does_not_count():
    learner, (support, query) = make(), tables()
    factor, shift = torch.tensor([1e-3, 1.0, 7.0, 1e4, 0.5]), torch.tensor([5.0, 0, -2, 1e3, 9])
    both = [half.x * factor + shift for half in (support, query)]
    torch.testing.assert_close(
        answers(learner, Examples(both[0], support.y), both[1]),
        answers(learner, support, query.x),
    )


def test_a_column_that_never_changes_does_not_count():
    learner, (support, query) = make(), tables()
    wider = [F.pad(half.x, (0, 1), value=3.0) for half in (support, query)]
    torch.testing.assert_close(
        answers(learner, Examples(wider[0], support.y), wider[1]),
        answers(learner, support, query.x),
    )


def test_of_a_wide_table_the_most_telling_columns_are_read():
    learner, (support, query) = make(columns=2), tables()
    share = relevance(support.x, F.one_hot(support.y).double())
    kept = share.argsort(descending=True)[:, :2].unsqueeze(1)
    narrow = [half.x.gather(2, kept.expand(-1, half.x.shape[1], -1)) for half in (support, query)]
    torch.testing.assert_close(
        answers(learner, Examples(narrow[0], support.y), narrow[1]),
        answers(learner, support, query.x),
    )


def test_relevance_is_the_share_of_variance_between_classes():
    x = torch.tensor([[[0.0, 1.0, 0.0], [2.0, 1.0, 1.0], [10.0, 3.0, 0.0], [12.0, 3.0, 1.0]]])
    found = relevance(x, F.one_hot(torch.tensor([[0, 0, 1, 1]])).float())
    torch.testing.assert_close(found, torch.tensor([[25 / 26, 1.0, 0.0]]))
    g = generator()
    x, y = torch.randn(1, 30, 1, generator=g), torch.arange(30).remainder(3)
    means = torch.stack([x[0, y == way].mean() for way in range(3)])
    expected = means.var(correction=0) / x.var(correction=0)  # classes of equal size
    torch.testing.assert_close(relevance(x, F.one_hot(y)[None].float())[0, 0], expected)


def test_one_row_and_one_question_by_hand():
    """One layer and one head, against the formula written out."""
    network = TableTransformer(2, 2, 4, num_layers=1, num_heads=1)
    p = {name: value.double() for name, value in network.init(generator(1)).items()}
    learner = PriorFittedNetwork(network, p)
    x = torch.tensor([[[1.0, 0.0], [3.0, 5.0], [-4.0, 1.0]]], dtype=torch.float64)
    y, asked = torch.tensor([[0, 1, 1]]), torch.tensor([[[2.0, -1.0]]], dtype=torch.float64)

    def seen(rows):
        rows = (rows - x[0].mean(0)) / x[0].std(0, correction=0)
        share = relevance(x, F.one_hot(y).double())[0]
        rows = rows if share[0] > share[1] else rows.flip(1)
        return rows / (1 + rows**2 / 16) ** 0.5

    def normal(tokens):
        return F.layer_norm(tokens, (4,))

    ones = torch.ones(3, 1, dtype=torch.float64)
    tokens = torch.cat([seen(x[0]), F.one_hot(y[0]).double(), ones], 1) @ p["example"]
    tokens = normal(torch.cat([torch.zeros(1, 4, dtype=torch.float64), tokens]))
    token = torch.cat([seen(asked[0]), ones[:1]], 1) @ p["question"]
    scores = (normal(token) @ p["query1"]) @ (tokens @ p["key1"]).T / 2
    token = token + scores.softmax(1) @ (tokens @ p["value1"]) @ p["mix1"]
    token = token + F.gelu(normal(token) @ p["up1"]) @ p["down1"]
    expected = normal(token) @ p["answer"]
    torch.testing.assert_close(answers(learner, Examples(x, y), asked)[0], expected)


def test_only_classes_of_the_support_are_answered():
    learner = make()
    for num_ways in (1, 2, 4):
        support, query = tables(num_ways=num_ways)
        assert answers(learner, support, query.x).shape == (4, 7, num_ways)
    support, query = tables(num_ways=5)
    with pytest.raises(ValueError, match="5 classes, but this network was made for 4"):
        learner.adapt(support)


def test_what_is_no_table_is_refused():
    learner, (support, query) = make(), tables()
    missing = Examples(support.x.masked_fill(support.x > 1, torch.nan), support.y)
    with pytest.raises(ValueError, match=r"support\.x holds NaN"):
        learner.adapt(missing)
    with pytest.raises(ValueError, match="x has 4 columns, but the support had 5"):
        learner.predict(learner.adapt(support), query.x[..., :4])


def test_before_anything_is_read_all_rows_get_the_answer_of_their_own_numbers():
    learner, (support, _) = make(), tables()
    trace = learner.trace(support)
    assert trace.support_loss.shape == (2, 4)
    assert all(keys.shape[2] == 1 for keys, _ in trace.adapted[0].memory)
    torch.testing.assert_close(
        learner.predict(trace.adapted[1], support.x), answers(learner, support, support.x)
    )


def test_gradient_equals_finite_differences():
    learner, data, step = make(), tables(), 1e-6
    _, gradient = learner.meta_gradient(data)
    g = generator(5)
    for name, value in learner.params.items():
        for index in torch.randint(value.numel(), (6,), generator=g).tolist():
            sides = []
            for sign in (1, -2):
                value.data.view(-1)[index] += sign * step
                sides.append(learner.meta_loss(data).item())
            value.data.view(-1)[index] += step
            numeric = (sides[0] - sides[1]) / (2 * step)
            assert abs(gradient[name].reshape(-1)[index] - numeric) < 1e-6


@pytest.mark.slow
def test_it_approaches_the_posterior_of_a_prior_that_can_be_worked_out():
    """One column, uniform in 0 … 1, and a cut, uniform too; above it is the higher class.

    Between the nearest rows left and right the cut is still uniform. So the chance of the higher
    class rises there in a straight line: nobody who believes this prior can say better.
    """

    def sample(generator, num_tasks=32):
        x = torch.rand(num_tasks, 16, 1, generator=generator)
        x[:, :2, 0] = torch.tensor([0.0, 1.0])  # one row on either side
        cut = torch.rand(num_tasks, 1, generator=generator)
        y = (x[..., 0] > cut).long()
        return Episodes(*(Examples(x[:, p], y[:, p]) for p in (slice(6), slice(6, None))))

    network = TableTransformer(1, 2, 16, num_layers=2, num_heads=2)
    learner = PriorFittedNetwork(network, network.init(generator()))
    meta_train(learner, sample, 500, generator(1), schedule=cosine, optimize=muon)
    support, query = sample(generator(2), 400)
    low = support.x[..., 0].masked_fill(support.y == 1, -1).amax(1, keepdim=True)
    high = support.x[..., 0].masked_fill(support.y == 0, 2).amin(1, keepdim=True)
    exact = ((query.x[..., 0] - low) / (high - low)).clamp(0, 1)
    with torch.no_grad():
        found = answers(learner, support, query.x).softmax(2)[..., 1]
    assert (found - exact).abs().mean() < 0.03
