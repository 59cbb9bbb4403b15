"""The suite's own responses: to REGISTER, to keepalives, and to requests that belong to no plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from harness.net.address import Address
from harness.sip.message import SipMessage


@dataclass(frozen=True)
class Reply:
    """A final response, without the parts copied from the request."""

    status: int
    reason: str
    lines: tuple[str, ...] = ()
    """Further complete header lines."""


OVER: Final = Reply(480, "This Test Is Over")
_NO_CALL: Final = Reply(481, "Call/Transaction Does Not Exist")
_THERE: Final = Reply(200, "OK", ("Accept: application/sdp",))


def refusal(request: SipMessage, unknown: Reply = OVER) -> Reply | None:
    """What a request gets that belongs to no drive that is going on; ``unknown``: an INVITE.  None: no answer."""
    if request.method is None or request.method == "ACK":
        return None
    if request.method == "OPTIONS":
        return _THERE
    return unknown if request.method == "INVITE" else _NO_CALL


def written(reply: Reply, request: SipMessage, source: Address, tag: str) -> bytes:
    """The response to ``request``, which came from ``source`` (RFC 3261 8.2.6, RFC 3581 section 4)."""
    lines = [f"SIP/2.0 {reply.status} {reply.reason}", *_vias(request, source)]
    for name in ("From", "To", "Call-ID", "CSeq"):
        value = request.header(name) or ""
        lines.append(f"{name}: {value};tag={tag}" if name == "To" and request.to_tag is None else f"{name}: {value}")
    return "\r\n".join([*lines, *reply.lines, "Server: sipverdict", "Content-Length: 0", "", ""]).encode("latin-1")


def _vias(request: SipMessage, source: Address) -> Iterable[str]:
    for number, via in enumerate(request.vias):
        # A phone behind a NAT learns its public address from this.
        yield f"Via: {via.with_source(source.host, source.port) if number == 0 else via.text}"
