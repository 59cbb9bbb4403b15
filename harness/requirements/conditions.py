"""Conditions over a device's PICS: ``follows_redirects and not outbound_proxy``."""

from __future__ import annotations

import ast
from collections.abc import Mapping


def holds(condition: str, pics: Mapping[str, bool]) -> bool:
    """Whether ``condition`` is true of ``pics`` (a key that is not declared is false); empty: always.

    ValueError if it is anything but names joined by ``and``, ``or``, ``not`` and brackets.
    """
    return not condition or _value(_parse(condition), pics)


def keys(condition: str) -> frozenset[str]:
    """The PICS keys that ``condition`` mentions."""
    if not condition:
        return frozenset()
    return frozenset(node.id for node in ast.walk(_parse(condition)) if isinstance(node, ast.Name))


def _parse(condition: str) -> ast.expr:
    try:
        return ast.parse(condition, mode="eval").body
    except SyntaxError:
        raise ValueError(f"not a PICS condition: {condition!r}") from None


def _value(node: ast.expr, pics: Mapping[str, bool]) -> bool:
    match node:
        case ast.Name(id=key):
            return pics.get(key, False)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, pics)
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_value(value, pics) for value in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_value(value, pics) for value in values)
    raise ValueError(f"not a PICS condition: {ast.unparse(node)!r}")
