"""The learner's copy: made from the course, brought up to date, and never at a reader's cost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from metalearn_lite.teaching import workbook
from metalearn_lite.teaching.workbook import RECORD, digest, fresh, learners_copy, main, make

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAME, NEW, NEWER = "04_waves.ipynb", "04_waves (new).ipynb", "04_waves (new 2).ipynb"
STARTER, ANSWER = "def answer():\n    raise NotImplementedError", "def answer():\n    return 1"
CAPTION = "*In words: a line.\nIt *rises*.*\n\nMore."


def prose(text):
    return {"cell_type": "markdown", "id": "a", "metadata": {}, "source": text}


def code(text):
    """A cell that was run."""
    cell = {"cell_type": "code", "id": "b", "metadata": {"tags": ["nbval-ignore-output"]}}
    output = {"output_type": "stream", "name": "stdout", "text": "1\n"}
    return cell | {"source": text, "execution_count": 3, "outputs": [output]}


COLLAPSED = {"jupyter": {"source_hidden": True}}


def a_notebook(title="# Waves", *more):
    claims = code('claim("so", 1 < 2)') | {"metadata": {"tags": ["x"], **COLLAPSED}}
    cells = [prose(title), code(STARTER), claims, prose(CAPTION), *more]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, notebook: dict) -> None:
    path.write_text(json.dumps(notebook), encoding="utf-8")


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def sources(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in read(path)["cells"]]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def course(tmp_path):
    """A course of two notebooks, in a folder whose path has a space."""
    folder = tmp_path / "my course" / "notebooks"
    folder.mkdir(parents=True)
    write(folder / workbook.FIRST, a_notebook("# Start"))
    write(folder / NAME, a_notebook())
    return folder


@pytest.fixture
def copy(course):
    """The reader's copy of ``course``, just made."""
    folder = course.with_name("workbook")
    assert make(course, folder) == []
    return folder


@pytest.fixture
def answer(copy):
    """Does the exercise in 04, and returns the bytes of its file."""

    def give(name=NAME, words=ANSWER):
        notebook = read(copy / name)
        notebook["cells"][1]["source"] = words
        write(copy / name, notebook)
        return (copy / name).read_bytes()

    return give


def next_version(course, title="# Waves, again"):
    write(course / NAME, a_notebook(title))


def test_the_copy_has_not_been_run_its_claims_are_collapsed_and_its_captions_folded(copy):
    _, exercise, claims, caption = read(copy / NAME)["cells"]
    assert exercise == code(STARTER) | {"metadata": {}, "execution_count": None, "outputs": []}
    assert claims["metadata"] == COLLAPSED
    folded = "<details><summary>In words</summary>\n\n*A line.\nIt *rises*.*\n\n</details>\n\nMore."
    assert "".join(caption["source"]) == folded
    assert names(copy) == [RECORD, workbook.FIRST, NAME]


def test_a_bonus_stays_collapsed():
    heading = {"jp-MarkdownHeadingCollapsed": True}
    notebook = a_notebook("# Waves", prose("## Bonus · more") | {"metadata": heading})
    assert learners_copy(notebook)["cells"][-1]["metadata"] == heading


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_copy_of_the_courses_own_notebook_is_one_and_hides_every_caption(path):
    nbformat = pytest.importorskip("nbformat")
    notebook = read(path)
    made = learners_copy(notebook)
    nbformat.validate(nbformat.reads(json.dumps(made), as_version=4))
    whole = json.dumps(notebook)
    assert "In words: " in whole
    assert "In words: " not in json.dumps(made)
    own = json.dumps([cell["source"] for cell in notebook["cells"]]).count("</details>")
    assert json.dumps(made).count("</details>") == own + whole.count('"*In words: ')


def test_running_is_no_change_and_an_unchanged_notebook_is_brought_up_to_date(course, copy):
    notebook = read(copy / NAME)
    notebook["metadata"] = {"widgets": {"state": 1}, "kernelspec": {"name": "other"}}
    for cell in notebook["cells"]:
        cell["metadata"] |= {"collapsed": True, "execution": {"iopub.status.idle": "now"}}
    notebook["cells"][1] |= {"execution_count": 7, "outputs": code("")["outputs"]}
    notebook["cells"].append(code("") | {"outputs": []})  # as JupyterLab does after the last cell
    write(copy / NAME, notebook)
    ran = (copy / NAME).read_bytes()
    assert make(course, copy) == []
    assert (copy / NAME).read_bytes() == ran, "what was run here stays while the course is the same"
    next_version(course)
    assert make(course, copy) == []
    assert sources(copy / NAME)[0] == "# Waves, again"
    assert names(copy) == [RECORD, workbook.FIRST, NAME]


