"""The secrets of a profile: which texts are confidential, and how they may be spelled where they must be blanked.

A profile only names the place of a secret: a variable of the environment or a file.  A secret that was read is handed
to the device only.  :func:`all_confidential_texts` lists what every message and log must blank.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

from pydantic import BaseModel

from harness.device.tables.placeholders import secrets_in
from harness.device.tables.profile_tables import ProfileTables
from harness.errors import ProfileError
from harness.system.environment import inherited

_SECRET_NAME: Final = re.compile(r"passw|secret|token|credential|api_?key", re.IGNORECASE)
_TABLES_WITH_SECRETS: Final = frozenset({"pixit", "lab", "process", "stimulus"})
MIN_LENGTH: Final = 6
"""Letters.  A shorter secret cannot be distinguished from other text that looks the same: a tag, a number, a word."""


def sounds_secret(name: str) -> bool:
    """Whether the value of a key of this name is confidential."""
    return _SECRET_NAME.search(name) is not None


class Secrets:
    """The variable ``secret`` of configuration templates: each secret is read when a template uses it."""

    def __init__(self, profile: ProfileTables) -> None:
        self.__profile = profile  # mangled: jinja2 looks for attributes first, and any name may be that of a secret

    def __getitem__(self, name: str) -> str:
        if name not in self.__profile.secrets:
            raise KeyError(name)
        return self.__profile.secret(name)

    def __repr__(self) -> str:
        return f"<secrets {', '.join(self.__profile.secrets) or 'none'}>"


def undeclared_references(profile: ProfileTables) -> Iterator[tuple[str, str]]:
    """Every ``{secret:NAME}`` in the profile without its entry in [secrets], as (dotted key, what is wrong)."""
    for key, value in _values(profile):
        for name in sorted(secrets_in(str(value)) - set(profile.secrets)):
            known = ", ".join(f"{{secret:{each}}}" for each in sorted(profile.secrets)) or "none"
            yield key, f"{{secret:{name}}} is not declared; expected a key of [secrets]; there are {known}"


def secret_values(profile: ProfileTables) -> frozenset[str]:
    """The readable secrets of [secrets], and every value of the profile whose key sounds secret."""
    inline = {str(value) for key, value in _values(profile) if sounds_secret(_name(key)) and not secrets_in(str(value))}
    return frozenset(inline | set(_readable(profile))) - {""}


def all_confidential_texts(profile: ProfileTables) -> tuple[str, ...]:
    """The secrets of the profile and of the suite's own environment in all spellings, longest first."""
    # A short value of the suite's own environment is a switch ("true"), and would blank out every such word.
    found = {value for name, value in inherited().items() if sounds_secret(name) and len(value) >= MIN_LENGTH}
    return all_spellings(found | secret_values(profile))


def all_spellings(secrets: Iterable[str]) -> tuple[str, ...]:
    """All spellings of ``secrets``, longest first: a whole secret is blanked before another that is part of it."""
    return tuple(sorted({each for secret in secrets for each in spellings(secret)}, key=len, reverse=True))


def spellings(value: str) -> set[str]:
    """``value`` as it is, and as written in a URL, a form, JSON, XML, a Python string or Base64."""
    found = {value, quote(value, safe=""), quote(value), quote_plus(value), html.escape(value)}
    found |= {
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        ascii(value)[1:-1],
    }
    octets = value.encode("utf-8", "surrogateescape")
    if len(octets) >= MIN_LENGTH:
        # A text before it (``user:``) shifts it by 0, 1 or 2 bytes.  Letters that depend on neighbours are cut off.
        for before in range(3):
            encoded = base64.b64encode(b"\0" * before + octets).rstrip(b"=").decode()
            found.add(encoded[(0, 2, 3)[before] : len(encoded) - (((before + len(octets)) % 3) > 0)])
    return found


def _readable(profile: ProfileTables) -> Iterator[str]:
    for name in profile.secrets:
        with contextlib.suppress(ProfileError):
            yield profile.secret(name)


def _values(profile: ProfileTables) -> Iterator[tuple[str, str | int | float]]:
    """Every value of the tables that may hold a secret, with its dotted key."""
    for name, table in profile:
        if name in _TABLES_WITH_SECRETS:
            yield from _leaves(table, name)


def _leaves(value: object, key: str) -> Iterator[tuple[str, str | int | float]]:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield key, value
    elif isinstance(value, BaseModel):
        yield from _leaves(value.model_dump(), key)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _leaves(part, f"{key}.{name}")
    elif isinstance(value, (tuple, list)):
        for index, part in enumerate(value):
            yield from _leaves(part, f"{key}.{index}")


def _name(key: str) -> str:
    """The last part of a dotted key that is a name, not an index of a list."""
    return next((part for part in reversed(key.split(".")) if not part.isdecimal()), "")
