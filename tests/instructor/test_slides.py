"""What of a notebook stands on which slide. tests/browser/test_slides.py shows a deck."""

from pathlib import Path

import nbformat
import pytest

from instructor.slides import CannotShow, blocks, condensed, fetch_parts, slides_of

MANY = "many words " * 30
PATHS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module", params=PATHS, ids=lambda path: path.stem)
def slides(request):
    return slides_of(nbformat.read(request.param, as_version=4))


def shown(slide):
    return "\n".join(cell.source for cell in slide.cells)


def test_a_deck_has_a_title_and_enough_slides_and_none_is_empty(slides):
    assert slides[0].heading.startswith("# ")
    assert 15 < len(slides) < 80
    assert all(slide.cells for slide in slides)


def test_what_is_no_lecture_is_left_out(slides):
    for slide in slides:
        assert "Bonus" not in slide.heading
        for word in ("claim(", 'check("', "yours(", "quiz("):
            assert not any(line.startswith(word) for line in shown(slide).splitlines())


def test_a_slide_is_short_and_a_guess_stands_before_its_answer(slides):
    for slide in slides:
        words = sum(len(c.source.split()) for c in slide.cells if c.cell_type == "markdown")
        assert words < 170 or slide.heading == "## Reading", slide.heading
        if "**Predict" in shown(slide):
            assert all(cell.cell_type == "markdown" for cell in slide.cells)


def test_what_is_cut_from_a_slide_is_in_its_notes():
    long = "One two three four five six. " + "And many more words that follow it here. " * 8
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(f"# A title\n\n{long}\n\n*In words: a line.*")]
    )
    (slide,) = slides_of(notebook)
    assert slide.notes == [long.strip(), "*In words: a line.*"]
    assert shown(slide).startswith("One two three four five six. And many")
    assert len(shown(slide).split()) < 50


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("| a | b |\n|---|---|", "| a | b |\n|---|---|"),
        ("$$x = 1. Y$$", "$$x = 1. Y$$"),
        ("- One.\n- Two\n  goes on.", "- One.\n- Two goes on."),
        (f"C. Finn wrote it in {MANY}. Next", f"C. Finn wrote it in {MANY}."),
        (f"Six words (of them. In all) end. {'W ' * 60}.", "Six words (of them. In all) end."),
    ],
)  # fmt: skip
def test_sentences_are_not_cut(block, words):
    assert " ".join(condensed(block).split()) == " ".join(words.split())


def test_a_list_is_a_block_and_so_is_a_heading():
    assert blocks("## A\nlead:\n- one\n\n- two\n\nend") == ["## A", "lead:", "- one\n- two", "end"]


def test_a_missing_npm_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotShow, match="npm is not installed: it brings"):
        fetch_parts(tmp_path / "parts")


def test_what_npm_says_is_told(tmp_path, monkeypatch):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(CannotShow, match=r"npm could not bring reveal\.js@(?s:.*)no network"):
        fetch_parts(tmp_path / "parts")