def change_answer(cells):
    cells[1]["source"] = ANSWER


def delete_a_cell(cells):
    del cells[2]


def delete_all(cells):
    cells.clear()


def add_a_cell(cells):
    cells.append(prose("my notes"))


def swap_cells(cells):
    cells[1], cells[2] = cells[2], cells[1]


def make_it_prose(cells):
    cells[1]["cell_type"] = "markdown"


CHANGES = [change_answer, delete_a_cell, delete_all, add_a_cell, swap_cells, make_it_prose]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_stays_and_the_newer_version_is_laid_beside_it_once(course, copy, change):
    notebook = read(copy / NAME)
    change(notebook["cells"])
    write(copy / NAME, notebook)
    mine = (copy / NAME).read_bytes()
    assert make(course, copy) == [], "the course has nothing newer"
    assert names(copy) == [RECORD, workbook.FIRST, NAME]
    next_version(course)
    (line,) = make(course, copy)
    assert NAME in line
    assert NEW in line
    assert (copy / NAME).read_bytes() == mine
    assert sources(copy / NEW)[0] == "# Waves, again"
    assert make(course, copy) == [], "said once"
    (copy / NEW).unlink()
    assert make(course, copy) == []
    assert not (copy / NEW).exists(), "who threw it away does not get it again"


def test_the_newer_one_is_a_readers_too_once_it_was_changed(course, copy, answer):
    mine = answer()
    next_version(course)
    make(course, copy)
    next_version(course, "# Third")
    (line,) = make(course, copy)
    assert NEW in line
    assert sources(copy / NEW)[0] == "# Third", "nobody had worked in it"
    mine_too = answer(NEW, "def answer():\n    return 2")
    next_version(course, "# Fourth")
    (line,) = make(course, copy)
    assert NEWER in line
    assert ((copy / NAME).read_bytes(), (copy / NEW).read_bytes()) == (mine, mine_too)
    assert sources(copy / NEWER)[0] == "# Fourth"


def test_who_takes_the_newer_one_for_theirs_is_up_to_date(course, copy, answer):
    answer()
    next_version(course)
    make(course, copy)
    (copy / NEW).replace(copy / NAME)
    next_version(course, "# Third")
    assert make(course, copy) == []
    assert sources(copy / NAME)[0] == "# Third"


DAMAGE = [b"", b'{"cells": [{"cell_type": "code", "sour', b"\xff\xfe", b"[]", b'{"cells": [1]}']


@pytest.mark.parametrize("damaged", DAMAGE)
def test_a_damaged_notebook_is_kept_and_a_clean_one_laid_beside_it(course, copy, damaged):
    (copy / NAME).write_bytes(damaged)
    (line,) = make(course, copy)
    assert "cannot be read" in line
    assert (copy / NAME).read_bytes() == damaged
    assert sources(copy / NEW)[0] == "# Waves"
    assert make(course, copy) == []


@pytest.mark.parametrize("record", [None, b"", b"\xff", b"[1]", b'{"04_waves.ipynb": 4}'])
def test_without_a_record_everything_is_the_readers(course, copy, answer, record):
    mine = answer()
    (copy / RECORD).unlink()
    if record is not None:
        (copy / RECORD).write_bytes(record)
    (line,) = make(course, copy)
    assert "has your changes" in line
    assert (copy / NAME).read_bytes() == mine
    assert names(copy) == [RECORD, workbook.FIRST, NEW, NAME]
    assert set(read(copy / RECORD)) == {workbook.FIRST, NAME, NEW}
    assert make(course, copy) == []


def test_a_damaged_notebook_of_the_course_is_left_out_in_words(course, copy, answer):
    mine = answer()
    (course / NAME).write_text("<<<<<<< HEAD")
    (line,) = make(course, copy)
    assert "git checkout" in line
    assert (copy / NAME).read_bytes() == mine


@pytest.mark.parametrize("asked", ["04", "04_waves", NAME])
def test_a_fresh_one_keeps_every_old_one(course, copy, answer, asked):
    mine = answer()
    assert "old/04_waves (1).ipynb" in fresh(course, copy, asked)
    assert sources(copy / NAME)[1] == STARTER
    mine_too = answer(words="def answer():\n    return 2")
    assert "old/04_waves (2).ipynb" in fresh(course, copy, asked)
    old = copy / "old"
    assert [(old / name).read_bytes() for name in names(old)] == [mine, mine_too]
    (copy / NAME).unlink()
    assert "old" not in fresh(course, copy, asked)
    assert sources(copy / NAME)[1] == STARTER
    assert len(names(old)) == 2


