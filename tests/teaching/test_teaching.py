import json
from importlib import resources

import numpy as np
import pytest
import torch

from metalearn_lite.teaching import check, claim
from metalearn_lite.teaching.claims import ClaimFailed
from metalearn_lite.teaching.quizzes import find, quiz

FILES = resources.files("metalearn_lite.teaching").joinpath("questions").iterdir()
NAMES = sorted(name for file in FILES for name in json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("condition", [True, np.bool_(True), torch.tensor(True)])
def test_a_true_claim_prints(condition, capsys):
    claim("one is less than two", condition)
    assert capsys.readouterr().out == "✔ one is less than two\n"


@pytest.mark.parametrize("condition", [False, np.bool_(False), torch.tensor(False)])
def test_a_false_claim_stops_the_notebook(condition):
    with pytest.raises(ClaimFailed, match="two is less than one"):
        claim("two is less than one", condition)


@pytest.mark.parametrize("condition", [1, "yes", [True], None, 0.3, lambda: True])
def test_a_claim_that_cannot_fail_is_refused(condition):
    with pytest.raises(TypeError, match="true or false"):
        claim("anything", condition)


def test_check_survives_any_answer():
    def broken(*_):
        return undefined_name  # noqa: F821

    for answer in (broken, 3, None, lambda: None, lambda *_: "text", lambda *_: torch.zeros(1)):
        verdict = check("04.inner_step", answer)
        assert verdict.status in ("wrong", "not attempted")
    assert "NameError" in check("04.inner_step", broken).message
    assert "undefined_name" in check("04.inner_step", broken).message


def test_a_function_without_a_body_counts_as_not_attempted():
    verdict = check("04.interval", lambda scores: None)
    assert repr(verdict) == '○ Not attempted yet. For a hint: hint("04.interval", 1)'
    assert not verdict.passed


@pytest.mark.parametrize("name", NAMES)
def test_a_question_has_one_right_answer_and_a_reply_to_each(name):
    question = find(name)
    assert len(question.options) == 3
    replies = [question.answer(number) for number in range(len(question.options))]
    assert len(set(replies)) == len(replies)
    assert [reply.startswith("✔") for reply in replies].count(True) == 1
    assert replies[question.right].startswith("✔")


def lengths(question):
    return [len(answer) for answer, _ in question.options]


@pytest.mark.parametrize("name", NAMES)
def test_the_options_of_a_question_are_of_like_length_and_say_what_they_confuse(name):
    question = find(name)
    assert max(lengths(question)) <= 1.5 * min(lengths(question)), lengths(question)
    confused = [number for number in range(3) if "This confuses" in question.answer(number)]
    assert confused == [number for number in range(3) if number != question.right]


def test_neither_position_nor_length_gives_the_right_option_away():
    """Over all questions; a third of them at each place would be even."""
    questions = [find(name) for name in NAMES]
    share = len(questions) / 3
    for place in range(3):
        there = sum(question.right == place for question in questions)
        assert 0.75 * share <= there <= 1.25 * share, place
    longest = sum(
        question.right == lengths(question).index(max(lengths(question))) for question in questions
    )
    shortest = sum(
        question.right == lengths(question).index(min(lengths(question))) for question in questions
    )
    assert longest <= share
    assert shortest <= 1.25 * share


def test_no_notebook_has_its_right_options_all_at_one_place():
    places = {}
    for name in NAMES:
        places.setdefault(name.split(".")[0], set()).add(find(name).right)
    assert all(len(found) > 1 for found in places.values())


def test_the_options_stand_in_the_same_order_each_time():
    assert [find(name) for name in NAMES] == [find(name) for name in NAMES]


def test_every_quiz_has_three_questions():
    notebooks = [name.split(".")[0] for name in NAMES]
    assert all(notebooks.count(notebook) == 3 for notebook in notebooks)


def test_quiz_replies_to_a_choice(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *things: shown.extend(things))
    quiz("04.1")
    text, box = shown
    choice, reply = box.choice, box.reply
    assert "**A.**" in text.data
    assert reply.value == ""
    right = find("04.1").right
    choice.value = "ABC"[right]
    assert "✔ Right." in reply.value
    choice.value = "ABC"[right - 1]
    assert "✗ Not quite. This confuses" in reply.value


def test_an_unknown_question_lists_the_known():
    with pytest.raises(KeyError, match=r"04\.1"):
        find("04.9")
