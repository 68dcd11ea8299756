"""What is done is kept, drawn, forgotten on request, and never stands in the way."""

import os

import matplotlib.pyplot as plt
import pytest

from metalearn_lite.teaching import check, done, progress
from metalearn_lite.teaching.progress import PARTS, TITLES, there_is
from metalearn_lite.teaching.quiz_box import QuizBox
from metalearn_lite.teaching.quizzes import find


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A reader who has done nothing yet; figures are drawn and closed."""
    monkeypatch.setenv("METALEARN_LITE_PROGRESS", str(tmp_path / "kept"))
    monkeypatch.setattr(plt, "show", lambda: None)
    yield tmp_path / "kept" / "done"
    plt.close("all")


def texts():
    return [text.get_text() for text in plt.gca().texts]


def test_a_passed_check_is_kept_and_a_refused_one_is_not():
    check("00.square", lambda x: 2 * x)
    assert done.names() == set()
    check("00.square", lambda x: x * x)
    check("00.square", lambda x: x * x)
    assert done.names() == {"00.square"}


def test_a_right_answer_to_a_question_is_kept_and_a_wrong_one_is_not():
    question = find("04.1")
    box = QuizBox(question)
    box.choice.value = "ABC"[question.right - 1]
    assert done.names() == set()
    box.choice.value = "ABC"[question.right]
    assert done.names() == {"04.1"}


def test_the_map_shows_every_notebook_and_what_is_done(capsys):
    for name in there_is("00"):
        done.record(name)
    done.record("04.inner_step")
    progress()
    said = capsys.readouterr().out
    total = sum(len(there_is(notebook)) for notebook in TITLES)
    assert said.startswith(f"You have done 5 of {total} exercises and questions. Finished: 00.")
    assert f"Begun: 04 (1 of {len(there_is('04'))})." in said
    assert {f"{number} {title}" for number, title in TITLES.items()} <= set(texts())
    assert "4 of 4" in texts()
    widths = [patch.get_width() for patch in plt.gca().patches]
    assert len(widths) == len(TITLES) + 2  # a frame for each, and two that are filled


def test_every_notebook_has_one_place_on_the_map():
    assert sorted(number for numbers in PARTS.values() for number in numbers) == sorted(TITLES)


def test_what_is_no_longer_in_the_course_does_not_count(capsys):
    done.record("04.gone")
    progress()
    assert capsys.readouterr().out.startswith("You have done 0 of")


def test_it_can_be_reset(capsys):
    done.record("04.1")
    progress(reset=True)
    assert done.names() == set()
    assert "You have done 0 of" in capsys.readouterr().out


def test_where_nothing_can_be_kept_a_check_still_answers(place, capsys):
    place.parent.write_text("a file where the folder should be")
    assert check("00.square", lambda x: x * x).passed
    progress()
    assert "You have done 0 of" in capsys.readouterr().out


def test_without_the_variable_it_is_the_users_own_folder(monkeypatch):
    monkeypatch.delenv("METALEARN_LITE_PROGRESS")
    assert done.folder().parts[-2:] == ("metalearn_lite", "done")
    assert str(done.folder()).startswith(os.path.expanduser("~"))
