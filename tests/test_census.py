"""The census sorts what becomes of an input; a mistake in it would make any table look good."""

import importlib.util
import signal
from pathlib import Path

import pytest
import torch

from metalearn_lite import checks

PATH = Path(__file__).parents[1] / "tools" / "census.py"


@pytest.fixture
def census(monkeypatch):
    spec = importlib.util.spec_from_file_location("census", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SECONDS", 0.05)
    before = signal.signal(signal.SIGPROF, module._hang)
    yield module
    signal.signal(signal.SIGPROF, before)


def endless():
    while True:
        pass


def memory():
    raise MemoryError


def wrong():
    raise AssertionError("answered wrongly")


@pytest.mark.parametrize(
    ("case", "is_wrong", "expected"),
    [
        (lambda: checks.count(n=0), True, "clear"),
        (lambda: torch.zeros(-1), True, "raw"),
        (lambda: checks.count(2, "a", n=2), True, "raw"),  # Python's words, in a file of ours
        (lambda: 1, True, "silent"),
        (lambda: 1, False, "clear"),
        (wrong, False, "silent"),
        (endless, False, "hang"),
        (memory, False, "crash"),
    ],
)
def test_an_input_ends_in_one_of_five_ways(census, case, is_wrong, expected):
    assert census.outcome(case, is_wrong)[0] == expected


def test_the_table_counts_by_area(census):
    done = [("tasks", "a", "raw", ""), ("tasks", "b", "clear", ""), ("rl", "c", "clear", "")]
    head, *rows = (line.split() for line in census.table(done).splitlines())
    assert head == ["area", "inputs", *census.OUTCOMES]
    assert rows == [
        ["rl", "1", "1", "0", "0", "0", "0"],
        ["tasks", "2", "1", "1", "0", "0", "0"],
        ["all", "3", "2", "1", "0", "0", "0"],
    ]


@pytest.mark.slow
def test_every_area_is_tried(census):
    """Else a renamed room, or a good value that is refused, would leave the table in silence."""
    tried = {area for area, *_ in census.by_kind()}
    assert tried >= {"tasks", "images", "networks", "learners", "rl", "evaluation"}
