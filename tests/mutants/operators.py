"""The mutation operators: which small changes can be made to one node of a syntax tree.

Each operator is a function that yields replacements for a node; :mod:`tests.mutants.finder` decides where they are
asked.  None of them knows a particular line of the device.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from tests.mutants.signatures import Signatures


@dataclass(frozen=True)
class Change:
    """Another text for one node."""

    operator: str
    node: ast.expr | ast.stmt
    text: str


_T = TypeVar("_T")
Operator = Callable[[ast.expr], Iterator[Change]]

_OPPOSITE: Final[dict[type[ast.cmpop], ast.cmpop]] = {
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
    ast.In: ast.NotIn(),
    ast.NotIn: ast.In(),
    ast.Is: ast.IsNot(),
    ast.IsNot: ast.Is(),
}
_BOUNDARY: Final[dict[type[ast.cmpop], ast.cmpop]] = {
    ast.Lt: ast.LtE(),
    ast.LtE: ast.Lt(),
    ast.Gt: ast.GtE(),
    ast.GtE: ast.Gt(),
}
_SIBLINGS: Final = (
    ("source", "destination"),
    ("from_tag", "to_tag"),
    ("local", "remote"),
    ("_local", "_remote"),
    ("local_sequence", "remote_sequence"),
    ("host", "port"),
    ("t1", "t2"),
    ("min", "max"),
    ("any", "all"),
    ("From", "To"),
    ("Route", "Record-Route"),
)
"""Names that are easily taken for each other: addresses, the two ends of a dialog, timers, functions, headers."""
_SIBLING_OF: Final = {one: other for pair in _SIBLINGS for one, other in (pair, pair[::-1])}


# --- values


def change_constant(node: ast.expr) -> Iterator[Change]:
    """Another number, the other truth value, a text without its last character."""
    if isinstance(node, ast.Constant):
        for value in _other_values(node.value):
            yield Change("change_constant", node, repr(value))


def _other_values(value: object) -> Iterator[object]:
    match value:
        case bool():
            yield not value
        case int():
            yield value + 1
            if value > 0:
                yield value - 1
        case float():
            yield value * 2
        case str():
            yield value[:-1] or ("" if value else "x")
        case bytes():
            yield value[:-1] or (b"" if value else b"x")


def swap_names(node: ast.expr) -> Iterator[Change]:
    """A name for its sibling: the other address, the other tag, the other header."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if other := _SIBLING_OF.get(name):
            yield Change("swap_names", node, other)
        case ast.Attribute(value=value, attr=name, ctx=ast.Load()) if other := _SIBLING_OF.get(name):
            yield Change("swap_names", node, f"{ast.unparse(value)}.{other}")
        case ast.Constant(value=str(name)) if other := _SIBLING_OF.get(name):
            yield Change("swap_names", node, repr(other))


def drop_text(node: ast.expr) -> Iterator[Change]:
    """A formatted text without one of its parts."""
    if isinstance(node, ast.JoinedStr) and len(node.values) > 1:
        for left in _without_each(node.values):
            yield Change("drop_text", node, ast.unparse(ast.JoinedStr(left)))


# --- conditions


def compare_otherwise(node: ast.expr) -> Iterator[Change]:
    """The opposite comparison, or one whose boundary is off by one."""
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            for table, name in ((_OPPOSITE, "compare_opposite"), (_BOUNDARY, "off_by_one")):
                if other := table.get(type(operator)):
                    ops = [*node.ops[:at], other, *node.ops[at + 1 :]]
                    yield Change(name, node, ast.unparse(ast.Compare(node.left, ops, node.comparators)))


def drop_clause(node: ast.expr) -> Iterator[Change]:
    """``a and b`` without ``a``, and without ``b``; ``a or b`` likewise."""
    if isinstance(node, ast.BoolOp):
        for left in _without_each(node.values):
            whole = left[0] if len(left) == 1 else ast.BoolOp(node.op, list(left))
            yield Change("drop_clause", node, ast.unparse(whole))


def drop_not(node: ast.expr) -> Iterator[Change]:
    """``not a`` as ``a``."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield Change("drop_not", node, ast.unparse(node.operand))


def negate(node: ast.expr) -> Iterator[Change]:
    """The opposite of a condition; asked of tests only."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield Change("negate", node, ast.unparse(node.operand))
    else:
        yield Change("negate", node, ast.unparse(ast.UnaryOp(ast.Not(), node)))


def decide_ahead(node: ast.expr) -> Iterator[Change]:
    """A condition that always holds, and one that never does; asked of tests only."""
    if not any(isinstance(part, ast.NamedExpr) for part in ast.walk(node)):
        yield Change("always", node, "True")
        yield Change("never", node, "False")


# --- collections and operands


