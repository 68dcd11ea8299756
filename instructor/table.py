"""Writes the tables of exercises and of minutes into `EXERCISES.md`.

    python -m instructor.table

They come from notebooks, answers and the plan; nothing stands in them that is not there.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nbformat

from instructor.answers import all_answers
from instructor.assignments import ROOT, card
from instructor.plan import Plan, read_plan
from metalearn_lite.files import write_whole
from metalearn_lite.teaching import check

PAGE = Path(__file__).with_name("EXERCISES.md")
EXERCISES, SECTIONS, END = "<!-- exercises -->\n", "<!-- sections -->\n", "<!-- end -->"
SUGGESTED = {"●○○": 2, "●●○": 3, "●●●": 4}
FACTS = re.compile(r"^\| *([●○]{3}) *\| *(\d+) minutes? *\|", re.MULTILINE)
MINUTES = re.compile(r"(\d+|three|five|ten|fifteen|twenty)\s+minutes", re.IGNORECASE)
WORDS = {"three": 3, "five": 5, "ten": 10, "fifteen": 15, "twenty": 20}
READING = 150  # words a minute, with cells run and looked at
HEADING = re.compile(r"^(?=## )", re.MULTILINE)
# These take no time of their own: the think question and the quiz are talked about.
ENDS = ("Summary", "What goes wrong in practice", "Reading", "Quiz", "Check yourself", "Think")


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


def exercises(plan: Plan, told: Callable[[str], str] = told) -> str:
    """The table of exercises, in Markdown, and a line below it that adds up."""
    rows = [row(name, plan, told) for name in all_answers()]
    head = Row("exercise", "title", "", "minutes", "points", "wrong", "a wrong answer is told")
    rule = Row("---", "---", "---", "--:", "--:", "--:", "---")
    lines = [f"| {' | '.join(each)} |" for each in (head, rule, *rows)]
    minutes, wrong = (sum(int(getattr(each, key)) for each in rows) for key in ("minutes", "wrong"))
    total = f"{len(rows)} exercises, {minutes / 60:.0f} hours, {wrong} known wrong answers."
    return "\n".join([*lines, "", total, ""])


# --- minutes -------------------------------------------------------------------------------------


class Section(NamedTuple):
    """A part of a notebook between two headings."""

    title: str
    minutes: int
    exercises: int
    """minutes of these"""


@functools.cache
def sections(path: Path) -> tuple[list[Section], list[Section], int]:
    """The main path's sections, the Bonus ones, and the minutes that the page states."""
    cells = nbformat.read(path, as_version=4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    opening, *parts = HEADING.split(text)
    stated = int(MINUTES.search(opening.split("**Time**")[1])[1])
    found = [(_title(part), part) for part in parts]
    main = [("The opening", opening), *(each for each in found if _is_taught(each[0]))]
    minutes = [sum(int(each) for _, each in FACTS.findall(part)) for _, part in main]
    words = [len(part.split()) for _, part in main]
    shares = _shared(max(stated - sum(minutes), round(sum(words) / READING)), words)
    taught = [
        Section(title, share + own, own)
        for (title, _), share, own in zip(main, shares, minutes, strict=True)
    ]
    bonus = [_bonus(title, part) for title, part in found if title.startswith("Bonus")]
    return taught, bonus, stated


def _title(part: str) -> str:
    return re.sub(r"^## (\d+\. )?", "", part.splitlines()[0])


def _is_taught(title: str) -> bool:
    return title not in ENDS and not title.startswith("Bonus")


def _bonus(title: str, part: str) -> Section:
    number = MINUTES.search(part)[1].lower()
    name = re.sub(r" \(\d+ minutes\)", "", title.removeprefix("Bonus · "))
    return Section(name, WORDS.get(number) or int(number), 0)


def _shared(total: int, weights: list[int]) -> list[int]:
    """Whole minutes in proportion to ``weights``; the largest rests get what is left."""
    exact = [total * weight / sum(weights) for weight in weights]
    whole = [int(each) for each in exact]
    rests = sorted(range(len(exact)), key=lambda place: whole[place] - exact[place])
    for place in rests[: total - sum(whole)]:
        whole[place] += 1
    return whole


def minutes() -> str:
    """The table of minutes, in Markdown, and a line below it that adds up."""
    lines = ["| | main path | minutes | stated | Bonus | minutes |", "|---|---|--:|--:|---|--:|"]
    totals = []
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        main, bonus, stated = sections(path)
        here, more = (sum(each.minutes for each in some) for some in (main, bonus))
        totals.append((here, stated, more))
        said, extra = ("; ".join(map(_said, some)) or "–" for some in (main, bonus))
        lines.append(
            f"| {path.stem[:2]} | {said} | **{here}** | {stated} | {extra} | {more or '–'} |"
        )
    here, stated, more = (sum(column) / 60 for column in zip(*totals, strict=True))
    total = f"Main paths: {here:.0f} hours ({stated:.0f} stated). Bonus sections: {more:.0f} hours."
    return "\n".join([*lines, "", total, ""])


def _said(section: Section) -> str:
    of_these = f" ({section.exercises})" if section.exercises else ""
    return f"{section.title.replace('|', '/')} {section.minutes}{of_these}"


# --- the page ------------------------------------------------------------------------------------


def between(page: str, begin: str, made: str) -> str:
    """``page`` with ``made`` between the mark ``begin`` and the next end."""
    before, rest = page.split(begin)
    _, after = rest.split(END, 1)
    return before + begin + made + END + after


def made(page: str, told: Callable[[str], str] = told) -> str:
    """``page`` with both tables as they should be."""
    page = between(page, EXERCISES, exercises(read_plan(), told))
    return between(page, SECTIONS, minutes())


def main() -> None:
    write_whole(PAGE, made(PAGE.read_text(encoding="utf-8")).encode())
    print(f"{PAGE.name} is up to date")


if __name__ == "__main__":
    main()
