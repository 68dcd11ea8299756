"""Every notebook with right answers in place of its starters: they run all that follows."""

import itertools
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHECK = re.compile(r'^check\("([\w.]+)", (\w+)\)', re.MULTILINE)

# The last of each exercise's right answers: the one in another style than the package's.
ANSWER = """
from instructor.answers import all_answers
{function} = all_answers()["{name}"].right[-1]
"""


def with_answers(notebook):
    """The notebook's exercises, answered in place."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    names = []
    for starter, cell in itertools.pairwise(cells):
        for name, function in CHECK.findall(cell.source):
            starter.source += ANSWER.format(name=name, function=function)
            names.append(name)
    return names


def printed(cell):
    return "".join(output.get("text", "") for output in cell.get("outputs", []))


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS[1:], ids=lambda path: path.stem)
def test_the_readers_functions_run_the_notebook_and_every_claim_holds(path):
    notebook = nbformat.read(path, as_version=4)
    names = with_answers(notebook)
    client = NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute(env={**os.environ, "TQDM_DISABLE": "1", "PYTHONPATH": str(ROOT)})
    said = "".join(printed(cell) for cell in notebook.cells)
    for name in names:
        assert f"✔ {name}: your own function runs from here." in said
