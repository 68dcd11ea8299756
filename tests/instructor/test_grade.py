"""`make grade`: two learners at a time, and who could not be graded is named with the reason."""

import os
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from instructor import grade
from instructor.grade import CannotGrade, learners, reason

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-instructor" / "bin" / "python"
DIES = """\
import numpy as np
from numpy.lib import stride_tricks

stride_tricks.as_strided(np.zeros(1), (2**40,)).fill(1)"""


def marked(source, grade_id, **marks):
    cell, usual = new_code_cell(source), {"grade": False, "locked": False, "solution": False}
    cell.metadata.nbgrader = {"grade_id": grade_id, "schema_version": 3, "task": False}
    cell.metadata.nbgrader |= usual | marks
    return cell


def run(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [PYTHON, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of one line, graded as this course is; five have handed in."""
    if not PYTHON.exists():
        pytest.skip("there is no .venv-instructor: `make assignments` makes it")
    folder = tmp_path_factory.mktemp("a course")
    for name in ("course_parts.py", "reach.py", "lms.py", "nbgrader_config.py"):
        shutil.copy(ROOT / "instructor" / name, folder)
    made = new_notebook(
        cells=[
            marked("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "answer", solution=True),
            marked("assert x == 1", "test", grade=True, locked=True, points=3),
        ]
    )
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (folder / "source" / "one").mkdir(parents=True)
    nbformat.write(made, folder / "source" / "one" / "one.ipynb")
    built = run(folder, "-m", "nbgrader", "generate_assignment", "one")
    assert built.returncode == 0, built.stderr

    for learner, answer in (("right one", "x = 1"), ("wrong", "x = 2"), ("dies", DIES)):
        made.cells[0].source = answer
        hand_in(folder, learner, nbformat.writes(made))
    hand_in(folder, "renamed", nbformat.writes(made), "one (2).ipynb")
    hand_in(folder, "torn", nbformat.writes(made)[:90])
    return folder


def hand_in(course, learner, text, name="one.ipynb"):
    path = course / "submitted" / learner / "one" / name
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_all_are_graded_or_named(course):
    done = run(course, "-m", "instructor.grade", "one", "--course", ".")
    assert done.returncode == 1, done.stderr
    said = done.stdout[done.stdout.index("2 of 5 in") :].splitlines()[1:]
    assert [line.split(": ", 1) for line in said[1:]] == [
        ["  dies", "the notebook's process ended while it ran: os._exit, a crash, or too little "
         "memory"],
        ["  renamed", "there is no one.ipynb: one (2).ipynb was handed in"],
        ["  torn", "one.ipynb is no notebook: it cannot be read"],
    ]  # fmt: skip
    assert "right one: graded" in done.stdout

    exported = run(course, "-m", "instructor.grade", "--export", "--course", ".")
    assert exported.stdout.count("To upload:") == 2, exported.stderr
    assert "one of dies is not graded to the end" in exported.stdout
    grades = (course / "moodle.csv").read_text(encoding="utf-8")
    assert ",,right one,,,3\n" in grades
    assert ",,wrong,,,0\n" in grades
    assert ",,dies,,,-\n" in grades


# --- what needs no nbgrader ------------------------------------------------------------------


def test_what_cannot_be_graded_is_told_with_the_remedy(tmp_path):
    with pytest.raises(
        CannotGrade, match=r"there is no course in .*: run `make assignments` first"
    ):
        learners(tmp_path, "week1")
    (tmp_path / "source" / "week1").mkdir(parents=True)
    with pytest.raises(CannotGrade, match=r"say which assignment: make grade .*\(week1\)"):
        learners(tmp_path, "")
    with pytest.raises(CannotGrade, match=r"there is no assignment 'week2': .*\(week1\)"):
        learners(tmp_path, "week2")
    with pytest.raises(CannotGrade, match=r"nobody has handed in week1: .*LEARNER/week1/week1"):
        learners(tmp_path, "week1")
    with pytest.raises(CannotGrade, match="there is no grade book"):
        grade.export(tmp_path)


def test_the_last_error_is_the_reason(tmp_path):
    said = "Traceback\nsqlite3.OperationalError: disk I/O error\n[X | ERROR] see above\n"
    assert reason(said, tmp_path) == "sqlite3.OperationalError: disk I/O error"
    assert reason("it just stopped\n\n", tmp_path) == "it just stopped"
    assert reason("", tmp_path) == "it gave no reason"


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """pretend(script) has a shell script stand for Python with nbgrader. Two have handed in."""
    for learner in ("a", "b"):
        (tmp_path / "submitted" / learner / "week1").mkdir(parents=True)
    (tmp_path / "source" / "week1").mkdir(parents=True)

    def pretend(script):
        program = tmp_path / "program"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(grade.sys, "executable", str(program))
        return tmp_path

    return pretend


def test_a_submission_that_never_ends_is_ended(pretend, monkeypatch):
    monkeypatch.setattr(grade, "LIMIT", 0.3)
    course = pretend("exec sleep 60")
    outcomes = list(grade.grade(course, "week1"))
    assert {each.why for each in outcomes} == {"TimeoutError: after 0 s it was not done"}


def test_a_locked_grade_book_is_tried_again(pretend):
    course = pretend(
        'if mkdir "locked $4"; then echo "database is locked"; exit 1; fi; echo "$@" >> asked'
    )
    assert [each.why for each in grade.grade(course, "week1", again=True)] == ["", ""]
    asked = (course / "asked").read_text().splitlines()
    assert sorted(asked) == [f"-m nbgrader autograde week1 --student={x} --force" for x in "ab"]


def test_a_name_that_nbgrader_would_take_for_a_pattern_is_told(pretend):
    course = pretend("exit 0")
    (course / "submitted" / "*" / "week1").mkdir(parents=True)
    why = {each.learner: each.why for each in grade.grade(course, "week1")}
    assert "rename that in submitted/" in why.pop("*")
    assert set(why.values()) == {""}


def test_who_stops_leaves_no_process_behind(pretend):
    course = pretend(
        """case "$5" in
        *=a) until [ -s process ]; do sleep 0.05; done ;;
        *) echo $$ > process; exec sleep 600 ;;
        esac"""
    )
    outcomes = grade.grade(course, "week1")
    assert next(outcomes).learner == "a"
    outcomes.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int((course / "process").read_text()), 0)
