"""One value of a Via header: who sent a message, and where the response goes (RFC 3261 18.2.2, 20.42; RFC 3581)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_SENT_BY = re.compile(
    r"\s*SIP\s*/\s*2\.0\s*/\s*(?P<transport>[\w.+-]+)\s+"
    r"(?P<host>\[[^\]\s]*\]|[^:;,\s\[\]]+)(?:\s*:\s*(?P<port>\d{1,5}))?\s*(?P<rest>;.*)?\Z",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Via:
    """The parts of one Via value, as far as they can be read."""

    transport: str
    """In lower case: ``udp``, ``tls`` …"""
    host: str
    """The sent-by host, without brackets."""
    port: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """By name in lower case; "" for one without a value."""

    @classmethod
    def read(cls, value: str) -> Via | None:
        """The Via that ``value`` is; None if its sent-by cannot be read."""
        found = _SENT_BY.match(value)
        if found is None:
            return None
        port = int(found["port"]) if found["port"] else None
        if port is not None and not 0 < port < 65536:
            return None
        parameters: dict[str, str] = {}
        for parameter in (found["rest"] or "").split(";"):
            name, _, text = parameter.partition("=")
            if name.strip():
                parameters.setdefault(name.strip().lower(), text.strip())
        return cls(found["transport"].lower(), found["host"].strip("[]"), port, parameters)
