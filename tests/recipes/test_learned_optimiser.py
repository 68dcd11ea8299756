"""The recipe of notebook 12, but short; and the optimisers it is compared with."""

import torch

from metalearn_lite import recipes
from metalearn_lite.learners.base import task_losses
from metalearn_lite.recipes import learned_optimiser as recipe


def test_it_trains_and_is_judged_beside_tuned_optimisers(generator, monkeypatch):
    monkeypatch.setattr(recipe, "NUM_TEST_TASKS", 8)
    monkeypatch.setattr(recipe, "RATES", dict.fromkeys(recipe.RATES, (0.01, 0.03)))
    learner = recipe.train(2, generator())
    learner.inner_steps = 4
    result = recipe.judge(learner)
    assert list(result)[:2] == ["learned, 4 steps", "learned, 20 steps"]
    assert [name.split(",")[0] for name in list(result)[2:]] == ["SGD", "SGD", "Adam", "Adam"]
    assert all("8 tasks" in error for error in result.values())
    assert recipes.find("sinusoid-learned-optimiser").train.args == (4000,)


def test_each_problem_is_trained_as_if_it_were_alone(generator):
    problems = recipe.draw_problems(3, generator())
    one = recipe.Problems(
        {name: value[1:2] for name, value in problems.start.items()}, problems.episodes.tasks(1)
    )
    for kind in recipe.RATES:
        together, alone = (
            recipe.query_losses(recipe.by_hand(kind, 0.02, some, 5), some)
            for some in (problems, one)
        )
        assert together.shape == (6, 3)
        torch.testing.assert_close(together[:, 1], alone[:, 0], rtol=1e-4, atol=1e-5)
        x, y = problems.episodes.query
        start = task_losses(recipe.NETWORK(problems.start, x).squeeze(-1), y)
        torch.testing.assert_close(together[0], start)


def test_the_best_rate_is_the_best_of_those_tried(generator):
    problems = recipe.draw_problems(20, generator())
    for kind, rates in recipe.RATES.items():
        losses = [
            recipe.query_losses(recipe.by_hand(kind, rate, problems, 5), problems)[1:].mean()
            for rate in rates
        ]
        assert recipe.best_rate(kind, problems, 5) == rates[torch.stack(losses).argmin()]
