"""Filling ``{name}`` placeholders: values go in as data, never through a shell or a format language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

START: Final = frozenset({"python", "address", "host", "port", "folder", "here", "suite", "backup", "peer", "exchange"})
"""What a profile's argv, env and control address may name."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+)\}")


def names_in(text: str) -> frozenset[str]:
    """The placeholders in ``text``.  Other braces, as JSON has them, are no placeholders."""
    return frozenset(_PLACEHOLDER.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its placeholders filled in, once: a value that looks like a placeholder stays as it is.

    A placeholder without a value stays as well, which the profile's validation has ruled out before.
    """
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
