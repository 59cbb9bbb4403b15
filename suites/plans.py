"""The vocabulary of the plans, and the plans that several files share (equal plans are driven once).

The user of a redirect target is ``9{token}``: digits, because phones dial digits, and another user than the dialled
one, so that a device which keeps the old user or the old host cannot look right by accident.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from harness.net.address import Transport

STREAMS: Final[tuple[Transport, ...]] = ("tcp", "tls", "ws", "wss")
"""The transports that lose nothing, so that nothing is sent twice."""

CALLERS = ("uac", "b2bua")
"""The roles that follow a redirection of any URI.  A proxy may do so for URIs of its own domain only (RFC 3261 16.5).
These plans dial other URIs, where it must not; ``suites/proxy`` tests it with its own."""

DIALLED = "sip:{token}@{callee}"
MOVED_URI = "sip:9{token}@{target}"
MOVED = f"<{MOVED_URI}>"
SECOND_URI = "sip:8{token}@{second}"

RINGING = Response(180)


BEHIND_PROXIES: Final = ("Record-Route: <sip:{caller};lr>", "Record-Route: <sip:far.test;lr>")
"""Of a caller's INVITE: it is behind two proxies that want to stay on the way, the nearer one at its own address."""


OF_PROXY = Call(to="sip:{token}@{device}")
"""A call to a user of the device's own domain, whom a proxy may look for elsewhere."""


def recursed(plan: Plan) -> Plan:
    """``plan`` for a proxy that follows redirections itself: the same calls, to a user who is registered at callee."""
    calls = tuple(dataclasses.replace(call, to=OF_PROXY.to) for call in plan.calls)
    return dataclasses.replace(plan, calls=calls, bindings=(f"<{DIALLED}>",))


def followed(*plans: Plan, proxy: tuple[Plan, ...] = ()) -> dict[str, tuple[Plan, ...]]:
    """``plans`` by role, for every role that may follow a redirection; ``proxy``: others, where there are."""
    return {**dict.fromkeys(CALLERS, plans), "proxy": proxy or tuple(map(recursed, plans))}


def redirect(*contacts: str, status: int = 302, tag: str = "a", **more: object) -> Answer:
    """Answer with a 3xx and these Contact values."""
    return Answer((Response(status, contacts=contacts, tag=tag, **more),))  # type: ignore[arg-type]


def refuse(status: int = 603, *headers: str, contacts: tuple[str, ...] = (), tag: str = "a") -> Answer:
    """Answer with a final failure."""
    return Answer((Response(status, headers=headers, contacts=contacts, tag=tag),))


def accept() -> Answer:
    """Ring, answer, and hang up once the ACK is here."""
    return Answer((RINGING, Response(200)))


def callee(*answers: Answer) -> Endpoint:
    """The endpoint that is dialled."""
    return Endpoint("callee", "callee", answers)


def target(*answers: Answer, name: str = "target") -> Endpoint:
    """The endpoint of a Contact: an address that is nowhere in the device's configuration."""
    return Endpoint(name, "target", answers)


def across(*answers: Answer, name: str = "target") -> Endpoint:
    """A target over the other IP family."""
    return dataclasses.replace(target(*answers, name=name), crosses=True)


def guard(name: str) -> Endpoint:
    """An endpoint where nothing may arrive.  It records, and answers 480 to an INVITE that does arrive."""
    return Endpoint(name, "guard", (refuse(480),))


REDIRECT = Plan((callee(redirect(MOVED, tag="moved")), target(accept())))
"""The plain case: 302 with one Contact, and the target answers."""

CHAIN = Plan(
    (
        callee(redirect(MOVED)),
        target(*(redirect(f"<sip:{n}{{token}}@{{target}}>", tag=f"c{n}") for n in (8, 7, 6)), accept()),
    )
)
"""Four plain 302 in a row: how many of them a device follows in one call is its own affair."""

REDIRECT_RINGING = Plan(
    (callee(Answer((RINGING, Response(302, contacts=(MOVED,), after=0.2)))), target(accept())),
)
"""Forward on no answer: the callee rings (180) and then moves the call, with the same To tag."""

DECLINE = Plan((callee(refuse(603)),))
"""The plain case: 603 at once, and nothing else."""

DECLINE_RINGING = Plan((callee(Answer((RINGING, Response(603, after=0.2, tag="final")))),))
"""The callee rings and then declines; the 603 has a To tag of its own."""

NEXT_CALL = Plan(
    (callee(redirect(MOVED)), target(accept())),
    calls=(Call(), Call(after=2.0)),
    watched=False,
)
"""Two calls to one URI, the second one two seconds after the end of the first."""
