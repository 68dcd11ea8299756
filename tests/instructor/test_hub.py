"""`make hub` without its browser: what is missing is told, and who can read what, tried."""

import json
import os
import pwd

import nbformat
import pytest
from a_class import PYTHON, a_class
from nbformat.v4 import new_code_cell

from instructor.assignments import BEGIN, notebook
from instructor.hub import classroom
from instructor.hub.classroom import Class, Unready, read_class
from instructor.plan import read_plan
from instructor.sources import TURN


def test_what_is_missing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(classroom, "MODULES", tmp_path)
    monkeypatch.setattr(classroom, "PROXY", tmp_path / "proxy")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unready, match=r"Node\.js is missing"):
        classroom.ensure_proxy()
    program(tmp_path / "node", "")
    with pytest.raises(Unready, match="npm is missing"):
        classroom.ensure_proxy()
    program(tmp_path / "npm", "echo no route to host; exit 1")
    for _ in range(2):  # it is tried again
        with pytest.raises(Unready, match=r"could not fetch the hub's proxy.*\n.*no route to host"):
            classroom.ensure_proxy()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Unready, match="sudo make hub"):
        classroom.ensure_root()


def program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("text", "words"),
    {
        "[class": "cannot be read",
        "[klass]": r"needs a \[class\]",
        '[class]\ninstructor = "daemon"\nlearners = "bin"': "accounts that are not on this machine",
        '[class]\ninstructor = "daemon"\nlearners = ["daemon"]': "each name once",
        '[class]\ninstructor = "daemon"\nlearners = ["no-such-one"]': "useradd --create-home no-su",
        '[class]\ninstructor = "root"\nlearners = ["daemon"]': "names root",
    }.items(),
)
def test_a_class_that_cannot_be_is_told(tmp_path, text, words):
    path = tmp_path / "class.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unready, match=words):
        read_class(path)


def test_a_class_is_read(tmp_path):
    path = tmp_path / "class.toml"
    path.write_text('[class]\ninstructor = "daemon"\nlearners = ["bin", "sys"]', encoding="utf-8")
    assert read_class(path) == Class("daemon", ("bin", "sys"))


def test_the_hub_is_given_no_answers():
    plan = read_plan()
    for assignment in plan.assignments:
        cells = notebook(plan, assignment, with_answers=False).cells
        answers = [cell.source for cell in cells if BEGIN in cell.source]
        assert len(answers) == len(assignment.exercises)
        for source in answers:
            assert source.split(BEGIN)[1].split("### END SOLUTION")[0].strip() == TURN


# --- with accounts ---------------------------------------------------------------------------


# What a learner's code may try, with nothing to hold it but the account that it runs under.
SPY = """\
import os, sys
found = []
for top in {places}:
    sys.path.insert(0, top)
    for place, folders, files in os.walk(top):
        for name in files:
            try:
                text = open(os.path.join(place, name), errors="replace").read()
            except OSError:
                continue
            if "import " + "Answers" in text:
                found.append(os.path.join(place, name))
try:
    from instructor.answers import all_answers
    found.append("imported")
except Exception as error:
    print(type(error).__name__)
print("FOUND", found)
"""


@pytest.fixture(scope="module")
def room():
    with a_class() as made:
        yield made


@pytest.mark.slow
def test_each_account_reads_what_it_should(room):
    assert f"Ready in {room.hub}" in room.said
    assert "no Omniglot images to share" in room.said
    for name in (room.ada, room.ben):
        for path in ("course/metalearn_lite/networks.py", "course/notebooks/00_start_here.ipynb"):
            assert reads(room, name, room.hub / path)
        assert reads(room, name, room.hub / "course" / "data" / "race.json")
        for path in ("data", "course", "settings", "state"):
            tried = room.as_account(name, "touch", room.hub / path / "mine")
            assert tried.returncode
    for name in room.accounts.values():
        assert not reads(room, name, room.checkout / "instructor" / "plan.py")
        assert not reads(room, name, room.checkout / "instructor" / "answers" / "__init__.py")
        assert not reads(room, name, room.hub / "state" / "passwords.json")
        assert not reads(room, name, room.hub / "state" / "hub.json")
    assert reads(room, room.prof, room.home(room.prof) / "ours" / "source" / "week1")
    assert not reads(room, room.ada, room.home(room.prof) / "ours")
    assert not reads(room, room.ada, room.home(room.ben))


def reads(room, name, path):
    assert path.exists()
    return room.as_account(name, "ls" if path.is_dir() else "cat", path).returncode == 0


@pytest.mark.slow
def test_a_folder_that_is_closed_is_named(room, monkeypatch):
    closed = room.base / "closed"
    (closed / "bin").mkdir(parents=True)
    (closed / "bin" / "python").symlink_to(PYTHON)
    closed.chmod(0o700)
    monkeypatch.setattr(classroom.shutil, "which", lambda *given, **named: None)
    with pytest.raises(Unready, match=r"closed is closed to others\. Put the course where all may"):
        classroom.ensure_python([room.ada], closed, closed / "bin" / "python")


@pytest.mark.slow
def test_an_instructor_who_could_read_the_answers_is_refused(room):
    folder = room.checkout / "instructor"
    before = folder.stat()
    os.chown(folder, pwd.getpwnam(room.prof).pw_uid, -1)
    done = room.run(*room.command("--prepare"))
    os.chown(folder, before.st_uid, -1)
    assert done.returncode == 1
    assert "where the answers are" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_handed_in_through_the_exchange_and_graded_where_no_answer_can_be_read(room):
    course = room.home(room.prof) / "ours"
    room.nbgrader(room.prof, "generate_assignment", "week1", cwd=course)
    room.nbgrader(room.prof, "release_assignment", "week1", cwd=course)
    room.nbgrader(room.ada, "fetch_assignment", "week1")

    path = room.home(room.ada) / "week1" / "week1.ipynb"
    handed_in = nbformat.read(path, as_version=4)
    spy = SPY.format(places=[str(each) for each in (room.checkout, room.hub, course.parents[1])])
    found = room.run(PYTHON, "-c", spy).stdout
    assert "imported" in found  # root finds them
    assert "/instructor/answers/" in found
    handed_in.cells.append(new_code_cell(spy))
    nbformat.write(handed_in, path)
    room.nbgrader(room.ada, "submit", "week1")

    (inbound,) = (room.hub / "exchange" / "ours" / "inbound").iterdir()
    assert not reads(room, room.ben, inbound.parent)
    taken = room.as_account(room.ben, "mv", room.hub / "exchange" / "ours", room.home(room.ben))
    assert taken.returncode

    # The reading of submissions is left out: here the account alone must hold.
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text("utf-8").replace("course_parts.SetAside,", ""), "utf-8")
    room.nbgrader(room.prof, "collect", "week1", cwd=course)
    room.nbgrader(room.prof, "autograde", "week1", cwd=course)
    graded = course / "autograded" / room.ada / "week1" / "week1.ipynb"
    outputs = json.dumps([cell.get("outputs") for cell in nbformat.read(graded, 4).cells])
    assert "FOUND []" in outputs
    assert "ModuleNotFoundError" in outputs or "PermissionError" in outputs
    assert not reads(room, room.ada, graded)
