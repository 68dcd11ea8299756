"""What a class on one machine needs: accounts, folders, settings, the proxy.

In the hub's folder (root's; all may read what is not named private):

- `course/`: the package and the notebooks. Neither answers nor tests are in it;
- `data/`: images and checkpoints, shared, read-only;
- `exchange/`: nbgrader's, through which assignments, submissions and feedback go;
- `settings/instructor`, `settings/learner`: what servers, JupyterLab and nbgrader read;
- `python/`, if the course's own Python is in somebody's private home;
- `state/`, private: passwords, cookies, the hub's own records.

The instructor's account has nbgrader's course in its home. Its sources hold no answers, so a
submission that is graded under that account finds none, and `instructor/` is closed to it.
"""

from __future__ import annotations

import compileall
import json
import os
import pwd
import secrets
import shutil
import site
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from instructor.assignments import write_sources
from instructor.plan import Plan

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
CLASS = HERE / "class.toml"
FOLDER = Path("/srv/metalearn_lite_hub")
MODULES = ROOT / "build" / "hub"
PROXY = MODULES / "node_modules" / ".bin" / "configurable-http-proxy"
# What learners have no use for: answers, what was built with them, and git's copies of them.
CLOSED = ("instructor", "tests", "build", ".git")
STICKY = 0o1777  # all may write, and nobody may take away what another has put there


class Unready(Exception):
    """The hub cannot start; the message says what is missing and what to do."""


@dataclass(frozen=True)
class Class:
    """Who is in it: names of accounts."""

    instructor: str
    learners: tuple[str, ...]

    @property
    def everyone(self) -> tuple[str, ...]:
        return (self.instructor, *self.learners)


def read_class(path: Path = CLASS) -> Class:
    """The class that ``path`` names.

    Raises:
        Unready: it cannot be read, or an account is missing; says what to do.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))["class"]
        made = Class(table["instructor"], tuple(table["learners"]))
        names = made.everyone
        if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            raise TypeError
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unready(f"{path.name} cannot be read: {error}") from None
    except (LookupError, TypeError):
        raise Unready(
            f"{path.name} needs a [class] with instructor = one name and learners = [names], "
            "each name once"
        ) from None
    missing = [name for name in names if not _has_account(name)]
    if missing:
        commands = "".join(f"\n    sudo useradd --create-home {name}" for name in missing)
        raise Unready(
            f"{path.name} names accounts that are not on this machine. Make them, or change the "
            f"names:{commands}"
        )
    if any(pwd.getpwnam(name).pw_uid == 0 for name in names):
        raise Unready(f"{path.name} names root: learners' code must not run under that account")
    return made


def _has_account(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def as_account(
    name: str, command: Sequence[str | Path], **options: object
) -> subprocess.CompletedProcess:
    """Runs ``command`` as the account ``name``, which only root may, in its home."""
    who = pwd.getpwnam(name)
    environment = {"HOME": who.pw_dir, "USER": name, "LOGNAME": name, "PATH": os.environ["PATH"]}
    return subprocess.run(
        command, user=who.pw_uid, group=who.pw_gid, extra_groups=os.getgrouplist(name, who.pw_gid),
        **{"cwd": who.pw_dir, "env": environment, "capture_output": True, "text": True} | options,
    )  # fmt: skip


# --- what must be there ----------------------------------------------------------------------


def ensure_root() -> None:
    if os.name != "posix" or os.geteuid() != 0:
        raise Unready(
            "the hub starts every server under its owner's account, which only root may do: "
            "run `sudo make hub`"
        )


def ensure_proxy() -> Path:
    """The hub's proxy, fetched from npm if it is not there in this version."""
    wanted = (HERE / "package-lock.json").read_bytes()
    there = MODULES / "package-lock.json"
    if not shutil.which("node"):
        raise Unready(
            "Node.js is missing, with which the hub's proxy runs: install it, 18 or newer "
            "(`apt install nodejs npm`), and run `make hub` again"
        )
    if PROXY.exists() and there.exists() and there.read_bytes() == wanted:
        return PROXY
    if not shutil.which("npm"):
        raise Unready(
            "npm is missing, from which the hub's proxy comes: install it (`apt install npm`) "
            "and run `make hub` again"
        )
    MODULES.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, MODULES / name)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"],
        cwd=MODULES, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode or not PROXY.exists():
        there.unlink()
        raise Unready(
            "npm could not fetch the hub's proxy (configurable-http-proxy); does it reach its "
            f"registry? Its last words:\n{(done.stdout + done.stderr)[-1500:]}"
        )
    return PROXY


