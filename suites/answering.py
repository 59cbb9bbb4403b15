"""Plans in which a caller is refused or redirected, by role.

A device that answers calls itself refuses by the number that is dialled, a redirect server by the entries that are
registered with it, and a device in the path relays the response of the callee.

What the caller then does (copies, ACKs, a late CANCEL) is the same for all of them.
"""

from __future__ import annotations

from typing import Any

from harness.model.plan import Answer, Call, Plan, Response
from harness.purposes.purpose import Plans
from suites.plans import BEHIND_PROXIES, RINGING, callee, guard, refuse

BINDINGS = ("<sip:9{token}@{target.host}:{target.port};transport={transport}>;q=0.7", "<sip:8{token}@{target}>;q=0.3")
"""Two entries of a location service, one with a parameter that belongs to the URI."""
REDIRECTED = "{redirects}"

ODD: dict[str, Any] = {
    "vias": (
        'SIP/2.0/TCP first.example.test:5070;branch=z9hG4bK-first;received=192.0.2.33;X-Odd="a;b";flag',
        "SIP/2.0/UDP 192.0.2.44;rport=5099;branch=z9hG4bK-second;ttl=3",
    ),
    "from_params": ";x-odd=1;Flag",
}
"""A request that came through two other elements, with unknown parameters."""

_NOBODY = (guard("target"),)


def redirecting(*, to: str = REDIRECTED, bindings: tuple[str, ...] = BINDINGS, **call: Any) -> Plan:
    """A call to a redirect server; where it is a registrar, ``bindings`` are registered first."""
    return Plan(_NOBODY, (Call(to=to, **call),), bindings=bindings)


def number(name: str, **call: Any) -> Plan:
    """A call to a number of the device itself, ``lab.numbers.NAME``."""
    return Plan((), (Call(to=f"{{{name}}}", **call),))


def relayed(answer: Answer | None = None, **call: Any) -> Plan:
    """A call through the device to a callee that declines (or does ``answer``)."""
    return Plan((callee(answer or refuse(603)),), (Call(**call),))


def refused(**call: Any) -> dict[str, Plan]:
    """A call that is declined, or redirected by a redirect server: one plan for each role that has a server side."""
    return {
        "uas": number("declines", **call),
        "redirect": redirecting(**call),
        "proxy": relayed(**call),
        "b2bua": relayed(**call),
    }


REFUSED = refused(**ODD, acks=3)
"""A refusal at once, which gets three ACKs."""
REPEATED = refused(act="repeat", acks=2)
"""The caller repeats the INVITE after its refusal, and then sends two ACKs."""
REPEATED_LATE = refused(act="repeat_late")
"""A copy of the INVITE arrives when its refusal has been acknowledged."""
THIRD_COPY = refused(ack_copy=3)
"""The caller misses two copies of the refusal and acknowledges the third."""
NEVER = refused(acks=0)
"""No ACK, ever."""
LATE_CANCEL = refused(act="cancel_late")
"""A CANCEL after the refusal and before its ACK."""

FORWARDED = number("redirects", **ODD, acks=3)
FORWARDED_REPEATED = number("redirects", act="repeat", acks=2)
"""A phone with call forwarding, called as a redirect server is."""

RINGS_THEN_DECLINES: dict[str, Plans] = {
    "uas": (
        number("rings_then_declines"),
        number("rings_then_redirects"),
        number("rings_then_declines", headers=BEHIND_PROXIES),
    ),
    "b2bua": relayed(Answer((RINGING, Response(603, after=0.2)))),
}
"""The phone rings first; the callee behind a B2BUA has one To tag for both responses."""

CANCELLED: dict[str, Plans] = {
    "uas": number("rings", act="cancel"),
    "b2bua": relayed(Answer((RINGING,)), act="cancel"),
}
"""The caller gives up while the phone rings."""
