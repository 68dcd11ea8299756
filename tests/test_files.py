"""Files are old or new, always whole, and what a dead process left behind goes."""

import subprocess
import sys

import pytest

from metalearn_lite.files import write_together, write_whole

HOLDING = """
import sys
from pathlib import Path
from metalearn_lite.files import temporary_file
with temporary_file(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    print(temporary.name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held(tmp_path):
    """A process in the middle of writing ``tmp_path / "kept"``, and its temporary file's name."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path / "kept")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_living_process_keeps_its_temporary_file_and_a_dead_one_does_not(tmp_path, held):
    process, part = held
    write_whole(tmp_path / "kept", b"ours")
    assert names(tmp_path) == [part, "kept"]
    process.kill()
    process.wait()
    write_whole(tmp_path / "another", b"ours")
    assert names(tmp_path) == [part, "another", "kept"]
    write_whole(tmp_path / "kept", b"ours again")
    assert names(tmp_path) == ["another", "kept"]
    assert (tmp_path / "kept").read_bytes() == b"ours again"


def test_a_process_that_ends_leaves_nothing(tmp_path, held):
    process, _ = held
    process.communicate()
    assert names(tmp_path) == []


def test_names_are_no_patterns(tmp_path):
    (tmp_path / ".kept.1.part").write_bytes(b"of another file")
    write_whole(tmp_path / "k*", b"ours")
    assert names(tmp_path) == [".kept.1.part", "k*"]


def test_a_full_disk_changes_none_of_what_belongs_together(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    write_together({first: b"old", second: b"old"})
    write_bytes = type(first).write_bytes

    def fills_up(path, content):
        if path.name.startswith(".second"):
            raise OSError(28, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr("pathlib.Path.write_bytes", fills_up)
    with pytest.raises(OSError, match=rf"No space left on device: '{second}'"):
        write_together({first: b"new", second: b"new"})
    assert [path.read_bytes() for path in (first, second)] == [b"old", b"old"]
    assert names(tmp_path) == ["first", "second"]


def test_an_error_names_one_file(tmp_path):
    """And no "-> None", where Python thinks of a second."""
    (tmp_path / "here").mkdir()
    with pytest.raises(IsADirectoryError) as error:
        write_whole(tmp_path / "here", b"")
    assert str(error.value).endswith(f"'{tmp_path / 'here'}'")
