"""Ridge around what is known of everybody: scikit-learn's, and the average over what may be."""

import pytest
import torch
from sklearn import linear_model

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.ridge import Ridge
from metalearn_lite.tasks.raters import Raters


def examples(generator, tasks=3, count=7, size=4):
    x = torch.randn(tasks, count, size, generator=generator, dtype=torch.float64)
    return Examples(x, torch.randn(tasks, count, generator=generator, dtype=torch.float64))


@pytest.mark.parametrize("strength", [0.1, 3.0])
@pytest.mark.parametrize("count", [2, 7])
def test_it_is_scikit_learns_ridge(strength, count, generator):
    given, asked = examples(generator(), count=count), examples(generator(1))
    learner = Ridge(strength)
    found = learner.predict(learner.adapt(given), asked.x)
    for task in range(3):
        other = linear_model.Ridge(strength, fit_intercept=False)
        other.fit(given.x[task].numpy(), given.y[task].numpy())
        expected = torch.from_numpy(other.predict(asked.x[task].numpy()))
        torch.testing.assert_close(found[task], expected)


def test_base_and_factors_are_a_ridge_of_what_is_left(generator):
    given, asked = examples(generator()), examples(generator(1))
    base, factors = (torch.randn(4, *size, generator=generator(2)).double() for size in ((), (2,)))
    learner = Ridge(0.7, base, factors)
    plain = Ridge(0.7)
    left = Examples(given.x @ factors, given.y - given.x @ base)
    expected = asked.x @ base + plain.predict(plain.adapt(left), asked.x @ factors)
    torch.testing.assert_close(learner.predict(learner.adapt(given), asked.x), expected)


def test_without_factors_or_examples_it_is_the_base(generator):
    people = Raters(generator()).draw(5, generator(1))
    base = people.ratings.mean(0)
    for count, factors in ((4, torch.zeros(60, 0)), (0, torch.ones(60, 2))):
        support, query = people.ask(count, 6, generator(2))
        learner = Ridge(1.0, base, factors)
        found = learner.predict(learner.adapt(support), query.x)
        torch.testing.assert_close(found, query.x @ base)


def test_with_the_true_factors_it_is_the_best_there_is(generator):
    """The error of the posterior mean is what the posterior covariance says it is."""
    raters = Raters(generator(), num_items=40, rank=2, noise=0.5)
    people = raters.draw(4000, generator(1))
    support, query = people.ask(3, 30, generator(2))
    learner = Ridge(0.25, raters.quality, raters.factors)
    error = (learner.predict(learner.adapt(support), query.x) - query.y).square().mean()
    known, asked = support.x @ raters.factors, query.x @ raters.factors
    covariance = torch.linalg.inv(torch.eye(2) + known.mT @ known / 0.25)
    expected = (torch.einsum("tnd,tde,tne->tn", asked, covariance, asked) + 0.25).mean()
    assert error.item() == pytest.approx(expected.item(), rel=0.02)
    for strength in (0.05, 1.5):
        other = Ridge(strength, raters.quality, raters.factors)
        assert (other.predict(other.adapt(support), query.x) - query.y).square().mean() > error


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="strength=0"):
        Ridge(0.0)
    with pytest.raises(ValueError, match="base is a list"):
        Ridge(1.0, [1.0])