def ensure_python(names: Sequence[str], folder: Path, own: Path = Path(sys.executable)) -> Path:
    """A Python that the accounts ``names`` may run, with all that is installed beside ``own``.

    Where ``own`` is closed to them (one that pyenv or uv keeps in a private home), the system's
    Python of the same version is laid over the same packages, in ``folder``.
    """
    needed = "import importlib.util as u\nfor name in ('jupyterhub', 'nbgrader', 'torch'):\n"
    needed += "    assert u.find_spec(name), name"
    trouble = _refused(names, own, needed)
    if not trouble:
        return own
    version = "python{}.{}".format(*sys.version_info)
    other = shutil.which(version, path="/usr/bin:/usr/local/bin")
    if not other or _refused(names, Path(other), "import venv"):
        other = None
    else:
        made = folder / "python"
        shutil.rmtree(made, ignore_errors=True)
        subprocess.run([other, "-m", "venv", "--without-pip", made], check=True)
        (packages,) = (made / "lib").glob("python*/site-packages")
        beside = next(each for each in site.getsitepackages() if Path(each).is_dir())
        (packages / "course.pth").write_text(f"import site; site.addsitedir({beside!r})\n", "utf-8")
        for name in ("share", "etc"):
            (made / name).symlink_to(Path(sys.prefix) / name)
        for name, module in (("alembic", "alembic.config"), ("nbgrader", "nbgrader")):
            program = made / "bin" / name  # nbgrader calls the first by its name
            program.write_text(f'#!/bin/sh\nexec "${{0%/*}}/python" -m {module} "$@"\n', "utf-8")
            program.chmod(0o755)
        trouble = _refused(names, made / "bin" / "python", needed)
        if not trouble:
            return made / "bin" / "python"
    less = "" if other else f" (or install {version} for the whole machine: apt install {version})"
    raise Unready(
        f"{trouble}. Put the course where all may read, such as /opt/metalearn-lite, with a Python "
        f"that all may run{less}, and run `make hub` there"
    )


def _refused(names: Sequence[str], python: Path, needed: str) -> str | None:
    """Why one of ``names`` cannot run ``needed`` with ``python``."""
    for name in names:
        try:
            done = as_account(name, [python, "-c", needed])
            last = (done.stderr.strip().splitlines() or [""])[-1]
        except PermissionError:
            done, last = None, "it may not be run"
        if done is None or done.returncode:
            closed = _closed_on_the_way(name, python)
            why = f"{closed} is closed to others" if closed else last
            return f"{name} cannot run {python}: {why}"
    return None


def _closed_on_the_way(name: str, path: Path) -> Path | None:
    """The first folder on the way to ``path``, links followed, that ``name`` may not enter."""
    for _ in range(40):  # as many links as a system follows
        for folder in reversed(path.absolute().parents):
            if as_account(name, ["test", "-x", folder], cwd="/").returncode:
                return folder
        if not path.is_symlink():
            return None
        path = path.parent / os.readlink(path)
    return None


# --- what is made ----------------------------------------------------------------------------


def prepare(who: Class, plan: Plan, folder: Path, port: int) -> Path:
    """Makes the hub's folder, or brings it up to date. Returns the file of its settings.

    Submissions, grades, passwords and what learners wrote stay.

    Raises:
        Unready: something is missing; says what to do.
    """
    ensure_root()
    proxy = ensure_proxy()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    for name in who.everyone:
        if as_account(name, ["test", "-x", folder], cwd="/").returncode:
            raise Unready(f"{name} cannot enter {folder}: take a --folder that all may enter")
        home = Path(pwd.getpwnam(name).pw_dir)
        if not home.is_dir():
            raise Unready(f"{name} has no home: sudo install -d -m 700 -o {name} {home}")
        home.chmod(0o700)
    python = ensure_python(who.everyone, folder)
    for name in CLOSED:
        if (ROOT / name).exists():
            os.chmod(ROOT / name, (ROOT / name).stat().st_mode & 0o700)
    for name in who.everyone:
        if not as_account(name, ["ls", HERE], cwd="/").returncode:
            raise Unready(
                f"{name} can read {HERE.parent}, where the answers are, perhaps as its owner; what "
                "learners hand in runs under the instructor's account: name one made for that"
            )
    _lay_course(folder)
    (folder / "exchange").mkdir(exist_ok=True)
    (folder / "exchange").chmod(STICKY)
    course = _lay_nbgrader(who, plan, folder)
    _lay_settings(plan, course, folder)
    state = folder / "state"
    state.mkdir(exist_ok=True)
    state.chmod(0o700)
    hub = {
        "folder": str(folder), "port": port, "proxy": str(proxy), "python": str(python),
        "instructor": who.instructor, "learners": who.learners, "course": str(course),
        "passwords": _passwords(state / "passwords.json"),
    }  # fmt: skip
    settings = state / "hub.json"
    settings.write_text(json.dumps(hub, indent=1), encoding="utf-8")
    return settings


