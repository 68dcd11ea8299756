"""The best guess: Bayes' rule by hand, and that nothing does better on the list's own tasks."""

import math

import pytest
import torch
from torch.distributions import Normal

from metalearn_lite.episodes import Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.best_guess import BestGuess
from metalearn_lite.learners.in_context import first_examples
from metalearn_lite.learners.ridge import Ridge
from metalearn_lite.tasks.noisy_regression import NoisyRegression


@pytest.mark.parametrize("count", [0, 1, 4])
def test_it_is_bayes_rule(generator, count):
    known = torch.randn(6, 3, generator=generator(1)).double()
    x = torch.randn(2, count, 3, generator=generator()).double()
    y = torch.randn(2, count, generator=generator(2)).double()
    learner = BestGuess(known, noise=0.7)
    found = learner.adapt(Examples(x, y))
    for task in range(2):
        likely = [
            math.prod(
                Normal(x[task, n] @ weights, 0.7).log_prob(y[task, n]).exp() for n in range(count)
            )
            for weights in known
        ]
        expected = sum(p * w for p, w in zip(likely, known, strict=True)) / sum(likely)
        torch.testing.assert_close(found[task], expected)


def test_nothing_read_is_the_lists_mean_and_a_twin_counts_twice(generator):
    known = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 3.0]])
    nothing = Examples(torch.zeros(1, 0, 2), torch.zeros(1, 0))
    torch.testing.assert_close(BestGuess(known).adapt(nothing), torch.tensor([[2 / 3, 1.0]]))


def test_far_from_every_task_it_still_says_the_nearest(generator):
    """Where every chance is smaller than the smallest number there is."""
    far = Examples(torch.ones(1, 3, 1), torch.full((1, 3), 1000.0))
    found = BestGuess(torch.tensor([[1.0], [2.0]]), noise=0.1).adapt(far)
    torch.testing.assert_close(found, torch.tensor([[2.0]]))


@pytest.mark.slow
def test_on_the_list_it_is_better_than_ridge_and_off_it_ridge_is_better(generator):
    known = torch.randn(32, 5, generator=generator(1))
    pair = BestGuess(known, 0.5), Ridge(0.25)
    for given, better in ((known, 0), (None, 1)):
        tasks = NoisyRegression(known=given, clean_queries=True)
        episodes = tasks.sample(2000, 8, 10, generator())
        errors = [evaluate(learner, episodes).mean for learner in pair]
        assert errors[better] < errors[1 - better] / 3


def test_its_expected_error_is_what_it_says_of_itself(generator):
    """The mean squared error is the posterior's own variance, as for any posterior mean."""
    known = torch.randn(5, 2, generator=generator(1))
    tasks = NoisyRegression(known=known, clean_queries=True)
    support, query = tasks.sample(20_000, 2, 1, generator())
    learner = BestGuess(known)
    chances = learner.chances(support)
    answers = query.x[:, 0] @ known.T
    mean = (chances * answers).sum(1, keepdim=True)
    said = (chances * (answers - mean).square()).sum(1).mean()
    found = (learner.predict(learner.adapt(support), query.x) - query.y).square().mean()
    assert found.item() == pytest.approx(said.item(), rel=0.05)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"noise": 0.0}, "noise=0.0"),
        ({"known": torch.ones(3)}, r"give floats \(M, D\)"),
        ({"known": [[1.0]]}, "known"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        BestGuess(**settings)


def test_a_list_of_other_tasks_is_refused(generator):
    support = NoisyRegression(3).sample(2, 4, 1, generator()).support
    with pytest.raises(ValueError, match=r"support\.x has 3 inputs but the list's tasks 2 weights"):
        BestGuess(torch.ones(2, 2)).adapt(first_examples(support, 2))
