"""A SIP URI as text in its parts, and the address to which a request for it is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

Address = tuple[str, int]

DEFAULT_PORT = 5060

_SIP_URI = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[^@\s]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<parameters>(?:;[^;?\s]+)*)(?:\?(?P<headers>\S*))?",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?!$)|$)){4}")


@dataclass(frozen=True, slots=True)
class SipUri:
    """The parts of a ``sip:`` or ``sips:`` URI as they were written; ``user`` includes a password."""

    scheme: str
    user: str | None
    host: str
    port: str | None
    parameters: tuple[str, ...]
    headers: str | None

    @classmethod
    def parse(cls, text: str) -> SipUri:
        """Take the text apart; raises :class:`ValueError` for anything but a SIP URI."""
        match = _SIP_URI.fullmatch(text)
        if match is None:
            raise ValueError(f"not a SIP URI: {text}")
        parameters = tuple(match["parameters"].split(";")[1:])
        return cls(match["scheme"], match["user"], match["host"], match["port"], parameters, match["headers"])

    def __str__(self) -> str:
        user = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f":{self.port}"
        headers = "" if self.headers is None else f"?{self.headers}"
        return f"{self.scheme}:{user}{self.host}{port}{''.join(f';{part}' for part in self.parameters)}{headers}"

    def parameter(self, name: str) -> str | None:
        """Return a URI parameter's value in lower case, empty for a flag, ``None`` where it is absent."""
        for part in self.parameters:
            key, _, value = part.partition("=")
            if key.lower() == name:
                return value.lower()
        return None

    def as_request_uri(self) -> SipUri:
        """Leave out what a Request-URI may not carry: headers and the method parameter (section 19.1.1, table 1)."""
        kept = tuple(part for part in self.parameters if part.partition("=")[0].lower() != "method")
        return replace(self, parameters=kept, headers=None)


def destination_of(uri: str, transport: str = "udp") -> Address | None:
    """Return where a request for the URI goes over this transport, ``None`` where the device cannot reach it.

    RFC 3263 section 4 without DNS: ``maddr`` before the host, numeric hosts only, 5060 where no port is given.
    """
    try:
        sip = SipUri.parse(uri)
    except ValueError:
        return None
    host, port = sip.parameter("maddr") or sip.host, int(sip.port or DEFAULT_PORT)
    wanted = sip.parameter("transport") or "udp"
    if sip.scheme.lower() != "sip" or wanted != transport or not _IPV4.fullmatch(host) or not 0 < port < 65536:
        return None
    return host, port
