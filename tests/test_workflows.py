"""The workflow files of GitHub: they parse, and what they name is there."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tools.site import links

REPOSITORY = Path(__file__).parents[1]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.y*ml"))
FILE = re.compile(r"[\w./-]+\.(?:cfg|ipynb|json|md|py|sh|toml|txt|ya?ml)\b(?![:/])")
TARGET = re.compile(r"\bmake ([a-z0-9-]+)")


def read(path: Path) -> dict:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    workflow["on"] = workflow.pop(True)  # YAML 1.1 reads the key as a truth value
    return workflow


def steps(workflow: dict) -> list[dict]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def missing(workflow: dict) -> set[str]:
    """The files and targets of the Makefile that steps name but that are not there."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.M))
    gone = set()
    for step in steps(workflow):
        command = step.get("run", "")
        words = [command, *map(str, step.get("with", {}).values())]
        gone |= {f"make {target}" for target in TARGET.findall(command) if target not in targets}
        files = {file for word in words for file in FILE.findall(word)}
        gone |= {file for file in files if not (REPOSITORY / file).exists()}
    return gone


def test_there_are_workflows():
    assert WORKFLOWS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_step_does_something_that_can_be_done(path):
    workflow = read(path)
    assert workflow["name"]
    assert all(("run" in step) != ("uses" in step) for step in steps(workflow))
    assert all("@" in step["uses"] for step in steps(workflow) if "uses" in step)
    assert not missing(workflow)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ({"run": "make tets PYTHON=python"}, "make tets"),
        ({"run": "sh tools/set-up.sh"}, "tools/set-up.sh"),
        (
            {"uses": "a@v1", "with": {"paths": "requirements.txt\nrequirement.txt"}},
            "requirement.txt",
        ),
    ],
)
def test_what_is_not_there_is_seen(step, name):
    assert missing({"jobs": {"job": {"steps": [step]}}}) == {name}


def test_the_course_is_run_every_week_on_its_pins_and_on_the_newest():
    workflow = read(REPOSITORY / ".github" / "workflows" / "ci.yml")
    (cron,) = (entry["cron"] for entry in workflow["on"]["schedule"])
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", cron)
    pinned, newest = workflow["jobs"]["test"], workflow["jobs"]["newest"]
    assert "if" not in pinned
    assert "continue-on-error" not in pinned
    assert newest["continue-on-error"] is True
    assert "schedule" in newest["if"]
    assert newest["steps"][-1]["if"] == "failure()"
    assert "::warning" in newest["steps"][-1]["run"]


def test_colab_s_branch_is_pushed_anew_each_time(tmp_path):
    (push,) = (step for step in steps(read(REPOSITORY / ".github" / "workflows" / "colab.yml"))
               if "push" in step.get("run", ""))  # fmt: skip
    remote = tmp_path / "remote"
    subprocess.run(["git", "init", "--quiet", "--bare", remote], check=True)
    environment = os.environ | {"REMOTE": str(remote)}
    for run, name in enumerate(("04_old.ipynb", "04_new.ipynb")):
        made = tmp_path / str(run) / "build" / "colab"
        made.mkdir(parents=True)
        (made / name).write_text("{}")
        command = ["bash", "-euo", "pipefail", "-c", push["run"]]
        subprocess.run(command, cwd=tmp_path / str(run), env=environment, check=True)
    asked = ["git", "-C", remote, "ls-tree", "--name-only", links.COLAB_BRANCH]
    assert subprocess.check_output(asked, text=True).split() == ["04_new.ipynb"]
