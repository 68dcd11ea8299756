"""The instructor's table of exercises says what notebooks, answers and plan say."""

from instructor.answers import all_answers
from instructor.plan import read_plan
from instructor.table import BEGIN, END, PAGE, table, with_table

ANSWERS = all_answers()
LINES = PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].splitlines()
SAID = {
    line.split("`")[1]: line.split(" | ")[-1].removesuffix(" |") for line in LINES if "`" in line
}


def test_the_table_is_up_to_date():
    """What a wrong answer is told is taken as it stands: the next test looks at that."""
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page, table(read_plan(), SAID.get)) == page, "python -m instructor.table"


def test_each_exercise_says_what_its_first_known_wrong_answer_is_told():
    assert list(SAID) == list(ANSWERS)
    for name, answers in ANSWERS.items():
        assert next(iter(answers.wrong.values())) in SAID[name].replace(r"\|", "|"), name
