"""The house keeps its floors: imports go only down and cost little; no test reads a clock."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "metalearn_lite"

# From the ground up. A module may import from its own floor and from those below. A room is a file
# or a folder of the package; a floor may name one that is not built yet.
FLOORS = (
    ("torchvision_import", "paths", "files", "figures", "episodes"),
    ("checks",),
    ("images",),
    ("layers",),
    ("fast",),
    ("networks",),
    ("tasks",),
    ("learners",),
    ("rl",),
    ("training", "resuming", "devices", "curves", "distributed"),
    ("evaluation", "similarity"),
    ("challenge",),
    ("checkpoints",),
    ("recipes",),
    ("clinic",),
    ("teaching",),
    ("widgets",),
    ("interop",),
    ("__main__",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "metalearn_lite":
            names = [f"metalearn_lite.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write the whole name of what you import"
            names = [node.module]
        rooms |= {name.split(".")[1] for name in names if name.startswith("metalearn_lite.")}
    return rooms


def test_contributing_tells_the_floors_as_they_are():
    text = (TESTS.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"`__main__` → [^.]*", text)
    built = {path.name.removesuffix(".py") for path in PACKAGE.iterdir()}
    floors = [built & set(rooms) for rooms in reversed(FLOORS)]
    assert [set(re.findall(r"`(\w+)`", floor)) for floor in told.split("→")] == floors


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.stem)
def test_imports_go_only_down(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        assert imported_rooms(path) == {"torchvision_import"}
        return
    assert room in FLOOR_OF, f"give {room} its place in FLOORS"
    for other in imported_rooms(path):
        assert FLOOR_OF[other] <= FLOOR_OF[room], f"{room} must not import {other}"


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("checks", "from metalearn_lite.images import turn"),
        ("episodes", "from metalearn_lite import checks"),
        ("images", "from metalearn_lite.tasks import characters"),
        ("fast", "from metalearn_lite.learners.maml import MAML"),
        ("networks", "from metalearn_lite.tasks.sinusoids import Sinusoids"),
        ("tasks/characters", "import metalearn_lite.learners.pixels"),
        ("learners", "def f():\n    from metalearn_lite.widgets.kit import Live"),
        ("rl", "from metalearn_lite.training import meta_train"),
        ("training", "from metalearn_lite import evaluation, files"),
        ("evaluation", "from metalearn_lite import checkpoints"),
        ("checkpoints", "from metalearn_lite import recipes"),
        ("recipes", "from metalearn_lite import clinic"),
        ("clinic", "from metalearn_lite.teaching.claims import claim"),
        ("teaching", "from metalearn_lite.widgets import live_check"),
        ("widgets", "from metalearn_lite import interop"),
        ("interop", "from metalearn_lite import __main__"),
        ("a_room_without_a_place", ""),
    ],
)
def test_this_test_sees_a_wrong_import(room, line, tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    wrong = tmp_path / room / "wrong.py"
    wrong.parent.mkdir(parents=True)
    wrong.write_text(line)
    with pytest.raises(AssertionError, match=r"must not import|its place in FLOORS"):
        test_imports_go_only_down(wrong)


CLOCK = {"monotonic", "perf_counter", "process_time", "sleep", "thread_time"}


def clocks_read(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & CLOCK


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda p: p.stem)
def test_no_test_judges_or_waits_by_the_clock(path):
    """Speed is judged in benchmarks/. A browser has to be asked again and again."""
    if path != TESTS / "browser" / "conftest.py":
        assert not clocks_read(path), "wait for what is to happen, or make it a benchmark"


def test_a_look_at_the_clock_is_seen():
    assert clocks_read(TESTS / "browser" / "conftest.py") == {"monotonic", "sleep"}


def test_importing_brings_nothing_heavy():
    """What costs tenths of a second is imported where it is used: see benchmarks/ for the time."""
    everyday = "episodes networks learners.maml training evaluation checkpoints tasks.characters"
    lines = [f"import metalearn_lite.{name}" for name in (*everyday.split(), "teaching")]
    heavy = (
        "matplotlib IPython ipywidgets PIL tqdm gymnasium optuna torch._dynamo "
        "torch.fx.experimental.proxy_tensor"
    )
    code = "\n".join(
        [
            "import sys, torch",
            "before = set(sys.modules)",
            *lines,
            f"print([m for m in {heavy.split()} if m in sys.modules and m not in before])",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
