"""What a page asks of its reader: not too much, and that they do something with what they wrote."""

import ast
import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from cells import defined, needed, used

from tools.notebooks import main_path, num_words

PATHS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
NOTEBOOKS = {path.stem[:2]: nbformat.read(path, as_version=4).cells for path in PATHS}
WORKED = [number for number in NOTEBOOKS if number != "00"]  # 00 only shows how a check works


def code(number):
    return [cell.source for cell in NOTEBOOKS[number] if cell.cell_type == "code"]


def prose(number):
    return [cell.source for cell in NOTEBOOKS[number] if cell.cell_type == "markdown"]


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_the_main_path_is_at_most_3500_words_and_60_cells(number):
    path = main_path(NOTEBOOKS[number])
    assert num_words(path) <= 3500
    assert len(path) <= 60


def test_what_follows_a_bonus_section_is_on_the_main_path_again():
    sources = ["# Title", "## A", "text", "## Bonus · B", "### deeper", "text", "## Summary"]
    cells = [nbformat.v4.new_markdown_cell(source) for source in sources]
    assert [cell.source for cell in main_path(cells)] == ["# Title", "## A", "text", "## Summary"]
    assert num_words(main_path(cells)) == 7


@pytest.mark.parametrize("number", WORKED)
def test_what_the_reader_wrote_runs_what_follows(number):
    """After each check, ``f = yours("…", f, …)``; and ``f`` is called or handed on further down."""
    cells = code(number)
    checks = [
        (place, *match)
        for place, source in enumerate(cells)
        for match in re.findall(r'check\("([\w.]+)", (\w+)\)', source)
    ]
    assert 3 <= len(checks) <= 4
    for place, name, function in checks:
        assert f'{function} = yours("{name}", {function}, ' in cells[place + 1], name
        after = [ast.parse(source) for source in cells[place + 1 :]]
        used = [
            node
            for tree in after
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and node.id == function and isinstance(node.ctx, ast.Load)
        ]
        assert len(used) > 1, f"{name}: {function} drives nothing"  # one is the argument of `yours`


@pytest.mark.parametrize("number", WORKED)
def test_one_exercise_is_marked_as_the_hardest(number):
    cards = [text for text in prose(number) if re.search(r"^\| ●", text, re.MULTILINE)]
    assert any("| ●●● |" in card for card in cards)


def test_each_piece_of_source_is_shown_once_in_the_whole_course():
    shown = [
        piece
        for number in NOTEBOOKS
        for source in code(number)
        for piece in re.findall(r"getsource\(([\w.]+)\)", source)
    ]
    loops = re.findall(r"getsource\(([a-z]\w*)\)", " ".join(f"getsource({p})" for p in shown))
    assert {piece: n for piece, n in Counter(shown).items() if n > 1 and piece not in loops} == {}


def glossary():
    """The words of 00's table: English, and the notebook that explains it."""
    (table,) = [text for text in prose("00") if "| English | 中文 |" in text]
    rows = [
        line.strip("|").strip().split(" | ") for line in table.splitlines() if line.startswith("|")
    ]
    return {row[0]: row[3] for row in rows[2:]}


# Plain English or the course's daily bread, too: for these only the explanation is looked for.
COMMON = {"metric", "policy", "return", "task"}


def mentions(word, text):
    return re.search(rf"(?<![\w-]){re.escape(word)}(?:s|es)?(?![\w-])", text, re.IGNORECASE)


@pytest.mark.parametrize("word", glossary())
def test_a_word_of_the_glossary_is_explained_where_it_first_appears(word):
    """It is printed in bold there, and no notebook before says it."""
    home = glossary()[word]
    bold = [
        match for text in prose(home) for match in re.findall(r"\*\*(.+?)\*\*", text, re.DOTALL)
    ]
    assert any(mentions(word, text) for text in bold), f"not in bold in {home}"
    for number in WORKED:
        if number < home and word not in COMMON:
            said = [text for text in prose(number) if mentions(word, text)]
            assert said == [], f"{number} says {word!r} before {home} explains it"


def depends_on_bonus(cells):
    """Names that the main path uses and that only a Bonus section defines."""
    path = main_path(cells)
    known, found = set(), set()
    bonus = {
        name
        for cell in cells
        if cell.cell_type == "code" and not any(cell is other for other in path)
        for name in defined(cell.source)
    }
    for cell in path:
        if cell.cell_type == "code":
            known |= defined(cell.source)
            found |= (used(cell.source) & bonus) - known
    return found


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_nothing_outside_of_a_bonus_depends_on_it(number):
    assert depends_on_bonus(NOTEBOOKS[number]) == set()


def test_this_test_sees_a_dependence():
    text, script = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [script("x = 1"), text("## Bonus · B"), script("x, y = 2, 3"), text("## C")]
    assert depends_on_bonus([*cells, script("print(x)")]) == set()
    assert depends_on_bonus([*cells, script("print(x, y)")]) == {"y"}
    assert depends_on_bonus([*cells, script("def f(y):\n    return y")]) == set()
    assert depends_on_bonus([*cells, script("def f(z):\n    return [y for _ in z]")]) == {"y"}
    assert depends_on_bonus([*cells, script("for y in x:\n    print(y)")]) == set()


def test_which_cells_a_cell_needs():
    """The browser tests run no others."""
    sources = ["import a", "b, c = a, 1", "x = 2", "d = b(1)", "def f():\n    return c", "f()"]
    assert needed(sources, 5) == [0, 1, 4, 5]
    assert needed(sources, 3) == [0, 1, 3]
    assert needed(["x = 1", "x = 2", "x"], 2) == [1, 2]
    assert needed(["x = 1", "x += 1", "x"], 2) == [0, 1, 2]
    assert needed(["x = {}", "x[1] = 2", "y[1] = x", "x"], 3) == [0, 1, 3]
    assert needed(["x = 1", "for x in y:\n    z = x"], 1) == [1]
    assert needed(["x = 1", "for y in x:\n    z = x"], 1) == [0, 1]


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_the_main_path_asks_for_a_prediction_twice(number):
    text = "\n".join(cell.source for cell in main_path(NOTEBOOKS[number]))
    asked = re.findall(r"^(?:\*\*Predict|## Predict|### Predict)", text, re.MULTILINE)
    assert len(asked) >= (1 if number == "00" else 2)
