"""The guard rail against a quadratic that diverges exactly when it should."""

import pytest
import torch
from truths import Linear, small_network, waves

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.guard import FINE, LENGTH, LOSS, NO_NUMBER, Guard, adapt_guarded
from metalearn_lite.learners.maml import MAML


def hills(*sharpness: float) -> Examples:
    """Two equal examples a task: the loss is (√(s/2) w - 1)², whose curvature is ``s``."""
    x = torch.tensor(sharpness, dtype=torch.float64).div(2).sqrt().view(-1, 1, 1)
    return Examples(x.repeat(1, 2, 1), torch.ones(len(sharpness), 2, dtype=torch.float64))


def climber(inner_lr: float = 1.0) -> MAML:
    return MAML(Linear(), {"w": torch.zeros(1, dtype=torch.float64)}, inner_lr)


def test_where_nothing_runs_away_it_is_adapt():
    learner, (support, _) = MAML(*small_network(), 0.01), waves()
    adapted, steps, reasons = adapt_guarded(learner, support, 4)
    expected = learner.adapt(support, 4)
    assert all(torch.equal(adapted[name], expected[name]) for name in expected)
    assert steps.tolist() == [4] * 4
    assert reasons == [""] * 4


def test_only_the_task_beyond_the_edge_of_stability_is_stopped_in_its_last_good_state():
    # α · sharpness 1.9 comes to rest; 3 doubles the distance with every step.
    support = hills(1.9, 3.0)
    adapted, steps, reasons = adapt_guarded(climber(), support, 6, Guard(max_rise=2.0))
    assert steps.tolist() == [6, 0]
    assert torch.equal(adapted["w"][0], climber().adapt(support, 6)["w"][0])
    assert adapted["w"][1] == 0
    assert reasons[0] == ""
    assert reasons[1].startswith("Stopped before step 1: it takes the loss to 4, ")
    assert "adaptation began at 1" in reasons[1]
    assert "Kept is the start." in reasons[1]
    later = adapt_guarded(climber(), support, 6, Guard(max_rise=20.0))
    assert later.steps.tolist() == [6, 2]
    assert torch.equal(later.adapted["w"][1], climber().adapt(support, 2)["w"][1])
    assert "Kept is the state after step 2." in later.reasons[1]


def test_a_long_step_and_no_number_are_told():
    support = hills(3.0)
    length = adapt_guarded(climber(), support, 6, Guard(max_rise=1e9, max_length=5.0)).reasons[0]
    assert "moves the parameters by" in length
    assert "more than 5" in length
    gone = adapt_guarded(climber(1e200), support, 6, Guard(1e300, 1e300)).reasons[0]
    assert "the answers are no numbers" in gone


def test_judge_names_the_worst_first():
    first = torch.tensor([1.0, 1.0, 1.0, 1.0, -2.0, -2.0])
    loss = torch.tensor([1.5, 9.0, float("nan"), 0.5, -1.0, 1.0])
    length = torch.tensor([1.0, 50.0, 50.0, 50.0, 1.0, 1.0])
    found = Guard(1.0, 10.0).judge(first, loss, length)
    assert found.tolist() == [FINE, LOSS, NO_NUMBER, LENGTH, FINE, LOSS]
    assert Guard().sentence(FINE, 1, 1.0, 1.0, 1.0) == ""


@pytest.mark.parametrize("options", [{"max_rise": -1}, {"max_length": 0}])
def test_what_cannot_be_meant_is_refused(options):
    with pytest.raises(ValueError, match="choose a finite number"):
        Guard(**options)
