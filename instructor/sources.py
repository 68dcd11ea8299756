"""The source of an answer, with all that it needs of its module, as the body of a starter."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable

TURN = 'raise NotImplementedError("your turn")'


def body_of(answer: Callable, starter: str) -> str:
    """What replaces ``TURN`` in ``starter``: the answer, its helpers, and a call of it.

    Raises:
        ValueError: ``starter`` is no single function that ends with ``TURN``.
    """
    tree = ast.parse(starter)
    function = tree.body[-1]
    if not isinstance(function, ast.FunctionDef) or starter.count(TURN) != 1:
        raise ValueError(f"a starter is one function that ends with {TURN}; this is\n{starter}")
    call = f"return {answer.__name__}({_arguments(function.args)})"
    return f"{standing_alone(answer)}\n\n{call}"


def standing_alone(answer: Callable) -> str:
    """The imports, constants and functions of its module that ``answer`` needs, then itself."""
    module = ast.parse(inspect.getsource(inspect.getmodule(answer)))
    homes = {name: node for node in module.body for name in _names_of(node)}
    needed, queue = set(), [answer.__name__]
    while queue:
        node = homes.get(queue.pop())
        if node is not None and node not in needed:
            needed.add(node)
            if not isinstance(node, ast.Import | ast.ImportFrom):
                queue += [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
    used = {each.id for node in needed for each in ast.walk(node) if isinstance(each, ast.Name)}
    return "\n".join(_unparsed(node, used) for node in module.body if node in needed)


def _names_of(node: ast.stmt) -> list[str]:
    match node:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [(each.asname or each.name).split(".")[0] for each in names]
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [each.id for target in targets for each in ast.walk(target) if _is_name(each)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def _unparsed(node: ast.stmt, used: set[str]) -> str:
    """An import is cut down to the names that are ``used``."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [each for each in node.names if (each.asname or each.name).split(".")[0] in used]
        if isinstance(node, ast.Import):
            return ast.unparse(ast.Import(names=names))
        return ast.unparse(ast.ImportFrom(module=node.module, names=names, level=node.level))
    return ast.unparse(node)


def _arguments(args: ast.arguments) -> str:
    given = [each.arg for each in (*args.posonlyargs, *args.args)]
    given += [f"*{args.vararg.arg}"] if args.vararg else []
    given += [f"{each.arg}={each.arg}" for each in args.kwonlyargs]
    given += [f"**{args.kwarg.arg}"] if args.kwarg else []
    return ", ".join(given)


def answered(starter: str, body: str, begin: str = "", end: str = "") -> str:
    """``starter`` with ``body`` in the place of ``TURN``, between two marks if they are given."""
    before, _, after = starter.partition(TURN)
    indent = before.rsplit("\n", 1)[-1]
    lines = [line for line in (begin, body, end) if line]
    return before.removesuffix(indent) + textwrap.indent("\n".join(lines), indent) + after
