"""How a notebook's exercises are answered under test. That each notebook then runs, nbval sees."""

from pathlib import Path

import nbformat
import pytest
import torch
import with_answers

from instructor.answers import all_answers

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
IMPORT = "from metalearn_lite.teaching import yours"
PAGE = """
def square(x):
    raise NotImplementedError("your turn")
square = yours("00.square", square, lambda x: 1.0 * x * x)
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
    square = with_answers.with_answer("00.square", lambda x: x * x)
    return [square(value) for value in values]


def test_what_is_stored_runs_as_it_is_and_sees_no_other_names(capsys):
    scope = run(IMPORT, PAGE, "nine = float(square(3.0))")
    assert scope.keys() == {"__builtins__", "yours", "square", "nine"}
    assert scope["nine"] == 9.0
    said = "○ 00.square: not attempted yet, so the package's version runs from here.\n"
    assert capsys.readouterr().out == said


def test_the_first_calls_of_each_kind_are_the_answers(monkeypatch):
    answers = squares(monkeypatch, lambda x: x * x + 1e-5, 3.0, 3.0, 3.0, torch.ones(2))
    assert answers[:3] == [9.00001, 9.00001, 9.0]
    assert answers[3].tolist() == pytest.approx([1.00001, 1.00001], abs=1e-6)


def test_the_package_and_the_answer_must_agree(monkeypatch):
    with pytest.raises(AssertionError, match=r"00\.square gives 9\.1, the package 9\.0"):
        squares(monkeypatch, lambda x: x * x + 0.1, 3.0)
    with pytest.raises(AssertionError, match=r"00\.square gives"):
        squares(monkeypatch, lambda x: x[:1], torch.ones(2))


def test_where_no_two_calls_do_the_same_they_take_turns(monkeypatch):
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
    assert sorted(answered) == sorted(all_answers())
    assert set(answered) >= with_answers.DRAWS_OR_LEARNS
