"""The learners' zip: what it holds, that nothing looks for `instructor/`, that it collects."""

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from instructor import student_kit
from instructor.student_kit import CannotPack, names_it, pack, tracked

ROOT = Path(__file__).parents[2]
# Beside folders, all that learners do not get. A test that needs the answers comes to stand here.
SINGLE = {
    "benchmarks/grading.py",
    "requirements-instructor.txt",
    "requirements-site.txt",
    "tests/a_class.py",
    "tests/browser/test_hub.py",
    "tests/browser/test_slides.py",
    "tests/notebooks/test_with_answers.py",
    "tests/teaching/test_session.py",
    "tests/teaching/test_yours.py",
    "tests/test_workflows.py",
    "tests/website/test_pages.py",
    "tests/website/test_site.py",
    "tools/site/build.py",
    "tools/site/documents.py",
}
ENDS = (".py", "/__init__.py")
FOLDERS = (
    "instructor/",
    "tests/instructor/",
    ".ci/",
    ".github/",
    "site/",
    "tests/browser/test_site",
)

pytestmark = pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="no clone: git says which files belong to the course"
)


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    path = tmp_path_factory.mktemp("a kit") / "kit.zip"
    pack(path)
    return path


@pytest.fixture(scope="module")
def unpacked(kit):
    with zipfile.ZipFile(kit) as file:
        file.extractall(kit.parent)
    return kit.parent / student_kit.FOLDER


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_it_holds_what_git_tracks_less_a_short_list(unpacked):
    left_out = set(tracked()) - files(unpacked)
    assert {path for path in left_out if not path.startswith(FOLDERS)} == SINGLE
    assert not files(unpacked) - set(tracked())
    for path in files(unpacked):
        assert (unpacked / path).read_bytes() == (ROOT / path).read_bytes()


def test_nothing_in_it_looks_for_the_instructors_folder(unpacked):
    named = {path for path in files(unpacked) if names_it((unpacked / path).read_bytes())}
    assert named <= set(student_kit.MAY_NAME_IT)


def test_the_same_files_give_the_same_bytes(kit, tmp_path):
    pack(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == kit.read_bytes()
    with zipfile.ZipFile(kit) as file:
        modes = {info.filename: info.external_attr >> 16 for info in file.infolist()}
    assert modes[f"{student_kit.FOLDER}/binder/postBuild"] == 0o755


def test_whatever_its_files_import_from_the_course_is_there(unpacked):
    there = files(unpacked)
    ours = {path.split("/")[0].removesuffix(".py") for path in tracked() if path.endswith(".py")}
    ours |= {Path(path).stem for path in tracked() if Path(path).parent == Path("tests")}
    plain = there - set(student_kit.MAY_NAME_IT)
    for path in (path for path in plain if path.endswith(".py")):
        for node in ast.walk(ast.parse((unpacked / path).read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            for name in (name for name in names if name.split(".")[0] in ours):
                file = name.replace(".", "/")
                homes = {f"{at}{file}{end}" for at in ("", "tests/") for end in ENDS}
                folder = any(each.startswith(f"{file}/") for each in there)
                assert homes & there or folder, f"{path} imports {name}"


@pytest.mark.slow
def test_the_tests_beside_which_some_were_left_out_are_collected(unpacked):
    """Of all others only imports could be missing; to collect them all takes half a minute."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-m", "not browser and not slow", "tests/notebooks", "tests/teaching"],
        cwd=unpacked, capture_output=True, text=True, env=student_environment(unpacked),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "error" not in done.stdout.splitlines()[-1]


def student_environment(folder):
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder), "HOME": str(folder)}


@pytest.mark.parametrize(
    "target", ["assignments", "grade", "grades", "hub", "slides", "student-kit"]
)
def test_make_says_what_is_not_there(unpacked, target):
    # What runs these tests may be a `make` itself, whose flags are none of this one's.
    environment = {name: os.environ[name] for name in os.environ if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", target], cwd=unpacked, env=environment, capture_output=True, text=True
    )
    assert done.returncode
    assert f"make {target} needs the folder instructor/, which is not in" in done.stderr
    assert not done.stdout


def clone(folder, **texts):
    """A clone that tracks files with these texts."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    return folder


def test_a_test_that_needs_the_answers_stays_behind(tmp_path):
    root = clone(tmp_path, tests__test_a="from instructor.answers import x", tests__test_b="")
    assert list(student_kit.files_of(root)) == ["tests/test_b.py"]


def test_what_git_does_not_track_stays_behind(tmp_path):
    root = clone(tmp_path, a="")
    (root / "notes.py").write_text("mine")
    assert list(student_kit.files_of(root)) == ["a.py"]


@pytest.mark.parametrize("source", ["import instructor.plan", "open('instructor/answers')"])
def test_what_would_not_run_there_is_named_and_no_kit_is_made(tmp_path, source):
    root = clone(tmp_path / "clone", metalearn_lite__a=source)
    with pytest.raises(CannotPack, match=r"metalearn_lite/a\.py names instructor/"):
        pack(tmp_path / "kit.zip", root)
    assert not (tmp_path / "kit.zip").exists()


def test_a_missing_file_and_a_missing_clone_are_told(tmp_path, monkeypatch):
    with pytest.raises(CannotPack, match="is no clone of the course"):
        student_kit.files_of(tmp_path)
    root = clone(tmp_path / "clone", a="")
    (root / "a.py").unlink()
    with pytest.raises(CannotPack, match=r"a\.py is missing: restore it"):
        student_kit.files_of(root)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotPack, match="git is not installed"):
        student_kit.files_of(root)
