"""tools/setup.sh, with a Python that writes down what it is asked to do instead of doing it."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INDEX = "https://index.example/cpu"
TOOLS = ("cat", "cp", "dirname", "mkdir", "rm", "sed", "sh", "tail")

# Fails for a pip command that names $REFUSED beside an index.
PYTHON = """#!/bin/sh
case "$1 $2" in
"-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
"-m pip")
    echo "$*" >>"$COMMANDS"
    case "$*" in *--index-url*" $REFUSED=="*) exit 1 ;; esac ;;
esac
"""


@pytest.fixture
def set_up(tmp_path):
    """set_up(refused) runs the script in a copy, as on Linux without an NVIDIA card."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    for path in ROOT.glob("requirements*.txt"):
        shutil.copy(path, tmp_path)
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, text in (("python", PYTHON), ("uname", "#!/bin/sh\necho Linux\n")):
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    for name in TOOLS:
        if (found := shutil.which(name)) is None:
            pytest.skip(f"no {name} here")
        (commands / name).symlink_to(found)

    def run(refused="nothing", index=INDEX):
        environment = {
            "PATH": str(commands),
            "PYTHON": str(commands / "python"),
            "TORCH_INDEX": index,
            "REFUSED": refused,
            "COMMANDS": str(tmp_path / "asked"),
        }
        subprocess.run(["sh", "tools/setup.sh"], cwd=tmp_path, env=environment, check=True)
        return [line for line in (tmp_path / "asked").read_text().splitlines() if "install" in line]

    return run


def from_index(asked):
    return [line.split()[-1].split("==")[0] for line in asked if f"--index-url {INDEX}" in line]


def named(asked, file):
    return [place for place, line in enumerate(asked) if line.endswith(f"-r {file}")]


def test_torchvision_comes_from_the_index_that_torch_comes_from(set_up):
    asked = set_up()
    assert from_index(asked) == ["torch", "torchvision"]
    pins = {line.split()[-1] for line in asked if INDEX in line}
    for file in ("requirements.txt", "requirements-learn2learn.txt"):
        assert pins & {line.split("  #")[0] for line in (ROOT / file).read_text().splitlines()}
        assert named(asked, file) > [1], "what the index gave is there before"


@pytest.mark.parametrize(
    ("refused", "index", "asked_for"),
    [("torch", INDEX, ["torch"]), ("torchvision", INDEX, ["torch", "torchvision"]), ("", "", [])],
)
def test_without_the_index_the_set_up_goes_on_with_pypi(set_up, refused, index, asked_for):
    asked = set_up(refused, index)
    assert from_index(asked) == asked_for
    assert named(asked, "requirements.txt")
    assert named(asked, "requirements-learn2learn.txt")
