"""Every fault ends in a clear message and leaves no partial file."""

import errno
import hashlib
import itertools
import os
import socket
import ssl
import subprocess
import sys

import pytest

from metalearn_lite.tasks import download as module
from metalearn_lite.tasks.download import DownloadError, download

BODY = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def fetch(server, tmp_path):
    server.files["file.zip"] = BODY

    def fetch(**options):
        options = {"timeout": 30, "pause": 0, **options}
        return download(
            server.url + "file.zip", tmp_path / "data" / "file.zip", "sha256", SHA256, **options
        )

    return fetch


def files(tmp_path):
    return [path.name for path in tmp_path.rglob("*") if path.is_file()]


def test_a_file_arrives_whole(fetch, tmp_path):
    assert fetch().read_bytes() == BODY
    assert files(tmp_path) == ["file.zip"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["500", "truncated", "silent", "wrong"])
def test_a_passing_fault_is_tried_again(fetch, server, tmp_path, fault):
    server.faults = [fault]
    # The second attempt is to be answered in this time too, also on a busy machine.
    options = {"timeout": 3} if fault == "silent" else {}
    assert fetch(**options).read_bytes() == BODY
    assert len(server.requests) == 2
    assert files(tmp_path) == ["file.zip"]


@pytest.mark.parametrize(
    ("fault", "attempts", "message"),
    [
        ("500", 3, "the server answered 500"),
        ("truncated", 3, "it broke off after 256,000 of 512,000 bytes"),
        ("silent", 3, "the server sent nothing for 0.1 s"),
        ("wrong", 2, "checksum is .*, expected " + SHA256),
    ],
)
def test_a_lasting_fault_is_told(fetch, server, tmp_path, fault, attempts, message):
    server.faults = [fault] * 9
    with pytest.raises(DownloadError, match=message):
        fetch(**({"timeout": 0.1} if fault == "silent" else {}))
    assert len(server.requests) == attempts
    assert files(tmp_path) == []


def test_a_missing_file_is_not_tried_again(fetch, server, tmp_path):
    server.files.clear()
    with pytest.raises(DownloadError, match=r"answered 404 .* put the file into .*data yourself"):
        fetch()
    assert len(server.requests) == 1
    assert files(tmp_path) == []


def test_a_refused_connection_is_told(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file.zip"
    with pytest.raises(DownloadError, match=r"no connection .*[Cc]onnection refused"):
        download(url, tmp_path / "file.zip", "sha256", SHA256, pause=0.01)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "fault", [OSError(errno.EHOSTUNREACH, "No route to host"), ssl.SSLEOFError(8, "EOF occurred")]
)
def test_a_fault_of_the_network_beneath_is_told(fetch, monkeypatch, tmp_path, fault):
    def read1(self, size):
        raise fault

    monkeypatch.setattr("http.client.HTTPResponse.read1", read1)
    with pytest.raises(DownloadError, match=rf"it broke off \({fault.strerror}"):
        fetch()
    assert files(tmp_path) == []


@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_another_process_has_open(fetch, monkeypatch, tmp_path, there):
    """Windows then refuses to replace it; if it is the file that was wanted, all is well."""
    target = tmp_path / "data" / "file.zip"

    def refuse(*_):
        if there:
            target.write_bytes(BODY)
        raise PermissionError(13, "in use")

    monkeypatch.setattr(os, "replace", refuse)
    if there:
        assert fetch() == target
    else:
        with pytest.raises(DownloadError, match="in use"):
            fetch()
    assert files(tmp_path) == ["file.zip"] * there


def test_a_dripping_server_is_left(fetch, server, monkeypatch, tmp_path):
    """Every look at the clock finds it a second later."""
    seconds = itertools.count()
    monkeypatch.setattr(module.time, "monotonic", lambda: next(seconds))
    server.faults = ["dripping"] * 9
    with pytest.raises(DownloadError, match=r"not complete after 2\.5 s"):
        fetch(total_timeout=2.5)
    assert len(server.requests) == 1
    assert files(tmp_path) == []


def test_an_interruption_leaves_nothing(fetch, monkeypatch, tmp_path):
    def interrupt(file, chunk, path):
        file.write(chunk)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch()
    assert files(tmp_path) == []


def test_what_a_killed_process_left_is_removed(fetch, tmp_path):
    left = tmp_path / "data" / ".file.zip.abc.part"
    left.parent.mkdir()
    left.write_bytes(b"half")
    fetch()
    assert files(tmp_path) == ["file.zip"]


@pytest.mark.slow
def test_two_processes_at_once(server, tmp_path):
    server.files["file.zip"] = BODY
    code = (
        "from pathlib import Path; from metalearn_lite.tasks.download import download; "
        f"download({server.url + 'file.zip'!r}, Path({str(tmp_path / 'file.zip')!r}), "
        f"'sha256', {SHA256!r})"
    )
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert (tmp_path / "file.zip").read_bytes() == BODY
    assert files(tmp_path) == ["file.zip"]


def test_a_folder_that_cannot_be_written_is_named(server, tmp_path):
    blocked = tmp_path / "a file where a folder should be"
    blocked.write_text("")
    with pytest.raises(DownloadError, match=r"Cannot write into .*METALEARN_LITE_DATA"):
        download(server.url, blocked / "data" / "file.zip", "sha256", SHA256)
    assert server.requests == []


def test_a_full_disk_is_told_and_leaves_nothing(fetch, monkeypatch, tmp_path):
    class Full:
        def write(self, chunk):
            raise OSError(28, "No space left on device")

    write = module._write
    monkeypatch.setattr(module, "_write", lambda file, chunk, path: write(Full(), chunk, path))
    with pytest.raises(DownloadError, match="No space left on device"):
        fetch()
    assert files(tmp_path) == []
