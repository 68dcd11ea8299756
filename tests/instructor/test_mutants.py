"""Twenty mutants of each right answer: the check refuses every one that answers otherwise."""

import pytest
import torch
from mutation import mutants

from instructor.answers import all_answers
from metalearn_lite.teaching import check, running

ANSWERS = all_answers()
RIGHT = [(name, answer) for name, answers in ANSWERS.items() for answer in answers.right]


def example(a, b):
    total = a.mean(dim=0)
    for _ in range(2):
        total = total - 0.5 * b
    return total


def test_the_tool_changes_one_thing_at_a_time():
    found = dict(mutants(example, 100))
    assert "line 2: a.mean -> a.sum" in found
    assert "line 2: a.mean(dim=0) -> a.mean()" in found
    assert "line 4: total - 0.5 * b -> total + 0.5 * b" in found
    assert "line 3: 2 -> 3" in found
    a, b = torch.tensor([[1.0, 2.0], [3.0, 6.0]]), torch.tensor([1.0, 1.0])
    assert example(a, b).tolist() == [1.0, 3.0]
    assert found["line 4: total - 0.5 * b -> total + 0.5 * b"](a, b).tolist() == [3.0, 5.0]
    assert found["line 3: 2 -> 3"](a, b).tolist() == [0.5, 2.5]
    assert len(found) == len(mutants(example, 100)) > 8
    assert [said for said, _ in mutants(example, 3)] == [said for said, _ in mutants(example, 3)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "answer"), RIGHT, ids=lambda value: getattr(value, "__name__", value)
)
def test_the_check_refuses_mutants(name, answer, monkeypatch):
    """All but those that were looked at: the table ``equal`` says why they answer alike."""
    monkeypatch.setattr(running, "SECONDS", 3.0)  # a mutant may run for ever
    passed = {said for said, mutant in mutants(answer) if check(name, mutant).passed}
    known = {said for said in ANSWERS[name].equal if said.startswith(f"{answer.__name__}: ")}
    assert {f"{answer.__name__}: {said}" for said in passed} == known
