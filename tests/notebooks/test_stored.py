"""What is stored is what a reader should find. (nbval passes a notebook without outputs.)"""

from pathlib import Path

import nbformat
import pytest

from tools import notebooks

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_notebook_has_no_problem(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebooks.problems(notebook) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_its_parts(path):
    notebook = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    number = path.stem[:2]
    assert text.startswith(f"# {number} ·")
    assert text.split("\n")[0].endswith("?")
    for part in ("**Time**", "**Know first**", "Predict", "**Explain.**", "Summary", "Reading"):
        assert part in text, f"{path.stem} has no {part}"
    assert "goes wrong in practice" in text
    assert code.count("claim(") >= 3
    assert code.count("filmstrip(") >= 1
    for question in (1, 2, 3):
        assert f'quiz("{number}.{question}")' in code


def test_the_finished_notebooks_are_all_there():
    assert {"00", "04", "07"} <= {path.stem[:2] for path in NOTEBOOKS}


def an_executed_notebook():
    cell = nbformat.v4.new_code_cell("print(1)", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", text="1\n")]
    return notebooks.clean(nbformat.v4.new_notebook(cells=[cell]))


def damage_outputs(notebook):
    notebook.cells[0].outputs = []


def damage_count(notebook):
    notebook.cells[0].execution_count = 3


def damage_path(notebook):
    notebook.cells[0].outputs[0].text = "saved in /home/me/course\n"


def damage_error(notebook):
    notebook.cells[0].outputs = [nbformat.v4.new_output("error", ename="E", evalue="e")]


def damage_stderr(notebook):
    notebook.cells[0].outputs[0].name = "stderr"


def damage_metadata(notebook):
    notebook.metadata["widgets"] = {}


def damage_bar(notebook):
    notebook.cells[0].outputs[0].text = " 52%|█████     | 52/100 [00:01<00:01, 50.1it/s]\n"


DAMAGES = [
    damage_outputs,
    damage_count,
    damage_path,
    damage_error,
    damage_stderr,
    damage_metadata,
    damage_bar,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_the_check_sees_each_kind_of_damage(damage):
    notebook = an_executed_notebook()
    assert notebooks.problems(notebook) == []
    damage(notebook)
    assert notebooks.problems(notebook) != []
