"""What is built for nbgrader: the plan, the notebooks, the hidden draws, the reading of answers."""

import pytest

from instructor.answers import all_answers
from instructor.assignments import card, notebook
from instructor.plan import Assignment, BadPlan, Graded, Plan, read_plan
from instructor.reach import reach
from instructor.sources import TURN, answered, body_of
from metalearn_lite.teaching import check
from metalearn_lite.teaching.grading import held_back

ANSWERS = all_answers()
RIGHT = [(name, answer) for name, answers in ANSWERS.items() for answer in answers.right]
WRONG = [(name, answer) for name, answers in ANSWERS.items() for answer in answers.wrong]
EVERYTHING = Plan(
    "test", (Assignment("all", "All", "never", tuple(Graded(name, 1) for name in ANSWERS)),)
)


def cell_of(name, answer):
    """The cell in which ``answer`` is handed in."""
    shown = card(name)
    return answered(shown.starter, body_of(answer, shown.starter))


def ids(value):
    return getattr(value, "__name__", value)


@pytest.mark.parametrize(("name", "answer"), RIGHT, ids=ids)
def test_a_right_answer_stands_alone_and_is_right_on_other_draws(name, answer):
    cell, scope = cell_of(name, answer), {}
    assert reach(cell) is None
    exec("import torch\nimport numpy as np\nfrom torch.nn import functional as F", scope)
    exec(cell, scope)
    for draws in (1000, 31337):
        held_back(name, scope[card(name).function], draws)
    assert check(name, scope[card(name).function]).passed


@pytest.mark.parametrize(("name", "answer"), WRONG, ids=ids)
def test_a_wrong_answer_is_refused_on_other_draws_too(name, answer):
    assert reach(cell_of(name, answer)) is None
    with pytest.raises(AssertionError):
        held_back(name, answer, 77777)


def test_every_exercise_can_be_set_and_its_starter_is_kept():
    made = notebook(EVERYTHING, EVERYTHING.assignments[0])
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in made.cells}
    for name in ANSWERS:
        grade_id = name.replace(".", "_")
        begin, end = "### BEGIN SOLUTION", "### END SOLUTION"
        before, rest = cells[f"{grade_id}_answer"].source.split(begin)
        assert before + TURN + rest.split(end)[1] == card(name).starter
        assert not cells[f"{grade_id}_card"].source.startswith("### Exercise")
        assert cells[grade_id].metadata.nbgrader.points == 1
        assert "." not in grade_id
    exec(cells["imports"].source, {})


GOOD = """\
[course]
id = "ours"

[[assignment]]
name = "first"
title = "First"
due = "soon"
exercises = [
    { name = "04.inner_step", points = 2 },
]
"""
BAD = {
    "is no TOML: ": ("[course]", "[course"),
    "line 9: there is no exercise '04.innerstep'; there are 04.inner_step": (
        "04.inner_step",
        "04.innerstep",
    ),
    "line 9: '04.inner_step' needs points, a number above 0; got -2": ("points = 2", "points = -2"),
    "line 9: '04.inner_step' needs points, a number above 0; got 'two'": (
        "points = 2",
        'points = "two"',
    ),
    "line 9: an exercise has no 'point'; it has name, points": ("points", "point"),
    "line 5: name 'first one': take letters, digits and dashes": ('"first"', '"first one"'),
    "line 2: id '../ours': take letters, digits and dashes": ('"ours"', '"../ours"'),
    "line 7: assignment 'first' needs due": ('"soon"', '""'),
    "line 6: an [[assignment]] has no 'titel'": ("title", "titel"),
    "there is no [[assignment]]: add one": (GOOD[GOOD.index("[[") :], ""),
    "'04.inner_step' is in 'first' already: set it once": (
        "]\n",
        ']\n[[assignment]]\nname = "next"\ntitle = "N"\ndue = "d"\n'
        'exercises = [{ name = "04.inner_step", points = 1 }]\n',
    ),
    "two assignments are called 'first': rename one": (
        "]\n",
        ']\n[[assignment]]\nname = "first"\ntitle = "N"\ndue = "d"\n'
        'exercises = [{ name = "04.meta_loss", points = 1 }]\n',
    ),
}


@pytest.mark.parametrize("words", BAD)
def test_a_plan_that_cannot_be_built_is_told_with_line_and_remedy(tmp_path, words):
    path, (good, bad) = tmp_path / "assignments.toml", BAD[words]
    before, _, after = GOOD.rpartition(good)
    path.write_text(before + bad + after, encoding="utf-8")
    with pytest.raises(BadPlan) as caught:
        read_plan(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith("assignments.toml")


def test_a_missing_plan_is_told(tmp_path):
    with pytest.raises(BadPlan, match="missing: restore it"):
        read_plan(tmp_path / "assignments.toml")


def test_the_plan_that_ships_can_be_read():
    assert [each.name for each in read_plan().assignments][:2] == ["week1", "week2"]


REFUSED = {
    "import os": "line 1: it imports `os`",
    "x = 1\nimport numpy.f2py, sys": "line 2: it imports `sys`",
    "from instructor.answers import all_answers": "it imports `all_answers` from",
    "from metalearn_lite.teaching.exercises import maml_on_sinusoids": "it imports",
    "from metalearn_lite import teaching": "it imports `teaching` from `metalearn_lite`",
    "import metalearn_lite.teaching.exercises as e": "it imports",
    "from torch import serialization": "it imports `serialization`",
    "open('answers.py').read()": "it uses `open`",
    "f = getattr(torch, 'all' + 'close')": "it uses `getattr`",
    "torch.allclose = print": "it changes `torch.allclose`",
    "import numpy as n\nn.testing.assert_allclose = print": "it changes `n.testing",
    "torch.os.system('ls')": "it uses `.os`",
    "().__class__.__bases__": "it uses `.__bases__`",
    "check = print": "it defines `check`",
    "def check(*a):\n    pass": "it defines `check`",
    "!ls": "a command of the notebook",
    "%run answers.py": "a command of the notebook",
    "exec('import os')": "it uses `exec`",
    "def f():\n    return np.load('answers.npy')": "line 2: it uses `.load`",
}


@pytest.mark.parametrize("source", REFUSED)
def test_what_no_answer_needs_is_found(source):
    assert REFUSED[source] in reach(source)


@pytest.mark.parametrize(
    "source",
    [
        "import warnings\nwarnings.warn('careful')",
        "class Mine:\n    def __init__(self):\n        self.x = 1\nsuper().__init__()",
        "from metalearn_lite.teaching import check, hint\nhint('04.inner_step')",
        "from scipy import stats\nimport torch.nn.functional as F",
        "check('04.inner_step', inner_step)",
        "def broken(:",
    ],
)
def test_what_answers_are_made_of_is_let_through(source):
    assert reach(source) is None
