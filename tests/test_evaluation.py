import math

import pytest
import torch

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import Evaluation, answers, evaluate, exact_interval, task_scores
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids


def test_summary_by_hand():
    result = Evaluation(torch.tensor([1.0, 2.0, 3.0, 10.0]))
    assert result.mean == 4.0
    assert result.median == 2.0  # of an even number of tasks, the lower middle one
    variance = (9 + 4 + 1 + 36) / 3
    assert result.interval == pytest.approx(1.96 * math.sqrt(variance / 4), rel=1e-5)
    assert str(result) == f"4.000 ± {result.interval:.3f} (median 2.000, 4 tasks)"


def test_the_interval_covers_the_truth_about_95_times_in_100():
    generator = torch.Generator().manual_seed(0)
    samples = torch.randn(2000, 100, generator=generator)
    inside = sum(abs(r.mean) <= r.interval for r in map(Evaluation, samples))
    assert 0.93 <= inside / 2000 <= 0.97


def test_scores_are_errors_or_accuracies():
    predicted, y = torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]])
    assert task_scores(predicted, y).tolist() == [2.0]
    logits = torch.tensor([[[2.0, 1.0], [0.0, 1.0], [3.0, 0.0]]])
    assert task_scores(logits, torch.tensor([[0, 0, 0]])).tolist() == pytest.approx([2 / 3])


def test_how_many_tasks_at_once_changes_nothing():
    generator = torch.Generator().manual_seed(0)
    network = MLP(1, 8, 1)
    maml = MAML(network, network.init(generator), inner_steps=2)
    episodes = Sinusoids().sample(10, 5, 5, generator)
    one, two = (evaluate(maml, episodes, n) for n in (3, 10))
    torch.testing.assert_close(one.scores, two.scores)
    assert not one.scores.requires_grad


def test_steps_are_handed_to_adapt():
    generator = torch.Generator().manual_seed(0)
    network = MLP(1, 8, 1)
    maml = MAML(network, network.init(generator), inner_steps=2)
    episodes = Sinusoids().sample(10, 5, 5, generator)
    assert evaluate(maml, episodes, inner_steps=2).mean == evaluate(maml, episodes).mean
    assert evaluate(maml, episodes, inner_steps=0).mean != evaluate(maml, episodes).mean


class AboveAverage(MAML):
    """Answers 1 for queries above the mean of all those it is asked together with."""

    def predict(self, adapted, x):
        above = (x > x.mean(1, keepdim=True)).float()
        return torch.cat([0.5 - above, above - 0.5], -1)


def test_asked_alone_no_query_hears_of_another():
    learner = AboveAverage(MLP(1, 2), MLP(1, 2).init(torch.Generator().manual_seed(0)))
    x = torch.tensor([[[1.0], [2.0], [6.0]], [[0.0], [4.0], [5.0]]])
    y = torch.tensor([[0, 0, 1], [0, 1, 1]])
    episodes = Episodes(Examples(x, y), Examples(x, y))
    assert evaluate(learner, episodes).scores.tolist() == [1.0, 1.0]
    alone = evaluate(learner, episodes, alone=True).scores.tolist()
    assert alone == pytest.approx([2 / 3, 1 / 3])  # nothing is above its own mean: always 0


def test_one_task_has_no_interval():
    episodes = Sinusoids().sample(1, 5, 5, torch.Generator())
    with pytest.raises(ValueError, match="at least 2"):
        evaluate(MAML(MLP(1, 2, 1), MLP(1, 2, 1).init()), Episodes(*episodes))


def test_a_diverged_task_spoils_the_mean_but_not_the_median():
    y = torch.zeros(3, 1)
    scores = task_scores(torch.tensor([[1.0], [torch.nan], [2.0]]), y)
    assert Evaluation(scores).median == 4.0
    assert Evaluation(scores).mean == math.inf


def test_no_number_is_a_wrong_answer():
    """An argmax of NaN is 0: without a word, one task in five would seem right."""
    logits = torch.zeros(2, 5, 5)
    logits[0] = torch.nan
    logits[1, :, 0] = 1.0
    y = torch.zeros(2, 5, dtype=torch.long)
    assert task_scores(logits, y).tolist() == [0.0, 1.0]
    logits[1, :2, 3] = torch.nan
    assert task_scores(logits, y).tolist() == pytest.approx([0.0, 0.6])
    masked = torch.tensor([[[1.0, -torch.inf]]])
    assert task_scores(masked, torch.tensor([[0]])).tolist() == [1.0]


