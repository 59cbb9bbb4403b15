"""What the models say of their keys: the docstring below each field, as running text."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from functools import cache
from itertools import pairwise

from pydantic import BaseModel

_LITERAL = re.compile(r"``([^`]*)``")
_ROLE = re.compile(r":\w+:`~?\.?(?:[\w.]+\.)?(\w+)`")


def sentences(model: type[BaseModel]) -> dict[str, str]:
    """What stands below the fields of ``model`` and of the models it comes from; "" where nothing does.

    Read from the source, as pydantic's ``use_attribute_docstrings`` would: that takes 60 ms of the start of every run.
    """
    found = {key: field.description or "" for key, field in model.model_fields.items()}
    for each in reversed(model.__mro__):
        if each is not BaseModel and issubclass(each, BaseModel):
            found |= {key: text for key, text in _below_fields(each).items() if key in found}
    return {key: running(text) for key, text in found.items()}


def running(text: str | None) -> str:
    """A docstring without line breaks, its literals as Markdown has them."""
    return _ROLE.sub(r"`\1`", _LITERAL.sub(r"`\1`", " ".join(inspect.cleandoc(text or "").split())))


def _below_fields(model: type[BaseModel]) -> dict[str, str]:
    body = _classes(model.__module__).get(model.__qualname__, [])
    found = {}
    for statement, after in pairwise(body):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else None
            if isinstance(text, str):
                found[statement.target.id] = text
    return found


@cache
def _classes(module: str) -> dict[str, list[ast.stmt]]:
    """The bodies of the classes at the top of ``module``; none if its source is not there."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError, SyntaxError):  # a package without its source
        return {}
    return {statement.name: statement.body for statement in tree.body if isinstance(statement, ast.ClassDef)}
