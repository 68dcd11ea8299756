"""Mutants of a function: each differs from it in one operator, number, index, axis, sign or name.

Of a short function there are few of these; then also in an argument, a slice, or a line left out.

A check that lets a mutant pass which answers otherwise somewhere has a hole.
"""

import ast
import copy
import inspect
import random
import textwrap
from collections.abc import Callable, Iterator
from functools import partial

OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
NAMES = {
    "support": "query",
    "query": "support",
    "mean": "sum",
    "sum": "mean",
    "min": "max",
    "max": "min",
    "argmin": "argmax",
    "argmax": "argmin",
    "square": "abs",
    "exp": "log1p",
    "sorted": "list",
}


def mutants(function: Callable, number: int = 20, seed: int = 16) -> list[tuple[str, Callable]]:
    """``number`` mutants, if there are as many, each with a line that says what changed.

    They are drawn with ``seed``; those of the second kind only where the first are too few.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    (definition,) = tree.body
    definition.decorator_list = []
    chosen, draw = [], random.Random(seed)
    for kind in (_instead, partial(_further, parameters=[it.arg for it in definition.args.args])):
        changes = [change for change in _changes(tree, kind) if change[0] not in dict(chosen)]
        chosen += draw.sample(changes, min(number - len(chosen), len(changes)))
    return [(said, _function(mutant, function)) for said, mutant in chosen]


def _changes(tree: ast.Module, kind: Callable) -> Iterator[tuple[str, ast.Module]]:
    body = tree.body[0].body
    nodes = [node for statement in body for node in ast.walk(statement)]
    for node in nodes:
        for new in kind(node):
            mutant = copy.deepcopy(_with(tree, node, new))
            yield f"line {node.lineno}: {ast.unparse(node)} -> {ast.unparse(new)}", mutant


def _with(tree: ast.Module, old: ast.AST, new: ast.AST) -> ast.Module:
    class Swap(ast.NodeTransformer):
        def visit(self, node):
            return new if node is old else self.generic_visit(node)

    # The transformer works in place, so on a copy that keeps which node is which.
    memo: dict = {id(old): old}
    return Swap().visit(copy.deepcopy(tree, memo))


def _instead(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
        if isinstance(node.op, ast.Sub | ast.Div):
            yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.AugAssign) and type(node.op) in OPERATORS:
        yield ast.AugAssign(node.target, OPERATORS[type(node.op)](), node.value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for op in COMPARISONS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [op()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1 if isinstance(node.value, int) else node.value / 2)
    elif isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield ast.Attribute(node.value, NAMES[node.attr], node.ctx)
    elif isinstance(node, ast.Name) and node.id in NAMES and isinstance(node.ctx, ast.Load):
        yield ast.Name(NAMES[node.id], node.ctx)
    elif isinstance(node, ast.Call) and node.keywords:
        for left_out in node.keywords:
            rest = [keyword for keyword in node.keywords if keyword is not left_out]
            yield ast.Call(node.func, node.args, rest)
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.BinOp | ast.Call | ast.Name):
        yield ast.Return(ast.UnaryOp(ast.USub(), node.value))


def _further(node: ast.AST, parameters: list[str]) -> Iterator[ast.AST]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in parameters:
        for other in parameters:
            if other != node.id:
                yield ast.Name(other, node.ctx)
    elif isinstance(node, ast.Call) and len(node.args) > 1:
        yield ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)
    elif isinstance(node, ast.Slice):
        for lower, upper in ((None, node.upper), (node.lower, None)):
            if (lower, upper) != (node.lower, node.upper):
                yield ast.Slice(lower, upper, node.step)
    elif isinstance(node, ast.AugAssign | ast.Expr) and not isinstance(node.value, ast.Constant):
        yield ast.Pass()
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse


def _function(tree: ast.Module, function: Callable) -> Callable:
    scope = dict(function.__globals__)
    code = compile(ast.fix_missing_locations(tree), f"<mutant of {function.__name__}>", "exec")
    exec(code, scope)
    return scope[function.__name__]
