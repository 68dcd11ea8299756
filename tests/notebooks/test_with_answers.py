"""How a notebook's exercises are answered under test. That each notebook then runs, nbval sees."""

from pathlib import Path

import nbformat
import pytest
import torch
import with_answers

from instructor.answers import all_answers

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
PAGE = """
from metalearn_lite.teaching import yours
from metalearn_lite.teaching.exercises.meta_rl_by_memory import best_total as package_version
def best_total(num_pulls, known):
    raise NotImplementedError("your turn")
best_total = yours("11.best_total", best_total, package_version)
"""


def run(*sources):
    """Runs cells as the kernel under test does, and gives what they leave."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    with_answers.add_answers(cells)
    scope = {}
    for cell in cells:
        exec(cell.source, scope)
    return scope


def squares(monkeypatch, answer, *values):
    """What a page gets where ``answer`` is the right one, and the package's says ``x * x``."""
    monkeypatch.setattr(with_answers, "accepted", lambda *_: answer)
    square = with_answers.with_answer("01.square", lambda x: x * x)
    return [square(value) for value in values]


def test_what_is_stored_runs_as_it_is_and_sees_no_other_names(capsys):
    scope = run(PAGE, "total = best_total(5, 0.5)")
    names = {"yours", "package_version", "best_total", "total"}
    assert scope.keys() == names | {"__builtins__"}
    assert float(scope["total"]) == pytest.approx(float(scope["package_version"](5, 0.5)))
    said = "○ 11.best_total: not attempted yet, so the package's version runs from here.\n"
    assert capsys.readouterr().out == said


def test_what_a_cell_ends_with_is_still_shown():
    cell = nbformat.v4.new_code_cell('f = yours("01.f", f, g)\nf(12)')
    with_answers.add_answers([cell])
    assert cell.source.splitlines()[0] == 'f = yours("01.f", f, g)'
    assert cell.source.splitlines()[-1] == "f(12)"


def test_the_first_calls_of_each_kind_are_the_answers(monkeypatch):
    answers = squares(monkeypatch, lambda x: x * x + 1e-5, 3.0, 3.0, 3.0, torch.ones(2))
    assert answers[:3] == [9.00001, 9.00001, 9.0]
    assert answers[3].tolist() == pytest.approx([1.00001, 1.00001], abs=1e-6)


def test_the_package_and_the_answer_must_agree(monkeypatch):
    with pytest.raises(AssertionError, match=r"01\.square gives 9\.1, the package 9\.0"):
        squares(monkeypatch, lambda x: x * x + 0.1, 3.0)
    with pytest.raises(AssertionError, match=r"01\.square gives"):
        squares(monkeypatch, lambda x: x[:1], torch.ones(2))


def test_where_two_right_answers_differ_they_take_turns(monkeypatch):
    def draw(generator):
        return float(torch.rand((), generator=generator)), generator.initial_seed()

    monkeypatch.setattr(with_answers, "accepted", lambda *_: lambda generator: "mine")
    drawn = with_answers.with_answer("02.sample_task", draw)
    generator = torch.Generator().manual_seed(0)
    first = draw(torch.Generator().manual_seed(0))
    assert [drawn(generator) for _ in range(3)] == ["mine", first, "mine"]


def test_every_exercise_is_answered_in_its_notebook():
    cells = [cell for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    answered = [name for cell in cells for _, name in with_answers.YOURS.findall(cell.source)]
    assert sorted(answered) == sorted(set(all_answers()) - {"00.square"})
    assert set(answered) >= with_answers.MANY_RIGHT
