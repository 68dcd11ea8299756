"""Grades what was handed in for an assignment, two learners at a time.

    python -m instructor.grade week1      only what is new; --again grades all anew
    python -m instructor.grade --export   the grade book for Moodle and Canvas (see lms.py)

Each submission is one run of `nbgrader autograde`, so that one that ends its process, or never
ends, costs nobody else anything. Who could not be graded is named at the end, with a reason.
The runs share one grade book: their writes are short, and SQLite lets one wait for the other.
"""

from __future__ import annotations

import argparse
import glob
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from instructor.assignments import COURSE

AT_ONCE = 2
LIMIT = 900.0  # seconds for one submission; a cell has nbgrader's 30
TRIES = 3  # where the grade book was locked for longer than SQLite waits
LMS = ("Moodle", "Canvas")
ERROR = re.compile(r"^[\w.]*(?:Error|Exception)\b.*", re.MULTILINE)


class CannotGrade(Exception):
    """There is nothing to grade; the message says why and what to do."""


@dataclass(frozen=True)
class Outcome:
    """What became of a learner's submission: ``why`` it is not graded, "" if it is."""

    learner: str
    why: str
    seconds: float


def learners(course: Path, assignment: str) -> list[str]:
    """Who has handed in ``assignment``.

    Raises:
        CannotGrade: there is no such course or assignment, or nobody has.
    """
    there = sorted(path.name for path in (course / "source").glob("*") if path.is_dir())
    if not there:
        raise CannotGrade(f"there is no course in {course}: run `make assignments` first")
    if assignment not in there:
        which = f"there is no assignment {assignment!r}" if assignment else "say which assignment"
        raise CannotGrade(f"{which}: make grade ASSIGNMENT=… ({', '.join(there)})")
    who = sorted(path.parent.name for path in (course / "submitted").glob(f"*/{assignment}"))
    if not who:
        place = course / "submitted" / "LEARNER" / assignment / f"{assignment}.ipynb"
        raise CannotGrade(
            f"nobody has handed in {assignment}: `nbgrader collect` or `nbgrader zip_collect` lays "
            f"submissions at {place}"
        )
    return who


def grade(
    course: Path, assignment: str, again: bool = False, at_once: int = AT_ONCE
) -> Iterator[Outcome]:
    """Grades all submissions of ``assignment``, and yields what became of each as it is known.

    Raises:
        CannotGrade: see `learners`.
    """
    running: set[subprocess.Popen] = set()
    pool = ThreadPoolExecutor(at_once)
    try:
        jobs = [
            pool.submit(_grade_one, course, assignment, learner, again, running)
            for learner in learners(course, assignment)
        ]
        for job in as_completed(jobs):
            yield job.result()
    finally:  # also where the reader of these outcomes stops, or is interrupted
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(running):
            _end(process)
        pool.shutdown()


def _grade_one(course, assignment, learner, again, running) -> Outcome:
    if glob.escape(learner) != learner:
        why = "nbgrader finds no folder with [, * or ? in its name: rename that in submitted/"
        return Outcome(learner, why, 0)
    begin = time.monotonic()
    command = ["autograde", assignment, f"--student={learner}"]
    for _ in range(TRIES):
        code, said = _nbgrader(course, [*command, *(["--force"] if again else [])], running)
        if code == 0 or "database is locked" not in said:
            break
    why = "" if code == 0 else reason(said, course / "submitted" / learner / assignment)
    return Outcome(learner, why, time.monotonic() - begin)


def _nbgrader(course, arguments, running) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=course, text=True,
        env={"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", **os.environ},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    running.add(process)
    try:
        said, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        _end(process)
        return 1, f"TimeoutError: after {LIMIT:.0f} s it was not done"
    finally:
        running.discard(process)
    return process.returncode, said


def _end(process: subprocess.Popen) -> None:
    """Lets nbgrader end its kernel, and does not wait for ever."""
    for call in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(call)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                continue


def reason(said: str, handed_in: Path) -> str:
    """One line on why nbgrader gave up on what lies in ``handed_in``; ``said`` are its words."""
    if "DeadKernelError" in said or "Kernel died" in said:
        return "the notebook's process ended while it ran: os._exit, a crash, or too little memory"
    if "No notebooks found" in said or "No notebooks were matched" in said:
        found = ", ".join(sorted(path.name for path in handed_in.glob("*"))) or "nothing"
        return f"there is no {handed_in.name}.ipynb: {found} was handed in"
    if "NotJSONError" in said or "does not appear to be JSON" in said:
        return f"{handed_in.name}.ipynb is no notebook: it cannot be read"
    if "No module named nbgrader" in said:
        return "nbgrader is not installed here: `make grade` sees to it"
    errors = [line for line in ERROR.findall(said) if "NbGraderException" not in line]
    last = errors or [line for line in said.splitlines() if line.strip()] or ["it gave no reason"]
    return last[-1].strip()[:200]


def export(course: Path) -> list[Path]:
    """Writes the grade book for each of ``LMS``; returns the files.

    Raises:
        CannotGrade: there is no grade book, or nbgrader gave up.
    """
    if not (course / "gradebook.db").exists():
        raise CannotGrade(f"there is no grade book in {course}: run `make assignments` first")
    made = [course / f"{name.lower()}.csv" for name in LMS]
    for name, path in zip(LMS, made, strict=True):
        arguments = ["export", f"--exporter=lms.{name}", f"--to={path.name}"]
        code, said = _nbgrader(course, arguments, set())
        if code:
            raise CannotGrade(f"nbgrader gave up: {said[-1000:]}")
        notes = (line for line in said.splitlines() if "is not graded to the end" in line)
        print("".join(f"{note.split('WARNING] ')[-1]}\n" for note in notes), end="")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assignment", nargs="?", default="")
    parser.add_argument("--course", type=Path, default=COURSE, help="default: build/course")
    parser.add_argument("--again", action="store_true", help="also what is graded already")
    parser.add_argument("--export", action="store_true", help="grade nothing, write CSV files")
    options = parser.parse_args()
    try:
        if options.export:
            for path in export(options.course):
                print(f"To upload: {path}")
            return
        begin, outcomes = time.monotonic(), []
        for outcome in grade(options.course.resolve(), options.assignment, options.again):
            outcomes.append(outcome)
            print(
                f"{outcome.learner}: {outcome.why or 'graded'} ({outcome.seconds:.0f} s)",
                flush=True,
            )
    except CannotGrade as error:
        sys.exit(f"Nothing was done: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped. What was graded stays; the same command does the rest.")
    failed = sorted((each for each in outcomes if each.why), key=lambda each: each.learner)
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} in {time.monotonic() - begin:.0f} s")
    if failed:
        print("Not graded:", *(f"  {each.learner}: {each.why}" for each in failed), sep="\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
