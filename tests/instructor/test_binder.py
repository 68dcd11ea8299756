"""Binder's image: the Dockerfile that repo2docker makes, and its steps on programs of our own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / ".venv-instructor" / "bin" / "jupyter-repo2docker"
PIP = [PROGRAM.parent / "python", "-m", "pip", "--disable-pip-version-check"]

# Writes down what it is asked to do; fails for a command that names $REFUSED.
STAND_IN = """\
#!/bin/sh
echo "$(basename "$0") $*" >>"$ASKED"
case "$*" in *"$REFUSED"*) exit 1 ;; esac
"""


def built() -> subprocess.CompletedProcess:
    if not PROGRAM.exists():
        pytest.skip("no jupyter-repo2docker in .venv-instructor: `make assignments` makes it")
    return subprocess.run(
        [PROGRAM, "--no-build", "--debug", ROOT], capture_output=True, text=True, check=True
    )


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return built().stdout


def instructions(dockerfile: str) -> list[str]:
    """One a line, without comments."""
    lines = (line for line in dockerfile.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n", "", "\n".join(lines))
    return [line.strip() for line in joined.splitlines() if line.strip()]


def after_the_copy(dockerfile: str) -> list[str]:
    steps = instructions(dockerfile)
    (copied,) = (n for n, step in enumerate(steps) if re.fullmatch(r"COPY .*src/ \S+/", step))
    return steps[copied + 1 :]


def test_the_python_is_one_that_the_course_runs_on():
    said = built().stderr
    asked = (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    assert f"python={asked}" in said
    assert re.fullmatch(r"3\.1[1-4]", asked)


def test_requirements_are_installed_once_the_course_is_there_and_as_no_root(dockerfile):
    """They name ../requirements.txt and the course itself."""
    before = dockerfile[: dockerfile.index("Copy stuff")]
    assert "pip install" not in before
    steps = after_the_copy(dockerfile)
    installs = [n for n, step in enumerate(steps) if "pip install" in step]
    posts = [n for n, step in enumerate(steps) if step == "RUN ./binder/postBuild"]
    assert len(installs) == len(posts) == 1
    assert installs < posts
    assert '-r "binder/requirements.txt"' in steps[installs[0]]
    for step in (*installs, *posts):
        users = [each for each in steps[:step] if each.startswith("USER")]
        assert users[-1] == "USER ${NB_USER}"
    assert "WORKDIR ${REPO_DIR}" in instructions(dockerfile)


def run_steps(dockerfile: str, folder: Path, refused: str = "nothing") -> list[str]:
    """Runs what comes after the copy, in a copy, and returns what was asked of pip and python."""
    image = folder / "image"
    shutil.copytree(ROOT / "binder", image / "binder")
    programs = folder / "environment" / "bin"
    programs.mkdir(parents=True)
    for name in ("pip", "python"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    for step in after_the_copy(dockerfile):
        if step.startswith("RUN "):
            subprocess.run(
                ["sh", "-c", step.removeprefix("RUN ")],
                cwd=image, check=True, capture_output=True,
                env={
                    "PATH": f"{programs}:/usr/bin:/bin", "KERNEL_PYTHON_PREFIX": programs.parent,
                    "ASKED": folder / "asked", "REFUSED": refused,
                },
            )  # fmt: skip
    return (folder / "asked").read_text().splitlines()


@pytest.mark.parametrize("refused", ["nothing", "learn2learn"])
def test_the_steps_end_with_a_workbook_even_where_learn2learn_does_not_build(
    dockerfile, tmp_path, refused
):
    first, second, last = run_steps(dockerfile, tmp_path, refused)
    assert first == "pip install --no-cache-dir -r binder/requirements.txt"
    assert second.startswith("python -m pip install ")
    assert second.endswith("-r requirements-learn2learn.txt")
    assert last == "python -m metalearn_lite.teaching.workbook"


def test_a_step_that_fails_fails_the_image(dockerfile, tmp_path):
    with pytest.raises(subprocess.CalledProcessError):
        run_steps(dockerfile, tmp_path, "binder/requirements.txt")


@pytest.mark.slow
@pytest.mark.parametrize("file", ["binder/requirements.txt", "requirements-learn2learn.txt"])
def test_pip_reads_the_files_and_finds_every_pin_in_place(tmp_path, file):
    """The environment over .venv holds every pin: pip, without an index, asks for no other."""
    if not PROGRAM.exists():
        pytest.skip("there is no .venv-instructor: `make assignments` makes it")
    (tmp_path / "binder").mkdir()
    for path in (*ROOT.glob("requirements*.txt"), *ROOT.glob("binder/*.txt")):
        text = path.read_text(encoding="utf-8").replace("-e .", "", 1)  # to build it needs an index
        (tmp_path / path.relative_to(ROOT)).write_text(text, encoding="utf-8")
    asked = ["install", "--dry-run", "--no-deps", "--no-index", "-r", file]
    done = subprocess.run([*PIP, *asked], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Would install" not in done.stdout


def test_the_image_can_pull():
    pinned = re.compile(r"^nbgitpuller==[\d.]+", re.MULTILINE)
    pins = {
        pinned.search((ROOT / name).read_text(encoding="utf-8"))[0]
        for name in ("binder/requirements.txt", "requirements-instructor.txt")
    }
    assert len(pins) == 1
