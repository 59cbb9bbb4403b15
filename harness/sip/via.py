"""Reading Via values (RFC 3261 20.42): the only place that does, besides the reference device with its own parser.

A value is kept as written, for what a device writes is evidence.  Nothing here raises on a device's bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

_VALUE: Final = re.compile(
    r"\s*SIP\s*/\s*2\.0\s*/\s*(?P<transport>[^\s/;,]+)\s+"
    r"(?P<host>\[[^\]\s]*\]|[^\s:;,\[\]]+)(?:\s*:\s*(?P<port>[0-9]{1,5}))?\s*(?=;|\Z)",
    re.IGNORECASE,
)
_PARAMETER: Final = re.compile(
    r';\s*(?P<name>[^\s=;,"]+)(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|(?P<value>[^;,\s"]*)))?', re.DOTALL
)
_RECEIVED: Final = re.compile(r"\s*;\s*received\s*=\s*[^;,\s]*", re.IGNORECASE)
_RPORT_ASKED: Final = re.compile(r";\s*rport\s*(?=[;,]|\Z)", re.IGNORECASE)
_RPORT: Final = re.compile(r";\s*rport\s*(?=[;,=]|\Z)", re.IGNORECASE)
_RPORT_ANSWERED: Final = re.compile(r";\s*rport\s*=\s*[0-9]*", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"TLS": 5061, "WS": 80, "WSS": 443}


@dataclass(frozen=True)
class Via:
    """One Via value, ``text`` as written.  What cannot be read of it is "" or None."""

    text: str

    @cached_property
    def _value(self) -> re.Match[str] | None:
        return _VALUE.match(self.text)

    @property
    def readable(self) -> bool:
        """Whether it names a transport and a host."""
        return self._value is not None

    @property
    def transport(self) -> str:
        """The transport in capital letters, as in ``UDP``."""
        return self._value["transport"].upper() if self._value else ""

    @property
    def host(self) -> str:
        """The host as written, an IPv6 address in its brackets."""
        return self._value["host"] if self._value else ""

    @property
    def port(self) -> int | None:
        """The port; None if it is not written."""
        return int(self._value["port"]) if self._value and self._value["port"] else None

    @property
    def sent_by(self) -> tuple[str, str, int | None]:
        """Transport, host and port by which a transaction is matched; the transport's port if none is written (18.2.1).

        Of an unreadable value: nothing but its whole text.
        """
        if not self._value:
            return "", self.text, None
        port = _DEFAULT_PORTS.get(self.transport, 5060) if self.port is None else self.port
        return self.transport, self.host.lower(), port

    @cached_property
    def _values(self) -> dict[str, str]:
        """The values of the parameters that have an unquoted one; the first of those with one name."""
        # Searched for in the whole text: an unreadable value may have readable parameters.
        found = list(_PARAMETER.finditer(self.text))
        return {each["name"].lower(): each["value"] for each in reversed(found) if each["value"] is not None}

    @property
    def branch(self) -> str | None:
        """The branch; None without one."""
        return self._values.get("branch")

    @property
    def maddr(self) -> str | None:
        """The address to which the response goes instead (RFC 3261 18.2.2); None without one."""
        return self._values.get("maddr")

    @property
    def received(self) -> str | None:
        """The address that the request was seen to come from, without brackets (18.2.1); None without one."""
        value = self._values.get("received")
        return None if value is None else value.strip("[]").lower()

    @property
    def rport(self) -> str | None:
        """The value of ``rport``; None without one, be it asked for or not (RFC 3581)."""
        return self._values.get("rport") or None

    @property
    def asks_for_rport(self) -> bool:
        """Whether its sender wants the response where the request came from (RFC 3581 section 3)."""
        return _RPORT.search(self.text) is not None

    @property
    def has_source(self) -> bool:
        """Whether it says where the message was seen to come from: by ``received`` or a value of ``rport``."""
        return not self._values.keys().isdisjoint({"received", "rport"})

    def without_source(self) -> str:
        """The text without ``received`` and without a value of ``rport``: as its sender wrote it."""
        return _RPORT_ANSWERED.sub(";rport", _RECEIVED.sub("", self.text))

    def with_source(self, host: str, port: int) -> str:
        """The text with ``received`` and the value of ``rport``, if its sender asks for it (RFC 3581 section 4)."""
        return _RPORT_ASKED.sub(f";rport={port};received={host}", self.text, count=1)
