"""The addresses of the course: made in one place, the same in every file, of a form that opens."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tools.site import links

ROOT = Path(__file__).parents[2]
OWNER = links.OWNER
STEM = "04_maml_on_sinusoids"
ADDRESS = re.compile(r"https?://[^\s\"'`<>)\]}\\]+")
OURS = re.compile(rf"(?:{links.REPO}|{links.CLASS})(?:\.git)?")

needs_a_clone = pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="no clone: git says which files belong to the course"
)


def asked(address: str) -> dict[str, str]:
    """The one value of each parameter, decoded once."""
    return {key: value for key, (value,) in parse_qs(urlsplit(address).query).items()}


def problem(address: str) -> str | None:
    """What is wrong with an address of the course; None: nothing, or it is another's."""
    parts = urlsplit(address)
    way = [unquote(each) for each in parts.path.strip("/").split("/")]
    if parts.netloc.endswith(".github.io") and way[0] == links.REPO:
        return None if address.startswith(links.SITE) else f"the site is at {links.SITE}"
    if parts.netloc == "mybinder.org":
        way = way[2:]  # v2/gh
    elif parts.netloc == "colab.research.google.com":
        way = way[1:]  # github
    elif parts.netloc not in ("github.com", "raw.githubusercontent.com"):
        return None
    owner, repository, *rest = way
    if not OURS.fullmatch(repository):
        return None
    if owner != links.OWNER:
        return f"{owner} is not {links.OWNER}"
    if parts.netloc == "mybinder.org":
        return problem_on_binder(rest, asked(address)["urlpath"])
    if parts.netloc == "colab.research.google.com":
        return where(rest, links.COLAB_BRANCH, ROOT / "notebooks")
    return where(rest, links.BRANCH, ROOT) if rest and rest != ["issues"] else None


def problem_on_binder(way: list[str], inside: str) -> str | None:
    if way != [links.BRANCH]:
        return f"Binder builds {links.BRANCH}"
    if inside.startswith("git-pull?"):
        return problem(asked(inside)["repo"]) or opens(asked(inside)["urlpath"], links.REPO + "/")
    return opens(inside)


def opens(urlpath: str, before: str = "") -> str | None:
    """``workbook/`` is made of what is in ``notebooks/``."""
    room, _, name = urlpath.removeprefix(f"lab/tree/{before}").partition("/")
    known = room in ("workbook", "notebooks") and (ROOT / "notebooks" / name).is_file()
    return None if known else f"{urlpath} opens nothing"


def where(way: list[str], branch: str, folder: Path) -> str | None:
    kind, named, *path = way
    if kind not in ("blob", "tree") or named != branch:
        return f"{kind}/{named} in place of the branch {branch}"
    file = folder.joinpath(*path)
    right = file.is_file() if kind == "blob" else file.is_dir()
    return None if right else f"no {'/'.join(path)} in {folder.name}"


MADE = [
    links.SITE,
    links.REPOSITORY,
    links.source("notebooks/"),
    links.source(f"notebooks/{STEM}.ipynb"),
    links.binder(STEM),
    links.binder_pulled(STEM),
    links.colab(STEM),
    links.nbgitpuller("https://hub.example.org", STEM),
]


@pytest.mark.parametrize("address", MADE)
def test_what_is_made_opens_something(address):
    assert problem(address) is None


@pytest.mark.parametrize(
    "address",
    [
        f"https://nobody.github.io/{links.REPO}/",
        f"https://github.com/nobody/{links.REPO}",
        links.source("notebook/"),
        links.source("README.markdown"),
        links.binder("04_maml_on_sinus"),
        links.binder_pulled("04_maml_on_sinus"),
        links.binder_pulled(STEM).replace(f"{links.OWNER}%", "nobody%"),
        links.binder(STEM).replace("/main?", "/master?"),
        links.colab("04_maml_on_sinus"),
        links.colab(STEM).replace("/blob/colab/", "/blob/main/"),
    ],
)
def test_what_opens_nothing_is_seen(address):
    assert problem(address)


