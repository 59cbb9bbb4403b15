"""Stored objects as JSON and back: the one place that writes and reads what a run keeps.

Every stored type is a plain frozen dataclass; pydantic makes its reader and writer from the annotations, so a new field
needs no code here.  Fields are written in the order of the class: equal objects are equal bytes.  The bytes are ASCII,
so that no program takes a line separator inside a message for the end of a line.

What is read may come from anybody: no value is converted to another type, and a key that occurs twice is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from harness.errors import EvidenceError

T = TypeVar("T")
_LONGEST = 120
"""Characters of a value, or of a key, that an error repeats."""
_WORDS = (
    ("Input should be", "expected"),
    ("String should match", "expected text of"),
    ("String should have", "expected text of"),
)
"""How pydantic begins a sentence, and how it begins in this suite."""
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def dump(stored: object) -> bytes:
    """``stored`` as one line of JSON, without its end."""
    adapter = _adapter(type(stored))
    try:
        return adapter.dump_json(stored, ensure_ascii=True)
    except PydanticSerializationError:
        # A lone surrogate, as in a path that is not UTF-8, cannot be written in JSON that every reader accepts.
        plain = json.dumps(adapter.dump_python(stored, mode="json"), ensure_ascii=False)
        return adapter.dump_json(adapter.validate_json(plain.encode("utf-8", "replace")), ensure_ascii=True)


def load(kind: type[T], content: bytes, where: str) -> T:
    """The ``kind`` that is stored as ``content``; EvidenceError naming ``where``, the key and what was expected."""
    try:
        _check_keys(content)
        loaded: T = _adapter(kind).validate_json(content, strict=True)
    except ValidationError as error:
        raise EvidenceError(f"{where}: {_worded(error)}") from None
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{where}: expected a JSON object: {error!s:.{_LONGEST}}") from None
    return loaded


def _check_keys(content: bytes) -> None:
    """ValueError for a key that occurs twice, which two readers may understand in two ways, and for NaN."""
    objects: list[list[tuple[str, Any]]] = []
    json.loads(content.decode("utf-8"), object_pairs_hook=objects.append, parse_constant=_no_constant)
    if any(len(dict(pairs)) != len(pairs) for pairs in objects):
        raise ValueError("a key occurs twice")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _worded(error: ValidationError) -> str:
    """The first mistake in one line: key, what was expected, what is there."""
    detail = error.errors(include_url=False)[0]
    key = "".join(f"{part}." for part in detail["loc"])[:_LONGEST].removesuffix(".")
    if detail["type"] == "missing":
        return f"{key}: missing"
    wanted = detail["msg"]
    for theirs, ours in _WORDS:
        wanted = wanted.replace(theirs, ours, 1)
    return f"{key}: {wanted}, found {detail['input']!r:.{_LONGEST}}".removeprefix(": ")
