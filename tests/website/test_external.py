"""docs/external_links.md holds every link to a page of others, and says what is known of it."""

import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tools.site import external, links

needs_a_clone = pytest.mark.skipif(
    not (links.ROOT / ".git").exists(), reason="no clone: git says which files are documents"
)


@needs_a_clone
def test_the_list_is_complete_and_says_of_each_address_what_is_known():
    stored = external.LIST.read_text(encoding="utf-8")
    said = external.known(stored)
    assert external.listed(external.found(), said, "?") == stored, "python -m tools.site.external"
    assert len(said) > 50
    assert all(status.split()[-1].count("-") == 2 for status in said.values())


@pytest.fixture
def clone(tmp_path):
    """A clone of a notebook, two documents and a program."""
    cells = [
        {"cell_type": "markdown", "source": ["Read [it](https://a.org/x).\n", "<https://b.org>;"]},
        {"cell_type": "code", "source": ["open('https://code.org')"]},
    ]
    (tmp_path / "04_n.ipynb").write_text(json.dumps({"cells": cells}))
    ours = f"{links.SITE}a.html {links.binder()} {links.REPOSITORY}.git"
    nowhere = "http://127.0.0.1:8000 https://YOUR.HUB https://hub.example.org/x"
    (tmp_path / "a.md").write_text(f"[1](https://a.org/x) {ours} {nowhere} `https://c.org/d_e`")
    (tmp_path / "b.py").write_text("# https://code.org")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    return tmp_path


def test_what_is_found(clone):
    assert external.found(clone) == {
        "https://a.org/x": ["04_n", "a.md"],
        "https://b.org": ["04_n"],
        "https://c.org/d_e": ["a.md"],
    }


def test_what_is_known_stays_and_what_is_gone_goes():
    before = external.listed({"https://a": ["x"], "https://b": ["y"]}, {}, "2026-01-01")
    assert external.known(before) == dict.fromkeys(
        ("https://a", "https://b"), "not checked since 2026-01-01"
    )
    places = {"https://b": ["y", "z"], "https://c": ["x"]}
    after = external.listed(places, external.known(before), "2026-02-02")
    assert external.known(after) == {
        "https://b": "not checked since 2026-01-01",
        "https://c": "not checked since 2026-02-02",
    }
    assert "| <https://b> | y, z |" in after


@pytest.fixture
def server():
    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(int(self.path.strip("/")))
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as answering:
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{answering.server_port}"
        answering.shutdown()


def test_what_a_page_answers(server):
    assert [external.ask(f"{server}/{status}") for status in (200, 404)] == ["200", "404"]
    assert external.ask("http://127.0.0.1:1/") == "no answer (ConnectionRefusedError)"


def test_checking_writes_what_was_said_and_names_what_is_gone(server, tmp_path, monkeypatch):
    places = {f"{server}/200": ["a.md"], f"{server}/404": ["b.md"]}
    monkeypatch.setattr(external, "found", lambda: places)
    monkeypatch.setattr(external, "LIST", tmp_path / "list.md")
    monkeypatch.setattr(links, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["external", "--check"])
    with pytest.raises(SystemExit, match=r"/404: 404$"):
        external.main()
    said = external.known(Path(external.LIST).read_text())
    assert [status.split(" on ")[0] for status in said.values()] == ["200", "404"]
