"""The house keeps its floors: imports go only down, and importing costs little."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "metalearn_lite"

# From the ground up. A module may import from its own floor and from those below.
FLOORS = (
    ("paths", "files", "figures", "episodes"),
    ("tasks",),
    ("differentiable_twice", "networks"),
    ("learners",),
    ("rl",),
    ("compiling",),
    ("training",),
    ("evaluation", "similarity"),
    ("challenge",),
    ("checkpoints",),
    ("recipes",),
    ("teaching",),
    ("widgets",),
    ("interop",),
    ("__main__",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent / "__init__.py" != path)


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


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.stem)
def test_imports_go_only_down(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        assert not imported_rooms(path)
        return
    for other in imported_rooms(path):
        assert FLOOR_OF[other] <= FLOOR_OF[room], f"{room} must not import {other}"


def test_this_test_sees_a_wrong_import(tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def f():\n    from metalearn_lite.widgets.picture import Picture\n")
    assert imported_rooms(wrong) == {"widgets"}
    assert FLOOR_OF["widgets"] > FLOOR_OF["learners"]


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
