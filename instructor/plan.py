"""What `assignments.toml` asks for, or a sentence that names line and remedy."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from instructor.answers import all_answers

TOML = Path(__file__).with_name("assignments.toml")
PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class BadPlan(Exception):
    """`assignments.toml` cannot be built; the message names line and remedy."""


@dataclass(frozen=True)
class Graded:
    """One exercise of an assignment."""

    name: str
    points: float

    @property
    def grade_id(self) -> str:
        return self.name.replace(".", "_")  # nbgrader takes no dots


@dataclass(frozen=True)
class Assignment:
    name: str
    title: str
    due: str
    exercises: tuple[Graded, ...]


@dataclass(frozen=True)
class Plan:
    """What `assignments.toml` says. ``course`` is nbgrader's course id."""

    course: str
    assignments: tuple[Assignment, ...]


def read_plan(path: Path = TOML) -> Plan:
    """The plan in ``path``.

    Raises:
        BadPlan: it cannot be read, or asks for what there is not; names line and remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except FileNotFoundError:
        raise BadPlan(f"{path.name} is missing: restore it, or name another with --plan") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPlan(f"{path.name} is no TOML: {error}") from None
    return _Reader(path.name, text).plan(table)


class _Reader:
    """Checks a table and knows on which line a value stands."""

    def __init__(self, file: str, text: str):
        self.file, self.lines = file, text.splitlines()
        self.exercises = all_answers()
        self.seen: dict[str, str] = {}

    def fail(self, value: object, words: str) -> BadPlan:
        marks = (f'"{value}"', f"= {value}", f"{value} =", str(value))
        found = (
            number
            for mark in marks
            for number, line in enumerate(self.lines, 1)
            if mark in line.split(" #")[0]
        )
        return BadPlan(f"{self.file}, line {next(found, 1)}: {words}")

    def plan(self, table: dict) -> Plan:
        self.known(table, {"course", "assignment"}, "the file")
        course = table.get("course")
        if not isinstance(course, dict):
            raise self.fail("course", 'there is no [course]: add it, with id = "…"')
        self.known(course, {"id"}, "[course]")
        name = self.plain(course, "id", "[course]")
        assignments = table.get("assignment")
        if not isinstance(assignments, list) or not assignments:
            raise self.fail("assignment", "there is no [[assignment]]: add one")
        made = tuple(self.assignment(each) for each in assignments)
        names = [each.name for each in made]
        for each in names:
            if names.count(each) > 1:
                raise self.fail(each, f"two assignments are called {each!r}: rename one")
        return Plan(name, made)

    def assignment(self, table: dict) -> Assignment:
        self.known(table, {"name", "title", "due", "exercises"}, "an [[assignment]]")
        name = self.plain(table, "name", "an [[assignment]]")
        title, due = (self.text(table, key, f"assignment {name!r}") for key in ("title", "due"))
        exercises = table.get("exercises")
        if not isinstance(exercises, list) or not exercises:
            raise self.fail(name, f"assignment {name!r} has no exercises: list one or more")
        return Assignment(name, title, due, tuple(self.graded(name, each) for each in exercises))

    def graded(self, assignment: str, table: object) -> Graded:
        if not isinstance(table, dict):
            raise self.fail(
                table, f'an exercise is {{ name = "04.inner_step", points = 2 }}, not {table!r}'
            )
        self.known(table, {"name", "points"}, "an exercise")
        name = self.text(table, "name", f"an exercise of {assignment!r}")
        if name not in self.exercises:
            near = [each for each in self.exercises if each[:2] == name[:2]] or sorted(
                {each[:2] for each in self.exercises}
            )
            raise self.fail(name, f"there is no exercise {name!r}; there are {', '.join(near)}")
        if name in self.seen:
            raise self.fail(name, f"{name!r} is in {self.seen[name]!r} already: set it once")
        self.seen[name] = assignment
        points = table.get("points")
        if isinstance(points, bool) or not isinstance(points, int | float) or not 0 < points < 1e3:
            raise self.fail(name, f"{name!r} needs points, a number above 0; got {points!r}")
        return Graded(name, points)

    def known(self, table: dict, keys: set[str], where: str) -> None:
        for key in table:
            if key not in keys:
                raise self.fail(key, f"{where} has no {key!r}; it has {', '.join(sorted(keys))}")

    def text(self, table: dict, key: str, where: str) -> str:
        value = table.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(value or key, f'{where} needs {key} = "…"; got {value!r}')
        return value

    def plain(self, table: dict, key: str, where: str) -> str:
        value = self.text(table, key, where)
        if not PLAIN_NAME.fullmatch(value):
            raise self.fail(
                value, f"{key} {value!r}: take letters, digits and dashes, a letter first"
            )
        return value
