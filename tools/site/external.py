"""Every link of the course to a page of others, once: docs/external_links.md.

    python -m tools.site.external           lists them; what is known of one stays
    python -m tools.site.external --check   asks each of them and writes down what it said

Nothing is asked where the course is tested: there is no network. The list says since when.
"""

from __future__ import annotations

import argparse
import datetime
import http.client
import json
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tools.site import links

LIST = links.ROOT / "docs" / "external_links.md"
ADDRESS = re.compile(r"https?://[^\s\"'`<>()\[\]{}|\\]+")
NOWHERE = re.compile(r"https?://(?:127\.0\.0\.1|localhost|YOUR\.|[\w.-]*example\.)")
ROW = re.compile(r"^\| <(\S+)> \| (.*) \| (.*) \|$", re.M)
READ = (".md", ".ipynb", ".cff")  # and LICENSE-text: what is written to be read
HEAD = """\
# Links to pages of others

Each address that a notebook or a document of the course links to, once, and where. *Not checked
since* a day: nobody has asked it from here, since there is no network where the course is made and
tested. `python -m tools.site.external --check` asks all of them and writes here what they said.
The course's own addresses are tested in another way (`tests/website/test_links.py`).

| address | in | status |
|---|---|---|
"""


def found(root: Path = links.ROOT) -> dict[str, list[str]]:
    """Every address of others, and the documents that link to it."""
    places: dict[str, list[str]] = {}
    for path, text in links.texts(root):
        if path.name == LIST.name or not (path.suffix in READ or path.name == "LICENSE-text"):
            continue
        name = path.stem if path.suffix == ".ipynb" else path.relative_to(root).as_posix()
        for address in sorted(set(_addresses(prose(text) if path.suffix == ".ipynb" else text))):
            places.setdefault(address, []).append(name)
    return dict(sorted(places.items()))


def prose(notebook: str) -> str:
    """What a notebook's Markdown cells say."""
    cells = json.loads(notebook)["cells"]
    return "\n".join("".join(each["source"]) for each in cells if each["cell_type"] == "markdown")


def _addresses(text: str) -> list[str]:
    every = (address.rstrip(".,;:*_") for address in ADDRESS.findall(text))
    ours = (links.OWNED, links.OWNED_SITE, NOWHERE)
    return [address for address in every if not any(each.search(address) for each in ours)]


def known(text: str) -> dict[str, str]:
    """What a list says of each address."""
    return {address: status for address, _, status in ROW.findall(text)}


def listed(places: dict[str, list[str]], said: dict[str, str], today: str) -> str:
    """The whole list; of what is new nothing is known."""
    rows = (
        f"| <{address}> | {', '.join(names)} | {said.get(address, f'not checked since {today}')} |"
        for address, names in places.items()
    )
    return HEAD + "\n".join(rows) + "\n"


def ask(address: str, timeout: float = 30) -> str:
    """What the page at ``address`` answers: its status, or in a word why there is none."""
    request = urllib.request.Request(address, headers={"User-Agent": "metalearn_lite links"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return str(error.code)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"no answer ({type(getattr(error, 'reason', error)).__name__})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="ask each address, with a network")
    options = parser.parse_args()
    today, places = datetime.date.today().isoformat(), found()
    said = known(LIST.read_text(encoding="utf-8")) if LIST.exists() else {}
    gone = []
    for address in places if options.check else ():
        answer = ask(address)
        said[address] = f"{answer} on {today}"
        if answer in ("404", "410") or answer.startswith("no"):
            gone.append(f"{address}: {answer}")
    LIST.write_text(listed(places, said, today), encoding="utf-8", newline="\n")
    print(f"{LIST.relative_to(links.ROOT)}: {len(places)} addresses")
    if gone:
        sys.exit("\n".join(gone))


if __name__ == "__main__":
    main()