@needs_a_clone
def test_every_address_of_the_course_in_every_file_opens_something():
    found, wrong = set(), []
    for path, text in links.texts():
        if path == Path(__file__):
            continue
        assert links.with_owner(text) == text, f"{path}: python -m tools.site.links --write"
        for address in ADDRESS.findall(text):
            if re.search(rf"(?:{links.REPO}|{links.CLASS})(?![\w-])", address):
                found.add(address.rstrip(".,;:"))
    for address in found:
        if said := problem(address):
            wrong.append(f"{address}: {said}")
    assert not wrong
    assert len(found) >= 4


def test_what_git_clones_is_the_course():
    assert links.source() == links.REPOSITORY


def test_the_page_on_running_the_course_holds_the_addresses():
    page = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    for address in (links.SITE, links.binder(), links.binder_pulled(), links.colab()):
        assert f"]({address})" in page, address


def test_binder_s_link_carries_nbgitpuller_s_inside():
    address = links.binder_pulled(STEM, image="binder")
    assert urlsplit(address).path == f"/v2/gh/{links.OWNER}/{links.REPO}/binder"
    inside = asked(address)["urlpath"]
    assert inside.startswith("git-pull?")
    assert asked(inside) == {
        "repo": links.REPOSITORY,
        "branch": "main",
        "urlpath": f"lab/tree/{links.REPO}/notebooks/{STEM}.ipynb",
    }


def test_a_hub_pulls_the_course():
    address = links.nbgitpuller("https://hub.example.org/", STEM)
    assert address.startswith("https://hub.example.org/hub/user-redirect/git-pull?")
    assert asked(address)["urlpath"] == f"lab/tree/{links.REPO}/notebooks/{STEM}.ipynb"


@pytest.fixture
def another_owner(monkeypatch):
    monkeypatch.setattr(links, "OWNER", "some-one.else")


def test_another_owner_reaches_every_address(another_owner):
    for address in (*MADE, f"git+{links.REPOSITORY}.git"):
        renamed = links.with_owner(f"[x]({address}), {address}.")
        assert renamed.count("some-one.else") == 2 * address.count(OWNER)
        assert OWNER not in renamed


@pytest.mark.parametrize(
    "other",
    [
        "https://github.com/brendenlake/omniglot",
        f"https://github.com/a/{links.REPO}r",
        f"https://github.com/a/{links.CLASS}-kit",
        f"https://a.github.io/{links.REPO}s",
        f"import {links.REPO}",
        f"a/{links.REPO}/paths.py",
    ],
)
def test_another_s_address_stays(another_owner, other):
    assert links.with_owner(other) == other


@needs_a_clone
def test_writing_changes_the_files_that_git_knows_and_no_other(tmp_path, another_owner):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "a.md").write_bytes(f"see\r\n{links.REPOSITORY}\r\n".encode())
    (tmp_path / "b.md").write_bytes(b"nothing")
    (tmp_path / "c.png").write_bytes(b"\xff\xfe")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    (tmp_path / "mine.md").write_text(links.REPOSITORY)
    assert links.write(tmp_path) == [tmp_path / "a.md"]
    assert b"see\r\nhttps://github.com/some-one.else/" in (tmp_path / "a.md").read_bytes()
    assert "some-one.else" not in (tmp_path / "mine.md").read_text()
    assert links.write(tmp_path) == []


def test_a_fork_s_site_names_the_fork():
    code = "from tools.site import links; print(links.SITE, links.colab(), links.source('data/'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True,
        env={**os.environ, "METALEARN_LITE_REPOSITORY": "some-one/a-fork"},
    )  # fmt: skip
    site, colab, source = done.stdout.split()
    assert site == "https://some-one.github.io/a-fork/"
    assert "/github/some-one/a-fork/blob/" in colab
    assert source == "https://github.com/some-one/a-fork/tree/main/data"
