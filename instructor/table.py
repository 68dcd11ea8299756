"""Writes the table of all exercises into `EXERCISES.md`, from notebooks, answers and the plan.

python -m instructor.table
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from instructor.answers import all_answers
from instructor.assignments import card
from instructor.plan import Plan, read_plan
from metalearn_lite.files import write_whole
from metalearn_lite.teaching import check

PAGE = Path(__file__).with_name("EXERCISES.md")
BEGIN, END = "<!-- made by python -m instructor.table -->\n", "<!-- end -->"
SUGGESTED = {"●○○": 2, "●●○": 3, "●●●": 4}
FACTS = re.compile(r"^\| *([●○]{3}) *\| *(\d+) minutes? *\|", re.MULTILINE)


class Row(NamedTuple):
    """One exercise, as the page shows it."""

    name: str
    title: str
    difficulty: str
    minutes: str
    points: str
    wrong: str
    told: str


def told(name: str) -> str:
    """What the check says to the first known wrong answer, as one line of a table."""
    words = check(name, next(iter(all_answers()[name].wrong))).message
    return " ".join(words.split()).replace("|", r"\|")


def row(name: str, plan: Plan, told: Callable[[str], str] = told) -> Row:
    prompt = card(name).prompt
    difficulty, minutes = FACTS.search(prompt).groups()
    first = prompt.splitlines()[0]
    title = first.removeprefix("### ") if first.startswith("### ") else "the first check"
    given = {
        graded.name: f"{graded.points:g} · {assignment.name}"
        for assignment in plan.assignments
        for graded in assignment.exercises
    }
    points = given.get(name, f"({SUGGESTED[difficulty]})")
    wrong = str(len(all_answers()[name].wrong))
    return Row(f"`{name}`", title, difficulty, minutes, points, wrong, told(name))


def table(plan: Plan, told: Callable[[str], str] = told) -> str:
    """The table, in Markdown, and a line below it that adds up."""
    rows = [row(name, plan, told) for name in all_answers()]
    head = Row("exercise", "title", "", "minutes", "points", "wrong", "a wrong answer is told")
    rule = Row("---", "---", "---", "--:", "--:", "--:", "---")
    lines = [f"| {' | '.join(each)} |" for each in (head, rule, *rows)]
    minutes, wrong = (
        sum(int(getattr(each, what)) for each in rows) for what in ("minutes", "wrong")
    )
    total = f"{len(rows)} exercises, {minutes / 60:.0f} hours, {wrong} known wrong answers."
    return "\n".join([*lines, "", total, ""])


def with_table(page: str, made: str) -> str:
    """``page`` with ``made`` between the two marks."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + made + END + rest.split(END)[1]


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    write_whole(PAGE, with_table(page, table(read_plan())).encode())
    print(f"{PAGE.name} is up to date")


if __name__ == "__main__":
    main()
