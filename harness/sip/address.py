"""Reading addresses with parameters (RFC 3261 20.10, 25.1): ``"name" <uri>;parameter``, or a URI without brackets.

A separator in quotes or angle brackets separates nothing.  :func:`split_outside` is the one place that knows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_DISPLAY_NAME: Final = re.compile(r"\s*(?:\"(?:[^\"\\]|\\.)*\"|[-A-Za-z0-9.!%*_+`'~ \t]*)\s*", re.DOTALL)
_TOKEN: Final = r"[-A-Za-z0-9.!%*_+`'~]+"
_PARAMETER: Final = re.compile(
    rf"\s*(?P<name>{_TOKEN})\s*"
    rf"(?:=\s*(?P<value>\"(?:[^\"\\]|\\.)*\"|{_TOKEN}|\[[0-9A-Fa-f:.]+\])\s*)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class NameAddr:
    """One address as written, and its parameters, which are not the URI's."""

    uri: str
    bracketed: bool
    closed: bool = True
    """False: an angle bracket has no partner."""
    display_name: str = ""
    readable_name: bool = True
    """Whether what stands before the bracket is a display name by the grammar."""
    parameters: tuple[str, ...] = ()
    """``name=value`` each, as written; a separator in quotes ends none."""
    surplus: str = ""
    """What stands between the URI and the first parameter and is neither."""

    @classmethod
    def parse(cls, value: str) -> NameAddr:
        """``value`` taken apart; nothing is refused."""
        head, *parameters = split_outside(value, ";")
        opened, closed = _bracket(head, "<"), -1
        if opened >= 0:
            closed = head.find(">", opened)
        if opened < 0 or closed < 0:
            bare = opened < 0 and _bracket(head, ">") < 0
            return cls(head.strip(), False, bare, parameters=tuple(parameters))
        name = head[:opened]
        return cls(
            head[opened + 1 : closed].strip(),
            True,
            display_name=name.strip(),
            readable_name=_DISPLAY_NAME.fullmatch(name) is not None,
            parameters=tuple(parameters),
            surplus=head[closed + 1 :].strip(),
        )

    @property
    def unreadable_parameters(self) -> tuple[str, ...]:
        """The parameters that the grammar does not allow."""
        return tuple(text.strip() for text in self.parameters if not _PARAMETER.fullmatch(text))

    def values(self) -> dict[str, str]:
        """The value of each parameter by its name in lower case, "" without one; the first of those with one name."""
        pairs = (text.partition("=") for text in reversed(self.parameters))
        return {name.strip().lower(): value.strip() for name, _, value in pairs}


def split_outside(text: str, separator: str, *, brackets: bool = True) -> list[str]:
    """``text`` at every ``separator`` that is neither in a quoted string nor in angle brackets.

    ``brackets`` is False where they mean nothing, as in a Reason (RFC 3326).
    """
    parts, start, quoted, bracketed, escaped = [], 0, False, False, False
    for place, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = char == "\\", char != '"'
        elif char == '"' and not bracketed:
            quoted = True
        elif brackets and char in "<>":
            bracketed = char == "<"
        elif char == separator and not bracketed:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def _bracket(text: str, bracket: str) -> int:
    """Where the first ``bracket`` outside of a quoted string is; -1 if there is none."""
    head = split_outside(text.replace("<", "\0").replace(">", "\0"), "\0")
    at = 0
    for part in head[:-1]:
        at += len(part)
        if text[at] == bracket:
            return at
        at += 1
    return -1
