"""The instructor's tables say what notebooks, answers and plan say."""

from instructor.answers import all_answers
from instructor.assignments import ROOT
from instructor.table import END, EXERCISES, PAGE, made, sections

ANSWERS = all_answers()
TEXT = PAGE.read_text(encoding="utf-8")
LINES = TEXT.split(EXERCISES)[1].split(END)[0].splitlines()
SAID = {
    line.split("`")[1]: line.split(" | ")[-1].removesuffix(" |") for line in LINES if "`" in line
}


def test_the_tables_are_up_to_date():
    """What a wrong answer is told is taken as it stands: the next test looks at that."""
    assert made(TEXT, SAID.get) == TEXT, "python -m instructor.table"


def test_each_exercise_says_what_its_first_known_wrong_answer_is_told():
    assert list(SAID) == list(ANSWERS)
    for name, answers in ANSWERS.items():
        assert next(iter(answers.wrong.values())) in SAID[name].replace(r"\|", "|"), name


def test_minutes_are_the_page_s_own_and_leave_time_to_read():
    main, bonus, stated = sections(ROOT / "notebooks" / "04_maml_on_sinusoids.ipynb")
    assert sum(each.minutes for each in main) == stated == 90
    assert [(each.title, each.minutes) for each in bonus] == [("How steep is the ground?", 15)]
    assert {each.title: each.exercises for each in main}["The idea of MAML"] == 25
    main, _, stated = sections(ROOT / "notebooks" / "07_learning_a_metric.ipynb")
    assert sum(each.minutes for each in main) > stated == 65
