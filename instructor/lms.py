"""Grades as CSV that Moodle and Canvas take: two exporters for `nbgrader export`.

    python -m nbgrader export --exporter=lms.Moodle --to=moodle.csv
    python -m nbgrader export --exporter=lms.Canvas --to=canvas.csv

`make assignments` copies this file into the course's folder; `make grades` runs both there.

Both have a row for each learner of the grade book and a column for each assignment. A grade is what
nbgrader gives, less the penalty for lateness, never below 0. Where nothing was handed in, and where
it was but is not graded to the end (the log names it), there is no grade, so that nobody is given
a 0 by mistake; with `--ForLMS.missing=0` the first are given one.

Moodle has an importer map columns by hand, one to a user field and each other to a grade item. The
names are those of its own grade export, and of the user fields that can be mapped (username,
idnumber, email address): https://docs.moodle.org/311/en/Grade_import, and
`grade/import/csv/classes/load_data.php` of github.com/moodle/moodle, where "-" is no grade. Choose
UTF-8 and comma there.

Canvas wants the columns of its own grade book export: Student, ID, SIS User ID, SIS Login ID,
Section, then assignments, and a row of "Points Possible" first: `lib/gradebook_importer.rb` of
github.com/instructure/canvas-lms, which finds a learner by ID, else by SIS User ID or SIS Login ID,
else by name, and takes an empty cell for no score.

In both, nbgrader's id of a learner is the login (Username, SIS Login ID), and `lms_user_id` of the
grade book, where it is given, is the system's own (ID number; in Canvas the number ID).
"""

import csv
import io
import os
import tempfile
from pathlib import Path

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin
from traitlets import Enum


class ForLMS(ExportPlugin):
    """What both have in common: who, what, how much."""

    file = "grades.csv"
    no_grade = ""
    missing = Enum(["none", "0"], "none", help="the grade of what was not handed in").tag(
        config=True
    )

    def export(self, gradebook):
        assignments = [each for each in gradebook.assignments if _asked(each.name, self.assignment)]
        students = [each for each in gradebook.students if _asked(each.id, self.student)]
        rows = self.rows(
            assignments,
            [(each, [self.grade(gradebook, it, each) for it in assignments]) for each in students],
        )
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        target = Path(self.to or self.file)
        _write_whole(target, text.getvalue().encode())
        self.log.info("%s: %d learners, %d assignments", target, len(students), len(assignments))

    def grade(self, gradebook, assignment, student):
        try:
            submission = gradebook.find_submission(assignment.name, student.id)
        except MissingEntry:
            return "0" if self.missing == "0" else self.no_grade
        if submission.needs_manual_grade:
            self.log.warning("%s of %s is not graded to the end", assignment.name, student.id)
            return self.no_grade
        score = submission.score - (submission.late_submission_penalty or 0)
        return _number(max(score, 0))

    def rows(self, assignments, graded):
        raise NotImplementedError


class Moodle(ForLMS):
    """For Moodle: Grades, Import, CSV file."""

    file = "moodle.csv"
    no_grade = "-"

    def rows(self, assignments, graded):
        who = ["First name", "Last name", "Username", "ID number", "Email address"]
        yield who + [each.name for each in assignments]
        for student, grades in graded:
            names = [student.first_name, student.last_name, student.id]
            yield [each or "" for each in (*names, student.lms_user_id, student.email)] + grades


class Canvas(ForLMS):
    """For Canvas: Gradebook, Import."""

    file = "canvas.csv"

    def rows(self, assignments, graded):
        who = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        yield who + [each.name for each in assignments]
        points = [_number(each.max_score) for each in assignments]
        yield ["    Points Possible", "", "", "", "", *points]
        for student, grades in graded:
            names = [each for each in (student.last_name, student.first_name) if each]
            yield [
                ", ".join(names) or student.id,
                student.lms_user_id or "",
                "",
                student.id,
                "",
                *grades,
            ]


def _asked(name, wanted):
    return not wanted or name in map(str, wanted)


def _number(value):
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _write_whole(target, content):
    handle, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.unfinished")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(unfinished).chmod(0o600)  # grades are nobody else's
        Path(unfinished).replace(target)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
