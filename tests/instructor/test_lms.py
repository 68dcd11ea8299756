"""Grades for Moodle and Canvas, from a grade book that nbgrader itself keeps."""

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-instructor" / "bin" / "python"

GRADE_BOOK = """
from nbgrader.api import Gradebook
import lms

with Gradebook("sqlite:///gradebook.db", "test") as book:
    for name, points in (("week1", 10), ("week2", 4)):
        book.add_assignment(name)
        book.add_notebook("it", name)
        book.add_grade_cell("cell", "it", name, max_score=points, cell_type="code")
    people = {
        "zoe m": ("Zoë", 'Müller, "jun."', "zoe@example.org", "1007"),
        "late": ("Lee", "Late", None, None),
        "too late": ("Tom", "Late", None, None),
        "missing": (None, None, None, None),
        "not graded": ("雷", "李", "lei@example.org", None),
    }
    for name, (first, last, email, number) in people.items():
        who = {"first_name": first, "last_name": last, "email": email, "lms_user_id": number}
        book.add_student(name, **who)
    scores = {"zoe m": (9.126, 0), "late": (7.5, 2), "too late": (1, 3), "not graded": (None, 0)}
    for name, (score, penalty) in scores.items():
        submission = book.add_submission("week1", name)
        (notebook,) = submission.notebooks
        notebook.late_submission_penalty = penalty
        (grade,) = notebook.grades
        if score is not None:
            grade.auto_score, grade.needs_manual_grade = score, False
    book.db.commit()
    lms.Moodle(missing="0", to="zero.csv", student=["missing"], assignment=["week2"]).export(book)
"""
WEEK1 = {"zoe m": "9.13", "late": "5.5", "too late": "0"}  # the others have no grade


def run(folder, *arguments):
    path = f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader looks for alembic there
    return subprocess.run(
        [PYTHON, *arguments],
        cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": path},
    )  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    if not PYTHON.exists():
        pytest.skip("there is no .venv-instructor: `make assignments` makes it")
    folder = tmp_path_factory.mktemp("a course")
    shutil.copy(ROOT / "instructor" / "lms.py", folder)
    made = run(folder, "-c", GRADE_BOOK)
    assert made.returncode == 0, made.stderr
    return folder


def exported(course, name):
    """The rows of a file, and what nbgrader said."""
    done = run(course, "-m", "nbgrader", "export", f"--exporter=lms.{name}", f"--to={name}.csv")
    assert done.returncode == 0, done.stderr
    return rows(course / f"{name}.csv"), done.stderr


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_moodle(course):
    (heads, *learners), said = exported(course, "Moodle")
    assert heads[:3] == ["First name", "Last name", "Username"]
    assert heads[3:] == ["ID number", "Email address", "week1", "week2"]
    assert [len(row) for row in learners] == [7] * 5
    by_login = {row[2]: row for row in learners}
    zoe = ["Zoë", 'Müller, "jun."', "zoe m", "1007", "zoe@example.org"]
    assert by_login["zoe m"] == [*zoe, "9.13", "-"]
    assert by_login["not graded"][:2] == ["雷", "李"]
    assert {name: row[5] for name, row in by_login.items() if row[5] != "-"} == WEEK1
    assert {row[6] for row in learners} == {"-"}
    assert "week1 of not graded is not graded to the end" in said


def test_canvas(course):
    (heads, points, *learners), said = exported(course, "Canvas")
    assert heads[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert points == ["    Points Possible", "", "", "", "", "10", "4"]
    by_login = {row[3]: row for row in learners}
    assert by_login["zoe m"][:5] == ['Müller, "jun.", Zoë', "1007", "", "zoe m", ""]
    assert by_login["missing"] == ["missing", "", "", "missing", "", "", ""]
    assert {name: row[5] for name, row in by_login.items() if row[5]} == WEEK1
    assert "week1 of not graded is not graded to the end" in said


def test_what_is_missing_may_count_0_and_some_may_be_asked_for(course):
    heads, learner = rows(course / "zero.csv")
    assert heads[5:] == ["week2"]
    assert learner == ["", "", "missing", "", "", "0"]


def test_nothing_but_the_files_is_left(course):
    assert not list(course.glob("*unfinished*"))
    assert (course / "zero.csv").stat().st_mode & 0o777 == 0o600
