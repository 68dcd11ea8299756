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


def a_figure(source="plt.show()", *printed):
    """A cell that shows a picture and then prints."""
    cell = nbformat.v4.new_code_cell(source, execution_count=1)
    picture = nbformat.v4.new_output("display_data", data={"image/png": "iVBORw0KGgo="})
    lines = [nbformat.v4.new_output("stream", text=f"{line}\n") for line in printed]
    cell.outputs = [picture, *lines]
    return cell


def prose(text):
    return nbformat.v4.new_markdown_cell(text)


def alternatives(*cells):
    cleaned = notebooks.clean(nbformat.v4.new_notebook(cells=list(cells)))
    outputs = [output for cell in cleaned.cells for output in cell.get("outputs", [])]
    return [
        output.metadata.get("image/png", {}).get("alt")
        for output in outputs
        if output.output_type == "display_data"
    ]


CAPTION = "*In words: two lines. `adapt`'s\nruns **above** [the other](a.html).*\n\nMore."


def test_a_figures_text_alternative_is_its_caption_without_markup():
    said = "Two lines. adapt's runs above the other."
    claims = nbformat.v4.new_code_cell('claim("so it is", True)')
    assert alternatives(a_figure(), prose(CAPTION)) == [said]
    assert alternatives(a_figure(), claims, prose("Look."), prose(CAPTION)) == [said]
    assert alternatives(a_figure("", "a description"), prose(CAPTION)) == [said]


def test_without_a_caption_it_is_what_the_cell_prints_and_never_the_next_figures_caption():
    described = a_figure("", "After 0 steps:", "lost.", "✔ a claim")
    assert alternatives(described, a_figure(), prose("*In words: b.*")) == [
        "After 0 steps: lost.",
        "B.",
    ]
    assert alternatives(a_figure(), a_figure(), prose("*In words: b.*")) == [None, "B."]


def test_the_text_alternative_reaches_a_page_made_by_nbconvert():
    nbconvert = pytest.importorskip("nbconvert")
    figure = notebooks.clean(nbformat.v4.new_notebook(cells=[a_figure(), prose(CAPTION)]))
    # Its other template, "lab", and JupyterLab read no text alternative yet.
    page, _ = nbconvert.HTMLExporter(template_name="classic").from_notebook_node(figure)
    assert 'alt="Two lines. adapt\'s runs above the other."' in page


def test_nbconvert_makes_a_python_script_of_a_cleaned_notebook():
    nbconvert = pytest.importorskip("nbconvert")
    script, about = nbconvert.ScriptExporter().from_notebook_node(an_executed_notebook())
    assert about["output_extension"] == ".py"
    assert "\nprint(1)\n" in script


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


def damage_alternative(notebook):
    notebook.cells = [a_figure()]


def damage_bonus(notebook):
    bonus = prose("## Bonus · more\n\nTen minutes.\n\n### And here it begins")
    notebook.cells = notebooks.clean(nbformat.v4.new_notebook(cells=[bonus])).cells


DAMAGES = [
    damage_bonus,
    damage_alternative,
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


def collapsed(*cells):
    cleaned = notebooks.clean(nbformat.v4.new_notebook(cells=list(cells)))
    return [dict(cell.metadata) for cell in cleaned.cells]


@pytest.mark.parametrize(
    "source", ['claim("so", x)', "y = f(x)\nclaim(\n", "for x in y:\n    claim(x, y)"]
)
def test_claims_are_collapsed(source):
    assert collapsed(nbformat.v4.new_code_cell(source)) == [{"jupyter": {"source_hidden": True}}]


@pytest.mark.parametrize("source", ["claim", "# claim(", 'print("claim(")', "disclaim(x)", ""])
def test_what_claims_nothing_is_not_collapsed(source):
    cell = nbformat.v4.new_code_cell(source, metadata={"jupyter": {"source_hidden": True}})
    assert collapsed(cell) == [{}]


def test_a_bonus_is_collapsed_and_other_headings_are_not():
    sources = ["## Bonus · more", "## Bonuses", "### Bonus", "## The bonus", "Bonus"]
    hidden = {"jp-MarkdownHeadingCollapsed": True}
    assert collapsed(*map(prose, sources)) == [hidden, {}, {}, {}, {}]


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "display(x)",
        "    plt.show()",
        "f = yours('04.f', f, g)",
        "import torch",
        "from torch import nn",
        'check("04.f", f)',
    ],
)
def test_what_shows_something_may_not_hide_among_claims(source):
    cell = nbformat.v4.new_code_cell(f'{source}\nclaim("so", True)', execution_count=1)
    (said,) = [said for said in notebooks._cell_problems(cell) if "claims and shows" in said]
    assert "a cell of their own" in said
    alone = nbformat.v4.new_code_cell('claim("so", True)', execution_count=1)
    assert not any("claims and shows" in said for said in notebooks._cell_problems(alone))
