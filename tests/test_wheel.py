"""The package as `pip install .` leaves it: a wheel, unpacked with nothing beside it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "LICENSE-text")
FOLDERS = ("metalearn_lite", "data")

USED_ELSEWHERE = """
from pathlib import Path
import metalearn_lite
from metalearn_lite import checkpoints, paths
from metalearn_lite.recipes import race

installed = Path(metalearn_lite.__file__).parent
names = [card.stem for card in (installed / "shipped" / "checkpoints").glob("*.json")]
for name in names:
    learner = checkpoints.load(name)
for name in ("race", "tricks"):
    assert "MAML" in str(race.load(name))

card = checkpoints.save(learner, name := names[-1], {"data": "my own"})
assert card.is_relative_to(paths.user_folder()) and checkpoints.load(name)
assert checkpoints.read_card(name)["data"] == "my own"
assert paths.cache_folder().is_relative_to(paths.user_folder())
try:
    checkpoints.load("missing")
except FileNotFoundError as error:
    assert names[0] in str(error)
print(installed.parent, len(names))
"""


def files_in(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)) for p in paths if "__pycache__" not in p.parts}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """A folder with what the wheel holds, built from a copy with downloads in its data folder."""
    pytest.importorskip("setuptools", minversion="77", reason="no setuptools to build a wheel with")
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("*.zip", "cache"))
    (source / "data" / "cache").mkdir()
    (source / "data" / "cache" / "computed.safetensors").write_bytes(b"?")
    (source / "data" / "images_background.zip").write_bytes(b"?")
    built = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*command, "--wheel-dir", built, source], check=True, capture_output=True)
    folder = tmp_path_factory.mktemp("installed")
    (wheel,) = built.glob("metalearn_lite-*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_what_ships_and_no_more(unpacked):
    records = ("augmented", "diversity", "plane", "pretraining", "race", "tables", "tricks")
    shipped = {f"shipped/{name}.json" for name in records}
    shipped |= {f"shipped/digits-efficientnet.{kind}" for kind in ("json", "safetensors")}
    shipped |= {f"shipped/checkpoints/{name}" for name in files_in(ROOT / "data" / "checkpoints")}
    assert files_in(unpacked / "metalearn_lite") == files_in(ROOT / "metalearn_lite") | shipped
    assert {path.name.split("-")[0] for path in unpacked.iterdir()} == {"metalearn_lite"}


@pytest.mark.slow
def test_from_another_folder_it_finds_its_checkpoints_and_writes_to_the_users_folder(
    unpacked, tmp_path
):
    before = files_in(unpacked)
    environment = {name: value for name, value in os.environ.items() if "METALEARN" not in name}
    environment |= {"PYTHONPATH": str(unpacked), "XDG_CACHE_HOME": str(tmp_path / "user")}
    done = subprocess.run(
        [sys.executable, "-c", USED_ELSEWHERE],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    num_checkpoints = len(list((ROOT / "data" / "checkpoints").glob("*.json")))
    assert done.stdout.split() == [str(unpacked), str(num_checkpoints)]
    assert files_in(unpacked) == before
