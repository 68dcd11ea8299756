"""What a notebook's cells need of each other, by the names they give and look up."""

import ast
import symtable
from collections.abc import Iterator


def tables(table):
    return [table, *(inner for child in table.get_children() for inner in tables(child))]


def defined(source: str) -> set[str]:
    """The names that a cell gives to something, at its top."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {it.get_name() for it in symbols if it.is_assigned() or it.is_imported()}


def used(source: str) -> set[str]:
    """The names that a cell looks up in the notebook: not those of its functions' own."""
    top, *inner = tables(symtable.symtable(source, "cell", "exec"))
    names = {it.get_name() for it in top.get_symbols() if it.is_referenced()}
    return names | {
        it.get_name() for table in inner for it in table.get_symbols() if it.is_global()
    }


def asked_of_earlier(source: str) -> set[str]:
    """The names that a cell looks up before it gives them to something itself."""
    given, asked = set(), set()
    for piece in _in_order(ast.parse(source).body):
        asked |= used(piece) - given
        given |= defined(piece)
    return asked


def _in_order(statements: list[ast.stmt]) -> Iterator[str]:
    """A loop's list, its variables and its body one after the other; of ``x += 1`` ``x`` first."""
    for statement in statements:
        if isinstance(statement, ast.AugAssign):
            yield ast.unparse(statement.target)
            yield ast.unparse(statement)
        elif isinstance(statement, ast.For):
            yield ast.unparse(statement.iter)
            yield f"{ast.unparse(statement.target)} = ..."
            yield from _in_order(statement.body + statement.orelse)
        else:
            yield ast.unparse(statement)


def filled(source: str) -> set[str]:
    """The names of which a cell sets a part: ``x`` of ``x[key] = …`` and of ``x.name = …``."""
    parts = (ast.Subscript, ast.Attribute)
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, parts) and isinstance(node.ctx, ast.Store):
            while isinstance(node, parts):
                node = node.value
            found |= {node.id} if isinstance(node, ast.Name) else set()
    return found


def needed(sources: list[str], last: int) -> list[int]:
    """Cell ``last`` and the earlier ones that give its names to something, or set a part of it.

    A cell that only calls what changes an earlier cell's object is not seen.
    """
    kept, names = [last], asked_of_earlier(sources[last])
    for place in reversed(range(last)):
        given = defined(sources[place])
        if names & (given | filled(sources[place])):
            kept.append(place)
            names = (names - given) | asked_of_earlier(sources[place])
    return kept[::-1]