@pytest.mark.parametrize("asked", ["", "99", "4", "0", "waves", "../04"])
def test_an_unknown_notebook_is_named_with_those_there_are(course, copy, capsys, asked):
    before = names(copy)
    assert main([f"--fresh={asked}"], course, copy) == 1
    printed = capsys.readouterr()
    assert f"{asked!r}: say one of 00, 04, as in `make fresh NOTEBOOK=04`" in printed.err
    assert printed.out == ""
    assert names(copy) == before


def test_the_command_prints_what_to_open_and_says_what_it_left(course, copy, answer, capsys):
    answer()
    next_version(course)
    assert main([], course, copy) == 0
    printed = capsys.readouterr()
    assert printed.out == "workbook/00_start_here.ipynb\n"
    assert printed.err.count("\n") == 1
    assert NEW in printed.err


def test_where_no_folder_can_be_made_the_course_itself_is_opened(course, capsys):
    in_the_way = course.with_name("workbook")
    in_the_way.write_text("mine")
    assert main([], course, in_the_way) == 1
    printed = capsys.readouterr()
    assert printed.out == "notebooks/00_start_here.ipynb\n"
    assert printed.err.count("\n") == 1
    assert "cannot be written" in printed.err
    assert in_the_way.read_text() == "mine"


def test_a_copy_that_can_only_be_read_is_opened_as_it_is(course, copy, answer, capsys, monkeypatch):
    mine = answer()
    if os.name == "posix" and os.geteuid():
        copy.chmod(0o500)
    else:  # whom no permission bit stops

        def refuse(path, content):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(workbook, "write_whole", refuse)
    assert main([], course, copy) == 0, "it is up to date"
    assert capsys.readouterr().err == ""
    next_version(course)
    assert main([], course, copy) == 1
    copy.chmod(0o700)
    printed = capsys.readouterr()
    assert printed.out == "workbook/00_start_here.ipynb\n"
    assert "Permission denied" in printed.err
    assert printed.err.count("\n") == 1
    assert (copy / NAME).read_bytes() == mine


def test_without_a_course_it_says_where_it_looked(tmp_path, capsys):
    assert main([], tmp_path / "notebooks", tmp_path / "workbook") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "in a checkout of the course" in printed.err
    assert names(tmp_path) == []


AT_ONCE = """
import sys
from pathlib import Path
from metalearn_lite.teaching.workbook import fresh, make
course, copy = map(Path, sys.argv[1:])
print("ready", flush=True)
sys.stdin.readline()
make(course, copy)
for _ in range(5):
    fresh(course, copy, "04")
"""


@pytest.mark.slow
def test_runs_at_once_lose_nothing_and_leave_everything_whole(course, copy, answer):
    mine = answer()
    next_version(course)
    command = [sys.executable, "-c", AT_ONCE, str(course), str(copy)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, **pipes) for _ in range(3)]
    assert [process.stdout.readline() for process in running] == ["ready\n"] * 3
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in running:
        process.communicate()
    assert [process.returncode for process in running] == [0] * 3
    now = digest(learners_copy(read(course / NAME)))
    assert digest(read(copy / NAME)) == now
    assert set(names(copy)) - {NEW} == {RECORD, workbook.FIRST, NAME, "old"}
    assert read(copy / RECORD)[NAME] == now
    old = [(copy / "old" / name).read_bytes() for name in names(copy / "old")]
    assert old.count(mine) == 1
    assert all(digest(json.loads(content)) == now for content in old if content != mine)


@pytest.mark.slow
@pytest.mark.parametrize("number", ["00", "04"])
def test_the_copy_runs_where_it_lies(tmp_path, number):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    course, copy = tmp_path / "my course" / "notebooks", tmp_path / "my course" / "workbook"
    course.mkdir(parents=True)
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(number))
    shutil.copy(path, course)
    make(course, copy)
    notebook = nbformat.read(copy / path.name, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:10]
    assert not any(cell.outputs for cell in notebook.cells)
    client = nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(copy)}})
    client.execute()
    assert all(cell.execution_count for cell in notebook.cells)
    assert any("✔" in output.get("text", "") for c in notebook.cells for output in c.outputs)


def test_where_no_copy_can_be_made_nothing_is_saved_into_the_course():
    pytest.importorskip("jupyter_server")
    from types import SimpleNamespace

    from tools.read_only import ReadOnlyNotebooks

    def may(action, resource, path):
        handler = SimpleNamespace(request=SimpleNamespace(path=path))
        return ReadOnlyNotebooks().is_authorized(handler, None, action, resource)

    page = "/user/me/api/contents/notebooks/04_waves.ipynb"
    assert not may("write", "contents", page)
    assert may("read", "contents", page)
    assert may("write", "contents", "/api/contents/my-own/04_waves.ipynb")
    assert may("execute", "kernels", "/api/kernels/1")