def test_a_label_that_is_no_class_is_refused():
    logits = torch.zeros(1, 3, 3)
    for y in ([[1, 2, 3]], [[-100, 0, 1]]):
        with pytest.raises(ValueError, match="number the 3 classes 0 to 2"):
            task_scores(logits, torch.tensor(y))
    with pytest.raises(ValueError, match=r"logits \(1, 3, 3\) and labels \(1, 2\)"):
        task_scores(logits, torch.zeros(1, 2, dtype=torch.long))


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8])
def test_any_integers_are_labels(dtype):
    logits = torch.eye(3)[None]
    assert task_scores(logits, torch.tensor([[0, 1, 1]], dtype=dtype)).item() == pytest.approx(
        2 / 3
    )


class OneRunsAway(MAML):
    """Its answers for the first task are no numbers."""

    def predict(self, adapted, x):
        answers = super().predict(adapted, x)
        answers[0] = torch.nan
        return answers


@pytest.mark.parametrize("classes", [False, True])
def test_an_evaluation_says_how_many_tasks_diverged(classes):
    generator = torch.Generator().manual_seed(0)
    network = MLP(1, 8, 3 if classes else 1)
    episodes = Sinusoids().sample(4, 6, 5, generator)
    if classes:
        support, query = (
            Examples(half.x, torch.arange(half.y.shape[1]).expand(4, -1) % 3) for half in episodes
        )
        episodes = Episodes(support, query)
    params = network.init(generator)
    well = evaluate(MAML(network, params), episodes)
    assert well.num_diverged == 0
    assert "diverged" not in str(well)
    result = evaluate(OneRunsAway(network, params), episodes, num_at_once=3)
    assert result.num_diverged == 2, "the first of each three at once"
    assert str(result).endswith("4 tasks, 2 diverged)")
    assert result.interval == (math.inf if not classes else pytest.approx(result.interval))
    assert "nan" not in str(result)


def test_scores_of_a_shape_that_is_none_are_refused():
    with pytest.raises(ValueError, match=r"scores has shape \(2, 3\)"):
        Evaluation(torch.zeros(2, 3))
    maml = MAML(MLP(1, 2, 1), MLP(1, 2, 1).init())
    episodes = Sinusoids().sample(2, 5, 5, torch.Generator())
    for ask in (evaluate, answers):
        with pytest.raises(ValueError, match="num_at_once=0: choose 1 or more"):
            ask(maml, episodes, num_at_once=0)


def test_answers_are_what_the_learner_predicts():
    generator = torch.Generator().manual_seed(0)
    network = MLP(1, 8, 1)
    maml = MAML(network, network.init(generator), inner_steps=2)
    episodes = Sinusoids().sample(5, 5, 7, generator)
    said = answers(maml, episodes, num_at_once=2)
    assert said.shape == (5, 7)
    assert not said.requires_grad
    expected = maml.predict(maml.adapt(episodes.support), episodes.query.x)
    torch.testing.assert_close(said, expected.detach())


def test_the_exact_interval_has_the_values_that_can_be_had_by_hand():
    # None wrong: (1 - p)^400 = 0.025. All wrong: p^400 = 0.025.
    assert exact_interval(0, 400) == pytest.approx((0, 1 - 0.025 ** (1 / 400)))
    assert exact_interval(400, 400) == pytest.approx((0.025 ** (1 / 400), 1))
    low, high = exact_interval(8, 400)
    assert (round(100 * low, 1), round(100 * high, 1)) == (0.9, 3.9)
    # At each end, as many errors or more (or fewer) have a chance of 2.5 %.
    chances = {p: [math.comb(400, k) * p**k * (1 - p) ** (400 - k) for k in range(9)]
               for p in (low, high)}  # fmt: skip
    assert 1 - sum(chances[low][:8]) == pytest.approx(0.025)
    assert sum(chances[high]) == pytest.approx(0.025)


@pytest.mark.parametrize(("wrong", "total"), [(-1, 400), (401, 400), (0, 0)])
def test_an_interval_of_impossible_counts_is_refused(wrong, total):
    with pytest.raises(ValueError, match=r"(wrong|total)=.*: choose"):
        exact_interval(wrong, total)
