"""What nbgrader does with a submission of this course beyond its own steps.

`make assignments` copies it and `reach.py` into the course's folder. It knows nbgrader alone.
"""

import os
import re
import tempfile
from pathlib import Path

from nbconvert.filters import strip_ansi
from nbformat.v4 import new_code_cell
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from reach import reach

POINTED_AT = re.compile(r"-+> *\d+ (.*)")
HIDDEN = re.compile(r"[^\n]*BEGIN HIDDEN TESTS.*?END HIDDEN TESTS[^\n]*\n?", re.DOTALL)
HIDDEN_REFUSES = "Right on the draws that you saw, not on others: does it hold for every input?"


class AddMissingAnswers(NbGraderPreprocessor):
    """An answer's cell that was deleted comes back empty: it costs its own points alone."""

    def preprocess(self, nb, resources):
        asked = resources["nbgrader"]
        with Gradebook(asked["db_url"]) as gradebook:
            source = gradebook.find_notebook(asked["notebook"], asked["assignment"])
            names = [cell.name for cell in source.solution_cells]
        there = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells}
        for name in names:
            if name not in there:
                cell = new_code_cell("# This cell was missing.")
                marks = {"grade_id": name, "grade": False, "locked": False, "solution": True}
                cell.metadata.nbgrader = {**marks, "task": False, "schema_version": 3}
                nb.cells.append(cell)
        return nb, resources


class SetAside(NbGraderPreprocessor):
    """Cells that reach for what no answer needs are not run; the learner is told which and why."""

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code" and not (utils.is_grade(cell) or utils.is_locked(cell)):
            found = reach(cell.source)
            if found:
                self.log.warning("a cell was not run, %s", found)
                words = f"This cell was not run, {found}. An answer has no use for that."
                cell.source = f"raise PermissionError({words!r})\n\n" + "\n".join(
                    f"# {line}" for line in cell.source.splitlines()
                )
        return cell, resources


class RunOneByOne(Execute):
    """nbgrader's own running of the cells, in a folder of records that is thrown away."""

    def preprocess(self, nb, resources, km=None):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["METALEARN_LITE_PROGRESS"] = str(Path(folder) / "progress.json")
            return super().preprocess(nb, resources, km)


class DropWarnings(NbGraderPreprocessor):
    """nbgrader gives no points for a test that printed to stderr. A warning is no mistake."""

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
        return cell, resources


class Redact(NbGraderPreprocessor):
    """Feedback shows what the visible test said, and of the hidden ones that they refused."""

    def preprocess_cell(self, cell, resources, cell_index):
        if utils.is_grade(cell) and cell.cell_type == "code":
            visible = HIDDEN.sub("", cell.source)
            # What an answer printed while it was tested would show the hidden cases.
            cell.outputs = [
                _told(output, visible) for output in cell.outputs if output.output_type == "error"
            ]
            cell.source = visible.rstrip()
        return cell, resources


def _told(output, visible: str):
    """An error without its traceback, and without its words if a hidden test raised it."""
    arrows = POINTED_AT.findall(strip_ansi("\n".join(output.traceback)))
    lines = {line.strip() for line in visible.splitlines()}
    if output.traceback and not (arrows and arrows[0].strip() in lines):
        output.ename, output.evalue = "AssertionError", HIDDEN_REFUSES
    output.traceback = [f"{output.ename}: {output.evalue}"]
    return output