def _lay_course(folder: Path) -> None:
    """The package, the notebooks and the data, for all to read."""
    made = folder / "course.unfinished"
    shutil.rmtree(made, ignore_errors=True)
    clean = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "cache", "*.unfinished*")
    for name in ("metalearn_lite", "notebooks"):
        shutil.copytree(ROOT / name, made / name, ignore=clean)
    shutil.copy(ROOT / "pyproject.toml", made)
    shutil.copy(HERE / "start.py", made)
    (made / "data").symlink_to("../data")
    compileall.compile_dir(made / "metalearn_lite", quiet=1)  # nobody else may write it there
    data = folder / "data"
    for source in (ROOT / "data", Path(os.environ.get("METALEARN_LITE_DATA") or ROOT / "data")):
        shutil.copytree(source, data, ignore=clean, dirs_exist_ok=True)
    for laid in (made, data):
        _let_all_read(laid)
    shutil.rmtree(folder / "course", ignore_errors=True)
    made.rename(folder / "course")


def _let_all_read(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        os.chmod(place, 0o755)
        for name in files:
            os.chmod(Path(place) / name, 0o644)


def _lay_nbgrader(who: Class, plan: Plan, folder: Path) -> Path:
    """The instructor's course: sources without answers, and how they are graded.

    Root writes nothing there: the account that runs submissions may have laid a link in its way.
    """
    account = pwd.getpwnam(who.instructor)
    course = Path(account.pw_dir) / plan.course
    handed = folder / "handed"
    shutil.rmtree(handed, ignore_errors=True)
    handed.mkdir(mode=0o700)
    write_sources(plan, handed, with_answers=False)
    for place, folders, files in os.walk(handed):
        for name in (".", *folders, *files):
            os.chown(Path(place) / name, account.pw_uid, account.pw_gid)
    make = 'umask 077 && mkdir -p "$2" && rm -rf "$2/source" && cp -R "$1/." "$2"'
    done = as_account(who.instructor, ["sh", "-c", make, "sh", handed, course])
    shutil.rmtree(handed)
    if done.returncode:
        raise Unready(f"{who.instructor} cannot write {course}: {done.stderr.strip()}")
    return course


SERVER = """\
# A kernel that nobody looks at for an hour ends, and a server without kernels after another.
c = get_config()  # noqa: F821  traitlets defines it
c.MappingKernelManager.cull_idle_timeout = 3600
c.MappingKernelManager.cull_interval = 300
c.ServerApp.shutdown_no_activity_timeout = 7200
c.LabApp.extension_manager = "readonly"
"""
# No question about news lies over the page.
QUIET = {"@jupyterlab/apputils-extension:notification": {
    "checkForUpdates": False, "fetchNews": "false",
}}  # fmt: skip
# Formgrader is a page in a frame of JupyterLab, of the same origin.
FRAME = 'c.ServerApp.tornado_settings = {"headers": {"Content-Security-Policy": "%s"}}\n'
# By role: nbgrader's parts of the server and of JupyterLab.
PARTS = {
    "instructor": ("formgrader", "course_list", "create_assignment"),
    "learner": ("assignment_list", "validate_assignment"),
}
OF_THE_SERVER = ("formgrader", "course_list", "assignment_list", "validate_assignment")
OF_THE_LAB = (*OF_THE_SERVER, "create_assignment")


def _lay_settings(plan: Plan, course: Path, folder: Path) -> None:
    for role, parts in PARTS.items():
        laid = folder / "settings" / role
        on = {f"nbgrader.server_extensions.{part}": part in parts for part in OF_THE_SERVER}
        off = {f"@jupyter/nbgrader:{part.replace('_', '-')}": part not in parts
               for part in OF_THE_LAB}  # fmt: skip
        nbgrader = "c = get_config()  # noqa: F821  traitlets defines it\n"
        nbgrader += f"c.Exchange.root = {str(folder / 'exchange')!r}\n"
        nbgrader += f"c.CourseDirectory.course_id = {plan.course!r}\n"
        files = {
            "jupyter_server_config.d/nbgrader.json": {"ServerApp": {"jpserver_extensions": on}},
            "labconfig/page_config.json": {"disabledExtensions": off},
            "labconfig/default_setting_overrides.json": QUIET,
            "jupyter_server_config.py": SERVER,
            "nbgrader_config.py": nbgrader,
        }
        if role == "instructor":
            files["jupyter_server_config.py"] += FRAME % "frame-ancestors 'self'"
            files["nbgrader_config.py"] += f"load_subconfig({str(course / 'nbgrader_config.py')!r})"
        for name, what in files.items():
            (laid / name).parent.mkdir(parents=True, exist_ok=True)
            text = what if isinstance(what, str) else json.dumps(what, indent=1)
            (laid / name).write_text(text, encoding="utf-8")
    _let_all_read(folder / "settings")


def _passwords(path: Path) -> dict[str, str]:
    """Drawn once; in a file that only root reads."""
    if not path.exists():
        drawn = {"learners": secrets.token_urlsafe(9), "instructor": secrets.token_urlsafe(24)}
        path.touch(mode=0o600)
        path.write_text(json.dumps(drawn), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))
