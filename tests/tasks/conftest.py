"""A small archive in Omniglot's layout, and a server that can be told to misbehave."""

import hashlib
import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image, ImageDraw

from metalearn_lite.tasks.characters.archives import SOURCES


def png(number: int, size: tuple[int, int] = (105, 105)) -> bytes:
    """A drawing like Omniglot's: 1 bit, a black stroke on white, another for each number."""
    image = Image.new("1", size, 1)
    ImageDraw.Draw(image).line([(20, 20), (20 + number % 70, 85)], fill=0, width=5)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def image_set(
    alphabets: dict[str, int] | None = None, num_drawers: int = 3, folder: str = "images"
) -> dict[str, bytes]:
    """The members of an image set."""
    members = {}
    for alphabet, size in (alphabets or {"Alpha": 3, "Beta": 4}).items():
        for character in range(1, size + 1):
            for drawer in range(1, num_drawers + 1):
                name = f"{folder}/{alphabet}/character{character:02d}/0001_{drawer:02d}.png"
                members[name] = png(20 * character + drawer)
    return members


def runs() -> dict[str, bytes]:
    """The members of a challenge in which item NN of every run is of class 21 - NN."""
    members = {}
    for run in [f"run{number:02d}" for number in range(1, 21)]:
        for n in range(1, 21):
            members[f"{run}/training/class{n:02d}.png"] = png(3 * n)
            members[f"{run}/test/item{n:02d}.png"] = png(3 * (21 - n))
        lines = [
            f"{run}/test/item{n:02d}.png {run}/training/class{21 - n:02d}.png" for n in range(1, 21)
        ]
        members[f"{run}/class_labels.txt"] = "\n".join(lines).encode()
    return members


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


class Server:
    """Serves `files` by path. `faults` are used up first, one per request."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: list[str] = []
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append(handler.path)
        fault = self.faults.pop(0) if self.faults else None
        body = self.files.get(handler.path.lstrip("/"))
        if fault == "500" or body is None:
            handler.send_error(500 if fault else 404)
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        try:
            if fault == "truncated":
                handler.wfile.write(body[: len(body) // 2])
            elif fault == "wrong":
                handler.wfile.write(body[::-1])
            elif fault == "silent":
                handler.connection.recv(1)  # until the client has given up
            elif fault == "dripping":
                while True:
                    handler.wfile.write(body[:1])
            else:
                handler.wfile.write(body)
        except OSError:
            pass  # the client has given up, as it should


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def no_folders(monkeypatch, tmp_path):
    """Neither data nor cache from outside the test: all usual folders lie below `tmp_path`."""
    monkeypatch.delenv("METALEARN_LITE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    monkeypatch.setattr("metalearn_lite.paths.data_folder", lambda: tmp_path / "data")
    return tmp_path


@pytest.fixture
def publish(monkeypatch, server):
    """publish("small1", members) puts an archive on the server, and its checksum in the table."""

    def publish(name: str, members: dict[str, bytes]) -> bytes:
        body = zipped(members)
        source = SOURCES[name]
        checksum = hashlib.new(source.algorithm, body).hexdigest()
        monkeypatch.setitem(SOURCES, name, source._replace(checksum=checksum))
        server.files[source.path] = body
        return body

    return publish


@pytest.fixture
def archives():
    """The makers of archive content, for tests, which cannot import this file."""
    import types

    return types.SimpleNamespace(png=png, image_set=image_set, runs=runs, zipped=zipped)