def drop_element(node: ast.expr) -> Iterator[Change]:
    """A tuple, list, set or dict without one of its elements.  A pair of name and value is a header: it goes whole."""
    match node:
        case ast.Tuple(elts=elements, ctx=ast.Load()) if not _is_header(node):
            for at, left in enumerate(_without_each(elements)):
                name = "drop_header" if _is_header(elements[at]) else "drop_element"
                yield Change(name, node, ast.unparse(ast.Tuple(left, ast.Load())))
        case ast.List(elts=elements, ctx=ast.Load()):
            for left in _without_each(elements):
                yield Change("drop_element", node, ast.unparse(ast.List(left, ast.Load())))
        case ast.Set(elts=elements) if len(elements) > 1:
            for left in _without_each(elements):
                yield Change("drop_element", node, ast.unparse(ast.Set(left)))
        case ast.Dict(keys=keys, values=values):
            for fewer_keys, fewer in zip(_without_each(keys), _without_each(values), strict=True):
                yield Change("drop_element", node, ast.unparse(ast.Dict(fewer_keys, fewer)))


def _is_header(node: ast.expr) -> bool:
    match node:
        case ast.Tuple(elts=[ast.Constant(value=str()), _]):
            return True
        case ast.Starred():
            return True
    return False


def drop_operand(node: ast.expr) -> Iterator[Change]:
    """``a + b`` as ``a`` and as ``b``; with a number also ``a - b``, and ``a - b`` as ``a + b``."""
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as operator, right=right):
            if any(isinstance(one, ast.Constant) and isinstance(one.value, int | float) for one in (left, right)):
                other = ast.Sub() if isinstance(operator, ast.Add) else ast.Add()
                yield Change("swap_sign", node, ast.unparse(ast.BinOp(left, other, right)))
            else:
                yield Change("drop_operand", node, ast.unparse(left))
                yield Change("drop_operand", node, ast.unparse(right))


def first_only(iterable: ast.expr) -> Iterator[Change]:
    """Only the first of several; asked of what a loop goes through."""
    yield Change("first_only", iterable, f"list({ast.unparse(iterable)})[:1]")


# --- calls


def swap_arguments(node: ast.expr, signatures: Signatures) -> Iterator[Change]:
    """Two neighbouring arguments of one type in the other order; of other types it would only be a crash."""
    if isinstance(node, ast.Call):
        for at in range(len(node.args) - 1):
            pair = node.args[at : at + 2]
            if any(isinstance(one, ast.Starred) for one in node.args) or not signatures.alike(node, at):
                continue
            arguments = [*node.args[:at], *pair[::-1], *node.args[at + 2 :]]
            yield Change("swap_arguments", node, ast.unparse(ast.Call(node.func, arguments, node.keywords)))


def drop_argument(node: ast.expr, signatures: Signatures) -> Iterator[Change]:
    """A call without one of its named arguments, where there is a default."""
    if isinstance(node, ast.Call):
        for keyword, left in zip(node.keywords, _without_each(node.keywords), strict=True):
            if keyword.arg and signatures.has_default(node, keyword.arg):
                yield Change("drop_argument", node, ast.unparse(ast.Call(node.func, node.args, left)))


def unwrap(node: ast.expr) -> Iterator[Change]:
    """``f(a)`` as ``a``, and ``a.with_field(b)`` as ``a``: what the function would have done is not done."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[ast.expr() as argument], keywords=[]) if _is_plain(name):
            if not isinstance(argument, ast.Starred | ast.GeneratorExp):
                yield Change("unwrap", node, ast.unparse(argument))
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if name.startswith(
            ("with", "as_", "remove", "lower")
        ):
            yield Change("unwrap", node, ast.unparse(value))


def _is_plain(name: str) -> bool:
    """Whether it is a function whose result may be of the kind of its argument."""
    return name[:1].islower() and name not in {"int", "str", "len", "bytes", "bool", "float", "isinstance", "repr"}


# --- statements


def drop_statement(node: ast.stmt) -> Iterator[Change]:
    """A statement that is not there."""
    if _can_go(node):
        yield Change("drop_statement", node, "pass")


def _can_go(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=value):
            return not isinstance(value, ast.Constant)
        case ast.Assign(targets=targets):
            return all(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)
        case ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete() | ast.Return(value=None):
            return True
    return False


def return_nothing(node: ast.stmt) -> Iterator[Change]:
    """``return None`` in place of a value; asked only where the function may return it."""
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield Change("return_nothing", node, "return None")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


ANYWHERE: Final[tuple[Operator, ...]] = (
    change_constant,
    swap_names,
    drop_text,
    compare_otherwise,
    drop_clause,
    drop_not,
    drop_element,
    drop_operand,
    unwrap,
)
"""What may be asked of any expression that is evaluated."""


def _without_each(items: Sequence[_T]) -> Iterator[list[_T]]:
    """``items`` without the first, without the second …"""
    for at in range(len(items)):
        yield [*items[:at], *items[at + 1 :]]
