"""Who the device is on one transport: the header values that name it."""

from __future__ import annotations

from dataclasses import dataclass

from .sip_uri import Address
from .wire import Fields

PRODUCT = "sipverdict-reference"
METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO")
SDP_TYPE = "application/sdp"

_RTP_PORT = 40000


@dataclass(frozen=True, slots=True)
class Identity:
    """The device's address on one transport, and those on the others that it has."""

    local: Address
    others: tuple[Address, ...] = ()

    @property
    def transports(self) -> tuple[str, ...]:
        """What it can send by."""
        return tuple(dict.fromkeys(address.transport for address in (self.local, *self.others)))

    def towards(self, destination: Address) -> Identity:
        """Return who it is to somebody who is reached by another transport, or over the other IP family."""
        everywhere = (self.local, *self.others)
        mine = [address for address in everywhere if address.carrier == destination.carrier]
        mine += [address for address in everywhere if address.transport == destination.transport]
        return Identity(mine[0], everywhere) if mine else self

    @property
    def host(self) -> str:
        """The device's host."""
        return self.local.host

    @property
    def uri_host(self) -> str:
        """The device's host as URIs write it."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def contact(self) -> str:
        """The value of its Contact header."""
        return f"<sip:reference@{self.local.in_uri}>"

    @property
    def capabilities(self) -> Fields:
        """What it understands: no extension, which is what an empty Supported says (20.37)."""
        return (("Allow", ", ".join(METHODS)), ("Supported", ""))

    def via(self, branch: str) -> str:
        """Return the value of the Via header of a request."""
        return f"SIP/2.0/{self.local.transport.upper()} {self.local.host_port};branch={branch};rport"

    def sdp(self, version: int = 1, direction: str = "sendrecv") -> bytes:
        """Return a session of one PCMU stream. No RTP is ever sent."""
        kind = "IP6" if ":" in self.host else "IP4"
        lines = (
            "v=0",
            f"o=reference 1 {version} IN {kind} {self.host}",
            "s=-",
            f"c=IN {kind} {self.host}",
            "t=0 0",
            f"m=audio {_RTP_PORT} RTP/AVP 0",
            "a=rtpmap:0 PCMU/8000",
            f"a={direction}",
            "",
        )
        return "\r\n".join(lines).encode()


def answering_direction(offer: bytes) -> str:
    """Return the direction that answers an offer's (RFC 3264 section 6.1)."""
    for direction, answer in ((b"sendonly", "recvonly"), (b"recvonly", "sendonly"), (b"inactive", "inactive")):
        if b"a=" + direction in offer:
            return answer
    return "sendrecv"
