"""Which keys a table of the profile has, read off the models: so that a wrong one can be told the right one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel


def tables(model: type[BaseModel], name: str = "") -> dict[str, list[str]]:
    """The keys of ``model`` and of every table within it, by the table's dotted name.

    A table whose keys are free (``secrets``) stands for itself as ``secrets.*``.
    """
    found = {name: list(model.model_fields)}
    for key, field in model.model_fields.items():
        inner = f"{name}.{key}" if name else key
        for section, free in models_in(field.annotation):
            found |= tables(section, f"{inner}.*" if free else inner)
    return found


def known(tables: dict[str, list[str]], keys: Sequence[str]) -> list[str]:
    """What may stand in the table ``keys``; nothing if that is not known."""
    return tables.get(".".join(keys)) or tables.get(".".join([*keys[:-1], "*"]), [])


def models_in(annotation: Any, free: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    """The models that ``annotation`` holds, and whether under a free key of a dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, free
        return
    origin, parts = get_origin(annotation), get_args(annotation)
    for part in parts[:1] if origin is Annotated else parts[1:] if origin is dict else parts:
        yield from models_in(part, free or origin is dict)
