"""Regular expressions of a profile: they find refusals and the ids of calls in a device's replies."""

from __future__ import annotations

import re


def regex(text: str) -> str:
    """``text`` if it is a regular expression; ValueError if not."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    return text


def id_regex(text: str) -> str:
    """``text`` if it is a regular expression with one group; ValueError if not."""
    if re.compile(regex(text)).groups != 1:
        raise ValueError("expected a regular expression with exactly one group: the value of {id}")
    return text


def found_by(pattern: str, text: str) -> str | None:
    """The group of ``pattern`` in ``text``; None if it does not match."""
    found = re.search(pattern, text)
    return found[1] if found and found.groups() else None
