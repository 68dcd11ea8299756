"""Addresses that open the course: on a JupyterHub through nbgitpuller, and on Binder.

    python -m instructor.links https://hub.example.org   prints them, notebook by notebook
    python -m instructor.links --write                    puts OWNER into the files that name it

Whoever publishes the course sets OWNER here, once, and runs `--write`.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from urllib.parse import quote, urlencode

from metalearn_lite.files import write_whole

OWNER = "OWNER"  # of the repositories, on GitHub
COURSE = "metalearn_lite"  # the public course, which Binder builds
CLASS = (
    "metalearn-lite"  # what a graded class pulls: `make student-kit`, as a repository of its own
)
BRANCH = "main"

ROOT = Path(__file__).parents[1]
HOLD_OWNER = (ROOT / "README.md", ROOT / "instructor" / "hub" / "values.yaml")
OWNED = re.compile(rf"((?:github\.com|/v2/gh)/)[\w.-]+(/{COURSE}|/{CLASS})\b")
FIRST = "00_start_here.ipynb"


def on_hub(hub: str, notebook: str = FIRST) -> str:
    """Pulls the class's repository, keeps what the learner changed, opens their own copy."""
    asked = {
        "repo": f"https://github.com/{OWNER}/{CLASS}",
        "branch": BRANCH,
        "urlpath": f"lab/tree/{CLASS}/workbook/{notebook}",
    }
    return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{urlencode(asked, quote_via=quote)}"


def on_binder(notebook: str = FIRST) -> str:
    """Opens the copy that the image was built with. Nothing is kept."""
    return (
        f"https://mybinder.org/v2/gh/{OWNER}/{COURSE}/{BRANCH}?urlpath=lab/tree/workbook/{notebook}"
    )


def on_binder_pulled(notebook: str = FIRST, image: str = BRANCH) -> str:
    """Binder's image of the branch ``image``, and in it the newest notebooks, pulled.

    With a branch that rarely changes as ``image``, a new commit to the course builds no new one.
    """
    asked = {
        "repo": f"https://github.com/{OWNER}/{COURSE}",
        "branch": BRANCH,
        "urlpath": f"lab/tree/{COURSE}/notebooks/{notebook}",
    }
    inside = f"git-pull?{urlencode(asked, quote_via=quote)}"
    return f"https://mybinder.org/v2/gh/{OWNER}/{COURSE}/{image}?urlpath={quote(inside, safe='')}"


def with_owner(text: str) -> str:
    """``text`` with OWNER in each address of the two repositories."""
    return OWNED.sub(rf"\g<1>{OWNER}\g<2>", text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hub", nargs="?", default="https://hub.example.org")
    parser.add_argument("--image", default=BRANCH, help="branch of Binder's image (%(default)s)")
    parser.add_argument(
        "--write", action="store_true", help="put OWNER into the pages that name it"
    )
    options = parser.parse_args()
    if options.write:
        for page in HOLD_OWNER:
            write_whole(page, with_owner(page.read_text(encoding="utf-8")).encode())
            print(f"{page.relative_to(ROOT)} names {OWNER}")
        return
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        print(f"{path.stem}\n  hub     {on_hub(options.hub, path.name)}")
        print(f"  Binder  {on_binder(path.name)}")
        print(f"  pulled  {on_binder_pulled(path.name, options.image)}")


if __name__ == "__main__":
    main()
