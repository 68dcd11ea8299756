"""A class of real accounts on this machine; a space is in its paths. All of it goes again."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from instructor.hub.classroom import Unready, as_account, ensure_proxy

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-instructor" / "bin" / "python"
ROLES = ("prof", "ada", "ben")
PLAN = """\
[course]
id = "ours"
[[assignment]]
name = "week1"
title = "Week 1"
due = "soon"
exercises = [{ name = "01.gradient_step", points = 2 }]
"""


class Classroom:
    """An instructor and two learners, prepared by `python -m instructor.hub`."""

    def __init__(self, base):
        self.base = base
        self.checkout, self.hub = base / "a checkout", base / "a hub"
        self.accounts = {role: f"mlh-{role}-{os.getpid()}" for role in ROLES}
        self.prof, self.ada, self.ben = self.accounts.values()

    def command(self, *more):
        return [
            str(PYTHON), "-m", "instructor.hub", "--class", "class.toml", "--plan", "plan.toml",
            "--folder", str(self.hub), *more,
        ]  # fmt: skip

    @property
    def environment(self):
        named = {"PYTHONPATH": str(self.checkout), "OMP_NUM_THREADS": "1"}
        return {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ} | named

    def run(self, *command, cwd=None):
        """As root, in the checkout."""
        return subprocess.run(
            command, cwd=cwd or self.checkout, env=self.environment, capture_output=True, text=True
        )

    def home(self, name):
        return self.base / "homes" / name

    def as_account(self, name, *command, cwd=None):
        """As that account's server would: with its settings and the class's package."""
        role = "instructor" if name == self.prof else "learner"
        environment = {
            "HOME": str(self.home(name)), "USER": name, "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.hub / "course"), "OMP_NUM_THREADS": "1",
            "JUPYTER_CONFIG_PATH": str(self.hub / "settings" / role),
        }  # fmt: skip
        return as_account(name, command, cwd=cwd or self.home(name), env=environment)

    def nbgrader(self, name, *arguments, cwd=None):
        python = self.settings["python"]
        done = self.as_account(name, python, "-m", "nbgrader", *arguments, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr


@contextmanager
def a_class():
    """Skips, in words, where it may not be."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may make and remove the accounts that this test needs")
    missing = [name for name in ("useradd", "userdel") if not shutil.which(name)]
    if missing:
        pytest.skip(f"{missing[0]} is not on this machine, which makes accounts")
    if not PYTHON.exists():
        pytest.skip("there is no .venv-instructor: `make hub` makes it")
    with ExitStack() as stack:
        base = Path(tempfile.mkdtemp(prefix="metalearn hub "))
        stack.callback(shutil.rmtree, base, ignore_errors=True)
        base.chmod(0o755)
        made = Classroom(base)
        for name in made.accounts.values():
            stack.callback(_remove_account, name)
            _make_account(name, made.home(name))
        try:
            ensure_proxy()
        except Unready as why:
            pytest.skip(str(why))
        _copy_checkout(made.checkout)
        who = f'[class]\ninstructor = "{made.prof}"\nlearners = ["{made.ada}", "{made.ben}"]\n'
        (made.checkout / "class.toml").write_text(who, encoding="utf-8")
        (made.checkout / "plan.toml").write_text(PLAN, encoding="utf-8")
        done = made.run(*made.command("--prepare"))
        if "cannot run" in done.stderr:  # no Python that all may run, nor one to lay
            pytest.skip(done.stderr)
        assert done.returncode == 0, done.stderr
        made.said = done.stdout
        made.settings = json.loads((made.hub / "state" / "hub.json").read_text("utf-8"))
        yield made


def _copy_checkout(checkout):
    clean = shutil.ignore_patterns("__pycache__", "cache", "*.zip")
    for name in ("instructor", "metalearn_lite", "notebooks", "data"):
        shutil.copytree(ROOT / name, checkout / name, ignore=clean)
    shutil.copy(ROOT / "pyproject.toml", checkout)
    (checkout / "build").mkdir()
    (checkout / "build" / "hub").symlink_to(ROOT / "build" / "hub")


def _make_account(name, home):
    done = _change_accounts(
        "useradd", "--no-create-home", "--home-dir", str(home), "--shell", "/bin/bash", name
    )
    if done.returncode:
        pytest.skip(f"no account can be made here: {done.stderr.strip()}")
    home.mkdir(parents=True)
    account = pwd.getpwnam(name)
    os.chown(home, account.pw_uid, account.pw_gid)


def _remove_account(name):
    try:
        uid = pwd.getpwnam(name).pw_uid
    except KeyError:
        return
    while running := processes_of(uid):  # some may have just started others
        for process in running:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(running, timeout=20)
    for folder in (Path(tempfile.gettempdir()), Path("/dev/shm")):
        for path in folder.glob("*"):
            with suppress(OSError):
                if path.lstat().st_uid != uid:
                    continue
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    _change_accounts("userdel", name)


def processes_of(uid):
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess):
            if process.uids().real == uid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _change_accounts(*command):
    """Each waits by itself while another one changes them, but not for ever."""
    for _ in range(4):
        done = subprocess.run(command, capture_output=True, text=True)
        if "try again" not in done.stderr:
            break
    return done
