"""Finds every mutant of a module: walks its syntax tree and asks the operators where a change can matter.

Left alone are what no run evaluates (docstrings, annotations, imports for types, decorators, assertions) and what only
names things for people.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.mutants import operators
from tests.mutants.operators import Change
from tests.mutants.signatures import Signatures

Lines = range


@dataclass(frozen=True)
class Found:
    """A change, and where it is."""

    change: Change
    function: str
    """The dotted name of what it is in; "" at the module's own level."""
    lines: Lines
    """The lines of its statement: whoever executes one of them meets the change."""


def find(tree: ast.Module, signatures: Signatures) -> list[Found]:
    """Every change of the module, in order; one that makes the same text as another is there once."""
    finder = _Finder(signatures)
    finder.body(tree.body)
    unique: dict[tuple[int, int, str], Found] = {}
    for found in finder.found:
        node = found.change.node
        unique.setdefault((node.lineno, node.col_offset, found.change.text), found)
    return list(unique.values())


class _Finder:
    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self.found: list[Found] = []
        self._scope: list[str] = []
        self._may_return_none = False
        self._lines: Lines = range(0)

    # --- statements

    def body(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node)
            case ast.ClassDef():
                with self._inside(node.name):
                    self.body(node.body)
            case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Expr(value=ast.Constant()):
                return
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                return
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript()) if not name.isupper():
                if name[:1].isupper():  # a name for a type
                    return
                self._simple(node)
            case ast.If() | ast.While():
                self._lines = _header(node, node.test)
                self._test(node.test)
                self.body(node.body)
                self.body(node.orelse)
            case ast.For() | ast.AsyncFor():
                self._lines = _header(node, node.iter)
                self._take(operators.first_only(node.iter))
                self._expression(node.iter)
                self.body(node.body)
                self.body(node.orelse)
            case ast.With() | ast.AsyncWith():
                self._lines = _header(node, node.items[-1].context_expr)
                for item in node.items:
                    self._expression(item.context_expr)
                self.body(node.body)
            case ast.Try():
                self.body(node.body)
                for handler in node.handlers:
                    self.body(handler.body)
                self.body(node.orelse)
                self.body(node.finalbody)
            case ast.Match():
                for branch in node.cases:
                    self.body(branch.body)
            case _:
                self._simple(node)

    def _simple(self, node: ast.stmt) -> None:
        self._lines = range(node.lineno, _end(node) + 1)
        # Without what its constructor sets, an object is no variant of the device but a crash.
        if self._scope[-1:] != ["__init__"] or not isinstance(node, ast.Assign):
            self._take(operators.drop_statement(node))
        if self._may_return_none:
            self._take(operators.return_nothing(node))
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and child is not getattr(node, "annotation", None):
                self._expression(child, whole=True)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._lines = range(node.lineno, node.body[0].lineno)
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self._expression(default)
        statements = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        with self._inside(node.name):
            before, self._may_return_none = self._may_return_none, _returns_none(node)
            self.body(statements)
            self._may_return_none = before

    @contextmanager
    def _inside(self, name: str) -> Iterator[None]:
        self._scope.append(name)
        yield
        self._scope.pop()

    # --- expressions

    def _test(self, node: ast.expr) -> None:
        self._take(operators.negate(node))
        self._take(operators.decide_ahead(node))
        self._expression(node, is_test=True)

    def _expression(self, node: ast.expr, *, is_test: bool = False, whole: bool = False) -> None:
        """``is_test``: its opposite is a mutant already; ``whole``: several results in one are no collection."""
        for operator in operators.ANYWHERE:
            self._take(
                change
                for change in operator(node)
                if not (is_test and change.operator in ("compare_opposite", "drop_not"))
                and not (whole and isinstance(node, ast.Tuple) and change.operator == "drop_element")
            )
        match node:
            case ast.IfExp():
                self._test(node.test)
                self._expression(node.body)
                self._expression(node.orelse)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                self._comprehended(node.generators)
                self._expression(node.elt)
            case ast.DictComp():
                self._comprehended(node.generators)
                self._expression(node.key)
                self._expression(node.value)
            case ast.JoinedStr():  # Python 3.11 does not know where the parts of a formatted text are.
                return
            case ast.Lambda():
                self._expression(node.body)
            case ast.Call():
                self._called(node)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._expression(child)

    def _called(self, node: ast.Call) -> None:
        match node.func:
            case ast.Name(id="isinstance" | "cast" | "TypeVar"):
                return
        self._take(operators.swap_arguments(node, self._signatures))
        self._take(operators.drop_argument(node, self._signatures))
        self._expression(node.func)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self._expression(argument)

    def _comprehended(self, generators: Sequence[ast.comprehension]) -> None:
        for generator in generators:
            self._take(operators.first_only(generator.iter))
            self._expression(generator.iter)
            for condition in generator.ifs:
                self._test(condition)

    def _take(self, changes: Iterator[Change]) -> None:
        self.found += (Found(change, ".".join(self._scope), self._lines) for change in changes)


def _header(statement: ast.stmt, last: ast.expr) -> Lines:
    return range(statement.lineno, _end(last) + 1)


def _end(node: ast.expr | ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _returns_none(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the function is annotated to return None besides other things."""
    return function.returns is not None and "| None" in ast.unparse(function.returns)
