"""Reading Reason values (RFC 3326, RFC 8606): the only place that does, besides the reference device's own parser.

``SIP;cause=603;text="v=analytics1;url=https://redress.example";location=TN``.  A value is kept as written, for what a
device writes is evidence.  Nothing here raises on a device's bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from harness.sip.address import split_outside
from harness.sip.message import SipMessage

LOCATIONS: Final = frozenset(
    {"U", "LPN", "LN", "TN", "RLN", "RPN", "LOC-6", "INTL", "LOC-8", "LOC-9", "BI"}
    | {f"LOC-{number}" for number in range(11, 16)}
)
"""What ``location`` may say (RFC 8606 section 4)."""
_TOKEN: Final = r"[-A-Za-z0-9.!%*_+`'~]+"
_QUOTED: Final = re.compile(r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x00-\x09\x0b\x0c\x0e-\x7f])*"', re.DOTALL)
_PLAIN: Final = re.compile(rf"{_TOKEN}|\[[0-9A-Fa-f:.]+\]")
_NAME: Final = re.compile(_TOKEN)
_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a Reason value."""

    name: str
    """In lower case: names compare so (RFC 3261 7.3.1)."""
    written: str | None
    """What stands after the ``=``, quotation marks included; None without ``=``."""

    @property
    def quoted(self) -> bool:
        """Whether its value is a quoted string by the grammar."""
        return self.written is not None and _QUOTED.fullmatch(self.written) is not None

    @property
    def value(self) -> str:
        """Its value without quotation marks and escapes; "" without one."""
        if self.quoted and self.written:
            return _PAIR.sub(r"\1", self.written[1:-1])
        return self.written or ""

    @property
    def compared(self) -> str:
        """Its value as it compares: blanks of any length are one (RFC 3261 25.1), tokens have no case."""
        return _BLANKS.sub(" ", self.value) if self.quoted else self.value.lower()


@dataclass(frozen=True)
class Flaw:
    """Something in a Reason that its grammar does not allow."""

    code: str
    text: str
    clause: str


@dataclass(frozen=True)
class ReasonValue:
    """One value of a Reason header, ``text`` as written.  What cannot be read of it is "" or None."""

    text: str

    @cached_property
    def _parts(self) -> list[str]:
        return split_outside(self.text, ";", brackets=False)

    @property
    def protocol(self) -> str:
        """The protocol as written: ``SIP``, ``Q.850`` …"""
        return self._parts[0].strip()

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in order, the unreadable ones too."""
        found = []
        for part in self._parts[1:]:
            name, equals, value = part.partition("=")
            found.append(Parameter(name.strip().lower(), value.strip() if equals else None))
        return tuple(found)

    def parameter(self, name: str) -> Parameter | None:
        """The first parameter called ``name`` (lower case); None without one."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    def speaks(self, protocol: str, cause: int) -> bool:
        """Whether it is of ``protocol`` (in any case) and names ``cause``."""
        return self.protocol.lower() == protocol.lower() and self.cause == cause

    @property
    def cause(self) -> int | None:
        """The cause; None if there is none, or no number."""
        found = self.parameter("cause")
        number = found.value if found else ""
        return int(number) if number.isascii() and number.isdecimal() and len(number) < 9 else None

    @property
    def explanation(self) -> str:
        """``text`` without quotation marks and escapes; "" without one."""
        found = self.parameter("text")
        return found.value if found else ""

    @property
    def location(self) -> str | None:
        """``location`` as written (RFC 8606); None without one."""
        found = self.parameter("location")
        return found.value if found else None

    @property
    def key(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """What it compares by: another order of parameters, other blanks and case of names change nothing."""
        return self.protocol.lower(), frozenset((each.name, each.compared) for each in self.parameters)

    def flaws(self) -> Iterator[Flaw]:
        """What its grammar does not allow."""
        if not _NAME.fullmatch(self.protocol):
            yield Flaw("no-protocol", f"{self.protocol[:40]!r} is no protocol", "RFC 3326 §2")
        if _CONTROL.search(self.text):
            yield Flaw("control-character", "it holds a control character, which no field value may", "RFC 3261 §25.1")
        if "\ufffd" in self.text:
            yield Flaw("not-utf-8", "its bytes are no UTF-8", "RFC 3261 §25.1")
        names = [parameter.name for parameter in self.parameters]
        for name in dict.fromkeys(names):
            if names.count(name) > 1 and name:
                yield Flaw("parameter-twice", f"{name[:40]} stands in it {names.count(name)} times", "RFC 3261 §7.3.1")
        for parameter in self.parameters:
            if why := _unreadable(parameter):
                yield Flaw("parameter-unreadable", why, "RFC 3326 §2")


def unknown_location(value: ReasonValue) -> Iterator[Flaw]:
    """The flaw of a ``location`` that RFC 8606 does not know."""
    if value.location is not None and value.location.upper() not in LOCATIONS:
        yield Flaw("unknown-location", f"location={value.location[:40]} is none of RFC 8606", "RFC 8606 §4")


def _unreadable(parameter: Parameter) -> str:
    """Why the grammar does not allow ``parameter``; "" if it does."""
    shown = f"{parameter.name[:40]}={(parameter.written or '')[:60]}"
    if not _NAME.fullmatch(parameter.name):
        return f"{shown!r} has no name" if parameter.name or parameter.written else "it has an empty parameter"
    if parameter.written is None:
        return f"{parameter.name} has no value" if parameter.name in ("text", "cause") else ""
    if parameter.written.startswith('"') and not parameter.quoted:
        return f"the quotation marks of {shown} are not balanced, or hold what may not stand between them"
    if parameter.name == "text" and not parameter.quoted:
        return f"{shown} is no quoted string"
    if parameter.name == "cause" and not re.fullmatch(r"[0-9]+", parameter.written):
        return f"{shown} is no number"
    if not parameter.quoted and not _PLAIN.fullmatch(parameter.written):
        return f"{shown} is neither a token nor a quoted string"
    return ""


def reasons(message: SipMessage) -> tuple[ReasonValue, ...]:
    """The Reason values of ``message``, in order, whether they share a line or not."""
    lines = (split_outside(line, ",", brackets=False) for line in message.headers("Reason"))
    return tuple(ReasonValue(text.strip()) for line in lines for text in line if text.strip())
