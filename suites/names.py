"""The vocabulary of plans in which a Contact has a name: its servers, as the lab's resolver names them (RFC 3263 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from harness.judge.say import unseen
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.net.address import Transport

NAMED: Final = "<sip:9{token}@{domain}>"
OVER: Final[tuple[Transport, ...]] = ("udp", "tcp")
"""The transports by which a name is asked for.  By which of them it is reached is for NAPTR and SRV to say."""
_NAPTR: Final[Mapping[str, str]] = {"udp": "SIP+D2U", "tcp": "SIP+D2T"}


def servers(transport: Transport, **priorities: int) -> tuple[str, ...]:
    """NAPTR, SRV and address records of ``{domain}``: the endpoints of these names, each with its priority.

    Those of one priority share the calls evenly.
    """
    service = f"_sip._{transport}.{{domain}}"
    naptr = f'{{domain}} NAPTR 10 10 "s" "{_NAPTR[transport]}" "" {service}'
    srv = (f"{service} SRV {priority} 50 {{{name}.port}} {name}.{{domain}}" for name, priority in priorities.items())
    return (naptr, *srv, *(f"{name}.{{domain}} {{{name}.record}}" for name in priorities))


def not_asked(flow: Flow) -> Finding | None:
    """That a device which follows redirections never asked the lab about the name: nothing shows how it resolves it."""
    if flow.lookups or all(control.seat_kind != "target" for control in flow.controls):
        return None
    return unseen(
        "the lab's resolver was asked nothing: does the device have it as its name server?", code="resolver-not-asked"
    )
