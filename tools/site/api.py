"""One page a room of the package, made of its docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

MOST_MODULES = 19  # on a page
INTRODUCTION = """\
# The package

What the notebooks import. A learner is three verbs: `adapt` to the support, `predict` for the
query, `meta_loss` over episodes. Every tensor has the tasks first: `(T, N, …)` is N examples of
each of T tasks.

| | |
|---|---|
{rows}
"""


def rooms(package: Path) -> dict[str, list[str]]:
    """The public modules of each file and each folder of the package, by its name."""
    found: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if parts[:2] == ("teaching", "exercises") and len(parts) > 2:
            continue  # what steps in for a learner's answer
        if parts and not any(part.startswith("_") for part in parts):
            room = ".".join(path.relative_to(package).parent.parts) or parts[0]
            found.setdefault(room, []).append(".".join((package.name, *parts)))
    return {
        name: part
        for room, modules in sorted(found.items())
        for name, part in _parts(room, sorted(modules))
    }


def _parts(room: str, modules: list[str]) -> Iterator[tuple[str, list[str]]]:
    """A room of many modules has several pages, so that none weighs too much."""
    number = -(-len(modules) // MOST_MODULES)
    size = -(-len(modules) // number)
    for part, first in enumerate(range(0, len(modules), size), start=1):
        yield f"{room}-{part}" if number > 1 else room, modules[first : first + size]


def pages(package: Path) -> dict[Path, str]:
    """The sources of all pages of the API, by the place where they lie."""
    found = rooms(package)
    rows = "\n".join(
        f"| [{_title(room, modules)}](api/{room}.md) | {_sentence(package, modules[0])} |"
        for room, modules in found.items()
    )
    laid = {Path("api.md"): INTRODUCTION.format(rows=rows)}
    for room, modules in found.items():
        # Outside of the contents: Sphinx would copy all their names into the sidebar of every page.
        title = _title(room, modules)
        parts = [f"---\norphan: true\n---\n\n# {title}\n", "Of [the package](../api.md).\n"]
        for module in modules:
            if len(modules) > 1 and module.partition(".")[2] != room:
                parts.append(f"## {module.partition('.')[2]}\n")
            parts.append(
                f"```{{eval-rst}}\n.. automodule:: {module}\n   :ignore-module-all:\n```\n"
            )
        laid[Path("api", f"{room}.md")] = "\n".join(parts)
    return laid


def _title(room: str, modules: list[str]) -> str:
    name, dash, _ = room.partition("-")
    ends = [module.rpartition(".")[2] for module in (modules[0], modules[-1])]
    return f"{name}, {ends[0]} to {ends[1]}" if dash else name


def _sentence(package: Path, module: str) -> str:
    """The first line of a module's docstring."""
    path = package.parent.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return told.partition("\n")[0].replace("``", "`").replace("|", r"\|")
