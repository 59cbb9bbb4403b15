"""The base of every table of a profile, the types of its values, and ranges of hosts and ports."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from harness.device.tables import errors
from harness.device.tables.placeholders import START, names_in

REGISTERED = "{registered}"
"""Instead of an address: the address from which the device registers."""


def hosts_in(text: str) -> tuple[str, ...]:
    """The addresses of ``192.0.2.7``, ``192.0.2.7-192.0.2.20`` or the same of IPv6; ValueError for others."""
    kind = ipaddress.IPv6Address if ":" in text else ipaddress.IPv4Address
    first, dash, last = (part.strip() for part in text.partition("-"))
    try:
        low, high = kind(first), kind(last if dash else first)
    except ValueError:
        what = "an IPv6 address without brackets" if ":" in text else "an IPv4 address"
        raise ValueError(f"expected {what}, or two joined by a dash; got {text!r}") from None
    if not 0 <= int(high) - int(low) < 1024:
        raise ValueError(f"expected at most 1024 addresses, the lower one first; got {text!r}")
    return tuple(str(kind(number)) for number in range(int(low), int(high) + 1))


def ports_in(text: str) -> range:
    """The UDP ports of ``20000-20999``; ValueError with what was expected."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not (first.isdecimal() and (last.isdecimal() or not dash)):
        raise ValueError(f"expected a port, or two joined by a dash, as in 20000-20999; got {text!r}")
    low, high = int(first[:6]), int((last if dash else first)[:6])
    if not 0 < low <= high < 65536:
        raise ValueError(f"expected ports from 1 to 65535, the lower one first; got {text!r}")
    return range(low, high + 1)


def _known_placeholders(text: str) -> str:
    for name in sorted(names_in(text) - START):
        raise errors.unknown_placeholder(name, START)
    return text


def regex_with_group(text: str) -> str:
    """``text`` if it is a regular expression with one group; ValueError if not."""
    try:
        compiled = re.compile(text)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    if compiled.groups != 1:
        raise ValueError("expected a regular expression with exactly one group: the version")
    return text


def one_line(text: str) -> str:
    """``text`` if it is a single line; ValueError if not."""
    if not text or any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError("expected one line without control characters")
    return text


# TOML has lists where these models have tuples: only that conversion is allowed, every value keeps its type.
LAX = Field(strict=False)
Filled = Annotated[str, AfterValidator(_known_placeholders)]
Argv = Annotated[tuple[Filled, ...], Field(strict=False, min_length=1)]
CommandArgv = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
Line = Annotated[str, AfterValidator(one_line)]
Seconds = Annotated[float, Field(gt=0, le=600)]


class Section(BaseModel):
    """A table of a profile: unknown keys and values of another type are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def listed(names: Iterable[Any]) -> str:
    """``names``, sorted, for a message."""
    return ", ".join(sorted(map(str, names)))
