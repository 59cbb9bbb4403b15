"""What the functions and classes of the device take: by name, because nothing here knows the types of objects."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Signature:
    """The parameters of one function, without ``self``."""

    annotations: tuple[str, ...]
    """Of the positional ones, in order."""
    optional: frozenset[str]
    """The names of those that have a default."""


class Signatures:
    """All signatures of a package, by the name that is called."""

    def __init__(self) -> None:
        self._named: dict[str, list[Signature]] = {}

    @classmethod
    def of(cls, trees: Iterable[ast.Module]) -> Signatures:
        """Those of all functions and classes of ``trees``."""
        signatures = cls()
        for tree in trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    signatures._add(node.name, _of_function(node))
                elif isinstance(node, ast.ClassDef):
                    signatures._add(node.name, _of_class(node))
        return signatures

    def alike(self, call: ast.Call, at: int) -> bool:
        """Whether the positional arguments ``at`` and ``at`` + 1 are of one type."""
        pairs = (one.annotations[at : at + 2] for one in self._called(call))
        return any(len(pair) == 2 and pair[0] == pair[1] for pair in pairs)

    def has_default(self, call: ast.Call, name: str) -> bool:
        """Whether the argument ``name`` may be left out; so it is taken to be for a function from elsewhere."""
        called = self._called(call)
        return not called or any(name in one.optional for one in called)

    def _called(self, call: ast.Call) -> list[Signature]:
        match call.func:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return self._named.get(name, [])
        return []

    def _add(self, name: str, signature: Signature) -> None:
        self._named.setdefault(name, []).append(signature)


def _of_function(node: ast.FunctionDef) -> Signature:
    arguments = node.args
    positional = [one for one in (*arguments.posonlyargs, *arguments.args) if one.arg not in ("self", "cls")]
    named = [one.arg for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value]
    last = [one.arg for one in positional[len(positional) - len(arguments.defaults) :]]
    return Signature(tuple(_annotation(one.annotation) for one in positional), frozenset((*last, *named)))


def _of_class(node: ast.ClassDef) -> Signature:
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return _of_function(statement)
    fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
    optional = (field.target.id for field in fields if field.value and isinstance(field.target, ast.Name))
    return Signature(tuple(_annotation(field.annotation) for field in fields), frozenset(optional))


def _annotation(node: ast.expr | None) -> str:
    return ast.unparse(node) if node else ""
