"""Reading a profile's file.  Any content is answered in bounded time and memory, an invalid one with a sentence."""

from __future__ import annotations

import errno
import os
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

from harness.errors import ProfileError
from harness.system.toml import MOST_DOTS, costly_line

LARGEST: Final = 1024 * 1024
"""Bytes of a profile; the built-in ones have 3,000."""
DEEPEST: Final = 12
"""Tables and lists within each other; a variant's number is four deep."""

_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device file"),
    (stat.S_ISBLK, "a device file"),
)


def look(text: str) -> tuple[Path, int]:
    """``text`` as a path, and the mode of what is there (0: nothing); ProfileError if it cannot be looked at."""
    try:
        path = Path(text).expanduser()
        return path, path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return path, 0
        raise _unreadable(text, error) from None
    except (RuntimeError, ValueError) as error:  # ~nobody; a NUL byte
        raise ProfileError(f"{text!r} is not a path: {error}", "give the path of a profile") from None


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of the file; ProfileError with the reason if it cannot be a profile."""
    return parse_toml(path, _text(path, _octets(path)))


def parse_toml(path: Path, text: str) -> dict[str, Any]:
    """The tables of ``text``, the content of ``path``; ProfileError if it is not TOML."""
    _check_lines(path, text)
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise _too_deep(path) from None
    except ValueError as error:  # TOMLDecodeError, and what int() says of a number with 5,000 digits
        raise ProfileError(f"{path}: is not TOML: {error}", _hint(str(error))) from None
    if _depth(table) > DEEPEST:
        raise _too_deep(path)
    return table


def _octets(path: Path) -> bytes:
    try:
        # Not blocking: a named pipe would let us wait for a writer for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:  # noqa: PTH123 - a descriptor
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise no_file(path, found.st_mode)
            octets = file.read(LARGEST + 1)
    except OSError as error:
        raise _unreadable(str(path), error) from None
    if len(octets) > LARGEST:
        size = max(found.st_size, len(octets))
        raise ProfileError(f"{path}: is not a profile: it has {size:,} bytes", f"at most {LARGEST:,} are read")
    return octets


def no_file(path: Path, mode: int) -> ProfileError:
    """The error for a path to something other than a file."""
    kind = next((name for test, name in _KINDS if test(mode)), "something else")
    return ProfileError(f"{path}: is {kind}, not a file", "a device profile is a TOML file")


def _text(path: Path, octets: bytes) -> str:
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ProfileError(f"{path}: is UTF-16, not UTF-8 text", "save it as UTF-8")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ProfileError(f"{path}: is not UTF-8 text (line {line})", "a device profile is a TOML file") from None


def _check_lines(path: Path, text: str) -> None:
    if number := costly_line(text):
        raise ProfileError(f"{path}: line {number} has more than {MOST_DOTS} dots", "expected three at most")


def _depth(table: dict[str, Any]) -> int:
    depth, level = 0, [list(table.values())]
    while level and depth <= DEEPEST:
        depth += 1
        inner = [value for values in level for value in values if isinstance(value, (dict, list))]
        level = [list(value.values()) if isinstance(value, dict) else value for value in inner]
    return depth


def _too_deep(path: Path) -> ProfileError:
    return ProfileError(f"{path}: has tables or lists nested more than {DEEPEST} deep", "see docs/profile.md")


def _hint(error: str) -> str:
    # tomllib has no other sign of it than its words (Python 3.11).  If they change, only this hint is lost.
    if error.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate", "Cannot redefine")):
        return "a key or a table is defined twice: keep one of them"
    return "see https://toml.io; strings need quotes"


def _unreadable(text: str, error: OSError) -> ProfileError:
    if error.errno == errno.ELOOP:
        return ProfileError(f"{text}: is a symbolic link that leads back to itself", "give the path of the file itself")
    if error.errno == errno.ENAMETOOLONG:
        return ProfileError(f"{text[:60]}...: is too long for a path", "give the path of a profile")
    return ProfileError(f"{text}: cannot be read: {error.strerror}", "check the path and its permissions")
