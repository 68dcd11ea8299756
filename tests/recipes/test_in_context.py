"""The recipes of notebook 09, but short."""

import pytest
import torch

from metalearn_lite.recipes import in_context
from metalearn_lite.recipes.in_context import LENGTHS, of_some_length
from metalearn_lite.tasks.linear import LinearRegression
from metalearn_lite.tasks.sinusoids import Sinusoids


@pytest.mark.parametrize("world", [Sinusoids(), LinearRegression(3)])
def test_contexts_come_in_every_length_from_none_to_the_longest(world):
    generator = torch.Generator().manual_seed(0)
    lengths = set()
    for _ in range(60):
        support, query = of_some_length(world, 2, 4, generator)
        assert support.x.shape[:2] == support.y.shape
        assert query.y.shape == (2, 10)
        lengths.add(support.y.shape[1])
    assert lengths == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("name", in_context.RECIPES)
def test_a_recipe_trains_and_is_judged(name, monkeypatch):
    recipe = in_context.RECIPES[name]
    meta_train = in_context.meta_train
    monkeypatch.setattr(
        in_context,
        "meta_train",
        lambda learner, sample, iterations, *rest, **options: meta_train(
            learner, sample, 2, *rest, **options
        ),
    )
    learner = recipe.train(torch.Generator().manual_seed(0), None)
    monkeypatch.setattr(in_context, "NUM_TEST_TASKS", 20)
    result = recipe.judge(learner)
    assert list(result) == [f"error after {length} examples" for length in LENGTHS]
    assert all("20 tasks" in error for error in result.values())
