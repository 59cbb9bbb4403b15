"""Building a response from its request (RFC 3261 sections 8.2.6, 18.2.1 and 18.2.2; RFC 3581)."""

from __future__ import annotations

import re

from ..headers import split_values
from ..sip_uri import DEFAULT_PORT, Address, bare
from ..wire import Fields, InboundRequest, OutboundResponse

_RPORT = re.compile(r";\s*rport(?=\s*(?:;|$))", re.IGNORECASE)


def build_response(
    request: InboundRequest, code: int, reason: str, tag: str, fields: Fields, body: bytes
) -> OutboundResponse:
    """Copy what a response repeats; a To without a tag gets ``tag``, except in a 100."""
    to = request.headers["To"]
    if tag and not request.to_tag and code > 100:
        to = f"{to};tag={tag}"
    head: Fields = (
        *(("Via", via) for via in echoed_vias(request)),
        ("From", request.headers["From"]),
        ("To", to),
        ("Call-ID", request.call_id),
        ("CSeq", str(request.cseq)),
    )
    return OutboundResponse(code, reason, head + fields, body, response_destination(request))


def echoed_vias(request: InboundRequest) -> list[str]:
    """Return the Vias as they came, with ``received`` and ``rport`` filled in on top."""
    top, *rest = split_values(request.headers.getlist("Via"))
    host, port, *_ = request.source
    asked = _RPORT.search(top) is not None
    if asked:
        top = _RPORT.sub(f";rport={port}", top, count=1)
    if asked or bare(request.vias[0].host) != host:
        top += f";received={host}"
    return [top, *rest]


def response_destination(request: InboundRequest) -> Address:
    """Return where the response goes: back where the request came from, to the port that the Via asks for."""
    via = request.vias[0]
    if "rport" in via.parameters or request.source.transport != "udp":
        # On a stream the response goes back on the connection of the request.
        return request.source
    return Address(bare(via.parameters.get("maddr") or request.source.host), via.port or DEFAULT_PORT)
