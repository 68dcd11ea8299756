"""What the teaching guide says of the course, and its numbers, are so."""

import re
from pathlib import Path

import pytest
import torch

from instructor.answers import all_answers
from instructor.assignments import ROOT
from instructor.plan import read_plan
from instructor.table import PAGE, sections

GUIDE = ROOT / "instructor" / "TEACHING.md"
TEXT = GUIDE.read_text(encoding="utf-8")
WEEK = re.compile(r"^\| (\d) \| ([^|]+) \| ([\d, –]+) \|", re.MULTILINE)


def minutes(number: str) -> int:
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    return sum(each.minutes for each in sections(path)[0])


def test_the_weeks_minutes_are_those_of_their_notebooks():
    weeks = {int(week): (which, said) for week, which, said in WEEK.findall(TEXT)}
    assert list(weeks) == [1, 2, 3, 4, 5, 6]
    for week in (1, 2, 3, 4):
        which, said = weeks[week]
        assert sum(map(minutes, re.findall(r"\d\d", which))) == int(said), week
    assert weeks[5][1] == f"{minutes('09') + minutes('11')}, {minutes('10') + minutes('11')}"
    rest = [minutes("15") + minutes(each) for each in ("12", "13", "14")]
    assert weeks[6][1] == f"{min(rest)}–{max(rest)}"


def test_the_two_days_have_six_hours_each():
    table = TEXT.split("| day 1 |")[1].split("\n\n")[0]
    rows = [line.split("|") for line in table.splitlines() if "|---" not in line][1:]
    assert [sum(int(row[place]) for row in rows) for place in (2, 5)] == [360, 360]


def test_the_plan_names_assignments_that_there_are():
    named = set(re.findall(r"`(week\d)`", TEXT))
    assert named == {each.name for each in read_plan().assignments}


def test_questions_of_the_weeks_are_there():
    asked = {int(each) for each in re.findall(r"^\*\*(\d+)\. ", TEXT, re.MULTILINE)}
    assert asked == set(range(1, 18))
    lines = TEXT.splitlines()
    named = " ".join(line.split("questions")[-1] for line in lines if WEEK.match(line))
    assert {int(each) for each in re.findall(r"\b\d+\b", named.split("|")[0])} <= asked


def test_what_checks_say_is_what_they_say():
    table = TEXT.split("| where | they |")[1].split("\n\n")[0]
    told = [words for answers in all_answers().values() for words in answers.wrong.values()]
    told += PAGE.read_text(encoding="utf-8").splitlines()
    quoted = [each for line in table.splitlines() for each in re.findall('"([^"]+)"', line)]
    assert len(quoted) > 20
    for each in quoted:
        assert any(each in words for words in told), each


def test_exercises_and_files_that_it_names_are_there():
    for name in set(re.findall(r"`(\d\d\.\w+)`", TEXT)):
        assert name in all_answers()
    for link in re.findall(r"\]\(([\w./]+)\)", TEXT):
        assert (GUIDE.parent / link).exists(), link
    for path in re.findall(r"`((?:docs|data)/[\w./]+)`", TEXT):
        assert (Path(ROOT) / path).exists(), path


# --- the derivations -----------------------------------------------------------------------------


def double(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def bold(number: float, digits: int) -> str:
    return f"**{number:.{digits}f}**"


def test_two_steps_on_a_fourth_power():
    def meta_loss(theta):
        for _ in range(2):
            theta = theta - 0.1 * theta**3
        return theta**2 / 2

    true = torch.func.grad(meta_loss)(double(1.0)).item()
    assert true == pytest.approx(0.7 * 0.757 * 0.8271)
    assert bold(true, 4) in TEXT
    assert bold(0.49 * 0.8271, 4) in TEXT


def test_two_tasks_where_first_order_stops_elsewhere():
    def meta_loss(theta):
        ends = (1 - 0.5 * 0.2) * theta, (1 - 0.5 * 1.8) * theta
        return ((ends[0] - 1) ** 2 + (ends[1] + 1) ** 2) / 4

    best = double(0.8 / 0.82)
    assert torch.func.grad(meta_loss)(best).abs() < 1e-12
    assert bold(best.item(), 3) in TEXT
    assert bold(meta_loss(best).item(), 3) in TEXT
    assert meta_loss(double(0.0)) == 0.5


def test_the_bowls_closed_form(generator):
    draw = generator(0)
    inner_lr, inner_steps, dim, num_tasks = 0.3, 3, 4, 3

    def bowls():
        roots = torch.randn(num_tasks, dim, dim, generator=draw, dtype=torch.float64)
        return roots @ roots.mT / dim + 0.1 * torch.eye(dim)

    hessians, queries = bowls(), bowls()
    minima, goals, theta = (
        torch.randn(*shape, generator=draw, dtype=torch.float64)
        for shape in ((num_tasks, dim, 1), (num_tasks, dim, 1), (dim, 1))
    )

    def meta_loss(theta):
        adapted = theta.expand(num_tasks, dim, 1)
        for _ in range(inner_steps):
            adapted = adapted - inner_lr * hessians @ (adapted - minima)
        off = adapted - goals
        return (off.mT @ queries @ off).mean() / 2

    jacobians = torch.linalg.matrix_power(torch.eye(dim) - inner_lr * hessians, inner_steps)
    closed = (jacobians @ queries @ (minima - goals + jacobians @ (theta - minima))).mean(0)
    torch.testing.assert_close(torch.func.grad(meta_loss)(theta), closed)
    best = torch.linalg.solve(
        (jacobians @ queries @ jacobians).sum(0),
        (jacobians @ queries @ (goals - minima + jacobians @ minima)).sum(0),
    )
    assert torch.func.grad(meta_loss)(best).norm() < 1e-10
    field = (queries @ jacobians).mean(0)
    assert (field - field.T).norm() > 0.01  # first order follows no loss's gradient


def test_the_marks_add_up():
    found = re.findall(r"^### \w · [^\n]*\((\d+) points\)\n(.*?)(?=^### )", TEXT, re.M | re.S)
    assert len(found) == 4
    for said, part in found:
        assert sum(int(each) for each in re.findall(r"\(\*\*(\d+)\*\*\)", part)) == int(said)
    assert sum(int(said) for said, _ in found) == 40
