"""Secrets of a profile: named there, kept elsewhere, read when they are needed, and never told.

A profile only says where a secret is: in a variable of the environment or in a file.  What was read is handed to the
device and to nothing else; :func:`told_by_nobody` lists what has to be blanked out of whatever is said about it.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

from pydantic import BaseModel

from harness.device.profile.placeholders import secrets_in
from harness.errors import ProfileError
from harness.system.environment import inherited

if TYPE_CHECKING:
    from harness.device.profile.models import Profile, SecretReference

LARGEST: Final = 64 * 1024
"""Bytes of a secret's file."""
_SECRET_NAME: Final = re.compile(r"passw|secret|token|credential|api_?key", re.IGNORECASE)
LEAST: Final = 6
"""Letters from which on a secret is told from what happens to look like it: a tag, a number, a word."""


def sounds_secret(name: str) -> bool:
    """Whether what goes by this name is a secret: its value is blanked, wherever it stands."""
    return _SECRET_NAME.search(name) is not None


def read(source: Path, name: str, reference: SecretReference) -> str:
    """The secret; ProfileError naming ``source``, the key and the variable or file if there is none."""
    key = f"{source}: secrets.{name}"
    value = _of_variable(key, reference.env) if reference.env is not None else _of_file(key, source, reference.file)
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ProfileError(f"{key}: expected one line without control characters", f"look at {reference}")
    return value


def _of_variable(key: str, variable: str) -> str:
    if value := os.environ.get(variable, ""):
        return value
    state = "is empty" if variable in os.environ else "is not set"
    raise ProfileError(f"{key}: the environment variable {variable} {state}", f"export {variable}=... before the run")


def _of_file(key: str, source: Path, name: str | None) -> str:
    path = source.parent / Path(name or "").expanduser()
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ProfileError(f"{key}: {path} is no file", "name a file whose only line is the secret")
        if found.st_mode & stat.S_IROTH:
            raise ProfileError(f"{key}: everybody on this machine can read {path}", f"chmod o-r {path}")
        if found.st_size > LARGEST:
            raise ProfileError(f"{key}: {path} is too large for a secret", "name a file whose only line is the secret")
        value = path.read_bytes().decode("utf-8-sig").rstrip("\r\n")
    except OSError as error:
        hint = "the path is relative to the profile's folder; look at its permissions"
        raise ProfileError(f"{key}: {path} cannot be read: {error.strerror}", hint) from None
    except UnicodeDecodeError:
        raise ProfileError(f"{key}: {path} is not UTF-8 text", "name a file whose only line is the secret") from None
    if not value:
        raise ProfileError(f"{key}: {path} is empty", "write the secret into it, as its only line")
    return value


class Secrets:
    """What configuration templates know as ``secret``: each is read when it is asked for."""

    def __init__(self, profile: Profile) -> None:
        self.__profile = profile  # mangled: jinja2 looks for attributes first, and any name may be that of a secret

    def __getitem__(self, name: str) -> str:
        if name not in self.__profile.secrets:
            raise KeyError(name)
        return self.__profile.secret(name)

    def __repr__(self) -> str:
        return f"<secrets {', '.join(self.__profile.secrets) or 'none'}>"


def undeclared(profile: Profile) -> Iterator[tuple[str, str]]:
    """Every ``{secret:NAME}`` of the profile that [secrets] does not have, as (dotted key, what is wrong)."""
    for key, value in _values(profile):
        for name in sorted(secrets_in(str(value)) - set(profile.secrets)):
            known = ", ".join(f"{{secret:{each}}}" for each in sorted(profile.secrets)) or "none"
            yield key, f"{{secret:{name}}} is not declared; expected a key of [secrets]; there are {known}"


def unavailable(profile: Profile) -> tuple[str, ...]:
    """What is wrong with the secrets that cannot be read now, one sentence each."""
    return tuple(str(error.cause) for _, error in _tried(profile) if isinstance(error, ProfileError))


def declared(profile: Profile) -> frozenset[str]:
    """The secrets that the profile has: those of [secrets] that can be read, and what stands in it under a name that
    sounds secret."""
    inline = {str(value) for key, value in _values(profile) if sounds_secret(_name(key)) and not secrets_in(str(value))}
    return frozenset(inline | {value for value, error in _tried(profile) if error is None}) - {""}


def told_by_nobody(profile: Profile) -> tuple[str, ...]:
    """All that no message may hold: the secrets of the profile and of the suite's own environment in all spellings,
    longest first."""
    # A short value of the suite's own environment is a switch ("true"), and would blank out every such word.
    found = {value for name, value in inherited().items() if sounds_secret(name) and len(value) >= LEAST}
    return longest_first(found | declared(profile))


def longest_first(secrets: Iterable[str]) -> tuple[str, ...]:
    """All spellings of ``secrets``, so ordered that the whole is found before its parts."""
    return tuple(sorted({each for secret in secrets for each in spellings(secret)}, key=len, reverse=True))


def spellings(value: str) -> set[str]:
    """``value`` and what becomes of it in a URL, a form, JSON, XML, a Python string or Base64."""
    found = {value, quote(value, safe=""), quote(value), quote_plus(value), html.escape(value)}
    found |= {
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        ascii(value)[1:-1],
    }
    octets = value.encode("utf-8", "surrogateescape")
    if len(octets) >= LEAST:
        # What stands before it (``user:``) moves it by 0, 1 or 2 bytes; the letters that depend on neighbours are cut.
        for before in range(3):
            encoded = base64.b64encode(b"\0" * before + octets).rstrip(b"=").decode()
            found.add(encoded[(0, 2, 3)[before] : len(encoded) - (((before + len(octets)) % 3) > 0)])
    return found


def without_secrets(values: Mapping[str, Any], mask: str = "***") -> dict[str, Any]:
    """``values`` (a profile's ``pixit``) as they may be shown: those whose names sound secret are masked."""
    return {name: mask if sounds_secret(name) else value for name, value in values.items()}


def _tried(profile: Profile) -> Iterator[tuple[str, ProfileError | None]]:
    for name in profile.secrets:
        try:
            yield profile.secret(name), None
        except ProfileError as error:
            yield "", error


def _values(profile: Profile) -> Iterator[tuple[str, str | int | float]]:
    """Every value of the tables in which a secret may stand, with its dotted key."""
    for name in ("pixit", "lab", "process", "stimulus"):
        yield from _leaves(getattr(profile, name), name)


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
    """The last part of a dotted key that is a name, and no place in a list."""
    return next((part for part in reversed(key.split(".")) if not part.isdecimal()), "")
