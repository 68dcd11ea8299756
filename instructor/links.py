"""Addresses that open the course for a class: on a JupyterHub through nbgitpuller, and on Binder.

    python -m instructor.links https://hub.example.org   prints them, notebook by notebook

Whose repositories they name is said in `tools/site/links.py`.
"""

from __future__ import annotations

import argparse

from tools.site import links


def on_hub(hub: str, stem: str = links.FIRST) -> str:
    """Pulls the class's repository, keeps what the learner changed, opens their own copy."""
    return links.nbgitpuller(hub, stem, repository=links.CLASS, folder="workbook")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hub", nargs="?", default="https://hub.example.org")
    parser.add_argument(
        "--image", default=links.BRANCH, help="branch of Binder's image (%(default)s)"
    )
    options = parser.parse_args()
    for path in sorted((links.ROOT / "notebooks").glob("[0-9]*.ipynb")):
        print(f"{path.stem}\n  hub     {on_hub(options.hub, path.stem)}")
        print(f"  Binder  {links.binder(path.stem)}")
        print(f"  pulled  {links.binder_pulled(path.stem, options.image)}")


if __name__ == "__main__":
    main()
