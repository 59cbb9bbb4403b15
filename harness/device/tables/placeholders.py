"""Filling ``{name}`` placeholders: values go in as data, never through a shell or a format language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

FURTHER_EXCHANGES: Final = ("exchange_2", "exchange_3", "exchange_4")
START: Final = frozenset(
    [
        "python",
        "address",
        "other_address",
        "inbound_address",
        "inbound_transport",
        "host",
        "port",
        "transport",
        "certificate",
        "authority",
        "folder",
        "here",
        "suite",
        "backup",
        "peer",
        "exchange",
        *FURTHER_EXCHANGES,
        "resolver",
        "resolver_host",
    ]
)
"""What a profile's argv, env and control address may name."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z_0-9]*)\}|\{secret:([^{}]*)\}")


def names_in(text: str) -> frozenset[str]:
    """The placeholders in ``text`` except secrets.  Other braces, as in JSON, are not placeholders."""
    return frozenset(name for name, _ in _PLACEHOLDER.findall(text) if name)


def secrets_in(text: str) -> frozenset[str]:
    """The names of the secrets that ``text`` asks for by ``{secret:NAME}``."""
    return frozenset(found[2] for found in _PLACEHOLDER.finditer(text) if found[2] is not None)


def fill(text: str, values: Mapping[str, str], secret: Callable[[str], str] | None = None) -> str:
    """``text`` with its placeholders filled in, once: a value that looks like a placeholder stays as it is.

    ``secret`` returns the secret of a name (``Profile.secret``).  A placeholder without a value stays as it is; the
    profile's validation rejects those of the profile.
    """

    def value(found: re.Match[str]) -> str:
        if found[2] is not None:
            return secret(found[2]) if secret else found[0]
        return values.get(found[1], found[0])

    return _PLACEHOLDER.sub(value, text)
