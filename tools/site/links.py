"""Every address of the course on the web: site, source, Binder, Colab, nbgitpuller.

    python -m tools.site.links           prints them, notebook by notebook
    python -m tools.site.links --write   puts OWNER into every file that names one of them

Whoever publishes the course sets OWNER here, once, and runs `--write`.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

OWNER = "OWNER"  # of the repositories, on GitHub
REPO = "metalearn_lite"  # the public course, which Binder builds
CLASS = "metalearn-lite"  # what a graded class pulls: `make student-kit`, as its own repository
BRANCH = "main"
COLAB_BRANCH = "colab"  # holds what `tools.site.colab` makes; the site's workflow pushes it

# The workflow of a fork says so here, and the fork's site then names the fork.
OWNER, REPO = os.environ.get("METALEARN_LITE_REPOSITORY", f"{OWNER}/{REPO}").split("/")

SITE = f"https://{OWNER}.github.io/{REPO}/"
REPOSITORY = f"https://github.com/{OWNER}/{REPO}"
FIRST = "00_start_here"

ROOT = Path(__file__).parents[2]
SLASH = "(?:/|%2F|%252F)"  # an address may stand in another one, and that in a third
OWNED = re.compile(
    rf"((?:github\.com|githubusercontent\.com|/gh|/github){SLASH})[\w.-]+"
    rf"({SLASH}(?:{REPO}|{CLASS})(?![\w-]))"
)
OWNED_SITE = re.compile(rf"(https?:(?://|%2F%2F))[\w-]+(\.github\.io{SLASH}{REPO}(?![\w-]))")


def source(path: str = "") -> str:
    """A file or folder as GitHub shows it, a folder with a slash at its end; else all of it."""
    if not path:
        return REPOSITORY
    kind = "tree" if path.endswith("/") else "blob"
    return f"{REPOSITORY}/{kind}/{BRANCH}/{path}".rstrip("/")


def binder(stem: str = FIRST) -> str:
    """Opens the learner's copy that the image was built with. Nothing is kept."""
    inside = f"lab/tree/workbook/{stem}.ipynb"
    return f"https://mybinder.org/v2/gh/{OWNER}/{REPO}/{BRANCH}?urlpath={inside}"


def binder_pulled(stem: str = FIRST, image: str = BRANCH) -> str:
    """Binder's image of the branch ``image``, and in it the newest notebooks, pulled.

    With a branch that rarely changes as ``image``, a new commit to the course builds no new one.
    """
    inside = quote(_git_pull(REPO, "notebooks", stem), safe="")
    return f"https://mybinder.org/v2/gh/{OWNER}/{REPO}/{image}?urlpath={inside}"


def colab(stem: str = FIRST) -> str:
    """A copy whose first cell installs the course."""
    where = f"{OWNER}/{REPO}/blob/{COLAB_BRANCH}/{stem}.ipynb"
    return f"https://colab.research.google.com/github/{where}"


def nbgitpuller(
    hub: str, stem: str = FIRST, repository: str = REPO, folder: str = "notebooks"
) -> str:
    """On a JupyterHub with nbgitpuller: pulls the course, keeps what was changed, opens a page."""
    return f"{hub.rstrip('/')}/hub/user-redirect/{_git_pull(repository, folder, stem)}"


def _git_pull(repository: str, folder: str, stem: str) -> str:
    asked = {
        "repo": f"https://github.com/{OWNER}/{repository}",
        "branch": BRANCH,
        "urlpath": f"lab/tree/{repository}/{folder}/{stem}.ipynb",
    }
    return f"git-pull?{urlencode(asked, quote_via=quote)}"


def with_owner(text: str) -> str:
    """``text`` with OWNER in each address of the course."""
    return OWNED_SITE.sub(rf"\g<1>{OWNER}\g<2>", OWNED.sub(rf"\g<1>{OWNER}\g<2>", text))


def texts(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Every file that git tracks in ``root`` and that is text, with what it says."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        try:
            yield root / name, (root / name).read_bytes().decode()
        except (FileNotFoundError, UnicodeDecodeError):  # removed and not committed; a picture
            continue


def write(root: Path = ROOT) -> list[Path]:
    """Puts OWNER into the files in ``root``; returns those that named another one."""
    changed = [(path, with_owner(text)) for path, text in texts(root) if with_owner(text) != text]
    for path, text in changed:
        path.write_bytes(text.encode())
    return [path for path, _ in changed]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put OWNER into the files")
    if parser.parse_args().write:
        for path in write():
            print(f"{path.relative_to(ROOT)} names {OWNER}")
        return
    print(f"site   {SITE}\nsource {REPOSITORY}")
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        print(f"{path.stem}\n  Binder  {binder(path.stem)}\n  Colab   {colab(path.stem)}")


if __name__ == "__main__":
    main()
