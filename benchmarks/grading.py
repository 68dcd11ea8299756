"""How long grading takes, and how much memory: thirty submissions of week 1, two at a time.

    python -m benchmarks.grading [number of submissions]

The answers are those of `instructor/answers/`: right in two styles, wrong, and none.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path
from subprocess import PIPE, Popen

import nbformat
import psutil

from instructor.answers import all_answers
from instructor.assignments import card
from instructor.plan import read_plan
from instructor.sources import answered, body_of

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-instructor" / "bin" / "python"
NUMBER = 30
SECONDS = 600


def hand_in(course: Path, assignment, number: int) -> None:
    """Learner ``number`` of ``course``: each kind of answer comes in turn."""
    release = course / "release" / assignment.name / f"{assignment.name}.ipynb"
    made = nbformat.read(release, as_version=4)
    answers = {cell.metadata.nbgrader.grade_id: cell for cell in made.cells}
    for graded in assignment.exercises:
        kinds, shown = all_answers()[graded.name], card(graded.name)
        kinds = [kinds.right[0], kinds.right[-1], *list(kinds.wrong)[:3], None]
        if answer := kinds[number % len(kinds)]:
            body = body_of(answer, shown.starter)
            answers[f"{graded.grade_id}_answer"].source = answered(shown.starter, body)
    folder = course / "submitted" / f"learner {number:02}" / assignment.name
    folder.mkdir(parents=True)
    nbformat.write(made, folder / release.name)


class Memory(threading.Thread):
    """The most that a process and all below it held at once, in MiB, and the largest of them."""

    def __init__(self, process: Popen):
        super().__init__(daemon=True)
        self.process, self.all, self.one = psutil.Process(process.pid), 0.0, 0.0

    def run(self):
        while self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE:
            held = [_held(each) for each in self.process.children(recursive=True)]
            self.all, self.one = max(self.all, sum(held)), max(self.one, *held, 0.0)
            time.sleep(0.5)


def _held(process: psutil.Process) -> float:
    try:
        return process.memory_info().rss / 2**20
    except psutil.Error:  # it has just ended
        return 0.0


def main(number: int = NUMBER) -> None:
    if not PYTHON.exists():
        print("skipped: there is no .venv-instructor; `make assignments` makes it")
        return
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder) / "course"
        built = Popen([PYTHON, "-m", "instructor.assignments", "--course", course], stdout=PIPE)
        built.communicate()
        if built.returncode:
            sys.exit("the course could not be built: see above")
        assignment = read_plan().assignments[0]
        for each in range(number):
            hand_in(course, assignment, each)
        begin = time.monotonic()
        command = [PYTHON, "-m", "instructor.grade", assignment.name, "--course", course]
        grading = Popen(command, stdout=PIPE, text=True)
        memory = Memory(grading)
        memory.start()
        said, _ = grading.communicate()
        seconds = time.monotonic() - begin
        memory.join()
    print(*said.splitlines()[number:], sep="\n")
    print(f"{number} submissions of {assignment.name}, two at a time: {seconds:.0f} s", end="")
    print(f" ({seconds / number:.1f} s each; {SECONDS} s for {NUMBER} is the target)")
    print(f"peak memory: {memory.all:.0f} MiB in all, {memory.one:.0f} MiB in the largest process")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
