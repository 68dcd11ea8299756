"""Builds an nbgrader course out of the notebooks and the answers.

`instructor/assignments.toml` says which exercises, for how many points. Prompt and starter of each
are read from `notebooks/`, its answer from `instructor/answers/`; neither stands anywhere else.
What comes out, in `build/course/`:

- `source/NAME/NAME.ipynb`: with answers, visible tests (`check`) and hidden ones (other draws);
- `release/NAME/NAME.ipynb`: nbgrader's version for learners, and all of them in `release.zip`;
- `nbgrader_config.py`, `course_parts.py`, `reach.py`: how submissions are graded;
- `lms.py`: grades for Moodle and Canvas;
- `gradebook.db`.
"""

from __future__ import annotations

import argparse
import ast
import functools
import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from instructor.answers import all_answers
from instructor.plan import TOML, Assignment, BadPlan, Graded, Plan, read_plan
from instructor.sources import TURN, answered, body_of
from metalearn_lite.teaching import grading

ROOT = Path(__file__).parents[1]
COURSE = ROOT / "build" / "course"
OWN = ("metalearn_lite.teaching", "metalearn_lite.widgets", "IPython")
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
CHECKED = re.compile(r'check\("([^"]+)", (\w+)\)')
ALWAYS = ("math", "numpy", "torch", "torch.nn", "scipy")  # and what else a card names
ZIP_TIME = (1980, 1, 1, 0, 0, 0)

RULES = """\
Write your answer in the cell below each card, helpers and all; you may add cells. The cell after it
runs the check that you know from the notebooks, and says what it found. When you hand in, the same
check runs again, and once more on draws that you have not seen.

An answer may use Python, torch, numpy, scipy, scikit-learn and `metalearn_lite` (not its
`teaching`). A cell that reaches for files, processes, the notebook's own commands or the insides
of a module is not run when your work is graded."""

VISIBLE = """\
from metalearn_lite.teaching import check

verdict = check("{name}", {function})
assert verdict.passed, verdict.message"""

# The checker is imported afresh, so nothing that a submission did to it counts; its digest is
# that of the version this course was built with.
HIDDEN = """\
### BEGIN HIDDEN TESTS
import hashlib, importlib, pathlib, sys

for module in [each for each in sys.modules if each.startswith("metalearn_lite.teaching")]:
    del sys.modules[module]
grading = importlib.import_module("metalearn_lite.teaching.grading")
digest = hashlib.sha256(pathlib.Path(grading.__file__).read_bytes()).hexdigest()
assert digest == "{digest}", "graded with another version of metalearn_lite"
grading.held_back("{name}", {function}, draws={draws})
### END HIDDEN TESTS"""


@dataclass(frozen=True)
class Card:
    """An exercise as its notebook shows it. ``imports`` are those that stand before it there."""

    prompt: str
    starter: str
    function: str
    imports: tuple[str, ...]


