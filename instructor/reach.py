"""What a cell of a graded submission reaches for that no answer needs.

A check runs in the process of the answer, so it is no sandbox. `reach` reads the code before it
runs, and finds what leads to files, processes, the interpreter's own parts, other people's modules.
It knows Python alone: `make assignments` copies it into the course's folder.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

# What answers are made of. Of the course's own package all but its checks and their truths.
MODULES = """
    __future__ bisect collections contextlib copy dataclasses decimal enum fractions functools
    heapq itertools math matplotlib metalearn_lite numpy operator random scipy sklearn statistics
    time torch typing warnings
""".split()  # noqa: SIM905  words are easier to read and to add to than a list of strings
ASKED_FROM_TEACHING = ("check", "hint")
BUILTINS = """
    __builtins__ __import__ breakpoint compile delattr eval exec exit get_ipython getattr globals
    locals open quit setattr vars
""".split()  # noqa: SIM905
# Attributes through which a module at hand leads to what is not.
WAYS_OUT = """
    builtins ctypes gc importlib inspect io os pathlib pickle subprocess sys tempfile threading
    Path read_bytes read_text write_bytes write_text load loadtxt genfromtxt fromfile memmap
    save savefig savetxt savez tofile hub serialization attrgetter methodcaller
    f_back f_globals f_locals tb_frame gi_frame cr_frame
""".split()  # noqa: SIM905
OWN = ("__init__", "__call__", "__name__", "__post_init__", "__len__", "__iter__")


def reach(source: str) -> str | None:
    """Why a cell of a graded submission is not run, or None: the first name it has no use for."""
    lines = source.splitlines()
    for number, line in enumerate(lines, 1):
        if line.lstrip()[:1] in ("%", "!") or line.rstrip().endswith("?"):
            return f"line {number}: a command of the notebook, `{line.strip()}`"
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None  # Python's own words are better
    return next(_found(tree), None)


def _found(tree: ast.Module) -> Iterator[str]:
    imported = _imported(tree)
    for node in ast.walk(tree):
        for what in _outside(node, imported):
            yield f"line {node.lineno}: {what}"


def _imported(tree: ast.Module) -> set[str]:
    """The names under which modules, and what is taken from them, are known."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {(each.asname or each.name).split(".")[0] for node in nodes for each in node.names}
    return names | {"torch", "np", "F", "math", "metalearn_lite", "check"}


def _outside(node: ast.AST, imported: set[str]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            for each in names:
                if not _allowed(each.name):
                    yield f"it imports `{each.name}`"
        case ast.ImportFrom(module=module, names=names, level=level):
            for each in names:
                whole = f"{module}.{each.name}"
                asked = module == "metalearn_lite.teaching" and each.name in ASKED_FROM_TEACHING
                fine = asked or (_allowed(module) and _allowed(whole))
                if level or not fine or each.name == "*" or each.name in WAYS_OUT:
                    yield f"it imports `{each.name}` from `{module}`"
        case ast.Name(id=name) if name in BUILTINS:
            yield f"it uses `{name}`"
        case ast.Attribute(attr=name) if name in WAYS_OUT or _private(name):
            yield f"it uses `.{name}`"
        case ast.Attribute(ctx=ast.Store() | ast.Del()) if _root(node) in imported:
            yield f"it changes `{ast.unparse(node)}`"
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if name == "check":
            yield "it defines `check`"
        case ast.Name(id="check", ctx=ast.Store()):
            yield "it defines `check`"


def _allowed(module: str) -> bool:
    parts = module.split(".")
    return parts[0] in MODULES and parts[:2] != ["metalearn_lite", "teaching"]


def _private(name: str) -> bool:
    return name.startswith("__") and name not in OWN


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
