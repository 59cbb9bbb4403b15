"""The keys of each table of the profile, read from the models: an error names the nearest valid key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel


def tables(model: type[BaseModel], name: str = "") -> dict[str, list[str]]:
    """The keys of ``model`` and of every table within it, by the table's dotted name.

    A table with free keys is listed as ``secrets.*``.
    """
    found = {name: list(model.model_fields)}
    for key, field in model.model_fields.items():
        inner = f"{name}.{key}" if name else key
        for section, free in models_in(field.annotation):
            found |= tables(section, f"{inner}.*" if free else inner)
    return found


def known(tables: dict[str, list[str]], keys: Sequence[str]) -> list[str]:
    """The keys of the table ``keys``; none if the table is unknown."""
    return tables.get(".".join(keys)) or tables.get(".".join([*keys[:-1], "*"]), [])


def models_in(annotation: Any, free: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    """The models that ``annotation`` holds, and whether under a free key of a dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, free
        return
    origin, parts = get_origin(annotation), get_args(annotation)
    for part in parts[:1] if origin is Annotated else parts[1:] if origin is dict else parts:
        yield from models_in(part, free or origin is dict)
