"""A stored notebook as a page: what it keeps, what gives way, what unfolds."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from metalearn_lite.teaching import exercises, quizzes
from tools.site import course, documents, glossary, links, pages
from tools.site.glossary import Word

STEM = "04_maml_on_sinusoids"
NOTEBOOKS = links.ROOT / "notebooks"
PICTURE = {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}


def image(alternative="A line that falls."):
    return new_output("display_data", PICTURE, metadata={"image/png": {"alt": alternative}})


def made(*cells, words=(), markup=lambda stem, source: None):
    notebook = new_notebook(cells=[new_markdown_cell("# Title\n\nFirst."), *cells])
    return pages.page(notebook, STEM, list(words), markup).cells[1:]


def test_the_page_begins_with_how_to_run_it():
    first = pages.page(new_notebook(cells=[new_markdown_cell("# Title\n\nFirst.")]), STEM, [], None)
    text = first.cells[0].source
    assert text.index("# Title") < text.index(links.binder(STEM)) < text.index("First.")
    assert links.colab(STEM) in text
    assert "make lab" in text


def test_the_stored_notebook_stays_as_it_is():
    cell = new_code_cell('quiz("04.1")')
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), cell])
    pages.page(notebook, STEM, [], lambda stem, source: None)
    assert notebook.cells[1].source == 'quiz("04.1")'


def test_a_figure_stands_in_the_place_of_a_widget_and_its_filmstrip_unfolds():
    widget = new_code_cell("explorer", outputs=[new_output("display_data", {"text/plain": "E()"})])
    strip = new_code_cell("display(explorer.filmstrip())", outputs=[image()])
    other = new_code_cell("plt.show()", outputs=[image()])
    there, still, plain = made(
        widget,
        strip,
        other,
        markup=lambda stem, source: "<b>F</b>" if source == "explorer" else None,
    )
    assert [output.data for output in there.outputs] == [{"text/html": "<b>F</b>"}]
    assert still.metadata.tags == ["ml-still"]
    assert "tags" not in plain.metadata
    assert plain.metadata.mystnb["image"]["alt"] == "A line that falls."


def test_without_a_figure_the_filmstrip_is_in_sight():
    widget = new_code_cell("explorer", outputs=[new_output("display_data", {"text/plain": "E()"})])
    strip = new_code_cell("display(explorer.filmstrip())", outputs=[image()])
    assert "tags" not in made(widget, strip)[1].metadata


def test_claims_unfold():
    told = new_output("stream", name="stdout", text="✔ one\n✔ two\n")
    (cell,) = made(new_code_cell('claim("one", True)\nclaim("two", True)', outputs=[told]))
    assert cell.metadata.tags == ["ml-claims"]


def test_each_option_of_a_question_unfolds_its_reply():
    (cell,) = made(new_code_cell('quiz("04.1")'))
    question = quizzes.find("04.1")
    for number, (text, _) in enumerate(question.options):
        assert cell.source.index(text) < cell.source.index(question.answer(number))


def test_each_hint_is_inside_the_one_before():
    check, hints = made(new_code_cell('check("04.inner_step", inner_step)'))
    assert check.outputs == []
    told = exercises.find("04.inner_step").hints
    places = [hints.source.index(hint) for hint in told]
    assert places == sorted(places)
    marks = [line.split("{")[0] for line in hints.source.splitlines() if "{fold}" in line]
    assert [len(mark) for mark in marks] == sorted({len(mark) for mark in marks}, reverse=True)


def test_a_caption_stands_apart():
    (cell,) = made(new_markdown_cell("*In words: a line\nthat falls.*\n\n**Explain.** It learned."))
    caption, _, rest = cell.source.partition("**Explain.**")
    assert caption.startswith(":::{container} ml-caption")
    assert caption.rstrip().endswith(":::")
    assert rest


def test_a_bonus_is_marked_where_it_folds():
    heading, mark, body = made(
        new_markdown_cell("## Bonus · More\n\nIn short."), new_code_cell("1")
    )
    assert heading.source.startswith("## Bonus")
    assert mark.source == pages.BONUS_MARK
    assert body.source == "1"


def test_source_that_is_shown_has_the_colours_of_the_page():
    shown = {
        "text/html": '<style>pre {}</style><div class="highlight">def f(): pass</div>',
        "text/latex": "…",
        "text/plain": "def f(): pass",
    }
    (cell,) = made(new_code_cell("display(Code(…))", outputs=[new_output("display_data", shown)]))
    assert cell.outputs[0].data["text/markdown"] == "```python\ndef f(): pass\n```"


def test_a_word_leads_to_the_glossary_where_it_is_explained():
    word = Word("task", "任务", "something to learn", STEM)
    elsewhere = Word("query", "查询集", "judged on", "00_start_here")
    cell = new_markdown_cell("A **small task** or a **task**, and a **query**.")
    (cell,) = made(cell, words=[word, elsewhere])
    link = '<a class="ml-word" id="word-task" href="glossary.html#task">'
    assert cell.source == f"A **small task** or a {link}**task**</a>, and a **query**."


def test_every_word_of_the_glossary_has_its_place():
    words = glossary.words(NOTEBOOKS)
    assert len({word.anchor for word in words}) == len(words)
    for path in NOTEBOOKS.glob("[0-9]*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        glossary.link_words(cells, path.stem, words)
        text = "\n".join(cell.source for cell in cells)
        for word in words:
            assert text.count(f'id="word-{word.anchor}"') == (word.stem == path.stem), word


def test_the_map_is_the_one_of_the_first_notebook():
    found = course.notebooks(NOTEBOOKS)
    assert [each.number for each in found] == [f"{number:02}" for number in range(18)]
    assert {each.part for each in found} == set(course.TITLES)
    there = {path.stem for path in NOTEBOOKS.glob("[0-9]*.ipynb")}
    assert {each.stem for each in found} - {""} == there
    assert all(each.stem in course.toctrees(found) for each in found if each.stem)


def test_links_of_a_document_lead_to_pages_or_to_the_source():
    text = "[a](../notebooks/04_maml_on_sinusoids.ipynb) [b](running.md#x) [c](../data/README.md)"
    assert documents.with_links(text, "docs/measured.md") == (
        f"[a](04_maml_on_sinusoids.ipynb) [b](running.md#x) [c]({links.source('data/README.md')})"
    )


def test_the_table_of_exercises_does_not_tell_answers():
    row = "| `04.a` | A title | ●○○ | 10 | 2 · week2 | 11 | Subtract the gradient. |"
    assert (
        documents.without_last_column(row) == "| `04.a` | A title | ●○○ | 10 | 2 · week2 | 11 |\n"
    )
    if (links.ROOT / "instructor").exists():
        pages_ = documents.pages()
        assert "Subtract" not in str(pages_.values())
