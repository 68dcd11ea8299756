"""A real nbgrader course: built, handed in, graded, told, and exported by nbgrader's own commands.

One run grades all submissions, so that each test reads what it is about.
"""

import ast
import copy
import csv
import json
import os
import re
import shutil
import subprocess
import zipfile
from html import unescape
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from instructor.answers import all_answers
from instructor.assignments import card
from instructor.sources import answered, body_of

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-instructor" / "bin" / "python"
ANSWERS = all_answers()
# Any sum of these says which of them were given.
POINTS = {"01.gradient_step": 1, "04.inner_step": 2, "04.meta_loss": 4, "04.interval": 8}
FIRST, STEP, LOSS, INTERVAL = POINTS


def run(folder, *arguments, python=PYTHON):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [python, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


# --- what is handed in -----------------------------------------------------------------------


class Submission:
    """A copy of the release into which a learner writes."""

    def __init__(self, release):
        self.notebook = copy.deepcopy(release)
        self.file = "all.ipynb"

    def cell(self, name, part="_answer"):
        wanted = name.replace(".", "_") + part
        (found,) = [
            each for each in self.notebook.cells if each.metadata.nbgrader.grade_id == wanted
        ]
        return found

    def put(self, name, answer, more=""):
        shown = card(name)
        self.cell(name).source = answered(shown.starter, body_of(answer, shown.starter)) + more

    def all_right(self, style=0):
        for name in POINTS:
            self.put(name, ANSWERS[name].right[style])

    def all_wrong(self, more=""):
        for name in POINTS:
            self.put(name, next(iter(ANSWERS[name].wrong)), more)


def untouched(it):
    pass


def right(it):
    it.all_right()


def right_in_another_style(it):
    it.all_right(-1)
    more = "\n\nimport warnings\n\n_whole = inner_step\n\ndef inner_step(*given):\n"
    more += (
        "    warnings.warn('careful')\n    print('SPIED', given[-1])\n    return _whole(*given)\n"
    )
    it.put(STEP, ANSWERS[STEP].right[0], more)


def wrong_in_the_loss(it):
    it.all_right()
    it.put(LOSS, next(iter(ANSWERS[LOSS].wrong)))


def trouble(it):
    """Each mishap costs its own exercise alone."""
    it.all_right()
    it.cell(FIRST).source = "def gradient_step(*given):\n    raise KeyError('oh')"
    it.cell(STEP).source = "import sys\nsys.exit()"
    it.cell(LOSS).source = "def meta_loss(*given):\n    while True:\n        pass"


def patched(it):
    it.all_wrong()
    it.put(FIRST, next(iter(ANSWERS[FIRST].wrong)), "\n\ncheck = print")
    it.put(
        STEP, next(iter(ANSWERS[STEP].wrong)),
        "\n\nimport metalearn_lite.teaching.exercises as e\ne.Verdict.passed = True",
    )  # fmt: skip
    more = "\n\ntorch.allclose = lambda *given, **named: True"
    it.put(LOSS, next(iter(ANSWERS[LOSS].wrong)), more)
    more = "\n\nfrom instructor.answers import all_answers"
    more += "\nmedian_interval = all_answers()['04.interval'].right[0]"
    it.put(INTERVAL, next(iter(ANSWERS[INTERVAL].wrong)), more)


def tampered(it):
    """Wrong answers with tests that pass, one test deleted, cells added and moved."""
    it.all_wrong()
    for name in (FIRST, STEP):
        it.cell(name, "").source = "True"
    it.cell(STEP, "").metadata.nbgrader.points = 100
    it.notebook.cells.remove(it.cell(LOSS, ""))
    it.put(INTERVAL, ANSWERS[INTERVAL].right[0])
    it.notebook.cells.insert(0, new_code_cell("1 + 1", metadata={"nbgrader": {"grade_id": "x"}}))
    del it.notebook.cells[0].metadata["nbgrader"]


def of_another_version(it):
    """A release that lacks what this one asks."""
    it.all_right()
    for part in ("_card", "_answer", ""):
        it.notebook.cells.remove(it.cell(LOSS, part))


def dies(it):
    it.all_right()
    it.put(FIRST, ANSWERS[FIRST].right[0],
           "\n\nfrom numpy.lib import stride_tricks\n"
           "stride_tricks.as_strided(np.zeros(1), (2**40,)).fill(1)")  # fmt: skip
    it.cell(FIRST).source = "import numpy as np\n" + it.cell(FIRST).source


def renamed(it):
    it.all_right()
    it.file = "all (final).ipynb"


SUBMISSIONS = {
    right: 15,
    right_in_another_style: 15,
    untouched: 0,
    wrong_in_the_loss: 11,
    trouble: 8,
    patched: 0,
    tampered: 8,
    of_another_version: 11,
}
NOT_GRADED = (dies, renamed)


# --- the course ------------------------------------------------------------------------------


class Course:
    def __init__(self, folder):
        self.folder = folder
        rows = [f'{{ name = "{name}", points = {points} }}' for name, points in POINTS.items()]
        rest = [f'{{ name = "{name}", points = 1 }}' for name in ANSWERS if name not in POINTS]
        plan = '[course]\nid = "test"\n'
        for name, exercises in (("all", rows), ("rest", rest)):
            plan += f'[[assignment]]\nname = "{name}"\ntitle = "T"\ndue = "soon"\n'
            plan += f"exercises = [{', '.join(exercises)}]\n"
        (folder / "plan.toml").write_text(plan, encoding="utf-8")
        self.built = run(
            folder, "-m", "instructor.assignments", "--plan", folder / "plan.toml", "--course", "."
        )

    def nbgrader(self, *arguments):
        return run(self.folder, "-m", "nbgrader", *arguments)

    def hand_in(self, learner):
        release = nbformat.read(self.folder / "release" / "all" / "all.ipynb", as_version=4)
        made = Submission(release)
        learner(made)
        folder = self.folder / "submitted" / learner.__name__ / "all"
        folder.mkdir(parents=True)
        nbformat.write(made.notebook, folder / made.file)

    def feedback(self, learner):
        page = self.folder / "feedback" / learner.__name__ / "all" / "all.html"
        text = re.sub(r"(?s)<style.*?</style>|<script.*?</script>", "", page.read_text("utf-8"))
        return unescape(re.sub(r"<[^>]+>", "", text))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    if not PYTHON.exists():
        pytest.skip("there is no .venv-instructor: `make assignments` makes it")
    return Course(tmp_path_factory.mktemp("a course"))  # a path with a space


@pytest.fixture(scope="module")
def graded(course):
    for learner in (*SUBMISSIONS, *NOT_GRADED):
        course.hand_in(learner)
    course.said = course.nbgrader("autograde", "all")
    course.told = course.nbgrader("generate_feedback", "all")
    course.exported = course.nbgrader("export")
    with (course.folder / "grades.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["assignment"] == "all"]
    course.scores = {row["student_id"]: float(row["score"] or 0) for row in rows}
    return course


def test_it_is_built(course):
    assert course.built.returncode == 0, course.built.stderr
    assert "all: 4 exercises, 15 points" in course.built.stdout


@pytest.mark.parametrize("learner", SUBMISSIONS, ids=lambda learner: learner.__name__)
def test_points(graded, learner):
    assert graded.scores[learner.__name__] == SUBMISSIONS[learner]


def test_who_is_not_graded_is_named_and_the_others_go_on(graded):
    assert graded.said.returncode == 1
    for learner in NOT_GRADED:
        assert not graded.scores.get(learner.__name__)
        assert f"submitted/{learner.__name__}" in graded.said.stderr
    assert "DeadKernelError" in graded.said.stderr or "Kernel died" in graded.said.stderr
    assert "No notebooks found" in graded.said.stderr


def test_the_tests_of_the_source_pass_on_its_answers(course):
    source = course.folder / "source" / "all" / "all.ipynb"
    validated = course.nbgrader("validate", str(source))
    assert "Success! Your notebook passes all the tests." in validated.stdout, validated.stdout


LEARNERS = [learner for learner in SUBMISSIONS if learner is not untouched]


@pytest.mark.parametrize("learner", SUBMISSIONS, ids=lambda learner: learner.__name__)
def test_feedback_shows_no_hidden_test(graded, learner):
    page = graded.feedback(learner)
    for word in ("HIDDEN", "held_back", "draws=", "hashlib", "SPIED 0", "instructor/", "mistake"):
        assert word not in page, word


def test_feedback_says_what_was_found(graded):
    assert "KeyError: 'oh'" in graded.feedback(trouble)
    assert "This cell was not run, line 1: it imports `sys`." in graded.feedback(trouble)
    assert "was stopped after 10 seconds" in graded.feedback(trouble)
    words = ANSWERS[LOSS].wrong[next(iter(ANSWERS[LOSS].wrong))]
    assert words in graded.feedback(wrong_in_the_loss)
    assert "Not attempted yet" in graded.feedback(untouched)


# --- what is handed out ----------------------------------------------------------------------


def statements(source):
    """The statements of some code, told apart by what they do and not by their names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and not isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def without_names(node):
    node = copy.deepcopy(node)
    for each in ast.walk(node):
        for field in ("id", "arg", "name"):
            if isinstance(getattr(each, field, None), str):
                setattr(each, field, "_")
    return ast.dump(node)


def test_no_word_of_an_answer_is_handed_out(course):
    with zipfile.ZipFile(course.folder / "release.zip") as handed_out:
        names = handed_out.namelist()
        notebooks = [json.loads(handed_out.read(name)) for name in names]
    assert names == ["all/all.ipynb", "rest/rest.ipynb"]
    cells = ["".join(cell["source"]) for each in notebooks for cell in each["cells"]]
    text = re.sub(r"\s", "", "\n".join(cells))
    shapes = {
        without_names(node)
        for each in notebooks
        for cell in each["cells"]
        if cell["cell_type"] == "code"
        for node in statements("".join(cell["source"]))
    }
    assert "HIDDEN" not in text
    assert "SOLUTION" not in text
    assert "held_back" not in text
    for name, answers in ANSWERS.items():
        for answer in answers.right:
            body = body_of(answer, card(name).starter)
            for node in statements(body):
                words = re.sub(r"\s", "", ast.unparse(node))
                if len(words) > 40:
                    assert words not in text, (name, words)
                    assert without_names(node) not in shapes, (name, ast.unparse(node))


def test_built_again_it_is_the_same_and_the_grade_book_stays(graded):
    before = (graded.folder / "release.zip").read_bytes()
    again = run(
        graded.folder, "-m", "instructor.assignments",
        "--plan", graded.folder / "plan.toml", "--course", ".",
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert (graded.folder / "release.zip").read_bytes() == before
    exported = graded.nbgrader("export", "--to=again.csv")
    assert exported.returncode == 0
    rows = (graded.folder / "again.csv").read_text(encoding="utf-8")
    assert rows == (graded.folder / "grades.csv").read_text(encoding="utf-8")
    shutil.rmtree(graded.folder / "submitted")