@functools.cache
def card(name: str) -> Card:
    """The card, starter and function name of exercise ``name``, from its notebook."""
    (path,) = (ROOT / "notebooks").glob(f"{name[:2]}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    for place, cell in enumerate(cells):
        found = CHECKED.match(cell.source) if cell.cell_type == "code" else None
        if found and found[1] == name:
            prompt, starter = cells[place - 2].source, cells[place - 1].source
            start = max(prompt.rfind("\n### Exercise"), 0)
            code = [each.source for each in cells[:place] if each.cell_type == "code"]
            prompt = re.sub(r"(?m)^### Exercise \d+ · ", "### ", prompt[start:].strip())
            imports = _imports(code, " ".join([*re.findall("`[^`]+`", prompt), starter]))
            return Card(prompt, starter, found[2], tuple(imports))
    raise LookupError(f"{path.name} has no check of {name}")


def _imports(sources: Iterable[str], named_in: str) -> Iterable[str]:
    """One line for each name that answers may need."""
    words = set(re.findall(r"\w+", named_in))
    for source in sources:
        for node in ast.parse(source).body:
            match node:
                case ast.Import(names=names):
                    for each in names:
                        if each.name in ALWAYS:
                            yield ast.unparse(ast.Import([each]))
                case ast.ImportFrom(module=module, names=names) if not module.startswith(OWN):
                    for each in names:
                        if module in ALWAYS or (each.asname or each.name) in words:
                            yield ast.unparse(ast.ImportFrom(module, [each], 0))


def notebook(plan: Plan, assignment: Assignment, with_answers: bool = True) -> NotebookNode:
    """The source version of an assignment: nbgrader makes all others from it."""
    cards = [card(each.name) for each in assignment.exercises]
    imports = dict.fromkeys(line for each in cards for line in each.imports)
    imports = dict.fromkeys(("import torch", *imports, "from metalearn_lite.teaching import hint"))
    points = sum(each.points for each in assignment.exercises)
    head = f"# {assignment.title}\n\nDue {assignment.due} · {points:g} points\n\n{RULES}"
    cells = [
        _locked(new_markdown_cell(head), "head"),
        _locked(new_code_cell("\n".join(imports)), "imports"),
    ]
    for graded, each in zip(assignment.exercises, cards, strict=True):
        answer = all_answers()[graded.name].right[0]
        body = body_of(answer, each.starter) if with_answers else TURN
        cells += _cells(plan, graded, each, body)
    made = new_notebook(cells=cells)
    made.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    for place, cell in enumerate(made.cells):
        cell["id"] = f"{assignment.name}-{place}"[-64:]  # drawn at random otherwise
    return made


def _cells(plan: Plan, graded: Graded, card: Card, body: str) -> list[NotebookNode]:
    where = f"*From notebook {graded.name[:2]}, {graded.points:g} points. What the card names and "
    where += "this page does not have is there: try your function out in that notebook.*"
    draws = zlib.crc32(f"{plan.course} {graded.name}".encode()) % 10**6 + 1
    digest = hashlib.sha256(Path(grading.__file__).read_bytes()).hexdigest()
    words = {"name": graded.name, "function": card.function, "draws": draws, "digest": digest}
    tests = f"{VISIBLE}\n{HIDDEN}".format(**words)
    return [
        _locked(new_markdown_cell(f"{card.prompt}\n\n{where}"), f"{graded.grade_id}_card"),
        _marked(
            new_code_cell(answered(card.starter, body, BEGIN, END)),
            f"{graded.grade_id}_answer",
            solution=True,
        ),
        _marked(
            new_code_cell(tests), graded.grade_id, grade=True, locked=True, points=graded.points
        ),
    ]


def _marked(cell: NotebookNode, grade_id: str, **marks: bool | float) -> NotebookNode:
    usual = {"grade": False, "locked": False, "solution": False, "task": False}
    cell.metadata.nbgrader = {"grade_id": grade_id, "schema_version": 3, **usual, **marks}
    return cell


def _locked(cell: NotebookNode, grade_id: str) -> NotebookNode:
    return _marked(cell, grade_id, locked=True)


# --- the course ------------------------------------------------------------------------------


def build(plan: Plan, course: Path = COURSE) -> Path:
    """Writes the course to ``course`` and lets nbgrader make the release. Returns the zip.

    An existing gradebook and what learners handed in stay.

    Raises:
        RuntimeError: nbgrader refused; holds its last words.
    """
    for folder in ("source", "release"):
        shutil.rmtree(course / folder, ignore_errors=True)
    write_sources(plan, course)
    for assignment in plan.assignments:
        nbgrader(course, "generate_assignment", assignment.name, "--force")
    return _zipped(course / "release", course / "release.zip")


def write_sources(plan: Plan, course: Path, with_answers: bool = True) -> None:
    """Writes what nbgrader makes the rest from into ``course``."""
    course.mkdir(parents=True, exist_ok=True)
    here = Path(__file__).parent
    for part in ("course_parts.py", "reach.py", "lms.py"):
        shutil.copy(here / part, course / part)
    config = (here / "nbgrader_config.py").read_text(encoding="utf-8")
    (course / "nbgrader_config.py").write_text(
        config.replace("COURSE_ID", plan.course), encoding="utf-8"
    )
    for assignment in plan.assignments:
        folder = course / "source" / assignment.name
        folder.mkdir(parents=True, exist_ok=True)
        made = notebook(plan, assignment, with_answers)
        nbformat.write(made, folder / f"{assignment.name}.ipynb")


def nbgrader(course: Path, *arguments: str) -> str:
    """Runs nbgrader in ``course`` and returns what it said.

    Raises:
        RuntimeError: nbgrader is not installed, or gave up.
    """
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    if "No module named nbgrader" in said:
        raise RuntimeError(
            "nbgrader is not installed here: run `make assignments`, which sees to it"
        )
    if done.returncode:
        raise RuntimeError(f"nbgrader {arguments[0]} gave up:\n{said[-3000:]}")
    return said


def _zipped(folder: Path, target: Path) -> Path:
    """The files of ``folder``, always the same bytes for the same files."""
    unfinished = target.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as made:
        for path in sorted(folder.rglob("*.ipynb")):
            info = zipfile.ZipInfo(str(path.relative_to(folder)), ZIP_TIME)
            info.external_attr = 0o644 << 16
            made.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)
    unfinished.replace(target)
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plan", type=Path, default=TOML, help="default: %(default)s")
    parser.add_argument("--course", type=Path, default=COURSE, help="default: build/course")
    options = parser.parse_args()
    try:
        plan = read_plan(options.plan)
        made = build(plan, options.course)
    except (BadPlan, RuntimeError) as error:
        sys.exit(str(error))
    for each in plan.assignments:
        points = sum(graded.points for graded in each.exercises)
        print(f"{each.name}: {len(each.exercises)} exercises, {points:g} points")
    print(f"To hand out: {made}")


if __name__ == "__main__":
    main()
