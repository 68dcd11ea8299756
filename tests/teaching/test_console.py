"""A console that lacks our marks gets them in ASCII, and never a traceback."""

import os
import subprocess
import sys

import pytest

from metalearn_lite.teaching.console import PLAIN, printable

PRINTS = """
from metalearn_lite.teaching import check, claim, hint
from metalearn_lite.teaching.exercises import Verdict
claim("α ≤ 2 × 0.5 − 1", True)
for status in ("right", "wrong", "not attempted"):
    print(Verdict(status, "as it is"))
for level in (1, 2, 3):
    hint("03.quadratic", level)
"""


def printed(encoding: str) -> list[str]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", PRINTS], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(encoding)
    return done.stdout.decode(encoding).splitlines()[:4]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "claimed"),
    [("cp1252", "[ok] ? <= 2 × 0.5 - 1"), ("ascii", "[ok] ? <= 2 ? 0.5 - 1")],
)
def test_marks_fall_back_to_ascii_where_the_encoding_has_none(encoding, claimed):
    verdicts = ["[ok] as it is", "[no] as it is", "[ ] as it is"]
    assert printed(encoding) == [claimed, *verdicts]


@pytest.mark.slow
def test_what_the_encoding_has_stays():
    marks = ["✔ as it is", "✗ as it is", "○ as it is"]
    assert printed("utf-8") == ["✔ α ≤ 2 × 0.5 − 1", *marks]


def test_without_an_encoding_nothing_changes(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    assert printable("✔ π") == "✔ π"
    assert all(plain.isascii() for plain in PLAIN.values())
