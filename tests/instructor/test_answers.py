"""Every exercise: the starter is not attempted, the right answer passes, each wrong one is named.

The starters are read from the notebooks, which are their only source.
"""

from importlib import import_module
from pathlib import Path

import nbformat
import pytest

from instructor.answers import all_answers
from metalearn_lite.teaching import check, hint
from metalearn_lite.teaching.exercises import MODULES, find

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ANSWERS = all_answers()
RIGHT = [(name, answer) for name, answers in ANSWERS.items() for answer in answers.right]
WRONG = [(name, answer) for name, answers in ANSWERS.items() for answer in answers.wrong]


def starter(name: str):
    """The function that the starter cell of exercise ``name`` defines."""
    (path,) = NOTEBOOKS.glob(f"{name.split('.')[0]}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    cells = [cell.source for cell in cells if cell.cell_type == "code"]
    (position,) = [i for i, source in enumerate(cells) if f'check("{name}", ' in source]
    function = cells[position].split(f'check("{name}", ')[1].split(")")[0]
    scope = {}
    exec("import torch\nfrom torch.nn import functional as F\n" + cells[position - 1], scope)
    return scope[function]


def test_every_exercise_has_answers():
    for number, module in MODULES.items():
        exercises = import_module(f"metalearn_lite.teaching.exercises.{module}").EXERCISES
        assert {f"{number}.{name}" for name in exercises} == {
            name for name in ANSWERS if name.startswith(number)
        }


@pytest.mark.parametrize("name", ANSWERS)
def test_starter_is_not_attempted(name):
    assert check(name, starter(name)).status == "not attempted"


@pytest.mark.parametrize(
    ("name", "answer"), RIGHT, ids=lambda value: getattr(value, "__name__", value)
)
def test_right_answer_passes(name, answer):
    verdict = check(name, answer)
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    ("name", "answer"), WRONG, ids=lambda value: getattr(value, "__name__", value)
)
def test_wrong_answer_is_refused_by_name(name, answer):
    verdict = check(name, answer)
    assert verdict.status == "wrong"
    assert ANSWERS[name].wrong[answer] in verdict.message


@pytest.mark.parametrize("name", ANSWERS)
def test_two_right_styles_five_wrong_answers_and_three_hints(name, capsys):
    assert len(ANSWERS[name].right) >= 2
    assert len(ANSWERS[name].wrong) >= 5
    for level in (1, 2, 3):
        hint(name, level)
    assert len(set(capsys.readouterr().out.splitlines())) == 3
    with pytest.raises(ValueError, match="choose 1 to 3"):
        hint(name, 4)


def test_an_unknown_exercise_lists_the_known():
    with pytest.raises(KeyError, match=r"04\.inner_step"):
        find("04.inner_stepp")
